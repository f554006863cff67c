"""Fixtures for pytest: `pytest_plugins = ["doorward.testing.plugin"]` in your conftest.py.

They are given to the `Auth` of your application in the test: `Auth(app, clock=clock, mail=mailbox, sms=smsbox)`.
"""

from __future__ import annotations

import pytest

from doorward.testing.doubles import Clock, MailBox, SmsBox


@pytest.fixture
def clock() -> Clock:
    """The time, to be moved: `clock.forward(minutes=5)`."""
    return Clock()


@pytest.fixture
def mailbox() -> MailBox:
    """The letters that were sent: `mailbox.code()`, `mailbox.token()`, `mailbox.to("ann@example.com")`."""
    return MailBox()


@pytest.fixture
def smsbox() -> SmsBox:
    """The text messages that were sent: `smsbox.code()`."""
    return SmsBox()

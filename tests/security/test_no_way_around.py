"""Who lacks the second factor gets in nowhere: every anonymous action and every way of a host, each tried by somebody
who knows the password and reads the mailbox. A new way shows here first."""

from __future__ import annotations

import ast
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from doorward.core.action import Action, Needs
from doorward.core.devices import TrustedDevice
from doorward.core.records import Authenticator
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.session import Session
from doorward.features import (
    sessions,
    totp,
)
from doorward.features.api_keys import ApiKey
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, code_of
from tests.security import break_ins
from tests.security.break_ins import NEW, BreakIn, refuses
from tests.security.conftest import dump_of
from tests.security.test_one_door import WAYS_TO_ADVANCE
from tests.security.thieves import ANN, is_in
from tests.shape.tree import ROOT

# What somebody without a session may call, by name, and how it is tried. An action that is in neither list fails.
WAYS: dict[str, Callable[[BreakIn], Guest]] = {
    "sign_in.password": break_ins.by_password,
    "password.forgot": break_ins.by_reset,
    "password.reset": break_ins.by_reset,
    "sign_in.email_code.send": break_ins.by_email_code,
    "sign_in.email_code": break_ins.by_email_code,
    "sign_in.magic_link.send": break_ins.by_magic_link,
    "sign_in.magic_link": break_ins.by_magic_link,
    "sign_in.passkey.begin": break_ins.by_passkey,
    "sign_in.passkey.finish": break_ins.by_passkey,
    "passkeys.register.begin": break_ins.by_passkey,
    "passkeys.register.finish": break_ins.by_passkey,
    "totp.begin": break_ins.by_app,
    "totp.confirm": break_ins.by_app,
    "sign_in.totp": break_ins.by_app,
    "sign_in.sms_code.send": break_ins.by_text_message,
    "sign_in.sms_code": break_ins.by_text_message,
    "sign_in.recovery_code": break_ins.by_recovery_code,
    "sign_up": break_ins.by_signing_up_again,
    "sign_up.password": break_ins.by_signing_up_again,
    "sign_up.username": break_ins.by_signing_up_again,
    "email.verify": break_ins.by_signing_up_again,
    "email.resend": break_ins.by_signing_up_again,
    "email.undo": break_ins.by_undoing,
    "token.refresh": break_ins.by_refreshing,
    "account.undo": break_ins.by_keeping_the_account,
    "sign_in.keep_account": break_ins.by_keeping_the_account,
    "not_me": break_ins.by_not_me,
    "invitations.accept": break_ins.by_invitation,
    "sign_in.recovery.send": break_ins.by_saying_that_all_is_lost,
    "sign_in.recovery": break_ins.by_saying_that_all_is_lost,
    "sign_in.recovery.wait": break_ins.by_saying_that_all_is_lost,
    "recovery.cancel": break_ins.by_saying_that_all_is_lost,
    "recovery.assisted": break_ins.by_saying_that_all_is_lost,
    "verify": break_ins.by_a_proxy,
    "arrive": break_ins.by_a_proxy,
}
GIVES_NOTHING = {
    "password.check": "says what a password is worth, whoever asks",
    "sign_out": "ends, and begins nothing",
    "depart": "leads to our own sign-in",
    "jwks": "public keys",
    "passkeys.related_origins": "a list of origins",
    "passkeys.endpoints": "addresses of pages",
    "token.revoke": "ends, and begins nothing",
    "token.introspect": "is for API keys with its scope",
}

# Ways that a host has beside the actions; each with the test that tries it for who has a second factor.
HOST_WAYS = {
    ("src/doorward/django/runtime.py", "entered"): (
        "tests/django/test_hosting.py::test_who_has_a_second_factor_is_nobody_to_authenticate",
        "tests/django/test_hosting.py::test_login_without_a_finished_sign_in_raises",
        "tests/django/test_hosting.py::test_the_admins_sign_in_is_ours",
        "tests/test_flask_login.py::test_login_user_signs_nobody_in_and_names_the_cure",
        "tests/test_flask_login.py::test_what_flask_login_stored_opens_nothing",
    ),
}
FOR_TESTS = "src/doorward/testing/"  # no installation imports it: test_one_door.py


def anonymous(house: House) -> set[str]:
    return {name for name, action in house.doorward.actions.items() if action.needs is Needs.NOTHING}


def test_every_action_that_anybody_may_call_is_tried_or_gives_nothing(house: House) -> None:
    assert anonymous(house) == WAYS.keys() | GIVES_NOTHING.keys()


def test_every_place_that_moves_a_sign_in_on_is_an_action_or_a_way_of_a_host() -> None:
    """So a way of a host that is new has to be named here, with its test."""
    elsewhere = {place for place in WAYS_TO_ADVANCE if not place[0].startswith(("src/doorward/features/", FOR_TESTS))}
    assert elsewhere == HOST_WAYS.keys()
    for name in (name for names in HOST_WAYS.values() for name in names):
        path, _, function = name.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, name


@pytest.mark.parametrize("way", sorted(set(WAYS.values()), key=lambda way: way.__name__), ids=lambda way: way.__name__)
def test_nobody_gets_in_without_the_second_factor(house: House, way: Callable[[BreakIn], Guest]) -> None:
    it = BreakIn(house)
    anns = {_id_of(it)}
    before = _owned(house, anns)
    thief = way(it)
    assert not is_in(thief)
    assert thief.session == ""
    assert _owned(house, anns) <= before


def _id_of(it: BreakIn) -> str:
    return str(it.owner.do(sessions.session).identity.user.id)


def _owned(house: House, users: set[str]) -> set[tuple[str, str]]:
    """What opens something, or could: sessions, keys, trusted browsers, and what is bound to her."""
    rows = dump_of(house)
    kinds = (Session, ApiKey, TrustedDevice, Authenticator)
    return {(kind.__name__, row.id) for kind in kinds for row in rows[kind] if row.user_id in users}


# A sign-in half done can do nothing else


EMPTY: dict[str, Any] = {}


def bodies_for(action: Action[..., Any], attempt: str) -> list[dict[str, Any]]:
    """No arguments at all; and all of them, of the right type and with nothing right in them."""
    made: dict[str, Any] = {"attempt": attempt, "code": "000000", "email": "third@example.com", "password": NEW}
    made |= {"identifier": ANN, "current_password": PASSWORD, "new_password": NEW, "token": attempt}
    full = {argument.name: made.get(argument.name, _made_up(argument)) for argument in action.arguments}
    return [EMPTY, {"attempt": attempt}, full]


def _made_up(argument: Any) -> Any:
    if argument.choices:
        return argument.choices[0]
    return {bool: True, int: 60, tuple: ["x"], str: "x" * 43, dict: {"id": "x"}}.get(argument.kind, {"id": "x"})


# Begins something of its own, whoever asks: a letter goes out, or a sign-in of its own begins and holds.
BEGINS = {"sign_up", "password.forgot", "sign_in.magic_link.send", "sign_in.email_code.send", "sign_in.passkey.begin"}
WAITS = {"sign_in.recovery.send", "sign_in.recovery.wait"}  # told to the owner, who can stop it
HARMLESS = BEGINS | WAITS | GIVES_NOTHING.keys() | {"sign_in.password"}


def test_a_sign_in_half_done_can_do_nothing_else(house: House) -> None:
    """By any action, with an empty body, all arguments, or the attempt as every token there is (MFA-05, MFA-09)."""
    it = BreakIn(house)
    anns = {_id_of(it)}
    before = _owned(house, anns)
    for name, action in house.doorward.actions.items():
        for number in range(3):
            house.doorward.world.limits.__init__()  # type: ignore[misc]
            pending = it.pending()
            given = bodies_for(action, pending.client.attempt)[number]
            try:
                answer = pending.do(action, **given)
            except (Refused, Misconfigured):
                pass
            else:
                assert name in HARMLESS, (name, given)
                assert getattr(answer, "identity", None) is None, (name, given)
                assert getattr(answer, "tokens", None) is None, (name, given)
            assert pending.session == "", (name, given)
            assert not is_in(pending), (name, given)
    assert _owned(house, anns) == before


def test_an_attempt_opens_nothing_as_a_cookie_or_a_bearer_token(house: House) -> None:
    it = BreakIn(house)
    pending = it.pending()
    secret = pending.client.attempt
    for guest in (it.thief(), it.thief()):
        guest.session = secret
        refuses(guest, sessions.session)
        guest.session, guest.bearer = "", secret
        refuses(guest, sessions.session)


def test_the_answer_to_the_first_step_is_the_same_by_all_ways_and_replays_to_nothing(house: House) -> None:
    it = BreakIn(house)
    pending = it.pending()
    assert it.owner.do(sessions.session).identity is not None
    it.house.clock.forward(seconds=30)
    code = code_of(house, it.secret)
    assert pending.do(totp.sign_in, code=code).identity is not None
    attempt = pending.client.attempt
    replay = it.thief()
    assert attempt == ""
    refuses(replay, totp.sign_in, code=code)


def test_of_forty_who_finish_one_sign_in_at_once_one_is_in(house: House) -> None:
    """MFA-02: the code and the attempt are each good once."""
    it = BreakIn(house)
    it.house.clock.forward(seconds=30)
    code, pending = code_of(house, it.secret), it.pending()

    def finish(_: int) -> bool:
        rival = it.thief()
        rival.client = pending.client
        try:
            return rival.do(totp.sign_in, code=code).identity is not None
        except Refused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(finish, range(40))) == 1

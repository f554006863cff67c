"""Attacks that have no home in one feature: names for one account, factors in the wrong place, secrets crosswise."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.call import Call
from doorward.core.records import Authenticator, User
from doorward.core.refusals import Refused
from doorward.core.users import find_user
from doorward.features import recovery_codes, refresh_tokens, reset_password, sign_up, totp, verify_email
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, code_of, recovery, refused, second_step, signed_in, signed_up, with_totp
from tests.http.bare import Bare
from tests.scenarios.client import Browser
from tests.security.conftest import dump_of
from tests.security.thieves import ANN, is_in

FOREIGN_FIELDS = (
    *("is_admin", "isAdmin", "is_superuser", "is_staff", "role", "roles", "email_verified", "id"),
    *("user_id", "aal", "mfa", "mfa_enabled", "password_hash", "active", "created_at", "address_exempt"),
    *("proofs", "purpose", "subject", "skip"),
)


def test_one_account_has_one_count_of_failures_by_whatever_name(house: House) -> None:
    signed_up(house, username="annie")
    names = (ANN, ANN.upper(), f" {ANN} ", "annie", "ANNIE", "ａｎｎｉｅ")
    for name in names:
        refused("wrong_credentials", signed_in, house.browser(), name, "not the password at all")
    (row,) = [row for row in dump_of(house)[Authenticator] if row.kind == "password"]
    assert row.failures == len(names)


def test_ones_own_success_gives_a_network_nothing_back(open_house: Any) -> None:
    house: House = open_house(policy={"tries_per_network": 12})
    signed_up(house)
    signed_up(house, "mallory@example.com")
    attacker = house.program(ip="203.0.113.66")
    for _ in range(4):
        with pytest.raises(Refused):
            signed_in(attacker, ANN, "not the password at all")
        with pytest.raises(Refused):
            signed_in(attacker, ANN, "nor is this one of hers")
        signed_in(attacker, "mallory@example.com")
    assert refused("too_many_attempts", signed_in, attacker, ANN).retry_after


async def _close(call: Call) -> None:
    user = await find_user(call, ANN)
    assert user is not None
    await call.store.change(User, {"id": user.id}, active=False)


@pytest.mark.parametrize("by", ["totp", "recovery_code"])
def test_who_is_disabled_between_two_steps_does_not_come_in(house: House, by: str) -> None:
    owner = signed_up(house)
    secret = with_totp(owner)
    codes = recovery(owner)
    guest = house.browser()
    second_step(house, guest)
    house.run(_close)
    step = totp.sign_in if by == "totp" else recovery_codes.sign_in
    refused("wrong_credentials", guest.do, step, code=code_of(house, secret) if by == "totp" else codes[0])
    assert not is_in(guest)
    assert not is_in(owner)


def test_a_secret_is_good_for_its_own_purpose_only(house: House) -> None:
    """Every secret at every place that takes one: link, attempt, session, refresh and access token."""
    owner = signed_up(house)
    tokens = signed_in(house.program(), issue="tokens").tokens
    pending = house.browser()
    held = pending.do(sign_up.sign_up, email="new@example.com", password=PASSWORD)
    link = house.mail.token()
    asked = house.browser().do(reset_password.forgot, email=ANN)
    secrets = {
        "link": link,
        "reset link": house.mail.token(),
        "reset": asked.attempt,
        "attempt": held.attempt,
        "session": owner.session,
        "refresh": tokens["refresh_token"],
        "access": tokens["access_token"],
    }
    for kind, secret in secrets.items():
        thief = house.browser(ip="203.0.113.66")
        if kind != "link" and len(secret) <= 512:
            refused("invalid_token", thief.do, verify_email.verify, token=secret)
        if kind != "reset link" and len(secret) <= 512:
            refused("invalid_token", thief.do, reset_password.reset, token=secret, new_password=PASSWORD)
        if kind != "refresh" and len(secret) <= 512:
            refused("refresh_refused", thief.do, refresh_tokens.refresh, refresh_token=secret)
        if kind != "session":
            thief.session = secret
            assert not is_in(thief), kind
        if kind != "access":
            assert not _opens_as_bearer(house, secret), kind
        if len(secret) <= 128:
            refused("no_sign_in_under_way", house.browser().do, totp.sign_in, code="123456", attempt=secret)
    assert is_in(owner)


def _opens_as_bearer(house: House, secret: str) -> bool:
    program: Guest = house.program(ip="203.0.113.66")
    program.bearer = secret
    return is_in(program)


def test_what_is_mailed_stands_in_no_answer(house: House) -> None:
    signed_up(house, "bob@example.com")
    guest = house.browser()
    for answer in (
        guest.do(sign_up.sign_up, email=ANN, password=PASSWORD),
        guest.do(verify_email.resend),
        guest.do(reset_password.forgot, email="bob@example.com"),
    ):
        assert house.mail.code() not in repr(answer)
        assert house.mail.token() not in repr(answer)


@pytest.mark.parametrize("header", ["Referer", "X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
def test_no_header_says_where_one_is_sent(header: str) -> None:
    host = Bare()
    value = {header: "https://evil.example/path"}
    page = Browser(host).send("GET", "/auth/", b"", {**value, "Accept": "text/html"})
    assert page.status == 303
    assert (page.header("location") or "").startswith("/auth/sign-in?return_to=%2Fauth%2F")
    assert "evil" not in page.text


@pytest.mark.parametrize("name", FOREIGN_FIELDS)
def test_no_field_is_taken_that_an_action_does_not_have(name: str) -> None:
    host = Bare()
    browser = Browser(host)
    assert browser.post("/sign-up", email=ANN, password=PASSWORD, **{name: True}).reason == "invalid_input"
    assert (
        browser.post("/sign-in/password", identifier=ANN, password=PASSWORD, **{name: True}).reason == "invalid_input"
    )
    assert host.mail.letters == []

"""What a dump, the master secret, a proxy and a service give: a part for each row of docs/security/threat-model.md."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import jwt
import pytest

from doorward.core.attempt import Attempt
from doorward.core.devices import known_device_cookie
from doorward.core.records import Authenticator, OutboxMessage
from doorward.core.refusals import Refused
from doorward.core.session import Session, session_digest
from doorward.core.tries import STRANGERS
from doorward.features import (
    access_tokens,
    recovery_codes,
    refresh_tokens,
    reset_password,
    sessions,
    sign_out,
    sign_up,
    token_keys,
    totp,
    verify_email,
)
from doorward.features.sign_up import PendingSignUp
from doorward.features.token_keys import TokenKey
from doorward.primitives import jwt as tokens
from doorward.primitives import rfc6238, sealing
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, code_of, recovery, refused, second_step, signed_in, signed_up, with_totp
from tests.http.bare import Bare
from tests.scenarios.client import Browser, Client
from tests.security.conftest import dump_of
from tests.security.thieves import ANN, SERVICE, is_in, sessions_of, thief_with, tokens_of

# A database dump


def lived_in(house: House) -> tuple[set[str], Guest]:
    """A house where everything is under way, with all secrets that people hold there; and somebody in it."""
    owner = signed_up(house)
    secret = with_totp(owner)
    codes = recovery(owner)
    held = second_step(house, house.browser())
    program = house.program()
    step = signed_in(program, issue="tokens")
    given = program.do(totp.sign_in, code=code_of(house, secret), attempt=step.attempt).tokens
    house.browser().do(reset_password.forgot, email=ANN)
    reset = {house.mail.code(), house.mail.token()}
    house.browser().do(sign_up.sign_up, email="bea@example.com", password="words that bea has chosen")
    mail = house.mail
    known = {owner.session, held.attempt, given["access_token"], given["refresh_token"], mail.code(), mail.token()}
    known |= {*reset, PASSWORD, "words that bea has chosen", rfc6238.base32(secret), secret.hex(), *codes}
    known |= {part for part in given["refresh_token"].split(".") if len(part) > 30}
    return known | {code.replace("-", "") for code in codes}, owner


def texts_of(dump: dict[Any, list[Any]]) -> set[str]:
    return {
        value
        for rows in dump.values()
        for row in rows
        for value in (getattr(row, f.name) for f in fields(row))
        if isinstance(value, str) and value
    }


def test_no_secret_stands_in_a_dump(house: House) -> None:
    known, _ = lived_in(house)
    texts = texts_of(dump_of(house))
    assert len(texts) > 50
    # A six-digit code could stand in random text by chance; all others can't.
    found = {word for word in known for text in texts if (word in text if len(word) > 6 else word == text)}
    assert found == set()


def test_no_value_of_a_dump_opens_anything(house: House) -> None:
    lived_in(house)
    values = {text for text in texts_of(dump_of(house)) if len(text) <= 512 and text.isascii() and " " not in text}
    assert len(values) > 40
    for value in sorted(values):
        assert not is_in(thief_with(house, session=value)), value
        assert not is_in(thief_with(house, bearer=value)), value
        thief = thief_with(house)
        refused("refresh_refused", thief.do, refresh_tokens.refresh, refresh_token=value)
        with pytest.raises(Refused) as link:
            thief.do(verify_email.verify, token=value)
        assert link.value.reason in ("invalid_token", "too_many_attempts")
        if len(value) <= 128:
            thief.client = replace(thief.client, attempt=value)
            refused("no_sign_in_under_way", thief.do, totp.sign_in, code="123456", attempt=value)


def test_a_sealed_secret_moved_to_another_row_opens_nothing(house: House) -> None:
    """Who may write can't sign in with a device of their own: the seal is bound to its user."""
    ann = signed_up(house)
    with_totp(ann)
    mallory = signed_up(house, "mallory@example.com")
    own = with_totp(mallory)

    async def move(call: Any) -> None:
        row = await call.store.get(Authenticator, kind="totp", user_id=sessions_of(mallory)[0].user.id)
        await call.store.change(Authenticator, {"kind": "totp", "user_id": sessions_of(ann)[0].user.id}, data=row.data)

    house.run(move)
    thief = house.browser()
    held = second_step(house, thief)
    refused("wrong_code", thief.do, totp.sign_in, code=code_of(house, own), attempt=held.attempt)


def test_a_forged_session_row_needs_the_master_secret(house: House) -> None:
    """Who may add a row, and has no row to copy from, can't make the keyed digest that it must hold."""
    ann = signed_up(house)
    row = dump_of(house)[Session][0]
    forged = replace(row, id="forged", digest=session_digest("chosen"), host_digest=session_digest("guessed"))
    ann.run(lambda call: call.store.add(forged))
    assert not is_in(thief_with(house, session="chosen"))


# The master secret


def test_the_master_secret_alone_opens_no_session(open_house: Callable[..., House]) -> None:
    house = open_house(token_algorithm="HS256")
    owner = signed_up(house)
    user = sessions_of(owner)[0].user
    now = int(house.clock.now.timestamp())
    (key,) = house.run(token_keys.token_keys)
    origin = str(house.doorward.world.settings.origin)
    claims = {"iss": origin, "aud": origin, "sub": user.id, "sid": "guessed", "iat": now, "nbf": now, "exp": now + 300}
    forged = tokens.sign({**claims, "jti": "1", "client_id": "doorward"}, key, typ=access_tokens.TYPE)
    assert not is_in(thief_with(house, bearer=forged))
    # With the id of a session that lives it would: HS256 is one secret for all, which is why it is not the default.
    known = {**claims, "sid": sessions_of(owner)[0].session.id, "jti": "2", "client_id": "doorward"}
    assert is_in(thief_with(house, bearer=tokens.sign(known, key, typ=access_tokens.TYPE)))


def test_the_master_secret_makes_a_device_known_and_no_more(house: House) -> None:
    owner = signed_up(house)
    user_id = sessions_of(owner)[0].user.id
    thief = house.browser(ip="203.0.113.66")
    thief.client = replace(
        thief.client, known_device=house.run(lambda call: _awaited(known_device_cookie(call, user_id)))
    )
    for _ in range(3):
        refused("wrong_credentials", signed_in, thief, ANN, "not the password")
    (row,) = [row for row in dump_of(house)[Authenticator] if row.kind == "password"]
    assert (row.failures, row.known_failures) == (0, 3)


async def _awaited(value: Any) -> Any:
    return value


def test_master_secret_and_dump_give_seeds_and_signing_keys_but_no_session(house: House) -> None:
    known, owner = lived_in(house)
    dump, ring = dump_of(house), house.doorward.world.keyring
    (device,) = [row for row in dump[Authenticator] if row.kind == "totp"]
    seed = sealing.unseal(ring, device.data, purpose="totp", context=device.user_id)
    assert seed is not None
    assert rfc6238.base32(seed) in known
    (key,) = dump[TokenKey]
    assert "d" in json.loads(sealing.unseal(ring, key.jwk, purpose="token-key", context=key.kid) or b"{}")
    # Sessions, attempts, refresh tokens and links are random: their digests give nothing back.
    digests = [row.digest for row in (*dump[Session], *dump[Attempt])] + [row.link for row in dump[PendingSignUp]]
    assert len(digests) >= 4
    assert not any(secret in digest for digest in digests for secret in known if len(secret) > 6)
    assert not set(digests) & known
    # Passwords stay what argon2id makes of them.
    assert all(text.startswith("$argon2id$") for text in texts_of(dump) if PASSWORD in text or text.startswith("$"))
    assert is_in(owner)


def test_a_new_master_secret_before_the_old_one_signs_nobody_out(open_house: Callable[..., House]) -> None:
    """The way to replace a secret that is old but not stolen: `SECRET=new:…,old:…`."""
    old = "old:4YvXq2oM9sT1hKc7Lr0ePz8nWd5uBj3gFi6aRk-QxJm_"
    before = open_house(secret=old)
    owner = signed_up(before)
    secret = with_totp(owner)
    code, *_ = recovery(owner)
    given = signed_in(before.program(), issue="tokens")
    program = before.program()
    kept = program.do(totp.sign_in, code=code_of(before, secret), attempt=signed_in(program, issue="tokens").attempt)
    after = open_house(secret=f"new:8PkT3wN0xZb6Ma2VfQ9-cJdR5uLhS7eGy1_iOoXvKtWq,{old}")
    after.clock.now = before.clock.now + timedelta(seconds=30)
    assert given.attempt
    assert is_in(thief_with(after, session=owner.session))
    assert is_in(thief_with(after, bearer=kept.tokens["access_token"]))
    assert after.program().do(refresh_tokens.refresh, refresh_token=kept.tokens["refresh_token"])["access_token"]
    guest = after.program()
    held = signed_in(guest)
    assert guest.do(totp.sign_in, code=code_of(after, secret), attempt=held.attempt).identity
    held = signed_in(guest)
    assert guest.do(recovery_codes.sign_in, code=code, attempt=held.attempt).identity


def test_another_master_secret_opens_none_of_what_was_sealed(open_house: Callable[..., House]) -> None:
    """The way to replace a stolen one: sessions and tokens end, and what was sealed is made anew."""
    before = open_house()
    owner = signed_up(before)
    secret = with_totp(owner)
    after = open_house(secret="new:8PkT3wN0xZb6Ma2VfQ9-cJdR5uLhS7eGy1_iOoXvKtWq")
    after.clock.now = before.clock.now
    assert not is_in(thief_with(after, session=owner.session))
    guest = after.program()
    held = signed_in(guest)
    refused("wrong_code", guest.do, totp.sign_in, code=code_of(after, secret), attempt=held.attempt)


# A proxy in front of us


def test_who_is_no_trusted_proxy_can_not_say_where_it_comes_from() -> None:
    host = Bare()
    headers = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https", "Forwarded": "for=198.51.100.1"}
    Client(host, extra=headers).post("/sign-in/password", identifier=ANN, password="x")
    assert host.visit is not None
    assert (host.visit.client.ip, host.visit.client.network) == ("192.0.2.1", "192.0.2.1")


def test_a_proxy_that_lies_about_hosts_changes_no_link() -> None:
    host = Bare()
    for header in ("X-Forwarded-Host", "X-Original-Host", "Forwarded", "X-Host"):
        email = f"{header.lower()}@example.com"
        browser = Browser(host, extra={header: "evil.example"})
        assert browser.post("/sign-up", email=email, password=PASSWORD).status == 202
        assert host.mail.last.words["link"].startswith("https://app.example.com/auth/")
    assert Client(host, extra={"Host": "evil.example"}).get("/session").status == 400


def test_a_proxy_that_lies_about_addresses_gains_no_tries_at_one_account(house: House) -> None:
    owner = signed_up(house)
    for number in range(STRANGERS + 5):
        stranger = house.browser(ip=f"198.51.100.{number}")
        refused("wrong_credentials", signed_in, stranger, ANN, "not the password")
        house.clock.forward(minutes=6)
    (row,) = [row for row in dump_of(house)[Authenticator] if row.kind == "password"]
    assert row.failures <= STRANGERS
    owner.do(sign_out.sign_out)
    assert signed_in(owner).identity, "a device that signed in before is not locked out"


# A service that is sent tokens


def test_a_services_token_opens_no_account(open_house: Callable[..., House]) -> None:
    house = open_house(token_audience=[SERVICE])
    signed_up(house)
    given = house.program().do(
        refresh_tokens.refresh, refresh_token=tokens_of(house)["refresh_token"], audience=SERVICE
    )
    service = thief_with(house, bearer=given["access_token"])
    refused("invalid_bearer", service.do, sessions.session)
    refused("refresh_refused", thief_with(house).do, refresh_tokens.refresh, refresh_token=given["access_token"][:512])


def test_a_token_for_one_service_is_for_no_other(open_house: Callable[..., House]) -> None:
    house = open_house(token_audience=[SERVICE, "https://mail.example.com"])
    signed_up(house)
    given = house.program().do(
        refresh_tokens.refresh, refresh_token=tokens_of(house)["refresh_token"], audience=SERVICE
    )
    (key,) = house.run(token_keys.jwks.run).keys
    verify = {"algorithms": ["ES256"], "options": {"verify_exp": False, "verify_nbf": False, "verify_iat": False}}
    claims = jwt.decode(given["access_token"], jwt.PyJWK(key), audience=SERVICE, **verify)
    assert claims["aud"] == SERVICE
    for other in ("https://mail.example.com", str(house.doorward.world.settings.origin)):
        with pytest.raises(jwt.InvalidAudienceError):
            jwt.decode(given["access_token"], jwt.PyJWK(key), audience=other, **verify)


# What may be lost: the fast counters


def test_emptied_limits_give_no_more_tries_at_one_account(open_house: Callable[..., House]) -> None:
    house = open_house()
    signed_up(house)
    for _ in range(STRANGERS // 20 + 1):
        again = open_house()  # a restart: limits in memory are empty
        again.clock.now = house.clock.now
        for _ in range(20):
            with pytest.raises(Refused):
                signed_in(again.browser(ip="203.0.113.66"), ANN, "not the password")
    (row,) = [row for row in dump_of(house)[Authenticator] if row.kind == "password"]
    assert row.failures == STRANGERS
    refused("wrong_credentials", signed_in, open_house().browser(ip="203.0.113.66"))


# The outbox


def test_a_letter_that_waits_can_not_be_read_from_the_database(house: House) -> None:
    house.browser().do(sign_up.sign_up, email="bea@example.com", password=PASSWORD)
    (waiting,) = dump_of(house)[OutboxMessage]
    assert house.mail.code() not in waiting.body
    assert "bea@example.com" not in waiting.body
    moved = replace(waiting, id="another-row")
    ring = house.doorward.world.keyring
    assert sealing.unseal(ring, moved.body, purpose="outbox", context=moved.id) is None

"""Bound tokens: worth nothing without their key, and nobody who has none notices."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from doorward.core.call import Call, ProofHeader
from doorward.core.possession import SpentProof
from doorward.core.refusals import Refused
from doorward.core.session import Session
from doorward.delivery.upkeep import Upkeep
from doorward.features import password, refresh_tokens, sessions, step_up, totp
from doorward.primitives import tokens
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, code_of, refused, signed_in, signed_up, with_totp
from tests.keyholder import KeyHolder

URL = "https://app.example.com/auth/…"


class Program:
    """A program with a key. `do` sends a new proof with each request, and takes the nonce that it is told."""

    def __init__(self, house: House, holder: KeyHolder | None = None) -> None:
        self.house, self.holder = house, holder or KeyHolder()
        self.guest = house.program()

    def do(self, action: Any, proof: str | None = None, **arguments: Any) -> Any:
        try:
            return self.once(action, proof, **arguments)
        except Refused as refusal:
            if refusal.reason != "use_dpop_nonce" or proof is not None:
                raise
            self.holder.nonce = refusal.nonce
            return self.once(action, **arguments)

    def once(self, action: Any, proof: str | None = None, **arguments: Any) -> Any:
        text = self.proof() if proof is None else proof
        self.guest.client = replace(self.guest.client, proof=ProofHeader(text, "POST", URL))
        return self.guest.do(action, **arguments)

    def proof(self, **claims: Any) -> str:
        return self.holder.proof("POST", URL, self.house.clock.now, token=self.guest.bearer, **claims)

    def sign_in(self) -> Any:
        given = self.do(password.sign_in, identifier="ann@example.com", password=PASSWORD, issue="tokens")
        if given.tokens:
            self.guest.bearer = given.tokens["access_token"]
        return given


@pytest.fixture
def program(house: House) -> Program:
    """A program of Ann's, signed in with a key."""
    signed_up(house)
    made = Program(house)
    made.sign_in()
    return made


def plain(house: House, token: str) -> Guest:
    """Somebody with a token and no key."""
    guest = house.program()
    guest.bearer = token
    return guest


def test_a_proof_at_sign_in_binds(house: House) -> None:
    signed_up(house)
    program = Program(house)
    given = program.sign_in().tokens
    assert given["token_type"] == "DPoP"
    claims = json.loads(tokens.decode(given["access_token"].split(".")[1]) or b"")
    assert claims["cnf"] == {"jkt": program.holder.jkt}
    assert program.do(sessions.session).identity.session.jkt == program.holder.jkt


def test_who_has_no_key_notices_nothing(house: House) -> None:
    signed_up(house)
    guest = house.program()
    given = signed_in(guest, issue="tokens").tokens
    assert given["token_type"] == "Bearer"
    assert "cnf" not in json.loads(tokens.decode(given["access_token"].split(".")[1]) or b"")
    assert plain(house, given["access_token"]).do(sessions.session).identity.session.jkt == ""
    renewed = guest.do(refresh_tokens.refresh, refresh_token=given["refresh_token"])
    assert renewed["token_type"] == "Bearer"


def test_an_unbound_token_is_none_for_the_scheme_dpop(house: House) -> None:
    signed_up(house)
    program = Program(house)
    program.guest.bearer = signed_in(house.program(), issue="tokens").tokens["access_token"]
    refused("invalid_bearer", program.do, sessions.session)


def test_a_cookie_is_bound_to_nothing(house: House) -> None:
    signed_up(house)
    browser = house.browser()
    browser.client = replace(browser.client, proof=ProofHeader("no proof at all", "POST", URL))
    assert signed_in(browser).identity.session.jkt == ""
    assert browser.do(sessions.session).identity is not None


def test_a_stolen_token_opens_nothing(program: Program) -> None:
    house, token = program.house, program.guest.bearer
    program.do(sessions.session)
    refused("invalid_bearer", plain(house, token).do, sessions.session)
    thief = Program(house)
    thief.guest.bearer = token
    refused("invalid_proof", thief.do, sessions.session)
    thief.holder.nonce = program.holder.nonce
    with_anothers_key = thief.proof(header={"jwk": program.holder.public})
    refused("invalid_proof", thief.do, sessions.session, with_anothers_key)
    assert program.do(sessions.session).identity is not None


def test_a_proof_is_good_once(program: Program) -> None:
    """Also where who asks is remembered for a moment."""
    proof = program.proof()
    assert program.do(sessions.session, proof).identity is not None
    refused("invalid_proof", program.do, sessions.session, proof)
    assert program.do(sessions.session).identity is not None


def test_of_forty_at_once_with_one_proof_one_gets_in(program: Program) -> None:
    house, proof = program.house, program.proof()

    def one(_: int) -> str:
        rival = Program(house, program.holder)
        rival.guest.bearer = program.guest.bearer
        try:
            return str(rival.do(sessions.session, proof).identity.user.email)
        except Refused as refusal:
            return refusal.reason

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(one, range(40)))
    assert sorted(set(answers)) == ["ann@example.com", "invalid_proof"]
    assert answers.count("ann@example.com") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"ath": ...},
        {"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"},
        {"htm": "GET"},
        {"htu": "https://evil.example/auth/…"},
        {"iat": 1},
        {"jti": ...},
    ],
)
def test_a_proof_for_something_else_is_refused(program: Program, wrong: dict[str, Any]) -> None:
    refused("invalid_proof", program.do, sessions.session, program.proof(**wrong))
    refused("invalid_proof", program.do, sessions.session, "")


def test_the_nonce_is_ours_and_of_these_minutes(program: Program) -> None:
    house, old = program.house, program.holder.nonce
    for wrong in (..., "", "A" * 22, old[::-1]):
        told = refused("use_dpop_nonce", program.once, sessions.session, program.proof(nonce=wrong))
        assert told.nonce == old
    house.clock.forward(seconds=119)
    assert program.once(sessions.session).identity is not None
    house.clock.forward(seconds=170)
    assert refused("use_dpop_nonce", program.once, sessions.session).nonce != old


def test_refresh_needs_the_same_key(house: House) -> None:
    signed_up(house)
    program = Program(house)
    token = program.sign_in().tokens["refresh_token"]
    program.guest.bearer = ""
    thief = Program(house)
    refused("invalid_proof", house.program().do, refresh_tokens.refresh, refresh_token=token)
    refused("invalid_proof", thief.do, refresh_tokens.refresh, refresh_token=token)
    renewed = program.do(refresh_tokens.refresh, refresh_token=token)
    assert renewed["token_type"] == "DPoP"
    again = program.do(refresh_tokens.refresh, refresh_token=token)
    assert again["refresh_token"] == renewed["refresh_token"]
    house.clock.forward(minutes=1)
    refused("invalid_proof", thief.do, refresh_tokens.refresh, refresh_token=token)
    assert program.do(refresh_tokens.refresh, refresh_token=renewed["refresh_token"])["access_token"]


def test_the_key_of_the_first_step_is_that_of_the_last(house: House) -> None:
    secret = with_totp(signed_up(house))
    program, other = Program(house), Program(house)
    attempt = program.sign_in().attempt
    refused("invalid_proof", other.do, totp.sign_in, code=code_of(house, secret), attempt=attempt)
    done = program.do(totp.sign_in, code=code_of(house, secret), attempt=attempt)
    assert (done.tokens["token_type"], done.identity.session.jkt) == ("DPoP", program.holder.jkt)
    house.clock.forward(seconds=30)
    unbound = signed_in(house.program(), issue="tokens").attempt
    refused("invalid_proof", other.do, totp.sign_in, code=code_of(house, secret), attempt=unbound)


def test_a_step_up_keeps_the_binding(program: Program) -> None:
    house = program.house
    house.clock.forward(minutes=4)
    refreshed = program.guest.bearer
    house.clock.forward(minutes=7)
    refused("invalid_bearer", program.do, step_up.step_up)
    program.guest.bearer = ""
    program.sign_in()
    assert program.guest.bearer != refreshed
    house.clock.forward(minutes=4)
    attempt = program.do(step_up.step_up)
    assert attempt.identity is not None
    assert attempt.identity.session.jkt == program.holder.jkt


def test_spent_proofs_are_kept_no_longer_than_they_could_be_used(program: Program) -> None:
    house = program.house

    async def rows(call: Call) -> int:
        return await call.store.count(SpentProof)

    assert house.run(rows) > 0
    upkeep = Upkeep(house.stores, {}, house.doorward.sweeps, house.clock)
    upkeep.sweep()
    assert house.run(rows) > 0
    house.clock.forward(minutes=5)
    upkeep.sweep()
    assert house.run(rows) == 0


def test_a_bound_session_stays_shut_where_the_feature_is_switched_off(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = program.house
    token = program.guest.bearer
    house.doorward.world = replace(house.doorward.world, possession=None)
    refused("invalid_proof", program.do, sessions.session)
    refused("invalid_bearer", plain(house, token).do, sessions.session)


def test_the_key_stands_in_the_row(program: Program) -> None:
    async def keys(call: Call) -> set[str]:
        return {session.jkt for session in await call.store.find(Session, kind="tokens")}

    assert program.house.run(keys) == {program.holder.jkt}

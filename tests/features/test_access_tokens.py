"""Access tokens: verifiable by anybody with the published keys, worth nothing once their session has ended."""

from __future__ import annotations

import json

import jwt as pyjwt
import pytest

from doorward.core.refusals import Misconfigured
from doorward.features import sessions, sign_out, token_keys
from doorward.testing.doubles import ORIGIN, House
from tests.features.people import refused, signed_in, signed_up, with_totp


def bearer(house: House, **more: object):  # type: ignore[no-untyped-def]
    guest = house.program()
    guest.bearer = signed_in(guest, issue="tokens", **more).tokens["access_token"]
    return guest


def published(house: House) -> dict[str, pyjwt.PyJWK]:
    keys = house.program().do(token_keys.jwks).keys
    return {key["kid"]: pyjwt.PyJWK(json.loads(json.dumps(key))) for key in keys}


def test_plain_pyjwt_verifies_it_by_the_published_keys(house: House) -> None:
    signed_up(house)
    token = bearer(house).bearer
    header = pyjwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    key = published(house)[header["kid"]]
    claims = pyjwt.decode(
        token,
        key.key,
        algorithms=["ES256"],
        audience=ORIGIN,
        issuer=ORIGIN,
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    assert claims["exp"] - claims["iat"] == 300
    assert claims["client_id"] == "doorward"
    assert (claims["amr"], claims["acr"]) == (["pwd"], "aal1")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "Ed25519", "HS256"])
def test_every_algorithm_offered_signs_and_reads(open_house, algorithm: str) -> None:  # type: ignore[no-untyped-def]
    house = open_house(token_algorithm=algorithm)
    signed_up(house)
    guest = bearer(house)
    assert guest.do(sessions.session).identity.by == "bearer"
    assert len(house.program().do(token_keys.jwks).keys) == (0 if algorithm == "HS256" else 1)


def test_no_private_part_is_published(house: House) -> None:
    (key,) = house.program().do(token_keys.jwks).keys
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_it_ends_with_its_time_and_with_its_session(house: House) -> None:
    signed_up(house)
    guest = bearer(house)
    kept = guest.bearer
    guest.do(sign_out.sign_out)
    refused("invalid_bearer", guest.do, sessions.session)
    guest = bearer(house)
    house.clock.forward(minutes=6, seconds=1)
    refused("invalid_bearer", guest.do, sessions.session)
    guest.bearer = kept
    refused("invalid_bearer", guest.do, sessions.session)


def test_a_session_secret_is_no_bearer_and_a_token_session_no_cookie(house: House) -> None:
    browser = signed_up(house)
    thief = house.program()
    thief.bearer = browser.session
    refused("invalid_bearer", thief.do, sessions.session)
    for wrong in ("a.b.c", "", "x" * 9000, "..", "null"):
        thief.bearer = wrong or "x"
        refused("invalid_bearer", thief.do, sessions.session)


def test_step_and_level_are_in_the_claims(house: House) -> None:
    guest = signed_up(house)
    with_totp(guest)
    assert guest.do(sessions.session).identity.aal == 2


def test_a_key_of_a_lost_secret_is_said_at_once(house: House) -> None:
    signed_up(house)
    bearer(house)

    async def forget_secret(call):  # type: ignore[no-untyped-def]
        await call.store.change(token_keys.TokenKey, {}, jwk="1.gone.AAAA")
        call.world.memo.clear()
        await token_keys.token_keys(call)

    with pytest.raises(Misconfigured, match="put it back"):
        house.run(forget_secret)

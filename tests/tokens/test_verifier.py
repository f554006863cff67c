"""A service that checks tokens itself: what is good once is good until it is not, and nobody wears the issuer out."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from doorward.features import refresh_tokens, token_keys
from doorward.primitives import jwt
from doorward.testing.doubles import ORIGIN, Guest, House
from doorward.tokens import IssuerUnavailable, TokenRefused, Verifier, fetching, verifier
from doorward.tokens.fetching import Fetched
from tests.features.people import signed_in, signed_up
from tests.features.test_dpop import Program
from tests.tokens.conftest import SERVICE, Publisher, key_set


class Ticks:
    """Seconds as a test wants them."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def program(house: House) -> tuple[Guest, str]:
    signed_up(house)
    guest = house.program()
    return guest, signed_in(guest, issue="tokens").tokens["refresh_token"]


def token_for(house: House, refresh_token: str, audience: str = SERVICE) -> str:
    answer = house.program().do(refresh_tokens.refresh, refresh_token=refresh_token, audience=audience)
    return str(answer["access_token"])


def offline(house: House, **options: Any) -> Verifier:
    return Verifier(**{"issuer": ORIGIN, "audience": SERVICE, "keys": key_set(house), "clock": house.clock, **options})


def fetching_verifier(house: House, publisher: Publisher, ticks: Ticks | None = None) -> Verifier:
    found = Verifier(issuer=ORIGIN, audience=SERVICE, jwks_url=publisher.url, clock=house.clock)
    found.source = Fetched(publisher.url, monotonic=ticks or Ticks())
    return found


def refusal(verifier: Verifier, token: Any) -> str:
    with pytest.raises(TokenRefused) as sync:
        verifier.verify(token)
    with pytest.raises(TokenRefused) as awaited:
        asyncio.run(verifier.averify(token))
    assert sync.value.reason == awaited.value.reason
    return sync.value.reason


def test_a_token_says_who_it_is_for_and_how_they_signed_in(house: House) -> None:
    _, held = program(house)
    token = offline(house).verify(token_for(house, held))
    assert (token.aud, token.amr, token.acr, token.aal) == ((SERVICE,), ("pwd",), "aal1", 1)
    assert (token.client_id, token.claims["sub"], token.sid != "") == ("doorward", token.sub, True)
    assert token.auth_time is not None
    assert (token.expires_at - house.clock.now).total_seconds() == 300
    assert (token.roles, token.scope) == (frozenset(), frozenset())
    with pytest.raises(TypeError):
        token.claims["sub"] = "somebody else"  # type: ignore[index]


def test_a_bound_token_is_no_bearer_token(house: House) -> None:
    """Who checks no proof must not take one: it may be stolen (RFC 9449 §7.2)."""
    signed_up(house)
    holder = Program(house)
    held = holder.sign_in().tokens["refresh_token"]
    holder.guest.bearer = ""
    answer = holder.do(refresh_tokens.refresh, refresh_token=held, audience=SERVICE)
    assert answer["token_type"] == "DPoP"
    assert refusal(offline(house), answer["access_token"]) == "bound"


def test_awaited_it_is_the_same(house: House, publisher: Publisher) -> None:
    _, held = program(house)
    publisher.answer, text = key_set(house), token_for(house, held)
    checks = fetching_verifier(house, publisher)
    assert asyncio.run(checks.averify(text)) == asyncio.run(checks.averify(text)) == checks.verify(text)
    assert len(publisher.asked) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"audience": "https://other.example.com"}, "wrong_audience"),
        ({"audience": ORIGIN}, "wrong_audience"),
        ({"issuer": "https://evil.example"}, "wrong_issuer"),
        ({"keys": {"keys": []}}, "unknown_key"),
    ],
)
def test_what_one_configuration_takes_another_one_does_not(house: House, options: Any, reason: str) -> None:
    """JWT-25: what was good by one verifier of a process says nothing to the next."""
    _, held = program(house)
    text = token_for(house, held)
    assert offline(house).verify(text)
    assert refusal(offline(house, **options), text) == reason


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a" * 9000, None, 7, b"a.b.c", "\ud800.\ud800.\ud800"])
def test_what_is_no_token_is_refused(house: House, token: Any) -> None:
    assert refusal(offline(house), token)


def test_a_remembered_token_ends_with_its_time(house: House) -> None:
    _, held = program(house)
    checks, text = offline(house, leeway=0), token_for(house, held)
    for _ in range(10):
        assert checks.verify(text) is checks.verify(text)
        house.clock.forward(seconds=29.9)
    house.clock.forward(seconds=1)
    assert refusal(checks, text) == "expired"


def test_a_clock_that_is_set_back_makes_nothing_good_before_its_time(house: House) -> None:
    _, held = program(house)
    checks, text = offline(house, leeway=0), token_for(house, held)
    assert checks.verify(text)
    house.clock.forward(seconds=-10)
    assert refusal(checks, text) == "not_yet_valid"


def test_a_remembered_token_ends_with_its_key(house: House, publisher: Publisher) -> None:
    _, held = program(house)
    publisher.answer, text, ticks = key_set(house), token_for(house, held), Ticks()
    checks = fetching_verifier(house, publisher, ticks)
    assert checks.verify(text)
    kid = house.run(token_keys.list_keys)[0].kid
    house.run(token_keys.revoke, kid)
    publisher.answer = key_set(house)
    assert checks.verify(text)  # the copy of the set is good for five minutes
    ticks.now += 300
    assert refusal(checks, text) == "unknown_key"
    assert checks.verify(token_for(house, held))


def test_what_is_remembered_is_bounded_and_holds_no_token(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "MOST_KEPT", 5)
    _, held = program(house)
    checks = offline(house)
    texts = [token_for(house, held) for _ in range(9)]
    for text in texts:
        checks.verify(text)
    entries = checks._kept._entries
    assert len(entries) == 5
    reached: list[object] = [entries]
    for _ in range(8):
        reached += [o for one in gc.get_referents(*reached) for o in [one] if isinstance(o, str | bytes | tuple | dict)]
        reached = list({id(o): o for o in reached}.values())[:20_000]
    signatures = [text.rpartition(".")[2] for text in texts]
    shown = [o if isinstance(o, str) else o.decode("latin-1") for o in reached if isinstance(o, str | bytes)]
    assert not [one for one in shown if any(signature in one for signature in signatures)]


def test_a_new_key_is_asked_for_once_in_thirty_seconds(house: House, publisher: Publisher) -> None:
    _, held = program(house)
    publisher.answer, ticks = key_set(house), Ticks()
    checks = fetching_verifier(house, publisher, ticks)
    assert checks.verify(token_for(house, held))
    house.run(token_keys.rotate, at_once=True)
    publisher.answer, text = key_set(house), token_for(house, held)
    assert refusal(checks, text) == "unknown_key"  # asked less than half a minute ago
    ticks.now += 30
    assert checks.verify(text)
    made_up = jwt.sign({"sub": "x"}, jwt.generate_key("ES256"), typ="at+jwt")
    for _ in range(50):
        assert refusal(checks, made_up) == "unknown_key"
    assert len(publisher.asked) == 2
    ticks.now += 30
    for _ in range(50):
        assert refusal(checks, made_up) == "unknown_key"
    assert len(publisher.asked) == 3


def test_forty_threads_ask_once(house: House, publisher: Publisher) -> None:
    _, held = program(house)
    publisher.answer, text = key_set(house), token_for(house, held)
    checks = fetching_verifier(house, publisher)
    with ThreadPoolExecutor(40) as pool:
        assert len({token.sub for token in pool.map(lambda _: checks.verify(text), range(40))}) == 1
    assert len(publisher.asked) == 1


def test_an_issuer_that_is_away_changes_nothing_for_an_hour(house: House, publisher: Publisher) -> None:
    _, held = program(house)
    publisher.answer, text, ticks = key_set(house), token_for(house, held), Ticks()
    checks = fetching_verifier(house, publisher, ticks)
    assert checks.verify(text)
    publisher.status = 500
    ticks.now += 300
    for _ in range(20):
        assert checks.verify(text)
    assert len(publisher.asked) == 2
    ticks.now += 3600
    with pytest.raises(IssuerUnavailable):
        checks.verify(text)
    with pytest.raises(IssuerUnavailable):
        asyncio.run(checks.averify(text))
    publisher.status = 200
    ticks.now += 30
    assert checks.verify(text)


def test_while_one_asks_for_old_keys_anew_nobody_else_waits(house: House, publisher: Publisher) -> None:
    _, held = program(house)
    publisher.answer, text, ticks = key_set(house), token_for(house, held), Ticks()
    checks = fetching_verifier(house, publisher, ticks)
    assert checks.verify(text)
    publisher.hold.clear()
    ticks.now += 301
    asking = threading.Thread(target=checks.verify, args=(text,))
    asking.start()
    deadline = time.monotonic() + 10
    while len(publisher.asked) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    began = time.monotonic()
    assert all(checks.verify(text) for _ in range(20))
    assert time.monotonic() - began < 2
    publisher.hold.set()
    asking.join(20)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"keys": 7}',
        b'{"keys": [7]}',
        b'{"keys": [{"kty": "EC"}]}',
        b'{"keys": [], "keys": []}',
        b'{"keys": [{"kty": "oct", "alg": "HS256", "kid": "k", "use": "sig", "k": "' + b"A" * 43 + b'"}]}',
        b'{"keys": []}' + b" " * 70_000,
    ],
    ids=lambda answer: repr(answer[:24]),
)
def test_an_answer_that_is_no_key_set_gives_no_keys(house: House, publisher: Publisher, answer: bytes) -> None:
    publisher.answer = answer
    with pytest.raises(IssuerUnavailable):
        fetching_verifier(house, publisher).verify("a.b.c")


def test_no_redirect_is_followed(house: House, publisher: Publisher) -> None:
    publisher.status, publisher.headers = 302, {"Location": "/elsewhere"}
    with pytest.raises(IssuerUnavailable):
        fetching_verifier(house, publisher).verify("a.b.c")
    assert publisher.asked == ["/jwks.json"]


def test_a_silent_issuer_costs_seconds_and_not_for_ever(
    house: House, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PATIENCE", 0.2)
    publisher.hold.clear()
    began = time.monotonic()
    with pytest.raises(IssuerUnavailable):
        fetching_verifier(house, publisher).verify("a.b.c")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url",
    [
        "http://auth.example.com/jwks.json",
        "http://192.0.2.1/jwks.json",
        "ftp://localhost/jwks.json",
        "file:///etc/passwd",
        "data:application/json,{}",
        "//localhost/jwks.json",
        "https://user:password@auth.example.com/jwks.json",
        "https://auth.example.com/jwks.json#x",
        "jwks.json",
    ],
)
def test_only_https_and_this_machine_are_asked(url: str) -> None:
    with pytest.raises(ValueError):
        Verifier(issuer=ORIGIN, audience=SERVICE, jwks_url=url)


@pytest.mark.parametrize(
    "options", [{"audience": ""}, {"leeway": 61}, {"leeway": -1}, {"jwks_url": "https://x.example/"}]
)
def test_what_can_not_be_meant_is_refused_at_start(house: House, options: Any) -> None:
    with pytest.raises(ValueError):
        offline(house, **options)


def test_without_a_url_the_issuer_is_asked() -> None:
    source = Verifier(issuer=ORIGIN, audience=SERVICE).source
    assert isinstance(source, Fetched)
    assert source.url == f"{ORIGIN}/.well-known/jwks.json"

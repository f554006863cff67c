"""Old hashes wrapped all at once: nobody is locked out or signed out, and a run that was killed is run again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from doorward.core.call import Call
from doorward.core.records import Authenticator, User
from doorward.core.settings import load_settings
from doorward.core.steps import Prove
from doorward.features import password, sessions, totp
from doorward.features.password_hashes import count_schemes, is_weak, peppers_in, scheme, wrap_all
from doorward.http.answers import plain
from doorward.primitives.hashing import Argon2id, Bcrypt, Passwords
from doorward.testing.doubles import CHEAP, ORIGIN, SECRET, Guest, House
from tests.features.people import PASSWORD, code_of, refused, signed_in, signed_up, with_totp

OLD = "md5$x7Gq$" + hashlib.md5(b"x7Gq" + PASSWORD.encode()).hexdigest()


def with_hash(house: House, hash: str, email: str = "ann@example.com") -> Guest:
    """Somebody whose password came from elsewhere, and who is signed in."""
    signed_up(house, email)
    store(house, hash, email)
    guest = house.browser()
    session_of(house, guest, email)
    return guest


def store(house: House, hash: str, email: str = "ann@example.com") -> None:
    async def changed(call: Call) -> None:
        await call.store.change(User, {"email": email}, password=hash)

    house.run(changed)


def session_of(house: House, guest: Guest, email: str) -> None:
    """Sign in without a new hash, as while the hash was the old one."""
    needs, house.hash.needs_rehash = house.hash.needs_rehash, lambda hash: False  # type: ignore[method-assign]
    signed_in(guest, email)
    house.hash.needs_rehash = needs  # type: ignore[method-assign]


def stored(house: House, email: str = "ann@example.com") -> str:
    async def read(call: Call) -> str | None:
        user = await call.store.get(User, email=email)
        assert user is not None
        return user.password

    return str(house.run(read))


def test_a_weak_hash_is_wrapped_and_its_owner_notices_nothing(house: House) -> None:
    guest = with_hash(house, OLD)
    done = house.run(wrap_all)
    assert (done.users, done.wrapped, done.overtaken) == (1, Counter({"salted_md5": 1}), 0)
    assert stored(house).startswith("wrapped$")
    assert OLD[-32:] not in stored(house)
    assert guest.do(sessions.session).identity is not None
    refused("wrong_credentials", signed_in, house.browser(), password_="another password")


def test_the_next_sign_in_makes_a_plain_hash_and_sessions_stay(house: House) -> None:
    guest = with_hash(house, OLD)
    house.run(wrap_all)
    other = house.browser()
    assert signed_in(other).identity is not None
    assert CHEAP.preferred.made(stored(house))
    for one in (guest, other):
        assert one.do(sessions.session).identity is not None
    assert house.run(count_schemes) == {"argon2id": 1}


def test_a_sign_in_under_way_goes_on(house: House) -> None:
    owner = signed_up(house)
    secret = with_totp(owner)
    store(house, OLD)
    guest = house.browser()
    needs, house.hash.needs_rehash = house.hash.needs_rehash, lambda hash: False  # type: ignore[method-assign]
    assert signed_in(guest).hold == Prove(("totp",))
    house.hash.needs_rehash = needs  # type: ignore[method-assign]
    house.run(wrap_all)
    assert guest.do(totp.sign_in, code=code_of(house, secret)).identity is not None
    assert guest.do(sessions.session).identity is not None


def test_a_session_that_the_host_had_ended_stays_ended(house: House) -> None:
    guest = with_hash(house, OLD)
    store(house, OLD.replace("x7Gq", "yyyy"))
    house.run(wrap_all)
    refused("not_signed_in", guest.do, sessions.session)


def test_it_is_done_once_and_what_is_strong_stays(house: House) -> None:
    with_hash(house, OLD)
    signed_up(house, "bea@example.com")
    strong = stored(house, "bea@example.com")
    house.run(wrap_all)
    once = stored(house)
    again = house.run(wrap_all)
    assert (again.wrapped, stored(house), stored(house, "bea@example.com")) == (Counter(), once, strong)
    assert house.run(count_schemes) == {"wrapped salted_md5": 1, "argon2id": 1}


def test_a_dry_run_counts_and_changes_nothing(house: House) -> None:
    with_hash(house, OLD)
    worked = house.hash._salts
    done = house.run(lambda call: wrap_all(call, dry_run=True))
    assert (done.wrapped, stored(house)) == (Counter({"salted_md5": 1}), OLD)
    assert house.hash._salts == worked


def test_who_has_no_password_is_left_alone(house: House) -> None:
    signed_up(house)
    for hash in ("", "!", "!unusable", "*"):
        store(house, hash)
        assert house.run(wrap_all).wrapped == Counter()
        assert stored(house) == hash
        assert house.run(count_schemes) == {"none": 1}


def test_a_run_that_was_killed_is_run_again_and_nothing_is_lost(house: House) -> None:
    people = [f"u{number}@example.com" for number in range(12)]
    for email in people:
        signed_up(house, email)
        store(house, OLD, email)
        house.clock.forward(minutes=6)
    calls = 0
    wrap = house.hash.wrap

    async def dying(hashes: Any) -> list[str | None]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return await wrap(hashes)

    house.hash.wrap = dying  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        house.run(wrap_all)
    assert 0 < house.run(count_schemes)["wrapped salted_md5"] < 12
    done = house.run(wrap_all)
    assert done.wrapped.total() == 4
    for email in people:
        assert signed_in(house.browser(), email).identity is not None
    assert house.run(count_schemes) == {"argon2id": 12}


@pytest.mark.parametrize("rival", ["sign_in", "change"])
def test_a_sign_in_or_a_change_meanwhile_wins(house: House, rival: str) -> None:
    guest = with_hash(house, OLD)
    new = "another flock of swallows"
    wrap = house.hash.wrap

    async def overtaken(hashes: Any) -> list[str | None]:
        made = await wrap(hashes)
        if rival == "sign_in":
            signed_in(house.browser())
        else:
            guest.do(password.change, current_password=PASSWORD, new_password=new)
        return made

    house.hash.wrap = overtaken  # type: ignore[method-assign]
    done = house.run(wrap_all)
    assert (done.wrapped.total(), done.overtaken) == (0, 1)
    assert CHEAP.preferred.made(stored(house))
    assert guest.do(sessions.session).identity is not None
    assert signed_in(house.browser(), password_=new if rival == "change" else PASSWORD).identity is not None


def test_a_sign_in_that_is_overtaken_by_it_lives(house: House) -> None:
    """The old hash was verified and is gone when the new one is to be written: the session must be of what is there."""
    with_hash(house, OLD)
    hash = house.hash.hash

    async def late(typed: str) -> str:
        house.hash.hash = hash  # type: ignore[method-assign]
        house.run(wrap_all)
        return await hash(typed)

    house.hash.hash = late  # type: ignore[method-assign]
    guest = house.browser()
    assert signed_in(guest).identity is not None
    assert stored(house).startswith("wrapped$")
    assert guest.do(sessions.session).identity is not None


def test_a_hash_in_the_authenticator_is_wrapped_too(house: House) -> None:
    """Where the host's table has no column for it."""

    async def moved(call: Call) -> None:
        await call.store.change(User, {}, password=None)
        await call.store.change(Authenticator, {"kind": "password"}, data=OLD)

    signed_up(house)
    house.run(moved)
    assert house.run(wrap_all).wrapped == Counter({"salted_md5": 1})
    assert signed_in(house.browser()).identity is not None
    assert house.run(count_schemes) == {"argon2id": 1}


def test_a_hash_rises_with_its_parameters_and_sessions_stay(house: House) -> None:
    guest = signed_up(house)
    before = stored(house)
    house.hash.passwords = replace(CHEAP, preferred=Argon2id(memory_kib=128, time_cost=2))
    assert signed_in(house.browser()).identity is not None
    assert stored(house).startswith("$argon2id$v=19$m=128,t=2,p=1$")
    assert stored(house) != before
    assert guest.do(sessions.session).identity is not None
    once = stored(house)
    signed_in(house.browser())
    assert stored(house) == once


def test_schemes_have_names() -> None:
    assert scheme(OLD) == "salted_md5"
    assert scheme("no hash at all") == "unknown"
    assert scheme(CHEAP.wrap("pbkdf2_sha1$20000$salt$" + "A" * 27 + "=", salt=bytes(16)) or "") == (
        "wrapped django_pbkdf2_sha1"
    )
    assert not is_weak(Passwords().dummy("argon2id"))


def test_no_answer_holds_a_hash(house: House) -> None:
    """HASH-06: whatever one may read as who one is, or is to be shown of a user, no part of a hash is in it."""
    guest = signed_up(house, name="Ann", username="annie")
    parts = [part for part in stored(house).split("$") if len(part) > 16]
    assert len(parts) == 2
    reads = [action for action in house.doorward.actions.values() if action.method == "GET" and not action.arguments]
    assert len(reads) >= 2
    shown = []
    for action in reads:
        try:
            shown.append(json.dumps(guest.run(lambda call, a=action: as_shown(house, call, a)), default=str))
        except Exception as refusal:  # what one may not read shows nothing
            shown.append(repr(refusal))

    async def user(call: Call) -> Any:
        return await plain(call, [await call.store.get(User)])

    shown.append(json.dumps(house.run(user)))
    assert not any(part in text for part in parts for text in shown)
    assert any("annie" in text for text in shown)


async def as_shown(house: House, call: Call, action: Any) -> Any:
    return await plain(call, await house.doorward.perform(call, action, {}))


# Peppers

KEYS = {
    "k1": "k1:9kQz2m-VbX7tLrYc4HdWfPsJ0uNa8eGiOxT5ZyRwKl3M",
    "k2": "k2:3MlKwRyZ5TxOiGe8aNu0JsPfWdHc4YrLt7XbV-m2zQk9",
}


def with_peppers(house: House, *ids: str) -> None:
    """As after a restart with other settings."""
    given = load_settings({"secret": SECRET, "origin": ORIGIN, "pepper": ",".join(KEYS[id] for id in ids)})
    house.hash.passwords = replace(CHEAP, peppers=given.pepper)


def test_a_pepper_goes_into_new_hashes_which_say_so(open_house: Any) -> None:
    house = open_house(pepper=KEYS["k1"])
    guest = signed_up(house)
    assert stored(house).startswith("peppered$k1$$argon2id$")
    assert signed_in(house.browser()).identity is not None
    refused("wrong_credentials", signed_in, house.browser(), password_="another password")
    assert house.run(count_schemes) == {"argon2id, pepper k1": 1}
    assert guest.do(sessions.session).identity is not None
    assert "9kQz2m" not in stored(house) + repr(house.doorward.world.settings)


def test_a_dump_without_the_pepper_is_worth_nothing(open_house: Any) -> None:
    house = open_house(pepper=KEYS["k1"])
    signed_up(house)
    stolen = stored(house)
    inside = stolen.removeprefix("peppered$k1$")
    for hash in (stolen, inside):
        assert not CHEAP.verify(password=PASSWORD, hash=hash)
    other = replace(CHEAP, peppers=(("k1", b"another key of the same name, long enough"),))
    assert not other.verify(password=PASSWORD, hash=stolen)


def test_peppers_rotate_at_the_next_sign_in_and_sessions_stay(house: House) -> None:
    guest = signed_up(house)
    seen = []
    for ids in (("k1",), ("k2", "k1"), ("k2",)):
        with_peppers(house, *ids)
        assert signed_in(house.browser()).identity is not None
        seen.append(scheme(stored(house)))
    assert seen == ["argon2id, pepper k1", "argon2id, pepper k2", "argon2id, pepper k2"]
    assert guest.do(sessions.session).identity is not None


def test_without_its_pepper_a_hash_opens_to_nobody_and_costs_what_others_cost(house: House) -> None:
    with_peppers(house, "k1")
    signed_up(house)
    with_peppers(house, "k2")
    refused("wrong_credentials", signed_in, house.browser())
    assert house.hash.passwords.cost(stored(house)).scheme == "unknown"

    async def needed(call: Call) -> Counter[str]:
        return await peppers_in(call.store)

    assert house.run(needed) == {"k1": 1}


def test_a_wrapped_hash_is_peppered_at_the_next_sign_in(house: House) -> None:
    with_hash(house, OLD)
    with_peppers(house, "k1")
    house.run(wrap_all)
    assert scheme(stored(house)) == "wrapped salted_md5"
    assert signed_in(house.browser()).identity is not None
    assert scheme(stored(house)) == "argon2id, pepper k1"


@pytest.mark.parametrize("stored_hash", ["peppered$", "peppered$k1$", "peppered$k1$!", "peppered$$", "peppered$k9$x"])
def test_a_mark_with_nothing_behind_it_never_verifies(stored_hash: str) -> None:
    passwords = replace(CHEAP, peppers=(("k1", b"k" * 32),))
    assert not passwords.verify(password="", hash=stored_hash)
    assert passwords.cost(stored_hash).memory_bytes == 0


def test_the_mac_is_the_one_that_is_written_down() -> None:
    """So that another program can verify: argon2id over base64(HMAC-SHA-256(pepper, NFC of the password))."""
    passwords = replace(CHEAP, peppers=(("k1", b"k" * 32),))
    mac = base64.b64encode(hmac.digest(b"k" * 32, "Zoë".encode(), "sha256")).decode()
    hash = passwords.hash("Zoe\u0308", salt=b"0123456789abcdef")
    assert hash == "peppered$k1$" + CHEAP.preferred.hash(mac, salt=b"0123456789abcdef")
    bcrypt = Passwords(preferred=Bcrypt(cost=4), peppers=(("k1", b"k" * 32),))
    assert bcrypt.verify(password="Zoë", hash=bcrypt.hash("Zoë", salt=b"0123456789abcdef"))

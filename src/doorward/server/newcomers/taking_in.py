"""Takes in the users of a file: each is looked at first, and comes whole or not at all."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice

from doorward.core.accounts import new_account
from doorward.core.call import Call
from doorward.core.records import Authenticator, EmailAddress, User
from doorward.core.refusals import Refused
from doorward.core.rights import grant
from doorward.core.usernames import check_username
from doorward.features import totp
from doorward.features.password import new_password_authenticator
from doorward.features.password_hashes import is_weak
from doorward.features.sign_up import Conflict
from doorward.primitives import text
from doorward.server.newcomers import lines
from doorward.server.newcomers.newcomer import Bad, Newcomer, UnknownHash, newcomer, sorted_out
from doorward.server.output import told

AT_ONCE = 100  # users in one transaction

Tick = Callable[[int], None]  # told of bytes that are read
Numbered = tuple[int, Newcomer]


@dataclass(slots=True)
class Report:
    """What came of a file. `there` and `bad`: lines of users who were here already, and of those who can't come, each
    with the reason. `schemes`: passwords by scheme; `weak` of them can be wrapped. `unread`: names that mean nothing
    here, with the number of lines that had them."""

    taken: int = 0
    there: list[tuple[int, str]] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    without_password: int = 0
    unknown_hashes: int = 0
    schemes: Counter[str] = field(default_factory=Counter)
    weak: int = 0
    unread: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Rules:
    """How a run goes, and who was in its file so far: digests of eight bytes, since files are long."""

    without_password: bool
    roles: frozenset[str]
    seen: set[bytes] = field(default_factory=set)


async def take_in(call: Call, file: io.BufferedReader, *, check: bool, without_password: bool, tick: Tick) -> Report:
    """Take in who can come; `check`: only say what would happen. Nobody is doubled: whose address or name is here stays
    as they are, so a run that was killed is simply run again.

    `without_password`: users whose hash nothing here verifies come too, and choose a password by mail.
    """
    book = call.world.roles
    known = () if book is None else await book.known(call.store)
    rules, report = _Rules(without_password, frozenset(role.name for role in known)), Report()
    read = 0
    for batch in _batches(lines.read(file), AT_ONCE):
        coming: list[Numbered] = []
        for number, row in batch:
            if (one := await _looked_at(call, number, row, rules, report)) is not None:
                coming.append((number, one))
        if not check:
            await _add(call, coming, report)
        for _, one in coming:
            _count(one, report)
        tick(file.tell() - read)
        read = file.tell()
    return report


def _batches(rows: Iterator[tuple[int, lines.Row | str]], size: int) -> Iterator[list[tuple[int, lines.Row | str]]]:
    while batch := list(islice(rows, size)):
        yield batch


async def _looked_at(call: Call, number: int, row: lines.Row | str, rules: _Rules, report: Report) -> Newcomer | None:
    """The user in a line, if they can come; else the report says why not."""
    try:
        if isinstance(row, str):
            raise Bad(row)
        said, unread = sorted_out(row)
        report.unread.update(unread)
        one = _read(call, said, rules, report)
        if (why := await _is_there(call, one, rules)) is not None:
            report.there.append((number, why))
            return None
        await check_username(call, one.username, reserved_too=True)
    except (Bad, Refused) as wrong:
        report.bad.append((number, told(wrong) if isinstance(wrong, Refused) else str(wrong)))
        return None
    rules.seen.update(_names_of(one))
    return one


def _read(call: Call, said: dict[str, object], rules: _Rules, report: Report) -> Newcomer:
    try:
        one = newcomer(said, now=call.now, without_password=False)
    except UnknownHash:
        if not rules.without_password:
            raise
        one = newcomer(said, now=call.now, without_password=True)
        report.unknown_hashes += 1
    if unknown := set(one.roles) - rules.roles:
        names = ", ".join(ascii(name)[1:-1][:64] for name in sorted(unknown))
        raise Bad(f"roles: there is no {names}; make it with `doorward role add`")
    return one


async def _is_there(call: Call, one: Newcomer, rules: _Rules) -> str | None:
    """Why this user is not new, if so. An address that two unverified users share would let neither in (rule 3)."""
    canonical = text.canonical_address(one.email) if one.email else None
    if canonical is not None and one.email is not None:
        if await call.store.get(EmailAddress, verified_key=canonical) is not None:
            return "the address is somebody's here"
        for written in {one.email, canonical}:
            if await call.store.find(User, email=written, limit=1):
                return "the address is somebody's here"
    elif one.username and await call.store.find(User, username=one.username, limit=1):
        return "the user name is somebody's here"
    if not rules.seen.isdisjoint(_names_of(one)):
        return "an earlier line has the same address or user name"
    return None


def _names_of(one: Newcomer) -> set[bytes]:
    """What nobody else of the file may have, in eight bytes each."""
    canonical = text.canonical_address(one.email) if one.email else None
    keys = [key for key in (canonical, _username_key(one)) if key]
    return {blake2b(key.encode(), digest_size=8).digest() for key in keys}


def _username_key(one: Newcomer) -> str | None:
    return text.skeleton(text.canonical_username(one.username) or "") if one.username else None


async def _add(call: Call, coming: list[Numbered], report: Report) -> None:
    """All in one transaction; one by one where one of them can't come after all, because of what was done meanwhile.
    Afterwards `coming` holds those who came."""
    try:
        async with call.all_or_nothing():
            for _, one in coming:
                await _make(call, one)
    except (Conflict, Refused) as wrong:
        if len(coming) > 1:
            alone = [[each] for each in coming]
            for each in alone:
                await _add(call, each, report)
            coming[:] = [came for each in alone for came in each]
            return
        ((number, _),) = coming
        coming.clear()
        if isinstance(wrong, Refused):
            report.bad.append((number, told(wrong)))
        else:
            report.there.append((number, "somebody took the address or the user name meanwhile"))


async def _make(call: Call, one: Newcomer) -> None:
    """Nobody signed up, so no event says so: a listener that greets would write to all of them."""
    given = User(
        id=call.new_id(),
        email=one.email,
        username=one.username,
        name=one.name,
        active=one.active,
        password=one.hash or None,
        created_at=one.created_at or call.now,
    )
    user = await call.store.add_user(given)
    if user is None:
        raise Conflict
    # Rule 3: who was somebody's user before is not held back for an address that nobody verified.
    account = new_account(call, user.id, address_exempt=not one.email_verified, username_key=_username_key(one))
    if not await call.store.add(account, *_belongings(call, user, one)):
        raise Conflict
    for role in one.roles:
        await grant(call, user, role, by=None)


def _belongings(call: Call, user: User, one: Newcomer) -> Iterator[EmailAddress | Authenticator]:
    if one.email and one.email_verified:
        canonical = text.canonical_address(one.email) or ""
        yield EmailAddress(
            id=call.new_id(),
            user_id=user.id,
            address=one.email,
            canonical=canonical,
            canonical_version=text.CANONICAL_VERSION,
            verified_key=canonical,
            verified_at=call.now,
            is_primary=True,
            created_at=call.now,
        )
    if one.hash:
        yield new_password_authenticator(call, user.id, data=one.hash if user.password is None else "")
    if one.totp is not None:
        yield totp.imported(call, user.id, one.totp)


def _count(one: Newcomer, report: Report) -> None:
    report.taken += 1
    if one.scheme:
        report.schemes[one.scheme.partition(":")[0]] += 1
        report.weak += is_weak(one.hash)
    else:
        report.without_password += 1

"""The audit log: written with what happens, read by whom it is about, and leading to nobody once they are gone."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

import pytest

from doorward.core import events
from doorward.core.call import Call
from doorward.core.events import Event
from doorward.core.records import columns
from doorward.core.refusals import Refused
from doorward.features import (
    account,
    api_keys,
    audit,
    change_email,
    invitations,
    password,
    reset_password,
    roles,
    sign_out,
    sign_up,
    totp,
)
from doorward.features.audit import AuditEntry, AuditKey
from doorward.server import people
from doorward.testing.doubles import House
from tests.features.auditing import ANN, BEN, all_of, rows, seen, user_of
from tests.features.people import PASSWORD, at_once, code_of, refused, signed_in, signed_up, with_totp


def kinds() -> list[type[Event]]:
    """Every event of ours. (Of a class with slots there is one before it had them.)"""
    ours = {kind.__name__: kind for kind in Event.__subclasses__() if kind.__module__.startswith("doorward.")}
    return list(ours.values())


def made_up(kind: type[Event], house: House, user_id: str) -> Event:
    values = {"str": "x", "bool": True, "int": 3, "datetime": house.clock.now, "tuple[str, ...]": ("pwd", "otp")}
    nothing = {"by": "", "invitation": ""}  # listeners look for these
    more = {f.name: nothing.get(f.name, values[str(f.type)]) for f in fields(kind) if f.name not in ("at", "user_id")}
    return kind(at=house.clock.now, user_id=user_id, **more)


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_kind_of_event_leaves_one_entry(house: House, kind: type[Event]) -> None:
    ann = signed_up(house)
    user = user_of(house)
    session = ann.do(account.export).records["session"][0]["id"]
    before = {row.id for row in rows(house)}
    event = made_up(kind, house, user.id)
    if kind is events.SignedIn:  # its listeners look for the session
        event = events.SignedIn(at=house.clock.now, user_id=user.id, session_id=session, amr=("pwd",))
    ann.run(lambda call: call.emit(event))
    (row,) = [row for row in rows(house) if row.id not in before]
    assert (row.event, row.created_at) == (audit.name_of(kind), house.clock.now)
    (entry,) = [one for one in all_of(house, user) if one.id == row.id]
    said = {name: value for name in entry.details if (value := getattr(event, name, None)) is not None}
    expected = {
        f.name: getattr(event, f.name)
        for f in fields(event)
        if f.name not in ("at", "user_id") and getattr(event, f.name) not in ("", ())
    }
    assert said == expected
    assert (entry.details["ip"], entry.details["user_agent"]) == ("192.0.2.7", "Mozilla/5.0")


def test_a_day_of_a_person_reads_as_it_was(house: House) -> None:
    ann = signed_up(house)
    house.clock.forward(seconds=1)
    secret = with_totp(ann)
    refused("wrong_credentials", signed_in, house.browser("203.0.113.9"), ANN, "not the password at all")
    house.clock.forward(seconds=40)
    ann.do(password.change, current_password=PASSWORD, new_password="another sentence of hers alone")
    house.clock.forward(seconds=40)
    again = house.browser()
    signed_in(again, ANN, "another sentence of hers alone")
    again.do(totp.sign_in, code=code_of(house, secret))
    assert seen(ann)[-4:] == ["authenticator_added", "sign_in_failed", "password_changed", "signed_in"]
    assert sorted(seen(ann)[:-4]) == ["signed_in", "signed_up"]
    failed = next(one for one in ann.do(audit.list_entries).items if one.event == "sign_in_failed")
    assert failed.details == {"ip": "203.0.113.9", "user_agent": "Mozilla/5.0", "method": "password"}


def test_an_export_has_all_of_it_opened(house: House) -> None:
    ann, ben = signed_up(house), signed_up(house, BEN)
    for _ in range(3):
        house.clock.forward(seconds=40)
        ann.do(api_keys.create, name="key", scopes=["a"])
    held = ann.do(account.export).records["audit_entry"]
    assert [one["event"] for one in held[2:]] == ["api_key_created"] * 3
    assert {one["id"] for one in held} == {one.id for one in ann.do(audit.list_entries).items}
    assert all(one["details"]["ip"] == "192.0.2.7" for one in held)
    assert not {one["id"] for one in held} & {one["id"] for one in ben.do(account.export).records["audit_entry"]}


def test_what_is_rolled_back_leaves_no_entry(house: House) -> None:
    ann = signed_up(house)
    before = len(rows(house))

    async def undone(call: Call) -> None:
        async with call.all_or_nothing():
            await call.emit(events.PasswordChanged(at=call.now, user_id=call.signed_in.user.id))
            raise Refused("state_changed")

    async def broken(call: Call) -> None:
        async with call.store.transaction():
            await call.emit(events.PasswordChanged(at=call.now, user_id=call.signed_in.user.id))
            raise ZeroDivisionError

    refused("state_changed", ann.run, undone)
    with pytest.raises(ZeroDivisionError):
        ann.run(broken)
    assert len(rows(house)) == before


def test_an_event_of_a_host_is_written_down_too(house: House) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class OrderPlaced(Event):
        order: int
        total: object = None

    ann = signed_up(house)
    house.clock.forward(seconds=1)
    ann.run(lambda call: call.emit(OrderPlaced(at=call.now, user_id=call.signed_in.user.id, order=7, total={1})))
    first = ann.do(audit.list_entries).items[0]
    assert (first.event, first.details["order"], first.details["total"]) == ("order_placed", 7, "{1}")
    assert first.details["session_id"]


def test_nobody_reads_what_happened_to_others(house: House) -> None:
    ann, ben = signed_up(house), signed_up(house, BEN)
    for guest in (ann, ben):
        for _ in range(3):
            house.clock.forward(seconds=40)
            guest.do(api_keys.create, name="key", scopes=["a"])
    ids = [{one.id for one in guest.do(audit.list_entries).items} for guest in (ann, ben)]
    assert not ids[0] & ids[1]
    cursor = ann.do(audit.list_entries, limit=2).next
    assert cursor
    refused("invalid_input", ben.do, audit.list_entries, after=cursor)
    refused("invalid_input", ann.do, audit.list_entries, after=cursor[:-1] + "!")
    refused("not_signed_in", house.browser().do, audit.list_entries)


@pytest.mark.parametrize(
    "arguments",
    [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"after": 7}, {"after": "A" * 600}, {"after": "x"}, {"user": "1"}],
)
def test_bad_input_is_named(house: House, arguments: Any) -> None:
    refused("invalid_input", signed_up(house).do, audit.list_entries, **arguments)


def test_a_long_trail_is_read_a_page_at_a_time_newest_first(house: House) -> None:
    ann = signed_up(house)
    for _ in range(7):
        house.clock.forward(seconds=40)
        ann.do(api_keys.create, name="key", scopes=["a"])
    found, after = [], None
    while True:
        page = ann.do(audit.list_entries, limit=2, **({"after": after} if after else {}))
        assert len(page.items) <= 2
        found += page.items
        after = page.next
        if after is None:
            break
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    assert [one.id for one in found] == [one.id for one in ann.do(audit.list_entries).items]
    assert len(found) == len({one.id for one in found}) == len(rows(house, subject=rows(house, AuditKey)[0].subject))


def test_forty_sign_ins_at_once_make_one_key(shared_house: House) -> None:
    house = shared_house
    house.run(people.add, email=ANN, password=PASSWORD)
    user = user_of(house)

    async def never_met(call: Call) -> None:
        await call.store.remove(AuditKey, user_id=user.id)
        await call.store.remove(AuditEntry)

    house.run(never_met)
    guests = [house.browser(f"192.0.2.{n}") for n in range(40)]
    outcomes = at_once(*[lambda g=g: signed_in(g) for g in guests])
    came_in = outcomes.count("done")
    assert came_in >= 1
    (key,) = rows(house, AuditKey, user_id=user.id)
    entries = [one for one in all_of(house, user) if one.event == "signed_in"]
    assert len(entries) == came_in
    assert all(one.details["session_id"] for one in entries), "sealed by the one key that there is"
    assert {row.subject for row in rows(house) if row.event == "signed_in"} == {key.subject}


def test_a_try_at_nobody_has_no_subject_and_not_what_was_typed(house: House) -> None:
    """Rule 18: people type their passwords there."""
    refused("wrong_credentials", signed_in, house.browser(), "hunter2 is my password", "whatever that is here")
    (row,) = rows(house)
    assert (row.event, row.subject, row.kind) == ("sign_in_failed", "", audit.NOBODYS)
    (one,) = all_of(house)
    assert one.details == {"ip": "192.0.2.7", "user_agent": "Mozilla/5.0", "method": "password"}
    assert "hunter2" not in str(one)


def test_a_failed_try_writes_as_much_for_nobody_as_for_somebody(house: House) -> None:
    """Rule 14, as far as the audit log goes."""
    signed_up(house)
    written = []
    for identifier in (ANN, "nobody@example.com"):
        before = len(rows(house)), len(rows(house, AuditKey))
        refused("wrong_credentials", signed_in, house.browser(), identifier, "not the password at all")
        written.append((len(rows(house)) - before[0], len(rows(house, AuditKey)) - before[1]))
    assert written == [(1, 0), (1, 0)]


def test_asking_to_sign_up_or_for_a_new_password_leaves_no_trace_of_who_has_an_account(house: House) -> None:
    ben = signed_up(house, BEN)
    signed_up(house)
    before = len(rows(house))
    for email in (ANN, "nobody@example.com"):
        house.clock.forward(minutes=1)
        house.browser().do(reset_password.forgot, email=email)
        house.browser().do(sign_up.sign_up, email=email, password=PASSWORD)
        ben.do(change_email.add, email=email)
    assert len(rows(house)) == before


def test_others_in_an_entry_are_pseudonyms_and_what_they_came_by_is_not_in_it(house: House) -> None:
    ann, ben = signed_up(house), signed_up(house, BEN)
    house.run(people.grant_role, ANN, "admin")
    house.clock.forward(seconds=1)
    admin, other = user_of(house), user_of(house, BEN)
    house.run(roles.add_role, "editor")
    ann.do(roles.give, user_id=other.id, role="editor")
    (given,) = [one for one in ben.do(audit.list_entries).items if one.event == "role_granted"]
    (key,) = rows(house, AuditKey, user_id=admin.id)
    assert given.details == {"role": "editor", "by": key.subject}
    assert admin.id not in json.dumps(given.details)


# Every field that an event of ours has. Whose is new here: it is no secret, no address, and no id of another user, for
# that is `by`.
FIELDS = {
    *("amr", "authenticator_id", "budget", "by", "by_mail", "closes_at", "due_at", "invitation", "invitation_id"),
    *("key_id", "kind", "left", "method", "purpose", "refused", "removed", "role", "session_id", "what"),
}


def test_events_carry_no_secret_no_address_and_no_other_user() -> None:
    found = {f.name for kind in kinds() for f in fields(kind)} - {"at", "user_id"}
    assert found == FIELDS
    assert audit.NAMES_USERS <= found


def test_no_secret_password_or_address_stands_in_the_log(house: House) -> None:
    ann = signed_up(house)
    with_totp(ann)
    key = ann.do(api_keys.create, name="key", scopes=["a"]).key
    refused("wrong_credentials", signed_in, house.browser(), ANN, "not the password at all")
    house.run(invitations.invite, email="carl@example.com")
    ann.do(sign_out.sign_out)
    stored = "\n".join(map(str, rows(house)))
    opened = "\n".join(map(str, all_of(house)))
    assert {"signed_up", "api_key_created", "sign_in_failed", "invitation_sent"} <= {row.event for row in rows(house)}
    for secret in (PASSWORD, "not the password", key, "example.com", ann.client.known_device or "-none-"):
        assert secret not in opened
        assert secret not in stored
    for text in (user_of(house).id, "192.0.2.7", "Mozilla"):
        assert text not in stored, "what is not sealed says nothing of a person"
    assert {c.name for c in columns(AuditEntry)} == {
        *("id", "kind", "event", "subject", "details", "created_at", "expires_at")
    }

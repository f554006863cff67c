"""E-mail addresses: one counts from its proof on, nobody learns whose it is, and every change can be undone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from doorward.core.attempt import Attempt
from doorward.core.by_mail import LINKS
from doorward.core.call import Call, Letter
from doorward.core.links import MailedLink, add_link
from doorward.core.records import Account, EmailAddress, OutboxMessage
from doorward.core.refusals import Refused
from doorward.core.steps import Verify
from doorward.features import change_email, sessions, sign_out, sign_up, verify_email
from doorward.features import password as passwords
from doorward.testing.doubles import Guest, House
from tests.features.addresses import ANN, NEW, THIEF, added, letters, rows, shown, undo_of, user_email
from tests.features.people import PASSWORD, code_of, refused, second_step, signed_in, signed_up, with_totp

# Adding


def test_an_address_is_added_by_the_code_of_its_letter(house: House) -> None:
    ann = signed_up(house)
    held = ann.do(change_email.add, email=f" {NEW} ")
    assert (held.hold, held.to) == (Verify("email"), "A•••@new.example")
    assert shown(ann) == [(ANN, True, True), (NEW, False, False)]
    assert house.mail.last.to == NEW
    done = ann.do(verify_email.verify, code=house.mail.code())
    assert done.identity.session == ann.do(sessions.session).identity.session
    assert shown(ann) == [(ANN, True, True), (NEW, False, True)]
    assert user_email(house) == ANN
    assert house.mail.to(ANN)[-1] == house.mail.to(NEW)[-1] == "address_added"


def test_one_signs_in_by_any_verified_address_or_user_name(house: House) -> None:
    ann = added(signed_up(house, username="ann.lee"))
    for identifier in (ANN, NEW, NEW.upper(), "ann.lee"):
        answer = signed_in(house.browser(), identifier)
        assert answer.identity.user.id == ann.do(sessions.session).identity.user.id


def test_an_address_that_waits_for_its_proof_is_nobodys(house: House) -> None:
    """Pre-hijacking: nothing signs in by it, and its owner makes an account or adds it as if nobody had asked."""
    signed_up(house, THIEF).do(change_email.add, email=NEW)
    refused("wrong_credentials", signed_in, house.browser(), NEW)
    owner = signed_up(house, NEW)
    assert shown(owner) == [(NEW, True, True)]


def test_what_waits_ends_after_an_hour_and_is_swept(house: House) -> None:
    ann = signed_up(house)
    ann.do(change_email.add, email=NEW)
    token = house.mail.token()
    house.clock.forward(hours=1, seconds=1)
    refused("attempt_expired", ann.do, verify_email.verify, code=house.mail.code())
    refused("invalid_token", ann.do, verify_email.verify, token=token)
    assert shown(ann) == [(ANN, True, True)]
    assert {sweep.record for sweep in house.doorward.sweeps} >= {Attempt, MailedLink}


def test_somebody_elses_address_gets_the_same_answer_and_its_owner_a_letter(house: House) -> None:
    """ENUM-06 for addresses that are added: the same answer, list, rows; and no code or link is right."""
    signed_up(house, NEW)
    one, two = signed_up(house), signed_up(house, THIEF)
    counted = [len(rows(house, kind)) for kind in (Attempt, MailedLink, OutboxMessage)]
    answers, seen = [], []
    for guest, email in ((one, "free@new.example"), (two, NEW.lower())):
        answers.append(replace(guest.do(change_email.add, email=email), attempt="", to=""))
        now = [len(rows(house, kind)) for kind in (Attempt, MailedLink, OutboxMessage)]
        seen.append([after - before for after, before in zip(now, counted, strict=True)])
        counted = now
    assert answers[0] == answers[1]
    assert seen == [[1, 1, 1], [1, 1, 1]]
    assert house.mail.last == Letter(NEW.lower(), "address_wanted", {"service": "Doorward", "name": ""})
    assert shown(two)[1] == (NEW.lower(), False, False)
    for _ in range(5):
        refused("wrong_code", two.do, verify_email.verify, code="123456")
    refused("attempt_expired", two.do, verify_email.verify, code="123456")


def test_another_letter_to_somebody_elses_address_holds_no_code_either(house: House) -> None:
    signed_up(house, NEW)
    thief = signed_up(house, THIEF)
    thief.do(change_email.add, email=NEW)
    assert thief.do(verify_email.resend).hold == Verify("email")
    assert [letter.template for letter in house.mail.letters[-2:]] == ["address_wanted"] * 2


def test_a_new_letter_ends_the_code_and_the_link_before_it(house: House) -> None:
    ann = signed_up(house)
    ann.do(change_email.add, email=NEW)
    code, token = house.mail.code(), house.mail.token()
    ann.do(verify_email.resend)
    refused("invalid_token", ann.do, verify_email.verify, token=token)
    if code != house.mail.code():
        refused("wrong_code", ann.do, verify_email.verify, code=code)
    ann.do(verify_email.verify, token=house.mail.token())
    assert shown(ann)[1] == (NEW, False, True)


def test_the_code_of_one_address_proves_no_other(house: House) -> None:
    """RESET-12: to A, then to B while the letter to A is on its way: A's code and link are good no more."""
    ann = signed_up(house)
    first = ann.do(change_email.add, email="a@new.example")
    code, token = house.mail.code(), house.mail.token()
    ann.do(change_email.add, email="b@new.example")
    assert user_email(house) == ANN
    refused("no_sign_in_under_way", ann.do, verify_email.verify, code=code, attempt=first.attempt)
    refused("invalid_token", ann.do, verify_email.verify, token=token)
    ann.do(verify_email.verify, code=house.mail.code())
    assert shown(ann) == [(ANN, True, True), ("b@new.example", False, True)]


def test_what_is_asked_for_belongs_to_the_session_and_dies_with_it(house: House) -> None:
    ann = signed_up(house)
    held = ann.do(change_email.add, email=NEW)
    code, token = house.mail.code(), house.mail.token()
    elsewhere = house.browser()
    signed_in(elsewhere)
    elsewhere.client = replace(elsewhere.client, attempt=held.attempt)
    refused("no_sign_in_under_way", elsewhere.do, verify_email.verify, code=code)
    attempt = ann.client.attempt
    ann.do(sign_out.sign_out)
    ann.client = replace(ann.client, attempt=attempt)
    refused("no_sign_in_under_way", ann.do, verify_email.verify, code=code)
    refused("invalid_token", elsewhere.do, verify_email.verify, token=token)


def test_the_link_is_for_who_asked_in_any_browser_of_theirs(house: House) -> None:
    """One click of a mailbox's owner must not give the address to somebody else's account."""
    ann, bob, ann_too = signed_up(house), signed_up(house, "bob@example.com"), house.browser()
    signed_in(ann_too)
    ann.do(change_email.add, email=NEW)
    token = house.mail.token()
    refused("invalid_token", bob.do, verify_email.verify, token=token)
    refused("not_signed_in", house.browser().do, verify_email.verify, token=token)
    ann_too.do(verify_email.verify, token=token)
    assert shown(ann)[1] == (NEW, False, True)
    refused("invalid_token", ann_too.do, verify_email.verify, token=token)


def test_an_attempt_to_add_an_address_signs_nobody_in(house: House) -> None:
    ann = signed_up(house)
    held = ann.do(change_email.add, email=NEW)
    refused("no_sign_in_under_way", ann.do, passwords.sign_in, password=PASSWORD, attempt=held.attempt)
    refused("no_sign_in_under_way", ann.do, sign_up.choose_password, new_password=PASSWORD, attempt=held.attempt)
    assert shown(ann) == [(ANN, True, True), (NEW, False, False)]


def test_what_an_address_may_be(house: House) -> None:
    ann = signed_up(house)
    for email in ("", "x", "a@b", "a@b@example.com", "x" * 300 + "@example.com", "a\n@example.com", None, 7, []):
        refused("invalid_input", ann.do, change_email.add, email=email)
    assert refused("invalid_input", ann.do, change_email.add, email="ANN@Example.com").errors[0].reason == "known"
    refused("invalid_input", ann.do, change_email.add, email=NEW, user_id="x")
    for _ in range(change_email.MOST_ADDRESSES - 1):
        house.clock.forward(minutes=1)
        signed_in(ann)
        added(ann, f"{len(shown(ann))}@new.example")
    assert refused("invalid_input", ann.do, change_email.add, email=NEW).errors[0].reason == "too_many"


def test_letters_have_a_budget_and_changes_a_limit(house: House) -> None:
    most = house.doorward.world.policy.tries_per_identifier
    ann = signed_up(house)
    for _ in range(most):
        refused("not_found", ann.do, change_email.remove, email=NEW)
    assert refused("too_many_attempts", ann.do, change_email.add, email=NEW).retry_after


def test_changes_need_a_fresh_proof_of_all_that_one_has(house: House) -> None:
    ann = added(signed_up(house))
    house.clock.forward(minutes=11)
    for change in (change_email.add, change_email.make_primary, change_email.remove):
        assert refused("fresh_proof_required", ann.do, change, email=NEW).methods == ("password",)
    signed_in(ann)
    secret = with_totp(ann)
    house.clock.forward(minutes=11)
    for change in (change_email.add, change_email.make_primary, change_email.remove):
        refused("fresh_proof_required", ann.do, change, email=NEW)
        refused("not_signed_in", house.browser().do, change, email=NEW)
    again = house.browser()
    second_step(house, again)
    refused("not_signed_in", again.do, change_email.remove, email=NEW)
    assert code_of(house, secret)


# Choosing and removing


def test_the_primary_address_is_the_users(house: House) -> None:
    ann = added(signed_up(house))
    ann.do(change_email.make_primary, email=NEW.lower())
    assert shown(ann) == [(NEW, True, True), (ANN, False, True)]
    assert user_email(house) == ann.do(sessions.session).identity.user.email == NEW
    (told,) = letters(house, ANN, "address_made_primary")
    assert undo_of(told)
    assert told.words["address"] == "A•••@new.example"
    assert undo_of(letters(house, NEW, "address_made_primary")[0]) == ""


def test_who_came_later_can_not_undo_what_those_before_have_done(house: House) -> None:
    """A thief's address, made primary and taken away again, gets no way back."""
    ann = added(signed_up(house), THIEF)
    ann.do(change_email.make_primary, email=THIEF)
    ann.do(change_email.make_primary, email=ANN)
    ann.do(change_email.remove, email=THIEF)
    assert [undo_of(letter) for letter in house.mail.letters if letter.to == THIEF and "undo_link" in letter.words] == [
        "" for _ in range(4)
    ]


def test_only_ones_own_verified_addresses_are_chosen_or_removed(house: House) -> None:
    ann, bob = signed_up(house), added(signed_up(house, "bob@example.com"))
    ann.do(change_email.add, email="waits@new.example")
    refused("not_found", ann.do, change_email.make_primary, email="waits@new.example")
    for email in (NEW, "bob@example.com", "nobody@example.com", "no address"):
        refused("not_found", ann.do, change_email.make_primary, email=email)
        refused("not_found", ann.do, change_email.remove, email=email)
    assert len(shown(bob)) == 2
    ann.do(change_email.remove, email="WAITS@new.example")
    assert shown(ann) == [(ANN, True, True)]
    refused("no_sign_in_under_way", ann.do, verify_email.verify, code="123456")


def test_the_last_verified_address_stays(house: House) -> None:
    ann = signed_up(house)
    ann.do(change_email.add, email=NEW)
    refused("last_address", ann.do, change_email.remove, email=ANN)
    added(ann)
    ann.do(change_email.remove, email=ANN)
    assert shown(ann) == [(NEW, True, True)]
    assert user_email(house) == NEW
    refused("last_address", ann.do, change_email.remove, email=NEW)
    refused("wrong_credentials", signed_in, house.browser(), ANN)


def test_of_many_removals_at_once_one_address_is_left(house: House) -> None:
    ann = added(signed_up(house))

    def one(number: int) -> str:
        guest = Guest(house, ann.client)
        guest.session = ann.session
        try:
            guest.do(change_email.remove, email=(ANN, NEW)[number % 2])
        except Refused as refusal:
            return refusal.reason
        return "removed"

    with ThreadPoolExecutor(18) as rivals:
        outcomes = list(rivals.map(one, range(18)))
    assert outcomes.count("removed") == 1
    assert set(outcomes) <= {"removed", "last_address", "state_changed", "not_found"}
    assert len(shown(ann)) == 1


@pytest.mark.parametrize("purpose", LINKS)
def test_a_change_ends_the_ways_in_that_were_mailed_before(house: House, purpose: str) -> None:
    ann = added(signed_up(house))
    user_id = ann.do(sessions.session).identity.user.id

    async def mailed(call: Call) -> str:
        return await add_link(call, purpose, life=change_email.UNDO_LIFE, user_id=user_id)

    house.run(mailed)
    ann.do(change_email.make_primary, email=NEW)
    assert not [row for row in rows(house, MailedLink) if getattr(row, "purpose", "") == purpose]


# Users of a host who were there before us


def hosted(house: House) -> Guest:
    """Somebody whom the host had before: an address that is taken on trust, and no row of ours."""
    ann = signed_up(house)

    async def before_us(call: Call) -> None:
        await call.store.remove(EmailAddress)
        (account,) = await call.store.find(Account)
        await call.store.change(Account, {"user_id": account.user_id}, address_exempt=True)

    house.run(before_us)
    return ann


def test_a_hosts_address_is_trusted_until_another_takes_its_place(house: House) -> None:
    ann = hosted(house)
    assert shown(ann) == [(ANN, True, False)]
    added(ann)
    assert shown(ann) == [(ANN, True, False), (NEW, False, True)]
    assert signed_in(house.browser()).identity is not None
    ann.do(change_email.make_primary, email=NEW)
    assert shown(ann) == [(NEW, True, True)]
    refused("wrong_credentials", signed_in, house.browser(), ANN)
    house.browser().do(change_email.undo, token=undo_of(letters(house, ANN, "address_made_primary")[0]))
    signed_in(ann)
    assert shown(ann) == [(ANN, True, False), (NEW, False, True)]


def test_who_proves_the_hosts_address_is_trusted_no_longer_but_verified(house: House) -> None:
    ann = hosted(house)
    added(ann, ANN)
    assert shown(ann) == [(ANN, True, True)]
    (account,) = rows(house, Account)
    assert isinstance(account, Account)
    assert account.address_exempt is False
    refused("last_address", ann.do, change_email.remove, email=ANN)

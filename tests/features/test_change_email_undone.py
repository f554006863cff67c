"""A change of addresses undone: the old one is back, all sessions have ended, and nothing is opened by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from doorward.core.call import Call
from doorward.core.refusals import Refused
from doorward.core.steps import Prove
from doorward.features import change_email, sessions, sign_out, verify_email
from doorward.features import password as passwords
from doorward.testing.doubles import House
from tests.features.addresses import ANN, NEW, THIEF, added, letters, shown, undo_of, user_email
from tests.features.people import PASSWORD, refused, signed_in, signed_up, with_totp


def test_an_undo_brings_the_old_address_back_and_signs_in_nobody(house: House) -> None:
    """Rule 9: it ends all sessions, starts a sign-in, proves nothing, and removes no factor."""
    ann = added(signed_up(house))
    with_totp(ann)
    ann.do(change_email.make_primary, email=NEW)
    house.clock.forward(seconds=1)
    ann.do(change_email.remove, email=ANN)
    token = undo_of(letters(house, ANN, "address_made_primary")[0])
    owner = house.browser("203.0.113.5")
    answer = owner.do(change_email.undo, token=token)
    assert (answer.hold, answer.identity) == (Prove(("password",)), None)
    refused("not_signed_in", ann.do, sessions.session)
    refused("not_signed_in", owner.do, sessions.session)
    held = owner.do(passwords.sign_in, password=PASSWORD, attempt=answer.attempt)
    assert held.hold == Prove(("totp",))
    assert user_email(house) == ANN
    refused("invalid_token", owner.do, change_email.undo, token=token)
    later = letters(house, ANN, "address_removed")[0]
    refused("invalid_token", owner.do, change_email.undo, token=undo_of(later))
    assert house.mail.to(ANN)[-1] == house.mail.to(NEW)[-1] == "address_change_undone"


def test_one_undo_takes_back_all_that_a_thief_did_after(house: House) -> None:
    """A stolen fresh session adds an address, makes it primary, removes the owner's: the first letter is enough."""
    thief = added(signed_up(house), THIEF)
    thief.do(change_email.make_primary, email=THIEF)
    thief.do(change_email.remove, email=ANN)
    refused("wrong_credentials", signed_in, house.browser(), ANN)
    owner = house.browser("203.0.113.5")
    owner.do(change_email.undo, token=undo_of(letters(house, ANN, "address_added")[0]))
    signed_in(owner)
    assert shown(owner) == [(ANN, True, True)]
    refused("wrong_credentials", signed_in, house.browser(), THIEF)
    assert house.mail.to(THIEF)[-1] == "address_change_undone"


def test_the_undo_of_the_last_change_leaves_those_before(house: House) -> None:
    ann = added(signed_up(house))
    ann.do(change_email.make_primary, email=NEW)
    house.clock.forward(minutes=1)
    ann.do(change_email.remove, email=ANN)
    house.browser().do(change_email.undo, token=undo_of(letters(house, ANN, "address_removed")[0]))
    signed_in(ann)
    assert shown(ann) == [(NEW, True, True), (ANN, False, True)]


def test_an_address_that_somebody_else_proved_since_does_not_come_back(house: House) -> None:
    ann = added(signed_up(house))
    ann.do(change_email.remove, email=ANN)
    token = undo_of(letters(house, ANN, "address_removed")[0])
    bob = signed_up(house, ANN)
    refusal = refused("state_changed", house.browser().do, change_email.undo, token=token)
    assert "Another account" in refusal.detail
    assert ann.do(sessions.session).identity is not None
    assert shown(bob) == [(ANN, True, True)]
    assert shown(ann) == [(NEW, True, True)]


def test_an_undo_is_good_for_seven_days_and_survives_other_ends(house: House) -> None:
    ann = added(signed_up(house))
    ann.do(change_email.make_primary, email=NEW)
    token = undo_of(letters(house, ANN, "address_made_primary")[0])
    ann.do(sign_out.sign_out, all=True)
    house.clock.forward(days=6, hours=23)
    assert house.browser().do(change_email.undo, token=token).hold is not None
    signed_in(ann)
    ann.do(change_email.make_primary, email=NEW)
    house.clock.forward(days=7)
    late = undo_of(letters(house, ANN, "address_made_primary")[-1])
    refused("invalid_token", house.browser().do, change_email.undo, token=late)


def test_an_undo_is_for_undoing_only_and_other_links_undo_nothing(house: House) -> None:
    ann = added(signed_up(house))
    ann.do(change_email.make_primary, email=NEW)
    undo = undo_of(letters(house, ANN, "address_made_primary")[0])
    refused("invalid_token", ann.do, verify_email.verify, token=undo)
    ann.do(change_email.add, email="c@new.example")
    refused("invalid_token", ann.do, change_email.undo, token=house.mail.token())
    for token in ("x", "A" * 43, undo[:-1], undo + "x"):
        refused("invalid_token", house.browser().do, change_email.undo, token=token)
    for wrong in ("", None, 7, "a b"):
        refused("invalid_input", house.browser().do, change_email.undo, token=wrong)


def test_of_forty_undos_one_does_it(house: House) -> None:
    ann = added(signed_up(house))
    ann.do(change_email.make_primary, email=NEW)
    token = undo_of(letters(house, ANN, "address_made_primary")[0])

    def one(_: int) -> str:
        try:
            return type(house.browser().do(change_email.undo, token=token).hold).__name__
        except Refused as refusal:
            return refusal.reason

    with ThreadPoolExecutor(20) as rivals:
        outcomes = list(rivals.map(one, range(40)))
    assert outcomes.count("Prove") == 1
    assert set(outcomes) <= {"Prove", "invalid_token", "state_changed"}


def test_looking_at_an_undo_changes_nothing(house: House) -> None:
    ann = added(signed_up(house))
    ann.do(change_email.make_primary, email=NEW)
    token = undo_of(letters(house, ANN, "address_made_primary")[0])

    async def looked(call: Call) -> object:
        return await change_email.load_undo(call, {"token": token})

    assert [house.run(looked) for _ in range(2)] == [{"token": token, "to": "a•••@example.com"}] * 2
    assert ann.do(sessions.session).identity is not None

"""What is kept about a person is given out to them, or stated as not, and goes with them: no record is forgotten."""

from __future__ import annotations

import re

import pytest

from doorward.core.doorward import records_of
from doorward.core.records import Moves, Record, User, about_users, columns
from doorward.limits import LimitWindow
from doorward.presets import standard

RECORDS = (*records_of(standard()), LimitWindow)
SECRET = re.compile(r"digest|secret|code|data|proofs|epoch|password|token|handle|parent|link|key_id|verified_key|jwk")
# Columns with such a name that are none: who reads this says why.
HARMLESS: set[tuple[str, str]] = set()

# Whose rows are about nobody, or about a user under another name than `user_id`; each with what ends them.
ABOUT_NOBODY = {
    "AuditEntry": "what happened, under a pseudonym that leads nowhere once its user is erased; swept when it expires",
    "PendingSignUp": "an address that nobody has proved; swept when it expires",
    "OutboxMessage": "a letter on its way, sealed; swept when it expires",
    "Role": "what those who have it may do",
    "SpentProof": "what makes a proof of possession the one it is, so that none is used twice; swept when it expires",
    "TokenKey": "a signing key of the installation",
    "LimitWindow": "counts by keyed digest; swept within a day",
}


@pytest.mark.parametrize("kind", [User, *about_users(RECORDS)], ids=lambda kind: kind.__name__)
def test_a_record_about_a_user_says_what_of_it_is_exported(kind: type[Record]) -> None:
    assert "exported" in vars(kind), "name the fields that its user is given; an empty tuple if there is none"
    names = {column.name for column in columns(kind)}
    assert set(kind.exported) <= names
    assert {name for name in kind.exported if SECRET.search(name)} - {n for k, n in HARMLESS if k == kind.__name__} == (
        set()
    )


def test_every_record_is_erased_with_its_user_or_stated_as_nobodys() -> None:
    others = {kind.__name__ for kind in RECORDS if kind is not User} - {kind.__name__ for kind in about_users(RECORDS)}
    assert others == set(ABOUT_NOBODY)


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_a_user_has_one_name_in_records(kind: type[Record]) -> None:
    """`user_id`, by which all of them are found: a column `owner` or `account` would be missed."""
    named = {column.name for column in columns(kind) if re.search(r"\b(user|owner|account|member)", column.name)}
    assert named - {"user_id", "username", "username_key", "user_agent"} == set()


# What is left behind when an installation moves to another database, each with why nobody misses it.
LEFT_BEHIND = {
    "Attempt": "a sign-in under way, ten minutes long: one begins again",
    "PendingSignUp": "nobody has proved the address: one signs up again",
    "TotpEnrolment": "shown a quarter of an hour ago at most: one is shown another",
    "OutboxMessage": "the old installation sends its letters",
    "SpentProof": "proofs of possession are for this minute",
    "LimitWindow": "counts of minutes",
}


@pytest.mark.parametrize("kind", [k for k in RECORDS if any(c.name == "expires_at" for c in columns(k))])
def test_what_expires_says_whether_it_moves(kind: type[Record]) -> None:
    assert "moves" in vars(kind), "moves: ClassVar[Moves] = …: ALWAYS, WITH_SESSIONS, or NEVER for what an hour ends"


def test_what_an_export_leaves_behind_is_stated() -> None:
    assert {kind.__name__ for kind in RECORDS if kind.moves is Moves.NEVER} == set(LEFT_BEHIND)
    assert {kind.__name__ for kind in RECORDS if kind.moves is Moves.WITH_SESSIONS} == {
        "Session",
        "HostPass",
        "RefreshFamily",
        "TrustedDevice",
    }

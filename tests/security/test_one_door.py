"""Every session is made at one place. A new way to it shows here first, and has to be looked at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.shape.tree import Function, modules, parsed, shown

# (what is called, where, in which function). Whoever adds a line says in review why no gate is passed by.
WAYS_IN = {
    ("start_session", "src/doorward/core/sign_in.py", "advance"),
    ("_started", "src/doorward/core/sign_in.py", "start_session"),
    ("Session", "src/doorward/core/sign_in.py", "_started"),
    # A session that exists gets proofs and another secret; the row keeps its id, user and end.
    ("_raised", "src/doorward/core/sign_in.py", "start_session"),
    ("_with_proofs", "src/doorward/core/sign_in.py", "_raised"),
    ("_with_proofs", "src/doorward/core/sign_in.py", "add_proof"),
    ("add_proof", "src/doorward/features/totp.py", "confirm"),
    ("add_proof", "src/doorward/features/passkeys/register.py", "_bound"),
    # What leads from a protected host to a session that exists: a code for who is signed in, a cookie for the code.
    ("_pass", "src/doorward/features/forward_auth.py", "hand_over"),
    ("_pass", "src/doorward/features/forward_auth.py", "arrive"),
    ("HostPass", "src/doorward/features/forward_auth.py", "_pass"),
    # The only `Done` there is.
    ("Done", "src/doorward/core/steps.py", "next_step"),
}

# What an action may end a sign-in's step with; each of them adds a proof that it has checked itself.
WAYS_TO_ADVANCE = {
    # Adds no proof: an attempt that lacked nothing but the word that the account is kept, through all gates again.
    ("src/doorward/features/account.py", "keep_account"),
    # A passkey that was made, or used: each verified in the line before.
    ("src/doorward/features/passkeys/register.py", "_bound"),
    ("src/doorward/features/passkeys/sign_in.py", "finish"),
    ("src/doorward/features/password.py", "sign_in"),
    ("src/doorward/features/recovery_codes.py", "sign_in"),
    ("src/doorward/features/sms_code.py", "sign_in"),
    # The code of a letter, used up; the link of one, taken in the same transaction.
    ("src/doorward/features/email_code.py", "sign_in"),
    ("src/doorward/features/magic_link.py", "sign_in"),
    # A letter's code or link, used up; its proof has no factor, so a second one stays required.
    ("src/doorward/features/reset_password.py", "_with_password"),
    ("src/doorward/features/sign_up.py", "_completed"),
    # The code of a letter, used up; it has no factor, and a lost second one is not replaced by it alone.
    ("src/doorward/features/recovery.py", "prove_mailbox"),
    # An administrator's link, taken in the same transaction: no factor. With it the password that was just chosen.
    ("src/doorward/features/assisted_recovery.py", "open_link"),
    ("src/doorward/features/totp.py", "confirm"),
    ("src/doorward/features/totp.py", "sign_in"),
    # Django's `login()` of what `authenticate()` proved with the password, in this process and a moment ago.
    ("src/doorward/django/runtime.py", "entered"),
    # `sign_in_as` and Django's `force_login` in tests, which no installation imports.
    ("src/doorward/testing/signing_in.py", "session_for"),
}

# Reading rows makes objects of every record; these are the stores, which make no row that was not added.
WATCHED = {name for name, _, _ in WAYS_IN}

# Statements that could write a session or its secret without calling any of these.
WRITERS = {"add", "change"}


def calls(path: Path) -> Iterator[tuple[ast.Call, str, str]]:
    """(call, the name that is called, the function around it) of everything that a module calls."""
    for around, node in _inside(parsed(path), "module"):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            yield node, name, around


def _inside(tree: ast.AST, around: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(tree):
        yield around, child
        yield from _inside(child, child.name if isinstance(child, Function) else around)


def test_sessions_are_made_at_one_place() -> None:
    found = {
        (name, shown(path), around)
        for path in modules("src")
        for call, name, around in calls(path)
        if name in WATCHED and not _is_of_a_library(call)
    }
    assert found == WAYS_IN


def _is_of_a_library(call: ast.Call) -> bool:
    """`orm.Session(…)` and the like: a database session has nothing to do with ours."""
    return isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") in {"orm", "sqlalchemy"}


def test_a_sign_in_moves_on_only_in_actions_that_checked_a_proof() -> None:
    found = {(shown(path), around) for path in modules("src") for _, name, around in calls(path) if name == "advance"}
    assert found == WAYS_TO_ADVANCE


def test_nothing_hands_the_way_in_to_somebody_else() -> None:
    """A function that is passed on, renamed or copied with `replace` would be called out of sight of this list."""
    for path in modules("src"):
        called = {id(call.func) for call, _, _ in calls(path)}
        passed = {
            node.id
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Name)
            and node.id in {"start_session", "_started", "_raised", "advance", "add_proof"}
            if id(node) not in called
        }
        assert passed == set(), shown(path)


# Changes to rows of sessions, each of which keeps who it lets in. `last_seen_at` of all kinds is written by the upkeep.
SESSION_WRITES = {
    ("add", "src/doorward/core/sign_in.py", "_started"),
    ("change", "src/doorward/core/sign_in.py", "_with_proofs"),
    # The session that stays gets the account's new epoch (rule 19).
    ("change", "src/doorward/core/identify.py", "end_sessions"),
    # One that lay idle: what was proved before makes no AAL2 any more.
    ("change", "src/doorward/core/identify.py", "_lapsed"),
    # A session that outlives a change of the host's password column.
    ("change", "src/doorward/features/password.py", "restamp"),
}


def test_rows_of_sessions_are_written_at_known_places() -> None:
    found = {
        (name, shown(path), around)
        for path in modules("src")
        for call, name, around in calls(path)
        if name in WRITERS and call.args and getattr(call.args[0], "id", "") in ("Session", "session")
    }
    assert found == SESSION_WRITES


def test_what_is_for_tests_is_imported_by_nothing_else() -> None:
    importers = {
        shown(path)
        for path in modules("src")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("doorward.testing")
        if "testing" not in path.parts
    }
    assert importers == set()

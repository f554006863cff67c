"""Text that people type: clean or not, and one canonical form for each address and each name."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives import text
from doorward.primitives.lookalikes import folded, skeleton
from doorward.primitives.text import canonical_address, canonical_username, is_clean, masked_address

VECTORS = Path(__file__).parent / "vectors"
CASES: list[dict[str, Any]] = json.loads((VECTORS / "identifiers.json").read_text())["cases"]
PASSWORDS: list[dict[str, Any]] = json.loads((VECTORS / "passwords.json").read_text())["cases"]
ANY_TEXT = st.text(alphabet=st.characters(), max_size=80)


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in CASES if case["kind"] == kind]


@pytest.mark.parametrize("case", cases("email"))
def test_addresses_that_pass_for_another(case: dict[str, Any]) -> None:
    canonical, other = canonical_address(case["value"]), canonical_address(case["pair_with"])
    right = {
        "same": canonical == other,
        "different": canonical not in (None, other),
        "reject": canonical is None,
        "reject-by-default": canonical is None,
        "same-or-reject": canonical in (None, other),
        "different-or-reject": canonical != other,
        "handled": canonical is None or is_clean(canonical),
    }
    assert right[case["expect"]], canonical
    assert canonical is None or canonical_address(canonical) == canonical


@pytest.mark.parametrize("case", cases("username"))
def test_names_that_pass_for_another(case: dict[str, Any]) -> None:
    """Which names are reserved is decided above: here `admin` and what folds to it are one name."""
    canonical = canonical_username(case["value"])
    right = {
        "ok": canonical == case["value"],
        "reserved": canonical == "admin",
        "same-as admin": canonical == "admin",
        "ok-or-reserved": canonical == case["value"],
        "same-or-reject": canonical in (None, "admin"),
        "different-or-reject": canonical != "admin",
        "reject": canonical is None,
        "policy": canonical is None,
        "idempotent": canonical is None or canonical_username(canonical) == canonical,
        "escape": canonical is None or is_clean(canonical),
    }
    assert right.get(case["expect"], False) or (case["expect"].startswith("reject") and canonical is None), canonical


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Ann@Example.com", "ann@example.COM"),
        (" ann@example.com  ", "ann@example.com"),
        ("ÄNN@example.com", "a\u0308nn@example.com"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ΣΊΣΥΦΟΣ@example.com", "σίσυφοσ@example.com"),
    ],
)
def test_one_mailbox_has_one_form(one: str, two: str) -> None:
    assert canonical_address(one) == canonical_address(two) is not None


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("ann+shop@example.com", "ann@example.com"),
        ("a.nn@example.com", "ann@example.com"),
        ("viſitor@example.com", "visitor@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("ﬁnn@example.com", "finn@example.com"),
        ("İan@example.com", "ian@example.com"),
        ("ıan@example.com", "ian@example.com"),
        ("\u212aarl@example.com", "karl@example.com"),
        ("ａnn@example.com", "ann@example.com"),
        ("ann@faß.example", "ann@fass.example"),
        ("ann@example.co", "ann@example.com"),
    ],
)
def test_two_mailboxes_never_have_one_form(one: str, two: str) -> None:
    assert canonical_address(two) is not None
    assert canonical_address(one) != canonical_address(two)


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "@",
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@test",
        "ann@localhost",
        "ann@127.0.0.1",
        "ann@[127.0.0.1]",
        "ann@[IPv6:::1]",
        '"ann"@example.com',
        "Ann <ann@example.com>",
        "ann@example.com\r\nBcc: x@y.example",
        "ann\n@example.com",
        "ann@exam ple.com",
        "an\u202en@example.com",
        "ann@example.com\x00",
        "\ud800@example.com",
        "ann@ex\xadample.com",
        "ann@xn--a.example",
        f"{'a' * 65}@example.com",
        f"ann@{'a' * 64}.example",
        f"ann@{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.example",
        "a" * 100000 + "@example.com",
        "@" * 100000,
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert canonical_address(address) is None


def test_an_address_that_grows_too_long_is_refused() -> None:
    """254 octets hold after IDNA and UTF-8 too, or a mail server would cut what we take for unique."""
    assert canonical_address(f"{'é' * 64}@{'a' * 60}.{'b' * 60}.{'c' * 55}.example") is None
    assert canonical_address(f"ann@{'ü' * 20}.{'ü' * 40}.example") is not None


@given(ANY_TEXT)
def test_canonical_forms_stay_as_they_are(typed: str) -> None:
    for canonical in (canonical_address, canonical_username):
        for value in (typed, f"{typed}@example.com"):
            once = canonical(value)
            assert once is None or canonical(once) == once


@given(st.characters(exclude_categories=["C", "Z"]))
def test_no_foreign_letter_becomes_an_ascii_one_in_an_address(char: str) -> None:
    canonical = canonical_address(f"a{char}b@example.com")
    assert char.isascii() or canonical is None or not canonical.isascii()


@pytest.mark.parametrize("name", ["ann", "Ann_Lee", "ann.lee", "o'hara", "李小龍", "Ωmega", "1e3", "a-1", "x" * 64])
def test_names_that_are_accepted(name: str) -> None:
    assert canonical_username(name) == folded(name)
    assert canonical_username(f" {name.upper()} ") == folded(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "123",
        "12-34",
        "...",
        "+ann",
        "＋ann",
        "ann@example.com",
        "ann＠example",
        "an n",
        "an\tn",
        "an\xa0n",
        "ann\n",
        "an\x00n",
        "an\u200bn",
        "an\u200dn",
        "an\u202en",
        "\u2066ann",
        "ann\ufeff",
        "an\ud800n",
        "an\ue000n",
        "an\u0378n",
        "x" * 65,
        "x" * 100000,
        "ﷺ" * 20,
    ],
)
def test_names_that_are_refused(name: str) -> None:
    assert canonical_username(name) is None


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("admin", "аdmіn"),
        ("admin", "ADMIN"),
        ("admin", "adrnin"),
        ("admin", "ａｄｍｉｎ"),
        ("paypal", "paypaI"),
        ("paypal", "pаураl"),
        ("google", "g00gle"),
        ("google", "gοοgle"),
        ("root", "гооt"),
        ("walter", "vvalter"),
        ("walter", "ԝalter"),
        ("system", "ѕуѕтем"),
        ("bill", "b1ll"),
        ("ann_lee", "ann-lee"),
        ("ann_lee", "ann–lee"),
        ("ВОВА", "boba"),
    ],
)
def test_names_that_look_alike_have_one_skeleton(one: str, two: str) -> None:
    assert skeleton(one) == skeleton(two)


@pytest.mark.parametrize(("one", "two"), [("jose", "josé"), ("ann", "anna"), ("user2", "user3"), ("admin", "admins")])
def test_names_that_differ_plainly_stay_apart(one: str, two: str) -> None:
    assert skeleton(one) != skeleton(two)


@given(ANY_TEXT)
def test_a_skeleton_is_its_own_skeleton(name: str) -> None:
    assert skeleton(skeleton(name)) == skeleton(name)
    assert skeleton(folded(name)) == skeleton(name)


@pytest.mark.parametrize("value", ["Ann Lee", "Åsa", "👩‍👩‍👧", "می‌خواهم", "", "a\u0301"])
def test_clean_text(value: str) -> None:
    assert is_clean(value)


@pytest.mark.parametrize("char", ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"])
def test_text_with_control_characters_is_not_clean(char: str) -> None:
    assert not is_clean(f"Ann{char}Lee")


@pytest.mark.parametrize("char", sorted(text._BIDI))
def test_text_with_reordering_marks_is_not_clean(char: str) -> None:
    assert not is_clean(f"Ann{char}")


@pytest.mark.parametrize(
    ("address", "masked"),
    [("ann@example.com", "a•••@example.com"), ("a@example.com", "a•••@example.com"), ("", "•••"), ("ann", "•••")],
)
def test_a_masked_address_keeps_one_letter(address: str, masked: str) -> None:
    assert masked_address(address) == masked


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in PASSWORDS])
def test_passwords_are_measured_in_code_points_of_nfc(case: dict[str, Any]) -> None:
    """Only the length is decided here; lists and context words are the password rules' own."""
    length = len(text.nfc(case["value"]))
    if case["expect"] == "accept":
        assert 15 <= length <= 1024
        assert not text.too_long(case["value"], 1024)
    if case["why"] == "NFC gives 15":
        assert length == 15 < len(case["value"])
    assert text.too_long("x" * 1025, 1024)

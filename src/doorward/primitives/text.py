"""What may be typed into a field, and the one canonical form under which an address or a user name is unique."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

from doorward.primitives.lookalikes import folded, skeleton

__all__ = [
    "CANONICAL_VERSION",
    "canonical_address",
    "canonical_username",
    "is_clean",
    "masked_address",
    "nfc",
    "skeleton",
    "too_long",
]

CANONICAL_VERSION = 1  # stored beside each canonical form; a change of the rules below is a new number and a migration

_LONGEST_IDENTIFIER = 254  # code points; for an address also octets, RFC 5321 §4.5.3.1.3
_USERNAME_LENGTHS = range(3, 65)  # code points, after folding

# Reordering marks let one text pass for another; Unicode TR #36 §2.5.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NEVER_CLEAN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control, lone surrogate, line and paragraph separator


def too_long(text: str, most: int) -> bool:
    """Whether the text has more than `most` code points."""
    return len(text) > most


def is_clean(text: str) -> bool:
    """Whether it is one line of plain text: no control character, NUL, lone surrogate or reordering mark."""
    if text.isascii():
        return text.isprintable()
    return not any(char in _BIDI or unicodedata.category(char) in _NEVER_CLEAN for char in text)


def nfc(text: str) -> str:
    """The text in Unicode normal form C."""
    return unicodedata.normalize("NFC", text)


def canonical_address(address: str) -> str | None:
    """The form under which an e-mail address is unique, or None when it is not an address we accept.

    Domain in lower-case ASCII (IDNA 2008, UTS #46); local part in NFC without case. Dots and plus signs stay: only the
    provider knows what they mean. Spaces around it are dropped. No quoted local part, no literal address, no DNS.
    """
    address = address.strip(" ")
    if len(address) > _LONGEST_IDENTIFIER or not is_clean(address):
        return None
    try:
        valid = validate_email(address, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError:
        return None
    local, domain = _without_case(valid.local_part), valid.ascii_domain
    # K, the Kelvin sign, is K in NFC: an address that only normalisation makes plain ASCII is somebody else's.
    if local.isascii() and not address.rpartition("@")[0].isascii():
        return None
    canonical = f"{local}@{domain.lower()}"
    return canonical if domain and "." in domain and len(canonical.encode()) <= _LONGEST_IDENTIFIER else None


def _without_case(local: str) -> str:
    """Case folding that never turns a foreign letter into an ASCII one: ſ is not s, ß not ss (CVE-2019-19844)."""
    return nfc("".join(char.lower() if char.isascii() else _fold_foreign(char) for char in nfc(local)))


def _fold_foreign(char: str) -> str:
    for fold in (char.casefold(), char.lower()):
        if not any(map(str.isascii, nfc(fold))):
            return fold
    return char


def canonical_username(name: str) -> str | None:
    """The form under which a user name is unique beside its `skeleton`, or None when it is not one we accept.

    NFKC and case folding; then 3 to 64 code points with a letter among them, no "@" and no leading "+" (those are
    addresses and phone numbers), no space, control, invisible or unassigned character. Spaces around it are dropped.
    """
    name = name.strip(" ")
    if len(name) > _LONGEST_IDENTIFIER:
        return None
    canonical = folded(name)
    classes = [unicodedata.category(char)[0] for char in canonical]
    if len(canonical) not in _USERNAME_LENGTHS or "L" not in classes or "C" in classes or "Z" in classes:
        return None
    return None if "@" in canonical or canonical.startswith("+") else canonical


def masked_address(address: str) -> str:
    """The address as it is shown to somebody who may not know it: `a•••@example.com`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}•••{at}{domain}" if at else "•••"

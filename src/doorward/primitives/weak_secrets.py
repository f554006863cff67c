"""Says why a secret must not be used: too short, too regular, published in a tutorial, or no secret at all."""

import base64
import re
from itertools import pairwise

_SHORTEST = 32  # bytes
_LEAST_VARIETY = 8  # different bytes; 32 random hexadecimal digits have 14 on average and practically never fewer
_LONGEST = 4096

# What stands in secrets that somebody typed or copied; compared without case and punctuation.
_MARKERS = (
    *("256bitsecret", "12345678", "abcdefgh", "changeit", "changeme", "changethis", "correcthorse", "djangoinsecure"),
    *("donotuse", "example", "generateme", "hardtoguess", "insecure", "keyboardcat", "loremipsum", "notasecret"),
    *("password", "placeholder", "qwertyui", "replaceme", "replacethis", "secretkey", "somesecret", "stringsecret"),
    *("supersecret", "testsecret", "devsecret", "jwtsecret", "mysecret", "yoursecret", "topsecret", "thisissecret"),
    *("thisisasecret", "willneverguess"),
)

# Secrets that look random and are printed in documents everybody reads.
_PUBLISHED = (
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",  # FastAPI tutorial
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",  # Flask documentation
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",  # RFC 7515 A.1
    *(
        "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
        "AAPapAv4LbFbiVawEjagUBluYqN5rhna-8nuldDvOx8",
    ),  # RFC 7520 §3.5, 3.6
    *("qC57l_uxcm7Nm3K-ct4GFjx8tM1U8CZ0NLBvdQstiS8", "-iWJNYJ6ntoY6Uzmqe9hZGiYxVLQYBNQbnob1AbLh14"),  # RFC 7520 §5
    *("-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE", "-xbuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE"),  # Wycheproof
    *("-xxuDNsVZ2iJtos-akfXTSCt4UO2cruLCsbWlBingge", "W1vBUI1-5HARc-qyT8hcYBt6q9sFNsztBrhlbl9W2CA"),
    *("_LKDIdC2oJJRE4P3wrEft37_BRIAZhHBKWFScCHtWDs", "Vxz9_qbT1qTsp-YR8AJD1ICrWCTsUhCHBtoB-5bTkK4"),
    *("aWGWlw2fd6B6ejLLzowKqvkmJMlFVhFg", "YktjZOND2zP7ek_fdDQc6X2KwknsEl56"),
)

_SEQUENCE, _INTEGER = 0x30, 0x02
_KEY_PREFIXES = ("ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-", "sk-ssh-")


def weakness(secret: str) -> str | None:
    """Why this must not be a master secret, as the end of a sentence that begins "the secret"; None if it may be."""
    size = len(secret.encode("utf-8", "surrogatepass"))
    if size < _SHORTEST:
        return f"has {size} bytes, fewer than {_SHORTEST}"
    if size > _LONGEST:
        return f"has more than {_LONGEST} bytes"
    if any(not char.isprintable() for char in secret):
        return "holds control characters or lone surrogates, which get lost between shells and files"
    if _looks_like_a_key_or_document(secret):
        return "looks like a key file, a public key, JSON or an unfilled template, not like a random secret"
    if _is_published(secret):
        return "is published in documentation that everybody can read"
    if any(_is_predictable(form) for form in _forms(secret)):
        return "is too regular: few different characters, a repetition or a sequence"
    return None


def _looks_like_a_key_or_document(secret: str) -> bool:
    if "-----BEGIN" in secret or secret.startswith(_KEY_PREFIXES):
        return True
    if re.fullmatch(r"\{.*\}|\[.*\]|<.*>|\$\{.*\}|\$\(.*\)", secret, re.DOTALL):
        return True
    return any(_is_der(form) for form in _forms(secret)[1:])


def _is_der(raw: bytes) -> bool:
    """Whether the bytes are one whole ASN.1 SEQUENCE, as every DER key and certificate is (X.690 §8.1)."""
    if len(raw) < 8 or raw[0] != _SEQUENCE:
        return False
    width = raw[1] & 0x7F if raw[1] & 0x80 else 0
    length = int.from_bytes(raw[2 : 2 + width]) if width else raw[1]
    return width <= 3 and length == len(raw) - 2 - width and raw[2 + width] in (_SEQUENCE, _INTEGER)


def _is_published(secret: str) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", secret.casefold())
    return any(marker in plain for marker in _MARKERS) or not _PUBLISHED_BYTES.isdisjoint(_forms(secret))


def _forms(secret: str) -> list[bytes]:
    """The secret as it stands, and the bytes it spells if it is hexadecimal or base64."""
    forms = [secret.encode("utf-8", "surrogatepass")]
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", secret):
        forms.append(bytes.fromhex(secret))
    digits = secret.rstrip("=").replace("-", "+").replace("_", "/")
    if re.fullmatch(r"[A-Za-z0-9+/]+", digits) and len(digits) % 4 != 1:
        forms.append(base64.b64decode(digits + "=" * (-len(digits) % 4)))
    return forms


def _is_predictable(raw: bytes) -> bool:
    return len(set(raw)) < _LEAST_VARIETY or _repeats(raw) or _counts(raw)


def _repeats(raw: bytes) -> bool:
    """Whether a shorter piece, written again and again, gives all of it."""
    return any(raw[period:] == raw[:-period] for period in range(1, len(raw) // 2 + 1))


def _counts(raw: bytes) -> bool:
    """Whether most bytes are the one before them, plus or minus at most one."""
    near = sum(abs(one - two) <= 1 for one, two in pairwise(raw))
    return 2 * near > len(raw)


_PUBLISHED_BYTES = frozenset(form for text in _PUBLISHED for form in _forms(text))

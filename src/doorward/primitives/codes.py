"""Codes that people read and type: short numeric ones, and recovery codes to keep on paper."""

_LEAST_CODE_BYTES = 16
_RECOVERY_BYTES = 10  # 80 bits, so that a stolen database is not searched
_RECOVERY_LENGTH = 16
_LONGEST_TYPED = 64  # code points; nobody types more

# Crockford base32 (crockford.com/base32): no i, l, o, u, since they are misread or misunderstood.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_READ_AS = str.maketrans({"o": "0", "i": "1", "l": "1"} | dict.fromkeys("- \u2010\u2011\u2012\u2013\u2014\u00a0"))


def numeric_code(raw: bytes, *, digits: int = 6) -> str:
    """Random bytes as a decimal code. 16 bytes make the bias of the remainder smaller than 2^-100."""
    if len(raw) < _LEAST_CODE_BYTES:
        raise ValueError(f"a code is made of at least {_LEAST_CODE_BYTES} random bytes, these are {len(raw)}")
    return f"{int.from_bytes(raw) % 10**digits:0{digits}d}"


def typed_code(text: object, *, digits: int = 6) -> str | None:
    """The code somebody typed, without spaces around it, or None when it is not exactly that many ASCII digits."""
    if not isinstance(text, str) or len(text) > _LONGEST_TYPED:
        return None
    code = text.strip(" ")
    return code if len(code) == digits and code.isascii() and code.isdigit() else None


def recovery_code(raw: bytes) -> str:
    """80 random bits as `xxxx-xxxx-xxxx-xxxx`; takes 10 bytes or more and uses the first 10."""
    if len(raw) < _RECOVERY_BYTES:
        raise ValueError(f"a recovery code is made of at least {_RECOVERY_BYTES} random bytes, these are {len(raw)}")
    bits = int.from_bytes(raw[:_RECOVERY_BYTES])
    places = range(5 * (_RECOVERY_LENGTH - 1), -1, -5)
    return _grouped("".join(_ALPHABET[bits >> place & 31] for place in places))


def typed_recovery_code(text: object) -> str | None:
    """The canonical code for what somebody typed: case, dashes and spaces do not matter, o is 0, i and l are 1."""
    if not isinstance(text, str) or len(text) > _LONGEST_TYPED:
        return None
    code = "".join(c.lower() if c.isascii() else c for c in text).translate(_READ_AS)
    if len(code) != _RECOVERY_LENGTH or not set(code) <= set(_ALPHABET):
        return None
    return _grouped(code)


def _grouped(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, _RECOVERY_LENGTH, 4))

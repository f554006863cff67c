"""Sealed text for the database: what must be readable again, but by this installation and in its own place only."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorward.primitives import tokens
from doorward.primitives.keyring import Keyring

_VERSION = "1"
_NONCE = 12  # bytes, NIST SP 800-38D §8.2; random nonces are good for 2^32 values of one purpose under one key
_TAG = 16
_LONGEST = 2**20  # characters


def seal(keyring: Keyring, plaintext: bytes, *, purpose: str, context: str, nonce: bytes) -> str:
    """`1.key.nonce+ciphertext` by AES-256-GCM; `nonce` is 12 fresh random bytes, never used twice.

    The context, such as "authenticator:" + id, must be given again to unseal, so that a row's value opens nowhere else.
    """
    if len(nonce) != _NONCE:
        raise ValueError(f"a nonce has {_NONCE} bytes, this one has {len(nonce)}")
    key_id = keyring.current_id
    bound = _bound(key_id, purpose=purpose, context=context)
    ciphertext = _cipher(keyring, key_id, purpose).encrypt(nonce, plaintext, bound)
    sealed = f"{_VERSION}.{key_id}.{tokens.encode(nonce + ciphertext)}"
    if len(sealed) > _LONGEST:
        raise ValueError(f"sealed text has at most {_LONGEST} characters, this one would have {len(sealed)}")
    return sealed


def unseal(keyring: Keyring, sealed: str, *, purpose: str, context: str) -> bytes | None:
    """The plaintext, or None when it was altered, sealed for another purpose or context, or by an unknown key."""
    if len(sealed) > _LONGEST or sealed.count(".") != 2:
        return None
    version, key_id, box = sealed.split(".")
    raw = tokens.decode(box)
    if version != _VERSION or key_id not in keyring.ids or raw is None or len(raw) < _NONCE + _TAG:
        return None
    bound = _bound(key_id, purpose=purpose, context=context)
    try:
        return _cipher(keyring, key_id, purpose).decrypt(raw[:_NONCE], raw[_NONCE:], bound)
    except InvalidTag:
        return None


def key_id_of(sealed: str) -> str:
    """The id of the key that a value is sealed by; empty for what is not sealed."""
    version, _, rest = sealed.partition(".")
    id, dot, _ = rest.partition(".")
    return id if version == _VERSION and dot else ""


def between(key_id: str = "") -> tuple[str, str]:
    """Every value that is sealed by that key, or by any, is greater than the first of these texts and less than the
    second, where text sorts by code point."""
    start = f"{_VERSION}.{key_id}." if key_id else f"{_VERSION}."
    return start, start[:-1] + chr(ord(".") + 1)


def needs_reseal(keyring: Keyring, sealed: str) -> bool:
    """Whether the value was not sealed by the newest key, so that it must be sealed again before the old one goes."""
    return not sealed.startswith(f"{_VERSION}.{keyring.current_id}.")


def _cipher(keyring: Keyring, key_id: str, purpose: str) -> AESGCM:
    return AESGCM(keyring.key(f"sealing/{purpose}", key_id=key_id))


def _bound(key_id: str, *, purpose: str, context: str) -> bytes:
    """The associated data, each part after its length, so that nothing moves from purpose to context."""
    parts = [part.encode("utf-8", "surrogatepass") for part in (_VERSION, key_id, purpose, context)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

"""A program that holds a key and proves it (DPoP, RFC 9449), and one that lies about anything it likes."""

from __future__ import annotations

import itertools
import json
from datetime import datetime
from typing import Any

from doorward.primitives import dpop, jwt, tokens

_NUMBERS = itertools.count(1)


class KeyHolder:
    """`proof` makes a new proof for one request; what is given by name stands in the place of what would be right,
    and `...` leaves it out."""

    def __init__(self, algorithm: Any = "ES256") -> None:
        self.key = jwt.generate_key(algorithm)
        self.nonce = ""

    @property
    def jkt(self) -> str:
        return self.key.kid

    @property
    def public(self) -> dict[str, str]:
        jwk = jwt.to_jwk(self.key, private=False)
        return {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}

    def proof(self, method: str, url: str, now: datetime, *, token: str = "", header: Any = None, **claims: Any) -> str:
        head = {"typ": "dpop+jwt", "alg": self.key.algorithm, "jwk": self.public, **(header or {})}
        said = {"jti": f"proof-number-{next(_NUMBERS)}", "htm": method, "htu": url, "iat": int(now.timestamp())}
        said |= {"nonce": self.nonce} if self.nonce else {}
        said |= {"ath": dpop.hash_of(token)} if token else {}
        said |= claims
        parts = [{name: value for name, value in part.items() if value is not ...} for part in (head, said)]
        message = ".".join(tokens.encode(json.dumps(part).encode()) for part in parts)
        return f"{message}.{tokens.encode(self.key.sign(message.encode()))}"

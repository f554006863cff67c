"""Signatures of requests to Amazon's services: AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AwsKey:
    """An access key, and the region and service that it signs for."""

    id: str
    secret: str = field(repr=False)
    region: str
    service: str


def signed_headers(
    key: AwsKey, method: str, url: str, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> dict[str, str]:
    """The headers with which the request goes out: those given, with `Host`, `X-Amz-Date` and `Authorization`.

    Source: «Create a signed AWS API request» of the AWS IAM user guide. Paths are taken as they stand.
    """
    parts, at = urlsplit(url), now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    all_headers = {**headers, "Host": parts.netloc, "X-Amz-Date": at}
    shown = {name.lower(): " ".join(value.split()) for name, value in sorted(all_headers.items(), key=_lower)}
    names = ";".join(shown)
    lines = "".join(f"{name}:{value}\n" for name, value in shown.items())
    asked = "\n".join((method, parts.path or "/", _query(parts.query), lines, names, _digest(body)))
    scope = f"{at[:8]}/{key.region}/{key.service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, at, scope, _digest(asked.encode())))
    signature = _hmac(_signing_key(key, at[:8]), to_sign).hex()
    said = f"{_ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**all_headers, "Authorization": said}


def _signing_key(key: AwsKey, day: str) -> bytes:
    derived = f"AWS4{key.secret}".encode()
    for part in (day, key.region, key.service, "aws4_request"):
        derived = _hmac(derived, part)
    return derived


def _query(query: str) -> str:
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in parse_qsl(query, True))
    return "&".join(f"{name}={value}" for name, value in pairs)


def _lower(item: tuple[str, str]) -> str:
    return item[0].lower()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")

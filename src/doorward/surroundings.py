"""The settings of an installation inside a host: what is given, the environment, the file, and what the host knows."""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doorward.core.refusals import Misconfigured
from doorward.core.settings import Settings, load_settings
from doorward.primitives import tokens
from doorward.primitives.keyring import Keyring, key_id, weakness

log = logging.getLogger("doorward")

HOW_TO_MAKE_ONE = "python -c 'import secrets; print(secrets.token_urlsafe(32))' makes a good one"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the host's framework knows: its own secrets (newest first) and their name, whether it is being debugged."""

    secrets: Sequence[str] = ()
    secret_name: str = ""
    debug: bool = False
    debug_origin: str = "http://localhost:8000"


def settings_for(
    given: Mapping[str, Any], around: Surroundings, config: str | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[set[str], Settings]:
    """The names that were set anywhere, and the settings: arguments, then DOORWARD_…, then the file, then the host."""
    filed = _read_config(config or environ.get("DOORWARD_CONFIG", ""))
    known = {name.lower() for name in (*given, *filed)} | {
        name.removeprefix("DOORWARD_").lower() for name in environ if name.startswith("DOORWARD_")
    }
    host: dict[str, Any] = {}
    if "secret" not in known and (secret := derived_secret(around)) is not None:
        host["secret"] = secret
    elif "secret" not in known and around.secret_name:
        raise Misconfigured("settings.E3", f"set {around.secret_name}, or SECRET of Doorward; {HOW_TO_MAKE_ONE}")
    if around.debug and "debug" not in known:
        host["debug"] = True
    if around.debug and "origin" not in known:
        host["origin"] = around.debug_origin
        log.warning("no ORIGIN is set: while debugging, %s and other loopback addresses do", around.debug_origin)
    settings = load_settings(given, environ, {**host, **filed})
    return known, settings


def _read_config(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured("settings.E6", f"the configuration file {path} can't be read: {error}") from None


def derived_secret(around: Surroundings) -> str | None:
    """Our master secrets from the framework's (HKDF, so that neither gives the other away), newest first.

    None where there is none; raises `Misconfigured` where the newest is one that anybody could guess.
    """
    strong = []
    for number, secret in enumerate(around.secrets):
        if why := weakness(secret):
            if number == 0:
                raise Misconfigured(
                    "settings.E5", f"{around.secret_name} {why}; set it anew, or SECRET of Doorward; {HOW_TO_MAKE_ONE}"
                )
            continue  # an old one that is too weak opens nothing any more
        ring = Keyring([("host", secret.encode())])
        derived = tokens.encode(ring.key("from-host-secret"))
        strong.append(f"{key_id(derived)}:{derived}")
    return ",".join(dict.fromkeys(strong)) or None

"""What an installation sets: every setting with its meaning and default, and the policy it demands.

Keyword arguments win over the environment (`DOORWARD_…`), which wins over a TOML file. An unknown name is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Literal

from doorward.core import parsers
from doorward.core.parsers import Network, a_text
from doorward.core.policy import Policy
from doorward.core.refusals import Misconfigured
from doorward.core.theme import Theme
from doorward.primitives.keyring import parse_secret
from doorward.primitives.urls import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, parsed. `secret` holds (id, value) pairs, newest first; what can hold a password is not printed."""

    secret: tuple[tuple[str, bytes], ...] = field(repr=False)
    origin: Origin
    database_url: str = field(default="sqlite:///doorward.db", repr=False)
    redis_url: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    sms_url: str = field(default="", repr=False)
    sms_countries: tuple[str, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    policy: Policy = field(default_factory=Policy.standard)
    token_algorithm: Literal["ES256", "RS256", "PS256", "Ed25519", "HS256"] = "ES256"
    token_audience: tuple[str, ...] = ()
    token_key_rotation: int = 90
    return_origins: tuple[Origin, ...] = ()
    protected_origins: tuple[Origin, ...] = ()
    sign_up: Literal["open", "domains", "invitation", "closed"] = "open"
    sign_up_domains: tuple[str, ...] = ()
    reserved_usernames: tuple[str, ...] = ()
    phone_region: str = ""
    rp_name: str = "Doorward"
    rp_id: str = ""
    related_origins: tuple[Origin, ...] = ()
    fido_metadata: str = ""
    locales: str = ""
    templates: str = ""
    theme: Theme | None = None
    logo: str = ""
    password_hash: Literal["argon2id", "bcrypt"] = "argon2id"
    pepper: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    breached_filter: str = ""
    breached_url: str = ""
    hash_memory_mib: int = 1280
    listen: str = "127.0.0.1:8000"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    debug: bool = False

    @property
    def texted_regions(self) -> tuple[str, ...]:
        """Where text messages may go. Nowhere unless it is said: some countries' cost a hundred times others'."""
        return self.sms_countries or ((self.phone_region,) if self.phone_region else ())

    @property
    def other_origins(self) -> tuple[Origin, ...]:
        """All that a browser may be sent to, beside ORIGIN."""
        return (*self.return_origins, *self.protected_origins)

    @property
    def relying_party(self) -> str:
        """The domain that passkeys are for: RP_ID, or the host of ORIGIN."""
        return self.rp_id or self.origin.host


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as its documentation and its parser; the name in the environment is `DOORWARD_` + NAME."""

    name: str
    meaning: str
    parse: Callable[[Any], Any]

    @property
    def attribute(self) -> str:
        return self.name.lower()


def _secret(value: Any) -> tuple[tuple[str, bytes], ...]:
    try:
        return parse_secret(a_text(value))
    except UnicodeEncodeError:
        raise ValueError("the secret has a character that can't be stored") from None


def _pepper(value: Any) -> tuple[tuple[str, bytes], ...]:
    return _secret(value) if value else ()


def _list(item: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def parse(value: Any) -> tuple[Any, ...]:
        items = [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
        return tuple(item(part) for part in items if part != "")

    return parse


def _origin(value: Any) -> Origin:
    return value if isinstance(value, Origin) else Origin.parse(a_text(value))


def _choice(*allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}, not {value!r}")
        return str(value)

    return parse


def _flag(value: Any) -> bool:
    known = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
    if value not in known:
        raise ValueError(f"expected true or false, not {value!r}")
    return known[value]


def _number(low: int, high: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
        if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
            raise ValueError(f"expected a whole number from {low} to {high}, not {value!r}")
        return number

    return parse


def _policy(value: Any) -> Policy:
    if isinstance(value, Policy):
        return value
    if isinstance(value, Mapping):
        return _policy_table(dict(value))
    return Policy.strict() if _choice("standard", "strict")(value) == "strict" else Policy.standard()


def _policy_table(table: dict[str, Any]) -> Policy:
    """A TOML table: `base` and single demands; times in seconds."""
    policy = _policy(table.pop("base", "standard"))
    known = {f.name: f for f in fields(Policy)}
    for name, value in table.items():
        if name not in known:
            raise ValueError(f"unknown demand {name!r}; known are {', '.join(known)}")
        now = getattr(policy, name)
        if isinstance(now, timedelta):
            value = timedelta(seconds=_number(0, 10**9)(value))
        elif type(value) is not type(now):
            raise ValueError(f"{name}: expected {type(now).__name__}, not {value!r}")
        policy = replace(policy, **{name: value})
    return policy


SETTINGS: tuple[Setting, ...] = (
    Setting("SECRET", "Master secret, 32 bytes or more; or several as `id:secret,id:secret`, newest first.", _secret),
    Setting("ORIGIN", "Scheme, host and port people see, such as https://auth.example.com.", _origin),
    Setting("DATABASE_URL", "`sqlite:///path` or `postgresql://user:pass@host/name`.", a_text),
    Setting(
        "REDIS_URL", "Valkey or Redis for short-term limits, `redis://host:6379/0`; without it the database.", a_text
    ),
    Setting("SMTP_URL", "`smtp://user:pass@host:587?tls=starttls`; without it letters go to the terminal.", a_text),
    Setting("MAIL_FROM", "Sender address of letters.", a_text),
    Setting("SMS_URL", "`twilio://SID:TOKEN@/?from=+1…` or another service; without it no text messages.", a_text),
    Setting("SMS_COUNTRIES", "Where text messages may go, such as `DE,AT`; else PHONE_REGION.", _list(parsers.region)),
    Setting("TRUSTED_PROXIES", "Networks whose X-Forwarded-* headers are believed.", _list(parsers.network)),
    Setting("POLICY", "`standard`, `strict`, or a table of single demands.", _policy),
    Setting(
        "TOKEN_ALGORITHM",
        "Signature of access tokens: ES256, RS256, PS256, Ed25519; HS256 in one process only.",
        _choice("ES256", "RS256", "PS256", "Ed25519", "HS256"),
    ),
    Setting("TOKEN_KEY_ROTATION", "Days after which the signing key is replaced; 0: only by hand.", _number(0, 3650)),
    Setting("TOKEN_AUDIENCE", "Services that access tokens may be made for, beside Doorward itself.", _list(a_text)),
    Setting("RETURN_ORIGINS", "Other origins that a sign-in may return to.", _list(_origin)),
    Setting("PROTECTED_ORIGINS", "Other origins whose proxy routes /auth/ here, for forward-auth.", _list(_origin)),
    Setting(
        "SIGN_UP",
        "`open`, `domains`, `invitation` or `closed`.",
        _choice("open", "domains", "invitation", "closed"),
    ),
    Setting(
        "SIGN_UP_DOMAINS", "Domains whose addresses may sign up; `.example.com`: all below.", _list(parsers.domain)
    ),
    Setting("RESERVED_USERNAMES", "User names that nobody chooses, beside those we reserve.", _list(a_text)),
    Setting("PHONE_REGION", "Where phone numbers without `+` are from, such as `DE`.", parsers.region),
    Setting(
        "RP_ID", "The domain that passkeys are for: ORIGIN's host or one above. It can't change later.", parsers.host
    ),
    Setting("RELATED_ORIGINS", "Origins of other domains where the same passkeys sign in.", _list(_origin)),
    Setting("FIDO_METADATA", "File of the FIDO Alliance: only passkeys of makes that it certifies.", parsers.path),
    Setting("RP_NAME", "The name people see on pages, in letters and in their authenticator app.", a_text),
    Setting("LOCALES", "Folder with catalogues of your own, `LANGUAGE/LC_MESSAGES/doorward.mo`.", parsers.locales),
    Setting("TEMPLATES", "Folder with templates of your own for pages, and in `letters` for letters.", parsers.path),
    Setting("THEME", "Colours, radius and fonts of pages, such as `accent=#0d6854; radius=8px`.", parsers.theme),
    Setting("LOGO", "A picture in the place of the name on pages: SVG, PNG, JPEG or WebP.", parsers.path),
    Setting("PASSWORD_HASH", "`argon2id` or `bcrypt` for new passwords.", _choice("argon2id", "bcrypt")),
    Setting(
        "PEPPER",
        "Goes into the hash of passwords, and stands in no database: `id:secret,id:secret`, newest first.",
        _pepper,
    ),
    Setting("BREACHED_FILTER", "A filter that `doorward breached build` made, beside the one that ships.", a_text),
    Setting("BREACHED_URL", "A service to ask too, such as https://api.pwnedpasswords.com/range.", parsers.service),
    Setting("HASH_MEMORY_MIB", "Memory that hashing, running and queued, may declare together.", _number(64, 65536)),
    Setting("LISTEN", "Address and port of `doorward serve`.", a_text),
    Setting("LOG_LEVEL", "debug, info, warning or error.", _choice("debug", "info", "warning", "error")),
    Setting("DEBUG", "Host adapters only: accept loopback addresses as origin while developing.", _flag),
)

_BY_ATTRIBUTE = {setting.attribute: setting for setting in SETTINGS}
PREFIX = "DOORWARD_"
# Kubernetes injects these for a service named `doorward`; no setting has such a name (rules.md 41).
_INJECTED = ("DOORWARD_SERVICE_", "DOORWARD_PORT")
# Where the settings are, and servers that our own tests may be given.
_NOT_SETTINGS = ("DOORWARD_CONFIG", "DOORWARD_TEST_POSTGRES", "DOORWARD_TEST_VALKEY")


def load_settings(
    given: Mapping[str, Any], environ: Mapping[str, str] | None = None, config: Mapping[str, Any] | None = None
) -> Settings:
    """Settings from keyword arguments, then the environment, then a parsed TOML file.

    Raises `Misconfigured` naming the setting and the cure for an unknown name or a value that can't be used.
    """
    raw: dict[str, tuple[str, Any]] = {}
    for name, value in (config or {}).items():
        raw[_known(name.lower(), f"{name} in the configuration file")] = (f"{name} in the configuration file", value)
    for name, value in (environ or {}).items():
        if _is_ours(name):
            raw[_known(name[len(PREFIX) :].lower(), name)] = (name, value)
    for name, value in given.items():
        if value is not None:
            raw[_known(name, f"the argument {name}")] = (f"the argument {name}", value)
    return _settings({attribute: _parsed(attribute, *source) for attribute, source in raw.items()})


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and not name.startswith(_INJECTED) and name not in _NOT_SETTINGS


def _known(attribute: str, shown: str) -> str:
    if attribute in _BY_ATTRIBUTE:
        return attribute
    near = get_close_matches(attribute, _BY_ATTRIBUTE, 1)
    hint = f"did you mean {near[0].upper()}?" if near else f"known are {', '.join(s.name for s in SETTINGS)}"
    raise Misconfigured("settings.E1", f"{shown} is not a setting; {hint}")


def _parsed(attribute: str, shown: str, value: Any) -> Any:
    try:
        return _BY_ATTRIBUTE[attribute].parse(value)
    except (ValueError, TypeError) as error:
        raise Misconfigured("settings.E2", f"{shown}: {error}") from None


def _settings(values: dict[str, Any]) -> Settings:
    for needed, cure in (
        ("secret", "set SECRET to 32 or more random bytes; `doorward init` makes one"),
        ("origin", 'set ORIGIN to what people see in their browser, e.g. origin="https://app.example.com"'),
    ):
        if needed not in values:
            raise Misconfigured("settings.E3", cure)
    origin: Origin = values["origin"]
    if not (origin.is_secure or origin.is_loopback):
        raise Misconfigured("settings.E4", f"ORIGIN {origin} is neither https nor loopback; serve it by https")
    _check_protected(origin, values.get("protected_origins", ()))
    if (values.get("sign_up") == "domains") != bool(values.get("sign_up_domains")):
        raise Misconfigured("settings.E7", "SIGN_UP = domains and SIGN_UP_DOMAINS go together; set both or neither")
    if values.get("sms_url") and not (values.get("sms_countries") or values.get("phone_region")):
        raise Misconfigured(
            "settings.E8",
            "SMS_URL goes with SMS_COUNTRIES, such as DE,AT; texts to anywhere are what fraud lives on",
        )
    return Settings(**values)


def _check_protected(origin: Origin, protected: tuple[Origin, ...]) -> None:
    """Each has a cookie of its own, and cookies know hosts and no ports (RFC 6265 §8.5)."""
    for one in protected:
        if not (one.is_secure or one.is_loopback):
            raise Misconfigured(
                "settings.E9", f"PROTECTED_ORIGINS: {one} is neither https nor loopback; serve it by https"
            )
        if [other.host for other in (origin, *protected)].count(one.host) > 1:
            raise Misconfigured("settings.E9", f"PROTECTED_ORIGINS: {one} shares its host name; give each its own")

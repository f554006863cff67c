"""Reads the settings of the server: flags win over the environment, which wins over a TOML file.

With no secret and an origin on this machine, `./doorward-data/` stands in: a generated secret and an SQLite database.
"""

from __future__ import annotations

import os
import secrets
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from doorward.core.refusals import Misconfigured
from doorward.core.settings import PREFIX, SETTINGS, Settings, load_settings
from doorward.primitives.urls import Origin

DATA = Path("doorward-data")
CONFIG = "DOORWARD_CONFIG"
SECRET_BYTES = 48
LISTEN = "127.0.0.1:8000"
ATTRIBUTES = frozenset(setting.attribute for setting in SETTINGS)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where settings come from, as they were found; nothing is parsed yet. `file` is the TOML file, if there is one."""

    given: Mapping[str, Any] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    file: Path | None = None

    def value(self, attribute: str) -> Any:
        """What a setting is set to, unparsed; None where it is not set."""
        if self.given.get(attribute) is not None:
            return self.given[attribute]
        if PREFIX + attribute.upper() in self.environ:
            return self.environ[PREFIX + attribute.upper()]
        return next((value for name, value in self.config.items() if name.lower() == attribute), None)

    def options(self, fallback: Mapping[str, Any]) -> dict[str, Any]:
        """Every setting that is set anywhere, unparsed, as `Auth(…)` takes them: for another process to read again."""
        names = (*fallback, *self.config, *(name.removeprefix(PREFIX) for name in self.environ), *self.given)
        found = {name.lower(): self.value(name.lower()) for name in names if name.lower() in ATTRIBUTES}
        named = {} if self.file is None else {"config": str(self.file)}
        return {**named, **fallback, **{name: value for name, value in found.items() if value is not None}}

    def settings(self, fallback: Mapping[str, Any] | None = None) -> Settings:
        """All of them, parsed. Raises `Misconfigured`."""
        return load_settings(self.given, self.environ, {**(fallback or {}), **self.config})


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What the commands work with: settings, and the same unparsed, as an `Auth` takes them.

    `data` is the folder that stands in for what is not set; `notes` say what it stands for.
    """

    settings: Settings
    options: Mapping[str, Any] = field(repr=False)
    data: Path | None = None
    notes: tuple[str, ...] = ()


def read_sources(given: Mapping[str, Any], environ: Mapping[str, str], file: Path | None = None) -> Sources:
    """Raises `Misconfigured` where the file is missing or is not TOML."""
    named = file or (Path(environ[CONFIG]) if environ.get(CONFIG) else None)
    if named is None:
        return Sources(given, environ)
    try:
        config = tomllib.loads(named.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured("config.E1", f"{named} can't be read: {error.strerror}; make one: doorward init") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise Misconfigured("config.E2", f"{named} is not a TOML file: {error}") from None
    return Sources(given, environ, config, named)


def load(sources: Sources, *, make: bool = False, scheme: str = "http", data: Path = DATA) -> Installation:
    """The settings, with what stands in for those that are not set. `make`: the data folder may be made.

    Raises `Misconfigured`.
    """
    listen = parse_listen(sources.value("listen") or LISTEN)
    fallback: dict[str, Any] = {}
    notes: list[str] = []
    if sources.value("origin") is None and listen.is_loopback:
        fallback["origin"] = f"{scheme}://localhost:{listen.port}"
    folder = data if _may_stand_in(sources, fallback) and (make or data.exists()) else None
    if folder is not None:
        if make:
            make_folder(folder)
        fallback["secret"] = secret_in(folder, make=make)
        notes.append(f"The secret is the one in {folder / 'secret'}.")
        if sources.value("database_url") is None:
            fallback["database_url"] = f"sqlite:///{folder / 'doorward.db'}"
            notes.append(f"The database is {folder / 'doorward.db'} (SQLite).")
    settings = sources.settings(fallback)
    return Installation(settings=settings, options=sources.options(fallback), data=folder, notes=tuple(notes))


def _may_stand_in(sources: Sources, fallback: Mapping[str, Any]) -> bool:
    """Only on this machine: an installation that others reach has a secret that somebody chose to keep."""
    if sources.value("secret") is not None:
        return False
    try:
        return Origin.parse(str(sources.value("origin") or fallback.get("origin"))).is_loopback
    except ValueError:
        return False


def make_folder(folder: Path) -> None:
    """A folder that is this user's alone. Raises `Misconfigured` where it is not."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Misconfigured("data.E1", f"{folder} can't be made: {error.strerror}; start elsewhere") from None
    _check_owned(folder, stat.S_ISDIR)


def secret_in(folder: Path, *, make: bool = False) -> str:
    """The secret of a data folder, generated when there is none yet and `make`."""
    path = folder / "secret"
    _check_owned(folder, stat.S_ISDIR)
    if make and not path.exists():
        write_private(path, new_secret() + "\n")
    try:
        _check_owned(path, stat.S_ISREG)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise Misconfigured("data.E2", f"{path} can't be read: {error.strerror}") from None


def new_secret() -> str:
    """384 random bits."""
    return secrets.token_urlsafe(SECRET_BYTES)


def write_private(path: Path, text: str) -> bool:
    """Write a file that only this user may read; False, and nothing written, if it exists. Never half a file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.link(draft, path)  # fails where another process was faster: of two secrets one is used by both
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _check_owned(path: Path, is_kind: Any) -> None:
    """Refuse what others may read or have planted: who knows the secret is anybody they like."""
    if os.name != "posix":
        return
    found = path.lstat()
    if not is_kind(found.st_mode) or found.st_uid != os.geteuid():
        raise Misconfigured("data.E3", f"{path} belongs to another user or is a link; move it away")
    if found.st_mode & 0o077:
        mode = "700" if stat.S_ISDIR(found.st_mode) else "600"
        raise Misconfigured("data.E4", f"{path} is open to other users of this machine; chmod {mode} {path}")


@dataclass(frozen=True, slots=True)
class Listen:
    """The address and port to listen on."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return self.host.startswith("127.") or self.host == "::1"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> Listen:
    """`127.0.0.1:8000`, `[::]:443`, `localhost:8000`, or `:8000` for all addresses. Raises `Misconfigured`."""
    host, colon, port = text.rpartition(":")
    host = {"localhost": "127.0.0.1", "": "0.0.0.0", "*": "0.0.0.0"}.get(host, host)  # noqa: S104 (asked for)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0
    if not colon or (":" in bare) != (bare != host) or not _is_address(bare) or not 1 <= number <= 65535:
        raise Misconfigured("server.E1", f"LISTEN {text!r} is no address and port; write 127.0.0.1:8000 or [::]:443")
    return Listen(bare, number)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def check_exposure(settings: Settings, listen: Listen, *, tls: bool) -> None:
    """Refuse to carry passwords in the clear over a network. Raises `Misconfigured` with the ways out."""
    if tls and not settings.origin.is_secure:
        raise Misconfigured(
            "server.E2", f"ORIGIN {settings.origin} is http and this server speaks https; set https://…"
        )
    if tls or listen.is_loopback:
        return
    if not settings.origin.is_secure:
        raise Misconfigured(
            "server.E3",
            f"LISTEN {listen} is reachable from other machines and ORIGIN {settings.origin} is not https: passwords "
            "would cross the network in the clear. Listen on 127.0.0.1; or set an https ORIGIN and give --tls-cert and "
            "--tls-key (or --tls-dev), or put a proxy with https in front and set TRUSTED_PROXIES",
        )
    if not settings.trusted_proxies:
        raise Misconfigured(
            "server.E4",
            f"LISTEN {listen} is reachable from other machines without https. Give --tls-cert and --tls-key, or set "
            "TRUSTED_PROXIES to the networks of the proxy that ends https in front of this server",
        )

"""Somebody in front of a host: a browser that keeps cookies and says where it comes from, or a program."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from http.cookies import SimpleCookie
from typing import Any, Protocol
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Pairs
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return str(self.json["reason"])

    @property
    def text(self) -> str:
        return self.body.decode()

    def hidden(self, name: str) -> str:
        """The value of a form's hidden field."""
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"|value="([^"]*)"[^>]*name="{name}"', self.text)
        if found is None:
            raise LookupError(f"no field {name} in {self.text[:500]}")
        return unescape(found[1] or found[2] or "")

    @property
    def cookies(self) -> dict[str, dict[str, str]]:
        """Cookies set, by name: their value and attributes in lower case."""
        found: dict[str, dict[str, str]] = {}
        for line in self.all("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                attributes = {key: str(value) for key, value in morsel.items() if value}
                found[name] = {"value": morsel.value, **attributes}
        return found


class Host(Protocol):
    """One way to run Doorward, as these scenarios see it. See hosts/."""

    origin: str

    def send(self, method: str, target: str, headers: Pairs, body: bytes, peer: str) -> Answer:
        """One request over the host's own interface; `target` is raw, with its query."""


@dataclass
class Client:
    """A program: no cookies, no Origin. `bearer` goes along with every request once it is set."""

    host: Host
    prefix: str = "/auth"
    peer: str = "192.0.2.1"
    bearer: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> Answer:
        return self.send("GET", self.prefix + path + (f"?{urlencode(query)}" if query else ""), headers=headers)

    def post(self, path: str, headers: Mapping[str, str] | None = None, /, **arguments: Any) -> Answer:
        """An action, by JSON."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self.send("POST", self.prefix + path, json.dumps(arguments).encode(), sent)

    def raw(self, path: str, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
        """An action, with a body of any kind."""
        return self.send("POST", self.prefix + path, body, {"Content-Type": kind, **headers})

    def send(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        merged = {"Host": self.host.origin.partition("://")[2], **self._own(method), **self.extra, **(headers or {})}
        pairs = [(name, value) for name, value in merged.items() if value]
        answer = self.host.send(method, target, pairs, body, self.peer)
        self._keep(answer)
        return answer

    def _own(self, method: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}

    def _keep(self, answer: Answer) -> None:
        return None


@dataclass
class Browser(Client):
    """Keeps cookies, and sends `Origin` and `Sec-Fetch-Site` as browsers do. Wants JSON, as a page's script does."""

    cookies: dict[str, str] = field(default_factory=dict)

    def form(self, path: str, /, page: str, **fields: str) -> Answer:
        """Fill in the form of a page and send it, without JavaScript."""
        shown = self.page(page)
        given = {"csrf_token": shown.hidden("csrf_token"), **fields}
        return self.send("POST", self.prefix + path, urlencode(given).encode(), {"Content-Type": FORM, **HTML})

    def page(self, path: str) -> Answer:
        """A page, as a navigation."""
        return self.send("GET", self.prefix + path, headers=HTML)

    def follow(self, answer: Answer) -> Answer:
        """Go where a 303 leads."""
        return self.send("GET", answer.header("location") or "", headers=HTML)

    @property
    def session(self) -> str:
        """The value of the session cookie."""
        return next((value for name, value in self.cookies.items() if SESSION.fullmatch(name)), "")

    def _own(self, method: str) -> dict[str, str]:
        own = super()._own(method)
        if self.cookies:
            own["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":
            own["Origin"] = self.host.origin
        return {**own, "Sec-Fetch-Site": "same-origin", "User-Agent": "Mozilla/5.0 (Scenario)"}

    def _keep(self, answer: Answer) -> None:
        for name, cookie in answer.cookies.items():
            if cookie.get("max-age") == "0" or not cookie["value"]:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = cookie["value"]


SESSION = re.compile(r"__Host-doorward|doorward-\d+")
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

"""Runs the `console` blocks of a page: `curl` against a Doorward in this process, and the answers must be as printed.

In an answer `…` stands for any text, and `"…": "…"` for further members. `$ATTEMPT`, `$TOKEN`, `$REFRESH`, `$CODE`,
`$SMS`, `$LINK`, `$UNDO`, `$TOTP`, `$RECOVERY`, `$ID` and `$KEY` hold what the answers and letters before gave. Half a
minute passes between two commands.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterator
from string import Template
from typing import Any

from doorward.primitives import rfc6238
from tests.examples.pages import Block
from tests.http.bare import Bare
from tests.scenarios.client import Answer, Client

ORIGIN = "http://localhost:8000"
ANN = {"email": "ann@example.com", "password": "plenty of brown sparrows"}


class Terminal:
    """Where somebody tries the commands of one page. Ann has signed up already."""

    def __init__(self, **settings: Any) -> None:
        self.host = Bare(origin=ORIGIN, rp_name="Example", **settings)
        self.words: dict[str, str] = {}
        self.ran = 0
        self._secret = b""
        self._enter()

    def _enter(self) -> None:
        client = Client(self.host)
        attempt = client.post("/sign-up", name="Ann", **ANN).json["attempt"]
        assert client.post("/email/verify", code=self.host.mail.code(), attempt=attempt).status == 200
        self.host.mail.letters.clear()
        self.host.clock.forward(hours=1)

    def run(self, block: Block) -> None:
        """All commands of a block. Raises AssertionError where an answer is not as printed."""
        for command, expected in commands(block.text):
            self._learn_from_letters()
            self.ran += 1
            answer = self.curl(shlex.split(Template(command).substitute(self.words)))
            compare(expected, answer, f"{block}: {command}")
            self._learn_from(answer)
            self.host.clock.forward(seconds=30)

    def curl(self, words: list[str]) -> Answer:
        """The options of curl that our pages use; every other one is a mistake in the page."""
        assert words.pop(0) == "curl", words
        url, body, headers = "", b"", {}
        while words:
            word = words.pop(0)
            if word == "--json":
                body, headers["Content-Type"] = words.pop(0).encode(), "application/json"
            elif word in ("-d", "--data"):
                body, headers["Content-Type"] = words.pop(0).encode(), "application/x-www-form-urlencoded"
            elif word in ("-H", "--header"):
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            elif word not in ("-s", "-i"):
                assert not word.startswith("-"), f"{word} is not known here"
                url = word
        assert url.startswith(ORIGIN), url
        return Client(self.host).send("POST" if body else "GET", url.removeprefix(ORIGIN), body, headers)

    def _learn_from(self, answer: Answer) -> None:
        if not answer.body or "json" not in (answer.header("content-type") or ""):
            return
        given = answer.json
        tokens = given.get("tokens", given)
        found = {
            "ATTEMPT": given.get("attempt"),
            "TOKEN": tokens.get("access_token"),
            "REFRESH": tokens.get("refresh_token"),
            "RECOVERY": next(iter(given.get("codes", ())), None),
            "ID": next((item.get("id") for item in given.get("items", ())), None),
            "KEY": given["key"] if isinstance(given.get("key"), str) else None,
        }
        self.words |= {name: str(value) for name, value in found.items() if value}
        if "secret" in given:
            self._secret = base64.b32decode(given["secret"])

    def _learn_from_letters(self) -> None:
        """What the last letter holds, and what the authenticator app shows now."""
        letter = self.host.mail.letters[-1].words if self.host.mail.letters else {}
        if "code" in letter:
            self.words["CODE"] = letter["code"]
        if self.host.sms.letters:
            self.words["SMS"] = self.host.sms.letters[-1].words.get("code", "")
        if "link" in letter:
            self.words["LINK"] = self.host.mail.token()
        undo = [one.words["undo_link"] for one in self.host.mail.letters if one.words.get("undo_link")]
        if undo:
            self.words["UNDO"] = undo[-1].partition("token=")[2]
        if self._secret:
            now = rfc6238.step_of(self.host.clock.now)
            self.words["TOTP"] = rfc6238.code_at_step(rfc6238.TotpKey(self._secret), now)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """(command, expected answer) of each `$ …` line; a line that ends in a backslash goes on in the next."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.replace("\\\n", " ").partition("\n")
        yield command.strip(), expected.strip()


def compare(expected: str, answer: Answer, where: str) -> None:
    """An answer as printed: JSON; or with `-i` the status line, some header fields, an empty line, JSON."""
    head, _, body = expected.partition("\n\n") if expected.startswith("HTTP/") else ("", "", expected)
    for number, line in enumerate(head.splitlines()):
        if number == 0:
            assert int(line.split()[1]) == answer.status, f"{where}\n{answer.status} {answer.text}"
        else:
            name, _, value = line.partition(": ")
            assert any(_fits(value, sent) for sent in answer.all(name)), f"{where}\n{name}: {answer.all(name)}"
    if not head:
        assert answer.status < 400, f"{where}\n{answer.status} {answer.text}"
    if not body:
        assert answer.body == b"" or head, f"{where}: the answer is not shown\n{answer.text}"
        return
    assert _fits(json.loads(body), answer.json), f"{where}\nprinted {body}\ngiven   {answer.text}"


def _fits(shown: Any, given: Any) -> bool:
    if isinstance(shown, str) and "…" in shown:
        wanted = ".*".join(re.escape(part) for part in shown.split("…"))
        return shown == "…" or (isinstance(given, str) and re.fullmatch(wanted, given, re.DOTALL) is not None)
    if isinstance(shown, dict):
        named = {name: value for name, value in shown.items() if name != "…"}
        complete = "…" in shown or (isinstance(given, dict) and given.keys() == named.keys())
        return isinstance(given, dict) and complete and all(_fits(v, given.get(n)) for n, v in named.items())
    if isinstance(shown, list) and isinstance(given, list):
        if shown and shown[-1] == "…":
            shown, given = shown[:-1], given[: len(shown) - 1]
        return len(shown) == len(given) and all(map(_fits, shown, given))
    return type(shown) is type(given) and bool(shown == given)

"""Every action of a running server, attacked over the wire by who is signed in: one clear problem each, never a 500."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from tests.server.conftest import DOORWARD, Served, environment, serving

ANN, PASSWORD = "ann@example.com", "plenty of brown sparrows"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
LENIENT = {"/auth/token/revoke", "/auth/token/introspect"}  # rule 35: parameters that they do not know are ignored

# What no field of ours takes: of a wrong type, or a text that no honest client sends.
WRONG: tuple[object, ...] = (7.5, {}, [[]], [1], "\x00", "a\x00b", "x" * 20_000, 2**70, -1)
# Of the right type, and yet of nobody honest: what is behind the reading of fields gets to see these.
STRANGE = (
    "' OR 1=1 --",
    "%00",
    "../../etc/passwd",
    "{{7*7}}",
    "$ne",
    "٣٣٣٣٣٣",
    "e\u0301",
    "\ufeff",
    "\U0010ffff",
    "a@b",
    "+1",
    "dwr_x.1.1.x",
    "dwk_x",
    "eyJhbGciOiJub25lIn0.e30.",
    "A" * 43,
    "A" * 254,
    "\u202e",
    "ß" * 30,
    "(),;<>[]@example.com",
)
# And bodies that are no JSON object of ours, as they go over the wire.
BROKEN = (
    b'{"%s": "\\ud800"}',
    b'{"%s": "\\udfff\\ud800"}',
    b'{"%s": "a\\u0000b"}',
    b'{"%s": NaN}',
    b'{"%s": 1e999}',
    b'{"%s": "a", "%s": "b"}',
    b'{"%s": "a", "%s": "a"}',
    b'{"%s": ' + b"[" * 2000 + b"]" * 2000 + b"}",
    b'{"%s": ' + b'{"a":' * 9 + b"1" + b"}" * 9 + b"}",
    b'{"%s": "\xff\xfe"}',
    b'{"%s": ' + b"9" * 20_000 + b"}",
    b'["%s"]',
    b'"%s"',
    b'{"%s": "a"',
    b"%s",
    b" ",
)


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    asked: str

    def problem(self, *statuses: int) -> Any:
        """Of this answer, which must be one of these refusals, as the contract writes them."""
        assert self.status in statuses, (self.asked, self.status, self.body[:300])
        assert self.headers.get("content-type") == "application/problem+json", (self.asked, self.headers)
        assert self.headers["cache-control"] == "no-store", self.asked
        problem = json.loads(self.body)
        assert problem["status"] == self.status, self.asked
        assert problem["type"].endswith(f"/{problem['reason']}"), self.asked
        assert problem["detail"], self.asked
        return problem


@dataclass
class Target:
    """A server, and how somebody who is signed in there is known."""

    served: Served
    cookie: str
    bearer: str
    document: Any
    asked: int = field(default=0)

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        self.asked += 1
        sent = {"Host": f"localhost:{self.served.port}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection = self.served.connection()
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read(), f"{method} {path} {body[:80]!r}")
        finally:
            connection.close()

    def act(self, path: str, body: bytes) -> Answer:
        return self.send("POST", path, body, Content_Type=JSON, Authorization=f"Bearer {self.bearer}")

    def operations(self, method: str) -> Iterator[tuple[str, Any]]:
        for path, methods in self.document["paths"].items():
            if method in methods:
                yield path, methods[method]

    def writes(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Path and fields of each action that is a POST."""
        for path, operation in self.operations("post"):
            yield path, operation["requestBody"]["content"][JSON]["schema"]["properties"]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("attacked")
    with serving(folder) as run:
        served = run()
        add = [*DOORWARD, "user", "add", ANN]
        subprocess.run(add, cwd=folder, env=environment(folder), input=PASSWORD.encode(), check=True, timeout=60)
        tokens = served.post("/auth/sign-in/password", identifier=ANN, password=PASSWORD, issue="tokens")[1]["tokens"]
        assert served.post("/auth/sign-in/password", identifier=ANN, password=PASSWORD)[0] == 200
        cookie = "; ".join(f"{name}={value}" for name, value in served.cookies.items())
        yield Target(served, cookie, tokens["access_token"], served.get("/auth/openapi.json")[1])
        assert "Traceback" not in served.output


@pytest.fixture(autouse=True)
def still_signed_in(target: Target) -> Iterator[None]:
    """Nothing here has ended, or changed, what Ann has."""
    yield
    for known in ({"Cookie": target.cookie}, {"Authorization": f"Bearer {target.bearer}"}):
        answer = target.send("GET", "/auth/session", **known)
        assert (answer.status, json.loads(answer.body)["user"]["email"]) == (200, ANN)


def test_a_field_that_an_action_does_not_have(target: Target) -> None:
    for path, fields in target.writes():
        for name in {"user_id", "is_admin", "__proto__", "self", "call", ""} - set(fields):
            problem = target.act(path, json.dumps({name: True}).encode()).problem(400)
            assert name in named(problem) or path in LENIENT, (path, problem)


def named(problem: Any) -> list[str]:
    return [error["field"] for error in problem.get("errors", [])]


def test_values_that_no_field_takes(target: Target) -> None:
    for path, fields in target.writes():
        for name in fields:
            for value in WRONG:
                if _may_be(fields[name]["type"], value):
                    continue
                problem = target.act(path, json.dumps({name: value}).encode()).problem(400)
                assert {name, ""} & {*named(problem)}, (path, name, value, problem)


def test_texts_that_no_honest_client_sends(target: Target) -> None:
    for path, fields in target.writes():
        texts = [name for name, schema in fields.items() if "string" in schema["type"] and "enum" not in schema]
        given: dict[str, Any] = {name: {} for name, schema in fields.items() if schema["type"] == "object"}
        given |= {name: ["x"] for name, schema in fields.items() if schema["type"] == "array"}
        for strange in STRANGE if texts else ():
            answer = target.act(path, json.dumps({**given, **dict.fromkeys(texts, strange)}).encode())
            assert answer.status < 500, (answer.asked, answer.body)
            if answer.status >= 400:
                answer.problem(400, 401, 403, 404, 409, 429)


def _may_be(kinds: str | list[str], value: object) -> bool:
    """A number out of bounds and an object of anything are looked at by the action, with the rest of its fields."""
    return (value == {} and "object" in kinds) or (isinstance(value, int) and "integer" in kinds)


def test_bodies_that_are_no_object_of_ours(target: Target) -> None:
    for path, fields in target.writes():
        name = next(iter(fields), "none").encode()
        for broken in BROKEN:
            problem = target.act(path, broken.replace(b"%s", name)).problem(400)
            assert problem["reason"] == "invalid_input", (path, broken[:60])


def test_a_megabyte_is_too_large_for_all(target: Target) -> None:
    for path, fields in target.writes():
        name = next(iter(fields), "none")
        body = json.dumps({name: "x" * 1_000_000}).encode()
        assert target.act(path, body).problem(413)["reason"] == "too_large"


def test_types_that_no_action_takes(target: Target) -> None:
    for path, _ in target.writes():
        for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json; charset=utf-16", ""):
            answer = target.send("POST", path, b"{}", Content_Type=kind, Authorization=f"Bearer {target.bearer}")
            assert answer.problem(415)["reason"] == "unsupported_type", path


def test_another_site_makes_nobody_do_anything(target: Target) -> None:
    own = f"http://localhost:{target.served.port}"
    elsewhere = (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": own.replace("localhost", "127.0.0.1")},
        {"Origin": own + ".evil.example"},
        {"Origin": own, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    )
    for path, _ in target.writes():
        for headers in elsewhere:
            for kind, body in ((JSON, b"{}"), (FORM, b""), (FORM, b"csrf_token=x")):
                answer = target.send("POST", path, body, Content_Type=kind, Cookie=target.cookie, **headers)
                assert answer.problem(403)["reason"] == "csrf_failed", (path, headers, kind)


def test_a_form_without_its_token(target: Target) -> None:
    own = {"Origin": f"http://localhost:{target.served.port}", "Sec-Fetch-Site": "same-origin"}
    for path, _ in target.writes():
        for body in (b"", b"csrf_token=", b"csrf_token=x", b"csrf_token=%00", b"csrf_token=" + b"A" * 4000):
            answer = target.send("POST", path, body, Content_Type=FORM, Cookie=target.cookie, **own)
            answer.problem(400, 403, 415)


def test_other_methods_and_other_spellings(target: Target) -> None:
    reads, writes = dict(target.operations("get")), dict(target.operations("post"))
    pages = {"GET"}
    for path in reads | writes:
        for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"):
            answer = target.send(method, path, Cookie=target.cookie)
            assert answer.status == 405, answer.asked
            allowed = set(answer.headers["allow"].split(", "))
            assert allowed - pages == ({"POST"} if path in writes else set()), answer.asked
        for spelled in (path + "/", path + "//", path + "%2F", path.upper(), path + "%00", path + ";x", path + ".json"):
            answer = target.send("POST", spelled, b"{}", Content_Type=JSON, Authorization=f"Bearer {target.bearer}")
            answer.problem(404)


def test_queries_of_reads(target: Target) -> None:
    for path, operation in target.operations("get"):
        names = [argument["name"] for argument in operation["parameters"]]
        for query in ("nonsense=1", "a=1&a=2", "%ff=1", "=", "a" * 5000, *(f"{n}=1&{n}=1" for n in names)):
            target.send("GET", f"{path}?{query}", Cookie=target.cookie).problem(400)
        for name in names:
            for value in ("", "\x00", "\ud7ff", "x" * 3000, "-1", "1e3", "../../x", "٣", "\r\nSet-Cookie: a=b"):
                answer = target.send("GET", f"{path}?{name}={quote(value)}", Cookie=target.cookie)
                assert answer.status < 500, answer.asked
                assert "a" not in answer.headers.get("set-cookie", ""), answer.asked


def test_it_was_all_of_them(target: Target) -> None:
    assert len(dict(target.writes())) > 50
    assert target.asked > 3000

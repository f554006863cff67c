"""Input that nobody honest sends: one clear problem each, never a 500, and nothing written."""

from __future__ import annotations

import json

from tests.scenarios.client import FORM, Answer, Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, sign_up

GOOD = {"email": "eve@example.com", "password": PASSWORD}


def refused(answer: Answer, status: int, reason: str, field: str | None = None) -> None:
    assert answer.status == status, answer.text
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("cache-control") == "no-store"
    problem = answer.json
    assert (problem["status"], problem["reason"]) == (status, reason)
    assert problem["type"].endswith(f"/{reason}")
    if field is not None:
        assert [error["field"] for error in problem["errors"]] == [field]


CHANGES: list[tuple[dict[str, object], str | None]] = [
    ({"admin": True}, "admin"),
    ({"user_id": "1"}, "user_id"),
    ({"email": None}, "email"),
    ({"password": True}, "password"),
    ({"password": 15 * [1]}, "password"),
    ({"password": {"$ne": ""}}, "password"),
    ({"email": True}, "email"),
    ({"email": 7}, "email"),
    ({"email": ""}, "email"),
    ({"email": "a" * 255 + "@example.com"}, "email"),
    ({"email": "eve@example.com\r\nBcc: all@example.com"}, "email"),
    ({"name": "Eve\r\nSet-Cookie: a=b"}, "name"),
    ({"name": "Eve\u202egnp.exe"}, "name"),
    ({"password": "p" * 10_000}, "password"),
    ({"password": "short"}, None),
    ({"issue": "admin"}, "issue"),
    ({"attempt": 1}, None),
]


def test_a_field_that_is_not_as_it_should_be(host: InProcessHost) -> None:
    for change, field in CHANGES:
        answer = Client(host).post("/sign-up", **{**GOOD, **change})
        assert answer.status == 400, (change, answer.text)
        if field is not None:
            refused(answer, 400, "invalid_input", field)
    assert host.mail.letters == []


BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"1e999",
    b'{"email": NaN}',
    b'{"email": Infinity}',
    b'{"email": "a@example.com", "email": "b@example.com"}',
    b'{"email": "\\ud800"}',
    b'{"email": "a\\u0000b@example.com"}',
    b'{"\\ud800": 1}',
    b'{"email": "\xff"}',
    b"\xef\xbb\xbf{}",
    b'{"email": ' + b"[" * 9 + b"]" * 9 + b"}",
    b"[" * 30_000,
    b'{"a":' * 10_000,
    b'{"email": ' + b"9" * 30_000 + b"}",
    b"\x00" * 100,
    "{}".encode("utf-16"),
]


def test_a_body_that_is_no_json_object(host: InProcessHost) -> None:
    for body in BODIES:
        refused(Client(host).raw("/sign-up", body), 400, "invalid_input")


def test_a_megabyte_is_too_large(host: InProcessHost) -> None:
    refused(Client(host).raw("/sign-up", b"{" + b" " * 1_000_000 + b"}"), 413, "too_large")
    most = json.dumps(GOOD).encode()
    assert Client(host).raw("/sign-up", most + b" " * (64 * 1024 - len(most))).status == 202
    refused(Client(host).raw("/sign-up", most + b" " * (64 * 1024 - len(most) + 1)), 413, "too_large")


TYPES = [
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "x",
    "a/b",
]


def test_types_that_are_not_taken(host: InProcessHost) -> None:
    for kind in TYPES:
        refused(Client(host).raw("/sign-up", json.dumps(GOOD).encode(), kind), 415, "unsupported_type")


def test_forms_are_as_closed_as_json(host: InProcessHost) -> None:
    ann = Browser(host)
    token = ann.page("/sign-up").hidden("csrf_token")
    for fields in ("email=a&email=b", "email=%ff", "nonsense", "email=a;password=b", "=", "&".join(["a=b"] * 200)):
        answer = ann.raw("/sign-up", f"csrf_token={token}&{fields}".encode(), FORM)
        assert answer.status == 400, fields
        assert answer.reason == "invalid_input"
    unknown = ann.raw("/sign-up", f"csrf_token={token}&email={ANN}&password=x&admin=1".encode(), FORM)
    assert "admin" in [error["field"] for error in unknown.json["errors"]]


PATHS = [
    "/auth/sign-in/password/",
    "/auth//sign-in/password",
    "/auth/sign-in//password",
    "/auth/sign-in%2Fpassword",
    "/auth/Sign-In/password",
    "/auth/sign-in/./password",
    "/auth/sign-in/../sign-in/password",
    "/auth/sign-in/password;x=1",
    "/auth/sign-in/password%00",
    "/auth/sign%2din/password",
    "/auth/sign_in/password",
    "/auth/nothing",
    "/auth",
    "//auth/sign-in/password",
    "/auth/static/../../pyproject.toml",
    "/auth/static/%2e%2e/assembly.py",
]


def test_no_path_is_normalised(host: InProcessHost) -> None:
    sign_up(host)
    body = json.dumps({"identifier": ANN, "password": PASSWORD}).encode()
    for path in PATHS:
        answer = Client(host).send("POST", path, body, {"Content-Type": "application/json"})
        assert answer.status in (404, 405), (path, answer.text)
        assert answer.cookies == {}, path


def test_other_methods_are_told_which(host: InProcessHost) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "post", "BREW"):
        answer = Client(host).send(method, "/auth/sign-out")
        assert answer.status == 405, method
        assert answer.header("allow") == "POST"
    assert Client(host).send("HEAD", "/auth/session").header("allow") == "GET"
    assert Client(host).send("DELETE", "/auth/sign-up").header("allow") == "GET, POST"


def test_queries_are_closed_too(host: InProcessHost) -> None:
    ann = sign_up(host)
    refused(ann.send("GET", "/auth/sessions/list?x=1"), 400, "invalid_input", "x")
    refused(ann.send("GET", "/auth/session?a=1&a=2"), 400, "invalid_input", "a")
    refused(ann.send("GET", "/auth/session?" + "a" * 5000), 400, "invalid_input")
    refused(ann.send("GET", "/auth/session?%ff=1"), 400, "invalid_input")
    body = json.dumps({"identifier": ANN, "password": PASSWORD}).encode()
    url = "/auth/sign-in/password?remember=true"
    refused(Client(host).send("POST", url, body, {"Content-Type": "application/json"}), 400, "invalid_input")


def test_cookies_that_make_no_sense_are_nobodys(host: InProcessHost) -> None:
    ann = sign_up(host)
    for cookie in (
        "session=../../x",
        "=x",
        ";;;",
        "__Host-doorward=",
        f"__Host-doorward={'x' * 5000}",
        "é=é",
        "a" * 6000,
    ):
        assert Client(host).get("/session", headers={"Cookie": cookie}).status == 401, cookie
        assert Client(host).send("GET", "/who", headers={"Cookie": cookie}).json == {"email": None}
    twice = f"__Host-doorward={ann.session}; __Host-doorward={ann.session}"
    refused(Client(host).get("/session", headers={"Cookie": twice}), 400, "invalid_input")
    assert Client(host).send("GET", "/who", headers={"Cookie": twice}).json == {"email": None}
    assert Client(host).send("GET", "/closed", headers={"Cookie": twice}).status == 400
    other_case = f"__HOST-doorward={ann.session}"
    assert Client(host).get("/session", headers={"Cookie": other_case}).status == 401

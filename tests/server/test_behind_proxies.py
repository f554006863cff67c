"""Applications that know no sign-in, behind a real nginx and a real Caddy that ask the server: as forward_auth.md says.

ORIGIN and another host; every test on both proxies.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from tests.examples.pages import ROOT, blocks
from tests.server.conftest import serving
from tests.server.proxied import NAVIGATES, PAGE, PASSWORD, Ground, Person, application, identity
from tests.services.processes import free_port
from tests.services.proxies import caddy_on, nginx_on

DOCUMENT = ROOT / "docs" / "features" / "forward_auth.md"


def documented(language: str, **places: object) -> list[str]:
    """The blocks of the page, with the tests' ports in the place of those that it names."""
    found = [block.text for block in blocks(DOCUMENT, language)]
    for place, port in (("8000", places["doorward"]), ("3000", places["app"]), ("3001", places["wiki"])):
        assert any(f"127.0.0.1:{place}" in text for text in found)
        found = [text.replace(f"127.0.0.1:{place}", f"127.0.0.1:{port}") for text in found]
    return found


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    home, port = tmp_path_factory.mktemp("behind"), free_port()
    settings = {
        "ORIGIN": f"http://app.localhost:{port}",
        "PROTECTED_ORIGINS": f"http://wiki.localhost:{port}",
        "TRUSTED_PROXIES": "127.0.0.1/32",
    }
    with ExitStack() as stack:
        apps = {name: stack.enter_context(application()) for name in ("app", "wiki")}
        served = stack.enter_context(serving(home))(**settings)
        stack.enter_context(_proxy(request.param, home, port, doorward=served.port, **apps))
        ground = Ground(port, home, settings)
        ground.doorward("user", "add", "ann@example.com", stdin=PASSWORD)
        yield ground


def _proxy(name: str, home: Path, port: int, **places: int) -> ExitStack:
    stack = ExitStack()
    if name == "nginx":
        common, servers = documented("nginx", **places)
        servers = servers.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};").replace(".example.com", ".localhost")
        stack.enter_context(nginx_on(home, port, servers, {"doorward.conf": common}))
        return stack
    (sites,) = documented("caddy", **places)
    for host in ("app", "wiki"):
        sites = sites.replace(f"{host}.example.com {{", f"http://{host}.localhost:{port} {{")
    stack.enter_context(caddy_on(home, port, sites))
    return stack


@pytest.fixture
def person(ground: Ground) -> Person:
    """Ann, who has an account and is not signed in."""
    return Person(ground)


def test_a_page_from_sign_in_to_sign_out(ground: Ground, person: Person) -> None:
    page = ground.app + PAGE
    status, headers, _ = person.open(page)
    assert (status, headers["location"]) == (303, f"{ground.app}/auth/sign-in?return_to={quote(page, safe='')}")
    assert person.open(headers["location"])[0] == 200
    answer = person.sign_in(return_to=page)
    assert answer["return_to"] == page
    status, _, text = person.open(page)
    assert (status, json.loads(text)[0]) == (200, PAGE)
    assert identity(text) == {
        "x-auth-user": [answer["user"]["id"]],
        "x-auth-email": ["ann@example.com"],
        "x-auth-session": [answer["session"]["id"]],
        "x-auth-aal": ["1"],
    }
    assert person.send("POST", f"{ground.app}/books/7", body={"stars": 5})[0] == 200
    kept = {host: dict(jar) for host, jar in person.jars.items()}
    assert person.post(f"{ground.app}/auth/sign-out")[0] == 204
    person.jars = kept
    assert person.open(page)[0] == 303


def test_a_role_that_is_demanded_given_and_taken(ground: Ground, person: Person) -> None:
    person.sign_in()
    editors = f"{ground.app}/editors/"
    assert person.open(editors)[0] == 403
    ground.doorward("role", "add", "editor")
    ground.doorward("user", "grant", "ann@example.com", "editor")
    time.sleep(0.7)
    status, _, text = person.open(editors)
    assert (status, identity(text)["x-auth-roles"]) == (200, ["editor"])
    ground.doorward("user", "revoke", "ann@example.com", "editor")
    time.sleep(0.7)
    assert person.open(editors)[0] == 403
    assert person.open(ground.app + PAGE)[0] == 200


def test_another_host_from_sign_in_to_sign_out(ground: Ground, person: Person) -> None:
    page = ground.wiki + PAGE
    way, status, _ = person.go(page)
    assert status == 200
    assert [url.partition("?")[0] for url in way[1:]] == [
        f"{ground.wiki}/auth/depart",
        f"{ground.app}/auth/hand-over",
        f"{ground.app}/auth/sign-in",
    ]
    answer = person.sign_in()
    way, status, text = person.go(page)
    assert (status, way[-1], json.loads(text)[0]) == (200, page, PAGE)
    assert len(way) == 5
    assert identity(text)["x-auth-session"] == [answer["session"]["id"]]
    code = way[-2]
    assert person.open(code)[0] == 400
    assert Person(ground).open(code)[0] == 400
    stolen = Person(ground, {f"app.localhost:{ground.port}": person.jars[f"wiki.localhost:{ground.port}"]})
    assert stolen.open(ground.app + PAGE)[0] == 303
    assert person.open(f"{ground.wiki}/auth/")[0] == 404
    kept = {host: dict(jar) for host, jar in person.jars.items()}
    assert person.post(f"{ground.wiki}/auth/sign-out")[0] == 204
    person.jars = kept
    time.sleep(0.7)
    assert person.open(page)[0] == 303
    assert person.open(ground.app + PAGE)[0] == 303


def test_a_browser_is_signed_in_at_both_by_one_form(ground: Ground, page: Page) -> None:
    """Real cookies, and a content policy that lets the form's answer lead to the other host."""
    page.goto(ground.wiki + PAGE)
    assert page.url.startswith(f"{ground.app}/auth/sign-in?")
    page.get_by_label("E-mail address or user name").fill("ann@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(ground.wiki + PAGE)
    assert identity(page.inner_text("body"))["x-auth-email"] == ["ann@example.com"]
    page.goto(ground.app + PAGE)
    assert page.url == ground.app + PAGE
    cookies = page.context.cookies()
    assert {cookie["domain"] for cookie in cookies} == {"app.localhost", "wiki.localhost"}
    assert all(cookie["httpOnly"] for cookie in cookies)
    page.goto(ground.wiki + PAGE)
    left = page.evaluate(
        """async () => (await fetch("/auth/sign-out", {method: "POST", body: "{}",
           headers: {"Content-Type": "application/json"}})).status"""
    )
    assert left == 204
    page.goto(ground.app + PAGE)
    assert page.url.startswith(f"{ground.app}/auth/sign-in?")


def test_scripts_and_forms_get_the_401(ground: Ground, person: Person) -> None:
    for url in (ground.app + PAGE, ground.wiki + PAGE):
        for method, headers in (("GET", {"Sec-Fetch-Mode": "cors"}), ("POST", NAVIGATES), ("GET", {})):
            status, answered, _ = person.send(method, url, *headers.items())
            assert (status, answered.get("location")) == (401, None)


def test_what_a_client_says_of_itself_does_not_arrive(ground: Ground, person: Person) -> None:
    """PROXY-04."""
    forged = [
        ("X-Auth-User", "root"),
        ("x-auth-email", "root@example.com"),
        ("X-Auth-Roles", "admin"),
        ("X-Auth-Roles", "editor"),
        ("X_Auth_Roles", "admin"),
        ("X-Auth_Roles", "admin"),
        ("X_Auth-User", "root"),
        ("X-Auth-Aal", "3"),
        ("X-Original-URL", "https://evil.example/"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Uri", "//evil.example/"),
        ("X-Forwarded-Method", "GET"),
    ]
    hop = ("Connection", "close, X-Auth-User, X-Auth-Roles, Cookie")
    for host in (ground.app, ground.wiki):
        status, headers, _ = person.send("GET", host + PAGE, *forged, hop, *NAVIGATES.items())
        assert (status, "evil" in headers["location"]) == (303, False)
    answer = person.sign_in()
    status, _, text = person.send("GET", ground.app + PAGE, *forged)
    told = identity(text)
    assert (status, told["x-auth-user"], told["x-auth-aal"]) == (200, [answer["user"]["id"]], ["1"])
    assert told["x-auth-email"] == ["ann@example.com"]
    for more in ([], [hop]):
        status, _, text = person.send("GET", ground.app + PAGE, *forged, *more)
        assert status == 200 or (more and status == 401)  # a proxy may drop the cookie that `Connection` names
        assert "root" not in text
        assert "admin" not in text
    assert person.send("GET", f"{ground.app}/editors/", *forged)[0] == 403


def test_a_host_that_is_nobodys_opens_nothing(ground: Ground, person: Person) -> None:
    person.sign_in()
    person.jars[f"evil.localhost:{ground.port}"] = person.jars[f"app.localhost:{ground.port}"]
    status, _, text = person.open(f"http://evil.localhost:{ground.port}{PAGE}")
    assert not (status == 200 and "ann@example.com" in text)


@pytest.mark.parametrize("path", ["/_doorward", "/_doorward_editors", "/@sign_in"])
def test_what_is_internal_is_no_address(ground: Ground, person: Person, path: str) -> None:
    assert person.open(ground.app + path)[0] in (303, 404)


@pytest.mark.parametrize("proxy", ["nginx", "caddy"])
def test_a_doorward_that_is_away_lets_nobody_in(proxy: str, tmp_path: Path) -> None:
    port = free_port()
    with application() as app, _proxy(proxy, tmp_path, port, doorward=free_port(), app=app, wiki=app):
        ground = Ground(port, tmp_path, {})
        for host in (ground.app, ground.wiki):
            assert Person(ground).open(host + PAGE)[0] in (500, 502)

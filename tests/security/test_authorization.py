"""Attacks on who may do what: spellings of a closed path, and lists that might show somebody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorward.core.rights import INVITE
from doorward.features import invitations, roles
from doorward.features.roles import add_role
from doorward.server import people
from doorward.testing.doubles import House
from tests.features.people import PASSWORD, signed_up, with_totp
from tests.http.bare import Bare
from tests.scenarios.client import Browser


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, "/roles/grant") for method in ("GET", "HEAD", "PUT", "OPTIONS", "post")]
    + [
        ("POST", path)
        for path in (
            "/roles/grant/",
            "/roles/grant.",
            "/roles//grant",
            "/roles/./grant",
            "/Roles/grant",
            "/roles/GRANT",
            "/roles%2Fgrant",
            "/roles/grant%20",
            "/roles/grant;x=1",
            "/roles/grant?x=1",
            "/roles/grant%00",
            "/static/../roles/grant",
            "/ｒoles/grant".encode().decode("latin-1"),
        )
    ],
)
def test_no_spelling_of_a_path_opens_what_needs_a_role(method: str, path: str) -> None:
    """AUTHZ-09."""
    host = Bare()
    browser = Browser(host)
    browser.post("/sign-up", email="ann@example.com", password=PASSWORD)
    user_id = browser.post("/email/verify", code=host.mail.code()).json["user"]["id"]
    body = json.dumps({"user_id": user_id, "role": "admin"}).encode()
    answer = browser.send(method, "/auth" + path, body, {"Content-Type": "application/json"})
    assert answer.status in (400, 403, 404, 405)
    assert browser.get("/session").json["user"]["roles"] == []


def test_every_list_is_ones_own(house: House) -> None:
    """AUTHZ-12: whoever one is, what lists show is one's own, but roles, which are the installation's."""
    ann, bob = signed_up(house), signed_up(house, "bob@example.com")
    with_totp(bob)
    with_totp(ann)
    house.run(add_role, "host", [INVITE])
    for guest, email in ((ann, "ann@example.com"), (bob, "bob@example.com")):
        house.run(people.grant_role, email, "host")
        house.clock.forward(seconds=1)
        guest.do(invitations.create, email="carl@example.com")
    lists = [
        each
        for each in house.doorward.actions.values()
        if each.name.endswith(".list") and each.method == "GET" and each is not roles.list_roles
    ]
    assert {each.name for each in lists} >= {"sessions.list", "totp.list", "invitations.list"}
    for each in lists:
        names = [{name_of(item) for item in guest.do(each).items} for guest in (ann, bob)]
        assert not names[0] & names[1], each.name


def name_of(item: Any) -> str:
    """What an item is called by: an id, or an address."""
    item = getattr(item, "session", item)
    return str(item.id if hasattr(item, "id") else item.email)

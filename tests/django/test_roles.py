"""Roles are the project's groups, permissions are Django's, and `has_perm` says what it always said."""

import pytest
from django.contrib.auth.models import Group, Permission

from tests.django.test_user_models import site_for
from tests.django.test_users import make
from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts.base import InProcessHost
from tests.scenarios.people import sign_in, sign_up


def group(name: str, *permissions: str) -> Group:
    made = Group.objects.create(name=name)
    for permission in permissions:
        app, _, codename = permission.partition(".")
        made.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return made


def signed_in(site: InProcessHost, username: str = "ann", **more):
    user, browser = make(username, **more), Browser(site)
    assert sign_in(browser, username).status == 200
    return user, browser


def test_a_permission_of_a_group_opens_what_asks_for_it_at_once(site: InProcessHost) -> None:
    ann, browser = signed_in(site)
    refused = browser.send("GET", "/permitted")
    assert (refused.status, refused.reason) == (403, "not_permitted")
    ann.groups.add(group("clerks, first class", "people.change_member"))
    assert browser.send("GET", "/permitted").text == "yes"
    assert browser.get("/session").json["user"]["roles"] == ["clerks, first class"]
    ann.groups.clear()
    assert browser.send("GET", "/permitted").status == 403
    ann.user_permissions.add(Permission.objects.get(codename="change_member"))
    assert browser.send("GET", "/permitted").text == "yes"


def test_a_superuser_may_do_everything_and_a_group_called_admin_nothing(site: InProcessHost) -> None:
    ann, browser = signed_in(site)
    ann.groups.add(group("admin"))
    assert browser.send("GET", "/permitted").status == 403
    assert browser.get("/roles/list").status == 403
    ann.is_superuser = True
    ann.save()
    assert browser.send("GET", "/permitted").text == "yes"
    assert browser.get("/roles/list").json["items"] == [{"name": "admin", "permissions": [], "everything": False}]
    assert browser.send("GET", "/editors").status == 403, "a role is had or not, whatever else one may do"


def test_roles_given_by_the_api_are_groups(site: InProcessHost) -> None:
    _, boss = signed_in(site, "boss", is_superuser=True)
    ann, browser = signed_in(site)
    group("editor", "people.change_member")
    user_id = str(ann.pk)
    for _ in range(2):
        assert boss.post("/roles/grant", user_id=user_id, role="editor").status == 204
    assert [each.name for each in ann.groups.all()] == ["editor"]
    assert browser.send("GET", "/editors").text == "editors"
    assert boss.post("/roles/revoke", user_id=user_id, role="editor").status == 204
    assert boss.post("/roles/revoke", user_id=user_id, role="editor").status == 404
    assert boss.post("/roles/grant", user_id=user_id, role="nobody made it").status == 404
    assert browser.send("GET", "/editors").status == 403


def test_who_may_give_roles_gives_none_with_more_than_they_have(site: InProcessHost) -> None:
    mia, browser = signed_in(site, "mia")
    mia.groups.add(group("managers", "doorward.roles", "people.view_member"))
    group("readers", "people.view_member")
    group("editor", "people.view_member", "people.change_member")
    ann = make("bea")
    assert browser.post("/roles/grant", user_id=str(ann.pk), role="readers").status == 204
    for user in (ann, mia):
        assert browser.post("/roles/grant", user_id=str(user.pk), role="editor").status == 403
    assert [each.name for each in ann.groups.all()] == ["readers"]
    # The last one who can give roles stays; where there is a superuser, she may go.
    last = browser.post("/roles/revoke", user_id=str(mia.pk), role="managers")
    assert (last.status, last.reason) == (409, "last_administrator")
    assert mia.groups.count() == 1
    make("boss", is_superuser=True)
    assert browser.post("/roles/revoke", user_id=str(mia.pk), role="managers").status == 204
    assert browser.get("/roles/list").status == 403


def test_the_last_who_can_give_roles_does_not_go(site: InProcessHost) -> None:
    """Superusers count, and whoever has the permission by a group or by themselves; not those who are closing."""
    _, boss = signed_in(site, "boss", is_superuser=True)
    refused = boss.post("/account/close")
    assert (refused.status, refused.reason) == (409, "last_administrator")
    assert boss.get("/session").status == 200
    mia, browser = signed_in(site, "mia")
    mia.user_permissions.add(Permission.objects.get(codename="roles", content_type__app_label="doorward"))
    assert boss.post("/account/close").status == 200
    assert browser.post("/account/close").reason == "last_administrator"
    page = browser.form("/account/close", page="/account/close")
    assert (page.status, "You are the last administrator" in page.text) == (409, True)
    make("idle", is_superuser=True, is_active=False)
    assert browser.post("/account/close").reason == "last_administrator"
    make("other", is_superuser=True)
    assert browser.post("/account/close").status == 200


def test_programs_are_told_what_is_missing(site: InProcessHost) -> None:
    make()
    program = Client(site)
    program.bearer = sign_in(program, issue="tokens").json["tokens"]["access_token"]
    refused = program.send("GET", "/permitted")
    assert (refused.status, 'error="insufficient_scope"' in refused.header("www-authenticate")) == (403, True)


@pytest.fixture
def member_site():
    yield from site_for("people.Member")


def test_users_without_groups_have_no_roles(member_site: InProcessHost) -> None:
    browser = sign_up(member_site)
    assert browser.get("/session").json["user"]["roles"] == []
    assert browser.send("GET", "/permitted").status == 403
    assert browser.send("GET", "/editors").status == 403

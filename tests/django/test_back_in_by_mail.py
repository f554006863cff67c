"""The project's users come back in by mail, as the project knows them."""

import pytest
from django.contrib.auth import get_user_model

from tests.django.test_users import make, stored
from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts.base import InProcessHost
from tests.scenarios.people import OTHER_PASSWORD, PASSWORD, sign_in


@pytest.mark.parametrize("password", [PASSWORD, None], ids=["with a password", "who never had one"])
def test_a_user_from_before_resets_by_the_projects_address(site: InProcessHost, password: str | None) -> None:
    ann = make(password=password)
    browser = Browser(site)
    assert browser.post("/password/forgot", email="Ann@example.com").status == 202
    assert site.mail.last.to == "ann@example.com"
    done = browser.post("/password/reset", code=site.mail.code(), new_password=OTHER_PASSWORD)
    assert (done.status, done.json["user"]["id"]) == (200, str(ann.pk)), done.text
    assert browser.send("GET", "/who").json == {"email": "ann@example.com"}
    stored(ann)
    assert ann.check_password(OTHER_PASSWORD)
    assert sign_in(Client(site), "ann", OTHER_PASSWORD).status == 200


def test_the_address_is_the_projects_of_this_moment(site: InProcessHost) -> None:
    ann = make()
    browser = Browser(site)
    browser.post("/password/forgot", email="ann@example.com")
    code, token = site.mail.code(), site.mail.token()
    get_user_model().objects.filter(pk=ann.pk).update(email="new@example.com")
    assert browser.post("/password/reset", code=code, new_password=OTHER_PASSWORD).reason == "wrong_code"
    assert Browser(site).post("/password/reset", token=token, new_password=OTHER_PASSWORD).reason == "invalid_token"
    letters = len(site.mail.letters)
    browser.post("/password/forgot", email="ann@example.com")
    assert len(site.mail.letters) == letters


def test_users_who_share_an_address_have_a_link_each(site: InProcessHost) -> None:
    people = [make(name, email="shared@example.com") for name in ("ann", "ben")]
    make("cat", email="shared@example.com", is_active=False)
    Browser(site).post("/password/forgot", email="shared@example.com")
    assert [letter.words["username"] for letter in site.mail.letters] == ["ann", "ben"]
    link = site.mail.last.words["link"].partition("/auth")[2]
    page = Browser(site).page(link)
    assert "ben" in page.text
    assert Browser(site).post("/password/reset", token=page.hidden("token"), new_password=OTHER_PASSWORD).status == 200
    assert [stored(person) != "" and person.check_password(OTHER_PASSWORD) for person in people] == [False, True]


def test_who_is_not_active_gets_nothing(site: InProcessHost) -> None:
    make(is_active=False)
    answer = Browser(site).post("/password/forgot", email="ann@example.com")
    assert (answer.status, site.mail.letters) == (202, [])

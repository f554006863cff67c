"""Laws of the account area: its pages say themselves where they stand, and the navigation says where one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.core.action import Needs
from doorward.core.feature import Feature, Page
from doorward.http.pages import Pages
from doorward.locale import _
from doorward.presets import standard
from tests.http.bare import Bare
from tests.http.documents import Document, Element
from tests.http.visits import ADDRESS, give, send, signed_up, tour, with_app

PAGES = Pages()


@pytest.fixture
def host() -> Bare:
    return Bare(views=PAGES)


def entries(document: Document) -> dict[str, str]:
    """Where the navigation leads, and what it says of being there."""
    return {link.get("href"): link.get("aria-current") for link in links_in(document, "Your account")}


def links_in(document: Document, name: str) -> list[Element]:
    navs = [nav for nav in document.all("nav") if nav.get("aria-label") == name]
    if not navs:
        return []
    start = document.elements.index(navs[0])
    after = document.elements[start + 1 :]
    ends = next((at for at, e in enumerate(after) if e.tag in ("nav", "main")), len(after))
    return [element for element in after[:ends] if element.tag == "a"]


def test_the_navigation_is_on_every_page_of_the_area_and_says_where_one_is(host: Bare) -> None:
    ann = signed_up(host)
    shown = [page for page in host.doorward.pages.values() if page.area is not None and not page.permission]
    assert len(shown) > 10
    for page in shown:
        found = entries(Document(ann.page(page.path).text))
        assert list(found) == ["/auth/", "/auth/account", "/auth/security", "/auth/sessions", "/auth/api-keys"]
        current = {path: said for path, said in found.items() if said}
        assert current == {f"/auth/{page.area}": "page" if page.leads else "true"}, page.path


def test_a_page_below_another_leads_back_to_it(host: Bare) -> None:
    ann = signed_up(host)
    back = links_in(Document(ann.page("/totp").text), "Breadcrumb")
    assert [link.get("href") for link in back] == ["/auth/security"]
    assert links_in(Document(ann.page("/security").text), "Breadcrumb") == []


def test_what_needs_a_permission_is_there_for_who_has_it(host: Bare) -> None:
    ann = signed_up(host)
    for path in ("/invitations", "/invitations/create"):
        assert ann.page(path).status == 403
    assert "/auth/invitations" not in ann.page("/").text
    give(host, ADDRESS, "host", "doorward.invite")
    assert list(entries(Document(ann.page("/").text)))[-1] == "/auth/invitations"
    assert entries(Document(ann.page("/invitations/create").text))["/auth/invitations"] == "true"


def test_nobody_who_is_not_signed_in_sees_the_navigation(host: Bare) -> None:
    for name, answer in tour(host):
        document = Document(answer.text)
        outside = [form for form in document.forms if form.action == "/auth/sign-out"]
        assert bool(entries(document)) == bool(outside), name


def test_every_page_of_a_person_is_in_the_area_and_has_a_title_of_its_own(host: Bare) -> None:
    """What needs somebody belongs to the area; but for the steps on the way into it."""
    personal = {p.path for p in host.doorward.pages.values() if p.needs is not Needs.NOTHING}
    assert {p.path for p in host.doorward.pages.values() if p.area is not None} == personal - {"/step-up"}
    ann = signed_up(host)
    give(host, ADDRESS, "host", "doorward.invite")
    titles = [Document(ann.page(path).text).all("title")[0].text for path in sorted(personal)]
    assert len(titles) == len(set(titles))


class Newsletter(Feature):
    """A feature of a host's own, with two pages of the area."""

    pages = (
        Page("/news", "news.html", needs=Needs.SIGNED_IN, area="news", title=_("Newsletter"), hint=_("Each week.")),
        Page("/news/old", "news.html", needs=Needs.SIGNED_IN, area="news", title=_("Older ones")),
        Page("/keyring", "news.html", needs=Needs.SIGNED_IN, area="security", title=_("Key ring"), row="ring.html"),
    )


def test_a_new_features_pages_join_by_what_they_say_themselves(tmp_path: Path) -> None:
    (tmp_path / "news.html").write_text('{% extends "account.html" %}{% block title %}News{% endblock %}')
    (tmp_path / "ring.html").write_text("<h2>{{ part.title }}</h2><p>A ring of keys</p>")
    ann = signed_up(Bare(*standard(), Newsletter(), views=Pages(templates=tmp_path), sms_url=""))
    assert list(entries(Document(ann.page("/news").text)))[-1] == "/auth/news"
    home = Document(ann.page("/").text)
    assert [h.text.split()[0] for h in home.all("h2")] == ["Profile", "Security", "Devices", "API", "Newsletter"]
    assert "Each week." in home.text
    security = Document(ann.page("/security").text)
    titles = [h.text.split()[0] for h in security.all("h2")]
    assert [title for title in titles if title in ("Password", "Key", "Recovery")] == ["Password", "Key", "Recovery"]
    assert "A ring of keys" in security.text


def test_what_is_switched_off_is_in_no_navigation(host: Bare) -> None:
    left = [f for f in standard() if type(f).__name__ not in ("ApiKeys", "Totp", "OwnAccount")]
    ann = signed_up(Bare(*left, views=PAGES, sms_url=""))
    home = ann.page("/")
    assert list(entries(Document(home.text))) == ["/auth/", "/auth/security", "/auth/sessions"]
    security = Document(ann.page("/security").text)
    titles = [h.text.split()[0] for h in security.all("h2")]
    assert ("Password" in titles, "Authenticator" in titles) == (True, False)
    assert "API key" not in ann.page("/sessions").text


def test_security_says_what_is_set_at_a_glance(host: Bare) -> None:
    ann = signed_up(host)
    page = Document(ann.page("/security").text)
    states = {" ".join(h.text.split()) for h in page.all("h2")}
    assert states >= {"Passkeys none", "Password set", "Authenticator app off", "Recovery codes none"}
    assert "One thing is enough" in page.text
    with_app(host, ann)
    send(ann, "/recovery-codes/generate", "/recovery-codes")
    page = Document(ann.page("/security").text)
    states = {" ".join(h.text.split()) for h in page.all("h2")}
    assert states >= {"Passkeys none", "Password set", "Authenticator app on", "Recovery codes 10 left"}
    assert "proves two things" in page.text
    assert "second step on" in ann.page("/").text

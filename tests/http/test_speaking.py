"""Pages and letters speak the language that is asked for, wholly; JSON stays as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from doorward.core.finish import finish
from doorward.core.records import Account
from doorward.core.settings import load_settings
from doorward.delivery.composing import compose
from doorward.http.client import locale_of
from doorward.http.messages import Headers, Request
from doorward.http.pages import Pages
from doorward.locale import OURS
from doorward.testing.doubles import ORIGIN, SECRET
from tests.http.bare import Bare
from tests.http.documents import Document
from tests.http.visits import ADDRESS, PASSWORD, send, signed_up, tour
from tests.scenarios.client import Answer, Browser, Pairs

PAGES = Pages()
SETTINGS = load_settings({"secret": SECRET, "origin": ORIGIN})


@pytest.fixture
def host() -> Bare:
    return Bare(views=PAGES)


class Speaking(Bare):
    """A host to which everybody comes with a browser in one language."""

    language = "en"

    def send(self, method: str, target: str, headers: Pairs, body: bytes = b"", peer: str = "192.0.2.1") -> Answer:
        return super().send(method, target, [*headers, ("Accept-Language", self.language)], body, peer)


def asking(host: Bare, languages: str) -> Browser:
    return Browser(host, extra={"Accept-Language": languages})


def spoken(browser: Browser, path: str = "/sign-in") -> str:
    return Document(browser.page(path).text).all("html")[0].get("lang")


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("de", "de"),
        ("de-CH, en;q=0.8", "de"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("fr, de;q=0.4, en;q=0.3", "de"),
        ("de;q=0, en", "en"),
        ("de;q=0", ""),
        ("de;q=1.0.0, en;q=0.1", "en"),
        ("de;q=nan", ""),
        ("*", ""),
        ("", ""),
        (";;;,,,=q", ""),
        ("en;q=0.5,de;q=0.5", "en"),
        ("x," * 40 + "de", ""),
        ("a" * 600 + ",de", ""),
    ],
)
def test_the_most_wanted_language_is_spoken(header: str, tag: str) -> None:
    request = Request("GET", "/auth/sign-in", headers=Headers([("Accept-Language", header)]))
    assert locale_of(request, SETTINGS) == tag


def test_several_fields_are_one_list() -> None:
    fields = [("Accept-Language", "fr"), ("Accept-Language", "de;q=0.5")]
    assert locale_of(Request("GET", "/", headers=Headers(fields)), SETTINGS) == "de"


def test_a_page_says_which_language_it_speaks_and_caches_hear_of_it(host: Bare) -> None:
    german = asking(host, "de-AT").page("/sign-in")
    assert '<html lang="de">' in german.text
    assert "Auf diesem Gerät angemeldet bleiben" in german.text
    assert "Accept-Language" in (german.header("vary") or "")
    assert "Accept-Language" not in (Browser(host).get("/session").header("vary") or "")
    assert spoken(Browser(host)) == spoken(asking(host, "tlh")) == "en"


def test_problems_without_a_page_are_said_in_the_language_asked_for(host: Bare) -> None:
    page = asking(host, "de").page("/no-such-page")
    assert "Nicht gefunden" in page.text
    assert '<html lang="de">' in page.text


def test_json_stays_as_it_is(host: Bare) -> None:
    ann = asking(host, "de")
    refused = ann.post("/sign-in/password", identifier="nobody", password="wrong")
    assert refused.json["detail"] == "The name or the password is wrong."


def test_an_account_keeps_the_language_of_its_sign_up() -> None:
    host = Speaking(views=PAGES)
    host.language = "de"
    ann = signed_up(host)
    user_id = ann.get("/session").json["user"]["id"]

    async def locale() -> str:
        async with host.stores.unit("sync") as store:
            account = await store.get(Account, user_id=user_id)
            return account.locale if account else "?"

    assert finish(locale()) == "de"
    host.language = "en"
    assert spoken(ann, "/") == "de"  # the account's language wins over the browser's
    changed = {"current_password": PASSWORD, "new_password": PASSWORD + "!"}
    assert ann.post("/password/change", **changed).status == 204
    subject, text, html = compose(host.mail.last)
    assert subject == "Ihr Passwort bei Doorward wurde geändert"
    assert "Guten Tag Ann," in text
    assert '<html lang="de">' in html


def test_letters_before_there_is_an_account_speak_the_language_of_who_asks(host: Bare) -> None:
    send(asking(host, "de"), "/sign-up", "/sign-up", email=ADDRESS, password=PASSWORD)
    subject, text, _ = compose(host.mail.last)
    assert subject == "Bestätigen Sie Ihre E-Mail-Adresse für Doorward"
    assert "Er gilt 10 Minuten." in text.replace("\n", " ")


def test_two_languages_at_once_do_not_mix() -> None:
    """Nothing of a language is kept in what renders."""
    host = Bare(views=PAGES)
    for _ in range(3):
        assert "Anmelden" in asking(host, "de").page("/sign-in").text
        assert "Anmelden" not in asking(host, "en").page("/sign-in").text


# A language whose every sentence stands in brackets: what is outside of them was forgotten.

# What people, their devices and roles and we are called.
NAMES = {"Doorward", "Ann", "Old", "Work", "phone", "bobby", "Mozilla", "Report", "editor", "host"}
# Languages and time zones are offered by the names that they have.
CHOICES = re.compile(r'<select id="(?:locale|time_zone)".*?</select>', re.DOTALL)
# Addresses, scopes, keys and codes.
SECRETS = re.compile(r"dwk_\S+|\w+\.\w+(?!@)|[\w.•]+@[\w.•]+|[0-9A-Za-z]{4}(?:[ -][0-9A-Za-z]{4})+")


@pytest.fixture(scope="module")
def brackets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    catalog = Catalog(locale="eo")
    with (OURS / "de" / "LC_MESSAGES" / "doorward.po").open("rb") as file:
        for message in read_po(file, locale="de"):
            if message.id:
                ids = [message.id] if isinstance(message.id, str) else list(message.id)
                said = [f"⟦{one}⟧" for one in ids]
                catalog.add(message.id, said[0] if isinstance(message.id, str) else said)
    folder = tmp_path_factory.mktemp("locales")
    path = folder / "eo" / "LC_MESSAGES" / "doorward.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)
    return folder


def forgotten(text: str) -> list[str]:
    """The words of a text that stand in no brackets."""
    while (less := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = less
    return [word for word in re.findall(r"[A-Za-z]{2,}", text) if word not in NAMES]


def test_every_sentence_of_every_page_is_translated(brackets: Path) -> None:
    host = Speaking(views=PAGES, locales=str(brackets))
    host.language = "eo"
    seen = 0
    for name, answer in tour(host):
        document = Document(CHOICES.sub("", answer.text))
        assert document.all("html")[0].get("lang") == "eo", name
        assert forgotten(SECRETS.sub(" ", document.text)) == [], name
        for element in document.elements:
            for attribute in ("aria-label", "alt", "title", "placeholder"):
                assert forgotten(element.get(attribute)) == [], (name, element)
        seen += 1
    assert seen > 25

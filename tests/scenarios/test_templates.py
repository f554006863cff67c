"""A host's own templates, by one setting on every host: its pages and letters look as it likes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from doorward.delivery import Composed
from tests.scenarios.client import Browser
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD

FOLDER = Path(__file__).parent / "templates"


class Kept:
    """Keeps the letters that leave."""

    def __init__(self) -> None:
        self.letters: list[Composed] = []

    def send(self, letter: Composed) -> None:
        self.letters.append(letter)


@pytest.mark.options(theme="accent=#c2185b", logo=str(FOLDER / "logo.svg"))
def test_the_look_is_the_hosts(host: InProcessHost) -> None:
    page = Browser(host).page("/sign-in").text
    (style,) = re.findall(r'href="(/auth/static/doorward\.css\?[\w-]+)"', page)
    assert "--accent: #c2185b;" in Browser(host).send("GET", style).text
    (logo,) = re.findall(r'<img src="(/auth/static/logo\.svg\?[\w-]+)"', page)
    file = Browser(host).send("GET", logo)
    assert file.body == (FOLDER / "logo.svg").read_bytes()
    assert file.header("content-security-policy") == "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@pytest.mark.options(templates=str(FOLDER), rp_name="Acme")
def test_pages_and_letters_are_the_hosts_and_speak_its_languages(host: InProcessHost) -> None:
    ann = Browser(host, extra={"Accept-Language": "de"})
    assert "Anmelden at Acme, open till nine</footer>" in ann.page("/sign-in").text
    assert ann.form("/sign-up", "/sign-up", email=ANN, password=PASSWORD).status == 303
    kept = Kept()
    host.auth.parts = replace(host.auth.parts, mail=kept, sms=kept)
    assert host.auth.deliver_due().sent == 1
    (letter,) = kept.letters
    assert letter.text.startswith("Dear reader <Acme>,\n")
    assert letter.text.splitlines()[1] == host.mail.code()
    assert letter.text.endswith("Meine Adresse bestätigen\n")
    assert '<h1>Acme &amp; friends</h1><p class="code">' + host.mail.code() in letter.html
    assert "Meine Adresse bestätigen</a>" in letter.html

"""A host's own templates, by one setting on every host: its pages and letters look as it likes."""

from __future__ import annotations

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

"""A host's own templates: checked at start, held in a sandbox, and never a reason for a letter to stay."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from jinja2.exceptions import SecurityError, UndefinedError

from doorward.core.call import Letter
from doorward.core.refusals import Misconfigured
from doorward.delivery.composing import Letters, words_in
from doorward.delivery.texts import TEXTS
from doorward.http.pages import Pages
from tests.delivery.test_texts import WORDS as LETTER_WORDS
from tests.http.bare import Bare
from tests.scenarios.client import Browser

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Put a template into a folder of a host's; its path."""

    def written(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return written


BROKEN = "<p>\n{% if user %}\n{{ user.name }\n{% endif %}"


def test_a_broken_page_is_said_at_start_with_file_and_line(tmp_path: Path, write: Write) -> None:
    path = write("sign_in.html", BROKEN)
    with pytest.raises(Misconfigured, match=r"templates\.E2.*line 3: unexpected '}'") as raised:
        Pages(tmp_path)
    assert path in str(raised.value)


@pytest.mark.parametrize("ending", ["txt", "html"])
def test_a_broken_letter_is_said_at_start_with_file_and_line(tmp_path: Path, write: Write, ending: str) -> None:
    path = write(f"letters/verify_address.{ending}", "Hello\n{% for x in %}")
    with pytest.raises(Misconfigured, match=r"templates\.E2.*line 2") as raised:
        Letters(folder=str(tmp_path))
    assert path in str(raised.value)


def test_a_part_of_a_hosts_own_is_checked_as_well(tmp_path: Path, write: Write) -> None:
    write("sign_in.html", '{% include "our_part.html" %}')
    write("our_part.html", "{% endblock %}")
    with pytest.raises(Misconfigured, match=r"templates\.E2.*our_part\.html, line 1"):
        Pages(tmp_path)


def test_a_word_that_there_is_not_is_said_at_start(tmp_path: Path, write: Write) -> None:
    write("layout.html", "<title>\n{{ servce_name }}</title>")
    with pytest.raises(Misconfigured, match=r"templates\.E3.*line 2: .*'servce_name'; did you mean service_name\?"):
        Pages(tmp_path)


def test_a_letter_is_given_its_own_words_and_no_others(tmp_path: Path, write: Write) -> None:
    write("letters/new_sign_in.txt", "{{ agent }} at {{ time }}")
    assert Letters(folder=str(tmp_path))
    write("letters/password_changed.txt", "{{ time }}\n{{ agent }}")
    with pytest.raises(Misconfigured, match=r"templates\.E3.*password_changed\.txt, line 2: .*'agent'"):
        Letters(folder=str(tmp_path))


def test_a_folder_that_is_none_is_said_at_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"templates\.E1"):
        Pages(tmp_path / "nowhere")


def test_bytes_that_are_no_text_are_said_at_start(tmp_path: Path) -> None:
    (tmp_path / "sign_in.html").write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match=r"templates\.E1"):
        Pages(tmp_path)


def test_a_name_that_is_nearly_ours_is_warned_of(
    tmp_path: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("signin.html", "nobody sees this")
    write("our_own.html", "nor this, which is nobody's slip")
    with caplog.at_level(logging.WARNING, "doorward"):
        Pages(tmp_path)
    assert [record.message.partition("/signin")[2] for record in caplog.records] == [
        ".html takes the place of nothing; did you mean sign_in.html?"
    ]


ESCAPES = (
    "{{ service_name.__class__.__mro__ }}",
    "{{ ''.__class__.__base__.__subclasses__() }}",
    "{{ _.__globals__ }}",
    "{{ static.__closure__ }}",
    "{{ query.__init__.__globals__ }}",
    "{{ language.catalogue.__init__.__globals__ }}",
    "{{ query.update({'a': 'b'}) }}",
    "{{ ''|attr('__class__')|attr('__mro__') }}",
    "{{ '{0.__class__}'.format(service_name) }}",
)


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_runs_no_code(tmp_path: Path, write: Write, escape: str) -> None:
    write("sign_in.html", escape)
    browser = Browser(Bare(views=Pages(tmp_path)))
    with pytest.raises((SecurityError, UndefinedError)):
        browser.page("/sign-in")


def test_what_people_typed_is_escaped_in_a_hosts_templates_too(tmp_path: Path, write: Write) -> None:
    write("sign_in.html", "{{ query.return_to }}")
    assert Browser(Bare(views=Pages(tmp_path))).page("/sign-in?return_to=%3Cb%3E").text == "&lt;b&gt;"
    write("letters/verify_address.html", "{{ service }} {{ link }}")
    write("letters/verify_address.txt", "{{ service }}")
    _, text, html = composed(tmp_path, service="<b>Acme</b>", link="https://a.example/?a=1&b=2")
    assert html == "&lt;b&gt;Acme&lt;/b&gt; https://a.example/?a=1&amp;b=2"
    assert text == "<b>Acme</b>\n"


def composed(folder: Path, template: str = "verify_address", **words: str) -> tuple[str, str, str]:
    return Letters(folder=str(folder)).compose(Letter("ada@example.com", template, {**LETTER_WORDS, **words}))


def test_each_form_of_each_letter_falls_back_to_ours(tmp_path: Path, write: Write) -> None:
    letter = Letter("ada@example.com", "new_sign_in", LETTER_WORDS)
    _, text, html = Letters().compose(letter)
    write("letters/new_sign_in.html", "ours is plain, theirs is not")
    own = Letters(folder=str(tmp_path))
    assert own.compose(letter)[1:] == (text, "ours is plain, theirs is not")
    write("letters/letter.txt", "{{ footer }}")
    (tmp_path / "letters" / "new_sign_in.html").unlink()
    own = Letters(folder=str(tmp_path))
    assert own.compose(letter)[2] == html
    assert own.compose(letter)[1] == "Acme sent this letter by itself. Nobody reads answers to it.\n"


def test_a_template_that_fails_keeps_no_letter_back(
    tmp_path: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("letters/verify_address.txt", "{{ code / 0 }}")
    _, text, _ = composed(tmp_path)
    assert "482913" in text
    assert [record.message for record in caplog.records] == [
        "the template of verify_address.txt failed, and ours is sent: TypeError"
    ]


@pytest.mark.parametrize("template", TEXTS)
def test_every_letter_can_use_all_of_its_words_given_or_not(tmp_path: Path, write: Write, template: str) -> None:
    """What is told of sometimes only is empty at other times."""
    kind = TEXTS[template]
    needed = {word: LETTER_WORDS[word] for word in words_in(kind) if word not in ("name", "not_me_link")}
    write(f"letters/{template}.txt", " ".join(f"[{{{{ {word} }}}}]" for word in sorted(words_in(kind))))
    _, text, _ = Letters(folder=str(tmp_path)).compose(Letter("ada@example.com", template, needed))
    assert text.count("[") == len(words_in(kind))
    assert text.count("[]") == 1 + ("not_me_link" in words_in(kind))


def test_what_a_template_imports_is_its_own(tmp_path: Path, write: Write) -> None:
    write("ours.html", "{% macro banner(text) %}<b>{{ text }}</b>{{ caller is defined }}{% endmacro %}")
    write(
        "sign_in.html",
        '{% extends "layout.html" %}{% from "ours.html" import banner %}{% set said = "hello" %}'
        "{% block title %}{% endblock %}{% block content %}{{ banner(said) }}{% endblock %}",
    )
    assert "<b>hello</b>" in Browser(Bare(views=Pages(tmp_path))).page("/sign-in").text


def test_while_developing_a_change_shows_at_once_and_else_after_a_start(tmp_path: Path, write: Write) -> None:
    for reload, shown in ((True, "new"), (False, "old")):
        path = Path(write("sign_in.html", "old"))
        os.utime(path, (1, 1))
        browser = Browser(Bare(views=Pages(tmp_path, reload=reload)))
        assert browser.page("/sign-in").text == "old"
        write("sign_in.html", "new")
        assert browser.page("/sign-in").text == shown

"""Filters of breached passwords: made from any list, whole or not at all, resumed after a kill, and measured."""

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.breaches import open_filter
from doorward.core.refusals import Misconfigured
from doorward.features.password_rules import common_passwords
from doorward.server import filters
from doorward.server.config import new_secret
from tests.server.conftest import DOORWARD, Done, environment
from tests.services.processes import free_port, wait_until
from tests.shape.tree import ROOT

Command = Callable[..., Done]
LEAKED = "seven lamps by the river"


def words(number: int) -> str:
    return "".join(f"word number {at}\n" for at in range(number))


def pwned(*passwords: str) -> str:
    return "".join(f"{hashlib.sha1(word.encode()).hexdigest().upper()}:{at + 1}\n" for at, word in enumerate(passwords))


def built(source: Path, target: Path) -> filters.Built:
    return filters.build(source, target, bits_per_item=16, shortest=8, tick=lambda _: None)


def knows(path: Path, password: str) -> bool:
    bloom = open_filter(path)
    assert bloom is not None
    return bloom.might_contain(password)


# build


def test_a_list_of_words_becomes_a_filter(doorward: Command, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(words(1000) + "short\n" + "x" * 9000 + "\n" + LEAKED.upper(), encoding="utf-8")
    done = doorward("breached", "build", "list.txt", "--json")
    assert (done.code, done.json["kind"], done.json["entries"], done.json["left_out"]) == (0, "texts", 1001, 2)
    assert knows(tmp_path / "breached.bloom", LEAKED)
    assert knows(tmp_path / "breached.bloom", "word number 999")
    assert not knows(tmp_path / "breached.bloom", "short")
    assert done.json["chance"] < 0.001


def test_an_export_of_breached_passwords_becomes_a_filter(doorward: Command, tmp_path: Path) -> None:
    (tmp_path / "pwned.txt").write_text(pwned(LEAKED, "Tr0ub4dor&3") + "no digest\n" + "A" * 40 + ":x\n")
    done = doorward("breached", "build", "pwned.txt", "--output", "p.bloom", "--json")
    assert (done.json["kind"], done.json["entries"], done.json["left_out"]) == ("sha1", 2, 2)
    assert knows(tmp_path / "p.bloom", "Tr0ub4dor&3")
    assert not knows(tmp_path / "p.bloom", "tr0ub4dor&3")
    told = doorward("breached", "build", "pwned.txt", "--output", "p.bloom").out
    assert "2 entries (sha1)" in told
    assert "Set BREACHED_FILTER to" in told


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "can't be read"), (b"", "no entry"), (b"\xff\xfe\n\xff", "no entry"), (b"short\n", "no entry")],
)
def test_a_list_of_nothing_is_named(doorward: Command, tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    done = doorward("breached", "build", "list.txt")
    assert (done.code, said in done.err) == (1, True), done.err
    assert not (tmp_path / "breached.bloom").exists()


def test_a_filter_that_is_there_stays_whole_until_the_new_one_is(tmp_path: Path) -> None:
    """Running servers have the old file mapped: it is replaced, never written over."""
    source, target = tmp_path / "list.txt", tmp_path / "f.bloom"
    source.write_text("the first of all words\n")
    built(source, target)
    opened = open_filter(target)
    assert opened is not None
    source.write_text(words(5000))
    built(source, target)
    assert opened.might_contain("the first of all words")
    assert not opened.might_contain("word number 4999")
    assert knows(target, "word number 4999")
    assert {path.name for path in tmp_path.iterdir()} == {"list.txt", "f.bloom"}


def test_a_build_that_was_killed_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "list.txt", tmp_path / "f.bloom"
    source.write_text(words(3000))
    whole = built(source, tmp_path / "whole.bloom")
    monkeypatch.setattr(filters, "CHECKPOINT", 1000)
    heard = 0

    def die_in_the_middle(amount: int) -> None:
        nonlocal heard
        heard += amount
        if heard > source.stat().st_size * 1.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filters.build(source, target, bits_per_item=16, shortest=8, tick=die_in_the_middle)
    assert not target.exists()
    note = json.loads((tmp_path / ".f.bloom.part.json").read_text())
    assert 0 < note["done"] < source.stat().st_size
    steps: list[int] = []
    again = filters.build(source, target, bits_per_item=16, shortest=8, tick=steps.append)
    assert (again.entries, again.chance) == (whole.entries, whole.chance)
    assert steps[0] == source.stat().st_size + note["done"]
    assert sum(steps) == 2 * source.stat().st_size
    assert target.read_bytes() == (tmp_path / "whole.bloom").read_bytes()


def test_an_unfinished_build_of_another_list_is_begun_anew(tmp_path: Path) -> None:
    source, target = tmp_path / "list.txt", tmp_path / "f.bloom"
    source.write_text(words(100))
    (tmp_path / ".f.bloom.part").write_bytes(b"\xff" * 217)
    for note in ("{}", "not json", '{"source": "elsewhere", "changed": [1, 2], "done": 5}'):
        (tmp_path / ".f.bloom.part.json").write_text(note)
        built(source, target)
        assert not knows(target, "a stranger to this list")


def test_a_build_in_a_process_that_is_killed_leaves_nothing_half(tmp_path: Path) -> None:
    source = tmp_path / "list.txt"
    source.write_text(words(400_000))
    command = [*DOORWARD, "breached", "build", "list.txt", "--output", "f.bloom", "--json"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL)
    part = tmp_path / ".f.bloom.part"
    assert wait_until(part.exists, process, 60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    assert not (tmp_path / "f.bloom").exists()
    assert built(source, tmp_path / "f.bloom").entries == 400_000
    assert all(knows(tmp_path / "f.bloom", f"word number {at}") for at in range(0, 400_000, 997))


# BREACHED_FILTER


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"SECRET": new_secret(), "ORIGIN": "https://auth.example.com", "DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}


@pytest.mark.parametrize("kind", ["texts", "sha1"])
def test_what_the_installations_own_filter_holds_is_refused(
    doorward: Command, tmp_path: Path, settings: dict[str, str], kind: str
) -> None:
    (tmp_path / "list.txt").write_text(LEAKED if kind == "texts" else pwned(LEAKED))
    built(tmp_path / "list.txt", tmp_path / "f.bloom")
    before = doorward("breached", "check", "--json", stdin=LEAKED, **settings)
    assert (before.code, before.json["accepted"], before.json["breached"]) == (0, True, False)
    settings["BREACHED_FILTER"] = str(tmp_path / "f.bloom")
    after = doorward("breached", "check", "--json", stdin=LEAKED, **settings)
    assert (after.code, after.json["accepted"], after.json["breached"]) == (1, False, True)
    assert [remark["reason"] for remark in after.json["reasons"]] == ["password_known"]
    refused = doorward("user", "add", "ann@example.com", stdin=LEAKED, **settings)
    assert (refused.code, "attackers try first" in refused.err) == (1, True)
    assert doorward("user", "add", "ann@example.com", stdin="eight lamps by the river", **settings).code == 0


@pytest.mark.parametrize("content", [None, b"", b"nothing of the kind", b"DWBLOOM1" + bytes(9)])
def test_a_filter_that_is_none_is_named_at_start(
    doorward: Command, tmp_path: Path, settings: dict[str, str], content: bytes | None
) -> None:
    path = tmp_path / "f.bloom"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Misconfigured):
        open_filter(path)
    settings["BREACHED_FILTER"] = str(path)
    done = doorward("user", "list", **settings)
    assert (done.code, "doorward breached build FILE" in done.err) == (1, True)
    findings = doorward("doctor", "--json", **settings).json["findings"]
    assert [f["level"] for f in findings if f["check"] == "breached"] == ["problem"]


def test_the_doctor_names_the_filter(doorward: Command, tmp_path: Path, settings: dict[str, str]) -> None:
    (tmp_path / "list.txt").write_text(words(10))
    built(tmp_path / "list.txt", tmp_path / "f.bloom")
    settings["BREACHED_FILTER"] = str(tmp_path / "f.bloom")
    findings = doorward("doctor", "--json", **settings).json["findings"]
    (found,) = [f for f in findings if f["check"] == "breached"]
    assert (found["level"], "f.bloom (texts" in found["found"]) == ("ok", True)


def test_a_password_to_check_is_no_argument(doorward: Command, settings: dict[str, str]) -> None:
    assert doorward("breached", "check", LEAKED, **settings).code == 2
    done = doorward("breached", "check", stdin="passwordpassword\n", **settings)
    assert (done.code, "It would not be taken." in done.out, "passwordpassword" in done.out) == (1, True, False)


# measure


def test_the_list_that_ships_is_wrong_once_in_two_thousand_at_most() -> None:
    found = filters.measure(common_passwords(), texts=100_000)
    assert found.share < 1 / 2000
    assert common_passwords().chance() < 1 / 2000
    assert 0.5 < found.share / common_passwords().chance() < 2


def test_the_pages_say_what_the_command_prints(doorward: Command) -> None:
    """Of 500,000 texts, the same ones each time; here of fewer, to be quick."""
    page = (ROOT / "docs/features/breached_passwords.md").read_text(encoding="utf-8")
    described = (ROOT / "src/doorward/features/data/SOURCES.md").read_text(encoding="utf-8")
    assert "224 of 500,000 random texts are taken for entries: 0.0448%." in page
    assert "500,000 random texts | 0.0448%" in described
    said = doorward("breached", "measure", "--texts", "20000").out
    assert said == f"14 of 20,000 random texts are taken for entries: 0.0700%. {page_end(page)}\n"
    assert doorward("breached", "measure", "--texts", "20000", "--json").json["taken"] == 14


def page_end(page: str) -> str:
    return "By the bits" + page.partition("By the bits")[2].partition("\n")[0]


def test_the_doctor_names_a_service_that_does_not_answer(doorward: Command, settings: dict[str, str]) -> None:
    settings["BREACHED_URL"] = f"http://127.0.0.1:{free_port()}/range"
    findings = doorward("doctor", "--json", **settings).json["findings"]
    assert [f["level"] for f in findings if f["check"] == "breached"] == ["ok", "note"]
    done = doorward("breached", "check", "--json", stdin=LEAKED, **settings)
    assert (done.code, done.json["accepted"], done.json["online"]) == (0, True, "unavailable")

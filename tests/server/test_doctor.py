"""The doctor finds each planted fault, names the cure, and says nothing of what is well."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import trustme

from doorward.features.passkeys import Passkeys
from doorward.server import checks, passkey_checks
from doorward.server.config import new_secret
from doorward.server.doctor import examine
from doorward.server.opening import sources_of
from doorward.stores.migrations import migrate
from tests.features.metadata import Alliance
from tests.server.conftest import Done
from tests.services.processes import free_port
from tests.services.smtp import SmtpSink

Command = Callable[..., Done]


@pytest.fixture(scope="module")
def migrated(fresh_postgres: Callable[[], str]) -> str:
    """A database with our tables, for tests that change nothing in it."""
    url = fresh_postgres()
    migrate(url)
    return url


@pytest.fixture
def healthy(migrated: str, fresh_valkey: str, smtp_sink: SmtpSink) -> dict[str, str]:
    """Settings of an installation behind a proxy to which there is nothing to say."""
    return {
        "SECRET": new_secret(),
        "ORIGIN": "https://auth.example.com",
        "DATABASE_URL": migrated,
        "REDIS_URL": fresh_valkey,
        "SMTP_URL": f"smtp://127.0.0.1:{smtp_sink.port}?tls=none",
        "MAIL_FROM": "Example <no-reply@example.com>",
        "TRUSTED_PROXIES": "10.0.0.5/32",
        "LISTEN": "0.0.0.0:8000",
    }


def problems(done: Done) -> dict[str, str]:
    """What was found wrong and its cure, by the name of the check."""
    return {f["check"]: f"{f['found']} → {f['cure']}" for f in done.json["findings"] if f["level"] == "problem"}


def test_nothing_is_wrong_with_a_healthy_installation(doorward: Command, healthy: dict[str, str]) -> None:
    done = doorward("doctor", "--json", **healthy)
    assert (problems(done), done.code) == ({}, 0)
    named = {finding["check"] for finding in done.json["findings"]}
    assert named >= {"secret", "origin", "https", "proxy", "database", "clock", "mail", "valkey", "hash places"}
    assert named >= {"hash cost", "argon2"}
    table = doorward("doctor", **healthy)
    assert "All is well." in table.out


@pytest.mark.parametrize(
    ("fault", "check", "said"),
    [
        ({"SECRET": "short"}, "secret", "5 bytes.*make one with"),
        ({"SECRET": "0123456789" * 4}, "secret", "secret"),
        ({"ORIGIN": "http://auth.example.com"}, "origin", "neither https nor loopback"),
        ({"ORIGIN": "auth.example.com"}, "origin", "not an origin"),
        ({"TRUSTED_PROXIES": ""}, "https", "without https.*TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "", "LISTEN": "127.0.0.1:8000"}, "proxy", "from a proxy.*TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "proxy", "believed about its own address"),
        (
            {
                "TRUSTED_PROXIES": "",
                "LISTEN": "127.0.0.1:8000",
                "ORIGIN": "http://app.localhost:8000",
                "PROTECTED_ORIGINS": "http://wiki.localhost:8000",
            },
            "proxy",
            "page wanted is not believed.*TRUSTED_PROXIES",
        ),
        ({"PROTECTED_ORIGINS": "http://wiki.example.com"}, "settings", "neither https nor loopback"),
        ({"PROTECTED_ORIGINS": "https://auth.example.com:8443"}, "settings", "shares its host name"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "database", "can't be reached.*DATABASE_URL"),
        ({"DATABASE_URL": "mysql://h/x"}, "database", "DATABASE_URL"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "valkey", "can't be reached.*REDIS_URL"),
        ({"REDIS_URL": "nothing"}, "valkey", "REDIS_URL"),
        ({"SMTP_URL": "smtp://127.0.0.1:1?tls=none"}, "mail", "SMTP_URL"),
        ({"SMTP_URL": "imap://h"}, "mail", "no mail server"),
        ({"SMTP_URL": "", "MAIL_FROM": ""}, "mail", "terminal.*SMTP_URL"),
        ({"MAIL_FROM": "nobody"}, "mail", "MAIL_FROM"),
        ({"RP_ID": "com"}, "passkeys", "no browser makes passkeys for RP_ID com"),
        ({"RP_ID": "example.net"}, "passkeys", "not the host of ORIGIN"),
        ({"FIDO_METADATA": "nowhere.jwt"}, "passkeys", "can't be believed.*mds3.fidoalliance.org"),
        ({"LISTEN": "1"}, "listen", "LISTEN"),
        ({"POLICY": "lax"}, "policy", "standard, strict"),
        ({"SIGNUP": "open"}, "signup", "SIGN_UP"),
    ],
)
def test_a_planted_fault_is_found(
    doorward: Command, healthy: dict[str, str], fault: dict[str, str], check: str, said: str
) -> None:
    done = doorward("doctor", "--json", **{**healthy, **fault})
    found = problems(done)
    assert (done.code, set(found)) == (1, {check}), found
    assert re.search(said, found[check])


def test_every_fault_is_named_at_once(doorward: Command, healthy: dict[str, str]) -> None:
    faults = {"SECRET": "x", "ORIGIN": "y", "SMTP_URL": "z", "POLICY": "lax", "NOTHING": "1"}
    done = doorward("doctor", "--json", **{**healthy, **faults})
    assert set(problems(done)) >= {"secret", "origin", "mail", "policy", "nothing"}
    table = doorward("doctor", **{**healthy, **faults})
    assert (table.code, "problems found" in table.out, "PROBLEM" in table.out) == (1, True, True)


def test_an_empty_folder_lacks_a_secret_and_an_origin(doorward: Command) -> None:
    done = doorward("doctor", "--json", LISTEN="0.0.0.0:8000")
    assert (done.code, "SECRET" in str(done.json)) == (1, True)


def test_tables_of_another_release(
    doorward: Command, healthy: dict[str, str], fresh_postgres: Callable[[], str]
) -> None:
    done = doorward("doctor", "--json", **{**healthy, "DATABASE_URL": fresh_postgres()})
    assert "doorward migrate" in problems(done)["database"]


def test_tables_that_somebody_changed_by_hand(doorward: Command, healthy: dict[str, str], postgres_url: str) -> None:
    migrate(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE doorward_session DROP COLUMN user_agent")
    done = doorward("doctor", "--json", **{**healthy, "DATABASE_URL": postgres_url})
    assert "user_agent" in problems(done)["database"]


def test_a_mail_server_that_does_not_know_us(
    doorward: Command, healthy: dict[str, str], make_smtp_sink: Callable[..., SmtpSink]
) -> None:
    sink = make_smtp_sink(login=("doorward", "sesame"))
    right = f"smtp://doorward:sesame@127.0.0.1:{sink.port}?tls=none"
    assert problems(doorward("doctor", "--json", **{**healthy, "SMTP_URL": right})) == {}
    wrong = doorward("doctor", "--json", **{**healthy, "SMTP_URL": right.replace("sesame", "open-sesame")})
    assert "does not take" in problems(wrong)["mail"]
    assert "sesame" not in wrong.out


def test_a_service_for_text_messages(doorward: Command, healthy: dict[str, str]) -> None:
    good = {"SMS_URL": "twilio://SID:open-sesame@/?from=+15005550006", "SMS_COUNTRIES": "DE,AT"}
    done = doorward("doctor", "--json", **{**healthy, **good})
    assert problems(done) == {}
    assert "by twilio, to numbers of DE, AT" in done.out
    wrong = doorward("doctor", "--json", **{**healthy, **good, "SMS_URL": "twilio://SID:open-sesame@/"})
    assert "wants the sender" in problems(wrong)["sms"]
    assert "sesame" not in done.out + wrong.out


def test_settings_that_go_together_are_looked_at_together(doorward: Command, healthy: dict[str, str]) -> None:
    both = {"SIGN_UP": "domains", "SIGN_UP_DOMAINS": "example.com"}
    assert problems(doorward("doctor", "--json", **{**healthy, **both})) == {}
    one = doorward("doctor", "--json", **{**healthy, "SIGN_UP": "domains"})
    assert "go together" in problems(one)["settings"]


def test_a_clock_that_is_wrong(doorward: Command, healthy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "skew", lambda url: -61.0)
    found = problems(doorward("doctor", "--json", **healthy))
    assert "-61.0 s from the database" in found["clock"]


def test_a_configuration_that_others_can_read(doorward: Command, tmp_path: Path) -> None:
    assert doorward("init").code == 0
    (tmp_path / "doorward.toml").chmod(0o644)
    assert "chmod 600" in problems(doorward("doctor", "--config", "doorward.toml", "--json"))["secret"]


def test_a_port_that_nobody_comes_to(doorward: Command) -> None:
    settings = {"SECRET": new_secret(), "ORIGIN": "http://localhost:8000", "LISTEN": f"127.0.0.1:{free_port()}"}
    assert "same port" in problems(doorward("doctor", "--json", **settings))["origin"]


def test_too_few_places_to_hash_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(16))
    assert _found("hash_memory_mib", 64, checks.threads).level == "problem"
    assert _found("hash_memory_mib", 1280, checks.threads).level == "ok"


@pytest.mark.parametrize(
    ("names", "days", "said"),
    [
        (["auth.example.com"], 90, ""),
        (["other.example.com"], 90, "is for other.example.com"),
        (["auth.example.com"], -2, "expired"),
    ],
)
def test_certificates(
    doorward: Command, healthy: dict[str, str], tmp_path: Path, names: list[str], days: int, said: str
) -> None:
    made = trustme.CA().issue_cert(*names, not_after=datetime.now(UTC) + timedelta(days=days))
    made.cert_chain_pems[0].write_to_path(tmp_path / "c.pem")
    made.private_key_pem.write_to_path(tmp_path / "k.pem")
    done = doorward(
        "doctor", "--json", "--tls-cert", "c.pem", "--tls-key", "k.pem", **{**healthy, "LISTEN": "0.0.0.0:443"}
    )
    assert said in problems(done).get("certificate", "")
    assert (done.code == 0) == (not said)


def test_a_certificate_that_ends_soon_is_noted(doorward: Command, healthy: dict[str, str], tmp_path: Path) -> None:
    made = trustme.CA().issue_cert("auth.example.com", not_after=datetime.now(UTC) + timedelta(days=3))
    made.cert_chain_pems[0].write_to_path(tmp_path / "c.pem")
    made.private_key_pem.write_to_path(tmp_path / "k.pem")
    done = doorward("doctor", "--json", "--tls-cert", "c.pem", "--tls-key", "k.pem", **healthy)
    (found,) = [finding for finding in done.json["findings"] if finding["check"] == "certificate"]
    assert (done.code, found["level"], "expires in 2 days" in found["found"]) == (0, "note", True)


@pytest.mark.parametrize(
    ("code", "flags", "level"),
    [
        (b"\xc5\xfd\xf4" * 20, "sse2 avx2", "ok"),  # built with AVX2
        (b"\x66\x0f\xf4" * 20, "sse2 avx2", "note"),  # portable, on a processor that could do more
        (b"\x66\x0f\xf4" * 20, "sse2", "ok"),
    ],
)
def test_a_portable_argon2_is_noted_where_a_faster_one_would_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: bytes, flags: str, level: str
) -> None:
    (tmp_path / "_ffi.so").write_bytes(code)
    monkeypatch.setattr(checks, "_argon2_library", lambda: tmp_path / "_ffi.so")
    monkeypatch.setattr(checks, "_processor_has", lambda flag: flag in flags.split())
    assert _found("debug", False, checks.argon2_build).level == level


def test_hash_cost_is_measured_here(doorward: Command) -> None:
    found = _found("debug", False, checks.hash_cost)
    assert re.fullmatch(r"\d+ ms for one argon2id of 19 MiB on this machine", found.found)


def _found(name: str, value: Any, check: Any) -> Any:
    sources = sources_of(None, secret=new_secret(), origin="http://localhost:8000", **{name: value})
    (finding,) = list(examine(sources, [check]))
    return finding


def test_passkeys_of_another_domain() -> None:
    """A changed RP_ID loses every passkey: it is named, with the domain to go back to."""

    def looked(domains: dict[str, int]) -> Any:
        sources = sources_of(None, secret=new_secret(), origin="https://app.example.com", rp_id="example.com")
        return list(examine(sources, [lambda case: passkey_checks.domains(case, domains)]))

    for well in ({}, {"example.com": 3}):
        assert [one.level for one in looked(well)] == ["ok"]
    (found,) = looked({"example.com": 3, "app.example.com": 2})
    assert (found.level, found.cure.split(",")[0]) == ("problem", "set RP_ID = app.example.com")


def test_an_origin_that_is_an_address_has_no_passkeys() -> None:
    for origin, level in (("http://127.0.0.1:8000", "note"), ("http://[::1]:8000", "note"), ("http://localhost", None)):
        sources = sources_of(None, secret=new_secret(), origin=origin)
        found = list(examine(sources, [passkey_checks.settings]))
        assert [one.level for one in found] == ([level] if level else [])


def test_a_list_of_makes_is_looked_at_every_month(tmp_path: Path) -> None:
    """It is good until the day it names, then named; and it stops the start once its certificates are over."""
    alliance, path = Alliance(), tmp_path / "list"
    path.write_bytes(alliance.signed([], nextUpdate="2026-12-01"))
    sources = sources_of(None, secret=new_secret(), origin="http://localhost:8000", fido_metadata=str(path))

    def looked(now: datetime) -> Any:
        feature = Passkeys(fido_root=alliance.root)
        (found,) = examine(sources, [lambda case: passkey_checks.settings(case, feature, now)])
        return found

    assert looked(datetime(2026, 12, 1, 23, tzinfo=UTC)).level == "ok"
    late = looked(datetime(2026, 12, 2, tzinfo=UTC))
    assert (late.level, "2026-12-01" in late.found, "restart" in late.cure) == ("problem", True, True)
    over = looked(datetime(2040, 1, 1, tzinfo=UTC))
    assert (over.check, over.level, "valid from 2026-01-01" in over.found) == ("passkeys", "problem", True)

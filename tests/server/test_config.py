"""Where settings come from, what stands in for them, and what is refused before anything listens."""

import os
import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from doorward.core.refusals import Misconfigured
from doorward.core.settings import SETTINGS, load_settings
from doorward.server.config import (
    Sources,
    check_exposure,
    load,
    make_folder,
    new_secret,
    parse_listen,
    read_sources,
    secret_in,
    write_private,
)
from doorward.server.template import HOSTS_ONLY, config_text

STRONG = "k:" + new_secret()


def sources(
    given: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None, file: Path | None = None
) -> Sources:
    return read_sources(given or {}, environ or {}, file)


def test_without_settings_a_private_folder_stands_in(tmp_path: Path) -> None:
    data = tmp_path / "doorward-data"
    installation = load(sources(), make=True, data=data)
    assert (data.stat().st_mode & 0o777, (data / "secret").stat().st_mode & 0o777) == (0o700, 0o600)
    assert str(installation.settings.origin) == "http://localhost:8000"
    assert installation.settings.database_url == f"sqlite:///{data}/doorward.db"
    assert any("secret" in line for line in installation.notes)


def test_the_secret_stays_the_same_from_start_to_start(tmp_path: Path) -> None:
    first = load(sources(), make=True, data=tmp_path / "d").settings.secret
    assert load(sources(), make=True, data=tmp_path / "d").settings.secret == first
    assert load(sources(), data=tmp_path / "d").settings.secret == first


def test_of_forty_first_starts_all_have_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(40) as pool:
        made = list(pool.map(lambda _: load(sources(), make=True, data=tmp_path / "d").settings.secret, range(40)))
    assert len(set(made)) == 1
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["secret"]


def test_a_command_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="SECRET"):
        load(sources(), data=tmp_path / "d")
    assert list(tmp_path.iterdir()) == []


def test_nothing_stands_in_for_the_secret_of_an_installation_that_others_reach(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="SECRET"):
        load(sources({"origin": "https://auth.example.com"}), make=True, data=tmp_path / "d")
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    data = tmp_path / "d"
    load(sources(), make=True, data=data)
    (data / "secret").chmod(mode)
    with pytest.raises(Misconfigured, match="chmod 600"):
        load(sources(), make=True, data=data)


def test_a_folder_that_others_can_open_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir(mode=0o755)
    with pytest.raises(Misconfigured, match="chmod 700"):
        make_folder(tmp_path / "d")


def test_a_planted_secret_is_refused(tmp_path: Path) -> None:
    """Somebody who may write here links the file to one whose content he knows."""
    (tmp_path / "d").mkdir(mode=0o700)
    (tmp_path / "known").write_text(new_secret())
    (tmp_path / "d" / "secret").symlink_to(tmp_path / "known")
    with pytest.raises(Misconfigured, match="is a link"):
        secret_in(tmp_path / "d", make=True)


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "d").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Misconfigured, match="is a link"):
        make_folder(tmp_path / "d")


def test_arguments_win_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f'secret = "{STRONG}"\norigin = "https://file.example"\nRP_NAME = "file"\nmail_from = "a@b.c"\n')
    environ = {"DOORWARD_ORIGIN": "https://env.example", "DOORWARD_RP_NAME": "env", "HOME": "/"}
    installation = load(sources({"origin": "https://given.example", "listen": None}, environ, file))
    found = installation.settings
    assert (str(found.origin), found.rp_name, found.mail_from) == ("https://given.example", "env", "a@b.c")
    assert installation.data is None


def test_the_same_settings_can_be_read_again_from_the_options(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f'secret = "{STRONG}"\n[policy]\nbase = "strict"\n')
    given = {
        "DOORWARD_ORIGIN": "https://env.example",
        "DOORWARD_TRUSTED_PROXIES": "10.0.0.0/8",
        "DOORWARD_CONFIG": str(file),
    }
    installation = load(sources({}, given))
    options = dict(installation.options)
    assert options.pop("config") == str(file)
    assert load_settings(options) == installation.settings


def test_the_configuration_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(f'secret = "{STRONG}"\norigin = "https://file.example"\n')
    found = load(sources({}, {"DOORWARD_CONFIG": str(tmp_path / "c.toml")}))
    assert str(found.settings.origin) == "https://file.example"


@pytest.mark.parametrize("content", [b"origin =", b"\xff\xfe", b"[a]\n[a]"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.toml").write_bytes(content)
    with pytest.raises(Misconfigured, match=r"c\.toml is not a TOML file"):
        sources(file=tmp_path / "c.toml")


def test_a_missing_file_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="doorward init"):
        sources(file=tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("127.0.0.1:8000", "127.0.0.1:8000"),
        ("localhost:80", "127.0.0.1:80"),
        (":8000", "0.0.0.0:8000"),
        ("*:8000", "0.0.0.0:8000"),
        ("[::1]:443", "[::1]:443"),
        ("[::]:443", "[::]:443"),
    ],
)
def test_listen_is_an_address_and_a_port(written: str, read: str) -> None:
    assert str(parse_listen(written)) == read


@pytest.mark.parametrize(
    "written",
    [
        "",
        "8000",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:٣",
        "::1:80",
        "[127.0.0.1]:80",
        "a.example:80",
        "x:1:2",
    ],
)
def test_listen_is_nothing_else(written: str) -> None:
    with pytest.raises(Misconfigured, match="LISTEN"):
        parse_listen(written)


@pytest.mark.parametrize(
    ("listen", "tls", "more", "refusal"),
    [
        ("127.0.0.1:8000", False, {"origin": "http://localhost:8000"}, None),
        ("127.0.0.1:8000", False, {"origin": "https://a.example"}, None),
        ("127.0.0.1:8000", True, {"origin": "https://localhost:8000"}, None),
        ("0.0.0.0:8000", True, {"origin": "https://a.example"}, None),
        ("0.0.0.0:8000", False, {"origin": "https://a.example", "trusted_proxies": "10.0.0.0/8"}, None),
        ("127.0.0.1:8000", True, {"origin": "http://localhost:8000"}, "server.E2"),
        ("0.0.0.0:8000", False, {"origin": "http://localhost:8000"}, "server.E3"),
        ("0.0.0.0:8000", False, {"origin": "http://localhost:8000", "trusted_proxies": "10.0.0.0/8"}, "server.E3"),
        ("[::]:8000", False, {"origin": "https://a.example"}, "server.E4"),
        ("192.0.2.1:80", False, {"origin": "https://a.example"}, "server.E4"),
    ],
)
def test_passwords_never_cross_a_network_in_the_clear(
    listen: str, tls: bool, more: dict[str, str], refusal: str | None
) -> None:
    settings = load_settings({"secret": STRONG, **more})
    if refusal is None:
        assert check_exposure(settings, parse_listen(listen), tls=tls) is None
    else:
        with pytest.raises(Misconfigured, match=refusal):
            check_exposure(settings, parse_listen(listen), tls=tls)


def test_the_written_configuration_names_every_setting_and_is_valid() -> None:
    text = config_text("https://auth.example.com")
    found = tomllib.loads(text)
    assert set(found) == {"secret", "origin"}
    assert str(load_settings(found).origin) == "https://auth.example.com"
    for setting in SETTINGS:
        assert (f"{setting.attribute} = " in text) == (setting.attribute not in HOSTS_ONLY)


def test_every_example_in_the_configuration_can_be_switched_on() -> None:
    lines = config_text("https://auth.example.com").splitlines()
    examples = [line.removeprefix("# ") for line in lines if line.startswith("# ") and " = " in line]
    on = tomllib.loads(
        "\n".join(line for line in lines if line and not line.startswith("#")) + "\n" + "\n".join(examples)
    )
    assert load_settings(on).mail_from == "Example <no-reply@example.com>"


def test_an_existing_file_is_never_written_over(tmp_path: Path) -> None:
    assert write_private(tmp_path / "f", "first")
    assert not write_private(tmp_path / "f", "second")
    assert (tmp_path / "f").read_text() == "first"
    assert os.listdir(tmp_path) == ["f"]


def test_a_secret_is_not_printed() -> None:
    installation = load(sources({"secret": STRONG, "origin": "https://a.example"}))
    assert STRONG[2:] not in repr(installation) + str(sources({"secret": STRONG}))

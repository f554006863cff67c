"""Settings: arguments before environment before file; what is unknown, weak or insecure does not start."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from doorward.core.policy import Policy
from doorward.core.refusals import Misconfigured
from doorward.core.settings import SETTINGS, Settings, load_settings
from doorward.testing.doubles import ORIGIN, SECRET

GOOD = {"secret": SECRET, "origin": ORIGIN}


def refusal(given: dict[str, Any], environ: dict[str, str] | None = None, config: dict[str, Any] | None = None) -> str:
    with pytest.raises(Misconfigured) as caught:
        load_settings(given, environ, config)
    return str(caught.value)


def test_arguments_win_over_the_environment_and_that_over_the_file() -> None:
    config = {"RP_NAME": "file", "MAIL_FROM": "file@example.com", "SIGN_UP": "closed"}
    environ = {"DOORWARD_RP_NAME": "environment", "DOORWARD_MAIL_FROM": "env@example.com", "PATH": "/bin"}
    settings = load_settings({**GOOD, "rp_name": "argument"}, environ, config)
    assert (settings.rp_name, settings.mail_from, settings.sign_up) == ("argument", "env@example.com", "closed")


def test_an_unknown_setting_is_refused_with_the_likely_one() -> None:
    assert "did you mean ORIGIN?" in refusal({**GOOD, "orgin": "x"})
    assert "DOORWARD_SECRETS" in refusal(GOOD, {"DOORWARD_SECRETS": "x"})
    assert "in the configuration file" in refusal(GOOD, config={"colour": "red"})


def test_what_kubernetes_injects_is_no_setting() -> None:
    environ = {
        "DOORWARD_SERVICE_HOST": "10.0.0.1",
        "DOORWARD_SERVICE_PORT_WEB": "80",
        "DOORWARD_PORT": "tcp://10.0.0.1:80",
        "DOORWARD_PORT_80_TCP": "x",
    }
    assert isinstance(load_settings(GOOD, environ), Settings)


@pytest.mark.parametrize(
    "weak",
    ["", "short", "secret_key_here", "x" * 64, "changeme" * 8, "django-insecure-" + "k" * 50, "0123456789abcdef" * 4],
)
def test_a_weak_secret_does_not_start(weak: str) -> None:
    assert "secret" in refusal({"secret": weak, "origin": ORIGIN}).lower()


def test_several_secrets_newest_first() -> None:
    other = "9fK2mQx7LpWc4ZtRb8NvYs1HdGj6EuAo3TiPe5XrBwM"
    settings = load_settings({"secret": f"b:{other},{SECRET}", "origin": ORIGIN})
    assert [key_id for key_id, _ in settings.secret] == ["b", "house"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://auth.example.com",
        "https://auth.example.com/path",
        "auth.example.com",
        "ftp://x",
        "https://",
        "https://a@b",
    ],
)
def test_an_origin_is_https_or_loopback_and_nothing_but_an_origin(origin: str) -> None:
    assert "origin" in refusal({"secret": SECRET, "origin": origin}).lower()


def test_loopback_may_be_http() -> None:
    assert load_settings({"secret": SECRET, "origin": "http://localhost:8000"}).origin.is_loopback


def test_what_is_needed_is_named_with_the_cure() -> None:
    assert "doorward init" in refusal({"origin": ORIGIN})
    assert "https://app.example.com" in refusal({"secret": SECRET})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("policy", "lax"),
        ("policy", {"password_min_alone": "15"}),
        ("policy", {"password_minimum": 3}),
        ("token_algorithm", "none"),
        ("token_algorithm", "HS512"),
        ("trusted_proxies", "everywhere"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("sign_up", "maybe"),
        ("debug", "perhaps"),
        ("hash_memory_mib", "0"),
        ("hash_memory_mib", "lots"),
        ("database_url", 7),
        ("secret", "\ud800" * 40),
    ],
)
def test_a_value_that_can_not_be_used_is_named(name: str, value: Any) -> None:
    assert name in refusal({**GOOD, name: value}).lower()


@pytest.mark.parametrize(
    "given",
    [
        {"sign_up": "domains"},
        {"sign_up_domains": "example.com"},
        {"sign_up": "closed", "sign_up_domains": "example.com"},
        {"sign_up": "domains", "sign_up_domains": "*.example.com"},
        {"sign_up": "domains", "sign_up_domains": "a@example.com"},
        {"sign_up": "domains", "sign_up_domains": "..example.com"},
    ],
)
def test_domains_that_may_sign_up_are_domains_and_go_with_the_mode(given: dict[str, str]) -> None:
    assert refusal({**GOOD, **given})[:11] in ("settings.E2", "settings.E7")


def test_values_are_parsed() -> None:
    settings = load_settings(
        {**GOOD, "trusted_proxies": "10.0.0.0/8, 2001:db8::/32", "policy": {"base": "strict", "session_idle": 60}}
    )
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
    assert settings.policy.second_factor_required
    assert settings.policy.session_idle == timedelta(seconds=60)


def test_eight_characters_only_where_a_second_factor_is_enforced() -> None:
    assert (Policy.standard().password_min, Policy.strict().password_min) == (15, 8)


def test_nothing_that_can_hold_a_password_is_printed() -> None:
    urls = {
        "database_url": "postgresql://u:canary@h/d",
        "redis_url": "redis://:canary@h",
        "smtp_url": "smtp://u:canary@h",
    }
    shown = repr(load_settings({**GOOD, **urls}))
    assert "canary" not in shown
    assert SECRET.partition(":")[2] not in shown


def test_every_setting_has_a_field_and_a_meaning() -> None:
    assert {setting.attribute for setting in SETTINGS} == set(Settings.__dataclass_fields__)
    assert all(setting.meaning.endswith(".") for setting in SETTINGS)

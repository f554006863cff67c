"""The configuration that `doorward init` writes: every setting with its meaning; only the needed ones are on."""

from __future__ import annotations

from doorward.core.refusals import Misconfigured
from doorward.core.settings import SETTINGS
from doorward.primitives.urls import Origin
from doorward.server.config import new_secret

EXAMPLES = {
    "database_url": '"postgresql://doorward:password@localhost/doorward"',
    "redis_url": '"redis://localhost:6379/0"',
    "smtp_url": '"smtp://user:password@mail.example.com:587?tls=starttls"',
    "mail_from": '"Example <no-reply@example.com>"',
    "sms_url": '"twilio://SID:TOKEN@/?from=+15005550006"',
    "sms_countries": '["DE", "AT"]',
    "trusted_proxies": '["10.0.0.5/32"]',
    "policy": '"standard"',
    "token_algorithm": '"ES256"',
    "token_key_rotation": "90",
    "token_audience": '["https://api.example.com"]',
    "return_origins": '["https://app.example.com"]',
    "protected_origins": '["https://wiki.example.com", "https://shop.example.com"]',
    "sign_up": '"domains"',
    "sign_up_domains": '["example.com", ".example.com"]',
    "reserved_usernames": '["billing", "newsroom"]',
    "phone_region": '"DE"',
    "rp_name": '"Example"',
    "rp_id": '"example.com"',
    "related_origins": '["https://example.net"]',
    "locales": '""',
    "theme": '{ accent = "#0d6854", background_dark = "#101513", radius = "0.625rem" }',
    "logo": '"/etc/doorward/logo.svg"',
    "templates": '"/etc/doorward/templates"',
    "password_hash": '"argon2id"',
    "pepper": '"2026:another-secret-of-48-bytes-that-stands-nowhere-else"',
    "fido_metadata": '"/var/lib/doorward/fido.jwt"',
    "breached_filter": '"/var/lib/doorward/breached.bloom"',
    "breached_url": '"https://api.pwnedpasswords.com/range"',
    "hash_memory_mib": "1280",
    "listen": '"127.0.0.1:8000"',
    "log_level": '"info"',
}
HOSTS_ONLY = ("debug",)  # settings that mean nothing to the server


def config_text(origin: str) -> str:
    """TOML. Raises `Misconfigured` for an origin that is none."""
    try:
        values = {"secret": f'"{new_secret()}"', "origin": f'"{Origin.parse(origin)}"'}
    except ValueError as error:
        raise Misconfigured("settings.E2", f"--origin: {error}") from None
    lines = [
        "# Settings of Doorward. What begins with # is as it stands where nothing is set, or an example.",
        "# The environment wins over this file: DOORWARD_ORIGIN, DOORWARD_SMTP_URL, …",
    ]
    for setting in SETTINGS:
        name = setting.attribute
        if name not in HOSTS_ONLY:
            line = f"{name} = {values[name]}" if name in values else f"# {name} = {EXAMPLES[name]}"
            lines += ["", f"# {setting.meaning}", line]
    return "\n".join(lines) + "\n"

"""What every test may ask for: real PostgreSQL, real Valkey, a real mail server and a real browser."""

from hypothesis import settings

# For who has time: `--hypothesis-profile=thorough` looks thirty times as long.
settings.register_profile("thorough", max_examples=3000)

pytest_plugins = [
    "tests.services.postgres",
    "tests.services.valkey",
    "tests.services.smtp",
    "tests.services.chromium",
    "tests.services.proxies",
    "tests.services.wheel",
]

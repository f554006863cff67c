"""What every test may ask for: real PostgreSQL, real Valkey, a real mail server and a real browser."""

pytest_plugins = [
    "tests.services.postgres",
    "tests.services.valkey",
    "tests.services.smtp",
    "tests.services.chromium",
    "tests.services.proxies",
    "tests.services.wheel",
]

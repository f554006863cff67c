"""The actions of all features, for calling them: `auth.do(actions.password.change, …)`."""

from doorward.features import (
    access_tokens,
    api_keys,
    change_email,
    password,
    password_check,
    password_hashes,
    recovery_codes,
    refresh_tokens,
    roles,
    sessions,
    sign_out,
    sign_up,
    step_up,
    token_keys,
    totp,
    verify_email,
)

__all__ = [
    "access_tokens",
    "api_keys",
    "change_email",
    "password",
    "password_check",
    "password_hashes",
    "recovery_codes",
    "refresh_tokens",
    "roles",
    "sessions",
    "sign_out",
    "sign_up",
    "step_up",
    "token_keys",
    "totp",
    "verify_email",
]

"""The pages people see: templates, static files, and which page comes after which form.

`Pages()` is what the dispatcher asks for (http/views.py: `Views`). `Pages(templates="folder")`, which the setting
TEMPLATES makes, looks into a folder of the host's first, so that a template of the same name there takes the place of
ours, or extends ours as `doorward/NAME`.

Every template gets the words listed in http/views.py, and from here: `errors` as sentences, `static(name)` for the URL
of a file of ours, `notice` for what a form before this page has done. Filters: `agent` (a browser's name out of its
user agent), `day` and `moment` (RFC 3339 to text), `grouped` (a secret in fours), `happened` (an event in words),
`ways` (`amr` values to words), `waiting` (seconds to words).
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from doorward.core.theme import Theme
from doorward.http.pages import shown
from doorward.http.pages.brand import kept, read_logo, style_of
from doorward.http.views import Form, Static
from doorward.locale import Language
from doorward.templating import check, environment, names_in, words_of

_HERE = Path(str(files(__package__)))
_TEXTUAL = ("text/css", "text/javascript", "image/svg+xml")

FORMS: Mapping[str, Form] = {
    "sign_up": Form("/sign-up"),
    "sign_up.password": Form("/sign-up/password", then="/"),
    "sign_up.username": Form("/sign-up/username", then="/"),
    "email.verify": Form("/check-mail", then="/?done=email.verify"),
    "email.resend": Form("/check-mail", held="/check-mail?done=email.resend"),
    "email.add": Form("/email"),
    "email.make_primary": Form("/email", then="/email?done=email.make_primary"),
    "email.remove": Form("/email", then="/email?done=email.remove"),
    "email.undo": Form("/email/undo", held="/sign-in?done=email.undo"),
    "sign_in.password": Form("/sign-in"),
    "password.forgot": Form("/password/forgot", held="/password/reset"),
    "password.reset": Form("/password/reset", then="/?done=password.reset", held="?done=password.reset"),
    "password.set": Form("/password/set", then="/security?done=password.set"),
    "sign_in.email_code.send": Form("/sign-in/email-code/send", held="/sign-in/email-code"),
    "sign_in.email_code": Form("/sign-in/email-code"),
    "sign_in.magic_link.send": Form("/sign-in/magic-link/send", held="/sign-in/magic-link"),
    "sign_in.magic_link": Form("/sign-in/magic-link"),
    "sign_in.sms_code.send": Form("/sign-in/second-step", held="/sign-in/sms-code"),
    "sign_in.sms_code": Form("/sign-in/sms-code"),
    "sign_in.passkey.finish": Form("/sign-in"),
    "passkeys.register.finish": Form("/passkeys", then="/passkeys?done=passkeys.register.finish"),
    "passkeys.rename": Form("/passkeys", then="/passkeys?done=passkeys.rename"),
    "passkeys.remove": Form("/passkeys", then="/passkeys?done=passkeys.remove"),
    "sign_in.recovery.send": Form("/sign-in/recovery", held="/sign-in/recovery"),
    "sign_in.recovery": Form("/sign-in/recovery"),
    "sign_in.recovery.wait": Form("/sign-in/recovery", shows="recovery_waiting.html"),
    "recovery.cancel": Form("/recovery/cancel", then="/sign-in?done=recovery.cancel"),
    "recovery.assisted": Form("/recovery/assisted"),
    "sign_in.totp": Form("/sign-in/second-step"),
    "sign_in.recovery_code": Form("/sign-in/second-step", then="/?done=sign_in.recovery_code"),
    "step_up": Form("/step-up"),
    "totp.begin": Form("/totp", then="", carries=True),
    "totp.confirm": Form("/totp", then="/recovery-codes?done=totp.confirm", carries=True),
    "totp.rename": Form("/totp/rename", then="/security?done=totp.rename"),
    "totp.remove": Form("/security", then="/security?done=totp.remove"),
    "phone.add": Form("/phone"),
    "phone.confirm": Form("/phone", then="/phone?done=phone.confirm"),
    "phone.remove": Form("/phone", then="/security?done=phone.remove"),
    "trusted_devices.end": Form("/trusted-devices", then="/trusted-devices?done=trusted_devices.end"),
    "recovery_codes.generate": Form("/recovery-codes", shows="recovery_codes_shown.html"),
    "password.change": Form("/password/change", then="/security?done=password.change"),
    "api_keys.create": Form("/api-keys/create", shows="api_key_shown.html"),
    "invitations.create": Form("/invitations/create", then="/invitations?done=invitations.create"),
    "invitations.revoke": Form("/invitations", then="/invitations?done=invitations.revoke"),
    "invitations.accept": Form("/invitations/accept", then="/?done=invitations.accept"),
    "api_keys.revoke": Form("/api-keys", then="/api-keys?done=api_keys.revoke"),
    "account.update": Form("/account", then="/account?done=account.update"),
    "account.export": Form("/account/export", file="account.json"),
    "account.close": Form("/account/close", then="/account/closed"),
    "account.undo": Form("/account/undo", then="/sign-in?done=account.undo"),
    "sign_in.keep_account": Form("/sign-in/keep-account", then="/?done=account.undo"),
    "sessions.end": Form("/sessions", then="/sessions?done=sessions.end"),
    "not_me": Form("/not-me", then="/password/forgot?done=not_me"),
    "sign_out": Form("/", then="/sign-in?done=sign_out"),
}

STEPS: Mapping[str, str] = {
    "prove": "/sign-in/second-step",
    "verify email": "/check-mail",
    "verify phone": "/phone",
    "confirm keep_account": "/sign-in/keep-account",
    "enroll passkey": "/sign-in/new-passkey",
    "confirm recovery_wait": "/sign-in/recovery",
    "enroll password": "/sign-up/password",
    "enroll username": "/sign-up/username",
    "enroll totp": "/sign-in/set-up",
}


SET_UP: Mapping[str, str] = {"totp": "/totp", "passkey": "/passkeys"}

# What every template is given (http/views.py), whether one of ours asks for it or not.
WORDS = frozenset(
    {
        *(
            "prefix",
            "at_host",
            "language",
            "service_name",
            "csrf_token",
            "attempt",
            "back",
            "user",
            "session",
            "query",
            "fields",
        ),
        *("errors", "problem", "action", "has", "password_min", "mail_lets_in", "texts_are_sent"),
        *("sign_up_open", "sign_up_invites"),
        *("navigation", "above", "parts", "notice", "static", "logo"),
    }
)


def _read_static() -> Mapping[str, Static]:
    """All files at once, by their exact path: no name of a request ever reaches the file system."""
    found = {}
    for path in sorted((_HERE / "static").iterdir()):
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        kind = "text/javascript" if path.suffix == ".js" else kind
        body = path.read_bytes()
        charset = "; charset=utf-8" if kind in _TEXTUAL else ""
        found[f"/static/{path.name}"] = kept(kind + charset, body)
    return found


STATIC = _read_static()
STYLE = "/static/doorward.css"


class Pages:
    """Our pages, as `http.views.Views` describes them."""

    forms = FORMS
    steps = STEPS
    sign_in = "/sign-in"
    step_up = "/step-up"
    set_up = SET_UP

    def __init__(
        self, templates: str | Path = "", *, theme: Theme | None = None, logo: str = "", reload: bool = False
    ) -> None:
        """`theme` and `logo`: a host's look, as the settings THEME and LOGO."""
        self.static: Mapping[str, Static] = STATIC
        if theme is not None:
            style = STATIC[STYLE]
            self.static = {**self.static, STYLE: kept(style.content_type, style.body + style_of(theme))}
        self.logo = ""
        if logo:
            self.logo, file = read_logo(logo)
            self.static = {**self.static, f"/static/{self.logo}": file}
        self._environment = environment(_HERE / "templates", templates, reload=reload)
        self._environment.filters.update(shown.FILTERS)
        if templates:
            ours = names_in(_HERE / "templates")
            known = words_of(self._environment, {f"doorward/{name}" for name in ours}) | WORDS
            check(
                self._environment,
                templates,
                ours=ours,
                takes=lambda name: known if name in ours else None,
                endings=("html",),
            )

    def render(self, template: str, words: Mapping[str, object]) -> str:
        """A page as HTML. Raises `jinja2.UndefinedError` for a word that is missing: a mistake of ours."""
        prefix, language = str(words["prefix"]), words["language"]
        assert isinstance(language, Language)  # noqa: S101
        more: dict[str, Any] = {
            "problem": shown.worded(words["problem"], str(words["action"]), language),
            "errors": shown.sentences(words["problem"], language),
            "notice": shown.notice(words["query"], language),
            "static": lambda name: self._static_url(prefix, name),
            "logo": self.logo,
        }
        return self._environment.get_template(template).render({**words, **more})

    def _static_url(self, prefix: str, name: str) -> str:
        # A new version has a new address: no page of today meets a style of yesterday.
        return f"{prefix}/static/{name}?{self.static[f'/static/{name}'].etag[1:9]}"

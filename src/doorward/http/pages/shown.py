"""How values look on a page: times, browsers, secrets, and refusals as sentences about a field.

The tables below are in English, and catalogues have all that stands in them; functions say it in the page's language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from doorward.locale import Language

_WAYS = {
    "pwd": "password",
    "otp": "authenticator app",
    "recovery": "recovery code",
    "email": "mailed code",
    "hwk": "passkey",
    "swk": "passkey",
    "sms": "text message",
}
_NOTICES = {
    "email.verify": "Your address is confirmed.",
    "email.resend": "Another letter is on its way. Only its code is good now.",
    "email.make_primary": "That is your main address now.",
    "email.remove": "That address is removed.",
    "email.undo": "The change is undone, and all sessions are ended. Sign in and change your password.",
    "recovery.cancel": "The recovery is stopped. Whoever began it knows your password or reads your mail: change both.",
    "sign_in.recovery_code": "You used a recovery code. It is good no more; the others still are.",
    "phone.confirm": "Your number is confirmed.",
    "phone.remove": "The number is removed.",
    "passkeys.register.finish": "Your passkey is ready. From now on you can sign in with it.",
    "passkeys.rename": "That passkey has its new name.",
    "passkeys.remove": "That passkey is removed.",
    "totp.confirm": "Your authenticator app is connected. Now make recovery codes, for the day your phone is lost.",
    "totp.rename": "The name is saved.",
    "totp.remove": "The authenticator app is removed.",
    "password.change": "Your password is changed. You are signed out everywhere else.",
    "password.reset": "Your new password is set. You are signed out everywhere else.",
    "password.set": "Your password is set. You are signed out everywhere else.",
    "account.update": "Your profile is saved.",
    "account.undo": "Your account stays as it was.",
    "sessions.end": "Ended. Nobody is signed in there any more.",
    "trusted_devices.end": "There you will be asked for a second step again.",
    "api_keys.revoke": "The key is revoked.",
    "invitations.create": "The invitation is on its way.",
    "invitations.revoke": "The invitation is taken back.",
    "invitations.accept": "You have accepted the invitation.",
    "not_me": "All sessions of your account are ended. Now choose a new password.",
    "sign_out": "You are signed out.",
}
# What has happened, in an audit trail.
_HAPPENED = {
    "signed_in": "Signed in",
    "signed_out": "Signed out",
    "sign_in_failed": "A sign-in that failed",
    "signed_up": "Account made",
    "account_closing": "Account closed",
    "account_kept": "Account kept after all",
    "password_changed": "Password changed",
    "authenticator_added": "A way to prove who you are was added",
    "authenticator_removed": "A way to prove who you are was removed",
    "counter_went_back": "A passkey that may have been copied was used",
    "recovery_code_used": "Recovery code used",
    "recovery_begun": "Somebody said that your second factor is lost",
    "recovery_assisted": "An administrator made a link for your recovery",
    "recovery_cancelled": "Recovery stopped",
    "second_factor_replaced": "Second factor replaced",
    "role_granted": "Role given",
    "role_revoked": "Role taken away",
    "refresh_token_reused": "A spent token came back, and its session was ended",
    "addresses_changed": "E-mail addresses changed",
    "api_key_created": "API key made",
    "api_key_revoked": "API key revoked",
    "invitation_sent": "Invitation sent",
    "invitation_revoked": "Invitation taken back",
    "invitation_accepted": "Invitation accepted",
}
# Where a refusal reads oddly on the page of the form that was refused: (action, reason) -> title and detail.
_WORDED = {
    ("password.change", "wrong_credentials"): ("Wrong password", "This is not your present password."),
    ("sign_in.passkey.finish", "wrong_credentials"): ("That did not work", "This passkey was not accepted."),
    ("sign_in.password", "wrong_credentials"): ("That did not match", "The name or the password is wrong."),
    ("account.close", "last_administrator"): (
        "You are the last administrator",
        "Let somebody else give roles first, then close your account.",
    ),
    ("", "invalid_input"): ("Something is not right", "Something in the request is not as it should be."),
    ("", "csrf_failed"): ("Once more, please", "This page had been open for too long. Send it again."),
    ("", "password_too_short"): (
        "Password too short",
        "Use %(number)s characters or more. A few words are easy to remember.",
    ),
}
# By field and reason. `%(number)s` is the number in the detail of the refusal.
_SENTENCES = {
    ("email", "not_valid"): "Enter an e-mail address, such as name@example.com.",
    ("phone", "not_valid"): "Enter a phone number with its country, such as +49 171 1234567.",
    ("username", "not_valid"): "Use 3 to 64 letters, digits, dots or hyphens, with at least one letter.",
    ("scopes", "required"): "Name at least one scope.",
    ("scopes", "not_valid"): "A scope is a word of letters, digits and signs, without quotes or backslash.",
    ("username", "reserved"): "Choose another name: this one is kept for the service itself.",
    ("locale", "not_valid"): "Choose a language from the list.",
    ("time_zone", "not_valid"): "Choose a time zone from the list.",
    ("", "required"): "Fill in this field.",
    ("", "not_valid"): "This has a character that can't be used here.",
    ("", "not_offered"): "Choose one of what is offered.",
    ("", "too_long"): "Use %(number)s characters at most.",
    ("", "too_short"): "Use %(number)s characters or more.",
    ("name", "too_many"): "%(number)s are the most that one can have. Remove one of them first.",
}


def day(at: str, language: Language) -> str:
    """`2026-11-23T12:00:00Z` as `23 November 2026`."""
    return language.day(datetime.fromisoformat(at))


def moment(at: str, language: Language) -> str:
    """`2026-11-23T12:00:00Z` as `23 November 2026, 12:00 UTC`."""
    return language.moment(datetime.fromisoformat(at))


def agent(user_agent: str, language: Language) -> str:
    """`Firefox on Windows` for a browser; the program's own name for others."""
    return language.device(user_agent)


def grouped(secret: str) -> str:
    """A secret in fours, to be read and typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def ways(amr: Sequence[str], language: Language) -> str:
    """`["pwd", "otp", "mfa"]` as `password and authenticator app`."""
    names = [language.gettext(name) for name in dict.fromkeys(_WAYS[value] for value in amr if value in _WAYS)]
    if len(names) < 2:
        return "".join(names)
    return language.gettext("%(first)s and %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]}


def waiting(seconds: int, language: Language) -> str:
    """`90` as `2 minutes`: rounded up, so that who waits that long need not wait again."""
    minutes = -(-seconds // 60)
    if seconds <= 60:
        number, said = seconds, language.ngettext("%(number)s second", "%(number)s seconds", seconds)
    elif minutes < 120:
        number, said = minutes, language.ngettext("%(number)s minute", "%(number)s minutes", minutes)
    else:
        number = -(-minutes // 60)
        said = language.ngettext("%(number)s hour", "%(number)s hours", number)
    return said % {"number": number}


def sentences(problem: Any, language: Language) -> dict[str, str]:
    """What is wrong with which field, from a problem document or None."""
    found = {}
    for error in (problem or {}).get("errors", ()):
        name, reason, detail = error["field"], error["reason"], error["detail"]
        known = _SENTENCES.get((name, reason)) or _SENTENCES.get(("", reason))
        said = _filled(known, detail, language) if known else language.gettext(detail)
        found[name] = said if known else f"{said[:1].upper()}{said[1:]}."
    return found


def worded(problem: Any, action: str, language: Language) -> Any:
    """The problem document in the words of the page that shows it."""
    if problem is None:
        return None
    title, detail = problem["title"], problem["detail"]
    if action:
        own = _WORDED.get((action, problem["reason"])) or _WORDED.get(("", problem["reason"]))
        title, words = own or (title, detail)
    else:
        words = detail
    return {**problem, "title": language.gettext(title), "detail": _filled(words, detail, language)}


def _filled(message: str, detail: str, language: Language) -> str:
    said = language.gettext(message)
    number = re.search(r"\d+", detail)
    return said.replace("%(number)s", number[0]) if number else said


def happened(event: str, language: Language) -> str:
    """`signed_in` as `Signed in`; an event of a host's by its own name."""
    return language.gettext(_HAPPENED[event]) if event in _HAPPENED else event.replace("_", " ").capitalize()


def notice(query: Any, language: Language) -> str:
    """What the form before this page has done: from a closed list, so that no link can put words on our pages."""
    return language.gettext(_NOTICES.get(query.get("done", ""), ""))


def _worded(function: Callable[[Any, Language], str]) -> Callable[[Context, Any], str]:
    """A filter that speaks the language of the page it stands on."""

    @pass_context
    def words(context: Context, value: Any) -> str:
        return function(value, context["language"])

    return words


FILTERS: Mapping[str, Callable[..., str]] = {
    "agent": _worded(agent),
    "day": _worded(day),
    "grouped": grouped,
    "happened": _worded(happened),
    "moment": _worded(moment),
    "waiting": _worded(waiting),
    "ways": _worded(ways),
}

"""How values look on a page: times, browsers, secrets, and refusals as sentences about a field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

# First match wins: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
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
    "email.verify": "Your address is confirmed. Welcome!",
    "email.resend": "Another letter is on its way. Only its code is good now.",
    "sign_in.recovery_code": "You used a recovery code. It is good no more; the others still are.",
    "totp.confirm": "Your authenticator app is connected. Now make recovery codes, for the day your phone is lost.",
    "totp.remove": "The authenticator app is removed.",
    "password.change": "Your password is changed. You are signed out everywhere else.",
    "sessions.end": "That session is ended.",
    "sign_out": "You are signed out.",
}
# Where a refusal reads oddly on the page of the form that was refused: (action, reason) -> title and detail.
_WORDED = {
    ("password.change", "wrong_credentials"): ("Wrong password", "This is not your present password."),
    ("sign_in.password", "wrong_credentials"): ("That did not match", "The name or the password is wrong."),
    ("", "csrf_failed"): ("Once more, please", "This page had been open for too long. Send it again."),
}
_SENTENCES = {
    ("email", "not_valid"): "Enter an e-mail address, such as name@example.com.",
    ("username", "not_valid"): "Use 3 to 64 letters, digits, dots or hyphens, with at least one letter.",
    ("", "required"): "Fill in this field.",
    ("", "not_valid"): "This has a character that can't be used here.",
}


def day(at: str) -> str:
    """`2026-11-23T12:00:00Z` as `23 November 2026`. Month names do not depend on the server's locale."""
    moment = datetime.fromisoformat(at)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def moment(at: str) -> str:
    """`2026-11-23T12:00:00Z` as `23 November 2026, 12:00 UTC`."""
    return f"{day(at)}, {datetime.fromisoformat(at):%H:%M} UTC"


def agent(user_agent: str) -> str:
    """`Firefox on Windows` for a browser; the program's own name for others."""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    program = re.match(r"[\w .-]{1,40}", user_agent)
    return program[0].strip() if program and program[0].strip() else "Unknown device"


def grouped(secret: str) -> str:
    """A secret in fours, to be read and typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def ways(amr: Sequence[str]) -> str:
    """`["pwd", "otp", "mfa"]` as `password and authenticator app`."""
    names = list(dict.fromkeys(_WAYS[value] for value in amr if value in _WAYS))
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def waiting(seconds: int) -> str:
    """`90` as `2 minutes`: rounded up, so that who waits that long need not wait again."""
    if seconds <= 60:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{-(-minutes // 60)} hours"


def sentences(problem: Any) -> dict[str, str]:
    """What is wrong with which field, from a problem document or None."""
    found = {}
    for error in (problem or {}).get("errors", ()):
        name, reason, detail = error["field"], error["reason"], error["detail"]
        known = _SENTENCES.get((name, reason)) or _SENTENCES.get(("", reason))
        found[name] = known or f"{detail[:1].upper()}{detail[1:]}."
    return found


def worded(problem: Any, action: str) -> Any:
    """The problem document in the words of the page that shows it."""
    if problem is None or not action:
        return problem
    words = _WORDED.get((action, problem["reason"])) or _WORDED.get(("", problem["reason"]))
    return problem if words is None else {**problem, "title": words[0], "detail": words[1]}


def notice(query: Any) -> str:
    """What the form before this page has done: from a closed list, so that no link can put words on our pages."""
    return _NOTICES.get(query.get("done", ""), "")


FILTERS: Mapping[str, Callable[..., str]] = {
    "agent": agent,
    "day": day,
    "grouped": grouped,
    "moment": moment,
    "waiting": waiting,
    "ways": ways,
}

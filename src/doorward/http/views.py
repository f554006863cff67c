"""What the dispatcher asks of the pages: templates, static files, and which page belongs to which form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Form:
    """The pages around the form of one action, as paths below the prefix.

    `page` holds the form: it is shown again when the action refuses. After success the browser goes to `then`, or to
    the page of the sign-in's next step; or, where `shows` names a template, gets the result itself, shown once (its
    words: `result`); or, where `file` names one, gets it as that file. An empty `then` is the page itself. `held` takes
    the place of the next step's page; a `held` that is a query alone goes with it. Who is on the way to a page of their
    own (`return_to`) goes there and not to `then`; with `carries`, first to `then`, which takes it along.
    """

    page: str
    then: str = "/"
    shows: str = ""
    held: str = ""
    file: str = ""
    carries: bool = False


@dataclass(frozen=True, slots=True)
class Static:
    """A file that is the same for everybody. `etag` is quoted, as it goes out."""

    content_type: str
    body: bytes
    etag: str


class Views(Protocol):
    """The pages of an installation; `doorward.http.pages` is ours.

    Every template gets these words: `prefix`, `at_host` (a protected host, which has no pages but refusals), `language`
    (what the page speaks), `service_name`, `csrf_token`,
    `attempt` (of the sign-in under way, or empty), `user` and `session` (as in JSON, or None), `query` (of the page),
    `back` (where one wanted to go before all this, checked; or empty), `fields` (what was typed, without secrets),
    `errors` (field name -> detail), `problem` (the problem document, or None), `action` (whose form was refused, or
    empty), `has` (the actions that are switched on), `password_min`, `mail_lets_in`, `texts_are_sent`, `sign_up_open`,
    `sign_up_invites`, `navigation`, `above` and `parts` (of the account area, http/area.py); and what its `load` and
    its `reads` give.
    `problem.html` shows a refusal that has no page of its own.
    """

    static: Mapping[str, Static]
    """By path below the prefix."""

    forms: Mapping[str, Form]
    """By action name."""

    steps: Mapping[str, str]
    """Pages of a sign-in's next step, by `prove`, `verify email`, `enroll totp`, `enroll`, `confirm keep_account`: the
    most exact one holds."""

    sign_in: str
    """The page where one signs in."""

    step_up: str
    """The page where a fresh proof begins."""

    set_up: Mapping[str, str]
    """The pages where a second factor is set up by who is signed in, by method."""

    def render(self, template: str, words: Mapping[str, object]) -> str:
        """The page as HTML."""


def page_of_step(views: Views, step: str, names: tuple[str, ...]) -> str:
    """The page for a hold: `enroll password` before `enroll`; the sign-in page where none is named."""
    exact = next((views.steps[f"{step} {name}"] for name in names if f"{step} {name}" in views.steps), None)
    return exact or views.steps.get(step, views.sign_in)

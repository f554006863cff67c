"""`doorward keys`: look at the keys that sign access tokens, and replace them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from doorward.core.call import Call
from doorward.features import token_keys
from doorward.features.token_keys import KeyShown
from doorward.http.answers import moment
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import Output, reports

STATES = {"next": "published, signs from then on", "signs": "signs", "kept": "verifies until its end"}
WHAT_ENDS = (
    "Tokens that it signed end here within a second, and at services when their copy of the key set is old: after five "
    "minutes. Nobody is signed out: programs refresh."
)


@click.group("keys")
def command() -> None:
    """The keys that sign access tokens. They are replaced by themselves, every TOKEN_KEY_ROTATION days."""


@command.command("list")
@CONFIG
@reports
def list_keys(output: Output, config: Path | None) -> None:
    """Show the keys of the set, youngest first."""
    keys = run_story(config, token_keys.list_keys)
    if output.as_json:
        output.result({"items": [_plain(key) for key in keys]})
        return
    rows = [(key.kid, key.algorithm, STATES[key.state], moment(key.signs_from), _end(key) or "") for key in keys]
    output.table(("key", "algorithm", "", "signs from", "ends"), rows)


@command.command("rotate")
@CONFIG
@click.option("--now", "at_once", is_flag=True, help="Sign with it at once: services may refuse tokens for a moment.")
@reports
def rotate(output: Output, config: Path | None, at_once: bool) -> None:
    """Make the next key. It is published now and signs in ten minutes, when every service has heard of it; the one
    before it verifies what it signed, to the end."""
    key = run_story(config, lambda call: token_keys.rotate(call, at_once=at_once))
    when = "at once" if key.state == "signs" else f"from {moment(key.signs_from)}"
    output.result(_plain(key), f"{key.kid} signs {when}.")


@command.command("revoke")
@CONFIG
@click.argument("kid")
@reports
def revoke(output: Output, config: Path | None, kid: str) -> None:
    """Take the key KID out of the set now: for one that somebody else may know. A new one takes its place."""

    async def story(call: Call) -> KeyShown:
        return await token_keys.revoke(call, kid)

    signs = run_story(config, story)
    output.result({"revoked": kid, "signs": _plain(signs), "ends": WHAT_ENDS}, f"{kid} is gone.", WHAT_ENDS)
    output.say(f"{signs.kid} signs now.")


def _plain(key: KeyShown) -> dict[str, Any]:
    return {**key._asdict(), "signs_from": moment(key.signs_from), "expires_at": _end(key)}


def _end(key: KeyShown) -> str | None:
    return None if key.expires_at is None else moment(key.expires_at)

"""`doorward secrets`: which keys of SECRET are needed, and how an older one may go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from doorward.core import resealing
from doorward.core.call import Call
from doorward.core.resealing import InUse, Resealed
from doorward.features.refresh_tokens import RefreshFamily
from doorward.server.opening import CONFIG, run_story
from doorward.server.output import PROBLEM, Output, reports

# What is signed or keyed, and not sealed, can't be made again without what it was made of.
ENDS = (
    "When it goes, so does what it signed and keyed: sessions and refresh tokens begun under it (they end in "
    "{days} days by themselves), recovery codes made under it (who has them makes new ones), and the browsers that it "
    "knows (they are told of as new ones)."
)
LOST = "{count:,} values are sealed by {id!r}, which SECRET lacks: put it back behind the newest one."


@click.group("secrets")
def command() -> None:
    """The keys of SECRET: the first one writes, all of them read."""


@command.command("list")
@CONFIG
@reports
def list_keys(output: Output, config: Path | None) -> None:
    """Show the keys of SECRET, newest first, and how much is sealed by each."""
    found, families = run_story(config, _used)
    newest = next(iter(found.by))
    if output.as_json:
        items = [
            {"id": id, "writes": id == newest, "sealed": n, "sign_ins": families[id]} for id, n in found.by.items()
        ]
        output.result({"items": items, "sealed_by_others": found.by_others})
        return
    rows = [(id, "writes" if id == newest else "reads", f"{n:,}", f"{families[id]:,}") for id, n in found.by.items()]
    others = [("not in SECRET", "", f"{found.by_others:,}", "")] if found.by_others else []
    output.table(("key", "", "sealed values", "refresh tokens"), [*rows, *others])


async def _used(call: Call) -> tuple[InUse, dict[str, int]]:
    ids = call.keyring.ids
    families = {id: await call.store.count(RefreshFamily, key_id=id, expires_at__gt=call.now) for id in ids}
    return await resealing.in_use(call.store, call.world.features.values(), ids), families


@command.command("reseal")
@CONFIG
@reports
def reseal(output: Output, config: Path | None) -> int:
    """Seal again by the newest key of SECRET what is sealed by an older one: authenticator apps, signing keys, letters
    that wait. Safe to stop, to run again, and beside servers that know the newest key."""
    rows = run_story(config, resealing.rows_to_look_at)
    with output.progress("sealing", rows) as tick:

        async def story(call: Call) -> tuple[Resealed, InUse, int]:
            done = await resealing.reseal(call, tick)
            return done, (await _used(call))[0], call.policy.session_absolute.days

        done, found, days = run_story(config, story)
    newest, *older = found.by
    free = [id for id in older if not found.by[id]]
    output.result(
        _as_json(done, found, free),
        f"{done.values.total():,} values are sealed again by {newest!r}.",
        *([f"{done.overtaken:,} were written by somebody else meanwhile; run it again."] if done.overtaken else []),
        *(LOST.format(count=count, id=id) for id, count in done.lost.items()),
        *(f"Nothing is sealed by {id!r} any more: it may be taken out of SECRET." for id in free),
        *([ENDS.format(days=days)] if free else []),
    )
    return PROBLEM if done.lost else 0


def _as_json(done: Resealed, found: InUse, free: list[str]) -> dict[str, Any]:
    return {
        "resealed": dict(done.values),
        "overtaken": done.overtaken,
        "lost": dict(done.lost),
        "sealed": dict(found.by),
        "may_go": free,
    }

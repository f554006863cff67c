"""What `doorward doctor` looks at of passkeys: their domain, and the list of makes that are taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from doorward.core.refusals import Misconfigured
from doorward.features.passkeys import Passkeys
from doorward.features.passkeys.makes import CURE, in_file
from doorward.server.doctor import Case, Finding, note, ok, problem, told

OURS = Passkeys()


def settings(case: Case, feature: Passkeys = OURS, now: datetime | None = None) -> Iterator[Finding]:
    """What stops a start; and what does not, but should not stay so."""
    if "origin" in case.broken:
        return
    now = now or datetime.now(UTC)
    try:
        feature.check(case.settings, now)
    except Misconfigured as wrong:
        yield problem("passkeys", *told(wrong))
        return
    if case.settings.origin.is_address:
        found = f"ORIGIN is the address {case.settings.origin.host}, and browsers make passkeys for names alone"
        yield note("passkeys", found, "give ORIGIN a name, such as http://localhost:8000 on this machine")
    if case.settings.fido_metadata:
        yield _listed(case.settings.fido_metadata, feature.fido_root, now)


def _listed(path: str, root: bytes, now: datetime) -> Finding:
    """Metadata Service §3.2: at `nextUpdate`, at the latest, a list should be fetched anew."""
    listed = in_file(path, root, now)
    if now.date() > listed.next_update:
        found = f"the list in {path} should have been replaced by {listed.next_update}: what is new is not in it"
        return problem("fido metadata", found, f"{CURE}, then restart")
    return ok("fido metadata", f"{len(listed.makes)} makes, good until {listed.next_update}")


def domains(case: Case, counts: Mapping[str, int]) -> Iterator[Finding]:
    """A passkey is for the domain that it was made for, and lost under another."""
    here = case.settings.relying_party
    for domain, count in counts.items():
        if domain != here:
            found = f"{count} of the newest passkeys are for {domain}, and RP_ID is {here}: they can't sign in"
            yield problem("passkeys", found, f"set RP_ID = {domain}, and list other domains in RELATED_ORIGINS")
    if counts.keys() <= {here}:
        yield ok("passkeys", f"for {here}")

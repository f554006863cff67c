"""How commands are told what second factor to demand."""

from __future__ import annotations

import click

from doorward.core.demands import DEMANDS

SECOND_FACTOR = click.option(
    "--second-factor", type=click.Choice(DEMANDS), required=True, help="`optional` takes the demand away."
)
GRACE = click.option(
    "--grace-days", type=click.IntRange(0, 365), default=0, help="Time to set one up, from the next sign-in on."
)

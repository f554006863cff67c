"""The letters of a recovery: before a second factor is replaced, each address hears of it and can stop it."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.delivery.parts import Code, Link, Part, Say, Text
from doorward.locale import _

STOP_IT: tuple[Part, ...] = (
    Say(_("If this is not your doing, stop it: open this link and confirm there.")),
    Link("cancel_link", _("Stop the recovery")),
)
WHO: tuple[Part, ...] = (
    Say(_("Device: {agent}")),
    Say(_("Network address: {network}"), only_with="network"),
)

RECOVERY: Mapping[str, Text] = {
    "recovery_code_mailed": Text(
        _("Your code for {service}"),
        (
            Say(
                _(
                    "Somebody, most likely you, signed in at {service} and says that the second step is not possible "
                    "any more. Type this code where you asked for it:"
                )
            ),
            Code("code"),
            Say(_("It works for {minutes} minutes, once.")),
            Say(_("Nobody from {service} will ever ask you for this code. Give it to no one.")),
            Say(_("If you did not ask for it, somebody knows your password: sign in and change it.")),
        ),
        greets=False,
    ),
    "recovery_begun": Text(
        _("Somebody wants to replace the second step of your account at {service}"),
        (
            Say(
                _(
                    "On {time} somebody who knows your password and reads your mail said that the second step of your "
                    "account at {service} is lost."
                )
            ),
            *WHO,
            Say(_("From {until} on they can set up another one, with the password and a code that we mail.")),
            Say(_("If it was you, there is nothing to do until then. To sign in with the second step stops it, too.")),
            *STOP_IT,
        ),
    ),
    "recovery_due": Text(
        _("Soon somebody can replace the second step of your account at {service}"),
        (
            Say(
                _(
                    "Somebody who knows your password and reads your mail said that the second step of your account at "
                    "{service} is lost. From {until} on they can set up another one."
                )
            ),
            *WHO,
            Say(_("If it was you, sign in again from then on; the page will lead you.")),
            *STOP_IT,
        ),
    ),
    "recovery_cancelled": Text(
        _("The recovery of your account at {service} was stopped"),
        (
            Say(_("On {time} the recovery of your account at {service} was stopped. The second step stays as it is.")),
            Say(
                _(
                    "If it was not you who began it, somebody knows your password or reads your mail. Change the "
                    "passwords of both."
                )
            ),
        ),
    ),
    "recovery_assisted": Text(
        _("Help for your account at {service}"),
        (
            Say(
                _(
                    "On {time} somebody who runs {service} made a link for your account. Whoever has it can choose a "
                    "new password and set up the second step anew, once, until {until}."
                )
            ),
            Say(_("If you asked for help, there is nothing to do with this letter.")),
            *STOP_IT,
        ),
    ),
    "recovery_link": Text(
        _("Set up your account at {service} anew"),
        (
            Say(
                _(
                    "With this link you choose a new password and set up the second step anew. It works once, until "
                    "{until}, and asks first:"
                )
            ),
            Link("link", _("Set up anew")),
            Say(_("Give it to no one: who has it gets into your account.")),
        ),
        greets=False,
    ),
}

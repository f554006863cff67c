"""The letters we send, each written once."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.delivery.parts import Code, Either, Link, Say, Text
from doorward.delivery.texts_of_recovery import RECOVERY
from doorward.locale import _

THIS_WAS_NOT_ME = Link("not_me_link", _("This was not me"))
NOT_YOU = Either(
    "not_me_link",
    (
        Say(
            _(
                "If this was not you, somebody else may be in your account. This link asks first, then ends all "
                "sessions and lets you choose a new password:"
            )
        ),
        THIS_WAS_NOT_ME,
    ),
    (
        Say(
            _(
                "If this was not you, somebody else may be in your account. Sign in, change your password and end all "
                "other sessions. If you can't, tell the people who run {service} at once."
            )
        ),
    ),
)
NOT_YOU_AND_UNDO = (
    Say(_("If this was not you, somebody else may be in your account.")),
    Say(
        _(
            "This link undoes the change and those after it, and ends all sessions. It is good for 7 days, and asks "
            "before it does anything:"
        ),
        only_with="undo_link",
    ),
    Link("undo_link", _("Undo the change"), only_with="undo_link"),
    Say(
        _(
            "Sign in, change your password and end all other sessions. If you can't, tell the people who run {service} "
            "at once."
        )
    ),
)
GREETING = _("Hello {name},")
GREETING_WITHOUT_NAME = _("Hello,")
FOOTER = _("{service} sent this letter by itself. Nobody reads answers to it.")

TEXTS: Mapping[str, Text] = {
    "verify_address": Text(
        _("Confirm your e-mail address for {service}"),
        (
            Say(_("Type this code where you signed up for {service}:")),
            Code("code"),
            Say(_("It works for {minutes} minutes. Instead of it you can open this link, and confirm there:")),
            Link("link", _("Confirm my address")),
            Say(_("Nobody from {service} will ever ask you for this code. Give it to no one.")),
            Say(_("If you did not sign up, there is nothing to do: without the code or the link nothing happens.")),
        ),
        greets=False,
    ),
    "address_taken": Text(
        _("Your account at {service}"),
        (
            Say(
                _(
                    "Somebody tried to sign up at {service} with your address. You have an account there already, and "
                    "nothing about it has changed."
                )
            ),
            Say(_("If it was you, sign in instead:")),
            Link("sign_in_link", _("Sign in")),
            Say(_("If it was not you, there is nothing to do.")),
        ),
        greets=False,
    ),
    "invitation": Text(
        _("Your invitation to {service}"),
        (
            Either(
                "inviter",
                (Say(_("{inviter} invites you to {service}.")),),
                (Say(_("You are invited to {service}.")),),
            ),
            Say(_("Open this link, and accept there. It is good once, until {until}:")),
            Link("link", _("See the invitation")),
            Say(_("Give it to no one: whoever has it could come in as you.")),
            Say(_("If you do not want to come, there is nothing to do.")),
        ),
        greets=False,
    ),
    "verify_added_address": Text(
        _("Confirm your e-mail address for {service}"),
        (
            Say(_("Somebody who is signed in at {service} wants to add this address to their account.")),
            Say(_("If it was you, type this code where you asked for it:")),
            Code("code"),
            Say(
                _(
                    "It works for {minutes} minutes. Instead of it you can open this link in a browser in which you "
                    "are signed in, and confirm there:"
                )
            ),
            Link("link", _("Confirm my address")),
            Say(
                _(
                    "If it was not you, there is nothing to do. Give the code to no one: with it, letters about "
                    "somebody else's account would come to you."
                )
            ),
        ),
        greets=False,
    ),
    "address_wanted": Text(
        _("Your address at {service}"),
        (
            Say(
                _(
                    "Somebody who is signed in to another account at {service} tried to add your address to it. You "
                    "have an account with this address, and nothing about it has changed."
                )
            ),
            Say(_("If it was you, sign in to the account that has the address, and remove it there first.")),
            Say(_("If it was not you, there is nothing to do.")),
        ),
        greets=False,
    ),
    "address_added": Text(
        _("An address was added to your account at {service}"),
        (
            Say(_("This e-mail address was added to your account at {service} on {time}: {address}.")),
            Say(_("Whoever reads its mail can sign in by it, and receives what we write to you.")),
            *NOT_YOU_AND_UNDO,
        ),
    ),
    "address_made_primary": Text(
        _("Another address is the main one of your account at {service}"),
        (
            Say(_("Since {time} this is the main e-mail address of your account at {service}: {address}.")),
            *NOT_YOU_AND_UNDO,
        ),
    ),
    "address_removed": Text(
        _("An address was removed from your account at {service}"),
        (
            Say(_("This e-mail address was removed from your account at {service} on {time}: {address}.")),
            *NOT_YOU_AND_UNDO,
        ),
    ),
    "address_change_undone": Text(
        _("A change of addresses at {service} was undone"),
        (
            Say(
                _(
                    "On {time} somebody who reads the mail of {address} undid a change of the e-mail addresses of your "
                    "account at {service}. All sessions were ended."
                )
            ),
            Say(_("Sign in, see that the addresses are yours, and change your password.")),
        ),
    ),
    "reset_password": Text(
        _("A new password at {service}"),
        (
            Say(_("Somebody, most likely you, forgot the password of your account at {service}.")),
            Say(_("Type this code where you asked for it, and choose a new password there:")),
            Code("code"),
            Say(_("It works for {minutes} minutes. This link works for {link_minutes}, and in any browser:")),
            Link("link", _("Choose a new password")),
            Say(_("Nobody from {service} will ever ask you for this code. Give it to no one.")),
            Say(_("If you did not ask for it, there is nothing to do: your password stays as it is.")),
        ),
        greets=False,
    ),
    "reset_password_of_one": Text(
        _("A new password at {service}"),
        (
            Say(_("Somebody, most likely you, forgot the password of an account at {service}.")),
            Say(_("Several accounts have your address, so each of them has a letter and a link of its own.")),
            Say(_("This is the one with the user name {username}."), only_with="username"),
            Say(_("With this link you can choose a new password for it, for {link_minutes} minutes:")),
            Link("link", _("Choose a new password")),
            Say(_("If you did not ask for it, there is nothing to do: your password stays as it is.")),
        ),
        greets=False,
    ),
    "sign_in_code": Text(
        _("Your code for {service}"),
        (
            Say(_("Type this code where you asked for it, to sign in at {service}:")),
            Code("code"),
            Say(_("It works for {minutes} minutes, once.")),
            Say(_("Nobody from {service} will ever ask you for this code. Give it to no one.")),
            Say(_("If you did not ask for it, there is nothing to do.")),
        ),
        greets=False,
    ),
    "sign_in_link": Text(
        _("Sign in at {service}"),
        (
            Say(_("With this link you sign in at {service}. It works for {minutes} minutes, once, and asks first:")),
            Link("link", _("Sign in")),
            Say(_("Give it to no one: who has it signs in as you.")),
            Say(_("If you did not ask for it, there is nothing to do.")),
        ),
        greets=False,
    ),
    "password_reset": Text(
        _("Your password at {service} was reset"),
        (
            Say(_("Somebody who reads your mail chose a new password for your account at {service} on {time}.")),
            Say(_("All sessions were ended.")),
            NOT_YOU,
        ),
    ),
    "new_sign_in": Text(
        _("A new sign-in to your account at {service}"),
        (
            Say(_("Somebody signed in to your account at {service} on {time}, from a device or network that is new.")),
            Say(_("Device: {agent}")),
            Say(_("Network address: {network}"), only_with="network"),
            Say(_("If this was you, there is nothing to do.")),
            NOT_YOU,
        ),
    ),
    "password_changed": Text(
        _("Your password at {service} was changed"),
        (
            Say(_("The password of your account at {service} was changed on {time}. All other sessions were ended.")),
            NOT_YOU,
        ),
    ),
    "password_closed": Text(
        _("Somebody is guessing your password at {service}"),
        (
            Say(
                _(
                    "Too many wrong passwords were tried for your account at {service}. Since {time} we take no "
                    "password for it any more from devices on which you have not signed in before."
                )
            ),
            Say(
                _(
                    "On a device on which you have signed in before, your password works as always. Sign in there and "
                    "change it: then the new one works everywhere."
                )
            ),
            Say(_("If you have no such device, tell the people who run {service}.")),
        ),
    ),
    "second_step_closed": Text(
        _("Somebody knows your password at {service}"),
        (
            Say(
                _(
                    "Somebody typed the right password for your account at {service}, and then too many wrong codes. "
                    "Nobody got in. Since {time} we take no codes of that kind any more from devices on which you have "
                    "not signed in before."
                )
            ),
            Say(
                _(
                    "On a device on which you have signed in before, everything works as always. Sign in there, change "
                    "your password, then set up the second step anew."
                )
            ),
            Say(_("If you have no such device, tell the people who run {service}.")),
        ),
    ),
    "username_changed": Text(
        _("Your user name at {service} was changed"),
        (
            Say(_("The user name of your account at {service} was changed on {time}. The old one is good no more.")),
            NOT_YOU,
        ),
    ),
    "account_closing": Text(
        _("Your account at {service} is being closed"),
        (
            Say(_("Your account at {service} was closed on {time}. After {until} all that we keep of it is erased.")),
            Say(_("Until then you can keep it: open this link and confirm there, or sign in as always.")),
            Link("link", _("Keep my account")),
            Say(_("If it was not you, keep it, sign in and change your password: somebody else was in your account.")),
        ),
    ),
    "account_kept": Text(
        _("Your account at {service} stays"),
        (
            Say(_("Your account at {service} was being closed. Since {time} it is not: it stays as it was.")),
            NOT_YOU,
        ),
    ),
    "account_erased": Text(
        _("Your account at {service} is erased"),
        (
            Say(_("Your account at {service} was erased on {time}, with all that we kept of it.")),
            Say(_("This is the last letter about it.")),
        ),
    ),
    "authenticator_added": Text(
        _("A new way to sign in at {service}"),
        (
            Say(_("This was added to your account at {service} on {time}: {kind}.")),
            Say(_("Its name: {device}"), only_with="device"),
            NOT_YOU,
        ),
    ),
    "authenticator_removed": Text(
        _("A way to sign in at {service} was removed"),
        (
            Say(_("This was removed from your account at {service} on {time}: {kind}.")),
            NOT_YOU,
        ),
    ),
    "passkey_copied": Text(
        _("A passkey of yours at {service} was refused"),
        (
            Say(
                _(
                    "Somebody tried to sign in at {service} on {time} with one of your passkeys, and it had been used "
                    "less often than it should have been. That happens when a device was copied."
                )
            ),
            Say(_("Nobody came in. If you don’t know why, remove that passkey from your account and make a new one.")),
            NOT_YOU,
        ),
    ),
    "passkey_counted_back": Text(
        _("A passkey of yours at {service} may have been copied"),
        (
            Say(
                _(
                    "One of your passkeys was used at {service} on {time}, and it had been used less often than it "
                    "should have been. Passkeys that several devices share do that at times, and copies do."
                )
            ),
            Say(_("Its name: {device}"), only_with="device"),
            Say(_("If you don’t know of that, remove that passkey from your account and make a new one.")),
            NOT_YOU,
        ),
    ),
    "api_key_created": Text(
        _("A new API key at {service}"),
        (
            Say(_("An API key was made for your account at {service} on {time}. A program that has it acts for you.")),
            Say(_("Its name: {key}")),
            Say(_("What it is for: {scopes}")),
            NOT_YOU,
        ),
    ),
    "recovery_codes_made": Text(
        _("New recovery codes at {service}"),
        (
            Say(_("New recovery codes were made for your account at {service} on {time}. Older ones work no more.")),
            NOT_YOU,
        ),
    ),
    "recovery_code_used": Text(
        _("A recovery code was used at {service}"),
        (
            Say(_("A recovery code of your account at {service} was used on {time}. Codes left: {left}.")),
            NOT_YOU,
        ),
    ),
    **RECOVERY,
    "recovery_link_used": Text(
        _("Your account at {service} is being set up anew"),
        (
            Say(_("On {time} the link that somebody who runs {service} made for your account was used.")),
            Say(_("All sessions were ended.")),
            NOT_YOU,
        ),
    ),
    "second_factor_replaced": Text(
        _("The second step of your account at {service} is another one"),
        (
            Say(_("On {time} a new second step was set up for your account at {service}, in the place of a lost one.")),
            Say(_("Removed: {removed}"), only_with="removed"),
            Say(_("All other sessions were ended.")),
            NOT_YOU,
        ),
    ),
    "refresh_token_reused": Text(
        _("We ended a session of yours at {service}"),
        (
            Say(
                _(
                    "A key that keeps one of your apps signed in at {service} was used a second time on {time}. That "
                    "happens when somebody has copied it, so we ended that session. The app will ask you to sign in."
                )
            ),
            Say(_("If you don't know of such an app, change your password and look at the list of your sessions.")),
            Either("not_me_link", (Say(_("Or end all sessions at once, by this link:")), THIS_WAS_NOT_ME)),
        ),
    ),
}

"""Every letter as people get it: subject and plain text, without the footer."""

NOT_YOU = """
If this was not you, somebody else may be in your account. Sign in,
change your password and end all other sessions. If you can't, tell the
people who run Acme at once.
"""

GOLDEN = {
    "verify_address": (
        "Confirm your e-mail address for Acme",
        """
        Hello,

        Type this code where you signed up for Acme:

        482913

        It works for 10 minutes. Instead of it you can open this link, and
        confirm there:

        https://acme.example/auth/email/verify?token=abc&x=1

        Nobody from Acme will ever ask you for this code. Give it to no one.

        If you did not sign up, there is nothing to do: without the code or the
        link nothing happens.
        """,
    ),
    "address_taken": (
        "Your account at Acme",
        """
        Hello,

        Somebody tried to sign up at Acme with your address. You have an account
        there already, and nothing about it has changed.

        If it was you, sign in instead:

        https://acme.example/auth/sign-in

        If it was not you, there is nothing to do.
        """,
    ),
    "reset_password": (
        "A new password at Acme",
        """
        Hello,

        Somebody, most likely you, forgot the password of your account at Acme.

        Type this code where you asked for it, and choose a new password there:

        482913

        It works for 10 minutes. This link works for 30, and in any browser:

        https://acme.example/auth/email/verify?token=abc&x=1

        Nobody from Acme will ever ask you for this code. Give it to no one.

        If you did not ask for it, there is nothing to do: your password stays
        as it is.
        """,
    ),
    "reset_password_of_one": (
        "A new password at Acme",
        """
        Hello,

        Somebody, most likely you, forgot the password of an account at Acme.

        Several accounts have your address, so each of them has a letter and a
        link of its own.

        This is the one with the user name ada.

        With this link you can choose a new password for it, for 30 minutes:

        https://acme.example/auth/email/verify?token=abc&x=1

        If you did not ask for it, there is nothing to do: your password stays
        as it is.
        """,
    ),
    "password_reset": (
        "Your password at Acme was reset",
        """
        Hello Ada,

        Somebody who reads your mail chose a new password for your account at
        Acme on 23 November 2026, 12:00 UTC.

        All sessions were ended.
        """
        + NOT_YOU,
    ),
    "new_sign_in": (
        "A new sign-in to your account at Acme",
        """
        Hello Ada,

        Somebody signed in to your account at Acme on 23 November 2026, 12:00
        UTC, from a device or network that is new.

        Device: Firefox on Windows

        Network address: 192.0.2.7

        If this was you, there is nothing to do.
        """
        + NOT_YOU,
    ),
    "password_changed": (
        "Your password at Acme was changed",
        """
        Hello Ada,

        The password of your account at Acme was changed on 23 November 2026,
        12:00 UTC. All other sessions were ended.
        """
        + NOT_YOU,
    ),
    "password_closed": (
        "Somebody is guessing your password at Acme",
        """
        Hello Ada,

        Too many wrong passwords were tried for your account at Acme. Since 23
        November 2026, 12:00 UTC we take no password for it any more from
        devices on which you have not signed in before.

        On a device on which you have signed in before, your password works as
        always. Sign in there and change it: then the new one works everywhere.

        If you have no such device, tell the people who run Acme.
        """,
    ),
    "second_step_closed": (
        "Somebody knows your password at Acme",
        """
        Hello Ada,

        Somebody typed the right password for your account at Acme, and then too
        many wrong codes. Nobody got in. Since 23 November 2026, 12:00 UTC we
        take no codes of that kind any more from devices on which you have not
        signed in before.

        On a device on which you have signed in before, everything works as
        always. Sign in there, change your password, then set up the second step
        anew.

        If you have no such device, tell the people who run Acme.
        """,
    ),
    "username_changed": (
        "Your user name at Acme was changed",
        """
        Hello Ada,

        The user name of your account at Acme was changed on 23 November 2026,
        12:00 UTC. The old one is good no more.
        """
        + NOT_YOU,
    ),
    "account_closing": (
        "Your account at Acme is being closed",
        """
        Hello Ada,

        Your account at Acme was closed on 23 November 2026, 12:00 UTC. After 7
        December 2026, 12:00 UTC all that we keep of it is erased.

        Until then you can keep it: open this link and confirm there, or sign in
        as always.

        https://acme.example/auth/email/verify?token=abc&x=1

        If it was not you, keep it, sign in and change your password: somebody
        else was in your account.
        """,
    ),
    "account_kept": (
        "Your account at Acme stays",
        """
        Hello Ada,

        Your account at Acme was being closed. Since 23 November 2026, 12:00 UTC
        it is not: it stays as it was.
        """
        + NOT_YOU,
    ),
    "account_erased": (
        "Your account at Acme is erased",
        """
        Hello Ada,

        Your account at Acme was erased on 23 November 2026, 12:00 UTC, with all
        that we kept of it.

        This is the last letter about it.
        """,
    ),
    "authenticator_added": (
        "A new way to sign in at Acme",
        """
        Hello Ada,

        This was added to your account at Acme on 23 November 2026, 12:00 UTC:
        authenticator app.

        Its name: My phone
        """
        + NOT_YOU,
    ),
    "authenticator_removed": (
        "A way to sign in at Acme was removed",
        """
        Hello Ada,

        This was removed from your account at Acme on 23 November 2026, 12:00
        UTC: authenticator app.
        """
        + NOT_YOU,
    ),
    "recovery_codes_made": (
        "New recovery codes at Acme",
        """
        Hello Ada,

        New recovery codes were made for your account at Acme on 23 November
        2026, 12:00 UTC. Older ones work no more.
        """
        + NOT_YOU,
    ),
    "recovery_code_used": (
        "A recovery code was used at Acme",
        """
        Hello Ada,

        A recovery code of your account at Acme was used on 23 November 2026,
        12:00 UTC. Codes left: 9.
        """
        + NOT_YOU,
    ),
    "passkey_copied": (
        "A passkey of yours at Acme was refused",
        """
        Hello Ada,

        Somebody tried to sign in at Acme on 23 November 2026, 12:00 UTC with
        one of your passkeys, and it had been used less often than it should
        have been. That happens when a device was copied.

        Nobody came in. If you don’t know why, remove that passkey from your
        account and make a new one.
        """
        + NOT_YOU,
    ),
    "passkey_counted_back": (
        "A passkey of yours at Acme may have been copied",
        """
        Hello Ada,

        One of your passkeys was used at Acme on 23 November 2026, 12:00 UTC,
        and it had been used less often than it should have been. Passkeys that
        several devices share do that at times, and copies do.

        Its name: My phone

        If you don’t know of that, remove that passkey from your account and
        make a new one.
        """
        + NOT_YOU,
    ),
    "api_key_created": (
        "A new API key at Acme",
        """
        Hello Ada,

        An API key was made for your account at Acme on 23 November 2026, 12:00
        UTC. A program that has it acts for you.

        Its name: Nightly report

        What it is for: reports.read
        """
        + NOT_YOU,
    ),
    "refresh_token_reused": (
        "We ended a session of yours at Acme",
        """
        Hello Ada,

        A key that keeps one of your apps signed in at Acme was used a second
        time on 23 November 2026, 12:00 UTC. That happens when somebody has
        copied it, so we ended that session. The app will ask you to sign in.

        If you don't know of such an app, change your password and look at the
        list of your sessions.
        """,
    ),
}

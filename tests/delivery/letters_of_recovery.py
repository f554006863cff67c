"""Letters of a recovery, as people get them: subject and plain text, without the footer."""

GOLDEN = {
    "recovery_code_mailed": (
        "Your code for Acme",
        """
        Hello,

        Somebody, most likely you, signed in at Acme and says that the second
        step is not possible any more. Type this code where you asked for it:

        482913

        It works for 10 minutes, once.

        Nobody from Acme will ever ask you for this code. Give it to no one.

        If you did not ask for it, somebody knows your password: sign in and
        change it.
        """,
    ),
    "recovery_begun": (
        "Somebody wants to replace the second step of your account at Acme",
        """
        Hello Ada,

        On 23 November 2026, 12:00 UTC somebody who knows your password and
        reads your mail said that the second step of your account at Acme is
        lost.

        Device: Firefox on Windows

        Network address: 192.0.2.7

        From 7 December 2026, 12:00 UTC on they can set up another one, with the
        password and a code that we mail.

        If it was you, there is nothing to do until then. To sign in with the
        second step stops it, too.

        If this is not your doing, stop it: open this link and confirm there.

        https://acme.example/auth/recovery/cancel?token=abc&x=1
        """,
    ),
    "recovery_due": (
        "Soon somebody can replace the second step of your account at Acme",
        """
        Hello Ada,

        Somebody who knows your password and reads your mail said that the
        second step of your account at Acme is lost. From 7 December 2026, 12:00
        UTC on they can set up another one.

        Device: Firefox on Windows

        Network address: 192.0.2.7

        If it was you, sign in again from then on; the page will lead you.

        If this is not your doing, stop it: open this link and confirm there.

        https://acme.example/auth/recovery/cancel?token=abc&x=1
        """,
    ),
    "recovery_cancelled": (
        "The recovery of your account at Acme was stopped",
        """
        Hello Ada,

        On 23 November 2026, 12:00 UTC the recovery of your account at Acme was
        stopped. The second step stays as it is.

        If it was not you who began it, somebody knows your password or reads
        your mail. Change the passwords of both.
        """,
    ),
    "recovery_assisted": (
        "Help for your account at Acme",
        """
        Hello Ada,

        On 23 November 2026, 12:00 UTC somebody who runs Acme made a link for
        your account. Whoever has it can choose a new password and set up the
        second step anew, once, until 7 December 2026, 12:00 UTC.

        If you asked for help, there is nothing to do with this letter.

        If this is not your doing, stop it: open this link and confirm there.

        https://acme.example/auth/recovery/cancel?token=abc&x=1
        """,
    ),
    "recovery_link": (
        "Set up your account at Acme anew",
        """
        Hello,

        With this link you choose a new password and set up the second step
        anew. It works once, until 7 December 2026, 12:00 UTC, and asks first:

        https://acme.example/auth/email/verify?token=abc&x=1

        Give it to no one: who has it gets into your account.
        """,
    ),
    "recovery_link_used": (
        "Your account at Acme is being set up anew",
        """
        Hello Ada,

        On 23 November 2026, 12:00 UTC the link that somebody who runs Acme made
        for your account was used.

        All sessions were ended.

        If this was not you, somebody else may be in your account. Sign in,
        change your password and end all other sessions. If you can't, tell the
        people who run Acme at once.
        """,
    ),
    "second_factor_replaced": (
        "The second step of your account at Acme is another one",
        """
        Hello Ada,

        On 23 November 2026, 12:00 UTC a new second step was set up for your
        account at Acme, in the place of a lost one.

        Removed: authenticator app, recovery code

        All other sessions were ended.

        If this was not you, somebody else may be in your account. Sign in,
        change your password and end all other sessions. If you can't, tell the
        people who run Acme at once.
        """,
    ),
}

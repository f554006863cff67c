"""Letters about e-mail addresses as people get them: subject and plain text, without the footer."""

NOT_YOU_AND_UNDO = """
If this was not you, somebody else may be in your account.

This link undoes the change and those after it, and ends all sessions.
It is good for 7 days, and asks before it does anything:

https://acme.example/auth/email/undo?token=abc&x=1

Sign in, change your password and end all other sessions. If you can't,
tell the people who run Acme at once.
"""

GOLDEN = {
    "verify_added_address": (
        "Confirm your e-mail address for Acme",
        """
        Hello,

        Somebody who is signed in at Acme wants to add this address to their
        account.

        If it was you, type this code where you asked for it:

        482913

        It works for 10 minutes. Instead of it you can open this link in a
        browser in which you are signed in, and confirm there:

        https://acme.example/auth/email/verify?token=abc&x=1

        If it was not you, there is nothing to do. Give the code to no one: with
        it, letters about somebody else's account would come to you.
        """,
    ),
    "address_wanted": (
        "Your address at Acme",
        """
        Hello,

        Somebody who is signed in to another account at Acme tried to add your
        address to it. You have an account with this address, and nothing about
        it has changed.

        If it was you, sign in to the account that has the address, and remove
        it there first.

        If it was not you, there is nothing to do.
        """,
    ),
    "address_added": (
        "An address was added to your account at Acme",
        """
        Hello Ada,

        This e-mail address was added to your account at Acme on 23 November
        2026, 12:00 UTC: n•••@new.example.

        Whoever reads its mail can sign in by it, and receives what we write to
        you.
        """
        + NOT_YOU_AND_UNDO,
    ),
    "address_made_primary": (
        "Another address is the main one of your account at Acme",
        """
        Hello Ada,

        Since 23 November 2026, 12:00 UTC this is the main e-mail address of
        your account at Acme: n•••@new.example.
        """
        + NOT_YOU_AND_UNDO,
    ),
    "address_removed": (
        "An address was removed from your account at Acme",
        """
        Hello Ada,

        This e-mail address was removed from your account at Acme on 23 November
        2026, 12:00 UTC: n•••@new.example.
        """
        + NOT_YOU_AND_UNDO,
    ),
    "address_change_undone": (
        "A change of addresses at Acme was undone",
        """
        Hello Ada,

        On 23 November 2026, 12:00 UTC somebody who reads the mail of
        n•••@new.example undid a change of the e-mail addresses of your account
        at Acme. All sessions were ended.

        Sign in, see that the addresses are yours, and change your password.
        """,
    ),
}

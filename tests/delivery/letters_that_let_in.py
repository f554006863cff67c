"""Letters that sign in, as people get them: subject and plain text, without the footer."""

GOLDEN = {
    "invitation": (
        "Your invitation to Acme",
        """
        Hello,

        bea@example.com invites you to Acme.

        Open this link, and accept there. It is good once, until 7 December
        2026, 12:00 UTC:

        https://acme.example/auth/email/verify?token=abc&x=1

        Give it to no one: whoever has it could come in as you.

        If you do not want to come, there is nothing to do.
        """,
    ),
    "sign_in_code": (
        "Your code for Acme",
        """
        Hello,

        Type this code where you asked for it, to sign in at Acme:

        482913

        It works for 10 minutes, once.

        Nobody from Acme will ever ask you for this code. Give it to no one.

        If you did not ask for it, there is nothing to do.
        """,
    ),
    "sign_in_link": (
        "Sign in at Acme",
        """
        Hello,

        With this link you sign in at Acme. It works for 10 minutes, once, and
        asks first:

        https://acme.example/auth/email/verify?token=abc&x=1

        Give it to no one: who has it signs in as you.

        If you did not ask for it, there is nothing to do.
        """,
    ),
}

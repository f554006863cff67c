"""Actions called from Python check their arguments and give their results, in both colours."""

from typing import assert_type

from doorward import actions
from doorward.asgi import Auth as AsgiAuth
from doorward.core.sign_in import Stepped
from doorward.features.sessions import Sessions
from doorward.flask import Auth, current_user, public


def called(auth: Auth) -> None:
    assert_type(auth.do(actions.sessions.list_sessions), Sessions)
    assert_type(auth.do(actions.password.sign_in, identifier="ann", password="long enough"), Stepped)
    auth.do(actions.password.change, current_password="a", new_password="b")
    auth.do(actions.password.change, current_password="a")  # type: ignore[call-arg]
    auth.do(actions.password.change, current_password="a", new_password=1)  # type: ignore[arg-type]
    auth.do(actions.password.sign_in, identifier="ann", password="x", admin=True)  # type: ignore[call-arg]


async def awaited(auth: AsgiAuth) -> None:
    assert_type(await auth.ado(actions.sessions.list_sessions), Sessions)
    await auth.ado(actions.sign_out.sign_out, everywhere=True)  # type: ignore[call-arg]


def decorated(auth: Auth) -> None:
    @auth.login_required
    def view(number: int) -> str:
        return f"{number} {current_user.email}"

    view("one")  # type: ignore[arg-type]

    @public
    def front() -> str:
        return "front"

    assert_type(front(), str)

"""FastAPI routes that want an access token: `Annotated[Token, Depends(Bearer(verifier))]`."""

from __future__ import annotations

from fastapi import HTTPException
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from doorward.tokens.answers import Answer, Demand, answer_to, bearer_of
from doorward.tokens.fetching import IssuerUnavailable
from doorward.tokens.verifier import Token, TokenRefused, Verifier


class Bearer(SecurityBase):
    """A dependency that gives the `Token`, or answers 401 or 403. It shows in the app's OpenAPI document."""

    def __init__(self, verifier: Verifier, *, scope: str = "", role: str = "", aal: int = 0) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description=None)
        self.scheme_name = "doorward"
        self._verifier, self._demand = verifier, Demand(scope=scope, role=role, aal=aal)

    async def __call__(self, request: HTTPConnection) -> Token:
        try:
            token = await self._verifier.averify(bearer_of(request.headers.get("Authorization")))
            self._demand.check(token)
        except (TokenRefused, IssuerUnavailable) as problem:
            raise _exception(answer_to(problem)) from None
        except Answer as answer:
            raise _exception(answer) from None
        return token


def _exception(answer: Answer) -> HTTPException:
    headers = {name: value for name, value in answer.headers if name != "Content-Type"}
    return HTTPException(answer.status, headers=headers)

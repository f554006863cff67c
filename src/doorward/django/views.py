"""One view for everything below /auth: under ASGI Django runs it in the one thread that it keeps for a request."""

from __future__ import annotations

from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse
from django.views.decorators.common import no_append_slash
from django.views.decorators.csrf import csrf_exempt

from doorward.django.decorators import public
from doorward.django.runtime import auth


# Rule 11: a try is spent in a transaction of its own, whatever becomes of the request. CSRF is looked after by Origin
# and our own form tokens (rule 30). No path is another one with a slash behind it (rule 39).
@public
@no_append_slash
@csrf_exempt
@non_atomic_requests
def answer(request: HttpRequest) -> HttpResponse:
    return auth().answer(request)

"""The classic tutorial in Django, done right: `POST /login` gives a token, and the token opens `/protected`."""

from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from doorward import actions
from doorward.core.refusals import Refused
from doorward.django.runtime import auth


@csrf_exempt  # `auth().do` looks where a request comes from, and a page of another site can't send JSON
@require_POST
def login(request):
    sent = auth().json()
    try:
        step = auth().do(
            actions.password.sign_in,
            identifier=sent.get("username", ""),
            password=sent.get("password", ""),
            issue="tokens",
        )
    except Refused as refused:
        if refused.reason != "wrong_credentials":
            raise
        return JsonResponse({"error": "Invalid credentials"}, status=401)
    return JsonResponse({"token": step.access_token})


@login_required
def protected(request):
    return JsonResponse({"message": "Hello, authenticated user!"})


@login_required
def me(request):
    return JsonResponse({"username": request.user.username})

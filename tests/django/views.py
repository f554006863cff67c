"""Views as projects write them."""

from django.contrib.auth import aauthenticate, alogin, alogout, authenticate, get_user_model, login, logout
from django.contrib.auth.decorators import login_required as djangos_login_required
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from doorward.actions import password, sign_out
from doorward.core.action import Needs
from doorward.django.decorators import login_required, needs, public
from doorward.django.runtime import auth


@public
def open_to_all(request):
    return HttpResponse("open")


def who(request):
    return JsonResponse({"email": request.user.email if request.user.is_authenticated else None})


async def awho(request):
    user = await request.auser()
    return JsonResponse({"email": user.email if user.is_authenticated else None})


@login_required
def closed(request):
    return JsonResponse({"email": request.user.email})


@djangos_login_required
def djangos_closed(request):
    return JsonResponse({"email": request.user.email})


@login_required
async def aclosed(request):
    user = await request.auser()
    return JsonResponse({"email": user.email})


@needs(role="editor")
def editors(request):
    return HttpResponse("editors")


@needs(role="editor")
async def aeditors(request):
    return HttpResponse("editors")


def enough(request):
    return HttpResponse("enough")


async def aenough(request):
    return HttpResponse("enough")


@needs(permission="people.change_member")
def permitted(request):
    return HttpResponse("yes" if request.user.has_perm("people.change_member") else "no")


@needs(Needs.FRESH)
def fresh(request):
    return HttpResponse("fresh")


@csrf_exempt
def leave(request):
    logout(request)
    return HttpResponse("left")


@csrf_exempt
def do_leave(request):
    auth().do(sign_out.sign_out)
    return HttpResponse("signed in" if request.user.is_authenticated else "left")


def sign_in_of_theirs(request):
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse("no", status=401)
    login(request, user)
    return HttpResponse("yes")


their_sign_in = csrf_exempt(transaction.non_atomic_requests(lambda request: sign_in_of_theirs(request)))
atomic_sign_in = csrf_exempt(lambda request: sign_in_of_theirs(request))


@csrf_exempt
async def all_in_one(request):
    """Who one is is up to date through a whole request."""
    seen = [await name_of(request)]
    user = await aauthenticate(request, username=request.POST["username"], password=request.POST["password"])
    await alogin(request, user)
    seen.append(await name_of(request))
    await alogout(request)
    seen.append(await name_of(request))
    await auth().ado(password.sign_in, identifier=request.POST["username"], password=request.POST["password"])
    seen.append(await name_of(request))
    await auth().ado(sign_out.sign_out)
    seen.append(await name_of(request))
    return JsonResponse({"seen": seen})


async def name_of(request):
    user = await request.auser()
    assert user.is_authenticated == request.user.is_authenticated
    return getattr(user, "email", None)


@csrf_exempt
@transaction.non_atomic_requests
def change_by_do(request):
    auth().do(password.change, current_password=request.POST["old"], new_password=request.POST["new"])
    return HttpResponse("changed")


@csrf_exempt
def broken_sign_in(request):
    login(request, get_user_model().objects.get(username=request.POST["username"]), "doorward.django.backend.Backend")
    return HttpResponse("in")

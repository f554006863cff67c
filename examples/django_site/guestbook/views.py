"""Closed by default: what is open says `@public`."""

from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from doorward.core.action import Needs
from doorward.django.decorators import needs, public
from guestbook.models import Line


@public
def book(request):
    return render(request, "guestbook/book.html", {"lines": Line.objects.select_related("member")[:100]})


@require_POST
def write(request):
    text = request.POST.get("text", "").strip()[:280]
    if text:
        request.user.lines.create(text=text)
    return redirect("book")


def lines(request):
    return JsonResponse({"lines": [line.text for line in request.user.lines.all()]})


@require_POST
@needs(Needs.FRESH)
def wipe(request):
    """What can't be undone wants a proof of the last ten minutes."""
    request.user.lines.all().delete()
    return redirect("book")

"""In the place of Django's own AuthenticationMiddleware: `request.user` is who our session or access token says."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.contrib.auth import middleware as djangos_own
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url
from django.urls import URLResolver, get_resolver, get_script_prefix, reverse
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme

from doorward.core.action import Wants, demanded
from doorward.core.ports import Unavailable
from doorward.core.refusals import Refused
from doorward.django.decorators import PUBLIC
from doorward.django.requests import djangos
from doorward.django.runtime import VISIT, answering, auth
from doorward.http.visit import Visit


class AuthenticationMiddleware(djangos_own.AuthenticationMiddleware):
    """`request.user` and `request.auser()`, asked for when they are first used. A session of Django's opens nothing."""

    def __call__(self, request: HttpRequest) -> Any:
        if self.async_mode:
            return self.__acall__(request)
        with answering(request):
            self.process_request(request)
            response = ours_to_answer(request) or self.get_response(request)
            return self.process_response(request, response)

    async def __acall__(self, request: HttpRequest) -> Any:
        with answering(request):
            self.process_request(request)
            response = None
            if is_ours_to_answer(request):
                response = await sync_to_async(ours_to_answer, thread_sensitive=True)(request)
            if response is None:
                answered: Any = self.get_response(request)
                response = await answered
            return self.process_response(request, response)

    def process_request(self, request: Any) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: auth().user_of(request))
        request.auser = partial(auser, request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What leaves a view of the project's: a refusal, or a database that can't be reached (rule 19: never 401)."""
        if isinstance(exception, Refused):
            return djangos(auth().site.turned_away(auth().visit_of(request), exception))
        if isinstance(exception, Unavailable):
            return djangos(auth().failed(auth().request_of(request), exception))
        return None

    def process_response(self, request: Any, response: Any) -> Any:
        if isinstance(response, HttpResponseRedirect):
            response = as_ours(request, response)
        visit: Visit | None = getattr(request, VISIT, None)
        if visit is not None:
            for _, value in visit.outgoing:
                response.cookies.load(value)
            patch_vary_headers(response, ("Cookie", "Authorization"))
        return response


async def auser(request: HttpRequest) -> Any:
    """`await request.auser()`."""
    return await sync_to_async(auth().user_of, thread_sensitive=True)(request)


class ClosedMiddleware(djangos_own.LoginRequiredMiddleware):
    """Closed by default: every view wants somebody signed in, but those marked `@public`. Programs get 401.

    A subclass with `wants`, such as `{"aal": 2}`, asks that of all of them, as `needs` does.
    """

    wants: ClassVar[Wants] = {}

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self.demand = demanded(**self.wants)

    def process_view(self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any) -> Any:
        """Exceptions that leave here are nobody's in Django, so a database that is away is answered here (rule 19)."""
        try:
            if self.wants and not getattr(view_func, PUBLIC, False):
                return auth().unmet(request, self.demand)
            return super().process_view(request, view_func, view_args, view_kwargs)
        except Unavailable as error:
            return djangos(auth().failed(auth().request_of(request), error))

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        return auth().refusal(request) or super().handle_no_permission(request, view_func)


def is_ours_to_answer(request: HttpRequest) -> bool:
    return request.path_info in auth().site.well_known or request.path in admin_logins(
        get_resolver(), get_script_prefix()
    )


def ours_to_answer(request: HttpRequest) -> HttpResponse | None:
    """Paths of ours outside of our prefix: what is well known, and the way into the admin."""
    if request.path_info in auth().site.well_known:
        return auth().answer(request)
    return to_our_sign_in(request) if is_ours_to_answer(request) else None


def as_ours(request: HttpRequest, response: HttpResponseRedirect) -> HttpResponse:
    """Django's own `login_required` sends everybody to the sign-in page, with `next`. Programs get 401 as from ours,
    and for browsers it is `return_to`."""
    path, _, query = response.url.partition("?")
    back = QueryDict(query).get("next")
    if back is None or path != reverse("doorward:sign_in"):
        return response
    visit = auth().visit_of(request)
    if visit.identity is None and not visit.html:  # known by now: `login_required` has asked
        return djangos(auth().site.turned_away(visit, visit.refused or Refused("not_signed_in")))
    ours = HttpResponseRedirect(f"{path}?{urlencode({'return_to': back})}")
    ours.cookies = response.cookies
    return ours


def to_our_sign_in(request: Any) -> HttpResponse:
    """Who comes to the admin's own sign-in comes to ours, and back; who is signed in already may not go in there."""
    back, given = reverse("admin:index"), request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(given, allowed_hosts=None):
        back = given
    if not request.user.is_authenticated:
        return HttpResponseRedirect(f"{resolve_url('doorward:sign_in')}?{urlencode({'return_to': back})}")
    if not request.user.is_staff:
        raise PermissionDenied
    return HttpResponseRedirect(back)


@cache
def admin_logins(resolver: URLResolver, script: str) -> frozenset[str]:
    """The sign-in pages of all admin sites, as they are called below `script`."""
    sites = resolver.app_dict.get("admin", ())
    return frozenset(reverse(f"{site}:login") for site in sites)

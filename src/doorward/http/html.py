"""Pages: what a browser gets instead of JSON, and where it goes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from doorward.core.call import Call
from doorward.core.doorward import Doorward, require
from doorward.core.feature import Page
from doorward.core.records import Account
from doorward.core.refusals import Refused
from doorward.core.rights import permissions_of
from doorward.core.sign_in import Stepped
from doorward.core.steps import Confirm, Enroll, Hold, Prove, Verify
from doorward.http import area, csrf
from doorward.http.answers import encoded, plain, step_name
from doorward.http.client import locale_of, protected_origin
from doorward.http.cookies import Cookie
from doorward.http.headers import HTML, JSON, redirect
from doorward.http.messages import Request, Response
from doorward.http.problems import document_of, headers_of
from doorward.http.views import Form, Views, page_of_step
from doorward.http.visit import Visit
from doorward.locale import Language, catalogues
from doorward.primitives.urls import return_target

# Start again from the sign-in page: there is nothing on the page asked for.
_START_AGAIN = frozenset({"no_sign_in_under_way", "attempt_expired"})


class Html:
    """Renders pages and answers forms. `views` says which page belongs to which form."""

    def __init__(self, doorward: Doorward, views: Views) -> None:
        self.doorward = doorward
        self.views = views

    async def page(self, visit: Visit, call: Call, page: Page) -> Response:
        """A page that was asked for by GET."""
        await require(call, page.demand)
        words = await self._loaded(call, page, visit.query)
        return await self._rendered(visit, call, page, {"query": visit.query, **words})

    async def _loaded(self, call: Call, page: Page, query: Mapping[str, str]) -> dict[str, Any]:
        words = dict(await page.load(call, query))
        for name in area.reads_of(page, await self._open_to(call)):
            if (action := self.doorward.actions.get(name)) is not None:
                words[name.replace(".", "_")] = await self.doorward.perform(call, action, {})
        return words

    async def _open_to(self, call: Call) -> list[Page]:
        """All pages but those that need a permission which who is signed in lacks."""
        pages = list(self.doorward.pages.values())
        if call.identity is None or not any(page.permission for page in pages):
            return pages
        may = await permissions_of(call, call.identity.user)
        return [page for page in pages if not page.permission or page.permission in may]

    async def after(self, visit: Visit, call: Call, result: object) -> Response:
        """A form that succeeded: on to the next page, or the result itself where it is shown once."""
        form = self._form(visit)
        if isinstance(result, Stepped):
            if result.hold is not None:
                path, _, told = form.held.partition("?")
                path = path or page_of_step(self.views, *_named(result.hold))
                return redirect(self._url(visit, f"{path}?{told}" if told else path))
            return redirect(self._onward(visit, form, result.return_to or visit.back))
        if form.shows:
            words = {"result": await plain(call, result)}
            return await self._rendered(
                visit, call, replace(self.doorward.pages[form.page], template=form.shows), words
            )
        if form.file:
            headers = [("Content-Type", JSON), ("Content-Disposition", f'attachment; filename="{form.file}"')]
            return Response(200, headers, encoded(await plain(call, result)))
        return redirect(self._onward(visit, form, visit.back))

    def _onward(self, visit: Visit, form: Form, back: str) -> str:
        """The page that one wanted, or the next one on the way to it; without either the one after this form."""
        path, _, query = (form.then or form.page).partition("?")
        if not back or (form.carries and path in self.doorward.pages):
            words = "&".join(filter(None, (query, urlencode({"return_to": back}) if back else "")))
            return self._url(visit, f"{path}?{words}" if words else path)
        return back

    async def refused(self, visit: Visit, call: Call, refused: Refused) -> Response:
        """The form again with what was wrong; or, where one must sign in or prove more first, the page for that."""
        here = visit.page.path if visit.page is not None else self._form(visit).page
        if (location := self.cure(refused, visit.request.prefix, self._here(visit, here))) is not None:
            return redirect(location)
        if visit.page is not None and refused.reason in _START_AGAIN:
            return redirect(self._url(visit, self.views.sign_in))
        if visit.page is not None:
            return self.problem_page(visit.request, refused)
        return await self._again(visit, call, refused, here)

    def _here(self, visit: Visit, path: str) -> str:
        """The page to come back to; with the one wanted after it, unless both are too long for one URL."""
        here = visit.request.prefix + path
        further = f"{here}?{urlencode({'return_to': visit.back})}" if visit.back else here
        return return_target(further, origin=visit.origin) or here

    async def _again(self, visit: Visit, call: Call, refused: Refused, path: str) -> Response:
        page = self.doorward.pages.get(path)
        if refused.reason in _START_AGAIN:
            page = self.doorward.pages.get(self.views.sign_in)
        if page is None:
            return self.problem_page(visit.request, refused)
        try:
            await require(call, page.demand)
            loaded = await self._loaded(call, page, visit.fields)
        except Refused:
            return self.problem_page(visit.request, refused)
        words = {
            **loaded,
            "query": {},
            "fields": _without_secrets(visit),
            "errors": {error.field: error.detail for error in refused.errors},
            "problem": document_of(refused),
            "action": visit.action.name if visit.action else "",
        }
        response = await self._rendered(visit, call, page, words)
        response.status = refused.status
        response.headers += headers_of(refused)
        return response

    async def _rendered(self, visit: Visit, call: Call, page: Page, words: Mapping[str, Any]) -> Response:
        response = Response(200, [("Content-Type", HTML)])
        cookies = self._cookies_from_now_on(visit, call, page, response)
        language = await self._language(visit, call)
        words = {
            **self._common(language, visit.request),
            **(area.words(page, await self._open_to(call), language) if call.identity else {}),
            "csrf_token": csrf.form_token(call.keyring, cookies),
            "attempt": call.effects.attempt or visit.client.attempt,
            "back": visit.back,
            "user": await plain(call, call.identity.user) if call.identity else None,
            "session": await plain(call, call.identity.session) if call.identity else None,
            **{name: await plain(call, value) for name, value in words.items()},
        }
        response.body = self.views.render(page.template, words).encode()
        return response

    def _cookies_from_now_on(self, visit: Visit, call: Call, page: Page, response: Response) -> Mapping[Cookie, str]:
        """What the browser's next form will come with: its token is bound to that."""
        if call.effects.session is not None:
            return {"session": call.effects.session[0]}
        if call.identity is not None and not call.effects.session_ended:
            return visit.cookies
        pre_session = visit.cookies.get("csrf", "")
        if not pre_session:
            pre_session = call.new_secret()
            response.headers.append(visit.jar.set("csrf", pre_session))
        stale_stays = "session" in visit.cookies and page.path != self.views.sign_in
        return visit.cookies if stale_stays else {"csrf": pre_session}

    def problem_page(self, request: Request, refused: Refused) -> Response:
        """A refusal that has no page of its own."""
        settings = self.doorward.world.settings
        language = catalogues(settings.locales).language(locale_of(request, settings))
        words = {**self._common(language, request), "problem": document_of(refused)}
        body = self.views.render("problem.html", words).encode()
        return Response(refused.status, [("Content-Type", HTML), *headers_of(refused)], body)

    async def _language(self, visit: Visit, call: Call) -> Language:
        """What who is signed in has chosen, else what the browser asks for."""
        account = await call.store.get(Account, user_id=call.identity.user.id) if call.identity else None
        known = catalogues(call.world.settings.locales)
        return known.language((account and account.locale) or visit.client.locale)

    def _common(self, language: Language, request: Request) -> dict[str, object]:
        settings = self.doorward.world.settings
        return {
            "prefix": request.prefix,
            "at_host": protected_origin(request, settings) is not None,
            "language": language,
            "service_name": settings.rp_name,
            **area.NOWHERE,
            "csrf_token": "",
            "attempt": "",
            "back": "",
            "user": None,
            "session": None,
            "query": {},
            "fields": {},
            "errors": {},
            "problem": None,
            "action": "",
            "has": self.doorward.actions.keys(),
            "password_min": settings.policy.password_min,
            "mail_lets_in": settings.policy.sign_in_by_mail,
            "texts_are_sent": self.doorward.world.texts,
            "sign_up_open": settings.sign_up in ("open", "domains") and "sign_up" in self.doorward.actions,
            "sign_up_invites": settings.sign_up == "invitation",
        }

    def cure(self, refused: Refused, prefix: str, here: str) -> str | None:
        """Where a browser goes to sign in, or to prove more, before it comes back `here`."""
        cures = {"not_signed_in": self.views.sign_in, "fresh_proof_required": self.views.step_up}
        if refused.reason == "second_factor_required":
            wanted = (self.views.set_up.get(method, "") for method in refused.methods)
            cures[refused.reason] = next((path for path in wanted if path in self.doorward.pages), "")
        path = cures.get(refused.reason)
        if not path:
            return None
        query = {"return_to": here} if here else {}
        if refused.reason != "not_signed_in":
            query |= self._asked(refused)
        return f"{prefix}{path}" + (f"?{urlencode(query)}" if query else "")

    def _asked(self, refused: Refused) -> dict[str, str]:
        """What the way through must end in, where that is not what it ends in anyway."""
        usual = int(self.doorward.world.policy.fresh_within.total_seconds())
        asked = {} if refused.max_age in (None, usual) else {"max_age": str(refused.max_age)}
        return {**asked, "acr_values": refused.acr} if refused.acr == "phr" else asked

    def _url(self, visit: Visit, path: str) -> str:
        return visit.request.prefix + path

    def _form(self, visit: Visit) -> Form:
        assert visit.action is not None  # noqa: S101  # forms belong to actions
        form = self.views.forms.get(visit.action.name, Form(page="", then="/"))
        if visit.form_page in self.doorward.pages:
            return replace(form, page=visit.form_page)
        return form


def _named(hold: Hold) -> tuple[str, tuple[str, ...]]:
    if isinstance(hold, Prove | Enroll):
        return step_name(hold), hold.methods
    return step_name(hold), (hold.what,) if isinstance(hold, Verify | Confirm) else ()


def _without_secrets(visit: Visit) -> dict[str, str]:
    """What was typed, to be shown again; nothing secret, nothing we do not know."""
    assert visit.action is not None  # noqa: S101
    shown = {a.name for a in visit.action.arguments if a.text is None or not a.text.secret}
    return {name: value for name, value in visit.fields.items() if name in shown}

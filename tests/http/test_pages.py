"""Laws of the pages: what every one of them has, what none may have, and that forms and actions fit together."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from doorward.core.call import Call
from doorward.core.rights import grant
from doorward.core.users import find_user
from doorward.features.roles import UserRole, add_role
from doorward.http.pages import FORMS, STEPS, Pages, shown
from doorward.presets import standard
from tests.http.bare import Bare
from tests.http.documents import Document
from tests.http.visits import ADDRESS, PASSWORD, now_code, send, shown_key, signed_up, tour, with_app
from tests.scenarios.client import FORM, HTML, Browser

PAGES = Pages()  # templates are compiled once
TEMPLATES = Path(shown.__file__).parent / "templates"
HOSTILE = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>{{ 7*7 }}"


@pytest.fixture
def host() -> Bare:
    return Bare(views=PAGES)


def test_a_page_has_what_every_page_needs_and_nothing_inline(host: Bare) -> None:
    seen = 0
    for name, answer in tour(host):
        assert (answer.header("content-type") or "").startswith("text/html"), name
        document = Document(answer.text)
        assert document.all("html")[0].get("lang") == "en", name
        assert document.all("title")[0].text.endswith(" · Doorward"), name
        assert [len(document.all(tag)) for tag in ("main", "h1", "header")] == [1, 1, 1], name
        assert document.elements[document.elements.index(document.all("body")[0]) + 1].get("href") == "#main", name
        for element in document.elements:
            assert not [a for a in element.attributes if a == "style" or a.startswith("on")], (name, element)
        assert document.all("style") == [], name
        assert {(script.get("type"), script.text) for script in document.all("script")} == {("module", "")}, name
        assert not re.search(r'(?:src|href)="(?!/auth/|#|data:text/plain)', answer.text), name
        ids = [element.get("id") for element in document.elements if element.get("id")]
        assert len(ids) == len(set(ids)), name
        seen += 1
    assert seen > 25


def test_every_field_has_a_label_and_points_at_its_explanation(host: Bare) -> None:
    for name, answer in tour(host):
        document = Document(answer.text)
        labelled = {label.get("for") for label in document.all("label")}
        for field in document.all("input") + document.all("select"):
            if field.get("type") == "hidden" or field.get("aria-hidden"):
                continue
            assert field.get("id") in labelled, (name, field)
            for described in field.get("aria-describedby").split():
                assert document.by_id(described).text.strip(), (name, field)


def test_every_form_goes_to_an_action_with_fields_that_it_knows(host: Bare) -> None:
    actions = {f"/auth{action.path}": action for action in host.doorward.actions.values()}
    sent = set()
    for name, answer in tour(host):
        for form in Document(answer.text).forms:
            action = actions[form.action]
            known = {argument.name for argument in action.arguments} | {"csrf_token", "page", "return_to"}
            assert form.method == "post", name
            assert form.fields.keys() <= known, (name, form)
            assert form.fields["csrf_token"], (name, form)
            assert form.fields.get("page", "/") in host.doorward.pages, (name, form)
            sent.add(action.name)
    assert sent == FORMS.keys()


def test_every_form_and_step_has_its_page_and_every_page_its_template() -> None:
    doorward = Bare(views=PAGES).doorward
    assert FORMS.keys() <= doorward.actions.keys()
    paths = {form.page for form in FORMS.values()} | {form.then.partition("?")[0] for form in FORMS.values()}
    paths |= {form.held.partition("?")[0] for form in FORMS.values()} | set(STEPS.values())
    assert paths - {""} <= doorward.pages.keys()
    pages = [page for feature in standard() for page in feature.pages]
    needed = {page.template for page in pages} | {form.shows for form in FORMS.values()} - {""}
    needed |= {page.row for page in pages} - {""}
    around = {"layout.html", "account.html", "by_mail.html", "passkey_form.html", "recovery_until.html"}
    parts = {*around, "fields.html", "parts.html", "totp_steps.html", "problem.html"}
    assert needed | parts == {path.name for path in TEMPLATES.glob("*.html")}


def test_every_page_reads_actions_that_exist_and_only_read() -> None:
    doorward = Bare(views=PAGES).doorward
    for page in doorward.pages.values():
        for name in page.reads:
            assert doorward.actions[name].method == "GET"


def test_what_is_switched_off_is_not_offered() -> None:
    left = [f for f in standard() if type(f).__name__ not in ("Totp", "Recovery", "SignUp", "VerifyEmail")]
    host = Bare(*left, views=PAGES)
    page = Browser(host).page("/sign-in")
    assert page.status == 200
    assert "sign-up" not in page.text


def test_closed_sign_up_says_so_and_shows_no_form() -> None:
    host = Bare(views=PAGES, sign_up="closed")
    assert "sign-up" not in Browser(host).page("/sign-in").text
    document = Document(Browser(host).page("/sign-up").text)
    assert document.forms == []
    assert "can’t be made" in document.text


def test_hostile_text_is_shown_as_text(host: Bare) -> None:
    ann = signed_up(host, name=HOSTILE)
    ann.extra["User-Agent"] = HOSTILE
    send(ann, "/totp/begin", "/totp", name=HOSTILE)
    key = shown_key(ann.page("/totp"))
    send(ann, "/totp/confirm", "/totp", code=now_code(host, key))
    home = ann.page("/")
    assert HOSTILE in Document(home.text).text
    refused = send(
        Browser(host), "/sign-in/password", "/sign-in", identifier=HOSTILE, password="x", return_to="/a'\"<b"
    )
    queried = Browser(host).page("/sign-in?return_to=%22%3E%3Cscript%3E&done=%3Cscript%3E&method=%3Cscript%3E")
    for answer in (home, refused, queried):
        document = Document(answer.text)
        assert all(script.get("src").startswith("/auth/static/") for script in document.all("script"))
        assert document.all("img") == []
        assert "49" not in document.all("main")[0].text


def test_no_link_puts_words_on_our_pages(host: Bare) -> None:
    told = Document(Browser(host).page("/sign-in?done=sign_out").text).all("main")[0].text
    assert "You are signed out." in told
    silent = Document(Browser(host).page("/sign-in?done=Call+us+now&problem=x&errors=x").text)
    assert [e for e in silent.elements if "note" in e.get("class").split()] == []


def test_secrets_are_not_shown_again(host: Bare) -> None:
    stranger = Browser(host)
    secret = "kept-to-oneself"
    for answer in (
        send(stranger, "/sign-up", "/sign-up", email="not an address", password=secret),
        send(stranger, "/sign-in/password", "/sign-in", identifier=ADDRESS, password=secret),
    ):
        assert answer.status in (400, 401)
        assert secret not in answer.text
    asked = send(stranger, "/sign-up", "/sign-up", email=ADDRESS, password=PASSWORD)
    assert asked.status == 303
    wrong = send(stranger, "/email/verify", "/check-mail", code="kept-to-oneself")
    assert (wrong.status, secret in wrong.text) == (401, False)


def test_what_is_wrong_is_said_at_the_top_and_at_the_field(host: Bare) -> None:
    refused = send(Browser(host), "/sign-up", "/sign-up", email="nobody", password=PASSWORD, name="Ann")
    document = Document(refused.text)
    summary, field = document.by_id("problem"), document.by_id("email")
    assert refused.status == 400
    assert "autofocus" in summary.attributes
    assert summary.get("role") == "alert"
    assert '<a href="#email">Enter an e-mail address, such as name@example.com.</a>' in refused.text
    assert (field.get("value"), field.get("aria-invalid")) == ("nobody", "true")
    assert "email-error" in field.get("aria-describedby").split()
    assert document.by_id("name").get("value") == "Ann"
    assert document.all("title")[0].text.startswith("Problem: ")


@pytest.mark.parametrize(("reason", "password"), [("too short", "short"), ("too common", "password12345678")])
def test_a_refused_password_is_blamed_on_its_field(host: Bare, reason: str, password: str) -> None:
    refused = send(Browser(host), "/sign-up", "/sign-up", email=ADDRESS, password=password)
    document = Document(refused.text)
    assert reason in document.by_id("problem").text
    assert document.by_id("password").get("aria-invalid") == "true"
    assert document.by_id("email").get("aria-invalid") == ""


def test_fields_say_what_they_are_for(host: Bare) -> None:
    """Password managers and phones read `autocomplete` (HTML §4.10.18.7)."""
    wanted = {
        "/sign-in": {"identifier": "username webauthn", "password": "current-password"},
        "/sign-up": {"email": "username", "password": "new-password"},
        "/check-mail": {"code": "one-time-code"},
        "/password/change": {"current_password": "current-password", "new_password": "new-password"},
    }
    ann = signed_up(host)
    send(ann, "/sign-up", "/sign-up", email="ann2@example.com", password=PASSWORD)
    for path, fields in wanted.items():
        document = Document(ann.page(path).text)
        assert {name: document.by_id(name).get("autocomplete") for name in fields} == fields, path
    assert Document(ann.page("/check-mail").text).by_id("code").get("inputmode") == "numeric"


def test_a_link_is_followed_without_being_used_up(host: Bare) -> None:
    """Mail scanners follow links: a GET changes nothing, and names the account masked (rule 32)."""
    ann = Browser(host)
    send(ann, "/sign-up", "/sign-up", email=ADDRESS, password=PASSWORD)
    link = f"/email/verify?token={host.mail.token()}"
    for _ in range(3):
        page = Browser(host).page(link)
        assert (page.status, ADDRESS in page.text, "a•••@example.com" in page.text) == (200, False, True)
    assert send(ann, "/email/verify", link).status == 303
    assert ann.get("/session").json["user"]["email"] == ADDRESS


def test_a_link_in_another_browser_asks_for_a_password_of_its_owner(host: Bare) -> None:
    send(Browser(host), "/sign-up", "/sign-up", email=ADDRESS, password=PASSWORD, name="Mallory")
    owner = Browser(host)
    link = f"/email/verify?token={host.mail.token()}"
    held = send(owner, "/email/verify", link)
    assert held.header("location") == "/auth/sign-up/password"
    short = send(owner, "/sign-up/password", "/sign-up/password", new_password="short")
    assert (short.status, Document(short.text).by_id("new_password").get("aria-invalid")) == (400, "true")
    done = send(owner, "/sign-up/password", "/sign-up/password", new_password="seven owls in a tall tree")
    assert done.header("location") == "/auth/"
    assert owner.get("/session").json["user"]["name"] == ""


def test_sending_another_letter_says_so(host: Bare) -> None:
    ann = Browser(host)
    send(ann, "/sign-up", "/sign-up", email=ADDRESS, password=PASSWORD)
    sent = send(ann, "/email/resend", "/check-mail")
    assert sent.header("location") == "/auth/check-mail?done=email.resend"
    assert "Another letter is on its way" in ann.follow(sent).text


def test_the_second_step_shows_the_method_one_asked_for_or_just_tried(host: Bare) -> None:
    ann = signed_up(host)
    with_app(host, ann)
    send(ann, "/recovery-codes/generate", "/recovery-codes")
    again = Browser(host)
    send(again, "/sign-in/password", "/sign-in", identifier=ADDRESS, password=PASSWORD)
    page = again.page("/sign-in/second-step")
    assert Document(page.text).forms[0].action == "/auth/sign-in/totp"
    assert 'href="/auth/sign-in/second-step?method=recovery_code"' in page.text
    other = again.page("/sign-in/second-step?method=recovery_code")
    assert Document(other.text).forms[0].action == "/auth/sign-in/recovery-code"
    wrong = send(again, "/sign-in/recovery-code", "/sign-in/second-step?method=recovery_code", code="nonsense")
    assert (wrong.status, Document(wrong.text).forms[0].action) == (401, "/auth/sign-in/recovery-code")
    unknown = again.page("/sign-in/second-step?method=password")
    assert Document(unknown.text).forms[0].action == "/auth/sign-in/totp"


def test_who_must_enrol_does_so_on_the_way_in() -> None:
    host = Bare(views=PAGES, policy="strict")
    ann = Browser(host)
    send(ann, "/sign-up", "/sign-up", email=ADDRESS, password=PASSWORD, return_to="/shelf")
    held = send(ann, "/email/verify", "/check-mail", code=host.mail.code())
    assert held.header("location") == "/auth/sign-in/new-passkey"
    assert "/auth/sign-in/set-up" in ann.follow(held).text
    begun = send(ann, "/totp/begin", "/sign-in/set-up", name="")
    assert begun.header("location") == "/auth/sign-in/set-up"
    key = shown_key(ann.follow(begun))
    wrong = send(ann, "/totp/confirm", "/sign-in/set-up", code="000000")
    assert (wrong.status, shown_key(wrong)) == (401, key)
    code = now_code(host, key)
    done = send(ann, "/totp/confirm", "/sign-in/set-up", code=code)
    assert done.header("location") == "/auth/recovery-codes?done=totp.confirm&return_to=%2Fshelf"
    assert ann.get("/session").json["session"]["aal"] == 2


def test_what_is_chosen_on_the_way_needs_a_proved_address(host: Bare) -> None:
    stranger = Browser(host)
    for path in ("/sign-up/password", "/sign-up/username"):
        assert stranger.page(path).header("location") == "/auth/sign-in", path
    send(stranger, "/sign-up", "/sign-up", email=ADDRESS, password=PASSWORD)
    for path in ("/sign-up/password", "/sign-up/username"):
        refused = stranger.page(path)
        assert (refused.status, ADDRESS in refused.text) == (400, False), path


def test_the_page_asks_before_it_closes_an_account(host: Bare) -> None:
    ann = signed_up(host)
    assert "Keep it" in ann.page("/account/close").text
    assert ann.get("/session").status == 200, "to look at it closes nothing"
    assert send(ann, "/account/close", "/account/close").header("location") == "/auth/account/closed"
    assert ann.get("/session").status == 401


def test_nobody_sets_up_an_app_without_a_sign_in_that_asks_for_it(host: Bare) -> None:
    sent = Browser(host).page("/sign-in/set-up")
    assert (sent.status, sent.header("location")) == (303, "/auth/sign-in?return_to=%2Fauth%2Fsign-in%2Fset-up")


def test_step_up_leads_back_to_the_page_asked_for(host: Bare) -> None:
    ann = signed_up(host)
    key = with_app(host, ann)
    host.clock.forward(minutes=11)
    for path in ("/totp", "/recovery-codes", "/password/change"):
        sent = ann.page(path)
        assert sent.header("location") == f"/auth/step-up?return_to=%2Fauth{path.replace('/', '%2F')}"
    asked = send(ann, "/step-up", "/step-up", return_to="/auth/totp")
    assert asked.header("location") == "/auth/sign-in/second-step"
    by_password = send(ann, "/sign-in/password", "/sign-in/second-step", password=PASSWORD)
    assert by_password.header("location") == "/auth/sign-in/second-step"
    done = send(ann, "/sign-in/totp", "/sign-in/second-step", code=now_code(host, key))
    assert done.header("location") == "/auth/totp"
    assert ann.page("/totp").status == 200
    fresh = send(ann, "/step-up", "/step-up", return_to="/auth/totp")
    assert fresh.header("location") == "/auth/totp"


def test_recovery_codes_are_shown_once_and_can_be_kept(host: Bare) -> None:
    ann = signed_up(host)
    made = Document(send(ann, "/recovery-codes/generate", "/recovery-codes").text)
    codes = [item.text.strip() for item in made.all("code")]
    (link,) = [a for a in made.all("a") if a.get("href").startswith("data:")]
    assert (len(codes), "download" in link.attributes) == (10, True)
    assert all(code in link.get("href") for code in codes)
    assert not any(code in ann.page("/recovery-codes").text for code in codes)


def test_sessions_are_listed_with_the_present_one_first_and_ended(host: Bare) -> None:
    ann = signed_up(host)
    other = Browser(
        host, extra={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}
    )
    send(other, "/sign-in/password", "/sign-in", identifier=ADDRESS, password=PASSWORD)
    page = Document(ann.page("/sessions").text)
    names = [heading.text.split() for heading in page.all("h2")]
    assert names == [["Mozilla", "here"], ["Firefox", "on", "Linux"], ["Sign", "out", "everywhere"]]
    (end,) = [form for form in page.forms if "id" in form.fields and form.action == "/auth/sessions/end"]
    ended = send(ann, "/sessions/end", "/sessions", id=end.fields["id"])
    assert ended.header("location") == "/auth/sessions?done=sessions.end"
    assert other.get("/session").status == 401
    assert ann.get("/session").status == 200


def test_a_form_that_was_open_too_long_is_kept_and_sent_again(host: Bare) -> None:
    stranger = Browser(host)
    stranger.page("/sign-in")
    body = b"csrf_token=stale&identifier=ann%40example.com&password=x"
    refused = stranger.raw("/sign-in/password", body, "application/x-www-form-urlencoded", **HTML)
    document = Document(refused.text)
    assert refused.status == 403
    assert "Send it again" in document.by_id("problem").text
    assert document.by_id("identifier").get("value") == ADDRESS


def test_a_problem_page_names_the_cure(host: Bare) -> None:
    foreign = Browser(host).send(
        "POST", "/auth/sign-out", b"", {**HTML, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status == 403
    assert "load the page again" in Document(foreign.text).text
    missing = Browser(host).page("/no-such-page")
    assert (missing.status, "mistyped" in missing.text) == (404, True)
    assert len(Document(missing.text).all("h1")) == 1


def test_ones_roles_are_shown_as_text(host: Bare) -> None:
    ann = signed_up(host)
    assert "Your roles" not in ann.page("/").text

    async def give(call: Call) -> None:
        user = await find_user(call, ADDRESS)
        assert user is not None
        for name in ("editor", "night-shift"):
            await add_role(call, name)
            await grant(call, user, name, by=None)
        await call.store.add(UserRole(id="x", user_id=user.id, role=HOSTILE[:64], created_at=call.now))

    host.run(give)
    page = ann.page("/").text
    assert re.search(r"Your roles:.*editor.*night-shift", page)
    assert HOSTILE[:64] not in page


def test_signing_out_everywhere_says_before_what_it_ends_and_ends_it(host: Bare) -> None:
    ann = signed_up(host)
    key = ann.post("/api-keys/create", name="Report", scopes=["read"]).json["key"]
    other = Browser(host)
    send(other, "/sign-in/password", "/sign-in", identifier=ADDRESS, password=PASSWORD)
    page = ann.page("/sessions")
    (form,) = [form for form in Document(page.text).forms if form.fields.get("all")]
    assert (form.action, "your API keys stop working" in page.text) == ("/auth/sign-out", True)
    fields = urlencode(form.fields).encode()
    gone = ann.send("POST", form.action, fields, {"Content-Type": FORM, **HTML})
    assert gone.header("location") == "/auth/sign-in?done=sign_out"
    assert [browser.get("/session").status for browser in (ann, other)] == [401, 401]
    by_key = Browser(host, extra={"Authorization": f"Bearer {key}"}).get("/session")
    assert by_key.status == 401

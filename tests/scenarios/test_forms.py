"""The same actions by the forms of our pages, without JavaScript."""

from __future__ import annotations

from tests.scenarios.client import FORM, HTML, Browser
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, App, set_up_app, sign_in, sign_up


def test_from_the_sign_up_page_to_ones_own(host: InProcessHost) -> None:
    ann = Browser(host)
    sent = ann.form("/sign-up", "/sign-up", email=ANN, password=PASSWORD, name="Ann")
    assert (sent.status, sent.header("location")) == (303, "/auth/check-mail")
    asked = ann.follow(sent)
    assert asked.status == 200
    assert "a•••@example.com" in asked.text

    done = ann.form("/email/verify", "/check-mail", code=host.mail.code(), attempt=asked.hidden("attempt"))
    assert done.status == 303, done.text
    home = ann.follow(done)
    assert home.status == 200
    assert ANN in home.text

    assert ann.form("/sign-out", "/").status == 303
    sent_away = ann.page("/")
    assert (sent_away.status, sent_away.header("location")) == (303, "/auth/sign-in?return_to=%2Fauth%2F")


def test_a_refused_form_keeps_what_was_typed_but_secrets(host: InProcessHost) -> None:
    sign_up(host)
    ann = Browser(host)
    refused = ann.form("/sign-in/password", "/sign-in", identifier=ANN, password="something <else> altogether")
    assert refused.status == 401
    assert (refused.header("content-type") or "").startswith("text/html")
    assert refused.hidden("identifier") == ANN
    assert "altogether" not in refused.text
    assert refused.header("www-authenticate") == 'Bearer realm="doorward"'
    token = refused.hidden("csrf_token")
    fields = f"csrf_token={token}&identifier={ANN}&password={PASSWORD.replace(' ', '+')}"
    assert ann.raw("/sign-in/password", fields.encode(), FORM, **HTML).status == 303


def test_what_is_wrong_stands_beside_its_field(host: InProcessHost) -> None:
    refused = Browser(host).form("/sign-up", "/sign-up", email="<script>alert(1)</script>", password="short")
    assert refused.status == 400
    assert "<script>alert" not in refused.text
    assert host.mail.letters == []


def test_one_comes_back_to_where_one_was_going(host: InProcessHost) -> None:
    app = set_up_app(host, sign_up(host))
    ann = Browser(host)
    turned = ann.send("GET", "/closed?page=2", headers=HTML)
    page = ann.follow(turned)
    assert page.hidden("return_to") == "/closed?page=2"
    fields = {"identifier": ANN, "password": PASSWORD, "return_to": page.hidden("return_to")}
    held = ann.form("/sign-in/password", "/sign-in", **fields)
    assert (held.status, held.header("location")) == (303, "/auth/sign-in/second-step")
    done = ann.form("/sign-in/totp", "/sign-in/second-step", code=app.code())
    assert (done.status, done.header("location")) == (303, "/closed?page=2")
    assert ann.send("GET", "/closed?page=2").json == {"email": ANN}


def test_nobody_is_sent_to_another_site(host: InProcessHost) -> None:
    page = Browser(host).page("/sign-in?return_to=https://evil.example/")
    assert page.status == 200
    refused = Browser(host).form(
        "/sign-in/password", "/sign-in", identifier=ANN, password=PASSWORD, return_to="https://evil.example/"
    )
    assert (refused.status, refused.header("location")) == (400, None)


def test_a_second_step_is_set_up_on_its_page(host: InProcessHost) -> None:
    ann = sign_up(host)
    begun = ann.form("/totp/begin", "/totp")
    assert (begun.status, begun.header("location")) == (303, "/auth/totp")
    page = ann.follow(begun)
    assert "<svg" in page.text
    secret = ann.post("/totp/begin").json["secret"]
    confirmed = ann.form("/totp/confirm", "/totp", code=App(host, secret).code())
    assert confirmed.status == 303, confirmed.text
    assert len(ann.get("/totp/list").json["items"]) == 1

    codes = ann.form("/recovery-codes/generate", "/recovery-codes")
    assert (codes.status, codes.header("cache-control")) == (200, "no-store")
    assert ann.get("/recovery-codes/count").json["count"] == 10


def test_what_needs_a_fresh_proof_leads_there_and_back(host: InProcessHost) -> None:
    ann = sign_up(host)
    set_up_app(host, ann)
    host.clock.forward(minutes=11)
    for held in (ann.page("/recovery-codes"), ann.form("/recovery-codes/generate", "/")):
        assert held.status == 303
        assert held.header("location") == "/auth/step-up?return_to=%2Fauth%2Frecovery-codes"


def test_a_page_without_a_sign_in_under_way_starts_one(host: InProcessHost) -> None:
    ann = Browser(host)
    for path in ("/check-mail", "/sign-in/second-step"):
        sent = ann.page(path)
        assert (sent.status, sent.header("location")) == (303, "/auth/sign-in"), path


def test_a_stale_cookie_is_taken_away_where_one_signs_in(host: InProcessHost) -> None:
    ann = Browser(host, cookies={"__Host-doorward": "A" * 43})
    assert "__Host-doorward" not in ann.get("/session").cookies
    assert ann.page("/sign-in").cookies["__Host-doorward"]["max-age"] == "0"
    sign_up(host, "bob@example.com")
    assert sign_in(ann, "bob@example.com").status == 200


def test_a_page_that_is_not_there(host: InProcessHost) -> None:
    missing = Browser(host).page("/no-such-page")
    assert missing.status == 404
    assert (missing.header("content-type") or "").startswith("text/html")
    assert "content-security-policy" in {name.lower() for name, _ in missing.headers}


def test_static_files_are_the_same_for_all(host: InProcessHost) -> None:
    page = Browser(host).page("/sign-in").text
    url = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    style = Browser(host).send("GET", url)
    assert (style.status, style.header("content-type")) == (200, "text/css; charset=utf-8")
    assert style.header("cache-control") == "public, max-age=300"
    assert style.header("x-content-type-options") == "nosniff"
    again = Browser(host).send("GET", url, headers={"If-None-Match": style.header("etag") or ""})
    assert (again.status, again.body) == (304, b"")

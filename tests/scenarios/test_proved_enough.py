"""`needs(fresh=…, aal=2, phishing_resistant=True)` on routes of every host: the challenge of RFC 9470 for programs, and
for browsers the way to what is asked for and back."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from doorward.testing import SoftAuthenticator
from tests.http.documents import Document
from tests.http.passkeys import filled_in
from tests.scenarios.client import HTML, Answer, Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.hosts.base import WANTS
from tests.scenarios.people import PASSWORD, App, set_up_app, sign_in, sign_up

ASKED = 'Bearer realm="doorward", error="insufficient_user_authentication"'


def challenge(answer: Answer) -> str:
    assert answer.status == 401, answer.text
    return (answer.header("www-authenticate") or "").removeprefix(ASKED)


def page(who: Browser, path: str) -> Answer:
    return who.send("GET", path, headers=HTML)


def turned(answer: Answer) -> str:
    """Where a browser is sent, below the prefix."""
    assert answer.status == 303, answer.text
    return (answer.header("location") or "").removeprefix("/auth")


def way(host: InProcessHost, path: str, **more: str) -> str:
    return "?" + urlencode({"return_to": host.elsewhere.get(path, path), **more})


def filled(who: Browser, path: str, on: str, **typed: str) -> Answer:
    """The form for `path` on a page, with all that it sends by itself."""
    forms = Document(who.page(on).text).forms
    given = next(form.fields for form in forms if form.action == f"/auth{path}")
    kind = {"Content-Type": "application/x-www-form-urlencoded", **HTML}
    return who.send("POST", f"/auth{path}", urlencode({**given, **typed}).encode(), kind)


def test_nobody_and_who_has_proved_too_little_come_no_further(host: InProcessHost) -> None:
    ann, program = sign_up(host), Client(host)
    program.bearer = sign_in(program, issue="tokens").json["tokens"]["access_token"]
    host.clock.forward(minutes=3)
    wanted = {"/recent": ', max_age=120, acr_values="aal1"', "/second": ', acr_values="aal2"'}
    wanted["/unphished"] = ', acr_values="phr"'
    assert wanted.keys() == WANTS.keys()
    for path, asked in wanted.items():
        assert challenge(ann.send("GET", path)) == asked
        assert challenge(program.send("GET", path)) == asked
        assert Client(host).send("GET", path).reason == "not_signed_in"
        assert turned(page(Browser(host), path)) == f"/sign-in{way(host, path)}"


def test_a_stale_proof_is_made_fresh_and_leads_back(host: InProcessHost) -> None:
    ann = sign_up(host)
    assert ann.send("GET", "/recent").status == 200
    host.clock.forward(minutes=3)
    asked = turned(page(ann, "/recent"))
    assert asked == f"/step-up{way(host, '/recent', max_age='120')}"
    held = filled(ann, "/step-up", asked)
    done = filled(ann, "/sign-in/password", turned(held), password=PASSWORD)
    assert (done.status, done.header("location")) == (303, host.elsewhere.get("/recent", "/recent"))
    assert (page(ann, "/recent").status, "enough" in ann.send("GET", "/recent").text) == (200, True)


def test_who_has_no_second_factor_sets_one_up_and_comes_back(host: InProcessHost) -> None:
    ann = sign_up(host)
    asked = turned(page(ann, "/second"))
    assert asked == f"/passkeys{way(host, '/second')}"
    by_app = f"/totp{way(host, '/second')}"
    assert f'href="/auth{by_app}"' in ann.page(asked).text
    begun = filled(ann, "/totp/begin", by_app)
    key = Document(ann.page(turned(begun)).text).by_id("key").text.replace(" ", "")
    done = filled(ann, "/totp/confirm", turned(begun), code=App(host, key).code())
    codes = filled(ann, "/recovery-codes/generate", turned(done))
    links = {link.text.strip(): link.get("href") for link in Document(codes.text).all("a")}
    assert links["I have kept them"] == host.elsewhere.get("/second", "/second")
    assert page(ann, "/second").status == 200
    assert challenge(ann.send("GET", "/unphished")) == ', acr_values="phr"'


def test_a_level_that_fell_is_reached_again(host: InProcessHost) -> None:
    ann = sign_up(host)
    app = set_up_app(host, ann)
    assert ann.send("GET", "/second").status == 200
    host.clock.forward(hours=2)
    assert challenge(ann.send("GET", "/second")) == ', max_age=600, acr_values="aal2"'
    held = filled(ann, "/step-up", turned(page(ann, "/second")))
    while "second-step" in turned(held):
        form = Document(ann.page(turned(held)).text).forms[0].action.removeprefix("/auth")
        typed = {"password": PASSWORD} if form == "/sign-in/password" else {"code": app.code()}
        held = filled(ann, form, turned(held), **typed)
    assert held.header("location") == host.elsewhere.get("/second", "/second")
    assert page(ann, "/second").status == 200


@pytest.mark.parametrize("path", ["/second", "/unphished"])
def test_a_passkey_made_on_the_way_leads_back(host: InProcessHost, path: str) -> None:
    ann, phone = sign_up(host), SoftAuthenticator(origin=host.origin)
    asked = turned(page(ann, path))
    assert asked.startswith(f"/passkeys{way(host, path)}")
    assert challenge(ann.get("/verify", require="phr")) == ', acr_values="phr"'
    assert filled_in(ann, asked, phone).header("location") == host.elsewhere.get(path, path)
    assert page(ann, path).status == 200
    assert ann.get("/verify", require="phr").status == 204

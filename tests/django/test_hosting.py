"""`request.user`, Django's own decorators, signals, sessions and transactions, with Doorward behind them."""

import pytest
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.cache import SessionStore
from django.db import connections

from doorward.core.records import Authenticator
from doorward.django.models import Authenticator as Row
from tests.django.test_users import make
from tests.scenarios.client import HTML, Browser, Client
from tests.scenarios.hosts.base import InProcessHost
from tests.scenarios.people import OTHER_PASSWORD, PASSWORD, set_up_app, sign_in, sign_up

ROUTES = ["/closed", "/aclosed", "/djangos-closed"]


@pytest.fixture
def heard():
    """What Django's signals said."""
    said = []

    def logged_in(sender, request, user, **_):
        said.append(("in", user.pk, user.is_authenticated))

    def logged_out(sender, request, user, **_):
        said.append(("out", user and user.pk, None))

    user_logged_in.connect(logged_in)
    user_logged_out.connect(logged_out)
    yield said
    user_logged_in.disconnect(logged_in)
    user_logged_out.disconnect(logged_out)


@pytest.mark.parametrize("route", ROUTES)
def test_a_closed_route_opens_for_who_is_signed_in(site: InProcessHost, route: str) -> None:
    browser = Browser(site)
    turned_away = browser.send("GET", route, headers=HTML)
    assert turned_away.status in (302, 303)
    assert turned_away.header("location").startswith("/auth/sign-in?")
    page = browser.follow(turned_away)
    assert page.status == 200
    make()
    assert sign_in(browser).status == 200
    assert browser.send("GET", route).json == {"email": "ann@example.com"}


@pytest.mark.parametrize("route", ROUTES)
def test_who_signs_in_on_the_page_comes_back(site: InProcessHost, route: str) -> None:
    make()
    browser = Browser(site)
    away = browser.send("GET", route + "?x=1", headers=HTML)
    page = browser.follow(away)
    fields = {"identifier": "ann", "password": PASSWORD, "return_to": page.hidden("return_to")}
    done = browser.form("/sign-in/password", page.path_asked, **fields) if hasattr(page, "path_asked") else None
    done = done or browser.form("/sign-in/password", away.header("location").removeprefix("/auth"), **fields)
    assert (done.status, done.header("location")) == (303, route + "?x=1"), done.text


def test_programs_are_known_by_their_token(site: InProcessHost) -> None:
    make()
    program = Client(site)
    program.bearer = sign_in(program, issue="tokens").json["tokens"]["access_token"]
    assert program.send("GET", "/closed").json == program.send("GET", "/djangos-closed").json
    program.bearer += "x"
    refused = program.send("GET", "/closed")
    assert refused.status == 401
    assert 'error="invalid_token"' in refused.header("www-authenticate")


def test_a_session_of_djangos_own_opens_nothing(site: InProcessHost) -> None:
    ann = make()
    session = SessionStore()
    session[SESSION_KEY] = str(ann.pk)
    session["_auth_user_backend"] = "doorward.django.backend.Backend"
    session["_auth_user_hash"] = ann.get_session_auth_hash()
    session.save()
    browser = Browser(site, cookies={"sessionid": session.session_key})
    assert browser.send("GET", "/who").json == {"email": None}
    for route in (*ROUTES, "/admin/"):
        assert browser.send("GET", route).status in (302, 401)


def test_djangos_session_key_and_csrf_token_are_new_after_sign_in(site: InProcessHost) -> None:
    make("root", is_staff=True, is_superuser=True)
    browser = Browser(site)
    assert sign_in(browser, "root").status == 200
    before = dict(browser.cookies)
    assert before["sessionid"]
    assert sign_in(browser, "root").status == 200
    assert before["csrftoken"] != browser.cookies["csrftoken"]
    make("ben")
    assert sign_in(browser, "ben").status == 200
    assert browser.cookies["sessionid"] != before["sessionid"]


def test_signals_tell_of_sign_in_and_out(site: InProcessHost, heard) -> None:
    ann = make()
    browser = Browser(site)
    sign_in(browser)
    ann.refresh_from_db()
    assert ann.last_login is not None
    browser.post("/sign-out")
    assert heard == [("in", ann.pk, True), ("out", ann.pk, None)]
    sign_in(Client(site), issue="tokens")
    assert heard[2:] == [("in", ann.pk, True)]


def test_a_step_up_is_no_second_sign_in(site: InProcessHost, heard) -> None:
    browser = sign_up(site)
    assert len(heard) == 1
    set_up_app(site, browser)
    assert len(heard) == 1
    site.clock.forward(minutes=11)
    begun = browser.post("/step-up")
    assert browser.post("/sign-in/password", password=PASSWORD, attempt=begun.json["attempt"]).status in (200, 202)
    assert len(heard) == 1


@pytest.mark.parametrize("route", ["/leave", "/do-leave"])
def test_logout_of_the_projects_ends_our_session(site: InProcessHost, heard, route: str) -> None:
    make()
    browser, thief = Browser(site), Browser(site)
    sign_in(browser)
    thief.cookies.update(browser.cookies)
    assert browser.send("POST", route).text == "left"
    assert not browser.session
    assert heard[-1][0] == "out"
    assert thief.send("GET", "/who").json == {"email": None}


def test_authenticate_and_login_of_a_projects_own_view_make_a_session(site: InProcessHost) -> None:
    make()
    browser = Browser(site)
    assert theirs(browser, PASSWORD).text == "yes"
    assert browser.send("GET", "/who").json == {"email": "ann@example.com"}
    session = browser.get("/session").json["session"]
    assert session["amr"] == ["pwd"]
    other = Browser(site)
    assert theirs(other, "wrong").status == 401
    assert other.send("GET", "/who").json == {"email": None}


def theirs(browser: Browser, password: str, route: str = "/their-sign-in"):
    fields = f"username=ann&password={password.replace(' ', '+')}"
    return browser.send("POST", route, fields.encode(), {"Content-Type": "application/x-www-form-urlencoded"})


def test_who_has_a_second_factor_is_nobody_to_authenticate(site: InProcessHost) -> None:
    make()
    browser = Browser(site)
    sign_in(browser)
    set_up_app(site, browser)
    assert theirs(Browser(site), PASSWORD).status == 401
    assert sign_in(Browser(site)).json["step"] == "prove"


def test_login_without_a_finished_sign_in_raises(site: InProcessHost) -> None:
    make()
    browser = Browser(site)
    assert theirs(browser, PASSWORD, "/broken-sign-in").status == 500
    assert browser.send("GET", "/who").json == {"email": None}
    assert not browser.session


def failures() -> int:
    return sum(Row.objects.filter(kind="password").values_list("failures", flat=True))


@pytest.fixture
def atomic_requests():
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = True
    connections.settings["default"]["ATOMIC_REQUESTS"] = True
    yield
    connections["default"].settings_dict["ATOMIC_REQUESTS"] = False
    connections.settings["default"]["ATOMIC_REQUESTS"] = False


@pytest.mark.usefixtures("atomic_requests")
class TestAtomicRequests:
    def test_five_wrong_passwords_count_five(self, site: InProcessHost) -> None:
        make()
        for _ in range(5):
            assert sign_in(Browser(site), password="wrong").status == 401
        assert failures() == 5

    def test_authenticate_counts_as_well(self, site: InProcessHost) -> None:
        make()
        for _ in range(5):
            assert theirs(Browser(site), "wrong").status == 401
        assert failures() == 5
        assert theirs(Browser(site), PASSWORD).text == "yes"
        assert failures() == 0

    def test_a_proving_action_inside_the_projects_transaction_is_a_mistake(self, site: InProcessHost) -> None:
        make()
        assert theirs(Browser(site), "wrong", "/atomic-sign-in").status == 500
        assert failures() == 0

    def test_who_is_signed_in_is_known(self, site: InProcessHost) -> None:
        make()
        browser = Browser(site)
        sign_in(browser)
        assert browser.send("GET", "/closed").status == 200


def test_the_admins_sign_in_is_ours(site: InProcessHost) -> None:
    browser = Browser(site)
    away = browser.send("GET", "/admin/", headers=HTML)
    assert away.header("location") == "/admin/login/?next=/admin/"
    ours = browser.follow(away)
    assert ours.header("location") == "/auth/sign-in?return_to=%2Fadmin%2F"
    posted = browser.send("POST", "/admin/login/", b"username=root&password=x")
    assert posted.header("location").startswith("/auth/sign-in?")
    make("root", is_staff=True, is_superuser=True)
    sign_in(browser, "root")
    assert browser.send("GET", "/admin/").status == 200
    assert browser.send("GET", "/admin/login/?next=/admin/auth/user/").header("location") == "/admin/auth/user/"


@pytest.mark.parametrize("next", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_the_admins_sign_in_sends_nobody_elsewhere(site: InProcessHost, next: str) -> None:
    make("root", is_staff=True, is_superuser=True)
    browser = Browser(site)
    sign_in(browser, "root")
    sent = browser.send("GET", f"/admin/login/?next={next}")
    assert sent.header("location") == "/admin/"


def test_who_is_no_staff_is_not_sent_in_circles(site: InProcessHost) -> None:
    make()
    browser = Browser(site)
    sign_in(browser)
    assert browser.follow(browser.send("GET", "/admin/", headers=HTML)).status == 403


def test_the_public_keys_stand_where_services_look(site: InProcessHost) -> None:
    keys = Client(site).send("GET", "/.well-known/jwks.json")
    assert keys.status == 200
    assert keys.json["keys"][0]["kty"] == "EC"


def test_what_reads_the_identity_varies_by_it(site: InProcessHost) -> None:
    vary = Browser(site).send("GET", "/who").header("vary")
    assert {"Cookie", "Authorization"} <= {part.strip() for part in vary.split(",")}
    assert "Authorization" not in (Browser(site).send("GET", "/open").header("vary") or "")


def test_a_fresh_proof_is_asked_for(site: InProcessHost) -> None:
    browser = sign_up(site)
    assert browser.send("GET", "/fresh").text == "fresh"
    site.clock.forward(minutes=11)
    assert browser.send("GET", "/fresh").reason == "fresh_proof_required"
    assert browser.send("GET", "/fresh", headers=HTML).header("location").startswith("/auth/step-up?")


def test_actions_are_called_from_views(site: InProcessHost) -> None:
    make()
    browser, other = Browser(site), Browser(site)
    sign_in(browser)
    sign_in(other)

    def change(old: str) -> object:
        fields = f"old={old}&new={OTHER_PASSWORD}".replace(" ", "+").encode()
        return browser.send("POST", "/change-by-do", fields, {"Content-Type": "application/x-www-form-urlencoded"})

    assert change("wrong").reason == "wrong_credentials"
    assert change(PASSWORD).text == "changed"
    assert browser.send("GET", "/who").json == {"email": "ann@example.com"}
    assert other.send("GET", "/who").json == {"email": None}
    assert get_user_model().objects.get().check_password(OTHER_PASSWORD)
    assert Authenticator.table == Row._meta.db_table


def test_who_one_is_is_up_to_date_through_a_whole_request(site: InProcessHost) -> None:
    make()
    browser = Browser(site)
    seen = theirs(browser, PASSWORD, "/all-in-one").json["seen"]
    assert seen == [None, "ann@example.com", None, "ann@example.com", None]
    assert browser.send("GET", "/who").json == {"email": None}
    sign_in(browser)
    assert theirs(browser, PASSWORD, "/all-in-one").json["seen"][0] == "ann@example.com"

"""In by password: the right one, every wrong one, and what an answer must not tell."""

from __future__ import annotations

from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, OTHER_PASSWORD, PASSWORD, sign_in, sign_up


def test_in_and_out_again(host: InProcessHost) -> None:
    sign_up(host)
    ann = Browser(host)
    done = sign_in(ann)
    assert (done.status, done.json["step"], done.json["session"]["amr"]) == (200, "done", ["pwd"])
    (name,) = (name for name in done.cookies if name == "__Host-doorward")
    cookie = done.cookies[name]
    assert cookie["samesite"] == "Lax"
    assert (cookie["path"], cookie["httponly"], cookie["secure"]) == ("/", "True", "True")
    assert "max-age" not in cookie
    assert ann.send("GET", "/closed").json == {"email": ANN}


def test_remember_keeps_the_cookie_past_the_browser(host: InProcessHost) -> None:
    sign_up(host)
    cookie = sign_in(Browser(host), remember=True).cookies["__Host-doorward"]
    assert int(cookie["max-age"]) == 30 * 24 * 3600


def test_unknown_and_wrong_are_one_answer(host: InProcessHost) -> None:
    sign_up(host)
    answers = [
        sign_in(Client(host), password="some other long password"),
        sign_in(Client(host), email="nobody@example.com"),
        sign_in(Client(host), email="not an address"),
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(401, answers[0].body)}
    assert answers[0].reason == "wrong_credentials"
    assert answers[0].header("www-authenticate") == 'Bearer realm="doorward"'


def test_a_sign_in_over_an_old_session_ends_that(host: InProcessHost) -> None:
    """Session fixation (rule 27): the secret changes, and the old one opens nothing."""
    ann = sign_up(host)
    old = ann.session
    assert sign_in(ann).status == 200
    assert ann.session != old
    thief = Browser(host, cookies={"__Host-doorward": old})
    assert thief.get("/session").status == 401


def test_a_session_secret_of_ones_own_making_is_never_adopted(host: InProcessHost) -> None:
    sign_up(host)
    ann = Browser(host, cookies={"__Host-doorward": "A" * 43})
    assert ann.get("/session").status == 401
    assert sign_in(ann).status == 200
    assert ann.session != "A" * 43


def test_a_changed_password_ends_the_other_sessions(host: InProcessHost) -> None:
    ann = sign_up(host)
    elsewhere = Browser(host)
    sign_in(elsewhere)
    changed = ann.post("/password/change", current_password=PASSWORD, new_password=OTHER_PASSWORD)
    assert changed.status == 204, changed.text
    assert ann.get("/session").status == 200
    assert elsewhere.get("/session").status == 401
    assert sign_in(Client(host)).status == 401
    assert sign_in(Client(host), password=OTHER_PASSWORD).status == 200


def test_only_paths_of_ours_are_returned_to(host: InProcessHost) -> None:
    sign_up(host)
    done = sign_in(Browser(host), return_to="/orders?page=2")
    assert done.json["return_to"] == "/orders?page=2"
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        refused = sign_in(Browser(host), return_to=elsewhere)
        assert (refused.status, refused.json["errors"][0]["field"]) == (400, "return_to"), elsewhere


def test_a_flood_of_tries_waits(host: InProcessHost) -> None:
    sign_up(host)
    answers = [sign_in(Client(host), password=f"wrong password number {number}") for number in range(25)]
    assert answers[0].status == 401
    assert answers[-1].status == 429
    assert answers[-1].json["retry_after"] == int(answers[-1].header("retry-after") or 0) > 0


def test_closed_routes_turn_people_away_and_programs_down(host: InProcessHost) -> None:
    stranger = Browser(host)
    page = stranger.send("GET", "/closed?page=2", headers={"Accept": "text/html"})
    assert page.status == 303
    assert page.header("location") == "/auth/sign-in?return_to=%2Fclosed%3Fpage%3D2"
    refused = Client(host).send("GET", "/closed")
    assert (refused.status, refused.reason) == (401, "not_signed_in")
    assert refused.header("www-authenticate") == 'Bearer realm="doorward"'
    assert Client(host).send("GET", "/open").status == 200


def test_a_host_can_sign_somebody_out_by_a_call(host: InProcessHost) -> None:
    ann = sign_up(host)
    left = ann.send("POST", "/leave")
    assert left.status == 200, left.text
    assert left.cookies["__Host-doorward"]["max-age"] == "0"
    assert ann.session == ""

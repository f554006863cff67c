"""One's own account on every host: changed, taken along, closed, and kept after all."""

from __future__ import annotations

from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import PASSWORD, set_up_app, sign_in, sign_up


def test_a_profile_is_changed_and_everything_is_taken_along(host: InProcessHost) -> None:
    ann, ben = sign_up(host), sign_up(host, "ben@example.com", username="benny")
    changed = ann.post("/account/update", name="Ann Lee", locale="de-at", time_zone="Europe/Vienna")
    assert (changed.status, changed.json["locale"]) == (200, "de-AT")
    assert ann.get("/account").json == changed.json
    assert ann.post("/account/update", username="Benny").reason == "username_taken"
    assert ann.post("/account/update", user_id="1").json["errors"][0]["field"] == "user_id"
    assert ann.post("/account/update", locale=["de"]).reason == "invalid_input"
    given = ann.post("/account/export")
    assert given.json["user"]["name"] == "Ann Lee"
    assert [row["address"] for row in given.json["records"]["email_address"]] == ["ann@example.com"]
    assert "benny" not in given.text
    file = ben.form("/account/export", page="/account/export")
    assert file.header("content-disposition") == 'attachment; filename="account.json"'
    assert file.json["user"]["username"] == "benny"


def test_a_closed_account_is_kept_by_who_proves_everything(host: InProcessHost) -> None:
    ann = sign_up(host)
    app = set_up_app(host, ann)
    stranger = Browser(host, extra={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    stranger.cookies = dict(ann.cookies)
    assert stranger.post("/account/close").reason == "csrf_failed"
    assert Client(host).post("/account/close", password=PASSWORD).status == 401
    closed = ann.form("/account/close", page="/account/close")
    assert (closed.status, closed.header("location")) == (303, "/auth/account/closed")
    assert ann.get("/session").status == 401
    assert ann.send("GET", "/who").json == {"email": None}
    back = Browser(host)
    assert sign_in(back).json["methods"] == ["totp"]
    assert back.post("/sign-in/keep-account").reason == "wrong_method"
    asked = back.post("/sign-in/totp", code=app.code())
    assert (asked.status, asked.json["step"], asked.json["what"]) == (202, "confirm", "keep_account")
    assert back.get("/session").status == 401
    assert "until then nobody can use it" in back.page("/sign-in/keep-account").text
    assert back.post("/sign-in/keep-account").json["session"]["aal"] == 2


def test_the_link_keeps_it_and_opens_nothing(host: InProcessHost) -> None:
    ann = sign_up(host)
    assert ann.post("/account/close", password=PASSWORD).status == 200
    token, other = host.mail.token(), Browser(host)
    assert "a•••@example.com" in other.page(f"/account/undo?token={token}").text
    assert sign_in(Browser(host)).json["step"] == "confirm"  # to look at it changes nothing
    kept = other.form("/account/undo", page=f"/account/undo?token={token}", token=token)
    assert (kept.status, kept.header("location")) == (303, "/auth/sign-in?done=account.undo")
    assert other.get("/session").status == 401
    assert other.post("/account/undo", token=token).reason == "invalid_token"
    assert sign_in(other).json["step"] == "done"

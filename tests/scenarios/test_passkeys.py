"""Passkeys, on every host: an account without a password, sign-in, second step, and what nobody gets away with."""

from __future__ import annotations

from typing import Any

from doorward.primitives import tokens
from doorward.testing import SoftAuthenticator
from tests.scenarios.client import Answer, Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, sign_in, sign_up
from tests.scenarios.test_forty_at_once import at_once, statuses


def device_at(host: InProcessHost, **more: Any) -> SoftAuthenticator:
    return SoftAuthenticator(origin=host.origin, **more)


def register(who: Client, device: SoftAuthenticator, **more: Any) -> Answer:
    begun = who.post("/passkeys/register/begin", **more)
    assert begun.status == 200, begun.text
    return who.post("/passkeys/register/finish", credential=device.register(begun.json["options"]), **more)


def enter(who: Client, device: SoftAuthenticator, twists: dict[str, Any] | None = None, **more: Any) -> Answer:
    begun = who.post("/sign-in/passkey/begin")
    assert begun.status == 200, begun.text
    credential = device.authenticate(begun.json["options"], **(twists or {}))
    return who.post("/sign-in/passkey/finish", credential=credential, attempt=begun.json["attempt"], **more)


def test_register_then_sign_in_with_nothing_else(host: InProcessHost) -> None:
    ann, device = sign_up(host), device_at(host)
    done = register(ann, device)
    assert (done.status, done.json["session"]["aal"]) == (200, 2), done.text
    assert done.json["signal"]["allAcceptedCredentialIds"]
    back = Browser(host)
    entered = enter(back, device)
    assert (entered.status, entered.json["step"]) == (200, "done"), entered.text
    assert entered.json["session"]["amr"] == ["hwk", "user", "mfa"]
    assert back.get("/session").json["user"]["email"] == ANN
    (kept,) = back.get("/passkeys/list").json["items"]
    assert back.post("/passkeys/rename", id=kept["id"], name="Key at home").json["items"][0]["name"] == "Key at home"
    assert back.post("/passkeys/remove", id=kept["id"]).json["items"] == []
    gone = enter(Browser(host), device)
    assert (gone.status, gone.reason) == (401, "unknown_passkey")


def test_an_account_without_a_password(host: InProcessHost) -> None:
    ann, device = Browser(host), device_at(host)
    assert ann.post("/sign-up", email=ANN, name="Ann").status == 202
    held = ann.post("/email/verify", code=host.mail.code())
    assert (held.status, held.json["step"], held.json["methods"]) == (202, "enroll", ["passkey"]), held.text
    assert ann.get("/session").status == 401
    done = register(ann, device, attempt=held.json["attempt"])
    assert (done.status, done.json["session"]["aal"]) == (200, 2), done.text
    assert done.json["user"]["email"] == ANN
    assert enter(Browser(host), device).status == 200
    refused = sign_in(Browser(host))
    assert (refused.status, refused.reason) == (401, "wrong_credentials")
    (kept,) = ann.get("/passkeys/list").json["items"]
    last = ann.post("/passkeys/remove", id=kept["id"])
    assert (last.status, last.reason) == (409, "last_authenticator")


def test_who_lost_all_passkeys_is_known_by_the_same_handle_to_new_ones(host: InProcessHost) -> None:
    """A manager keeps one passkey for a handle, and is told by it which are gone; hosts number their users anew."""
    ann, device = Browser(host), device_at(host)
    ann.post("/sign-up", email=ANN)
    held = ann.post("/email/verify", code=host.mail.code())
    told = register(ann, device, attempt=held.json["attempt"])
    handle = tokens.encode(device.credentials[0].user_handle)
    assert told.json["user"]["email"] == ANN
    assert ann.post("/password/set", new_password=PASSWORD).status < 300
    (kept,) = ann.get("/passkeys/list").json["items"]
    gone = ann.post("/passkeys/remove", id=kept["id"])
    assert (gone.status, gone.json["signal"]["userId"]) == (200, handle), gone.text
    assert gone.json["signal"]["allAcceptedCredentialIds"] == []
    assert ann.get("/passkeys/list").json["signal"]["userId"] == handle
    new = device_at(host)
    assert register(ann, new).status == 200
    assert tokens.encode(new.credentials[0].user_handle) == handle
    assert enter(Browser(host), new).status == 200


def test_as_the_second_step(host: InProcessHost) -> None:
    key = device_at(host, verifies_users=False)
    register(sign_up(host), key)
    ann = Browser(host)
    held = sign_in(ann)
    assert (held.status, held.json["methods"]) == (202, ["passkey"])
    assert ann.get("/session").status == 401
    attempt = held.json["attempt"]
    begun = ann.post("/sign-in/passkey/begin", attempt=attempt)
    credential = key.authenticate(begun.json["options"])
    done = ann.post("/sign-in/passkey/finish", credential=credential, attempt=attempt)
    assert done.json["session"]["amr"] == ["pwd", "hwk", "mfa"]
    key.obedient = False
    alone = enter(Browser(host), key)
    assert (alone.status, alone.reason) == (401, "wrong_credentials")


def test_a_program_gets_tokens(host: InProcessHost) -> None:
    device = device_at(host)
    register(sign_up(host), device)
    program = Client(host)
    done = enter(program, device, issue="tokens")
    assert done.status == 200, done.text
    program.bearer = done.json["tokens"]["access_token"]
    assert program.get("/session").json["session"]["aal"] == 2


def test_of_forty_at_once_one_gets_in(host: InProcessHost) -> None:
    device, program = device_at(host), Client(host)
    register(sign_up(host), device)
    begun = program.post("/sign-in/passkey/begin")
    credential = device.authenticate(begun.json["options"])
    asked = {"credential": credential, "attempt": begun.json["attempt"]}
    answers = statuses(at_once(lambda n: Client(host).post("/sign-in/passkey/finish", **asked)))
    assert answers[200] == 1
    assert answers[409] + answers[503] == 39


def test_replayed_late_and_of_others(host: InProcessHost) -> None:
    hers, his = device_at(host), device_at(host)
    ann, bob = sign_up(host), sign_up(host, "bob@example.com")
    register(ann, hers)
    register(bob, his)
    # Of another user: the attempt is Ann's, the passkey is Bob's.
    held = sign_in(thief := Browser(host))
    begun = thief.post("/sign-in/passkey/begin", attempt=held.json["attempt"])
    credential = his.authenticate(begun.json["options"], credential=his.credentials[0])
    refused = thief.post("/sign-in/passkey/finish", credential=credential, attempt=held.json["attempt"])
    assert (refused.status, refused.reason) == (401, "wrong_credentials")
    listed = ann.get("/passkeys/list").json["items"][0]["id"]
    for action, more in (("rename", {"name": "mine"}), ("remove", {})):
        assert bob.post(f"/passkeys/{action}", id=listed, **more).status == 404
    # A registration that Ann began is not Bob's to end.
    options = ann.post("/passkeys/register/begin").json["options"]
    stolen = device_at(host).register(options)
    assert bob.post("/passkeys/register/finish", credential=stolen).status == 400
    # Late.
    begun = (late := Browser(host)).post("/sign-in/passkey/begin")
    credential = hers.authenticate(begun.json["options"])
    host.clock.forward(minutes=5)
    refused = late.post("/sign-in/passkey/finish", credential=credential, attempt=begun.json["attempt"])
    assert (refused.status, refused.reason) == (409, "state_changed")


def test_what_is_no_answer_is_refused(host: InProcessHost) -> None:
    device = device_at(host)
    register(sign_up(host), device)
    lies: list[dict[str, Any]] = [
        {"origin": "https://evil.example"},
        {"user_present": False},
        {"rp_id": "evil.example"},
    ]
    for twists in lies:
        refused = enter(Browser(host), device, twists)
        assert (refused.status, refused.reason) == (401, "wrong_credentials"), twists
    who = Client(host)
    for wrong in ("text", 1, None, [], {}, {"type": "public-key"}, {"type": "public-key", "response": {"x": 1}}):
        refused = who.post("/sign-in/passkey/finish", credential=wrong)
        assert (refused.status, refused.reason) == (400, "invalid_input"), wrong
    assert who.post("/sign-in/passkey/begin", challenge="mine").status == 400
    assert who.post("/sign-in/passkey/begin", identifier="x" * 300).status == 400


def test_unknown_names_are_answered_as_known_ones(host: InProcessHost) -> None:
    register(sign_up(host), device_at(host))
    known, unknown = (
        Client(host).post("/sign-in/passkey/begin", identifier=name) for name in (ANN, "nobody@example.com")
    )
    assert (known.status, known.json.keys(), known.json["options"].keys()) == (
        unknown.status, unknown.json.keys(), unknown.json["options"].keys(),
    )  # fmt: skip
    assert len(unknown.json["options"]["allowCredentials"]) in (1, 2)


def test_other_domains_and_passkey_managers_find_what_is_well_known(host: InProcessHost) -> None:
    browser = Browser(host)
    origins = browser.send("GET", "/.well-known/webauthn")
    assert (origins.status, origins.json) == (200, {"origins": [host.origin]})
    assert origins.header("cache-control") == "public, max-age=300"
    pages = browser.send("GET", "/.well-known/passkey-endpoints")
    assert pages.json["manage"] == pages.json["enroll"] == f"{host.origin}{browser.prefix}/passkeys"

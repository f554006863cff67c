"""From nobody to somebody: sign up, prove the address, stay signed in, leave."""

from __future__ import annotations

from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, sign_in, sign_up


def test_the_whole_way(host: InProcessHost) -> None:
    ann = Browser(host)
    begun = ann.post("/sign-up", email="Ann@example.com", password=PASSWORD, name="Ann")
    assert (begun.status, begun.json["step"], begun.json["what"]) == (202, "verify", "email")
    assert ann.get("/session").status == 401

    done = ann.post("/email/verify", code=host.mail.code())
    assert (done.status, done.json["step"]) == (200, "done")
    assert done.json["user"]["email"] == "Ann@example.com"
    assert done.json["user"]["email_verified"] is True

    assert ann.get("/session").json["session"]["current"] is True
    assert ann.send("GET", "/who").json == {"email": "Ann@example.com"}
    assert ann.post("/sign-out").status == 204
    assert ann.get("/session").status == 401
    assert ann.send("GET", "/who").json == {"email": None}


def test_a_session_lives_on_and_ends_in_time(host: InProcessHost) -> None:
    ann = sign_up(host)
    assert sign_in(ann, remember=True).status == 200
    host.clock.forward(days=13)
    assert ann.get("/session").status == 200
    host.clock.forward(days=13)
    assert ann.get("/session").status == 200
    host.clock.forward(days=5)
    assert ann.get("/session").status == 401


def test_a_taken_address_gets_the_same_answer_and_its_owner_a_letter(host: InProcessHost) -> None:
    sign_up(host)
    answers = [Client(host).post("/sign-up", email=email, password=PASSWORD) for email in (ANN, "bob@example.com")]
    shapes = [(answer.status, sorted(answer.json), answer.json["step"]) for answer in answers]
    assert shapes[0] == shapes[1]
    assert {len(answer.json["attempt"]) for answer in answers} == {43}
    assert len(host.mail.to(ANN)) == 2

    refused = Client(host).post("/email/verify", code="000000", attempt=answers[0].json["attempt"])
    assert (refused.status, refused.reason) == (401, "wrong_code")


def test_the_link_proves_the_address_only_when_it_is_clicked(host: InProcessHost) -> None:
    """Mail scanners open links: a GET changes nothing (rule 32)."""
    ann = Browser(host)
    ann.post("/sign-up", email=ANN, password=PASSWORD)
    token = host.mail.token()
    for _ in range(2):
        assert ann.page(f"/email/verify?token={token}").status == 200
    done = ann.post("/email/verify", token=token)
    assert (done.status, done.json["step"]) == (200, "done")
    again = Browser(host).post("/email/verify", token=token)
    assert (again.status, again.reason) == (400, "invalid_token")


def test_a_link_opened_elsewhere_drops_the_password_somebody_chose(host: InProcessHost) -> None:
    """Pre-hijacking (rule 1): who controls the mailbox chooses the password."""
    mallory, ann = Browser(host), Browser(host)
    mallory.post("/sign-up", email=ANN, password=PASSWORD)
    held = ann.post("/email/verify", token=host.mail.token())
    assert (held.status, held.json["step"], held.json["methods"]) == (202, "enroll", ["password", "passkey"])
    done = ann.post("/sign-up/password", new_password="seven herons in the morning fog")
    assert (done.status, done.json["step"]) == (200, "done")
    assert sign_in(Client(host)).status == 401
    assert mallory.get("/session").status == 401


def test_the_code_of_one_attempt_opens_no_other(host: InProcessHost) -> None:
    ann, bob = Browser(host), Browser(host)
    ann.post("/sign-up", email=ANN, password=PASSWORD)
    code = host.mail.code()
    bob.post("/sign-up", email="bob@example.com", password=PASSWORD)
    assert bob.post("/email/verify", code=code).status == 401


def test_five_wrong_codes_end_it(host: InProcessHost) -> None:
    ann = Browser(host)
    ann.post("/sign-up", email=ANN, password=PASSWORD)
    code = host.mail.code()
    wrong = "111111" if code != "111111" else "222222"
    for _ in range(5):
        assert ann.post("/email/verify", code=wrong).status == 401
    assert ann.post("/email/verify", code=code).status in (401, 429)
    assert ann.get("/session").status == 401

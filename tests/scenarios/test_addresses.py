"""Several e-mail addresses for one account, on every host: added, chosen, removed, and undone."""

from __future__ import annotations

import re
from itertools import cycle

import pytest

from tests.scenarios.client import Browser, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, PASSWORD, sign_in, sign_up
from tests.scenarios.test_forty_at_once import at_once, statuses

NEW = "Ann@new.example"


def add(host: InProcessHost, ann: Client, address: str = NEW) -> None:
    host.clock.forward(seconds=1)
    begun = ann.post("/email/add", email=address)
    assert (begun.status, begun.json["what"]) == (202, "email"), begun.text
    assert ann.post("/email/verify", code=host.mail.code(), attempt=begun.json["attempt"]).status == 200
    host.clock.forward(seconds=1)


def undo_token(host: InProcessHost, template: str) -> str:
    letter = next(one for one in host.mail.letters if one.to == ANN and one.template == template)
    return letter.words["undo_link"].partition("token=")[2]


def test_another_address_takes_the_place_of_the_first_and_gives_it_back(host: InProcessHost) -> None:
    ann = sign_up(host)
    add(host, ann)
    assert ann.post("/email/make-primary", email=NEW).status == 204
    assert ann.send("GET", "/who").json == {"email": NEW}
    assert ann.get("/session").json["user"]["email_verified"] is True
    assert [one["email"] for one in ann.get("/email/list").json["items"]] == [NEW, ANN]
    assert sign_in(Client(host)).status == sign_in(Client(host), NEW.upper()).status == 200

    assert ann.post("/email/remove", email=ANN).status == 204
    last = ann.post("/email/remove", email=NEW)
    assert (last.status, last.reason) == (409, "last_address")
    assert sign_in(Client(host)).status == 401

    owner = Browser(host)
    undone = owner.post("/email/undo", token=undo_token(host, "address_made_primary"))
    assert (undone.status, undone.json["step"], undone.json["methods"]) == (202, "prove", ["password"])
    assert ann.get("/session").status == owner.get("/session").status == 401
    assert owner.post("/sign-in/password", password=PASSWORD, attempt=undone.json["attempt"]).status == 200
    assert owner.send("GET", "/who").json == {"email": ANN}


def test_an_address_is_added_by_forms_and_its_letters_link(host: InProcessHost) -> None:
    ann = sign_up(host)
    sent = ann.form("/email/add", "/email", email=NEW)
    assert (sent.status, sent.header("location")) == (303, "/auth/check-mail")
    assert "A•••@new.example" in ann.follow(sent).text
    link = f"/email/verify?token={host.mail.token()}"
    assert re.search(r"<button>", Browser(host).page(link).text) is None
    assert ann.page(link).status == 200
    confirmed = ann.form("/email/verify", link, token=host.mail.token())
    assert (confirmed.status, confirmed.header("location")) == (303, "/auth/?done=email.verify")
    assert ann.follow(confirmed).status == 200
    assert NEW in ann.page("/account").text
    again = ann.form("/email/add", "/email", email=NEW)
    assert again.status == 400
    assert "yours already" in again.text


@pytest.mark.options(policy={"tries_per_identifier": 1000})
def test_the_last_address_survives_forty_removals_at_once(host: InProcessHost) -> None:
    ann = sign_up(host)
    add(host, ann)
    browsers = [Browser(host, cookies=dict(ann.cookies)) for _ in range(40)]
    targets = [address for _, address in zip(range(40), cycle((ANN, NEW)), strict=False)]
    answers = at_once(lambda n: browsers[n].post("/email/remove", email=targets[n]))
    assert statuses(answers)[204] == 1
    assert len(ann.get("/email/list").json["items"]) == 1

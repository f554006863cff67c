"""A program whose tokens are bound to its key, on every host: what it gets, and what a thief does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.keyholder import KeyHolder
from tests.scenarios.client import Answer, Client
from tests.scenarios.hosts import InProcessHost
from tests.scenarios.people import ANN, sign_in, sign_up


@dataclass
class Bound(Client):
    """A program with a key, which sends a new proof with each request and takes the nonce that it is told."""

    holder: KeyHolder = field(default_factory=KeyHolder)
    token: str = ""
    proof: str = ""

    def send(self, method: str, target: str, *given: Any, **more: Any) -> Answer:
        answer = self._sent(method, target, *given, **more)
        if answer.status == 401 and (nonce := answer.header("dpop-nonce")):
            assert answer.reason == "use_dpop_nonce"
            assert 'DPoP realm="doorward", error="use_dpop_nonce"' in (answer.header("www-authenticate") or "")
            self.holder.nonce = nonce
            return self._sent(method, target, *given, **more)
        return answer

    def _sent(self, method: str, target: str, *given: Any, **more: Any) -> Answer:
        host: Any = self.host
        url = host.origin + host.elsewhere.get(target, target)
        made = self.holder.proof(method, url, host.clock.now, token=self.token)
        self.extra["DPoP"] = self.proof or made
        if self.token:
            self.extra["Authorization"] = f"DPoP {self.token}"
        return super().send(method, target, *given, **more)


def bound(host: InProcessHost) -> tuple[Bound, str]:
    """A program of Ann's with a bound access token, and its refresh token."""
    program = Bound(host)
    answer = sign_in(program, issue="tokens")
    assert answer.status == 200, answer.text
    assert answer.json["tokens"]["token_type"] == "DPoP"
    program.token = answer.json["tokens"]["access_token"]
    return program, answer.json["tokens"]["refresh_token"]


def test_bound_tokens_open_what_they_should_and_only_with_their_key(host: InProcessHost) -> None:
    sign_up(host)
    program, refresh = bound(host)
    assert program.get("/session").json["user"]["email"] == ANN
    for _ in range(2):
        assert program.send("GET", "/closed").json == {"email": ANN}

    thief = Client(host, bearer=program.token)
    for path in ("/auth/session", "/closed"):
        assert (thief.send("GET", path).status, thief.send("GET", path).reason) == (401, "invalid_bearer")
    liar = Bound(host, token=program.token)
    for path in ("/auth/session", "/closed"):
        refused = liar.send("GET", path)
        assert (refused.status, refused.reason) == (401, "invalid_proof")
        assert 'error="invalid_dpop_proof"' in (refused.header("www-authenticate") or "")
    elsewhere = program.holder.proof("GET", "https://evil.example/closed", host.clock.now, token=program.token)
    watcher = Bound(host, token=program.token, proof=elsewhere)
    assert watcher.send("GET", "/closed").reason == "invalid_proof"

    two = [
        program.holder.proof("GET", f"{host.origin}/auth/session", host.clock.now, token=program.token) for _ in "ab"
    ]
    pairs = [("Host", "app.example.com"), ("Authorization", f"DPoP {program.token}"), *(("DPoP", one) for one in two)]
    assert host.send("GET", "/auth/session", pairs, b"", "192.0.2.1").reason == "invalid_proof"

    program.token = ""
    program.extra.clear()
    assert Client(host).post("/token/refresh", refresh_token=refresh).reason == "invalid_proof"
    assert Bound(host).post("/token/refresh", refresh_token=refresh).reason == "invalid_proof"
    renewed = program.post("/token/refresh", refresh_token=refresh)
    assert (renewed.status, renewed.json["token_type"]) == (200, "DPoP")

    plain = Client(host)
    tokens = sign_in(plain, issue="tokens").json["tokens"]
    plain.bearer = tokens["access_token"]
    assert tokens["token_type"] == "Bearer"
    assert plain.send("GET", "/closed").json == {"email": ANN}


def test_of_forty_with_one_proof_one_gets_in(host: InProcessHost) -> None:
    sign_up(host)
    program, _ = bound(host)
    path = "/auth/session"
    program.proof = program.holder.proof("GET", host.origin + path, host.clock.now, token=program.token)
    headers = {"Authorization": f"DPoP {program.token}", "DPoP": program.proof}
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: Client(host).send("GET", path, headers=headers).status, range(40)))
    assert sorted(set(answers)) == [200, 401]
    assert answers.count(200) == 1

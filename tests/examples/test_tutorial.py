"""The classic tutorial on Doorward keeps its promises, in Flask and in Django, as processes over HTTP."""

from __future__ import annotations

import hmac
import json
import re
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth import hashers as django_hashers
from passlib.hash import argon2, bcrypt, pbkdf2_sha256
from werkzeug.security import generate_password_hash

from tests.examples.pages import ROOT, blocks
from tests.examples.tutorial_sites import TUTORIAL, DjangoTutorial, FlaskTutorial, TutorialSite
from tests.scenarios.client import Answer, Browser, Client

SITES: dict[str, type[TutorialSite]] = {"flask": FlaskTutorial, "django": DjangoTutorial}
PAGE = ROOT / "docs" / "start" / "tutorial.md"
PASSWORD = "correct horse battery staple"
HELLO = {"message": "Hello, authenticated user!"}
NO = {"error": "Invalid credentials"}

# Each maker of stored hashes, as the classic tutorials use it.
MADE_BY: dict[str, Callable[[str], str]] = {
    "passlib bcrypt": bcrypt.using(rounds=10).hash,
    "passlib pbkdf2_sha256": pbkdf2_sha256.hash,
    "passlib argon2": lambda password: str(argon2.hash(password)),  # looked up late: passlib loads its backend lazily
    "werkzeug scrypt": generate_password_hash,
    "werkzeug pbkdf2": lambda password: generate_password_hash(password, method="pbkdf2:sha256:20000"),
    "django pbkdf2": lambda password: django_hashers.PBKDF2PasswordHasher().encode(password, "0123456789abcdefghijkl"),
    "django scrypt": lambda password: django_hashers.ScryptPasswordHasher().encode(password, "0123456789abcdefghijkl"),
}
OURS = ("$argon2id$v=19$m=19456,t=2,p=1$", "argon2$argon2id$v=19$m=19456,t=2,p=1$")  # Django's column has a prefix


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TutorialSite]:
    started = SITES[request.param](tmp_path_factory.mktemp(request.param))
    started.start()
    yield started
    started.close()


@pytest.fixture
def user(site: TutorialSite, request: pytest.FixtureRequest) -> str:
    """A user of this test's own: its name."""
    name = "user-" + format(abs(hash(request.node.name)), "x")[:12]
    site.add(name, pbkdf2_sha256.using(rounds=1000).hash(PASSWORD))
    return name


def login(client: Client, **sent: Any) -> Answer:
    return raw_login(client, json.dumps(sent).encode())


def raw_login(client: Client, body: bytes, kind: str = "application/json") -> Answer:
    return client.send("POST", "/login", body, {"Content-Type": kind})


def protected(client: Client) -> Answer:
    return client.send("GET", "/protected", headers={"Accept": "application/json"})


def token_of(site: TutorialSite, user: str) -> str:
    answer = login(Client(site), username=user, password=PASSWORD)
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"token"}
    return str(answer.json["token"])


def signed_in(site: TutorialSite, user: str) -> Browser:
    browser = Browser(site)
    assert browser.post("/sign-in/password", identifier=user, password=PASSWORD).status == 200
    return browser


def test_the_token_of_login_opens_protected(site: TutorialSite, user: str) -> None:
    answer = protected(Client(site, bearer=token_of(site, user)))
    assert (answer.status, answer.json) == (200, HELLO)


def test_a_newcomer_signs_up_by_the_letter_in_the_terminal_and_logs_in(site: TutorialSite) -> None:
    newcomer = {"email": "ada@example.com", "password": PASSWORD}
    attempt = Client(site).post("/sign-up", **newcomer).json["attempt"]
    code = letter_in_the_terminal(site)
    assert Client(site).post("/email/verify", code=code, attempt=attempt).json["step"] == "done"
    answer = login(Client(site), username="ada@example.com", password=PASSWORD)
    assert protected(Client(site, bearer=answer.json["token"])).json == HELLO


def letter_in_the_terminal(site: TutorialSite) -> str:
    """The code in it."""
    for _ in range(200):
        if found := re.search(r"^\s*(\d{6,8})\s*$", site.said(), re.MULTILINE):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(site.said())


def test_nobody_is_turned_away(site: TutorialSite, user: str) -> None:
    assert protected(Client(site)).status == 401
    for token in ("x", "null", "a.b.c", token_of(site, user)[:-4], f"{token_of(site, user)}.x"):
        assert protected(Client(site, bearer=token)).status == 401, token


def test_a_session_opens_protected_too_until_it_is_ended(site: TutorialSite, user: str) -> None:
    browser = signed_in(site, user)
    assert protected(browser).json == HELLO
    assert browser.send("GET", "/me").json == {"username": user}
    copied = Browser(site, cookies=dict(browser.cookies))
    assert browser.post("/sign-out").status == 204
    assert protected(browser).status == 401
    assert protected(copied).status == 401


def test_a_browser_is_sent_to_sign_in(site: TutorialSite) -> None:
    answer = Browser(site).send("GET", "/protected", headers={"Accept": "text/html"})
    assert answer.status in (302, 303)
    page = Browser(site).follow(answer)
    assert page.status == 200
    assert 'type="password"' in page.text


def test_the_token_verifies_with_plain_pyjwt(site: TutorialSite, user: str) -> None:
    """Any service can check it, with nothing of ours but the public key set."""
    token = token_of(site, user)
    keys = jwt.PyJWKSet.from_dict(Client(site, prefix="").get("/.well-known/jwks.json").json)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(
        token,
        key.key,
        algorithms=["ES256"],
        audience=site.origin,
        issuer=site.origin,
        options={"require": ["exp", "iat", "nbf", "sub", "sid", "jti"]},
    )
    assert claims["amr"] == ["pwd"]
    assert claims["exp"] - claims["iat"] == 300


def test_the_page_shows_another_service_how_to_check_it(site: TutorialSite, monkeypatch: pytest.MonkeyPatch) -> None:
    public = Client(site, prefix="").get("/.well-known/jwks.json").json
    monkeypatch.setattr(jwt.PyJWKClient, "fetch_data", lambda client: public)
    (shown,) = [block.text for block in blocks(PAGE, "python") if "import jwt" in block.text]
    names: dict[str, Any] = {}
    exec(shown.replace(FlaskTutorial.origin, site.origin), names)
    id = site.add("known-elsewhere", pbkdf2_sha256.hash(PASSWORD))
    token = token_of(site, "known-elsewhere")
    assert names["user_of"](token) == str(id)
    with pytest.raises(jwt.InvalidTokenError):
        names["user_of"](token[:-4] + "AAAA")


def test_the_page_shows_what_stands_in_the_examples() -> None:
    programs = [path.read_text(encoding="utf-8") for path in TUTORIAL.rglob("*.py")]
    shown = [block for block in blocks(PAGE, "python") if "import jwt" not in block.text]
    assert [str(block) for block in shown if not any(block.text in program for program in programs)] == []
    assert len(shown) == 3


def test_the_readme_counts_the_lines_right() -> None:
    page = (TUTORIAL / "README.md").read_text(encoding="utf-8")
    lines = [line for line in (TUTORIAL / "flask_app.py").read_text(encoding="utf-8").splitlines() if line]
    program = [line for line in lines if not line.startswith(("import ", "from ", '"""'))]
    assert f"has {len(program)} lines beside its imports" in page


def test_forged_tokens_open_nothing(site: TutorialSite, user: str) -> None:
    token = token_of(site, user)
    claims = jwt.decode(token, options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    same = {"kid": header["kid"], "typ": header["typ"]}
    keys = jwt.PyJWKSet.from_dict(Client(site, prefix="").get("/.well-known/jwks.json").json)
    public = keys[header["kid"]].key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    forged = [
        jwt.encode(claims, "", algorithm="none", headers=same),
        signed_by_hmac({"alg": "HS256", **same}, token, key=public),
        jwt.encode(claims, "secret_key_here".ljust(32, "_"), algorithm="HS256"),
        jwt.encode(claims, site.secret, algorithm="HS256", headers=same),
        jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers=same),
    ]
    assert {protected(Client(site, bearer=each)).status for each in forged} == {401}
    assert protected(Client(site, bearer=token)).status == 200


def signed_by_hmac(header: dict[str, str], token: str, *, key: bytes) -> str:
    """The claims of a token under another signature: PyJWT itself refuses to sign with a public key."""
    start = urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=") + "." + token.split(".")[1]
    digest = hmac.digest(key, start.encode(), "sha256")
    return start + "." + urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.parametrize("maker", MADE_BY)
def test_stored_hashes_of_others_sign_in_and_are_hashed_anew(site: TutorialSite, maker: str) -> None:
    name, hash = maker.replace(" ", "-"), MADE_BY[maker](PASSWORD)
    site.add(name, hash)
    wrong = login(Client(site), username=name, password=PASSWORD + "r")
    assert (wrong.status, site.stored(name)) == (401, hash)
    assert protected(Client(site, bearer=token_of(site, name))).json == HELLO
    anew = site.stored(name)
    assert anew.startswith(OURS)
    assert protected(Client(site, bearer=token_of(site, name))).json == HELLO
    assert site.stored(name) == anew


def test_a_session_outlives_the_new_hash(site: TutorialSite, user: str) -> None:
    browser = signed_in(site, user)
    assert site.stored(user).startswith(OURS)
    assert protected(browser).status == 200


def test_wrong_unknown_and_disabled_get_one_answer(site: TutorialSite, user: str) -> None:
    site.add(f"{user}-off", pbkdf2_sha256.hash(PASSWORD), active=False)
    site.add(f"{user}-none", "!")
    wrong = [
        login(Client(site), username=name, password=password)
        for name, password in [
            (user, "wrong"),
            (f"{user}-nobody", PASSWORD),
            (f"{user}-off", PASSWORD),
            (f"{user}-off", "wrong"),
            (f"{user}-none", PASSWORD),
            (f"{user}-none", "!"),
        ]
    ]
    assert {(answer.status, answer.body) for answer in wrong} == {(401, wrong[0].body)}
    assert wrong[0].json == NO


def test_who_is_disabled_is_out_at_once(site: TutorialSite, user: str) -> None:
    browser, program = signed_in(site, user), Client(site, bearer=token_of(site, user))
    site.change(user, "is_active", False)
    assert (protected(browser).status, protected(program).status) == (401, 401)


BODIES: list[bytes] = [
    *(b"", b"[]", b"5", b"null", b'"text"', b"{}", b"{", b"\xff\xfe", b"[" * 60_000, b'{"username": 1e999}'),
    *(
        json.dumps(body).encode()
        for body in ({"username": "ada"}, {"password": "x"}, {"username": None, "password": 5})
    ),
    *(
        json.dumps({"username": ["ada"], "password": {"a": 1}}).encode(),
        b'{"username":"a","username":"b","password":"x"}',
    ),
    *(json.dumps({"username": "a\0b", "password": "x"}).encode(), b'{"username":"\\ud800","password":"\\udfff"}'),
    *(
        json.dumps(body).encode()
        for body in ({"username": "a" * 300, "password": "x"}, {"username": "a", "password": ""})
    ),
    json.dumps({"username": "ada", "password": "x" * 1025}).encode(),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:24]))
def test_what_is_no_login_is_refused_without_a_mistake_of_ours(site: TutorialSite, body: bytes) -> None:
    answer = raw_login(Client(site), body)
    assert answer.status == 400 or (answer.status == 415 and not body)


def test_other_kinds_of_requests_are_refused(site: TutorialSite, user: str) -> None:
    right = json.dumps({"username": user, "password": PASSWORD}).encode()
    assert raw_login(Client(site), right, "text/plain").status == 415
    assert raw_login(Client(site), b"username=ada&password=x", "application/x-www-form-urlencoded").status == 415
    assert raw_login(Client(site), right.ljust(70_000)).status == 413
    assert Client(site).send("GET", "/login").status == 405


def test_every_wrong_try_is_counted_and_soon_there_are_no_more(site: TutorialSite) -> None:
    """Within five minutes twenty are taken, right or wrong; a refused one spends nothing."""
    name = "often-guessed"
    id = site.add(name, pbkdf2_sha256.using(rounds=1000).hash(PASSWORD))
    for count in range(1, 21):
        assert login(Client(site), username=name, password="wrong").json == NO
        assert site.failures(id) == count
    answers = [login(Client(site), username=name, password=password) for password in ("wrong", PASSWORD)]
    assert [answer.status for answer in answers] == [429, 429]
    assert all(int(answer.header("Retry-After") or 0) > 0 for answer in answers)
    assert site.failures(id) == 20


def test_wrong_tries_side_by_side_are_counted_one_by_one(site: TutorialSite) -> None:
    id = site.add("guessed-at-once", pbkdf2_sha256.using(rounds=1000).hash(PASSWORD))
    with ThreadPoolExecutor(8) as crowd:  # Django's own server for trying things out lets ten wait
        guesses = [crowd.submit(login, Client(site), username="guessed-at-once", password=str(n)) for n in range(40)]
        answers = Counter(guess.result().status for guess in guesses)
    assert 0 < answers[401] == site.failures(id) <= 20
    assert answers.keys() <= {401, 429, 503}


def test_a_session_of_the_frameworks_own_opens_nothing(site: TutorialSite, user: str) -> None:
    """Rule 20: forged with the site's own secret, as somebody who has stolen it would."""
    id = site.add(f"{user}-forged", pbkdf2_sha256.hash(PASSWORD))
    cookies = dict(site.others_cookies(id))
    assert cookies
    assert protected(Browser(site, cookies=cookies)).status == 401


def test_another_sites_page_can_do_nothing_with_a_session(site: TutorialSite, user: str) -> None:
    browser = signed_in(site, user)
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"}
    body = json.dumps({"username": user, "password": PASSWORD}).encode()
    assert browser.send("POST", "/login", body, foreign).status == 403
    assert protected(browser).status == 200


def test_djangos_runs_where_neither_sqlalchemy_nor_flask_is(
    clean_environment: Callable[[str], Path], tmp_path: Path
) -> None:
    site = DjangoTutorial(tmp_path, python=str(clean_environment("django-only") / "python"))
    site.start()
    try:
        site.add("ada", django_hashers.PBKDF2PasswordHasher().encode(PASSWORD, "0123456789abcdefghijkl"))
        assert protected(Client(site, bearer=token_of(site, "ada"))).json == HELLO
        assert site.stored("ada").startswith(OURS)
    finally:
        site.close()


WHY_NOT = {
    ("flask", "secret_key_here"): r"app\.secret_key has 15 bytes, fewer than 32.*secrets\.token_urlsafe",
    ("flask", ""): r"set app\.secret_key.*secrets\.token_urlsafe",
    ("django", "secret_key_here"): r"SECRET_KEY has 15 bytes, fewer than 32.*secrets\.token_urlsafe",
    ("django", ""): r"DJANGO_SECRET_KEY",
}


@pytest.mark.parametrize("kind", SITES)
@pytest.mark.parametrize("secret", ["secret_key_here", ""], ids=["published", "missing"])
def test_a_weak_secret_is_refused_at_start(kind: str, secret: str, tmp_path: Path) -> None:
    site = SITES[kind](tmp_path, secret)
    with pytest.raises(AssertionError, match=WHY_NOT[kind, secret]):
        site.start()

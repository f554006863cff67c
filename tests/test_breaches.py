"""A service that is asked for breached passwords: what leaves the machine, and what happens when it fails."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from doorward.breaches import MOST_BYTES, RangeSearch
from doorward.core.call import Call
from doorward.core.finish import finish
from doorward.core.refusals import Misconfigured
from doorward.core.settings import load_settings
from doorward.features.password_check import check
from doorward.features.password_rules import check_new_password
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.stores import open_store
from doorward.testing.doubles import ORIGIN, SECRET, House
from tests.features.people import PASSWORD, refused, signed_up
from tests.services.processes import free_port

LEAKED = "seven lamps by the river"
DIGEST = hashlib.sha1(LEAKED.encode()).hexdigest().upper()
PADDING = "".join(f"{at:035X}:0\r\n" for at in range(800))


class Service:
    """A range API on a socket. `answer` decides what it says."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answer: Callable[[Any], None] = self.well
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                service.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/range"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def well(self, request: Any) -> None:
        body = f"{PADDING}{DIGEST[5:]}:7\r\n" if request.path == f"/range/{DIGEST[:5]}" else PADDING
        self.say(request, body.encode())

    def say(self, request: Any, body: bytes, status: int = 200) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def service() -> Iterator[Service]:
    opened = Service()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


def knows(search: RangeSearch, password: str) -> bool | None:
    return finish(search.sync.knows(password))


def test_five_digits_of_a_digest_leave_and_nothing_else(service: Service) -> None:
    search = RangeSearch(service.url)
    assert (knows(search, LEAKED), knows(search, PASSWORD)) == (True, False)
    (path, headers), _ = service.asked
    assert path == f"/range/{DIGEST[:5]}"
    assert headers["add-padding"] == "true"
    assert headers.keys() == {"host", "accept-encoding", "add-padding", "user-agent"}


def test_padding_is_nobodys_password(service: Service) -> None:
    service.answer = lambda request: service.say(request, f"{DIGEST[5:]}:0\r\n".encode())
    assert knows(RangeSearch(service.url), LEAKED) is False


def drip(request: Any) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(40):
        request.wfile.write(b"0")
        request.wfile.flush()
        time.sleep(0.1)


BAD: dict[str, Callable[[Service, Any], None]] = {
    "an error": lambda service, request: service.say(request, b"no", 500),
    "a redirect": lambda service, request: service.say(request, b"", 302),
    "a page": lambda service, request: service.say(request, b"<html>sign in to the network</html>"),
    "nothing": lambda service, request: service.say(request, b""),
    "too much": lambda service, request: service.say(request, b"0" * (MOST_BYTES + 2)),
    "no HTTP": lambda service, request: request.wfile.write(b"SSH-2.0-x\r\n\r\n"),
    "silence": lambda service, request: time.sleep(2),
    "a drip": lambda service, request: drip(request),
    "a cut": lambda service, request: request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n0:1"),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("way", BAD)
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_it_fails_open_in_time_and_says_so(
    service: Service, caplog: pytest.LogCaptureFixture, way: str, colour: str
) -> None:
    service.answer = lambda request: BAD[way](service, request)
    search = RangeSearch(service.url, patience=0.5)
    began = time.monotonic()
    found = knows(search, LEAKED) if colour == "sync" else asyncio.run(search.awaiting.knows(LEAKED))
    assert found is None
    assert time.monotonic() - began < 1.5
    assert "127.0.0.1 can't be asked" in caplog.text
    assert LEAKED not in caplog.text
    assert DIGEST[:5] not in caplog.text


def test_who_did_not_answer_is_left_alone_for_a_while(service: Service) -> None:
    search = RangeSearch(f"http://127.0.0.1:{free_port()}/range", rest=0.3)
    assert knows(search, LEAKED) is None
    began = time.monotonic()
    for _ in range(50):
        knows(search, LEAKED)
    assert time.monotonic() - began < 0.25
    away = RangeSearch(service.url, rest=0.2)
    answer, service.answer = service.answer, lambda request: service.say(request, b"", 503)
    assert (knows(away, LEAKED), knows(away, LEAKED), len(service.asked)) == (None, None, 1)
    service.answer = answer
    time.sleep(0.25)
    assert knows(away, LEAKED) is True


def test_the_event_loop_goes_on_meanwhile(service: Service) -> None:
    service.answer = lambda request: time.sleep(1)
    search = RangeSearch(service.url, patience=0.4)

    async def both() -> int:
        asked = asyncio.create_task(search.awaiting.knows(LEAKED))
        turns = 0
        while not asked.done():
            await asyncio.sleep(0.005)
            turns += 1
        assert await asked is None
        return turns

    assert asyncio.run(both()) > 20


def test_forty_at_once_wait_no_longer_than_one(service: Service) -> None:
    service.answer = lambda request: time.sleep(3)
    search = RangeSearch(service.url, patience=0.5)

    async def forty() -> list[bool | None]:
        return await asyncio.gather(*(search.awaiting.knows(f"{LEAKED} {at}") for at in range(40)))

    began = time.monotonic()
    assert asyncio.run(forty()) == [None] * 40
    assert time.monotonic() - began < 2


# In the rules


def house_of(service: Service) -> House:
    search = RangeSearch(service.url, patience=0.5)
    return House(
        standard(),
        lambda doorward: open_store("memory:", records=doorward.records),
        MemoryLimits(),
        lambda count: hashlib.shake_128(str(time.monotonic_ns()).encode()).digest(count),
        search=search.sync,
    )


def test_what_the_service_knows_is_refused(service: Service) -> None:
    house = house_of(service)
    refused("password_known", signed_up, house, password=LEAKED)
    assert signed_up(house).do(check, password=PASSWORD).online == "clear"
    found = house.browser().do(check, password=LEAKED)
    assert (found.accepted, found.breached, found.online) == (False, True, "breached")
    assert [remark.reason for remark in found.reasons] == ["password_known"]


def test_without_an_answer_people_go_on_and_are_told(service: Service) -> None:
    service.answer = lambda request: service.say(request, b"", 500)
    house = house_of(service)
    assert signed_up(house, password=LEAKED).session
    found = house.browser().do(check, password=LEAKED)
    assert (found.accepted, found.breached, found.online) == (True, False, "unavailable")


def test_nothing_is_asked_of_what_is_refused_or_still_typed(service: Service) -> None:
    house = house_of(service)
    for password, typing in (("short", False), ("passwordpassword", False), (LEAKED, True)):
        assert house.browser().do(check, password=password, typing=typing).online == "not_asked"
    refused("password_too_short", signed_up, house, password="short")
    assert service.asked == []


def test_nothing_is_asked_inside_a_transaction(service: Service) -> None:
    async def inside(call: Call) -> None:
        async with call.store.transaction():
            await check_new_password(call, LEAKED)

    house_of(service).run(inside)
    assert service.asked == []


@pytest.mark.parametrize(
    ("url", "well"),
    [
        ("", True),
        ("https://api.pwnedpasswords.com/range/", True),
        ("http://127.0.0.1:8080/range", True),
        ("http://api.example.com/range", False),
        ("ftp://api.example.com", False),
        ("api.example.com", False),
        ("https://api.example.com/range?x=", False),
    ],
)
def test_the_address_of_a_service_is_https_or_loopback(url: str, well: bool) -> None:
    given = {"secret": SECRET, "origin": ORIGIN, "breached_url": url}
    if well:
        assert load_settings(given).breached_url == url.rstrip("/")
        return
    with pytest.raises(Misconfigured, match="breached_url"):
        load_settings(given)

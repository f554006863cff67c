"""SMS services on this machine: each looks at a request as the real one does, and answers as it would."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

SID, TOKEN = "AC" + "0123456789abcdef" * 2, "s3cret/token+for=tests"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Asked:
    """A request, as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        assert self.headers["content-type"] == FORM
        return {name: value for name, (value,) in parse_qs(self.body.decode(), strict_parsing=True).items()}


@dataclass(frozen=True)
class Said:
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def service(answer: Callable[[Asked], Said]) -> Iterator[tuple[str, list[Asked]]]:
    """A service at a URL of this machine, and what it was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            one = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            asked.append(one)
            said = answer(one)
            sent = said.body.encode()
            self.send_response(said.status)
            for name, value in {**said.headers, "Content-Length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:
            return None

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            return None  # who does not wait for the answer has gone

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# Twilio's own magic numbers: https://www.twilio.com/docs/iam/test-credentials
TWILIO_REFUSES = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}


def twilio(asked: Asked) -> Said:
    """The Messages resource: Basic auth by SID and token, a form, and 201 with the message that was made."""

    def refusal(status: int, code: int, **headers: str) -> Said:
        more = f"https://www.twilio.com/docs/errors/{code}"
        body = {"code": code, "message": "The number +1… is wrong: 482913", "more_info": more, "status": status}
        return Said(status, json.dumps(body), {name.replace("_", "-"): value for name, value in headers.items()})

    if asked.headers.get("authorization") != "Basic " + b64encode(f"{SID}:{TOKEN}".encode()).decode():
        return refusal(401, 20003, WWW_Authenticate='Basic realm="Twilio API"')
    if asked.path != f"/2010-04-01/Accounts/{SID}/Messages.json":
        return refusal(404, 20404)
    form = asked.form
    if set(form) not in ({"To", "From", "Body"}, {"To", "MessagingServiceSid", "Body"}):
        return refusal(400, 21603)
    if form.get("From") == "+15005550001":
        return refusal(400, 21212)
    if form["To"] == "+15005550429":
        return refusal(429, 20429, Retry_After="17")
    if form["To"] == "+15005550503":
        return Said(503, "<html>upstream</html>")
    if form["To"] in TWILIO_REFUSES:
        return refusal(400, TWILIO_REFUSES[form["To"]])
    made = {"sid": "SM" + "0" * 32, "status": "queued", "to": form["To"], "body": form["Body"], "num_segments": "1"}
    return Said(201, json.dumps(made))


def vonage(asked: Asked) -> Said:
    """The SMS API: whatever came of it, the status is 200, and each part of the message has its own."""
    form = asked.form
    status = "0"
    if asked.path != "/sms/json" or not {"from", "to", "text", "type"} <= form.keys():
        status = "2"
    elif (form.get("api_key"), form.get("api_secret")) != ("key", TOKEN):
        status = "4"
    elif form["to"].startswith("49171") and form["to"].endswith("00"):
        status = form["to"][5:-2]
    part = {"to": form.get("to"), "message-id": "0A0000000123ABCD1", "status": status}
    if status != "0":
        part["error-text"] = f"no message to {form.get('to')}"
    return Said(200, json.dumps({"message-count": "1", "messages": [part]}))


def sns(asked: Asked) -> Said:
    """Publish: the signature is looked at first, as it is made by the published recipe from what came in."""

    def refusal(status: int, code: str) -> Said:
        return Said(status, f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>")

    if not _is_signed(asked):
        return refusal(403, "SignatureDoesNotMatch")
    form = asked.form
    if form.get("Action") != "Publish" or form.get("Version") != "2010-03-31":
        return refusal(400, "InvalidAction")
    codes = {"+491710000001": (400, "InvalidParameter"), "+491710000002": (400, "Throttling")}
    if form["PhoneNumber"] in codes:
        return refusal(*codes[form["PhoneNumber"]])
    return Said(200, "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>")


def _is_signed(asked: Asked) -> bool:
    scheme, _, rest = asked.headers["authorization"].partition(" ")
    said = dict(part.strip().split("=", 1) for part in rest.split(","))
    access, day, region, name, end = said["Credential"].split("/")
    assert (scheme, access, name, end) == ("AWS4-HMAC-SHA256", "AKIDEXAMPLE", "sns", "aws4_request")
    named = said["SignedHeaders"].split(";")
    assert {"host", "x-amz-date", "content-type"} <= set(named)
    canonical = ["POST", asked.path, "", *[f"{header}:{asked.headers[header]}" for header in named], ""]
    canonical += [";".join(named), hashlib.sha256(asked.body).hexdigest()]
    at = asked.headers["x-amz-date"]
    text = [scheme, at, f"{day}/{region}/{name}/{end}", hashlib.sha256("\n".join(canonical).encode()).hexdigest()]
    key = b"AWS4" + TOKEN.encode()
    for part in (day, region, name, end, "\n".join(text)):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return at.startswith(day) and key.hex() == said["Signature"]

"""Text messages: each service in its own protocol, on this machine; what is wrong with a number, with us, with now."""

from __future__ import annotations

import io
import json
import logging
import re
import time
from urllib.parse import quote

import pytest

from doorward.core.call import TextMessage
from doorward.core.refusals import Misconfigured
from doorward.core.settings import load_settings
from doorward.delivery import (
    ComposedText,
    ConsoleSms,
    Delivered,
    MailDown,
    NotNow,
    Outbox,
    SmsDown,
    Undeliverable,
    open_sms,
)
from doorward.delivery.composing import compose_text
from doorward.delivery.outgoing import Unanswered, ask
from doorward.delivery.sms import Sms, taken_apart
from doorward.delivery.sms_services import Gateway, Sns, Twilio, Vonage
from doorward.delivery.texts_for_phones import SHORT
from doorward.testing.doubles import ORIGIN, SECRET
from tests.delivery.office import Kept, Office
from tests.delivery.sms_services import SID, TOKEN, TWILIO_REFUSES, Asked, Said, service, sns, twilio, vonage

WORDS = {"service": "Acme", "code": "482913", "minutes": "10", "host": "app.example.com"}
SAID = "482913 is your code for Acme, good for 10 minutes. Give it to no one.\n\n@app.example.com #482913"


def text_to(number: str = "+491711234567", text: str = SAID) -> ComposedText:
    return ComposedText(id="message-1", to=number, text=text)


def twilio_at(endpoint: str, sender: str = "+15005550006", token: str = TOKEN) -> Twilio:
    return Twilio(taken_apart(f"twilio://{SID}:{quote(token, safe='')}@/?from={sender}"), endpoint=endpoint, patience=2)


def test_twilio_takes_a_message() -> None:
    with service(twilio) as (url, asked):
        twilio_at(url).send(text_to())
        twilio_at(url, "MG" + "0" * 32).send(text_to())
    assert asked[0].form == {"To": "+491711234567", "From": "+15005550006", "Body": SAID}
    assert asked[1].form["MessagingServiceSid"] == "MG" + "0" * 32


def test_twilio_knows_an_api_key_of_the_account() -> None:
    def by_key(asked: Asked) -> Said:
        assert asked.headers["authorization"] == "Basic U0sxOnNlY3JldA=="
        return Said(201 if asked.path == f"/2010-04-01/Accounts/{SID}/Messages.json" else 404)

    with service(by_key) as (url, asked):
        Twilio(taken_apart(f"twilio://SK1:secret@/?account={SID}&from=+15005550006"), endpoint=url).send(text_to())
    assert len(asked) == 1


@pytest.mark.parametrize("number", TWILIO_REFUSES)
def test_a_number_that_twilio_reaches_never_is_given_up(number: str) -> None:
    with service(twilio) as (url, _), pytest.raises(Undeliverable) as caught:
        twilio_at(url).send(text_to(number))
    assert str(TWILIO_REFUSES[number]) in str(caught.value)
    assert "482913" not in str(caught.value)


@pytest.mark.parametrize(
    ("sender", "token", "number", "kind"),
    [
        ("+15005550006", "wrong", "+491711234567", SmsDown),  # 401: our credentials
        ("+15005550001", TOKEN, "+491711234567", SmsDown),  # 400, 21212: our sender
        ("+15005550006", TOKEN, "+15005550503", SmsDown),
    ],
)
def test_what_is_wrong_with_us_or_with_twilio_holds_all_messages(
    sender: str, token: str, number: str, kind: type[Exception]
) -> None:
    with service(twilio) as (url, _), pytest.raises(kind) as caught:
        twilio_at(url, sender, token).send(text_to(number))
    assert number not in str(caught.value)


def test_twilio_says_how_long_to_wait() -> None:
    with service(twilio) as (url, _), pytest.raises(NotNow) as caught:
        twilio_at(url).send(text_to("+15005550429"))
    assert caught.value.retry_after == 17


def test_vonage_says_in_the_answer_what_came_of_it() -> None:
    with service(vonage) as (url, asked):
        sender = Vonage(taken_apart(f"vonage://key:{quote(TOKEN, safe='')}@/?from=Acme"), endpoint=url)
        sender.send(text_to("+4915112345678"))
        sender.send(text_to("+4915112345678", "Dein Code für Acme"))
        for status, kind in {"1": NotNow, "5": NotNow, "7": Undeliverable, "29": Undeliverable, "9": SmsDown}.items():
            with pytest.raises(kind, match=rf"\({status}\)"):
                sender.send(text_to(f"+49171{status}00"))
        wrong = Vonage(taken_apart("vonage://key:wrong@/?from=Acme"), endpoint=url)
        with pytest.raises(SmsDown):
            wrong.send(text_to())
    first = asked[0].form
    assert (first["to"], first["from"], first["text"], first["type"]) == ("4915112345678", "Acme", SAID, "text")
    assert asked[1].form["type"] == "unicode"


def test_amazon_sees_a_signature_that_is_right() -> None:
    with service(sns) as (url, asked):
        sender = Sns(taken_apart(f"sns://AKIDEXAMPLE:{quote(TOKEN, safe='')}@eu-central-1/?from=Acme"), endpoint=url)
        sender.send(text_to(text="Grüße + 100 %\n\n@a.example #1"))
        with pytest.raises(Undeliverable, match="InvalidParameter"):
            sender.send(text_to("+491710000001"))
        with pytest.raises(NotNow, match="Throttling"):
            sender.send(text_to("+491710000002"))
        with pytest.raises(SmsDown, match="SignatureDoesNotMatch"):
            Sns(taken_apart("sns://AKIDEXAMPLE:wrong@eu-central-1"), endpoint=url).send(text_to())
    form = asked[0].form
    assert (form["PhoneNumber"], form["Message"]) == ("+491711234567", "Grüße + 100 %\n\n@a.example #1")
    attributes = {
        form[f"MessageAttributes.entry.{n}.Name"]: form[f"MessageAttributes.entry.{n}.Value.StringValue"]
        for n in (1, 2)
    }
    assert attributes == {"AWS.SNS.SMS.SMSType": "Transactional", "AWS.SNS.SMS.SenderID": "Acme"}


@pytest.mark.parametrize(
    ("template", "sent"),
    [
        ("", {"to": "+491711234567", "text": "a {to} & b", "id": "message-1"}),
        (
            '{"who": ["{to}"], "what": {"body": "{text}"}, "n": 1}',
            {"who": ["+491711234567"], "what": {"body": "a {to} & b"}, "n": 1},
        ),
        ("to={to}&message={text}&key=a%26b", {"to": "+491711234567", "message": "a {to} & b", "key": "a&b"}),
    ],
)
def test_a_gateway_is_sent_what_it_wants(template: str, sent: object) -> None:
    with service(lambda asked: Said(202)) as (url, asked):
        address = url.replace("://", "://t%40ken@") + "/send?account=7" + (f"#{template}" if template else "")
        Gateway(address).send(text_to(text="a {to} & b"))
    (one,) = asked
    assert one.path == "/send?account=7"
    assert one.headers["authorization"] == "Bearer t@ken"
    assert (one.form if "=" in template and "{" != template[0] else json.loads(one.body)) == sent


def test_a_gateway_may_want_a_user_and_a_password() -> None:
    with service(lambda asked: Said(200)) as (url, asked):
        Gateway(url.replace("://", "://ann:pass%2Fword@")).send(text_to())
    assert asked[0].headers["authorization"] == "Basic YW5uOnBhc3Mvd29yZA=="


@pytest.mark.parametrize(
    ("status", "kind"), [(302, NotNow), (400, NotNow), (401, SmsDown), (404, SmsDown), (429, NotNow), (500, SmsDown)]
)
def test_a_gateway_that_does_not_take_it(status: int, kind: type[Exception]) -> None:
    """A redirect is none of ours to follow: who gets the messages is configured."""
    said = Said(status, "+491711234567 482913", {"Location": "/other", "Retry-After": "5"})
    with service(lambda asked: said) as (url, asked), pytest.raises(kind) as caught:
        Gateway(url).send(text_to())
    assert len(asked) == 1
    assert "482913" not in str(caught.value)
    assert "+49" not in str(caught.value)


def test_a_service_that_is_away_or_says_too_much_is_down() -> None:
    with pytest.raises(SmsDown):
        Gateway("http://127.0.0.1:9/", patience=1).send(text_to())
    with service(lambda asked: Said(200, "x" * 100_000)) as (url, _), pytest.raises(SmsDown):
        Gateway(url).send(text_to())


def _late(asked: Asked) -> Said:
    time.sleep(1.5)
    return Said(200)


def test_a_service_that_says_nothing_is_not_waited_for() -> None:
    with service(_late) as (url, _), pytest.raises(Unanswered):
        ask("POST", url, b"", {}, patience=0.3)


def test_apprise_brings_it_to_any_service(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with service(lambda asked: Said(200)) as (url, asked):
        sender = open_sms(f"apprise+{url.replace('http', 'json')}/sms/{{to}}")
        assert sender is not None
        sender.send(text_to())
    (one,) = asked
    assert one.path == "/sms/+491711234567"
    assert json.loads(one.body)["message"] == SAID
    with pytest.raises(NotNow):
        sender.send(text_to())
    assert "482913" not in caplog.text
    assert "1711234567" not in caplog.text


def test_the_terminal_shows_them() -> None:
    shown = io.StringIO()
    ConsoleSms(shown).send(text_to(text="482913\x1b[2J"))
    assert "A text message to +491711234567:" in shown.getvalue()
    assert "\x1b" not in shown.getvalue()
    assert isinstance(open_sms("console:"), ConsoleSms)
    assert open_sms("") is None


@pytest.mark.parametrize(
    ("url", "id"),
    [
        ("twilio://SID:hunter2hunter2@/", "sms.E2"),
        ("twilio://hunter2hunter2@/?from=+1", "sms.E2"),
        ("twilio://SID:hunter2hunter2@/?from=+1&to=+2", "sms.E2"),
        ("vonage://KEY:hunter2hunter2@/", "sms.E2"),
        ("sns://KEY:hunter2hunter2@/", "sms.E2"),
        ("sns://KEY:hunter2/hunter2@eu-central-1", "sms.E2"),
        ("http://hunter2hunter2@sms.example.com/", "sms.E2"),
        ("https://hunter2hunter2@sms.example.com/#to={to}", "sms.E2"),
        ('https://hunter2hunter2@sms.example.com/#{"to": "{to}", "text": "{text}"', "sms.E2"),
        ("apprise+json://hunter2hunter2@localhost/", "sms.E2"),
        ("apprise+nothing://hunter2hunter2@localhost/{to}", "sms.E2"),
        ("carrier-pigeon://hunter2hunter2@loft", "sms.E1"),
    ],
)
def test_an_address_that_can_not_work_is_named_at_start_and_not_shown(url: str, id: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        open_sms(url)
    assert caught.value.id == id
    assert "hunter2" not in str(caught.value)


def test_where_messages_may_go_is_said() -> None:
    given = {"secret": SECRET, "origin": ORIGIN, "sms_url": "console:"}
    with pytest.raises(Misconfigured, match=r"settings\.E8"):
        load_settings(given)
    assert load_settings({**given, "phone_region": "DE"}).texted_regions == ("DE",)
    assert load_settings({**given, "phone_region": "DE", "sms_countries": "AT,CH"}).texted_regions == ("AT", "CH")


def test_no_sender_prints_its_secret() -> None:
    parts = taken_apart(f"twilio://{SID}:hunter2@/?from=+15005550006")
    assert "hunter2" not in repr(parts) + repr(text_to())
    assert "482913" not in repr(text_to())


class Texts(Kept):
    """Keeps text messages as `Kept` does letters."""


def outbox(office: Office, mail: Kept, sms: Sms | Kept | None) -> Outbox:
    return Outbox(office.stores, office.doorward.world.keyring, mail, office.clock, sms=sms)  # type: ignore[arg-type]


def test_a_text_message_leaves_by_its_own_way() -> None:
    office, mail, sms = Office(), Kept(), Texts()
    office.write()
    id = office.leave(TextMessage("+491711234567", "sign_in_code", WORDS))
    assert outbox(office, mail, sms).deliver_once() == Delivered(sent=2)
    (text,) = sms.letters
    assert text == ComposedText(id=id, to="+491711234567", text=SAID)  # type: ignore[comparison-overlap]
    assert mail.recipients == ["ada@example.com"]
    assert office.waiting() == []


def test_mail_that_is_away_holds_no_text_message_back_and_the_other_way_round() -> None:
    office, sms = Office(), Texts()
    office.write()
    office.leave(TextMessage("+491711234567", "sign_in_code", WORDS))
    assert outbox(office, Kept(MailDown("away")), sms).deliver_once() == Delivered(sent=1, postponed=1, down=True)
    assert len(sms.letters) == 1
    office, mail = Office(), Kept()
    for _ in range(2):
        office.leave(TextMessage("+491711234567", "sign_in_code", WORDS))
    office.write()
    assert outbox(office, mail, Texts(SmsDown("away"))).deliver_once() == Delivered(sent=1, postponed=1, down=True)
    assert len(office.waiting()) == 2


def test_the_wait_that_a_service_asks_for_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    office, sms = Office(), Texts(NotNow("429", retry_after=90))
    office.leave(TextMessage("+491711234567", "sign_in_code", WORDS))
    assert outbox(office, Kept(), sms).deliver_once() == Delivered(postponed=1)
    (message,) = office.waiting()
    assert (message.due_at - office.clock()).total_seconds() == 90
    assert "+49 ••• 67" in caplog.text
    assert "1711234567" not in caplog.text


def test_without_a_service_text_messages_stay_where_they_are() -> None:
    office = Office()
    office.leave(TextMessage("+491711234567", "sign_in_code", WORDS))
    assert not outbox(office, Kept(), None).deliver_once()
    assert len(office.waiting()) == 1


GSM = re.compile(r"[A-Za-z0-9 \n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*")


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("template", SHORT)
def test_each_is_one_part_with_the_code_bound_to_our_origin_in_its_last_line(template: str, locale: str) -> None:
    words = WORDS if template != "phone_wanted" else {"service": "Acme"}
    text = compose_text(TextMessage("+491711234567", template, words, locale))
    assert GSM.fullmatch(text), text
    assert len(text) <= 160
    # https://wicg.github.io/sms-one-time-codes/: the last line is `@host #code`.
    assert (text.splitlines()[-1] == "@app.example.com #482913") is ("code" in words)
    assert text.startswith("482913 ") is ("code" in words)

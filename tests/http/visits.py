"""People on the pages of a bare host: they sign up, set up an app, and see every page in every state."""

from __future__ import annotations

from base64 import b32decode
from collections.abc import Iterator
from urllib.parse import urlencode

from doorward.core.call import Call
from doorward.features.roles import add_role
from doorward.primitives import rfc6238
from doorward.server import people
from tests.http.bare import Bare
from tests.http.documents import Document
from tests.http.passkeys import with_passkeys
from tests.scenarios.client import FORM, HTML, Answer, Browser

PASSWORD = "four crows on a fence post"
ADDRESS = "ann@example.com"


def send(browser: Browser, path: str, page: str, /, **typed: str) -> Answer:
    """Fill in the form for `path` on a page and send all of its fields, as a browser does without JavaScript."""
    (form, *_) = [form for form in Document(browser.page(page).text).forms if form.action == f"/auth{path}"]
    fields = {name: value for name, value in form.fields.items() if value} | typed
    headers = {"Content-Type": FORM, **HTML}
    return browser.send("POST", form.action, urlencode(fields).encode(), headers)


def signed_up(host: Bare, name: str = "Ann", address: str = ADDRESS) -> Browser:
    ann = Browser(host)
    asked = send(ann, "/sign-up", "/sign-up", email=address, password=PASSWORD, name=name)
    assert asked.header("location") == "/auth/check-mail", asked.text
    done = send(ann, "/email/verify", "/check-mail", code=host.mail.code())
    assert done.header("location") == "/auth/?done=email.verify", done.text
    return ann


def with_app(host: Bare, ann: Browser) -> rfc6238.TotpKey:
    """Set up an authenticator app by its page."""
    return confirmed(host, ann, ann.follow(send(ann, "/totp/begin", "/totp", name="Work phone")))


def confirmed(host: Bare, ann: Browser, page: Answer) -> rfc6238.TotpKey:
    """Type the code of the key on the page of a set-up."""
    key = shown_key(page)
    done = send(ann, "/totp/confirm", "/totp", code=now_code(host, key))
    assert done.header("location") == "/auth/recovery-codes?done=totp.confirm", done.text
    return key


def now_code(host: Bare, key: rfc6238.TotpKey) -> str:
    return rfc6238.code_at_step(key, rfc6238.step_of(host.clock.now))


def shown_key(page: Answer) -> rfc6238.TotpKey:
    """The key on the page of a set-up."""
    return rfc6238.TotpKey(b32decode(Document(page.text).by_id("key").text.replace(" ", "")))


def _asked_for_another_name(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Two ask for one user name; who proves the address later chooses another."""
    bob, rob = Browser(host), Browser(host)
    bob.post("/sign-up", email="bob@example.com", password=PASSWORD, username="bobby")
    bobs = host.mail.code()
    rob.post("/sign-up", email="rob@example.com", password=PASSWORD, username="bobby")
    assert rob.post("/email/verify", code=host.mail.code()).json["step"] == "done"
    assert bob.post("/email/verify", code=bobs).json["methods"] == ["username"]
    yield "choose a user name", bob.page("/sign-up/username")
    yield "taken name", send(bob, "/sign-up/username", "/sign-up/username", username="bobby")


def _with_two_addresses(host: Bare) -> Iterator[tuple[str, Answer]]:
    """A second address: asked for, confirmed by its link, made the first one, and that undone."""
    ann, new = signed_up(host, address="dora@example.com"), "d@new.example"
    host.clock.forward(seconds=1)
    yield "addresses", ann.page("/email")
    yield "bad address", send(ann, "/email/add", "/email", email="nobody")
    send(ann, "/email/add", "/email", email=new)
    yield "code for an address", ann.page("/check-mail")
    yield "an address that waits", ann.page("/email")
    link = f"/email/verify?token={host.mail.token()}"
    yield "link for who asked", ann.page(link)
    yield "link elsewhere", Browser(host).page(link)
    send(ann, "/email/verify", link)
    yield "two addresses", ann.page("/email?done=email.verify")
    yield "profile, with two addresses", ann.page("/account")
    send(ann, "/email/make-primary", "/email")
    yield "another first", ann.page("/email?done=email.make_primary")
    undo = next(one.words["undo_link"] for one in host.mail.letters[::-1] if one.words.get("undo_link"))
    page = undo.partition("/auth")[2]
    yield "undo", ann.page(page)
    yield "undone", ann.follow(send(ann, "/email/undo", page))
    yield "undo, twice", Browser(host).page(page)
    yield "undo, cut off", Browser(host).page("/email/undo")


def _with_phone(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Somebody adds a number, and a day later signs in by a code that comes to it."""
    fay, by_text = signed_up(host, address="fay@example.com"), "/sign-in/second-step?method=sms"
    with_app(host, fay)
    yield "no number", fay.page("/phone")
    yield "bad number", send(fay, "/phone/add", "/phone", phone="112")
    yield "a number that waits", fay.follow(send(fay, "/phone/add", "/phone", phone="+49 171 1234567"))
    yield "wrong code of a message", send(fay, "/phone/confirm", "/phone", code="000000")
    yield "a number", fay.follow(send(fay, "/phone/confirm", "/phone", code=host.sms.code()))
    yield "security, with a number", fay.page("/security")
    yield "another number", fay.follow(send(fay, "/phone/add", "/phone", phone="+49 172 7654321"))
    host.clock.forward(hours=24)
    send(fay, "/sign-in/password", "/sign-in", identifier="fay@example.com", password=PASSWORD)
    yield "second step by phone", fay.page(by_text)
    yield "code to the phone", fay.follow(send(fay, "/sign-in/sms-code/send", by_text))
    yield "wrong code to the phone", send(fay, "/sign-in/sms-code", "/sign-in/sms-code", code="000000")
    send(fay, "/sign-in/sms-code", "/sign-in/sms-code", code=host.sms.code())
    yield "a number that proves", fay.page("/phone")
    yield "number is removed", fay.follow(send(fay, "/phone/remove", "/phone"))


def _forgetful(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Somebody with an account forgot its password, and comes back by code and by link."""
    ann = Browser(host)
    yield "forgot", ann.page("/password/forgot?return_to=/shelf")
    yield "forgot, no address", send(ann, "/password/forgot", "/password/forgot", email="nobody")
    yield "code and new password", ann.follow(send(ann, "/password/forgot", "/password/forgot", email=ADDRESS))
    wrong = {"code": "000000", "new_password": PASSWORD}
    yield "wrong code of a letter", send(ann, "/password/reset", "/password/reset", **wrong)
    link = f"/password/reset?token={host.mail.token()}"
    yield "link to a new password", Browser(host).page(link)
    yield "short new password", send(Browser(host), "/password/reset", link, new_password="short")
    yield "password is reset", ann.follow(send(ann, "/password/reset", link, new_password=PASSWORD))


def _by_mail(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Somebody with an account signs in by the code of a letter, and by its link."""
    ann = Browser(host)
    yield "ask for a code", ann.page("/sign-in/email-code/send?return_to=/shelf")
    sent = send(ann, "/sign-in/email-code/send", "/sign-in/email-code/send", identifier=ADDRESS)
    yield "code to sign in", ann.follow(sent)
    yield "wrong code to sign in", send(ann, "/sign-in/email-code", "/sign-in/email-code", code="000000")
    yield "ask for a link", ann.page("/sign-in/magic-link/send")
    sent = send(ann, "/sign-in/magic-link/send", "/sign-in/magic-link/send", identifier=ADDRESS)
    yield "link is sent", ann.follow(sent)
    link = f"/sign-in/magic-link?token={host.mail.token()}"
    yield "link to sign in", ann.page(link)
    yield "link to sign in elsewhere", Browser(host).page(link)
    yield "signed in by link", ann.follow(send(ann, "/sign-in/magic-link", link))


def _without_password(host: Bare) -> Iterator[tuple[str, Answer]]:
    yield "/password/set", signed_up(host, address="set@example.com").page("/password/set")


def _invitations(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Somebody who may invites a stranger, and somebody who has an account; one is taken back."""
    ann, list_page, form = signed_up(host, address="host@example.com"), "/invitations", "/invitations/create"
    host.run(lambda call: add_role(call, "editor"))
    give(host, "host@example.com", "host", "doorward.invite")
    yield "no invitations", ann.page(list_page)
    yield "invite", ann.page(form)
    yield "invite nobody", send(ann, form, form, email="nobody", name="Nobody", role="editor")
    yield "invited", ann.follow(send(ann, form, form, email=ADDRESS, role="editor"))
    link = f"/invitations/accept?token={host.mail.token()}"
    yield "invitation of who has an account", Browser(host).page(link)
    send(ann, "/invitations/revoke", list_page)
    send(ann, form, form, email="guest@example.com")
    guest, link = Browser(host), f"/invitations/accept?token={host.mail.token()}"
    yield "invitation", guest.page(link)
    yield "invitation accepted", guest.follow(send(guest, "/invitations/accept", link))
    yield "invitation, cut off", guest.page("/invitations/accept")
    yield "no invitation", guest.page("/invitations/accept?token=AAAA")


def _who_lost_it(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Somebody lost the second factor, and begins to wait; somebody else stops it; an administrator helps."""
    lost = "lou@example.com"
    lou = signed_up(host, address=lost)
    with_app(host, lou)
    send(lou, "/recovery-codes/generate", "/recovery-codes")
    page, guest = "/sign-in/recovery", Browser(host)
    send(guest, "/sign-in/password", "/sign-in", identifier=lost, password=PASSWORD)
    yield "second step, with a way out", guest.page("/sign-in/second-step")
    yield "lost", guest.page(page)
    yield "lost, code", guest.follow(send(guest, "/sign-in/recovery/send", page))
    yield "lost, wrong code", send(guest, "/sign-in/recovery", page, code="000000")
    yield "lost, proved", guest.follow(send(guest, "/sign-in/recovery", page, code=host.mail.code()))
    yield "lost, wrong recovery code", send(guest, "/sign-in/recovery-code", page, code="nonsense")
    yield "lost, begun", send(guest, "/sign-in/recovery/wait", page)
    yield "lost, waits", guest.page(page)
    letter = next(one for one in reversed(host.mail.letters) if one.template == "recovery_begun")
    link = letter.words["cancel_link"].partition("/auth")[2]
    yield from _stopped(host, lou, link)
    yield from _helped(host, lost)


def _stopped(host: Bare, lou: Browser, link: str) -> Iterator[tuple[str, Answer]]:
    yield "security, while somebody waits", lou.page("/security")
    yield "stop it, signed in", lou.page("/recovery/cancel")
    yield "stop it, by the link", Browser(host).page(link)
    stranger = Browser(host)
    yield "stopped", stranger.follow(send(stranger, "/recovery/cancel", link))
    yield "stop it, cut off", Browser(host).page("/recovery/cancel")
    yield "stop it, bad link", Browser(host).page("/recovery/cancel?token=AAAA")


def _helped(host: Bare, lost: str) -> Iterator[tuple[str, Answer]]:
    async def made(call: Call) -> str:
        return (await people.recover(call, lost, mail=False)).link or ""

    link = str(host.run(made)).partition("/auth")[2]
    helped = Browser(host)
    yield "helped", helped.page(link)
    yield "helped, short password", send(helped, "/recovery/assisted", link, new_password="short")
    yield "helped, enrolling", helped.follow(send(helped, "/recovery/assisted", link, new_password=PASSWORD))
    begun = helped.follow(send(helped, "/totp/begin", "/sign-in/set-up"))
    yield "helped, QR code", begun
    done = send(helped, "/totp/confirm", "/sign-in/set-up", code=now_code(host, shown_key(begun)))
    yield "helped, done", helped.follow(done)
    yield "helped, cut off", Browser(host).page("/recovery/assisted")
    yield "helped, bad link", Browser(host).page("/recovery/assisted?token=AAAA")


def give(host: Bare, address: str, role: str, *permissions: str) -> None:
    """Make a role, and give it to who has the address."""

    async def story(call: Call) -> None:
        await add_role(call, role, permissions)
        await people.grant_role(call, address, role)

    host.run(story)


def tour(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Every page in every state that a person can see it in."""
    stranger = Browser(host)
    for path in ("/sign-in", "/sign-up", "/email/verify", "/no-such-page"):
        yield path, stranger.page(path)
    yield "wrong password", send(stranger, "/sign-in/password", "/sign-in", identifier=ADDRESS, password="wrong")
    yield "bad sign-up", send(stranger, "/sign-up", "/sign-up", email="nobody", password=PASSWORD)
    yield "short password", send(stranger, "/sign-up", "/sign-up", email=ADDRESS, password="short")
    yield "bad link", stranger.page("/email/verify?token=AAAA")
    send(stranger, "/sign-up", "/sign-up", email="other@example.com", password=PASSWORD)
    yield "/check-mail", stranger.page("/check-mail")
    owner, link = Browser(host), f"/email/verify?token={host.mail.token()}"
    yield "link", owner.page(link)
    yield "choose a password", owner.follow(send(owner, "/email/verify", link))
    yield from _asked_for_another_name(host)
    yield from _with_two_addresses(host)
    yield from _with_phone(host)
    ann = signed_up(host)
    yield from _forgetful(host)
    yield from _by_mail(host)
    yield from _without_password(host)
    yield from _invitations(host)
    yield from with_passkeys(host)
    yield from _who_lost_it(host)
    send(ann, "/sign-in/password", "/sign-in", identifier=ADDRESS, password=PASSWORD)
    for path in ("/", "/security", "/sessions", "/totp", "/recovery-codes", "/password/change", "/step-up", "/sign-in"):
        yield f"{path}, signed in", ann.page(path)
    yield from _keys(ann)
    for path in ("/account", "/account?done=account.update", "/account/export", "/account/close", "/activity"):
        yield f"{path}, signed in", ann.page(path)
    yield "no such zone", send(ann, "/account/update", "/account", time_zone="Europe/Vulgaria", username="a@b")
    begun = ann.follow(send(ann, "/totp/begin", "/totp", name="Work phone"))
    yield "QR code", begun
    key = confirmed(host, ann, begun)
    yield "app is set up", ann.page("/recovery-codes?done=totp.confirm")
    yield "codes", send(ann, "/recovery-codes/generate", "/recovery-codes")
    device = ann.get("/totp/list").json["items"][0]["id"]
    yield "name of an app", ann.page(f"/totp/rename?id={device}")
    yield "name of no app", ann.page("/totp/rename")
    yield "another name", ann.follow(send(ann, "/totp/rename", f"/totp/rename?id={device}", name="Old phone"))
    yield "security, with all", ann.page("/security")
    again = Browser(host)
    send(again, "/sign-in/password", "/sign-in", identifier=ADDRESS, password=PASSWORD)
    yield "second step", again.page("/sign-in/second-step")
    yield "recovery code", again.page("/sign-in/second-step?method=recovery_code")
    by_code = "/sign-in/second-step?method=recovery_code"
    yield "wrong code", send(again, "/sign-in/recovery-code", by_code, code="nonsense")
    host.clock.forward(minutes=11)
    yield "step-up", ann.page("/step-up?return_to=/auth/totp")
    send(ann, "/step-up", "/step-up", return_to="/auth/totp")
    yield "step-up by password", ann.page("/sign-in/second-step")
    send(ann, "/sign-in/password", "/sign-in/second-step", password=PASSWORD)
    send(ann, "/sign-in/totp", "/sign-in/second-step", code=now_code(host, key))
    wrong = {"current_password": "wrong", "new_password": PASSWORD}
    yield "wrong present password", send(ann, "/password/change", "/password/change", **wrong)
    host.clock.forward(minutes=1)
    yield from _trusting(host, again, key)
    yield "two sessions", ann.page("/sessions")
    yield from _closed(host, again, key)
    yield from _not_me(host)


def _trusting(host: Bare, ann: Browser, key: rfc6238.TotpKey) -> Iterator[tuple[str, Answer]]:
    """A browser in which no second step is to be asked for again, until that is taken back."""
    send(ann, "/sign-in/password", "/sign-in", identifier=ADDRESS, password=PASSWORD)
    send(ann, "/sign-in/totp", "/sign-in/second-step", code=now_code(host, key), trust_device="on")
    yield "a trusted browser", ann.page("/trusted-devices")
    yield "trusted no more", ann.follow(send(ann, "/trusted-devices/end", "/trusted-devices"))


def _keys(ann: Browser) -> Iterator[tuple[str, Answer]]:
    form = "/api-keys/create"
    yield "no keys", ann.page("/api-keys")
    yield "a new key", ann.page(form)
    yield "a scope that is none", send(ann, form, form, name="Report", scopes='orders.read "', expires_in="604800")
    yield "the new key", send(ann, form, form, name="Report", scopes="orders.read orders.write", expires_in="604800")
    yield "keys", ann.page("/api-keys")


def _closed(host: Bare, ann: Browser, key: rfc6238.TotpKey) -> Iterator[tuple[str, Answer]]:
    """The account is closed; there is a way back by the letter, and one by signing in."""
    yield "closed", ann.follow(send(ann, "/account/close", "/account/close"))
    yield "keep it, link cut off", ann.page("/account/undo")
    yield "keep it, by link", ann.page(f"/account/undo?token={host.mail.token()}")
    host.clock.forward(seconds=30)
    send(ann, "/sign-in/password", "/sign-in", identifier=ADDRESS, password=PASSWORD)
    yield "keep it?", ann.follow(send(ann, "/sign-in/totp", "/sign-in/second-step", code=now_code(host, key)))


def _not_me(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Somebody without a session comes by the link in a notice."""
    owner = Browser(host)
    notice = next(letter for letter in reversed(host.mail.letters) if letter.words.get("not_me_link"))
    link = "/not-me?token=" + notice.words["not_me_link"].partition("token=")[2]
    yield "not me, link cut off", owner.page("/not-me")
    yield "not me", owner.page(link)
    yield "it has ended", owner.follow(send(owner, "/not-me", link))


def enrolling(host: Bare) -> Iterator[tuple[str, Answer]]:
    """Where everybody has a second factor, it is set up on the way in."""
    ann = Browser(host)
    send(ann, "/sign-up", "/sign-up", email=ADDRESS, password=PASSWORD)
    yield "set up on the way", ann.follow(send(ann, "/email/verify", "/check-mail", code=host.mail.code()))
    yield "key on the way", ann.follow(send(ann, "/totp/begin", "/sign-in/set-up"))
    yield "wrong code on the way", send(ann, "/totp/confirm", "/sign-in/set-up", code="000000")
    yield "no mail lets in", Browser(host).page("/sign-in/email-code/send")

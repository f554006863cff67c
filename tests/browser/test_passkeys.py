"""Passkeys in real Chromium, with an authenticator that its DevTools protocol lends: what a person does and sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.device import Device, add_passkey
from tests.browser.house import BrowserHouse
from tests.browser.person import ADDRESS, PASSWORD, control, press, sign_in, sign_up

Open = Callable[..., Page]
Axe = Callable[[Page], list[str]]

# What the page tells the browser's passkey manager (Signal API) is written down, and then told.
LISTEN = """
  window.signalled = [];
  for (const name of ["signalAllAcceptedCredentials", "signalUnknownCredential", "signalCurrentUserDetails"]) {
    const real = PublicKeyCredential[name]?.bind(PublicKeyCredential);
    PublicKeyCredential[name] = async (said) => { window.signalled.push([name, said]); return real?.(said); };
  }
"""


def signalled(page: Page, name: str) -> dict[str, Any]:
    """What the browser was told, by the name of the method, once it was told this."""
    for _ in range(50):
        said: dict[str, Any] = dict(page.evaluate("window.signalled"))
        if name in said:
            return said
        page.wait_for_timeout(100)
    raise AssertionError(f"{name} was not called")


def come_back(page: Page, device: Device, house: BrowserHouse) -> None:
    """Open the sign-in page, where the name field offers what the device has, and touch it."""
    page.goto(house.url("/sign-up"))  # nothing is asked of it here
    device.present(True)
    page.goto(house.url("/sign-in"))


def sign_out(page: Page, device: Device) -> None:
    """Autofill signs in at once where somebody touches the device, so nobody does now."""
    device.present(False)
    press(page, "Sign out")


def with_passkey(page: Page, house: BrowserHouse) -> None:
    """An account without a password, from nothing."""
    page.goto(house.url("/sign-up"))
    press(page, "Use a passkey and no password")
    page.get_by_label("E-mail address").fill(ADDRESS)
    press(page, "Continue")
    page.get_by_label("Code from the letter").fill(house.bare.mail.code())
    press(page, "Continue")
    page.wait_for_url(house.url("/sign-in/new-passkey"))
    press(page, "Create a passkey")
    page.wait_for_url(house.url("/passkeys?done=passkeys.register.finish"))


def test_an_account_without_a_password_and_back_by_autofill(open_page: Open, house: BrowserHouse, axe: Axe) -> None:
    page = open_page()
    device = Device(page)
    with_passkey(page, house)
    assert axe(page) == []
    assert len(device.credentials()) == 1
    sign_out(page, device)
    # The name field offers it, and the authenticator is there at once: nobody presses anything.
    come_back(page, device, house)
    page.wait_for_url(house.url("/"))
    page.goto(house.url("/sessions"))
    assert page.locator("main").get_by_text("passkey", exact=True).is_visible()


def test_a_button_signs_in_and_says_when_nothing_was_done(open_page: Open, house: BrowserHouse, axe: Axe) -> None:
    page = open_page()
    device = Device(page)
    sign_up(page, house.url, house.bare.mail.code)
    add_passkey(page, house)
    sign_out(page, device)
    device.say("setUserVerified", isUserVerified=False)
    device.present(True)
    control(page, "Sign in with a passkey").click()
    expect(page.locator("form.passkey [role=status]")).to_have_text("Nothing was done. Try again when you are ready.")
    assert axe(page) == []
    device.say("setUserVerified", isUserVerified=True)
    device.present(True)
    press(page, "Sign in with a passkey")
    page.wait_for_url(house.url("/"))


def test_who_was_sent_to_make_one_comes_to_the_page_wanted(open_page: Open, house: BrowserHouse) -> None:
    """Be it that a fresh proof is asked for when the button is pressed."""
    page = open_page()
    device = Device(page)
    sign_up(page, house.url, house.bare.mail.code)
    house.bare.clock.forward(minutes=11)
    wanted = "/auth/sessions?from=shelf"
    page.goto(house.url(f"/passkeys?{urlencode({'return_to': wanted})}"))
    press(page, "Add a passkey")
    press(page, "Continue")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Continue")
    press(page, "Add a passkey")
    page.wait_for_url(f"{house.origin}{wanted}")
    assert len(device.credentials()) == 1


def test_as_a_second_factor(open_page: Open, house: BrowserHouse, axe: Axe) -> None:
    page = open_page()
    device = Device(page, transport="usb")
    sign_up(page, house.url, house.bare.mail.code)
    add_passkey(page, house, "Add a security key")
    sign_out(page, device)
    sign_in(page, house.url)
    assert page.url == house.url("/sign-in/second-step")
    assert axe(page) == []
    device.present(True)
    press(page, "Use your passkey")
    page.wait_for_url(house.url("/"))


def test_two_passkeys_one_removed_and_the_browser_told(open_page: Open, house: BrowserHouse, axe: Axe) -> None:
    page = open_page()
    page.add_init_script(LISTEN)
    phone = Device(page)
    sign_up(page, house.url, house.bare.mail.code)
    add_passkey(page, house)
    page.locator(".passkey button").first.click()
    expect(page.locator(".passkey [role=status]").first).to_have_text(
        "This device has a passkey of your account already."
    )
    phone.present(False)
    key = Device(page, transport="usb")
    add_passkey(page, house, "Add a security key")
    expect(page.locator(".rows > li")).to_have_count(2)
    page.locator("summary", has_text="Rename").first.click()
    page.get_by_label("Name").first.fill("Key at home")
    press(page, "Rename it")
    assert "Key at home" in page.locator("main").inner_text()
    page.locator("summary", has_text="Remove").first.click()
    assert axe(page) == []
    press(page, "Remove this passkey")
    said = signalled(page, "signalCurrentUserDetails")
    assert len(said["signalAllAcceptedCredentials"]["allAcceptedCredentialIds"]) == 1
    assert said["signalCurrentUserDetails"]["name"] == ADDRESS
    assert len(key.credentials()) + len(phone.credentials()) <= 2
    expect(page.locator(".rows > li")).to_have_count(1)


def test_a_passkey_that_is_gone_is_told_to_the_browser(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    page.add_init_script(LISTEN)
    device = Device(page)
    sign_up(page, house.url, house.bare.mail.code)
    add_passkey(page, house)
    (credential,) = device.credentials()
    page.locator("summary", has_text="Remove").first.click()
    press(page, "Remove this passkey")
    signalled(page, "signalAllAcceptedCredentials")
    sign_out(page, device)
    if not device.credentials():  # this browser heeds the signal: put it back, as one that does not has it still
        device.say("addCredential", credential=credential)
    come_back(page, device, house)
    page.wait_for_url(house.url("/sign-in/passkey/finish"))
    assert signalled(page, "signalUnknownCredential")["signalUnknownCredential"]["credentialId"]
    assert "This passkey is not known here" in page.locator("#problem").inner_text()


def test_a_copied_authenticator_is_refused(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    device = Device(page)
    sign_up(page, house.url, house.bare.mail.code)
    add_passkey(page, house)
    (copied,) = device.credentials()
    for _ in range(2):
        sign_out(page, device)
        come_back(page, device, house)
        page.wait_for_url(house.url("/"))
    sign_out(page, device)
    device.say("clearCredentials")
    device.say("addCredential", credential=copied)
    come_back(page, device, house)
    page.wait_for_selector("#problem")
    assert "This passkey was not accepted." in page.locator("#problem").inner_text()
    assert house.bare.mail.last.template == "passkey_copied"


def test_without_user_verification_nobody_is_in(open_page: Open, house: BrowserHouse) -> None:
    """A page that asks for less than it was told to, as an attacker's would."""
    page = open_page()
    device = Device(page)
    sign_up(page, house.url, house.bare.mail.code)
    add_passkey(page, house)
    sign_out(page, device)
    page.goto(house.url("/sign-up"))
    device.say("setUserVerified", isUserVerified=False)
    device.present(True)
    answer = page.evaluate(
        """async (at) => {
          const post = async (url, body) => (await fetch(url, {
            method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)})).json();
          const { attempt, options } = await post(`${at}/begin`, {});
          options.userVerification = "discouraged";
          const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
          const credential = (await navigator.credentials.get({ publicKey })).toJSON();
          return post(`${at}/finish`, { attempt, credential });
        }""",
        house.url("/sign-in/passkey"),
    )
    assert (answer["status"], answer["reason"]) == (401, "wrong_credentials")


def test_without_javascript_another_way_is_named(open_page: Open, house: BrowserHouse) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(house.url("/sign-in"))
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    page.goto(house.url("/sign-up/passkey"))
    page.get_by_label("E-mail address").fill(ADDRESS)
    press(page, "Continue")
    page.get_by_label("Code from the letter").fill(house.bare.mail.code())
    press(page, "Continue")
    assert "Passkeys need JavaScript" in page.locator("main").inner_text()
    press(page, "Choose a password instead")
    assert page.get_by_label("New password").is_visible()


# Chromium hands a silent request to Google's own manager alone, and to that only without a virtual authenticator: with
# one and no dialogs it leaves it open, with dialogs it answers NotAllowedError (seen with 156). So the authenticator
# takes the manager's part here: it is asked as the page asked, without `mediation`, which is noted.
AS_MANAGER = """
  const real = CredentialsContainer.prototype.create;
  CredentialsContainer.prototype.create = function ({ mediation, ...asked }) {
    window.mediated = [...(window.mediated ?? []), mediation];
    return real.call(this, asked);
  };
"""


def test_after_a_password_a_passkey_is_made_silently(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    page.add_init_script(AS_MANAGER)
    device = Device(page)
    sign_up(page, house.url, house.bare.mail.code)
    sign_out(page, device)
    device.present(True)
    with page.expect_response(house.url("/passkeys/register/finish")) as answered:
        sign_in(page, house.url)
    assert answered.value.status == 200
    assert page.evaluate("window.mediated") == ["conditional"]
    assert house.bare.mail.last.template == "authenticator_added"
    page.reload()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.mediated") is None  # once in a session
    (credential,) = device.credentials()
    assert credential["isResidentCredential"]
    sign_out(page, device)
    come_back(page, device, house)
    page.wait_for_url(house.url("/"))


def test_a_manager_that_makes_no_passkey_is_in_nobodys_way(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    device = Device(page)
    sign_up(page, house.url, house.bare.mail.code)
    sign_out(page, device)
    device.present(True)
    with page.expect_response(house.url("/passkeys/register/begin")) as answered:
        sign_in(page, house.url)
    assert answered.value.status == 200
    page.wait_for_load_state("networkidle")
    assert page.locator("[role=status]:visible").count() == 0
    assert device.credentials() == []
    add_passkey(page, house)
    expect(page.locator(".rows > li")).to_have_count(1)

"""What JavaScript adds to the pages, and that each page is as good as complete where it does not run."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.house import BrowserHouse
from tests.browser.person import ADDRESS, PASSWORD, begin_app, control, press, sign_in, sign_up, tour

Open = Callable[..., Page]


def test_every_page_works_without_javascript(open_page: Open, house: BrowserHouse) -> None:
    page = open_page(java_script_enabled=False)
    seen: list[str] = []

    def look(name: str) -> None:
        seen.append(name)
        # What only a script could do is not there.
        for label in ("Show", "Copy the key", "Print"):
            assert page.get_by_role("button", name=label).count() == 0, (name, label)

    tour(page, house, look)
    assert len(seen) > 25


def test_a_password_can_be_looked_at(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    page.goto(house.url("/sign-in"))
    field = page.locator("#password")
    field.fill(PASSWORD)
    assert field.get_attribute("type") == "password"
    page.get_by_role("button", name="Show: Password").click()
    assert (field.get_attribute("type"), field.input_value()) == ("text", PASSWORD)
    assert page.evaluate("document.activeElement.id") == "password"
    page.get_by_role("button", name="Hide: Password").click()
    assert field.get_attribute("type") == "password"


def test_a_password_that_is_shown_is_sent_hidden(open_page: Open, house: BrowserHouse) -> None:
    """Else browsers offer it again as they offer other text."""
    page = open_page()
    page.goto(house.url("/sign-in"))
    page.evaluate("""document.forms[0].addEventListener('submit', (event) => {
        event.preventDefault(); document.title = document.querySelector('#password').type; })""")
    page.get_by_label("E-mail address or user name").fill("ann@example.com")
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Show: Password").click()
    control(page, "Sign in").click()
    assert page.title() == "password"


def test_the_length_of_a_new_password_is_said_while_one_types(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    page.goto(house.url("/sign-up"))
    meter = page.locator(".meter")
    assert not meter.is_visible()
    page.get_by_label("Password", exact=True).fill("crows 🐦")
    assert meter.inner_text() == "7 of 15 characters"
    with page.expect_response("**/password/check"):
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        assert meter.inner_text() == "26 characters: long enough"
    assert meter.locator("p").get_attribute("aria-live") == "polite"


def test_what_a_new_password_is_worth_is_said_while_one_types(
    open_page: Open, house: BrowserHouse, axe: Callable[[Page], list[str]]
) -> None:
    page = open_page()
    page.goto(house.url("/sign-up"))
    page.get_by_label("E-mail address").fill(ADDRESS)
    field, meter = page.get_by_label("Password", exact=True), page.locator(".meter")
    for typed, said, full in (
        (PASSWORD, "Very hard to guess.", 4),
        ("passwordpassword", "Attackers try this password first. Choose another one.", 0),
        (ADDRESS, "This is too close to your name, your address or this service.", 0),
        ("summer summer summer", "Could be harder to guess. What repeats adds little.", 2),
    ):
        field.fill("")
        field.press_sequentially(typed)
        meter.get_by_text(said, exact=True).wait_for()
        assert meter.locator(".full:visible").count() == full
        assert axe(page) == []
    # Asked when one stops for a moment, not for every key; nothing is asked of what is too short.
    assert len(house.posts) < 12


def test_a_check_that_fails_leaves_the_length_and_the_form(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    page.route("**/password/check", lambda route: route.fulfill(status=429, body="{}"))
    sign_up(page, house.url, house.bare.mail.code)
    page.goto(house.url("/password/change"))
    with page.expect_response("**/password/check"):
        page.get_by_label("New password", exact=True).fill(PASSWORD)
    assert page.locator(".meter").inner_text() == "26 characters: long enough"


def test_the_key_is_copied_without_its_gaps(open_page: Open, house: BrowserHouse) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    sign_up(page, house.url, house.bare.mail.code)
    secret = begin_app(page, house.url)
    control(page, "Copy the key").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == secret.replace(" ", "")


def test_recovery_codes_are_copied_each_on_a_line_of_its_own(open_page: Open, house: BrowserHouse) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    sign_up(page, house.url, house.bare.mail.code)
    page.goto(house.url("/recovery-codes"))
    press(page, "Make ten codes")
    codes = page.locator(".codes code").all_inner_texts()
    control(page, "Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").split("\n") == codes
    assert len(codes) == 10


def test_a_code_may_be_pasted_with_gaps(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    sign_up(page, house.url, lambda: f" {house.bare.mail.code()[:3]} {house.bare.mail.code()[3:]} ")
    assert page.url == house.url("/?done=email.verify")


def test_a_form_is_sent_once(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    sign_up(page, house.url, house.bare.mail.code)
    page.goto(house.url("/recovery-codes"))
    before = len(house.posts)
    page.evaluate("""() => { const button = document.querySelector('main form button');
        button.click(); button.click(); button.click(); }""")
    page.wait_for_selector(".codes")
    assert house.posts[before:] == ["/auth/recovery-codes/generate"]


def test_a_form_can_be_sent_again_after_going_back(open_page: Open, house: BrowserHouse) -> None:
    page = open_page()
    sign_in(page, house.url, "ann@example.com")
    page.wait_for_selector("#problem")
    page.go_back()
    page.get_by_label("E-mail address or user name").fill("ann@example.com")
    page.get_by_label("Password", exact=True).fill("something else")
    press(page, "Sign in")
    page.wait_for_selector("#problem")
    forms = [path for path in house.posts if path != "/auth/sign-in/passkey/begin"]  # which autofill asks, and no form
    assert forms == ["/auth/sign-in/password"] * 2


def test_times_are_those_of_the_reader(open_page: Open, house: BrowserHouse) -> None:
    page = open_page(timezone_id="Pacific/Auckland", locale="en-GB")
    sign_up(page, house.url, house.bare.mail.code)
    page.goto(house.url("/sessions"))
    assert "24 November 2026 at 01:00" in page.locator(".rows").inner_text()


def test_times_without_a_script_are_utc(open_page: Open, house: BrowserHouse) -> None:
    page = open_page(timezone_id="Pacific/Auckland", java_script_enabled=False)
    sign_up(page, house.url, house.bare.mail.code)
    page.goto(house.url("/sessions"))
    assert "23 November 2026, 12:00 UTC" in page.locator(".rows").inner_text()


def test_text_from_strangers_stays_text(open_page: Open, house: BrowserHouse) -> None:
    """In a real browser too: no script of theirs runs, and the content policy is never even asked."""
    hostile = "\"><script>document.title='mine'</script><img src=x onerror=\"document.title='mine'\">"
    page = open_page(user_agent=hostile)
    page.goto(house.url("/sign-up"))
    page.get_by_label("Your name").fill(hostile)
    page.get_by_label("E-mail address").fill("mallory@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Continue")
    page.get_by_label("Code from the letter").fill(house.bare.mail.code())
    press(page, "Continue")
    page.wait_for_url(house.url("/?done=email.verify"))
    assert hostile in page.locator("main").inner_text()
    assert page.title() == "Your account · Doorward"


def test_the_content_policy_stops_what_is_inline(page: Page, house: BrowserHouse) -> None:
    """That nothing complains on our pages means something: here is what would."""
    page.goto(house.url("/sign-in"))
    ran = page.evaluate("""async () => {
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        const stopped = new Promise((resolve) =>
            addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective)));
        document.body.append(script);
        return [await stopped, window.ran ?? false];
    }""")
    assert ran == ["script-src-elem", False]

"""Origins have one spelling, and nobody is sent to a place that only looks like ours."""

import json
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward.primitives.urls import Origin, return_target

VECTORS = json.loads((Path(__file__).parent / "vectors" / "redirects.json").read_text())
APP = Origin.parse("https://app.test")
OTHER = Origin.parse("https://other.test:8443")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://app.example.com:80", "http://app.example.com"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://[0:0::0:1]", "https://[::1]"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(text: str, written: str) -> None:
    origin = Origin.parse(text)
    assert str(origin) == written
    assert Origin.parse(written) == origin
    assert origin.matches(written)
    assert origin.netloc == urlsplit(written).netloc


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "app.example.com",
            "//app.example.com",
            "ftp://app.example.com",
            "https://",
            "https:///",
            "https:app.test",
        ),
        *("https://app.example.com/", "https://app.example.com/x", "https://app.test?x", "https://app.test#x"),
        *(
            "https://u@app.test",
            "https://u:p@app.test",
            "https://*.app.test",
            "https://app.test:",
            "https://app.test:0",
        ),
        *(
            "https://app.test:65536",
            "https://app.test:٤٤٣",
            "https://app.test:+443",
            "https://app.test.",
            "https://.test",
        ),
        *(
            "https://a..b",
            "https://-a.test",
            "https://a_b.test",
            "https://bücher.example",
            "https://\u212a.test",
            "https://app.test\n",
        ),
        *(" https://app.test", "https://app .test", "https://app%2etest", "https://2130706433", "https://0x7f000001"),
        *(
            "https://127.1",
            "https://1.2.3.4.5",
            "https://256.1.1.1",
            "https://[::1",
            "https://[::g]",
            "https://[::1%25eth0]",
        ),
        *(
            "https://[127.0.0.1]",
            "https://\ud800.test",
            "https://a.test,https://b.test",
            "null",
            f"https://{'a.' * 127}test",
        ),
    ],
)
def test_what_is_no_origin_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match=r"https://app\.example\.com"):
        Origin.parse(text)


@pytest.mark.parametrize(
    "header",
    [
        *("", "null", "https://app.test/", "https://APP.test", "http://app.test", "https://app.test:443"),
        *("https://app.test.evil.test", "https://evil.test", " https://app.test", "https://app.test https://evil.test"),
        "https://app.test\0",
    ],
)
def test_another_origin_header_does_not_match(header: str) -> None:
    assert not APP.matches(header)


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("http://localhost", True),
        ("http://a.localhost:1", True),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9:8000", True),
        ("http://[::1]:8000", True),
        ("http://localhost.example", False),
        ("http://notlocalhost", False),
        ("http://127.0.0.1.example", False),
        ("http://128.0.0.1", False),
        ("http://0.0.0.0", False),
        ("http://[::2]", False),
    ],
)
def test_loopback(text: str, loopback: bool) -> None:
    assert Origin.parse(text).is_loopback is loopback
    assert not Origin.parse(text).is_secure


def test_https_is_secure() -> None:
    assert APP.is_secure


@pytest.mark.parametrize("value", VECTORS["bad"])
def test_targets_elsewhere_are_refused(value: str) -> None:
    assert return_target(value, origin=APP) is None
    assert return_target(value, origin=APP, return_origins=[OTHER]) is None


@pytest.mark.parametrize("value", VECTORS["good"])
def test_paths_of_ours_are_kept(value: str) -> None:
    assert return_target(value, origin=APP) == value


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("/", "/"),
        ("/café?q=a b#ü", "/caf%C3%A9?q=a%20b#%C3%BC"),
        ("/a?next=//b&c=..", "/a?next=//b&c=.."),
        ("/.well-known/x", "/.well-known/x"),
        ("/a...b/..c", "/a...b/..c"),
        ("https://app.test", "https://app.test"),
        ("https://app.test/x?y", "https://app.test/x?y"),
        ("https://APP.test:443/x", "https://app.test/x"),
        ("https://app.test?x", "https://app.test?x"),
        ("https://other.test:8443/in", "https://other.test:8443/in"),
    ],
)
def test_targets_that_are_allowed(value: str, target: str) -> None:
    assert return_target(value, origin=APP, return_origins=[OTHER]) == target


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " ",
            "account",
            "//",
            "/\\x",
            "\\",
            "/a\\b",
            "/a//b",
            "/a/../b",
            "/./a",
            "/..",
            "/%2e%2e/a",
            "/.%2E/a",
            "/a/..",
        ),
        *(
            "/%2fevil.test",
            "/%252f%252fevil.test",
            "/%5cevil.test",
            "/%255cevil.test",
            "/a%00",
            "/a?x=%0d%0ay",
            "/a\u2028b",
        ),
        *("/\ud800", "/a\x7fb", "/\u202ea", "/a ", " /a", "/\u00a0/x", "/..;/x", "/a/..;b=c/d", "/%25252525252e%252e/"),
        *("https://other.test/in", "https://other.test:8444/", "http://other.test:8443/", "https://u@other.test:8443/"),
        *(
            "https://other.test:8443\\@evil.test",
            "https://other.test:8443.evil.test/",
            "https://evil.test/https://app.test/",
        ),
        *(
            "https://app.test//evil.test",
            "https://app.test/../x",
            "https://app.test:443@evil.test/",
            "https:app.test/x",
        ),
        *("javascript:alert(1)", "data:text/html,x", "/" + "a" * 2048, "blob:https://app.test/x", "https://"),
    ],
)
def test_targets_that_are_refused(value: str) -> None:
    assert return_target(value, origin=APP, return_origins=[OTHER]) is None


@pytest.mark.parametrize("value", [None, 1, True, b"/x", ["/x"], {"path": "/x"}])
def test_what_is_not_text_is_no_target(value: object) -> None:
    assert return_target(value, origin=APP) is None


TRICKS = st.sampled_from(
    [*"/\\.@:?#%;&= \t\n\r\0", "..", "//", "%2f", "%5c", "evil.test", "app.test", "https:", "é", "\ud800"]
)


@given(st.lists(TRICKS, max_size=12).map("".join))
@example("https://app.test/\\evil.test")
def test_no_mixture_of_tricks_leads_away(value: str) -> None:
    target = return_target(value, origin=APP)
    if target is not None:
        assert target.isascii()
        assert target.isprintable()
        assert urlsplit(urljoin(f"{APP}/auth/sign-in", target))[:2] == ("https", "app.test")
        assert return_target(target, origin=APP) == target
        assert not target.removeprefix(str(APP)).startswith("//")

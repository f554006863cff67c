"""Bodies, forms and queries are read in one way, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.refusals import Refused
from doorward.http import bodies
from doorward.http.messages import MAX_BODY, Headers, Request


def request(body: bytes = b"", *kinds: str, query: str = "") -> Request:
    headers = Headers(("Content-Type", kind) for kind in kinds)
    return Request("POST", "/auth/x", query, headers, body)


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("application/json", bodies.JSON),
        ("Application/JSON", bodies.JSON),
        ("application/json; charset=utf-8", bodies.JSON),
        ("application/json;", bodies.JSON),
        ('application/json;charset="UTF-8"', bodies.JSON),
        ("application/x-www-form-urlencoded", bodies.FORM),
        ("application/x-www-form-urlencoded; charset=UTF-8", bodies.FORM),
    ],
)
def test_two_types_are_known(kind: str, read: str) -> None:
    assert bodies.content_type(request(b"x", kind)) == read


@pytest.mark.parametrize(
    "kinds",
    [
        ("text/plain",),
        ("application/json; charset=latin-1",),
        ("application/json; charset=utf-8; x=y",),
        ("application/json\x00",),
        ("",),
        ("application/json", "application/json"),
        (),
    ],
)
def test_all_others_are_refused(kinds: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="unsupported_type"):
        bodies.content_type(request(b"{}", *kinds))


def test_nothing_sent_is_no_type() -> None:
    assert bodies.content_type(request()) == ""
    assert bodies.read_json(b"") == {}


def test_the_size_is_bounded() -> None:
    bodies.check_size(request(b"x" * MAX_BODY))
    with pytest.raises(Refused, match="too_large"):
        bodies.check_size(request(b"x" * (MAX_BODY + 1)))


@pytest.mark.parametrize(
    "body",
    [
        b"a=1&a=2",
        b"a=%ff",
        b"a",
        "a=é".encode(),
        b"=&=",
        b"&".join(b"f%d=" % n for n in range(bodies.MAX_FIELDS + 1)),
    ],
)
def test_forms_that_are_not_well_formed(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        bodies.read_form(body)
    assert refused.value.reason == "invalid_input"
    assert len(refused.value.errors) == 1


def test_forms_are_decoded_once() -> None:
    assert bodies.read_form(b"a=%2525+b&c=%C3%A9&d=") == {"a": "%25 b", "c": "é", "d": ""}


def test_a_field_is_named_as_it_may_be_shown() -> None:
    with pytest.raises(Refused) as refused:
        bodies.read_query(request(query="%E2%80%AEx" + "y" * 100 + "=1&%E2%80%AEx" + "y" * 100 + "=2"))
    (error,) = refused.value.errors
    assert error.field.startswith("\\u202exy")
    assert error.reason == "duplicate"
    assert len(error.field) <= 70


@given(st.binary(max_size=200))
def test_no_bytes_break_the_readers(body: bytes) -> None:
    for read in (bodies.read_json, bodies.read_form):
        assert isinstance(outcome(lambda read=read: read(body)), dict | str)


@given(st.text(max_size=100))
def test_no_query_breaks_the_reader(query: str) -> None:
    found = outcome(lambda: bodies.read_query(request(query=query)))
    assert found == "invalid_input" or all(isinstance(value, str) for value in found.values())


def outcome(read: Callable[[], Any]) -> Any:
    """What was read, or the reason for which nothing was."""
    try:
        return read()
    except Refused as refused:
        return refused.reason

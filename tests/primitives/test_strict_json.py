"""JSON with one reading: what parsers disagree about is refused, in linear time."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.primitives.strict_json import parse

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(st.characters(exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('abc\\[{"', max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN, st.booleans())
def test_plain_json_is_read(value: object, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode(), depth=99) == value


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b" ", b"{", b"}", b'{"a":1,}', b"[1,]", b"{'a':1}", b'{"a":1}x', b"\\"),
        *(b"01", b"+1", b".5", b"1.", b"0x10"),
        *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"nul", b"None", b"// x\n1", b'"\t"', b'"\\x41"'),
        *(b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'[{"a":{"b":1,"b":1}}]'),
        *(b"\xef\xbb\xbf1", "1".encode("utf-16"), "{}".encode("utf-32"), b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"'),
        *(b'"\\u0000"', b'{"\\u0000":1}', b'"\\\\\\u0000"', b'"\0"', b"1\0"),
        *(b'"\\ud800"', b'"\\udc00\\ud800"', b'{"\\ud800":1}'),
        b"1" * 5000,
    ],
)
def test_what_has_two_readings_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\u00e9\\ud83d\\ude00"', "é😀"),
        (b' {"a" : [1, 2.5, -0, true, null]}\r\n', {"a": [1, 2.5, 0, True, None]}),
        (b'"[[[[[[[[[[[[[[[[[["', "[" * 18),
        (b'{"\\"[{":"\\\\"}', {'"[{': "\\"}),
    ],
)
def test_what_only_looks_bad_is_read(raw: bytes, value: object) -> None:
    assert parse(raw) == value


def test_depth_is_bounded() -> None:
    assert parse(b"[" * 8 + b"]" * 8) == [[[[[[[[]]]]]]]]
    assert parse(b'{"a":' * 8 + b"1" + b"}" * 8)
    assert parse(b"[[],[],[],[],[],[],[],[],[]]") == [[]] * 9
    for raw in (b"[" * 9 + b"]" * 9, b'{"a":[' * 5 + b"]}" * 5, b'["]",' + b"[" * 8 + b"]" * 8 + b"]"):
        with pytest.raises(ValueError, match="deeper than 8"):
            parse(raw)
    with pytest.raises(ValueError, match="deeper than 2"):
        parse(b"[[[]]]", depth=2)


@pytest.mark.parametrize(
    "raw", [b"[" * 65_536, b'{"a":' * 13_000, b'"' + b"\\" * 65_535, b'["' * 32_768, b'"\\"' * 20_000]
)
def test_hostile_input_of_64_kib_is_refused_at_once(raw: bytes) -> None:
    began = time.perf_counter()
    with pytest.raises(ValueError):
        parse(raw)
    assert time.perf_counter() - began < 0.5

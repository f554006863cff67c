"""AWS Signature Version 4, as Amazon has published it."""

from datetime import UTC, datetime

import pytest

from doorward.primitives.sigv4 import AwsKey, signed_headers

# The key and moment of the AWS SigV4 test suite, and of the example in the AWS general reference.
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("service", "method", "url", "kind", "body", "signature"),
    [
        (
            "service",
            "GET",
            "https://example.amazonaws.com/",
            "",
            b"",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "service",
            "GET",
            "https://example.amazonaws.com/?Param2=value2&Param1=value1",
            "",
            b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "service",
            "POST",
            "https://example.amazonaws.com/",
            FORM,
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            "iam",
            "GET",
            "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            f"{FORM}; charset=utf-8",
            b"",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
    ],
)
def test_signatures_are_those_that_amazon_has_published(
    service: str, method: str, url: str, kind: str, body: bytes, signature: str
) -> None:
    key = AwsKey("AKIDEXAMPLE", SECRET, "us-east-1", service)
    headers = {"Content-Type": kind} if kind else {}
    said = signed_headers(key, method, url, headers, body, now=NOW)["Authorization"]
    assert said.endswith(f"Signature={signature}"), said
    assert said.startswith(f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, ")


def test_a_key_does_not_print_its_secret() -> None:
    assert SECRET not in repr(AwsKey("AKIDEXAMPLE", SECRET, "us-east-1", "sns"))

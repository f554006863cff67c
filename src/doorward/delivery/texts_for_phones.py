"""The text messages we send, each written once."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.locale import _

# Text messages. Plain letters (GSM 03.38) and short, so that each is one part and costs once; no link, so that people
# learn to follow none.
SHORT: Mapping[str, str] = {
    "sign_in_code": _("{code} is your code for {service}, good for {minutes} minutes. Give it to no one."),
    "verify_phone": _("{code} is the code that adds this number at {service}. It is good for {minutes} minutes."),
    "phone_wanted": _(
        "Somebody wants to add this number to an account at {service}, but another one has it. "
        "Was it you? Remove it there."
    ),
}

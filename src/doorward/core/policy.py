"""What an installation demands of everybody: second factors, lengths, lives and limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum


class SecondFactor(IntEnum):
    """What may be demanded of a user beside the first proof, the strictest last."""

    OPTIONAL = 0
    REQUIRED = 1
    PHISHING_RESISTANT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the installation demands. Lengths in code points, times as timedelta.

    `standard` is section 7 of the design: NIST SP 800-63B-4 §3.1.1.2 (15 alone, 8 with an enforced second factor).
    """

    second_factor_required: bool = False
    phishing_resistant_required: bool = False
    second_factor_grace: timedelta = timedelta(0)
    trusted_device_life: timedelta = timedelta(days=30)
    sign_in_by_mail: bool = True
    sms_codes: bool = True
    sms_alone: bool = False
    sms_settling: timedelta = timedelta(hours=24)
    password_min_alone: int = 15
    password_min_with_second_factor: int = 8
    session_absolute: timedelta = timedelta(days=30)
    session_idle: timedelta = timedelta(days=14)
    browser_session: timedelta = timedelta(hours=24)
    aal2_absolute: timedelta = timedelta(hours=24)
    aal2_idle: timedelta = timedelta(hours=1)
    lowest_aal: int = 1
    attempt_life: timedelta = timedelta(minutes=10)
    sign_up_life: timedelta = timedelta(hours=24)
    invitation_life: timedelta = timedelta(days=7)
    reset_life: timedelta = timedelta(minutes=30)
    code_life: timedelta = timedelta(minutes=10)
    code_tries: int = 5
    fresh_within: timedelta = timedelta(minutes=10)
    recovery_wait: timedelta = timedelta(hours=72)
    close_grace: timedelta = timedelta(days=14)
    audit_life: timedelta = timedelta(days=400)
    access_token_life: timedelta = timedelta(minutes=5)
    api_key_life: timedelta = timedelta(days=366)
    refresh_grace: timedelta = timedelta(seconds=30)
    tries_per_identifier: int = 20
    tries_per_network: int = 1000
    letters_per_day: int = 20
    texts_per_number: int = 10
    texts_per_range: int = 50
    texts_per_country: int = 1000
    texts_per_day: int = 2000
    invitations_per_day: int = 100
    tries_window: timedelta = timedelta(minutes=5)

    @classmethod
    def standard(cls) -> Policy:
        return cls()

    @classmethod
    def strict(cls) -> Policy:
        """AAL2 everywhere: NIST SP 800-63B-4 §2.2.3 (12 h absolute, 1 h idle)."""
        return cls(
            second_factor_required=True,
            trusted_device_life=timedelta(0),
            sign_in_by_mail=False,
            sms_codes=False,
            session_absolute=timedelta(hours=12),
            session_idle=timedelta(hours=1),
            browser_session=timedelta(hours=12),
            aal2_absolute=timedelta(hours=12),
            lowest_aal=2,
            recovery_wait=timedelta(0),
            api_key_life=timedelta(days=90),
        )

    @property
    def second_factor(self) -> SecondFactor:
        """What is demanded of everybody, be it after a grace."""
        if self.phishing_resistant_required:
            return SecondFactor.PHISHING_RESISTANT
        return SecondFactor.REQUIRED if self.second_factor_required else SecondFactor.OPTIONAL

    @property
    def password_min(self) -> int:
        # Rule 17: 8 suffice only where the *installation* enforces a second factor for everybody, and now.
        enforced = self.second_factor is not SecondFactor.OPTIONAL and not self.second_factor_grace
        return self.password_min_with_second_factor if enforced else self.password_min_alone

"""Features by name, for who does not want to choose: the one library file that knows them all."""

from __future__ import annotations

from doorward.core.feature import Feature
from doorward.features.access_tokens import AccessTokens
from doorward.features.account import OwnAccount
from doorward.features.api_keys import ApiKeys
from doorward.features.assisted_recovery import AssistedRecovery
from doorward.features.audit import Audit
from doorward.features.change_email import ChangeEmail
from doorward.features.dpop import Dpop
from doorward.features.email_code import EmailCode
from doorward.features.forward_auth import ForwardAuth
from doorward.features.introspection import Introspection
from doorward.features.invitations import Invitations
from doorward.features.magic_link import MagicLink
from doorward.features.notices import Notices
from doorward.features.passkeys import Passkeys
from doorward.features.password import Password
from doorward.features.password_check import PasswordCheck
from doorward.features.password_hashes import PasswordHashes
from doorward.features.password_rules import PasswordRules
from doorward.features.phone_numbers import PhoneNumbers
from doorward.features.recovery import LostFactor
from doorward.features.recovery_codes import Recovery
from doorward.features.refresh_tokens import RefreshTokens
from doorward.features.reset_password import ResetPassword
from doorward.features.roles import Roles
from doorward.features.sessions import SessionList
from doorward.features.sign_out import SignOut
from doorward.features.sign_up import SignUp
from doorward.features.sms_code import SmsCode
from doorward.features.step_up import StepUp
from doorward.features.totp import Totp
from doorward.features.trusted_device import TrustedDevices
from doorward.features.verify_email import VerifyEmail


def standard() -> tuple[Feature, ...]:
    """What `Auth(app, …)` switches on when no features are given."""
    return (
        SignUp(),
        VerifyEmail(),
        ChangeEmail(),
        PasswordRules(),
        PasswordCheck(),
        PasswordHashes(),
        Password(),
        ResetPassword(),
        EmailCode(),
        MagicLink(),
        Passkeys(),
        Totp(),
        PhoneNumbers(),
        SmsCode(),
        Recovery(),
        TrustedDevices(),
        LostFactor(),
        AssistedRecovery(),
        StepUp(),
        SessionList(),
        OwnAccount(),
        SignOut(),
        Notices(),
        AccessTokens(),
        RefreshTokens(),
        Introspection(),
        ApiKeys(),
        Roles(),
        Invitations(),
        ForwardAuth(),
        Dpop(),
        Audit(),
    )

"""The tables of Doorward as Django models: one for each record class, with the same table and column names.

They are for migrations and for the admin; only `store.py` writes to them. A record class finds its model by the name of
its table, so a feature of your own brings a model of its own, made the same way.
"""

from __future__ import annotations

from django.db import models

from doorward.django.audit_models import AuditEntry, AuditKey
from doorward.django.columns import flag, moment, number, text
from doorward.django.policy_models import FactorDemand, FactorGrace, TrustedDevice

__all__ = ["AuditEntry", "AuditKey", "FactorDemand", "FactorGrace", "TrustedDevice"]


class Account(models.Model):
    """What Doorward knows of a user beside AUTH_USER_MODEL."""

    user_id = text(64, primary_key=True)
    auth_epoch = text(64)
    version = number(default=1)
    kind = text(16, default="person")
    username_key = text(unique=True, null=True)
    signed_up_as = text(64, default="")
    address_exempt = flag()
    locale = text(35, default="")
    time_zone = text(64, default="")
    closes_at = moment(db_index=True, null=True)
    created_at = moment()

    class Meta:
        db_table = "doorward_account"


class EmailAddress(models.Model):
    """An address of a user; unique where verified."""

    id = text(64, primary_key=True)
    user_id = text(64, db_index=True)
    address = text(320)
    canonical = text(320, db_index=True)
    canonical_version = number(default=1)
    verified_key = text(320, unique=True, null=True)
    verified_at = moment(null=True)
    is_primary = flag()
    created_at = moment()

    class Meta:
        db_table = "doorward_email_address"


class PhoneNumber(models.Model):
    """A phone number of a user; unique where somebody vouches for it."""

    id = text(64, primary_key=True)
    user_id = text(64, db_index=True)
    number = text(16)
    verified_key = text(16, unique=True, null=True)
    verified_at = moment(null=True)
    created_at = moment()

    class Meta:
        db_table = "doorward_phone_number"


class Authenticator(models.Model):
    """Something enrolled that can prove who one is."""

    id = text(64, primary_key=True)
    user_id = text(64, db_index=True)
    kind = text(32)
    handle = text(unique=True, null=True)
    name = text(default="")
    data = text(0, default="")
    failures = number(default=0)
    known_failures = number(default=0)
    guard = number(default=0)
    disabled_at = moment(null=True)
    last_used_at = moment(null=True)
    created_at = moment()

    class Meta:
        db_table = "doorward_authenticator"


class OutboxMessage(models.Model):
    """A letter on its way, sealed."""

    id = text(64, primary_key=True)
    kind = text(32)
    body = text(0)
    tries = number(default=0)
    due_at = moment(db_index=True)
    expires_at = moment()
    created_at = moment()

    class Meta:
        db_table = "doorward_outbox"


class Attempt(models.Model):
    """A sign-in under way."""

    digest = text(primary_key=True)
    user_id = text(64, db_index=True, default="")
    purpose = text(16)
    subject = text(64, default="")
    proofs = text(0, default="[]")
    auth_epoch = text(64, default="")
    host_digest = text(default="")
    code = text(default="")
    code_tries = number(default=0)
    code_expires_at = moment(null=True)
    to = text(320, default="")
    issue = text(16, default="session")
    remember = flag()
    return_to = text(2048, default="")
    browser = flag()
    jkt = text(64, default="")
    max_age = number(default=0)
    acr = text(16, default="")
    trust_device = flag()
    network = text(64, db_index=True)
    guard = number(default=0)
    created_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_attempt"


class Session(models.Model):
    """Somebody is in. To delete a row is to end the session at once."""

    id = text(64, primary_key=True)
    digest = text(unique=True)
    user_id = text(64, db_index=True)
    proofs = text(0)
    auth_epoch = text(64)
    host_digest = text()
    kind = text(16, default="session")
    remember = flag()
    jkt = text(64, default="")
    lapsed_at = moment(null=True)
    enroll_by = moment(null=True)
    user_agent = text(400, default="")
    ip = text(64, default="")
    created_at = moment()
    last_seen_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_session"

    def __str__(self) -> str:
        return f"session of user {self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"


class HostPass(models.Model):
    """What leads from a protected host to a session: a code on its way there, then the cookie of that host."""

    digest = text(primary_key=True)
    kind = text(16)
    host = text(300)
    session_id = text(64, db_index=True)
    user_id = text(64, db_index=True)
    created_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_host_pass"

    def __str__(self) -> str:
        return f"{self.kind} of user {self.user_id} at {self.host}"


class MailedLink(models.Model):
    """A link in a letter, that is good once."""

    digest = text(primary_key=True)
    purpose = text(32)
    user_id = text(64, db_index=True, default="")
    subject = text(320, default="")
    auth_epoch = text(64, default="")
    created_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_mailed_link"


class FormerUsername(models.Model):
    """A user name that was given up, and that nobody else gets yet."""

    key = text(primary_key=True)
    user_id = text(64, db_index=True)
    created_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_former_username"


class PendingSignUp(models.Model):
    """What somebody asked for before proving the address."""

    id = text(64, primary_key=True)
    canonical = text(320, db_index=True)
    address = text(320)
    name = text(default="")
    username = text(default="")
    password = text(0)
    role = text(64, default="")
    invitation = text(64, default="")
    link = text(unique=True)
    created_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_pending_sign_up"


class TotpEnrolment(models.Model):
    """A TOTP secret that was shown and is not confirmed yet."""

    id = text(64, primary_key=True)
    holder = text(unique=True)
    user_id = text(64, db_index=True)
    secret = text(0)
    name = text(default="")
    tries = number(default=0)
    created_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_totp_enrolment"


class RecoveryCode(models.Model):
    """One unused recovery code, as a digest."""

    digest = text(primary_key=True)
    user_id = text(64, db_index=True)
    created_at = moment()

    class Meta:
        db_table = "doorward_recovery_code"


class TokenKey(models.Model):
    """A key that signs access tokens, sealed."""

    kid = text(64, primary_key=True)
    slot = text(64, unique=True)
    algorithm = text(16)
    jwk = text(0)
    created_at = moment()
    expires_at = moment(null=True, db_index=True)
    signs_from = moment(null=True)

    class Meta:
        db_table = "doorward_token_key"


class RefreshFamily(models.Model):
    """All refresh tokens of one sign-in, as digests."""

    id = text(64, primary_key=True)
    session_id = text(64, unique=True)
    user_id = text(64, db_index=True)
    key_id = text(64)
    digest = text()
    parent = text(default="")
    generation = number(default=0)
    rotated_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_refresh_family"


class ApiKey(models.Model):
    """A key for programs, as a digest. To delete a row is to end the key."""

    id = text(64, primary_key=True)
    digest = text(unique=True)
    user_id = text(64, db_index=True)
    name = text()
    prefix = text(16)
    scopes = text(0)
    created_at = moment()
    last_seen_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_api_key"


class Role(models.Model):
    """A role of Doorward's own. In Django, roles are groups: nothing writes here."""

    name = text(64, primary_key=True)
    permissions = text(0, default="")
    version = number(default=1)

    class Meta:
        db_table = "doorward_role"
        # Django's permissions `doorward.roles` and `doorward.recover`, to be given to groups of this project.
        permissions = (("roles", "Can give and take roles"), ("recover", "Can help who lost a way to sign in"))


class UserRole(models.Model):
    """Who has a role of Doorward's own. In Django, roles are groups: nothing writes here."""

    id = text(64, primary_key=True)
    user_id = text(64, db_index=True)
    role = text(64, db_index=True)
    created_at = moment()

    class Meta:
        db_table = "doorward_user_role"


class Invitation(models.Model):
    """Somebody may come in, once."""

    id = text(64, primary_key=True)
    digest = text(unique=True)
    user_id = text(64, db_index=True, default="")
    address = text(320)
    canonical = text(320, db_index=True)
    name = text(default="")
    role = text(150, default="")
    created_at = moment()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_invitation"
        # Django's permission `doorward.invite`, to be given to groups of this project.
        permissions = (("invite", "Can invite people"),)


class RecoveryWait(models.Model):
    """Somebody whose second factor is lost waits to set up another one. To delete a row is to stop that."""

    user_id = text(64, primary_key=True)
    auth_epoch = text(64)
    ip = text(64, default="")
    user_agent = text(400, default="")
    reminded = flag()
    begun_at = moment()
    due_at = moment(db_index=True)
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_recovery_wait"


class MailedPassword(models.Model):
    """Whose password a mailbox alone has chosen."""

    user_id = text(64, primary_key=True)
    since = moment()

    class Meta:
        db_table = "doorward_mailed_password"


class SpentProof(models.Model):
    """A DPoP proof that was used."""

    digest = text(primary_key=True)
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_dpop_proof"


class LimitWindow(models.Model):
    """How much of a short-term limit is used up."""

    key = text(128, primary_key=True)
    whole_at = number()
    expires_at = moment(db_index=True)

    class Meta:
        db_table = "doorward_limit"

"""Find a user by what people type, and the addresses through which they are told things."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from doorward.core.call import Call, Letter
from doorward.core.links import add_link
from doorward.core.records import Account, EmailAddress, PhoneNumber, User
from doorward.core.refusals import FieldError, Refused
from doorward.primitives import text
from doorward.primitives.phones import canonical_phone


async def find_user(call: Call, identifier: str) -> User | None:
    """The user behind an address (verified), a user name or a phone number. Addresses come first, so no name can shadow
    one; no name of ours reads as a number, and one of the host's that does comes before it.

    An address that several accounts of the host share, none of them verified, finds nobody (rule 3).
    """
    canonical = text.canonical_address(identifier)
    if canonical is not None:
        found = await call.store.get(EmailAddress, verified_key=canonical)
        if found is not None:
            return await call.store.get(User, id=found.user_id)
        user = await _host_user(call, email=identifier)
        if user is not None:
            return user
    return await _by_username(call, identifier) or await _by_phone(call, identifier)


def check_fits(call: Call, **columns: str | None) -> None:
    """Raise `invalid_input` for each value that the user table, which may be the host's, can't keep whole: nothing is
    cut off, and nobody learns of it after a letter."""
    given = {name: value for name, value in columns.items() if value}
    overlong = call.store.overlong(**given).items()
    if overlong:
        errors = [FieldError(name, "too_long", f"at most {most} characters") for name, most in overlong]
        raise Refused("invalid_input", errors=errors)


async def _by_phone(call: Call, identifier: str) -> User | None:
    number = canonical_phone(identifier, region=call.world.settings.phone_region)
    found = await call.store.get(PhoneNumber, verified_key=number) if number is not None else None
    return None if found is None else await call.store.get(User, id=found.user_id)


async def phone_of(call: Call, user: User) -> str | None:
    """The phone number of a user that somebody has vouched for."""
    rows = await call.store.find(PhoneNumber, user_id=user.id, limit=1)
    return rows[0].verified_key if rows else None


async def _by_username(call: Call, identifier: str) -> User | None:
    name = text.canonical_username(identifier)
    if name is not None:
        account = await call.store.get(Account, username_key=text.skeleton(name))
        if account is not None:
            user = await call.store.get(User, id=account.user_id)
            # The key folds lookalikes together so that nobody claims one; signing in takes the name itself.
            if user is not None and user.username and text.canonical_username(user.username) == name:
                return user
    return await _host_user(call, username=identifier)


async def _host_user(call: Call, *, email: str = "", username: str = "") -> User | None:
    """A user of the host who was there before us. Folded matches are unique, or one of them is exact."""
    if not text.is_clean(email or username):
        return None
    if email:
        users = await call.store.find(User, limit=2, email=email)
    else:
        users = await call.store.find(User, limit=10, username=username)
        if len(users) > 1:
            users = [user for user in users if user.username == username]
    if len(users) != 1:
        return None
    account = await call.store.get(Account, user_id=users[0].id)
    return users[0] if account is None or account.address_exempt else None


def canonical_identifier(identifier: str, *, region: str = "") -> str:
    """What limits and decoys are keyed by: one form for all spellings of an identifier. `region` is PHONE_REGION."""
    return (
        text.canonical_address(identifier)
        or text.canonical_username(identifier)
        or canonical_phone(identifier, region=region)
        or identifier.strip().casefold()
    )


async def standing_addresses(call: Call, user: User) -> tuple[EmailAddress, ...]:
    """The verified addresses of a user, the one verified longest first. The host's address of one who was there before
    us is taken on trust (rule 3): it comes before them, as a row that is not stored and has no id."""
    rows = await call.store.find(EmailAddress, user_id=user.id)
    verified = sorted((row for row in rows if row.verified_key is not None), key=verified_since)
    if not user.email or any(row.is_primary for row in verified):
        return tuple(verified)
    account = await call.store.get(Account, user_id=user.id)
    if account is not None and not account.address_exempt:
        return tuple(verified)
    canonical, since = text.canonical_address(user.email) or "", user.created_at
    trusted = EmailAddress(
        id="", user_id=user.id, address=user.email, canonical=canonical, is_primary=True, created_at=since
    )
    return (trusted, *verified)


def verified_since(address: EmailAddress) -> datetime:
    """Since when an address is verified; for one that is taken on trust, since when its user exists."""
    return address.verified_at or address.created_at


async def addresses_of(call: Call, user: User) -> tuple[str, ...]:
    """All verified addresses of a user, and the host's where that is taken on trust."""
    return tuple(row.address for row in await standing_addresses(call, user))


async def tell_daily(call: Call, user: User, template: str) -> None:
    """The same letter once a day at most: that strangers have used up their tries, with the cure (rule 12)."""
    if await call.world.limits.once(f"{template}:{user.id}", seconds=86_400):
        await tell(call, user, template)


# Links by which people say that it was not them; with such a link every notice can be answered.
NOT_ME = "not_me"
NOT_ME_LIFE = timedelta(days=7)


async def tell(
    call: Call,
    user: User,
    template: str,
    words: Mapping[str, str] | None = None,
    *,
    to: str | None = None,
    life: timedelta = timedelta(days=2),
) -> None:
    """A letter to every verified address of a user (design 7: every binding, removal and recovery is told); `to` one
    address, where each is told something else. It is worth sending for so long as `life`."""
    settings = call.world.settings
    common = {"service": settings.rp_name, "name": user.name, "time": call.now.isoformat(timespec="minutes")}
    common["not_me_link"] = await _not_me_link(call, user) if to is None else ""
    account = await call.store.get(Account, user_id=user.id)
    locale = account.locale if account is not None else ""
    for address in await addresses_of(call, user) if to is None else (to,):
        await call.later(Letter(address, template, {**common, **(words or {})}, locale), life=life)


async def _not_me_link(call: Call, user: User) -> str:
    """A link that outlives the epoch: what a thief changes must not take it away. Empty where nothing answers to it."""
    if not call.world.offers(NOT_ME):
        return ""
    return call.link(f"/not-me?token={await add_link(call, NOT_ME, life=NOT_ME_LIFE, user_id=user.id)}")

"""Roles: nobody gives what they lack, nobody is left who could give none, and what is taken is gone at once."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.action import Needs, action, demanded
from doorward.core.call import Call
from doorward.core.doorward import require
from doorward.core.events import RoleGranted, RoleRevoked
from doorward.core.finish import finish
from doorward.core.records import Account, User
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.rights import grant, permissions_of, revoke, roles_of
from doorward.features import api_keys, roles, sessions, sign_up, verify_email
from doorward.features.roles import add_role, permit, remove_role
from doorward.http.answers import user_shape
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.server import people
from doorward.stores import open_store
from doorward.testing.doubles import Guest, House
from tests.features.people import PASSWORD, at_once, refused, signed_in, signed_up, with_totp


def id_of(guest: Guest) -> str:
    return str(guest.do(sessions.session).identity.user.id)


async def given(call: Call, email: str, role: str) -> None:
    """What the operator does."""
    await grant(call, await people.find(call, email), role, by=None)


async def taken(call: Call, email: str, role: str) -> None:
    await revoke(call, await people.find(call, email), role, by=None)


async def held_by(call: Call, email: str) -> tuple[str, ...]:
    return await roles_of(call, await people.find(call, email))


def with_admin(house: House, email: str = "ann@example.com") -> Guest:
    guest = signed_up(house, email)
    house.run(given, email, "admin")
    # What another process has changed holds here within half a second.
    house.clock.forward(seconds=0.5)
    return guest


def may(guest: Guest, **wants: Any) -> bool:
    async def ask(call: Call) -> None:
        await require(call, demanded(**wants))

    try:
        guest.run(ask)
    except Refused as refusal:
        if refusal.reason != "not_permitted":
            raise
        return False
    return True


def test_a_role_is_made_given_and_taken(house: House) -> None:
    guest = signed_up(house)
    house.run(add_role, "editor", ["posts.write", "posts.read"])
    house.run(given, "ann@example.com", "editor")
    house.clock.forward(seconds=0.5)
    assert may(guest, role="editor", permission="posts.write")
    assert not may(guest, role="admin")
    assert not may(guest, permission="posts.delete")
    assert guest.run(lambda call: user_shape(call, call.signed_in.user))["roles"] == ["editor"]
    house.run(taken, "ann@example.com", "editor")
    house.clock.forward(seconds=0.5)
    assert not may(guest, role="editor")
    assert not may(guest, permission="posts.write")


def test_what_a_role_permits_changes_for_all_who_have_it(house: House) -> None:
    guest = signed_up(house)
    house.run(add_role, "editor")
    house.run(given, "ann@example.com", "editor")
    before = house.run(lambda call: call.store.find(Account))[0].version
    house.run(permit, "editor", more=["posts.write"])
    house.clock.forward(seconds=0.5)
    assert may(guest, permission="posts.write")
    house.run(permit, "editor", fewer=["posts.write"])
    house.clock.forward(seconds=0.5)
    assert not may(guest, permission="posts.write")
    assert house.run(lambda call: call.store.find(Account))[0].version == before + 2
    assert house.run(remove_role, "editor") == 1
    assert house.run(held_by, "ann@example.com") == ()
    refused("not_found", house.run, given, "ann@example.com", "editor")


def test_an_administrator_may_do_everything_and_has_no_other_role(house: House) -> None:
    admin = with_admin(house)
    assert may(admin, permission="whatever.comes", role="admin")
    assert not may(admin, role="editor")
    (role,) = admin.do(roles.list_roles).items
    assert (role.name, role.permissions, role.everything) == ("admin", (), True)


def test_an_administrator_gives_and_takes_by_the_api(house: House) -> None:
    admin, bob = with_admin(house), signed_up(house, "bob@example.com")
    house.run(add_role, "editor", ["posts.write"])
    told: list[Any] = []
    house.doorward.on(RoleGranted)(told.append)
    house.doorward.on(RoleRevoked)(told.append)
    before = house.run(lambda call: call.store.get(Account, user_id=id_of(bob))).version
    for _ in range(2):  # to give it once more changes nothing
        admin.do(roles.give, user_id=id_of(bob), role="editor")
    assert may(bob, role="editor"), "at once, where it was given"
    admin.do(roles.take_back, user_id=id_of(bob), role="editor")
    assert not may(bob, role="editor")
    refused("not_found", admin.do, roles.take_back, user_id=id_of(bob), role="editor")
    assert [(type(e), e.user_id, e.role, e.by) for e in told] == [
        (RoleGranted, id_of(bob), "editor", id_of(admin)),
        (RoleRevoked, id_of(bob), "editor", id_of(admin)),
    ]
    assert house.run(lambda call: call.store.get(Account, user_id=id_of(bob))).version > before


def test_only_who_may_gives_roles_and_only_freshly(house: House) -> None:
    admin, bob = with_admin(house), signed_up(house, "bob@example.com")
    for who, reason in ((bob, "not_permitted"), (house.browser(), "not_signed_in")):
        refused(reason, who.do, roles.list_roles)
        refused(reason, who.do, roles.give, user_id=id_of(bob), role="admin")
        refused(reason, who.do, roles.take_back, user_id=id_of(admin), role="admin")
    house.clock.forward(minutes=11)
    assert refused("fresh_proof_required", admin.do, roles.list_roles).methods == ("password",)
    refused("fresh_proof_required", admin.do, roles.give, user_id=id_of(bob), role="admin")
    assert house.run(held_by, "bob@example.com") == ()


def test_nobody_gives_or_takes_a_permission_that_they_lack(house: House) -> None:
    """AUTHZ-10: who manages roles is not thereby an administrator, and makes nobody one."""
    with_admin(house, "root@example.com")
    manager, bob = signed_up(house, "mia@example.com"), signed_up(house, "bob@example.com")
    house.run(add_role, "manager", ["doorward.roles", "posts.read"])
    house.run(add_role, "reader", ["posts.read"])
    house.run(add_role, "editor", ["posts.read", "posts.write"])
    house.run(given, "mia@example.com", "manager")
    house.clock.forward(seconds=0.5)
    manager.do(roles.give, user_id=id_of(bob), role="reader")
    for role in ("admin", "editor"):
        for user in (bob, manager):
            refused("not_permitted", manager.do, roles.give, user_id=id_of(user), role=role)
    root = house.run(people.find, "root@example.com").id
    refused("not_permitted", manager.do, roles.take_back, user_id=root, role="admin")
    assert house.run(held_by, "bob@example.com") == ("reader",)


def test_the_last_administrator_stays(house: House) -> None:
    admin = with_admin(house)
    refused("last_administrator", admin.do, roles.take_back, user_id=id_of(admin), role="admin")
    refused("last_administrator", house.run, taken, "ann@example.com", "admin")
    assert may(admin, role="admin")
    signed_up(house, "bob@example.com")
    house.run(given, "bob@example.com", "admin")
    house.run(people.set_active, "bob@example.com", active=False)
    # One whose account is closed is none that is left.
    refused("last_administrator", admin.do, roles.take_back, user_id=id_of(admin), role="admin")
    house.run(people.set_active, "bob@example.com", active=True)
    admin.do(roles.take_back, user_id=id_of(admin), role="admin")
    refused("not_permitted", admin.do, roles.list_roles)


def test_who_manages_roles_beside_an_administrator_may_go(house: House) -> None:
    with_admin(house)
    signed_up(house, "bob@example.com")
    house.run(add_role, "manager", ["doorward.roles"])
    house.run(given, "bob@example.com", "manager")
    house.run(taken, "bob@example.com", "manager")
    assert house.run(held_by, "bob@example.com") == ()


def test_forty_administrators_who_all_step_down_leave_one(shared_house: House) -> None:
    house = shared_house
    admins = [with_admin(house, f"a{number}@example.com") for number in range(8)]
    ids = [id_of(admin) for admin in admins]
    stories = [
        lambda a=a, i=i: a.do(roles.take_back, user_id=i, role="admin") for a, i in zip(admins, ids, strict=True)
    ]
    for _ in range(5):
        at_once(*stories)
    left = [email for email in (f"a{n}@example.com" for n in range(8)) if house.run(held_by, email)]
    assert len(left) == 1


def test_two_who_take_each_others_role_do_not_both_lose_it(shared_house: House) -> None:
    house = shared_house
    ann, bob = with_admin(house), with_admin(house, "bob@example.com")
    ids = id_of(ann), id_of(bob)
    outcomes = at_once(
        lambda: ann.do(roles.take_back, user_id=ids[1], role="admin"),
        lambda: bob.do(roles.take_back, user_id=ids[0], role="admin"),
    )
    assert (outcomes.count("done"), len(set(outcomes))) == (1, 2), outcomes


def test_a_role_given_forty_times_at_once_is_had_once(shared_house: House) -> None:
    house = shared_house
    admin, bob = with_admin(house), signed_up(house, "bob@example.com")
    house.run(add_role, "editor")
    told: list[RoleGranted] = []
    house.doorward.on(RoleGranted)(told.append)
    user_id = id_of(bob)
    at_once(*[lambda: admin.do(roles.give, user_id=user_id, role="editor")] * 40)
    assert house.run(held_by, "bob@example.com") == ("editor",)
    assert len(told) == 1


@pytest.mark.parametrize("role", ["", "x" * 151, "nobody-made-it", "a\nb", 7, None, ["admin"], "Admin", "admin "])
def test_what_is_no_role_is_refused(house: House, role: Any) -> None:
    admin = with_admin(house)
    with pytest.raises(Refused) as caught:
        admin.do(roles.give, user_id=id_of(admin), role=role)
    assert caught.value.reason in ("invalid_input", "not_found")
    refused("invalid_input", admin.do, roles.give, user_id=id_of(admin), role="admin", is_admin=True)


def test_whom_there_is_not_gets_nothing(house: House) -> None:
    """AUTHZ-04: nor does the next one whose id looks alike."""
    admin, bob = with_admin(house), signed_up(house, "bob@example.com")
    for user_id in ("nobody", "bob@example.com", id_of(bob) + "x", id_of(bob).swapcase()):
        refused("not_found", admin.do, roles.give, user_id=user_id, role="admin")


@pytest.mark.parametrize("name", ["", "admin", "x" * 65, "-a", "two words", "ädmin", "a,b", "a\n"])
def test_names_that_no_role_has(house: House, name: str) -> None:
    refused("invalid_input", house.run, add_role, name)


@pytest.mark.parametrize("permission", ["", "read", "orders.", ".read", "orders read", "orders.réad", "o." + "x" * 150])
def test_what_is_no_permission(house: House, permission: str) -> None:
    refused("invalid_input", house.run, add_role, "editor", [permission])
    house.run(add_role, "editor", ["orders.read"])
    refused("invalid_input", house.run, permit, "editor", more=[permission])
    refused("state_changed", house.run, add_role, "editor", ["orders.write"])


def test_the_role_of_administrators_is_not_changed_or_removed(house: House) -> None:
    with_admin(house)
    refused("invalid_input", house.run, permit, "admin", more=["posts.read"])
    refused("invalid_input", house.run, remove_role, "admin")
    refused("not_found", house.run, remove_role, "editor")


def test_the_first_administrator_is_who_opens_the_link(house: House) -> None:
    link = house.run(people.invite, email="root@example.com").link
    token = link.partition("token=")[2]
    guest = house.browser()
    guest.do(verify_email.verify, token=token)
    guest.do(sign_up.choose_password, new_password=PASSWORD)
    assert may(guest, role="admin", permission="doorward.roles")


def test_who_asks_for_an_invited_address_is_no_administrator(house: House) -> None:
    """AUTHZ-03: the role is in the link, not in the address; and it ends with the address's first account."""
    link = house.run(people.invite, email="root@example.com").link
    guest = signed_up(house, "root@example.com")
    assert house.run(held_by, "root@example.com") == ()
    assert not may(guest, role="admin")
    refused("invalid_token", house.browser().do, verify_email.verify, token=link.partition("token=")[2])


def test_roles_cost_nothing_where_nobody_asks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    guest, asked = with_admin(house), list[str]()
    book: Any = house.doorward.world.roles
    monkeypatch.setattr(type(book), "roles_of", counted(type(book).roles_of, asked))
    monkeypatch.setattr(type(book), "permissions_of", counted(type(book).permissions_of, asked))
    assert may(guest)
    assert asked == []

    async def thrice(call: Call) -> None:
        for _ in range(3):
            await require(call, demanded(role="admin", permission="posts.read"))
            await user_shape(call, call.signed_in.user)

    guest.run(thrice)
    assert asked == ["roles_of", "permissions_of"]


def counted(method: Any, asked: list[str]) -> Any:
    async def run(*args: Any) -> Any:
        asked.append(method.__name__)
        return await method(*args)

    return run


def test_what_can_not_be_asked_is_said_when_the_program_starts() -> None:
    for wants in ({"role": ""}, {"permission": ""}, {"aal": 3}, {"rôle": "admin"}):
        with pytest.raises(Misconfigured):
            demanded(**wants)  # type: ignore[arg-type]
    with pytest.raises(Misconfigured):
        demanded(Needs.NOTHING, role="admin")


def test_a_level_that_is_not_reached_says_how_to(house: House) -> None:
    guest, other = signed_up(house), house.browser()
    signed_in(other)

    async def ask(call: Call) -> None:
        await require(call, demanded(aal=2))

    assert refused("second_factor_required", guest.run, ask).methods == ("passkey", "totp")
    with_totp(guest)
    guest.run(ask)
    assert refused("fresh_proof_required", other.run, ask).methods == ("totp",)


def test_an_action_of_ones_own_may_need_a_permission(house: House) -> None:
    @action("orders.list", method="GET", needs=Needs.SIGNED_IN, permission="orders.read")
    async def orders(call: Call) -> None:
        """Show orders."""

    guest = signed_up(house)
    refused("not_permitted", guest.do, orders)
    house.run(add_role, "seller", ["orders.read"])
    house.run(given, "ann@example.com", "seller")
    house.clock.forward(seconds=0.5)
    guest.do(orders)


def test_a_key_may_do_what_its_owner_may_and_its_scopes_say(house: House) -> None:
    """Rule 28: and a role stands for more than a scope, so no key has one."""
    owner, program = signed_up(house), house.program()
    program.bearer = owner.do(api_keys.create, name="ci", scopes=["posts.read", "posts.burn"]).key
    house.run(add_role, "editor", ["posts.read", "posts.write"])
    assert not may(program, permission="posts.read")
    house.run(given, "ann@example.com", "editor")
    house.clock.forward(seconds=0.5)
    assert may(program, permission="posts.read", scope="posts.read")
    assert not may(program, permission="posts.write"), "not of its scopes"
    assert not may(program, permission="posts.burn"), "not of its owner's"
    assert not may(program, role="editor")
    assert not may(program, scope="posts.write")
    assert not may(program, aal=1)
    house.run(taken, "ann@example.com", "editor")
    house.clock.forward(seconds=0.5)
    assert not may(program, permission="posts.read")


def test_without_the_feature_nobody_has_a_role(house: House) -> None:
    async def story(call: Call) -> Any:
        user = User(id="1", created_at=call.now)
        await grant(call, user, "admin", by=None)

    features = [feature for feature in standard() if not isinstance(feature, roles.Roles)]
    bare = House(
        features,
        lambda doorward: open_store("memory:", records=doorward.records),
        MemoryLimits(),
        house.doorward.world.random,
    )
    guest = signed_up(bare)
    assert not may(guest, role="admin")
    assert not may(guest, permission="posts.read")
    with pytest.raises(Misconfigured):
        bare.run(story)
    assert (
        finish(permissions_of(bare.doorward.call(None, bare.hash), User(id="1", created_at=bare.clock()))).names
        == set()
    )  # type: ignore[arg-type]

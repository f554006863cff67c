"""Users who are in a table of the host's, with a key, columns and defaults that we did not choose."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from doorward.core.finish import finish
from doorward.core.ports import Store
from doorward.core.records import User
from doorward.core.refusals import Misconfigured
from doorward.stores import migrations, open_store
from doorward.stores.tables import LONG_AGO, UserTable
from doorward.testing.store_player import NOON, message
from tests.stores.records import RECORDS


class Base(DeclarativeBase):
    pass


class Member(Base):
    """As a Flask application would have it: a number for a key, defaults made in Python, other names."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    mail: Mapped[str] = mapped_column("mail_address", sa.String(200), unique=True)
    nick: Mapped[str | None]
    is_active: Mapped[bool | None] = mapped_column(default=True)
    is_admin: Mapped[bool] = mapped_column(default=False)
    token: Mapped[str] = mapped_column(default=lambda: uuid.uuid4().hex)
    joined: Mapped[dt.datetime] = mapped_column(sa.DateTime)
    touched: Mapped[int] = mapped_column(default=0, onupdate=lambda: 1)
    password_hash: Mapped[str | None] = mapped_column(sa.String(300))


class Person(Base):
    """A UUID for a key and next to nothing else."""

    __tablename__ = "people"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(200), unique=True)


plain = sa.Table(
    "plain_users",
    Base.metadata,
    sa.Column("login", sa.String(40), primary_key=True),
    sa.Column("email", sa.String(200)),
    sa.Column("required", sa.String(40), nullable=False),
)
MEMBERS = UserTable(
    Member,
    email="mail",
    username="nick",
    active="is_active",
    password="password_hash",
    created_at="joined",
)


@pytest.fixture(params=["sqlite", "postgres"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]
) -> Iterator[Callable[[UserTable], Any]]:
    url = f"sqlite:///{tmp_path}/app.db" if request.param == "sqlite" else fresh_postgres()
    migrations.migrate(url)
    with migrations.connected(url) as connection:
        Base.metadata.create_all(connection)
        connection.commit()
    made: list[Any] = []

    def opened(user_table: UserTable) -> Any:
        made.append(open_store(url, records=RECORDS, user_table=user_table))
        return made[-1]

    yield opened
    for stores in made:
        stores.close()


def play(stores: Any, story: Callable[[Store], Any]) -> Any:
    async def told() -> Any:
        async with stores.unit("sync") as store:
            return await story(store)

    return finish(told())


def user(**values: Any) -> User:
    given: dict[str, Any] = {"id": "ours", "email": "Ann@Example.com", "created_at": NOON}
    return User(**given | values)


def test_the_table_chooses_the_key_and_we_see_it_as_text(opened: Callable[[UserTable], Any]) -> None:
    async def story(store: Store) -> None:
        first = await store.add_user(user(username="Ann", password="hash"))
        second = await store.add_user(user(email="ben@example.com"))
        assert first is not None
        assert second is not None
        assert (first.id, second.id) == ("1", "2")
        assert first == user(id="1", username="Ann", password="hash")
        assert await store.get(User, id="1") == first
        assert await store.get(User, email="ann@example.COM") == first
        assert [row.id for row in await store.find(User, order="-created_at")] == ["2", "1"]
        assert [row.id for row in await store.find(User, id__in=["2", "ours", "7"])] == ["2"]

    play(opened(MEMBERS), story)


def test_a_taken_address_is_refused_and_the_transaction_goes_on(opened: Callable[[UserTable], Any]) -> None:
    async def story(store: Store) -> None:
        async with store.transaction():
            assert await store.add_user(user()) is not None
            assert await store.add_user(user()) is None
            assert not await store.add(message(1), user())
            assert not await store.add(user(email="ben@example.com"), message(2), message(2))
        assert await store.count(User) == 1

    play(opened(MEMBERS), story)


def test_columns_that_no_record_knows_get_their_defaults(opened: Callable[[UserTable], Any]) -> None:
    async def story(store: Any) -> None:
        await store.add_user(user())
        assert await store.change(User, {"id": "1"}, name="not kept", password="hash") == 1
        rows, _ = await store._link.run("SELECT is_admin, length(token), touched FROM members", ())
        assert [tuple(row) for row in rows] == [(False, 32, 1)]

    play(opened(MEMBERS), story)


def test_what_the_table_does_not_have_is_as_if_never_given(opened: Callable[[UserTable], Any]) -> None:
    async def story(store: Store) -> None:
        made = await store.add_user(user(username="Ann", name="Ann", password="hash", active=False))
        assert made is not None
        assert (made.username, made.name, made.active, made.password, made.created_at) == (
            None,
            "",
            True,
            None,
            LONG_AGO,
        )
        assert str(uuid.UUID(made.id)) == made.id
        assert await store.get(User, username="Ann") is None
        assert await store.get(User, username=None, active=True, id=made.id) == made
        assert await store.get(User, active=False) is None
        assert await store.change(User, {"id": made.id}, password="hash", active=False) == 1
        assert await store.change(User, {"id": made.id, "active": False}, password="hash") == 0
        assert await store.change(User, {"id": made.id}, name="Ann", email="new@example.com") == 1
        assert await store.take(User, id=made.id) is not None

    play(opened(UserTable(Person)), story)


def test_who_is_erased_leaves_a_row_of_nobodys(opened: Callable[[UserTable], Any]) -> None:
    """The host's own rows may refer to it."""

    async def story(store: Store) -> None:
        ann = await store.add_user(user(username="Ann", password="hash"))
        await store.add_user(user(email="ben@example.com"))
        assert ann is not None
        assert await store.erase_user(ann.id)
        gone = await store.get(User, id=ann.id)
        assert gone is not None
        assert (gone.email, gone.username, gone.active) == ("erased-1@erased.invalid", "erased-1", False)
        assert gone.password == "!"
        assert await store.add_user(user()) is not None  # the address is free
        assert not await store.erase_user("77")

    play(opened(MEMBERS), story)


@pytest.mark.parametrize("spelling", ["01", "+1", " 1", "1 ", "1_0", "１", "1.0", "", "x", "9" * 30, "1\0", "\ud800"])
def test_a_key_has_one_spelling(opened: Callable[[UserTable], Any], spelling: str) -> None:
    async def story(store: Store) -> None:
        await store.add_user(user())
        assert await store.get(User, id=spelling) is None
        assert await store.find(User, id__in=[spelling]) == []
        assert await store.change(User, {"id": spelling}, active=False) == 0
        assert await store.remove(User, id=spelling) == 0

    play(opened(MEMBERS), story)


def test_nobody_is_active_by_default_where_the_column_is_null(opened: Callable[[UserTable], Any]) -> None:
    async def story(store: Any) -> None:
        await store.add_user(user())
        await store._link.run("UPDATE members SET is_active = NULL", ())
        found = await store.get(User, id="1")
        assert found is not None
        assert found.active is False

    play(opened(MEMBERS), story)


def test_a_column_that_sign_up_can_not_fill_is_named(opened: Callable[[UserTable], Any]) -> None:
    async def story(store: Store) -> None:
        with pytest.raises(Misconfigured, match=r"store\.E6.*plain_users\.required"):
            await store.add_user(user())

    play(opened(UserTable(plain, id="login")), story)


def test_an_attribute_that_does_not_exist_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"store\.E5.*email"):
        UserTable(Member)

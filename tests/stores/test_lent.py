"""The host's own SQLAlchemy session, lent: the contract holds, and its pending work is never committed for it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker

from doorward.core.finish import finish
from doorward.core.ports import Store, Stores
from doorward.core.records import EmailAddress, OutboxMessage, User
from doorward.core.refusals import Misconfigured, Refused
from doorward.stores import migrations, open_store
from doorward.stores.lent import session_store
from doorward.stores.tables import UserTable
from doorward.testing.store_contract import StoreContract
from doorward.testing.store_player import address, message
from tests.stores.records import RECORDS


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(200), unique=True)


def engine_for(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg") if "postgres" in url else parsed, max_overflow=40
    )


class TestLentOnSqlite(StoreContract):
    @pytest.fixture
    def stores(self, tmp_path: Path) -> Iterator[Stores]:
        url = f"sqlite:///{tmp_path}/app.db"
        engine = engine_for(url)
        own = open_store(url, records=RECORDS)
        yield session_store(own, scoped_session(sessionmaker(engine)))
        own.close()
        engine.dispose()


@pytest.fixture(scope="module")
def postgres_engine(fresh_postgres: Callable[[], str]) -> Iterator[sa.Engine]:
    url = fresh_postgres()
    migrations.migrate(url)
    engine = engine_for(url)
    yield engine
    engine.dispose()


class TestLentOnPostgres(StoreContract):
    @pytest.fixture
    def stores(self, postgres_engine: sa.Engine) -> Iterator[Stores]:
        with postgres_engine.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {', '.join(kind.table for kind in RECORDS)}")
        url = postgres_engine.url.render_as_string(hide_password=False)
        sessions = scoped_session(sessionmaker(postgres_engine))
        own = open_store(url, records=RECORDS)
        yield session_store(own, sessions)
        sessions.remove()
        own.close()


@pytest.fixture(params=["sqlite", "postgres"])
def session(request: pytest.FixtureRequest, tmp_path: Path, fresh_postgres: Callable[[], str]) -> Iterator[Session]:
    url = f"sqlite:///{tmp_path}/app.db" if request.param == "sqlite" else fresh_postgres()
    migrations.migrate(url)
    engine = engine_for(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def stores(session: Session) -> Stores:
    url = session.get_bind().engine.url.render_as_string(hide_password=False)
    return session_store(open_store(url, records=RECORDS, user_table=UserTable(Member)), lambda: session)


def play(stores: Stores, story: Callable[[Store], Any]) -> Any:
    async def told() -> Any:
        async with stores.unit("sync") as store:
            return await story(store)

    return finish(told())


def committed(session: Session, table: str) -> int:
    """What everybody else sees."""
    with session.get_bind().engine.connect() as other:
        found: int = other.scalar(sa.text(f"SELECT count(*) FROM {table}"))
        return found


def test_without_pending_work_a_write_is_committed(session: Session, stores: Stores) -> None:
    session.scalars(sa.select(Member)).all()  # a read of the host's began a transaction, which has written nothing

    async def story(store: Store) -> None:
        assert not store.in_transaction
        await store.add(message(1))
        async with store.transaction():
            assert store.in_transaction
            await store.add(message(2))
        assert not store.in_transaction

    play(stores, story)
    assert committed(session, "doorward_outbox") == 2


def test_a_refusal_is_committed_where_the_host_has_nothing_pending(session: Session, stores: Stores) -> None:
    async def story(store: Store) -> None:
        async with store.transaction():
            await store.add(message(1))
            raise Refused("wrong_code")

    with pytest.raises(Refused):
        play(stores, story)
    assert committed(session, "doorward_outbox") == 1


@pytest.mark.parametrize("work", ["added", "flushed", "begun", "nested", "written"])
def test_pending_work_is_joined_and_left_to_the_host(session: Session, stores: Stores, work: str) -> None:
    if work == "begun":
        session.begin()
    if work == "nested":
        session.begin_nested()
    if work == "written":
        session.execute(sa.insert(Member).values(email="ann@example.com"))
    else:
        session.add(Member(email="ann@example.com"))
    if work == "flushed":
        session.flush()

    async def story(store: Store) -> None:
        assert store.in_transaction
        assert await store.count(User, email="ANN@example.com") == 1
        await store.add(message(1))
        async with store.transaction():
            await store.add(message(2))

    play(stores, story)
    assert committed(session, "doorward_outbox") == 0
    session.rollback()
    session.rollback()
    assert committed(session, "doorward_outbox") == committed(session, "members") == 0


def test_the_host_commits_both(session: Session, stores: Stores) -> None:
    session.add(Member(email="ann@example.com"))
    play(stores, lambda store: store.add(message(1)))
    session.commit()
    assert committed(session, "doorward_outbox") == committed(session, "members") == 1


def test_a_clash_leaves_the_host_s_transaction_usable(session: Session, stores: Stores) -> None:
    session.add(Member(email="ann@example.com"))

    async def story(store: Store) -> None:
        await store.add(address("e1", verified_key="k"), address("e2"))
        assert await store.change(EmailAddress, {"id": "e2"}, verified_key="k") == 0
        async with store.transaction():
            assert await store.change(EmailAddress, {"id": "e2"}, verified_key="k") == 0

    play(stores, story)
    session.commit()
    assert committed(session, "doorward_email_address") == 2


def test_an_exception_in_our_transaction_rolls_back_where_nothing_is_pending(session: Session, stores: Stores) -> None:
    async def story(store: Store) -> None:
        async with store.transaction():
            await store.add(message(1))
            raise LookupError

    with pytest.raises(LookupError):
        play(stores, story)
    assert committed(session, "doorward_outbox") == 0
    assert play(stores, lambda store: store.count(OutboxMessage)) == 0


def test_it_has_one_colour(stores: Stores) -> None:
    with pytest.raises(ValueError, match="sync"):
        stores.unit("async")


def test_a_session_on_another_database_is_refused_with_the_cure() -> None:
    class Foreign:
        def get_bind(self) -> Any:
            return sa.create_mock_engine("mssql://", lambda *_: None)

    own = open_store("sqlite://", records=RECORDS)
    with pytest.raises(Misconfigured, match=r"store\.E4.*mssql"):
        session_store(own, lambda: Foreign()).unit("sync")  # type: ignore[arg-type,return-value]

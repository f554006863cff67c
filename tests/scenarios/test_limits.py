"""Tries are counted where an installation counts them: in the database that its processes share, or in Valkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from doorward.stores.migrations import migrate
from tests.scenarios.client import Client
from tests.scenarios.hosts import HOSTS, InProcessHost
from tests.scenarios.people import sign_in, sign_up


@pytest.fixture(params=["flask", "fastapi"])
def name(request: pytest.FixtureRequest) -> str:
    """A host of threads, and one of an event loop."""
    return str(request.param)


@pytest.fixture(params=["database", "valkey"])
def processes(name: str, request: pytest.FixtureRequest, postgres_url: str) -> Iterator[list[InProcessHost]]:
    """Two processes of one installation, as far as they know."""
    migrate(postgres_url)
    redis_url = request.getfixturevalue("fresh_valkey") if request.param == "valkey" else None
    two = [HOSTS[name](postgres_url, limits=None, redis_url=redis_url) for _ in range(2)]
    two[0].clock.now = two[1].clock.now
    yield two
    for host in two:
        host.close()


def test_processes_count_together(processes: list[InProcessHost]) -> None:
    sign_up(processes[0])
    answers = [sign_in(Client(processes[n % 2]), password=f"wrong password number {n}") for n in range(30)]
    statuses = [answer.status for answer in answers]
    # Twenty in five minutes; a few more where the machine is slow, for time goes on and Valkey may answer too late.
    assert set(statuses) == {401, 429}
    assert 20 <= statuses.count(401) <= 24
    for host in processes:
        refused = sign_in(Client(host))
        assert (refused.status, refused.reason) == (429, "too_many_attempts")
        assert int(refused.header("retry-after") or 0) >= 1

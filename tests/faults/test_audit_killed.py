"""The process dies in the middle of what it does, again and again: with what happened is its entry, or neither is."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from doorward.features.audit import AuditEntry
from doorward.features.roles import UserRole, add_role
from doorward.limits.memory import MemoryLimits
from doorward.presets import standard
from doorward.server import people
from doorward.stores import open_store
from doorward.stores.migrations import migrate
from doorward.testing.doubles import House
from tests.features.auditing import ANN, rows
from tests.features.people import PASSWORD
from tests.services.processes import start
from tests.shape.tree import ROOT

KILLS = 6

# Gives and takes a role as fast as it can, and says so once it has begun.
BUSY = """
import sys
from doorward.server import people
from tests.faults.test_audit_killed import ANN, opened
house = opened(sys.argv[1])
house.run(people.grant_role, ANN, "editor")
print("begun", flush=True)
while True:
    house.run(people.revoke_role, ANN, "editor")
    house.run(people.grant_role, ANN, "editor")
"""


def opened(url: str) -> House:
    return House(standard(), lambda doorward: open_store(url, records=doorward.records), MemoryLimits(), os.urandom)


def test_what_happened_and_its_entry_are_both_there_or_neither(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/doorward.db"
    migrate(url)
    house = opened(url)
    house.run(people.add, email=ANN, password=PASSWORD)
    house.run(add_role, "editor")
    for _ in range(KILLS):
        busy = start([sys.executable, "-c", BUSY, url], cwd=ROOT, stdout=subprocess.PIPE)
        assert busy.stdout is not None
        assert busy.stdout.readline() == b"begun\n", busy.stdout.read()
        time.sleep(random.uniform(0.02, 0.3))
        busy.kill()
        busy.wait(20)
        busy.stdout.close()
        given, taken = (len(rows(house, AuditEntry, event=f"role_{what}")) for what in ("granted", "revoked"))
        assert given - taken == len(rows(house, UserRole))
        if rows(house, UserRole):
            house.run(people.revoke_role, ANN, "editor")
    assert given > KILLS + 1, "nothing went on when it was killed"
    house.stores.close()

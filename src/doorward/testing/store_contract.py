"""What every store must hold, as tests to inherit: `class TestMyStore(StoreContract)` with a fixture `stores`."""

from __future__ import annotations

from doorward.testing.store_transactions import RaceLaws, TransactionLaws
from doorward.testing.store_verbs import VerbLaws


class StoreContract(VerbLaws, TransactionLaws, RaceLaws):
    """All laws of the port. Give a fixture `stores`: one that keeps all of Doorward's records and is empty.

    `colour = "async"` in a subclass plays them on an event loop.
    """

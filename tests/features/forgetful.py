"""People who forgot a password, users whom a host had before us, and a look at the rows behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from doorward.core.call import Call
from doorward.core.records import User
from doorward.features import reset_password
from doorward.testing.doubles import Guest, House

ANN = "ann@example.com"
NEW = "a heron stood by the weir"


def forgot(house: House, email: str = ANN, *, ip: str = "192.0.2.9", **more: Any) -> Guest:
    guest = house.browser(ip)
    guest.do(reset_password.forgot, email=email, **more)
    return guest


def by_code(guest: Guest, code: str | None = None, new: str = NEW) -> Any:
    return guest.do(reset_password.reset, code=code or guest.house.mail.code(), new_password=new)


def by_link(guest: Guest, token: str | None = None, new: str = NEW) -> Any:
    return guest.do(reset_password.reset, token=token or guest.house.mail.token(), new_password=new)


def rows(house: House) -> Counter[str]:
    async def read(call: Call) -> Counter[str]:
        return Counter({kind.table: await call.store.count(kind) for kind in house.doorward.records})

    counted: Counter[str] = house.run(read)
    return counted


def change(house: House, kind: type[Any], where: Mapping[str, Any], /, **values: Any) -> None:
    async def changed(call: Call) -> None:
        assert await call.store.change(kind, dict(where), **values) >= 1

    house.run(changed)


def of_the_host(house: House, id: str, *, password: str | None = "!", **more: Any) -> None:
    """A user whom the host had before us: no row of ours yet."""

    async def added(call: Call) -> None:
        email = more.pop("email", ANN)
        user = User(id=id, email=email, password=password, created_at=call.now, **more)
        assert await call.store.add(user)

    house.run(added)

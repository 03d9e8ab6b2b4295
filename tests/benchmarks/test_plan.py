"""The benchmarks in process run."""

from __future__ import annotations

from functools import wraps

import pytest

from benchmarks import containers, plan
from benchmarks.peers import installed


def test_services_are_measured():
    """Every side whose package is there makes its graph and is measured."""
    ([table], targets) = plan.services(rounds=1, seconds=0.0001)
    assert {"by hand", "ours", "injector"} <= set(table.rounds)
    assert all(cost > 0 for costs in table.rounds.values() for cost in costs)
    assert targets


def test_rows_of_diamonds_are_measured():
    """Rows of each length are measured on both sides."""
    ([table], _) = plan.rows_of_diamonds(rounds=1, seconds=0.0001)
    assert len([side for side in table.rounds if side.startswith("ours")]) == len(plan.DIAMONDS)


@pytest.mark.anyio
@pytest.mark.parametrize("name", [name for name, (_, package) in plan.CONTAINERS.items() if installed(package)])
async def test_sides_do_the_same_work(name, monkeypatch):
    """Each side makes the objects of a session anew and shares those of the app."""
    made = []
    for cls in (containers.Shop, containers.ShopController):
        monkeypatch.setattr(cls, "__init__", recording(cls.__init__, made))
    opened, _ = plan.CONTAINERS[name]
    async with opened() as session:
        await session()
        await session()
    first, second = made
    assert first.pool is second.pool
    assert first.settings is first.pool.settings
    assert first.identity is not second.identity
    assert first.cart.identity is first.audit.identity is first.identity


def recording(init, made):
    """A constructor that keeps what it makes."""

    @wraps(init)
    def record(self, *args, **kwargs):
        init(self, *args, **kwargs)
        made.append(self)

    return record

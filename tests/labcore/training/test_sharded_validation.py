"""Averages over processes that have seen different numbers of items."""

from typing import Any

import pytest
import torch

from labcore.errors import RunFailed
from labcore.training import processes
from labcore.training.processes import average_counted


@pytest.fixture
def averaged(monkeypatch: pytest.MonkeyPatch) -> Any:
    def of(*parts: tuple[dict[str, float], int]) -> dict[str, float]:
        monkeypatch.setattr(processes, "gather", lambda own, fabric: list(parts))
        return average_counted(*parts[0], fabric=None)

    return of


def test_each_process_counts_as_often_as_it_has_seen_items(averaged: Any) -> None:
    assert averaged(({"loss": 1.0}, 3), ({"loss": 5.0}, 1)) == {"loss": 2.0}


def test_a_process_with_nothing_to_look_at_changes_nothing(averaged: Any) -> None:
    assert averaged(({}, 0), ({"loss": 0.1}, 7)) == {"loss": 0.1}
    assert averaged(({"loss": float("nan")}, 0), ({"loss": 0.1}, 7)) == {"loss": 0.1}


def test_nothing_to_validate_in_any_process_is_an_error(averaged: Any) -> None:
    with pytest.raises(RunFailed, match="no process has anything to validate"):
        averaged(({}, 0), ({}, 0))


@pytest.mark.parametrize("items", [list(range(7)), range(7), torch.arange(7)])
def test_the_parts_of_all_processes_are_the_whole(items: Any) -> None:
    class Process:
        def __init__(self, rank: int) -> None:
            self.fabric = type("Fabric", (), {"global_rank": rank, "world_size": 3})

    from labcore.training import Loop

    parts = [Loop.part(Process(rank), items) for rank in range(3)]
    assert [len(part) for part in parts] == [3, 2, 2]
    assert sorted(int(item) for part in parts for item in part) == list(range(7))

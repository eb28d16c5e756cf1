"""Waiting in line."""

import os
import sys
import time

import pytest

from labcore.devices import Leases, Owner
from labcore.devices.lease.tickets import Queue, promised
from tests.labcore.devices.children import child, stopped

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tests POSIX's locks")
WAIT = """
    import sys
    from labcore.devices import Leases, Owner
    with Leases().opened() as desk:
        place = desk.queue.enter(Owner(pid=1, run="child", uuids=("a",), count=1))
    print("waiting")
    sys.stdin.read()
"""


def ticket(number: int, uuids: str, count: int = 1) -> Owner:
    return Owner(pid=number, uuids=tuple(uuids), count=count)


def dealt(queue: list[Owner], free: str, before: int | None = None) -> dict[str, int]:
    tickets = {owner.pid: owner for owner in queue}
    dealt = promised(tickets, set(free), before=before)
    return {uuid: owner.pid for uuid, owner in dealt.items()}


def test_who_comes_first_is_served_first():
    assert dealt([ticket(1, "ab"), ticket(2, "ab"), ticket(3, "ab")], "ab") == {"a": 1, "b": 2}


def test_a_later_one_may_have_what_the_earlier_ones_do_not_want():
    assert dealt([ticket(1, "a"), ticket(2, "ab")], "ab") == {"a": 1, "b": 2}


def test_who_wants_two_keeps_the_one_that_is_free():
    assert dealt([ticket(1, "ab", 2), ticket(2, "ab")], "b") == {"b": 1}


def test_only_those_before_count():
    queue = [ticket(1, "a"), ticket(2, "b")]
    assert dealt(queue, "ab", before=2) == {"a": 1}
    assert dealt(queue, "ab", before=1) == {}


def test_places_are_in_the_order_of_coming_even_if_the_clock_goes_back(tmp_path, monkeypatch):
    queue = Queue(tmp_path)
    first = queue.enter(Owner(pid=1))
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    second = queue.enter(Owner(pid=2))
    assert [each.pid for each in queue.tickets().values()] == [1, 2]
    first.leave()
    assert [each.pid for each in queue.tickets().values()] == [2]
    second.leave()
    assert list(tmp_path.iterdir()) == []


def test_the_ticket_of_a_killed_process_is_thrown_away():
    leases = Leases()
    with child(WAIT, {}) as waiter:
        assert waiter.stdout.readline() == "waiting\n"
        with leases.opened() as desk:
            assert [each.run for each in desk.queue.tickets().values()] == ["child"]
        stopped(waiter)
        with leases.opened() as desk:
            assert desk.queue.tickets() == {}
    assert list((leases.folder / "queue").iterdir()) == []


def test_a_waiter_that_has_not_looked_for_long_is_passed_over_until_it_looks(tmp_path):
    queue = Queue(tmp_path)
    place = queue.enter(Owner(pid=1))
    (note,) = tmp_path.glob("*.json")
    os.utime(note, (0, 0))
    assert queue.tickets() == {}
    place.update(Owner(pid=1))
    assert len(queue.tickets()) == 1
    place.leave()

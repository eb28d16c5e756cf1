"""The harness of the fuzzers: what it lets pass, and what it catches."""

import random

import pytest

from labcore.errors import UsageError
from tests.fuzz.harness import fuzz, mutated


def number(rng: random.Random) -> int:
    return rng.randrange(4)


def test_reading_and_refusing_are_both_right():
    def run(case: int) -> None:
        if case == 0:
            raise UsageError("no zero")

    outcome = fuzz("numbers", 40, number, run)

    assert not outcome.escaped
    assert outcome.read + outcome.refused["UsageError"] == 40
    assert 0 < outcome.read < 40


def test_another_exception_escapes_and_its_number_makes_the_case_again():
    def run(case: int) -> None:
        if case == 3:
            raise KeyError("three")

    outcome = fuzz("numbers", 20, number, run)

    assert outcome.escaped
    for escape in outcome.escaped:
        again = fuzz("numbers", 0, number, run, only=(escape.number,))
        assert again.escaped[0].case == escape.case == 3
    assert "KeyError: 'three'" in str(outcome)


def test_a_hang_escapes_though_the_case_catches_all_exceptions():
    def run(case: int) -> None:
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    outcome = fuzz("hang", 1, number, run, limit_s=0.1)

    assert "over 0.1 s" in outcome.escaped[0].reason


def test_a_case_that_wants_too_much_memory_escapes_and_the_next_has_it_again():
    wanted = [300, 1]

    def run(case: int) -> None:
        bytearray(wanted.pop(0) * 2**20)

    outcome = fuzz("memory", 2, number, run, memory_mib=200)

    assert [x.reason.partition(" at ")[0] for x in outcome.escaped] == ["over 200 MiB"]
    assert outcome.read == 1


@pytest.mark.parametrize("data", [b"", b"x", b"lr: {min: 1, max: 2}\n" * 20])
def test_mutations_depend_on_the_seed_alone(data: bytes):
    once = [mutated(data, random.Random(seed), words=(b"!!",)) for seed in range(50)]

    assert once == [mutated(data, random.Random(seed), words=(b"!!",)) for seed in range(50)]
    assert len(set(once)) > 1

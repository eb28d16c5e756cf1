"""Fuzzing with seeds: many damaged inputs, each under a limit of time and memory.

A case may be read or be refused by one of the expected errors. Anything else escapes: another
exception, more than the seconds, more than the memory. A case's number is its seed, so that
``fuzz(..., only=(17,))`` or ``--only 17`` makes case 17 again.
"""

import argparse
import faulthandler
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Generic, TypeVar

from labcore.errors import LabError

__all__ = ["Outcome", "fuzz", "fuzz_by_hand", "mutated"]

CaseT = TypeVar("CaseT")

_STUCK_S = 120
"""A case that waits this long without computing, such as for a pipe, ends the program."""


class TooSlow(BaseException):
    """A case used up its seconds. No Exception, so that no reader takes it for its own."""


@dataclass(kw_only=True, slots=True)
class Escape(Generic[CaseT]):
    """A case that ended in no expected way."""

    number: int
    case: CaseT
    reason: str
    """What was raised, and the place in the project where."""
    trace: str


@dataclass(kw_only=True, slots=True)
class Outcome(Generic[CaseT]):
    """What came of all cases."""

    name: str
    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Cases refused by each expected error."""
    escaped: list[Escape[CaseT]] = field(default_factory=list)
    slowest_s: float = 0.0
    grown_mib: float = 0.0
    """How far the process's peak of memory rose."""

    def __str__(self) -> str:
        refused = ", ".join(f"{count} {name}" for name, count in self.refused.most_common())
        lines = [
            f"{self.name}: {self.read} read, {sum(self.refused.values())} refused "
            f"({refused or 'none'}), {len(self.escaped)} escaped; slowest {self.slowest_s:.2f} s, "
            f"memory +{self.grown_mib:.0f} MiB"
        ]
        kinds: dict[str, list[Escape[CaseT]]] = {}
        for escape in self.escaped:
            kinds.setdefault(escape.reason, []).append(escape)
        for reason, those in sorted(kinds.items(), key=lambda item: -len(item[1])):
            lines.append(f"  {len(those)} x {reason}; the first is case {those[0].number}")
            lines.append(f"      {those[0].case!r:.300}")
        return "\n".join(lines)


def fuzz(
    name: str,
    cases: int,
    make: Callable[[random.Random], CaseT],
    run: Callable[[CaseT], object],
    expected: tuple[type[Exception], ...] = (LabError,),
    *,
    limit_s: float = 5.0,
    memory_mib: int = 1024,
    only: Iterable[int] | None = None,
) -> Outcome[CaseT]:
    """Makes cases and runs each.

    Args:
        name: What is fuzzed; a part of the seed.
        cases: How many.
        make: Makes a case of random numbers.
        run: Reads a case; returns, or raises one of the expected errors.
        expected: Errors that refuse a case as they should.
        limit_s: Seconds of processor time that a case may take.
        memory_mib: Memory that a case may ask for beyond what the process has.
        only: The numbers of the cases to run, where not all.
    """
    outcome: Outcome[CaseT] = Outcome(name=name)
    peak = _peak_mib()
    for number in range(cases) if only is None else only:
        case = make(random.Random(f"{name} {number}"))
        began = time.process_time()
        try:
            with _limits(limit_s, memory_mib):
                run(case)
        except expected as error:
            outcome.refused[type(error).__name__] += 1
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            outcome.escaped.append(
                Escape(
                    number=number,
                    case=case,
                    reason=_reason(error, limit_s, memory_mib),
                    trace="".join(traceback.format_exception(error)[-40:]),
                )
            )
        else:
            outcome.read += 1
        outcome.slowest_s = max(outcome.slowest_s, time.process_time() - began)
    outcome.grown_mib = _peak_mib() - peak
    return outcome


def fuzz_by_hand(
    name: str,
    make: Callable[[random.Random], CaseT],
    run: Callable[[CaseT], object],
    expected: tuple[type[Exception], ...] = (LabError,),
    *,
    cases: int = 10_000,
) -> int:
    """The main function of a fuzzing program; returns its exit code, 1 if a case escaped."""
    parser = argparse.ArgumentParser(description=f"fuzz {name} with fixed seeds")
    parser.add_argument("--cases", type=int, default=cases, help="how many (default %(default)s)")
    parser.add_argument("--only", type=int, action="append", help="run this case and show it")
    arguments = parser.parse_args()
    outcome = fuzz(name, arguments.cases, make, run, expected, only=arguments.only)
    if arguments.only is not None:
        for number in arguments.only:
            print(f"case {number}: {make(random.Random(f'{name} {number}'))!r}")
        for escape in outcome.escaped:
            print(escape.trace)
    print(outcome)
    return 1 if outcome.escaped else 0


def mutated(
    data: bytes, rng: random.Random, *, words: tuple[bytes, ...] = (), most: int = 4
) -> bytes:
    """Returns data with up to ``most`` changes: bytes flipped, cut out, doubled, or words put in.

    Args:
        data: What to damage.
        rng: Where the chance comes from.
        words: Pieces that matter to the format.
        most: The most changes.
    """
    changed = bytearray(data)
    for _ in range(rng.randint(1, most)):
        at = rng.randint(0, len(changed))
        end = min(len(changed), at + rng.choice((1, 1, 2, 4, 16, 64)))
        kind = rng.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] = rng.randrange(256)
        elif kind == 1:
            del changed[at:end]
        elif kind == 2:
            changed[at:at] = changed[at:end] * rng.choice((1, 2, 8))
        elif kind == 3 and words:
            changed[at : rng.choice((at, end))] = rng.choice(words)
        elif kind == 4:
            del changed[at:]
        else:
            there = rng.randint(0, len(changed))
            changed[at:end] = changed[there : there + end - at]
    return bytes(changed)


@contextmanager
def _limits(limit_s: float, memory_mib: int) -> Iterator[None]:
    """Processor time, so that a busy machine fails nobody; pytest-timeout's own timer is another.

    The limit of memory holds for what Python and C allocate together.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_data_bytes() + memory_mib * 2**20, hard))
    before = signal.signal(signal.SIGPROF, _too_slow)
    faulthandler.dump_traceback_later(_STUCK_S, exit=True, file=sys.__stderr__)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGPROF, before)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def _data_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if "VmData" in line) * 1024


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _reason(error: BaseException, limit_s: float, memory_mib: int) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [x for x in frames if "/labcore/" in x.filename or "/plugins/" in x.filename] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
    if isinstance(error, TooSlow):
        return f"over {limit_s:g} s at {place}"
    if isinstance(error, MemoryError):
        return f"over {memory_mib} MiB at {place}"
    return f"{type(error).__name__}: {str(error)[:120]} at {place}"

"""A run that waits for a GPU: its place, what it tells the user, and when it looks again."""

import dataclasses
import random
import time
from collections.abc import Callable, Sequence

from labcore.devices.candidates import Candidates, Look
from labcore.devices.choice import ranked
from labcore.devices.inventory.gpu import Gpu
from labcore.devices.lease.desk import Desk
from labcore.devices.lease.owner import Owner
from labcore.devices.lease.tickets import Place
from labcore.devices.pool import listed
from labcore.devices.request import DeviceRequest
from labcore.record.durations import format_duration

__all__ = ["Wait"]

_TELL_AGAIN_S = 60.0
_LONGEST_POLL_S = 5.0


class Wait:
    """A run's time in the queue.

    Args:
        request: Says how long.
        say: Tells the user.

    Attributes:
        place: In the queue, once the run is in it.
    """

    def __init__(self, request: DeviceRequest, say: Callable[[str], None]) -> None:
        self._request = request
        self._say = say
        self._began = time.monotonic()
        self._told: list[str] = []
        self._told_at = 0.0
        self._num_before = 0
        self.place: Place | None = None

    def is_over(self) -> bool:
        """Whether the run has waited for as long as it may."""
        return time.monotonic() - self._began >= self._request.wait_s

    def waited(self) -> str:
        """Returns how long the run has waited, in words; empty when it may not wait."""
        return format_duration(time.monotonic() - self._began) if self._request.wait_s else ""

    def queue(self, desk: Desk, owner: Owner, candidates: Candidates, look: Look) -> None:
        """Takes a place in the queue, or shows that the process is still there."""
        if not self._request.wait_s:
            return
        wanted = [gpu.uuid for gpu in ranked(look.wanted)]
        owner = dataclasses.replace(owner, uuids=tuple(wanted), count=candidates.need.count)
        if self.place is None:
            self.place = desk.queue.enter(owner)
        else:
            self.place.update(owner)
        self._num_before = sum(
            number < self.place.number and not {*wanted}.isdisjoint(other.uuids)
            for number, other in look.tickets.items()
        )

    def pause(self, candidates: Candidates, look: Look, poll_s: float) -> None:
        """Tells why the run waits, and sleeps until the next look."""
        now = time.monotonic()
        reasons = [f"{gpu.uuid} {_timeless(why)}" for gpu, why in look.refused]
        if reasons != self._told or now - self._told_at > _TELL_AGAIN_S:
            left = self._request.wait_s - (now - self._began)
            self._say(
                f"waiting for {_gpus(candidates.need.count)}, up to {format_duration(left)} "
                f"(Ctrl-C gives up)"
            )
            for line in listed(look.refused):
                self._say(f"  {line}")
            self._told, self._told_at = reasons, now
        pause = min(poll_s * (1 + self._num_before / 2), _LONGEST_POLL_S) * random.uniform(0.8, 1.2)
        time.sleep(max(0.0, min(pause, self._request.wait_s - (now - self._began))))

    def ended(self, chosen: Sequence[Gpu]) -> None:
        """Tells that the wait is over, if there was one."""
        if self._told:
            names = ", ".join(gpu.describe() for gpu in chosen)
            self._say(f"got {names} after {format_duration(time.monotonic() - self._began)}")

    def leave(self) -> None:
        """Leaves the queue."""
        if self.place is not None:
            self.place.leave()


def _gpus(count: int) -> str:
    return "a GPU" if count == 1 else f"{count} GPUs"


def _timeless(why: str) -> str:
    """Leaves the length of a lease out, which changes with every look."""
    return why.split(") for ")[0]

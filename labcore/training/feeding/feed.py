"""The place in the training data: which epoch, which batch of it."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from labcore.errors import RunFailed

if TYPE_CHECKING:
    from labcore.training.feeding.batches import BatchSource

__all__ = ["Feed"]


class Feed:
    """Hands out batches, epoch after epoch.

    Args:
        source: Where they come from.
        epoch_started: Called before the first batch of an epoch.
        epoch_ended: Called when the step that used the last one is over, or, with accumulation
            across the end of an epoch, when the next one begins.

    Attributes:
        epoch: Passes over the data that are complete.
        index: Batches of this epoch handed out so far.
    """

    def __init__(
        self,
        source: "BatchSource",
        *,
        epoch_started: Callable[[], None],
        epoch_ended: Callable[[], None],
    ) -> None:
        self._source = source
        self._length = len(source)
        self._epoch_started = epoch_started
        self._epoch_ended = epoch_ended
        self._iterator: Iterator[Any] | None = None
        self._is_announced = False
        self.epoch = 0
        self.index = 0
        if self._length < 1:
            raise RunFailed("there is no training data", fix="lower batch_size, or use more data")

    def open(self) -> Iterator[Any]:
        """Returns the iterator of this epoch, made if there is none yet."""
        if self._iterator is None:
            self._iterator = iter(self._source.batches(self.epoch, self.index))
        return self._iterator

    def begin_epoch_if_due(self) -> None:
        """Announces the epoch whose first batch comes next."""
        if self.index == 0 and not self._is_announced:
            self._is_announced = True
            self._epoch_started()

    def end_epoch_if_done(self) -> None:
        """Closes the epoch when its last batch has been used."""
        if self.index >= self._length:
            self._epoch_ended()
            self.epoch += 1
            self.index = 0
            self._iterator = None
            self._is_announced = False

    def next(self) -> Any:
        """Returns the next batch.

        Raises:
            RunFailed: The source ended before the length that it gave.
        """
        self.end_epoch_if_done()
        self.begin_epoch_if_due()
        try:
            batch = next(self.open())
        except StopIteration:
            raise RunFailed(
                f"the training data ended after {self.index} of {self._length} batches in epoch "
                f"{self.epoch}",
                fix="make len() of the data agree with what batches() yields",
            ) from None
        self.index += 1
        return batch

    def state_dict(self) -> dict[str, int]:
        """Returns the place."""
        return {"epoch": self.epoch, "index": self.index, "length": self._length}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to a place from :meth:`state_dict`.

        Raises:
            RunFailed: An epoch has another number of batches now, so the place means nothing.
        """
        if state["length"] != self._length:
            raise RunFailed(
                f"the checkpoint was written with {state['length']} batches in an epoch, and now "
                f"there are {self._length}",
                fix="go on with the same data, batch_size and number of processes",
            )
        self.epoch, self.index = state["epoch"], state["index"]
        self._iterator = None

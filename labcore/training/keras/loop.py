"""The training loop of Keras: its own ``train_step``, the lab's moments, checkpoints and stops."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from labcore.record.checkpoints import CheckpointStore
from labcore.record.trees import ARRAYS
from labcore.run.run import Run
from labcore.training.base_loop import BaseLoop
from labcore.training.config import LoopConfig
from labcore.training.divergence import NotFiniteError
from labcore.training.keras.state import (
    callback_state,
    generator_state,
    model_state,
    own_generators,
    restore_callback,
    restore_generators,
    restore_model,
)
from labcore.training.monitor import Reason
from labcore.training.seeds import mix

__all__ = ["KerasLoop", "Validate"]

Validate = Callable[[Any, "KerasLoop"], Mapping[str, float]]


class KerasLoop(BaseLoop):
    """A training of a Keras model under way; hooks and callbacks look at it.

    Metrics are those that the model was compiled with, over the steps since the last record,
    validation or checkpoint.

    Attributes:
        model: The compiled model.
    """

    def __init__(
        self,
        run: Run[Any],
        *,
        config: LoopConfig,
        model: Any,
        data: Any,
        validate: Validate | None,
        callbacks: Sequence[Any],
        checkpoints: Path,
        name: str = "",
    ) -> None:
        store = CheckpointStore(checkpoints, ARRAYS, keep_last=config.keep_last)
        super().__init__(run, store, config=config, validates=validate is not None, name=name)
        self.model = model
        self._validate_with = validate
        self._callbacks = list(callbacks)
        self._told = tf.keras.callbacks.CallbackList(
            self._callbacks, add_history=False, model=model
        )
        self._logs: dict[str, Any] = {}
        self._of_callbacks: Sequence[Mapping[str, Any]] = ()
        self._feed_from(data)
        step = functools.partial(tf.function, reduce_retracing=True, jit_compile=model.jit_compile)
        self._train = model.train_step if model.run_eagerly else step(model.train_step)

    def _epoch_started(self) -> None:
        super()._epoch_started()
        self._told.on_epoch_begin(self.epoch)

    def _epoch_ended(self) -> None:
        validation = self.validation if self._validated_at == self.step else {}
        values = {f"val_{name}": value for name, value in validation.items()}
        self._told.on_epoch_end(self.epoch, {**_numbers(self._logs), **values})
        super()._epoch_ended()

    def _restore(self) -> Path | None:
        found = self._store.newest_good(functools.partial(self._run.say, level="warning"))
        if found is None:
            return None
        path, state = found
        restore_model(self.model, state["model"])
        self.load_state_dict(state["loop"])
        self._feed.load_state_dict(state["feed"])
        self.monitor.load_state_dict(state["monitor"])
        self._hooks.load_state_dict(state["hooks"])
        restore_generators(state["generators"])
        self._logs = dict(state["logs"])
        self._of_callbacks = state["callbacks"]
        return path

    def _start(self) -> None:
        self.model.stop_training = False
        self._told.on_train_begin()
        # Callbacks begin anew in on_train_begin; what they had counted comes back after it.
        for callback, state in zip(self._callbacks, self._of_callbacks, strict=False):
            restore_callback(callback, state)
        self.model.reset_metrics()

    def _take_step(self) -> None:
        # An epoch ends here and not after its last step, so that callbacks see its validation.
        self._feed.end_epoch_if_done()
        self._feed.begin_epoch_if_due()
        self._tell("step_started")
        batch = tf.nest.map_structure(tf.convert_to_tensor, self._feed.next())
        number = self._feed.index - 1
        self._told.on_train_batch_begin(number)
        self._logs = self._train(batch)
        if self._callbacks:
            self._told.on_train_batch_end(number, _numbers(self._logs))
        self.step += 1
        self._tell("step_ended")

    def _reason_to_stop(self) -> Reason | None:
        reason = super()._reason_to_stop()
        return reason or ("early_stop" if self.model.stop_training else None)

    def _since_last_record(self) -> dict[str, float]:
        values = self._finite()
        values["lr"] = float(self.model.optimizer.learning_rate)
        self.model.reset_metrics()
        return values

    def _finite(self) -> dict[str, float]:
        values = _numbers(self._logs)
        if not tf.math.is_finite(values.get("loss", 0.0)):
            raise NotFiniteError("the loss", self.step)
        return values

    def _evaluate(self) -> dict[str, float]:
        assert self._validate_with is not None
        with own_generators(mix(self._seed, self.step)):
            self._tell("validation_started")
            values = _numbers(self._validate_with(self.model, self))
            self.monitor.update(values, self.step)
            self._tell("validation_ended", values=values)
        self.model.reset_metrics()
        return values

    def _write(self) -> Path | None:
        logs = self._finite()
        state = {
            "loop": self.state_dict(),
            "feed": self._feed.state_dict(),
            "monitor": self.monitor.state_dict(),
            "hooks": self._hooks.state_dict(),
            "model": model_state(self.model),
            "callbacks": [callback_state(each) for each in self._callbacks],
            "generators": generator_state(),
            "logs": logs,
        }
        self.model.reset_metrics()
        return self._store.save(state, self.step)

    def end_callbacks(self) -> None:
        """Tells the callbacks that the last epoch and the training are over."""
        self._feed.end_epoch_if_done()
        self._told.on_train_end(_numbers(self._logs))


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}

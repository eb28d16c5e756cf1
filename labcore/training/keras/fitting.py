"""``fit``: the one function that a plugin with a Keras model calls to train."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from labcore.errors import Interrupted, RunFailed, UsageError
from labcore.record.checkpoints import first_readable, stored_in
from labcore.record.trees import ARRAYS
from labcore.run.run import Run
from labcore.training.config import LoopConfig
from labcore.training.keras.loop import KerasLoop, Validate
from labcore.training.monitor import FitResult

__all__ = ["fit"]

_OF_TORCH = (
    "precision",
    "strategy",
    "devices",
    "nodes",
    "compile",
    "channels_last",
    "accumulate",
    "clip_norm",
    "skip_norm",
    "ema",
)


def fit(
    run: Run[Any],
    *,
    model: Any,
    data: Any,
    validate: Validate | None = None,
    callbacks: Sequence[Any] = (),
    config: LoopConfig | None = None,
    name: str = "",
) -> FitResult:
    """Trains a compiled Keras model, or goes on where an earlier process of the run stopped.

    Args:
        run: The run.
        model: Compiled and built, of Keras 3 on TensorFlow or of legacy Keras; wrapped for pruning,
            clustering or quantization too.
        data: Batches ``(x, y)``: an :class:`labcore.training.keras.ArrayBatches`, or anything else
            with ``len()`` and ``batches(epoch, start)``.
        validate: ``validate(model, loop)`` returns numbers, among them ``train.monitor``:
            ``lambda model, loop: model.evaluate(x, y, verbose=0, return_dict=True)``.
        callbacks: Keras callbacks, such as the ones that pruning needs. They see every step and
            epoch, and their numbers, texts and arrays are in the checkpoint.
        config: Options; ``run.config.train`` when left out.
        name: Keeps checkpoints and metrics apart when one run trains several models.

    Returns:
        How training ended. The model has its last weights; the best ones are in
        ``weights/model.weights.h5`` of the run folder.

    Raises:
        Interrupted: A signal asked for it; a checkpoint has been written.
        RunFailed: The loss is not finite, memory or disk ran out, or no checkpoint can be read.
        UsageError: An option was set that only torch's loop has.
    """
    config = config or run.config.train
    _refuse_options_of_torch(config)
    if not model.built:
        raise RunFailed(
            "the Keras model is not built, so there are no weights to go on with",
            fix="begin it with keras.Input(shape), or call model.build(shape) before fit",
        )
    checkpoints = run.checkpoints / name
    if not run.resuming and stored_in(checkpoints):
        raise RunFailed(
            f"{checkpoints} has checkpoints of another training of this run",
            fix="give each training of a run a name of its own: fit(..., name='teacher')",
        )
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    loop: KerasLoop | None = None
    try:
        with run.stop.deferred():
            loop = KerasLoop(
                run,
                config=config,
                model=model,
                data=data,
                validate=validate,
                callbacks=callbacks,
                checkpoints=checkpoints,
                name=name,
            )
            result = loop.run()
            loop.end_callbacks()
        run.stop.raise_if_set()  # a signal that came after the last look is not lost
    except BaseException as error:
        if loop is not None:
            reason = "signal" if isinstance(error, Interrupted) else "error"
            run.hooks.call("fit_ended", run=run, loop=loop, reason=reason)
        if isinstance(error, tf.errors.ResourceExhaustedError):
            raise RunFailed(
                f"out of memory: {str(error.message).partition(chr(10))[0]}",
                fix="lower batch_size",
            ) from error
        raise
    _leave_weights(run, model, checkpoints, f"{name or 'model'}.weights.h5")
    run.hooks.call("fit_ended", run=run, loop=loop, reason=result.reason)
    return result


def _refuse_options_of_torch(config: LoopConfig) -> None:
    standard = LoopConfig()
    wrong = [name for name in _OF_TORCH if getattr(config, name) != getattr(standard, name)]
    if wrong:
        raise UsageError(
            f"train.{wrong[0]}={getattr(config, wrong[0])} is for plugins of torch, and this one "
            "trains with Keras",
            fix=f"leave out {', '.join(f'train.{name}' for name in wrong)}; the optimizer of a "
            "Keras model has clipnorm, use_ema and gradient_accumulation_steps of its own",
        )


def _leave_weights(run: Run[Any], model: Any, checkpoints: Path, file: str) -> None:
    """Writes the best weights in Keras's format; the model keeps its last ones."""
    best = first_readable(checkpoints, ARRAYS)
    path = run.folder / "weights" / file
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f".new.{file}")
    last = model.get_weights()
    try:
        if best is not None:
            model.set_weights(best["model"]["weights"])
        model.save_weights(unfinished)
        unfinished.replace(path)
    except Exception as error:  # they are in the checkpoint too
        run.say(f"{file} could not be written: {error}", "warning")
        unfinished.unlink(missing_ok=True)
        return
    finally:
        model.set_weights(last)
    run.add_artifact(
        path,
        kind="model",
        title=f"Weights of the {file.partition('.')[0]}",
        caption="The best checkpoint's weights, for model.load_weights.",
        section="Model",
    )

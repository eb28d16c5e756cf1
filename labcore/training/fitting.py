"""``fit``: the one function that a plugin calls to train."""

from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from labcore.errors import Interrupted, RunFailed
from labcore.record.checkpoints import stored_in
from labcore.run.run import Run
from labcore.training.checkpoints.guard import explained_memory
from labcore.training.checkpoints.weights import export_weights
from labcore.training.config import LoopConfig
from labcore.training.feeding.batches import BatchSource
from labcore.training.loop import Loop, TrainingStep, Validate
from labcore.training.monitor import FitResult
from labcore.training.processes import launch
from labcore.training.recipes import ScheduleConfig
from labcore.training.seeding import use_deterministic_algorithms

__all__ = ["fit"]


def fit(
    run: Run[Any],
    *,
    model: nn.Module,
    optimizer: Optimizer,
    data: BatchSource,
    training_step: TrainingStep,
    validate: Validate | None = None,
    scheduler: LRScheduler | ScheduleConfig | None = None,
    config: LoopConfig | None = None,
    name: str = "",
) -> FitResult:
    """Trains a model, or goes on where an earlier process of the run stopped.

    Random numbers are seeded by ``run.config.seed``, or restored from the checkpoint, right before
    the first step: build the model before, from ``labcore.training.seed_everything``.

    Args:
        run: The run: its device, hooks, folder, and whether a signal asked it to stop.
        model: Any module; it is moved to the device.
        optimizer: Over the model's parameters.
        data: Training batches, such as :class:`labcore.training.TensorBatches`.
        training_step: ``training_step(model, batch, loop)`` returns the scalar ``loss`` and other
            scalars to record. Call ``model(...)`` itself rather than its methods, so that
            distributed training sees the call.
        validate: ``validate(model, loop)`` returns numbers, among them ``train.monitor``. It runs
            in eval mode without gradients, with the averaged weights if there are some, and with
            random numbers of its own. In distributed training every process calls it and the
            numbers are averaged; ``loop.part`` and ``loop.average`` share the work out.
        scheduler: Learning-rate schedule, stepped once for each optimiser step (a
            ReduceLROnPlateau once for each validation), or the options of one, which is then
            made for as many steps as the training has.
        config: Options; ``run.config.train`` when left out.
        name: Keeps checkpoints and metrics apart when one run trains several models.

    Returns:
        How training ended. The model has its last weights; ``labcore.training.load_weights`` reads
        the best ones, which are also in ``weights/model.safetensors`` of the run folder.

    Raises:
        Interrupted: A signal asked for it; a checkpoint has been written.
        RunFailed: The loss is not finite, memory or disk ran out, or no checkpoint can be read.
    """
    config = config or run.config.train
    checkpoints = run.checkpoints / name
    if run.is_main and not run.resuming and stored_in(checkpoints):
        raise RunFailed(
            f"{checkpoints} has checkpoints of another training of this run",
            fix="give each training of a run a name of its own: fit(..., name='teacher')",
        )
    if config.deterministic:
        use_deterministic_algorithms()
    loop: Loop | None = None
    try:
        with explained_memory(config), run.stop.deferred():
            loop = Loop(
                run,
                launch(run, config),
                config=config,
                model=model,
                optimizer=optimizer,
                data=data,
                training_step=training_step,
                validate=validate,
                scheduler=scheduler,
                checkpoints=checkpoints,
                name=name,
            )
            result = loop.run()
        run.stop.raise_if_set()  # a signal that came after the last look is not lost
    except BaseException as error:
        if loop is not None:
            reason = "signal" if isinstance(error, Interrupted) else "error"
            run.hooks.call("fit_ended", run=run, loop=loop, reason=reason)
        raise
    if run.is_main:
        _leave_weights(run, checkpoints, run.folder / "weights" / f"{name or 'model'}.safetensors")
    run.hooks.call("fit_ended", run=run, loop=loop, reason=result.reason)
    return result


def _leave_weights(run: Run[Any], checkpoints: Path, path: Path) -> None:
    """Exports the weights; they are in the checkpoint too, so a failure only warns."""
    try:
        written = export_weights(checkpoints, path)
    except Exception as error:
        run.say(f"{path.name} could not be written: {error}", "warning")
        return
    if written is not None:
        run.add_artifact(
            written,
            kind="model",
            title=f"Weights of the {path.stem}",
            caption="The best checkpoint's weights, as safetensors.",
            section="Model",
        )

"""A plugin that trains a small Keras model, plain or as TFMOT wraps it."""

import os
from dataclasses import dataclass, field
from typing import Any

from labcore import Plugin, Requires, Task
from labcore.run import Run
from labcore.training import LoopConfig

ROWS = 128


@dataclass
class Config:
    """Options."""

    kind: str = "plain"
    """plain, pruned, clustered or quantized."""
    width: int = 12
    """Units of the hidden layer."""
    patience: int = 0
    """Epochs without a better loss before the learning rate is halved."""
    train: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            max_steps=24, log_every=3, validate_every=8, checkpoint_every=5
        )
    )


def train(run: Run[Config]) -> None:
    import numpy as np
    import tensorflow as tf

    from labcore.training.keras import ArrayBatches, fit

    keras, config = tf.keras, run.config
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(ROWS, 8, 8, 1)).astype(np.float32)
    y = (x.mean(axis=(1, 2, 3)) > 0).astype(np.int64)
    layers: list[Any] = [
        keras.layers.Input((8, 8, 1)),
        keras.layers.Conv2D(4, 3),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(config.width, activation="relu", name="hidden"),
    ]
    if config.kind != "quantized":  # TFMOT knows no dropout
        layers.append(keras.layers.Dropout(0.3))
    model, callbacks = wrapped(keras.Sequential([*layers, keras.layers.Dense(2)]), config.kind)
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    run.model_ready(model)
    if config.patience:
        callbacks.append(keras.callbacks.ReduceLROnPlateau("loss", 0.5, config.patience))
    if crash := os.environ.get("KERASTOY_KILL"):
        callbacks.append(killer(keras, int(crash)))
    fit(
        run,
        model=model,
        data=ArrayBatches(x[:96], y[:96], batch_size=12, seed=config.seed),
        validate=lambda model, loop: model.evaluate(x[96:], y[96:], verbose=0, return_dict=True),
        callbacks=callbacks,
    )
    np.savez(run.folder / "final.npz", *model.get_weights())


def wrapped(model: Any, kind: str) -> tuple[Any, list[Any]]:
    if kind == "plain":
        return model, []
    import tensorflow_model_optimization as tfmot

    if kind == "pruned":
        schedule = tfmot.sparsity.keras.PolynomialDecay(0, 0.8, 0, 20, frequency=3)
        pruned = tfmot.sparsity.keras.prune_low_magnitude(model, schedule)
        return pruned, [tfmot.sparsity.keras.UpdatePruningStep()]
    if kind == "clustered":
        start = tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS
        return tfmot.clustering.keras.cluster_weights(model, 4, start), []
    return tfmot.quantization.keras.quantize_model(model), []


def killer(keras: Any, step: int) -> Any:
    class Killer(keras.callbacks.Callback):
        left = step

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            Killer.left -= 1
            if not Killer.left:
                os.kill(os.getpid(), 9)

    return Killer()


def declared(env: dict[str, str]) -> Plugin:
    return Plugin(
        name="kerastoy",
        summary="a small Keras model",
        tasks=(
            Task(
                name="train", summary="train", run=f"{__name__}:train", trains=True, datasets=False
            ),
        ),
        config=Config,
        requires=Requires(framework="tensorflow", packages=("tensorflow",), env=env),
    )


plugin = declared({})
legacy = declared({"TF_USE_LEGACY_KERAS": "1"})

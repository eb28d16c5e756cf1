"""Options of the loop, which the command line reads with no framework installed."""

import subprocess
import sys

import pytest

from labcore.training.config import LoopConfig


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_steps", 0),
        ("max_steps", -1),
        ("max_epochs", -1),
        ("max_time", "0s"),
        ("devices", 0),
        ("nodes", 0),
        ("accumulate", 0),
        ("log_every", 0),
        ("checkpoint_every", 0),
        ("keep_last", 0),
        ("validate_every", -1),
        ("patience", -1),
        ("clip_norm", 0.0),
        ("skip_norm", -1.0),
        ("ema", 1.0),
        ("precision", "fp16"),
        ("strategy", "fsdp"),
    ],
)
def test_an_impossible_option_is_named(option: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"train.{option}|train.*{option}"):
        LoopConfig(**{option: value})


@pytest.mark.parametrize(
    ("options", "last"),
    [
        ({"max_steps": 10, "max_epochs": 3}, 10),
        ({"max_steps": 0, "max_epochs": 3}, 21),
        ({"max_epochs": 3, "accumulate": 2}, 11),  # 21 batches are ten pairs and one more
        ({"max_epochs": 2, "accumulate": 2}, 7),
        ({"max_epochs": 1, "accumulate": 50}, 1),
    ],
)
def test_training_ends_by_steps_or_by_epochs_whichever_comes_first(
    options: dict[str, int], last: int
) -> None:
    assert LoopConfig(**options).last_step(num_batches=7) == last


def test_reading_the_options_imports_no_framework() -> None:
    program = (
        "import sys; from labcore.training import LoopConfig, Goal; LoopConfig();"
        "loaded = {'torch', 'lightning_fabric', 'numpy'} & set(sys.modules);"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    import labcore.training

    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        labcore.training.fitt  # noqa: B018  # looking it up is the point

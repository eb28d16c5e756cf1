"""Options of the loop, which the command line reads with no framework installed."""

import subprocess
import sys

import pytest

from labcore.training.config import LoopConfig, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("1h2m3s", 3723), ("45", 45), ("0.5m", 30)],
)
def test_a_duration_is_read(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "5 minutes", "m", "30m1h", "-"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 90s, 5m or 1h30m"):
        seconds(text)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_steps", 0),
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

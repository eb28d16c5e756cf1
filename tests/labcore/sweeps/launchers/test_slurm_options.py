"""``--slurm KEY=VALUE``: what is right, and every mistake at once with the nearest right name."""

import pytest

from labcore.errors import UsageError
from labcore.sweeps.launchers.slurm_options import SlurmOptions, read_minutes


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90", 90),
        ("30:00", 30),
        ("30:01", 31),
        ("2:00:00", 120),
        ("00:00:30", 1),
        ("1-12", 36 * 60),
        ("1-12:30", 36 * 60 + 30),
        ("2-00:00:01", 48 * 60 + 1),
    ],
)
def test_slurms_forms_of_a_time_are_read(text, minutes):
    assert read_minutes(text) == minutes


@pytest.mark.parametrize("text", ["", "1h", "1:2:3:4", "-5", "1.5", "0", "0:00"])
def test_other_forms_are_refused(text):
    with pytest.raises(ValueError, match=r"time"):
        read_minutes(text)


def test_options_are_read_with_their_types():
    options = SlurmOptions.read(
        ["partition=gpu", "time=1:30:00", "cpus=8", "gpus=0", "mem=16g", "setup=a b=c", "setup=d"]
    )
    assert options == SlurmOptions(
        partition="gpu", time=90, cpus=8, gpus=0, mem="16G", setup=("a b=c", "d")
    )
    assert SlurmOptions.read([]) == SlurmOptions()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("partiton=gpu", "there is no such key; did you mean partition?"),
        ("xyz=1", "there is no such key; the keys are executor, partition"),
        ("partition", "write it as partition=VALUE"),
        ("partition=", "write it as partition=VALUE"),
        ("cpus=0", "write a whole number from 1 on"),
        ("cpus=many", "write a whole number from 1 on"),
        ("signal=5", "write a whole number from 10 on"),
        ("mem=lots", "write memory as 16G"),
        ("executor=pbs", "local to try the sweep out"),
        ("time=soon", "write a time as minutes"),
    ],
)
def test_a_mistake_is_told_with_what_is_right(word, said):
    with pytest.raises(UsageError) as caught:
        SlurmOptions.read([word])
    assert caught.value.problems[0].startswith(f"{word}: ")
    assert said in caught.value.problems[0]


def test_all_mistakes_are_told_at_once():
    with pytest.raises(UsageError, match="nothing was started") as caught:
        SlurmOptions.read(["acount=a", "cpus=x", "qos=a", "qos=b", "gpus=1", "gres=gpu:1"])
    assert len(caught.value.problems) == 4


def test_a_warning_must_come_within_the_time_of_the_job():
    with pytest.raises(UsageError) as caught:
        SlurmOptions.read(["time=2"])
    assert "a job of 120 seconds that is warned 120 seconds before" in caught.value.problems[0]
    assert SlurmOptions.read(["time=2", "signal=30"]).signal == 30

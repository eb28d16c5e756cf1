"""The study: a trial is in it before it starts, and its outcome is written once."""

import math
from pathlib import Path

import pytest

from labcore.errors import RequirementError
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.store import JOURNAL, TrialStore

pytestmark = pytest.mark.ml
optuna = pytest.importorskip("optuna", reason="the study is Optuna's")


@pytest.fixture
def distributions():
    return {"x": optuna.distributions.FloatDistribution(0, 1)}


def record(number=0, **fields):
    defaults = {"values": {"x": 0.5, "layers": [1, 2]}, "params": {"x": 0.5}, "created": 1.0}
    return Record(number=number, folder=Path("/runs/s"), **{**defaults, **fields})


def read_again(folder, **options):
    store = TrialStore(folder, "s", **options)
    return store.records()


def test_a_trial_is_in_the_study_as_soon_as_it_is_created(tmp_path, distributions):
    store = TrialStore(tmp_path, "s")
    made = store.create(record(started=2.0), distributions)
    assert read_again(tmp_path) == [made]
    assert made.is_open


def test_a_trial_comes_back_with_its_logs_those_that_are_not_finite_too(tmp_path, distributions):
    store = TrialStore(tmp_path, "s")
    made = store.create(record(), distributions)
    made.history = [0.5, math.nan, 0.25]
    store.log(made)
    made.history = [0.5, math.nan, 0.25, math.nan]
    store.log(made)
    (again,) = read_again(tmp_path)
    assert again.history[0::2] == [0.5, 0.25]
    assert [math.isnan(value) for value in again.history] == [False, True, False, True]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("completed", "COMPLETE"),
        ("stopped early", "PRUNED"),
        ("diverged", "PRUNED"),
        ("failed", "FAIL"),
    ],
)
def test_optuna_sees_an_outcome_as_its_own_state(tmp_path, distributions, outcome, state):
    store = TrialStore(tmp_path, "s", goal="maximize")
    made = store.create(record(), distributions)
    made.outcome, made.reason, made.value = outcome, "because", 0.25
    store.finish(made)
    (again,) = read_again(tmp_path)
    assert (again.outcome, again.reason, again.value) == (outcome, "because", 0.25)
    assert again.ended is not None
    storage = store._storage
    (trial,) = storage.get_all_trials(storage.get_study_id_from_name("s"))
    assert trial.state.name == state


def test_an_outcome_cannot_be_changed(tmp_path, distributions):
    store = TrialStore(tmp_path, "s")
    made = store.create(record(), distributions)
    made.outcome, made.value = "completed", 0.25
    store.finish(made)
    made.outcome = "failed"
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        store.finish(made)
    assert read_again(tmp_path)[0].outcome == "completed"


def test_a_controller_killed_between_outcome_and_end_is_made_up_for(tmp_path, distributions):
    store = TrialStore(tmp_path, "s")
    made = store.create(record(), distributions)
    made.outcome, made.value = "completed", 0.25
    store.update(made)
    assert TrialStore(tmp_path, "s", reading=True).records()[0].outcome == "completed"
    again = TrialStore(tmp_path, "s")
    again.records()
    (trial,) = again._storage.get_all_trials(again._study)
    assert trial.state.name == "COMPLETE"


def test_half_a_line_that_a_killed_controller_left_is_cut_off(tmp_path, distributions):
    store = TrialStore(tmp_path, "s")
    store.create(record(), distributions)
    with (tmp_path / JOURNAL).open("ab") as stream:
        stream.write(b'{"op_code": 4, "wor')
    again = TrialStore(tmp_path, "s")
    assert len(again.records()) == 1
    again.create(record(1), distributions)
    assert [each.number for each in read_again(tmp_path)] == [0, 1]


def test_whoever_only_reads_makes_no_study_and_leaves_half_a_line(tmp_path, distributions):
    assert read_again(tmp_path, reading=True) == []
    assert not (tmp_path / JOURNAL).exists()
    TrialStore(tmp_path, "s").create(record(), distributions)
    with (tmp_path / JOURNAL).open("ab") as stream:
        stream.write(b'{"op_code": 4, "wor')
    before = (tmp_path / JOURNAL).read_bytes()
    assert len(read_again(tmp_path, reading=True)) == 1
    assert (tmp_path / JOURNAL).read_bytes() == before


def overwritten(data):
    middle = len(data) // 2
    return data[:middle] + b"\x00\xff{{" + data[middle + 4 :]


def of_tomorrow(data):
    return data + b'{"op_code": 99, "worker_id": "x"}\n'


@pytest.mark.parametrize(
    ("damaged", "says"),
    [
        (overwritten, r"line \d of \d is damaged"),
        (of_tomorrow, r"line \d of \d is damaged"),
        (lambda data: data + b"null\n", r"line \d of \d is damaged"),
        (lambda data: data.replace(b'"values"', b'"volues"'), "cannot be used"),
        (lambda data: b"", "it has 0 of the 2 trials"),
        (lambda data: data[: data.index(b"\n") + 1], "it has 0 of the 2 trials"),
    ],
)
@pytest.mark.parametrize("reading", [True, False])
def test_a_damaged_journal_is_told_with_what_helps(tmp_path, distributions, damaged, says, reading):
    store = TrialStore(tmp_path, "s")
    for number in range(2):
        store.create(record(number), distributions)
    journal = tmp_path / JOURNAL
    journal.write_bytes(damaged(journal.read_bytes()))
    before = journal.read_bytes()
    with pytest.raises(RequirementError, match=says) as error:
        TrialStore(tmp_path, "s", reading=reading, expected=2).records()
    assert str(journal) in error.value.message
    assert "put back a copy of it" in error.value.fix
    assert not reading or journal.read_bytes() == before


def test_a_journal_that_is_gone_is_told(tmp_path):
    with pytest.raises(RequirementError, match="it has 0 of the 3 trials"):
        TrialStore(tmp_path, "s", reading=True, expected=3)


def test_a_damaged_database_file_is_told_with_what_helps(tmp_path, distributions):
    file = tmp_path / "study.db"
    url = f"sqlite:///{file}"
    store = TrialStore(tmp_path, "s", url=url)
    store.create(record(), distributions)
    store.close()
    data = file.read_bytes()
    file.write_bytes(b"\x00" * 200 + data[200:])
    with pytest.raises(RequirementError, match="cannot be used") as error:
        TrialStore(tmp_path, "s", url=url, reading=True)
    assert "sqlite:////absolute/path" in error.value.fix
    assert "postgresql" not in error.value.fix


def test_whoever_only_reads_makes_no_database(tmp_path):
    with pytest.raises(RequirementError, match="there is no file"):
        TrialStore(tmp_path, "s", url=f"sqlite:///{tmp_path / 'typo.db'}", reading=True)
    assert not (tmp_path / "typo.db").exists()


def test_a_number_that_is_taken_is_refused(tmp_path, distributions):
    store = TrialStore(tmp_path, "s")
    store.create(record(), distributions)
    with pytest.raises(RequirementError, match="did not make"):
        store.create(record(0), distributions)


def test_a_database_by_url_holds_the_study(tmp_path, distributions):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    store = TrialStore(tmp_path, "s", url=url)
    made = store.create(record(), distributions)
    made.history, made.outcome, made.value = [0.5], "completed", 0.5
    store.finish(made)
    store.close()
    assert not (tmp_path / JOURNAL).exists()
    (again,) = read_again(tmp_path, url=url)
    assert (again.value, again.values) == (0.5, {"x": 0.5, "layers": [1, 2]})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "cannot be used"),
        ("mysql+nodriver://me:secret@host/x", "cannot be used"),
        ("sqlite:////nowhere/at/all/study.db", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_had_is_told_without_its_password(tmp_path, url, says):
    with pytest.raises(RequirementError, match=says) as error:
        TrialStore(tmp_path, "s", url=url)
    assert "secret" not in str(error.value)

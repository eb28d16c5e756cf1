"""W&B for real, without a network: offline runs in the run folder."""

import dataclasses
import enum
import subprocess
import sys
from pathlib import Path

import pytest

from labcore.hooks.wandb.hook import WeightsAndBiases, _plain, _run_id, has_credentials

pytest.importorskip("wandb", reason="needs W&B: pip install wandb")


@pytest.fixture(autouse=True)
def nobody_is_logged_in(monkeypatch, tmp_path):
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return tmp_path / "netrc"


def test_an_api_key_in_the_environment_or_in_netrc_counts_as_logged_in(
    monkeypatch, nobody_is_logged_in
):
    netrc = nobody_is_logged_in
    assert not has_credentials()
    netrc.write_text("machine wandb.example.org\n  login user\n  password secret\n")
    assert not has_credentials()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org:8080")
    assert has_credentials()
    netrc.unlink()
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert has_credentials()


def test_auto_is_online_only_with_a_key_and_follows_wandb_mode(monkeypatch):
    hook = WeightsAndBiases()
    assert hook._choose_mode() == "offline"
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert hook._choose_mode() == "online"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert hook._choose_mode() == "disabled"
    assert WeightsAndBiases(mode="offline")._choose_mode() == "offline"


def test_a_mode_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="online, offline"):
        WeightsAndBiases(mode="of")


def test_the_id_lasts_as_long_as_the_run(run):
    first = _run_id(run)
    assert _run_id(run) == first
    run.status.created += 1
    assert _run_id(run) != first


def test_configs_are_sent_as_plain_values():
    class Goal(enum.Enum):
        minimize = "minimize"

    @dataclasses.dataclass
    class Inner:
        goal: Goal = Goal.minimize

    @dataclasses.dataclass
    class Config:
        inner: Inner = dataclasses.field(default_factory=Inner)
        sizes: tuple = (1, 2)
        folder: Path = Path("here")

    assert _plain(Config()) == {"inner": {"goal": "minimize"}, "sizes": [1, 2], "folder": "here"}


def test_an_offline_run_lies_in_the_run_folder_and_says_how_to_upload_it(tmp_path):
    """In a process of its own: W&B leaves threads and a service behind."""
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        "from conftest import FakeRun\n"
        "from labcore.hooks import HookSet\n"
        "from labcore.hooks.wandb.hook import WeightsAndBiases\n"
        "folder = Path(sys.argv[3]); folder.mkdir()\n"
        "hooks = HookSet(); run = FakeRun(folder, hooks)\n"
        "hooks.register('wandb', WeightsAndBiases(mode='offline', tags=['test']))\n"
        "hooks.call('run_started', run=run)\n"
        "for step in range(3): run.log_metrics({'loss': 1.0}, step=step)\n"
        "run.log_metrics({'loss': 0.5}, step=1, phase='val')\n"
        "hooks.call('histogram', run=run, name='a', counts=[1, 2], edges=[0., 1., 2.], step=1)\n"
        "path = run.artifact_path('table.txt'); path.write_text('text')\n"
        "run.add_artifact(path, kind='text', title='Table')\n"
        "hooks.call('run_ended', run=run, state='finished')\n"
        "assert not hooks.dropped, hooks.dropped\n"
        "assert 'wandb sync' in run.said[-1][1], run.said\n"
    )
    here = Path(__file__).parents[1]  # where conftest.py is
    root = here.parents[2]
    folder = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, str(program), str(root), str(here), str(folder)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    (record,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    data = record.read_bytes()
    for word in (b"train/loss", b"val/loss", b"taps/a", b"toy", b"smoke", b"table.txt"):
        assert word in data
    assert not (tmp_path / "wandb").exists()

"""``--launcher`` and its options: what is refused and why, and how a cluster is shared."""

import importlib.util
import json
import subprocess
import sys

import pytest

from labcore.errors import RequirementError, UsageError
from labcore.sweeps.agents import LocalStarter
from labcore.sweeps.folder import Settings
from labcore.sweeps.launchers import agents_of, check_launcher, connect
from labcore.sweeps.launchers.choose import gpus_of, share
from labcore.sweeps.launchers.ray_cluster import Node
from labcore.sweeps.prepare import prepare
from tests.labcore.sweeps.sweeping import SWEEP, begin


@pytest.fixture
def prepared(tmp_path, toy):
    file = tmp_path / "s.json"
    file.write_text(json.dumps(SWEEP))

    def call(*overrides):
        return prepare(file, ("plugin=toy", *overrides))

    return call


@pytest.fixture
def installed(monkeypatch):
    """Lets Ray and submitit seem to be there."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: name if name in {"ray", "submitit"} else found(name),
    )


def settings(**values):
    return Settings(file="s.json", source="s.json", plugin="toy", **values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"launcher": "ray", "engine": "wandb"}, "W&B's agents start their trials themselves"),
        ({"slurm": ("time=1",)}, "--slurm is for --launcher slurm"),
        ({"launcher": "ray", "slurm": ("time=1",)}, "--slurm is for --launcher slurm"),
        ({"ray_address": "auto"}, "--ray-address is for --launcher ray"),
        ({"launcher": "ray", "ray_address": "head"}, "write it as auto or HOST:PORT"),
        ({"launcher": "ray", "ray_address": "ray://h:1"}, "on a machine of the cluster, with auto"),
        ({"launcher": "slurm", "slurm": ("tim=1",)}, "did you mean time?"),
    ],
)
def test_options_that_do_not_go_together_are_refused(prepared, installed, values, said):
    with pytest.raises(UsageError) as error:
        check_launcher(settings(**values), prepared())
    assert said in str(error.value)


@pytest.mark.parametrize("device", ["device=cuda:0", "device=GPU-12"])
def test_one_gpu_of_one_machine_cannot_be_meant(prepared, installed, device):
    with pytest.raises(UsageError, match="names one GPU of one machine"):
        check_launcher(settings(launcher="ray"), prepared(device))


@pytest.mark.parametrize(("launcher", "extra"), [("ray", "ray"), ("slurm", "slurm")])
def test_a_package_that_is_missing_is_named_with_its_extra(prepared, monkeypatch, launcher, extra):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RequirementError) as error:
        check_launcher(settings(launcher=launcher), prepared())
    assert f'pip install -e ".[{extra}]"' in str(error.value)
    assert error.value.exit_code == 3


def test_a_machine_without_slurm_is_told_how_to_try_it(prepared, installed, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    wanted = settings(launcher="slurm")
    with pytest.raises(RequirementError, match="sbatch, squeue, scancel, srun") as error:
        check_launcher(wanted, prepared())
    assert "--slurm executor=local" in str(error.value)
    check_launcher(wanted, prepared(), starting=False)
    check_launcher(settings(launcher="slurm", slurm=("executor=local",)), prepared())


def test_a_cluster_that_does_not_listen_is_told_before_anything_is_made(prepared, installed):
    with pytest.raises(RequirementError, match="no Ray cluster answers at localhost:1"):
        check_launcher(settings(launcher="ray", ray_address="localhost:1"), prepared())


def test_windows_is_told_what_it_has_instead(prepared, installed, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(RequirementError, match="works on Linux and macOS"):
        check_launcher(settings(launcher="ray"), prepared())


def test_this_machine_needs_nothing(prepared, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_launcher(settings(), prepared())


def test_how_many_at_once_depends_on_who_has_the_machines(prepared):
    on_cpu = prepared("device=cpu")
    assert agents_of(on_cpu, settings()) == 1
    assert agents_of(on_cpu, settings(launcher="ray")) == 1
    assert agents_of(on_cpu, settings(launcher="ray", ray_address="auto")) == 0
    assert agents_of(on_cpu, settings(launcher="slurm")) == 4


@pytest.mark.parametrize(
    ("device", "gpus"), [("device=cpu", 0), ("device=auto", 0), ("device=cuda", 1)]
)
def test_a_trial_takes_a_gpu_when_it_is_asked_for(prepared, device, gpus):
    assert gpus_of(prepared(device)) == gpus


def node(cpus, gpus=0):
    return Node(cpus, gpus)


@pytest.mark.parametrize(
    ("nodes", "gpus", "agents", "expected"),
    [
        ([node(8)], 0, 0, (1, 8)),
        ([node(8), node(4)], 0, 0, (2, 4)),
        ([node(8), node(8)], 0, 5, (5, 2)),
        ([node(2)], 0, 4, (4, 1)),
        ([node(16, 4), node(8, 2), node(64)], 1, 0, (6, 4)),
        ([node(16, 4), node(8, 1)], 2, 0, (2, 8)),
        ([node(0), node(4)], 0, 0, (1, 4)),
        ([node(8)], 1, 0, (1, 1)),
    ],
)
def test_a_cluster_is_shared_evenly(nodes, gpus, agents, expected):
    assert share(nodes, gpus, agents) == expected


def test_a_ray_cluster_is_asked_for_what_its_machines_have(tmp_path, toy, monkeypatch):
    made = {}

    class Cluster:
        nodes = (node(8, 2), node(8, 2))

        def __init__(self, **options):
            made.update(options, cluster=self)

    monkeypatch.setattr("labcore.sweeps.launchers.choose.RayCluster", Cluster)
    folder = begin(tmp_path, SWEEP, launcher="ray", ray_address="auto", agents=0)
    remote = connect(folder, prepare(folder.file, ("plugin=toy", "device=cuda")), folder.settings())
    assert remote.agents == 4
    assert (made["cluster"].trial_cpus, made["cluster"].trial_gpus) == (4, 1)
    assert (made["address"], made["log"]) == ("auto", folder.path / "ray.log")
    assert remote.warnings == ()
    remote = connect(
        folder,
        prepare(folder.file, ("plugin=toy", "device=cuda", "device.count=4")),
        folder.settings(),
    )
    assert "no machine of the Ray cluster has 4 GPUs and 1 CPUs now" in remote.warnings[0]


def test_trials_on_this_machine_are_its_own_processes(tmp_path, toy):
    folder = begin(tmp_path, SWEEP, agents=3)
    here = connect(folder, prepare(folder.file, ("plugin=toy",)), folder.settings())
    assert isinstance(here.starter, LocalStarter)
    assert here.agents == 3


def test_a_sweep_keeps_its_launcher(tmp_path, toy):
    words = ("executor=local", "setup=a b")
    folder = begin(tmp_path, SWEEP, launcher="slurm", slurm=words, ray_address="")
    assert (folder.settings().launcher, folder.settings().slurm) == ("slurm", words)
    row = json.loads((folder.path / "settings.json").read_text())
    for name in ("launcher", "slurm", "ray_address"):  # as older sweeps have none
        del row[name]
    (folder.path / "settings.json").write_text(json.dumps(row))
    assert folder.settings().launcher == "local"
    assert folder.settings().slurm == ()


def test_no_scheduler_is_imported_to_offer_the_choice():
    code = (
        "import pkgutil, sys, importlib, labcore.sweeps.launchers as package\n"
        "for each in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(each.name)\n"
        "heavy = {'ray', 'submitit', 'torch', 'numpy', 'optuna'} & set(sys.modules)\n"
        "sys.exit(','.join(heavy) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

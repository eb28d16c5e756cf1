"""``lab run``: printing, dry runs, and the errors that a user meets."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from labcore import Interrupted, LabError, UsageError
from labcore.cli.runs.run import run
from labcore.config import compose
from labcore.discovery import find_plugins
from labcore.life import execute as life
from labcore.record.status import read_status

ROOT = Path(__file__).parents[4]
WITH_DATA = """
def work(run):
    print("worked with", run.config.amount)
plugin = Plugin(
    name="toy", summary="A toy.", config=Config,
    tasks=(Task(name="work", summary="Works.", run=__name__ + ":work"),),
    datasets=(Dataset(name="tunes", summary="Tunes.", source="pypi:tunes==1.0", licence="MIT",
                      size_mb=3.5, sha256="0" * 64),),
    presets={"laptop": "minutes"}, configs="toy_configs",
    requires=Requires(packages=PACKAGES),
)
"""


@pytest.fixture
def toy(
    write_plugin: Callable[[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plugin("toy", WITH_DATA.replace("PACKAGES", "()"))
    (tmp_path / "toy_configs/preset").mkdir(parents=True)
    (tmp_path / "toy_configs/preset/laptop.yaml").write_text("# @package _global_\namount: 5\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "data"))


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(run, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result


@pytest.mark.usefixtures("toy")
def test_cfg_job_prints_the_yaml_of_the_composed_config() -> None:
    printed = invoke("plugin=toy", "amount=3", "--cfg", "job").stdout
    assert printed == compose(find_plugins()["toy"], ["plugin=toy", "amount=3"]).to_yaml()
    assert yaml.safe_load(printed)["amount"] == 3


@pytest.mark.usefixtures("toy")
def test_a_bare_first_word_is_the_plugin() -> None:
    typed, bare = (invoke(word, "amount=3", "--cfg", "job") for word in ("plugin=toy", "toy"))
    assert bare.stdout == typed.stdout


@pytest.mark.usefixtures("toy")
def test_a_bare_first_word_that_is_no_plugin_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean toy"):
        invoke("toyy", "amount=3")


@pytest.mark.usefixtures("toy")
def test_resolve_puts_values_in_the_place_of_references() -> None:
    arguments = ("plugin=toy", "taps_every=${amount}", "--cfg", "job")
    assert yaml.safe_load(invoke(*arguments).stdout)["taps_every"] == "${amount}"
    assert yaml.safe_load(invoke(*arguments, "--resolve").stdout)["taps_every"] == 5


@pytest.mark.usefixtures("toy")
def test_package_prints_one_part() -> None:
    printed = invoke("plugin=toy", "hooks=none", "-c", "job", "-p", "hooks").stdout
    assert printed == "# @package hooks\njsonl: {}\n"
    assert invoke("plugin=toy", "-c", "job", "-p", "amount").stdout == "5\n"


@pytest.mark.usefixtures("toy")
def test_cfg_hydra_and_all_show_hydras_node() -> None:
    hydra = yaml.safe_load(invoke("plugin=toy", "-c", "hydra").stdout)
    everything = yaml.safe_load(invoke("plugin=toy", "-c", "all").stdout)
    assert list(hydra) == ["hydra"]
    assert hydra["hydra"]["job"]["chdir"] is False
    assert everything["hydra"]["job"] == hydra["hydra"]["job"]
    assert everything["amount"] == 5
    assert "hydra" in yaml.safe_load(invoke("plugin=toy", "-c", "hydra", "--resolve").stdout)


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("flags", "expected"),
    [(["plugin=toy", "--info", "defaults"], "preset/laptop"), (["--hydra-help"], "== Flags ==")],
)
def test_questions_to_hydra_are_answered_by_hydra(flags: list[str], expected: str) -> None:
    # In a process of its own, since Hydra sets up logging for it.
    done = subprocess.run(
        [sys.executable, "-m", "labcore", "run", *flags],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ['PYTHONPATH']}"},
    )
    assert expected in done.stdout


@pytest.mark.usefixtures("toy")
def test_a_dry_run_tells_everything_and_leaves_nothing(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    printed = invoke("plugin=toy", "seed=3", "device=cpu", "--dry-run").stdout
    rows = {tuple(line.lstrip("*").split()[:3]) for line in printed.splitlines()}
    marked = [line.split()[1] for line in printed.splitlines() if line.startswith("* ")]
    assert ("amount", "5", "preset") in rows
    assert ("seed", "3", "command") in rows
    assert ("taps_every", "100", "default") in rows
    assert marked[:3] == ["seed", "device.name", "amount"]
    assert "device        CPU" in printed
    assert "toy/tunes: not here" in printed
    assert "3.5 MB" in printed
    assert "runs/toy/" in printed
    assert "-work-laptop" in printed
    assert [path for path in sorted(tmp_path.rglob("*")) if "__pycache__" not in path.parts] == [
        path for path in before if "__pycache__" not in path.parts
    ]


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("+hooks.console={evry_s: 1}", "hooks.console has no option 'evry_s'"),
        ("+hooks.console={mode: loud}", "mode is 'loud'; use one of auto, live, plain"),
        ("+taps={fc: [histgram]}", "no kind 'histgram'; did you mean histogram?"),
    ],
)
@pytest.mark.usefixtures("toy")
def test_wrong_hooks_are_refused_before_there_is_a_folder(
    tmp_path: Path, override: str, says: str
) -> None:
    for more in ([], ["--dry-run"]):
        with pytest.raises(UsageError, match=re.escape(says)):
            invoke("plugin=toy", "hooks=none", override, *more)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("no_such_module:work", "there is no module no_such_module"),
        ("toy_tasks:wrok", "there is no wrok in toy_tasks; did you mean work."),
    ],
)
def test_a_task_that_is_not_where_it_is_declared_is_refused_before_there_is_a_folder(
    write_plugin: Callable[[str, str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy_tasks.py").write_text("import nothing_of_this_name\ndef work(run): pass\n")
    write_plugin(
        "toy",
        f"""
        plugin = Plugin(name="toy", summary="", config=Config,
                        tasks=(Task(name="work", summary="", run="{path}"),))
        """,
    )
    for more in ([], ["--dry-run"]):
        with pytest.raises(UsageError, match=says):
            invoke("plugin=toy", *more)
    assert not (tmp_path / "runs").exists()


def test_a_monitored_metric_that_no_validation_gives_is_refused_with_the_nearest_name(
    write_plugin: Callable[[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_plugin(
        "toy",
        """
        from dataclasses import field
        from labcore.training import LoopConfig
        def work(run): pass
        @dataclass(kw_only=True, slots=True)
        class Training:
            train: LoopConfig = field(default_factory=LoopConfig)
        plugin = Plugin(name="toy", summary="", config=Training,
                        metrics={"val/accuracy": "", "val/loss": "", "train/acuracy": ""},
                        tasks=(Task(name="work", summary="", run=__name__ + ":work", trains=True),))
        """,
    )
    with pytest.raises(UsageError, match=r"'acuracy'.*did you mean accuracy\? \(accuracy, loss\)"):
        invoke("plugin=toy", "train.monitor=acuracy", "--dry-run")
    invoke("plugin=toy", "train.monitor=accuracy", "--dry-run")


@pytest.mark.usefixtures("toy")
def test_ctrl_c_before_the_task_has_begun_leaves_an_interrupted_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "capture", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted) as caught:
        invoke("plugin=toy", "hooks=none")
    assert caught.value.exit_code == 130
    (folder,) = (tmp_path / "runs/toy").iterdir()
    assert read_status(folder).state == "interrupted"
    assert (folder / "report.html").exists()


def test_a_dry_run_names_missing_packages_and_the_fix(
    write_plugin: Callable[[str, str], str],
) -> None:
    write_plugin("toy", WITH_DATA.replace("PACKAGES", '("no-such-thing>=2",)'))
    result = invoke("plugin=toy", "--dry-run")
    assert "not met: no-such-thing is not installed" in result.stdout
    assert "fix: pip install" in result.stdout
    assert result.return_value == 0


@pytest.mark.usefixtures("toy")
def test_a_dry_run_says_when_the_device_is_not_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    printed = invoke("plugin=toy", "device=cuda", "--dry-run").stdout
    assert "device=cuda, but there is no NVIDIA GPU with a working driver" in printed


@pytest.mark.usefixtures("toy")
def test_a_wrong_device_is_a_mistake_in_the_config() -> None:
    with pytest.raises(UsageError, match="device=tpu is not a device"):
        invoke("plugin=toy", "device=tpu", "--dry-run")


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    "arguments",
    [
        ("plugin=toy", "--resolve"),
        ("plugin=toy", "-p", "hooks"),
        ("plugin=toy", "--dry-run", "-m"),
        ("plugin=toy", "--cfg", "job", "--info", "all"),
        ("plugin=toy", "--dryrun"),
        ("plugin=toy", "-c", "job", "-p", "nothing"),
        ("plugin=toy", "--config-dir", "nowhere"),
    ],
)
def test_wrong_flags_are_a_usage_error(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(run, arguments)
    assert result.exit_code == 2


@pytest.mark.usefixtures("toy")
def test_a_wrong_config_is_one_error_with_all_problems() -> None:
    with pytest.raises(UsageError) as caught:
        invoke("plugin=toy", "amuont=3", "preset=huge", "seed=x")
    assert len(caught.value.problems) == 3


@pytest.mark.usefixtures("toy")
def test_no_plugin_gets_the_list() -> None:
    with pytest.raises(UsageError, match=r"choose one of: (.*, )?toy"):
        invoke("amount=3")


def test_a_broken_plugin_gets_its_reason(write_plugin: Callable[[str, str], str]) -> None:
    write_plugin("toy", "plugin = 1 / 0")
    with pytest.raises(LabError, match="ZeroDivisionError"):
        invoke("plugin=toy")


@pytest.mark.usefixtures("toy")
def test_more_presets_can_come_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine/preset").mkdir(parents=True)
    (tmp_path / "mine/preset/huge.yaml").write_text("# @package _global_\namount: 99\n")
    arguments = ("plugin=toy", "preset=huge", "-c", "job", "-p", "amount")
    assert invoke(*arguments, "--config-dir", str(tmp_path / "mine")).stdout == "99\n"


@pytest.mark.usefixtures("toy")
def test_everything_wrong_is_told_before_a_framework_is_imported() -> None:
    code = (
        "import sys\n"
        "from labcore.cli.main import main\n"
        "sys.argv = ['lab', 'run', 'plugin=toy', 'amuont=1', 'seed=x']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code\n"
        "heavy = {'torch', 'tensorflow', 'wandb', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "print(code, sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
        env=dict(os.environ),
    )
    assert done.stdout.strip() == "2 []"
    assert "did you mean amount?" in done.stderr
    assert "seed=x: expected integer" in done.stderr

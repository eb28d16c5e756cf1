"""The wheel, in an environment without the checkout, beside a user's own ``plugins/`` folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="builds the wheel; the extra test installs it")

ROOT = Path(__file__).parents[2]
MINE = """
from dataclasses import dataclass
from labcore import Plugin, Task

@dataclass(kw_only=True, slots=True)
class Config:
    amount: int = 1

def work(run):
    return {"doubled": 2.0 * run.config.amount}

task = Task(name="work", summary="Works.", run="plugins.mine:work")
plugin = Plugin(name="mine", summary="My own.", tasks=(task,), config=Config)
"""

pytestmark = [pytest.mark.e2e]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel and this environment's packages, but not the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    make = [sys.executable, "-m", "venv", "--without-pip", str(folder / "env")]
    subprocess.run(make, check=True, timeout=120)
    (site,) = folder.glob("env/lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # The packages, by a file whose own .pth files are not followed: they lead to the checkout.
    others = [entry for entry in sys.path if entry.endswith("site-packages")]
    (site / "packages.pth").write_text("\n".join(others), encoding="utf-8")
    return folder / "env" / "bin" / "python"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a plugin of the user's, in a package of the same name as the lab's."""
    mine = tmp_path / "plugins" / "mine"
    mine.mkdir(parents=True)
    (mine / "__init__.py").write_text(MINE, encoding="utf-8")
    return tmp_path


def lab(python: Path, folder: Path, *words: str) -> str:
    """Types a command as the installed script does: the folder is not on the import path."""
    done = subprocess.run(
        [str(python), "-P", "-m", "labcore", *words],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LAB_PLUGINS")},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("is_package", [False, True])
def test_the_lab_s_plugins_and_the_user_s_are_found_beside_each_other(python, folder, is_package):
    if is_package:
        (folder / "plugins" / "__init__.py").touch()
    names = [line.split()[1] for line in lab(python, folder, "list").splitlines() if line[0] != " "]
    assert names == ["mine", "musicvae", "render"]
    assert "doubled=6" in lab(python, folder, "run", "plugin=mine", "amount=3")


def test_a_folder_named_like_a_plugin_of_the_lab_hides_it_and_the_list_says_so(python, folder):
    other = folder / "plugins" / "render"
    other.mkdir()
    (other / "__init__.py").write_text(MINE.replace("mine", "render"), encoding="utf-8")
    assert "from plugins/render; hides that of unified-ml-lab" in lab(python, folder, "list")


def test_a_sweep_that_comes_with_the_lab_is_found_by_its_name(python, folder):
    pytest.importorskip("optuna")
    shown = lab(python, folder, "sweep", "musicvae", "--dry-run", "preset=smoke")
    assert "val/elbo" in shown


@pytest.mark.ml
def test_a_plugin_of_the_lab_trains(python, folder):
    # Slow (torch, melodies prepared anew): only a training needs all that the wheel carries.
    pytest.importorskip("pretty_midi")
    pytest.importorskip("lightning_fabric")
    shown = lab(python, folder, "run", "musicvae", "preset=smoke", "device=cpu", "threads=1")
    assert "report: runs/musicvae/" in shown

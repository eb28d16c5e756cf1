"""What a task gets when it asks its run for a dataset."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from labcore.plugin import Dataset, Plugin, Task
from labcore.run import Run


@dataclass(kw_only=True)
class DataOptions:
    """Where the data are."""

    folder: str = ""
    """A folder."""


@dataclass(kw_only=True)
class Options:
    """Options of a toy, with those of the core that matter here."""

    data: DataOptions = field(default_factory=DataOptions)
    data_dir: str = ""


def make_run(tmp_path: Path, folder: Path) -> Run[Any]:
    task = Task(name="go", summary="Go.", run="toy:go")
    own = Dataset(name="own", summary="", source="folder:data.folder", licence="")
    plugin = Plugin(name="toy", summary="", tasks=(task,), config=Options, datasets=(own,))
    config = Options(data=DataOptions(folder=str(folder)), data_dir=str(tmp_path / "data"))
    return Run(
        plugin=plugin,
        task=task,
        config=config,
        folder=tmp_path / "run",
        device=SimpleNamespace(),
        hooks=SimpleNamespace(call=lambda moment, **arguments: None),
        status=SimpleNamespace(),
        stop=SimpleNamespace(),
    )


def test_the_users_own_dataset_is_the_folder_that_the_option_names(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.mid").write_bytes(b"1")
    assert make_run(tmp_path, tmp_path / "mine").dataset("own") == tmp_path / "mine"

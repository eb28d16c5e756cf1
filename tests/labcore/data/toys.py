"""A plugin with nothing but datasets, and a look into folders."""

import dataclasses
from pathlib import Path

from labcore.plugin import Dataset, Plugin, Task


@dataclasses.dataclass(kw_only=True, slots=True)
class NoOptions:
    """Nothing to choose."""


def plugin_with(*datasets: Dataset, config: type = NoOptions) -> Plugin:
    task = Task(name="go", summary="Go.", run="toy:go")
    return Plugin(name="toy", summary="A toy.", tasks=(task,), config=config, datasets=datasets)


def files_below(folder: Path) -> list[str]:
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in found if not name.startswith("."))

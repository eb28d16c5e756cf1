"""What a run left, as one object."""

from functools import cached_property
from pathlib import Path
from typing import Any

from labcore.api.metrics import Metrics
from labcore.config import load_config
from labcore.config.saved import read_saved
from labcore.discovery import find_plugins, pick_plugin
from labcore.errors import UsageError
from labcore.life.start import read_weights
from labcore.plugin import load_object
from labcore.record.artifacts import ArtifactStore
from labcore.record.status import read_status
from labcore.record.store import StoredRun
from labcore.run.source import SourceRun

__all__ = ["FinishedRun"]


class FinishedRun:
    """A run that is over, or was seen while it went on: what its folder says.

    Args:
        folder: The run folder.

    Raises:
        UsageError: It is none.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._stored = StoredRun(folder=folder.resolve(), status=read_status(folder))
        except (OSError, ValueError) as error:
            raise UsageError(f"{folder} is no run that can be read: {error}") from None

    def __repr__(self) -> str:
        return f"<run {self.id}: {self.state}>"

    @property
    def id(self) -> str:
        """Plugin and folder name, such as ``musicvae/20260102-030405-train``."""
        return self._stored.id

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self._stored.folder

    @property
    def state(self) -> str:
        """``finished``, ``failed``, ``interrupted``, ``running``, ``queued`` or ``lost``."""
        return self._stored.status.observed_state()

    @property
    def figures(self) -> dict[str, float]:
        """The final figures: the newest value of each validation, test and result."""
        return dict(self._stored.status.metrics)

    @cached_property
    def config(self) -> Any:
        """The options as the typed object that the task saw.

        A plain dictionary when the plugin is not here or cannot be imported.

        Raises:
            UsageError: The file is damaged, or does not fit the plugin any more.
        """
        found = find_plugins().get(self._stored.status.plugin)
        path = self.folder / "config.yaml"
        if found is None or found.plugin is None:
            return read_saved(path)
        return load_config(found.plugin, path)

    @cached_property
    def metrics(self) -> Metrics:
        """All that was recorded, by phase and name: ``metrics["val/loss"].values``."""
        return Metrics(self.folder)

    @property
    def artifacts(self) -> dict[str, Path]:
        """The files for people: section, title and suffix (``Samples/sample 1.wav``) to path."""
        paths: dict[str, Path] = {}
        for row in ArtifactStore(self.folder).read():
            path = self.folder / row.path
            name = "/".join(part for part in (row.section, row.title) if part)
            key, number = f"{name}{path.suffix}", 1
            while key in paths:
                number += 1
                key = f"{name} ({number}){path.suffix}"
            paths[key] = path
        return paths

    @property
    def report(self) -> Path:
        """The page that shows all of it."""
        return self.folder / "report.html"

    def load_model(self) -> Any:
        """Returns the model that the run trained, with its best weights, as its plugin builds it.

        Raises:
            UsageError: The run trained none, or the plugin does not say how one is loaded.
            RunFailed: No checkpoint can be read.
        """
        plugin = pick_plugin(find_plugins(), self._stored.status.plugin).plugin
        assert plugin is not None
        if not plugin.load_model:
            raise UsageError(
                f"{plugin.name} does not say how its models are loaded",
                fix='declare it: Plugin(load_model="package.module:function", ...)',
            )
        source = SourceRun.find(
            plugin, str(self.folder), self.folder.parent.parent, read_weights=read_weights
        )
        return load_object(plugin.load_model)(source)

"""The files that a run leaves for people, and the manifest that says what each one is."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from labcore.errors import nearest, suggestion
from labcore.record.records import make_record, read_json, write_json

__all__ = ["Artifact", "ArtifactStore", "Kind"]

Kind = Literal["audio", "image", "midi", "table", "text", "model", "video", "file"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """One row of the manifest."""

    path: str
    """Relative to the run folder, with forward slashes."""
    kind: Kind
    title: str
    caption: str = ""
    section: str = ""
    """Heading under which the report shows it."""
    step: int | None = None
    size_bytes: int = 0


class ArtifactStore:
    """The ``artifacts`` folder of a run and its ``manifest.json``.

    Args:
        run_folder: Folder of the run; ``artifacts/`` is created inside when first used.
    """

    def __init__(self, run_folder: Path) -> None:
        self._run_folder = run_folder
        self.folder = run_folder / "artifacts"
        self._manifest = self.folder / "manifest.json"

    def read(self) -> list[Artifact]:
        """Returns the artifacts in the order they were added.

        Raises:
            ValueError: The manifest is damaged.
        """
        if not self._manifest.exists():
            return []
        rows = read_json(self._manifest)
        if not isinstance(rows, list):
            raise ValueError(f"{self._manifest} is damaged: it holds no list")
        return [make_record(Artifact, row, self._manifest) for row in rows]

    def add(self, artifact: Artifact) -> None:
        """Adds a row, or replaces the one with the same path (a resumed run makes it again)."""
        rows = [row for row in self.read() if row.path != artifact.path]
        rows.append(artifact)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self._manifest, [dataclasses.asdict(row) for row in rows])

    def describe(self, path: Path, *, kind: Kind, title: str, **details: object) -> Artifact:
        """Builds the row of a file that is already in the run folder.

        Raises:
            ValueError: ``path`` is outside the run folder, or there is no such kind.
            FileNotFoundError: There is no such file.
        """
        kinds = get_args(Kind)
        if kind not in kinds:
            hint = suggestion(nearest(kind, kinds)) or f"use one of {', '.join(kinds)}"
            raise ValueError(f"artifact {path.name}: there is no kind {kind!r}; {hint}")
        resolved = path.resolve()
        root = self._run_folder.resolve()
        if not resolved.is_relative_to(root):
            raise ValueError(f"artifact {path} is outside the run folder {self._run_folder}")
        size = resolved.stat().st_size
        relative = resolved.relative_to(root).as_posix()
        return Artifact(path=relative, kind=kind, title=title, size_bytes=size, **details)  # type: ignore[arg-type]  # fields are checked by the dataclass

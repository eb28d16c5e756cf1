"""The files that a run left for people, put into the page.

Files with the same name but for the suffix (``tune.wav``, ``tune.mid``, ``tune.png``) are one thing
seen in several ways, and become one card.
"""

import base64
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from labcore.errors import clean
from labcore.record.artifacts import Artifact
from labcore.report.sounds import as_mp3, sound_facts
from labcore.report.sources import inside
from labcore.report.tables import Table, read_table
from labcore.report.wording import format_size

__all__ = [
    "Budget",
    "Card",
    "Item",
    "arrange",
    "card_title",
    "group_files",
    "link_from",
    "link_to",
    "make_card",
]

_SHOWN = {
    "audio": ("wav", "mp3", "ogg", "flac"),
    "image": ("png", "jpg", "jpeg", "gif", "webp", "svg"),
    "video": ("mp4", "webm"),
    "midi": ("mid", "midi"),
}
"""What a browser plays or draws, by kind. MIDI is none, but small enough to be put in."""
_MIME_NAMES = {"mp3": "mpeg", "jpg": "jpeg", "svg": "svg+xml", "mid": "midi"}
_TEXT_BYTES = 20_000
_SOUND_BYTES = 4_000_000
"""WAV files of less in all go in as they are: encoding would take a short trial half a second."""
_ORDER = ("image", "video", "audio", "table", "text", "midi", "model", "file")


@dataclass(kw_only=True, slots=True)
class Budget:
    """How much may be put into the page; what is larger stays a file beside it.

    Attributes:
        file_bytes: Largest file.
        total_bytes: What is left of the total; taken from as files go in.
        encodes_sounds: Whether WAV files go in as MP3.
    """

    file_bytes: int = 6_000_000
    total_bytes: int = 30_000_000
    encodes_sounds: bool = False

    def hear(self, artifacts: Iterable[Artifact]) -> None:
        """Decides from all that the page will hold how its sounds go in."""
        sounds = sum(row.size_bytes for row in artifacts if row.path.lower().endswith(".wav"))
        self.encodes_sounds = sounds > _SOUND_BYTES

    def take(self, size_bytes: int) -> bool:
        """Whether a file of this size goes in; if so it is counted."""
        if size_bytes > min(self.file_bytes, self.total_bytes):
            return False
        self.total_bytes -= size_bytes
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One file of a card.

    Attributes:
        kind: How the page shows it; the manifest's kind, or ``file`` when that cannot be done.
        name: File name.
        title: Title from the manifest.
        href: Relative link; empty when the file is gone.
        source: ``data:`` URI; empty when it is not put into the page.
        facts: Short remarks: size, duration, that it is silent.
        table: Rows, for a table.
        text: Content, for a text.
    """

    kind: str
    name: str
    title: str
    href: str
    source: str = ""
    facts: Sequence[str] = ()
    table: Table | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """Files with the same stem."""

    title: str
    captions: Sequence[str]
    step: str
    items: Sequence[Item]

    @property
    def is_wide(self) -> bool:
        """Whether it needs the whole width of the page."""
        return any(item.kind in {"table", "text"} for item in self.items)


def arrange(folder: Path, artifacts: Sequence[Artifact], budget: Budget) -> dict[str, list[Card]]:
    """Sorts the artifacts into cards by title of their section, both in the order of the manifest.

    Args:
        folder: The run folder.
        artifacts: Rows of the manifest.
        budget: How much may be put into the page.
    """
    budget.hear(artifacts)
    return {
        title: [make_card(folder, family, budget) for family in cards.values()]
        for title, cards in group_files(artifacts).items()
    }


def group_files(artifacts: Iterable[Artifact]) -> dict[str, dict[str, list[Artifact]]]:
    """Returns section to stem to the files that make one card."""
    sections: dict[str, dict[str, list[Artifact]]] = {}
    for artifact in artifacts:
        stem = PurePosixPath(artifact.path).with_suffix("").as_posix()
        sections.setdefault(artifact.section, {}).setdefault(stem, []).append(artifact)
    return sections


def link_to(relative: str) -> str:
    """Returns the relative link of a file of the run folder, safe whatever its name."""
    return quote(relative)


def link_from(folder: Path, target: Path) -> str:
    """Returns the link from a page in ``folder`` to a file or folder elsewhere."""
    try:
        relative = os.path.relpath(target.resolve(), folder.resolve())
    except ValueError:  # another drive of Windows
        return target.resolve().as_uri()
    return link_to(Path(relative).as_posix())


def card_title(family: Sequence[Artifact]) -> str:
    """Returns what a card is called: after its sound, else after what is shown first."""

    def order(artifact: Artifact) -> tuple[bool, int]:
        place = _ORDER.index(artifact.kind) if artifact.kind in _ORDER else len(_ORDER)
        return artifact.kind != "audio", place

    return min(family, key=order).title


def make_card(folder: Path, family: Sequence[Artifact], budget: Budget) -> Card:
    """Makes the card of files with the same stem."""
    items = [_item(folder, artifact, budget) for artifact in family]
    items.sort(key=lambda item: _ORDER.index(item.kind))
    steps = [artifact.step for artifact in family if artifact.step is not None]
    return Card(
        title=card_title(family),
        captions=list(dict.fromkeys(a.caption for a in family if a.caption)),
        step=f"{steps[0]:,}" if steps else "",
        items=items,
    )


def _item(folder: Path, artifact: Artifact, budget: Budget) -> Item:
    name = PurePosixPath(artifact.path).name
    path = inside(folder, artifact.path)
    if path is None:
        return Item(
            kind="file", name=name, title=artifact.title, href="", facts=["the file is not there"]
        )
    kind: str = artifact.kind if artifact.kind in _ORDER else "file"
    suffix = path.suffix.lower().removeprefix(".")
    if kind in _SHOWN and suffix not in _SHOWN[kind]:
        kind = "file"
    mime = f"{'audio' if kind == 'midi' else kind}/{_MIME_NAMES.get(suffix, suffix)}"
    size = path.stat().st_size
    facts = [format_size(size)]
    source, text, table, content = "", "", None, None
    if kind == "audio" and suffix == "wav":
        facts = [*sound_facts(path, size, budget.file_bytes), *facts]
        content = as_mp3(path) if budget.encodes_sounds else None
        mime = "audio/mpeg" if content else mime
    if kind in _SHOWN:
        if budget.take(len(content) if content else size):
            content = content or path.read_bytes()
            source = f"data:{mime};base64,{base64.b64encode(content).decode()}"
        elif kind != "midi":
            facts.append("too large for the page; it is beside it")
    elif kind == "table":
        table = read_table(path)
        if table is None:
            kind = "text"
    if kind == "text":
        text = _read_head(path)
        if size > _TEXT_BYTES:
            facts.append("the beginning is shown")
    return Item(
        kind=kind,
        name=name,
        title=artifact.title,
        href=link_to(path.relative_to(folder.resolve()).as_posix()),
        source=source,
        facts=facts,
        table=table,
        text=text,
    )


def _read_head(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(_TEXT_BYTES)
    return clean(head.decode("utf-8", errors="replace"))

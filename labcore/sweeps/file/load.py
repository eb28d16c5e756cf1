"""Reading a sweep file as JSON or as YAML."""

import stat
from pathlib import Path

from labcore.errors import UsageError, nearest, suggestion
from labcore.sweeps.file.document import MOST_BYTES, MOST_LEVELS, Document, wrong_file
from labcore.sweeps.file.json_document import read_json
from labcore.sweeps.file.yaml_document import read_yaml

__all__ = ["load_document"]

_READERS = {".json": read_json, ".yaml": read_yaml, ".yml": read_yaml}


def load_document(path: Path) -> Document:
    """Reads a file.

    Raises:
        UsageError: It is not there, or is no JSON or YAML, or is larger or deeper than is read.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            f"{path}: a sweep is a .json or .yaml file", fix="see configs/sweeps for examples"
        )
    text = _text(path)
    try:
        return reader(path, text)
    except RecursionError:
        reason = f"lists and mappings are inside each other more than {MOST_LEVELS} deep"
        raise wrong_file(path, [reason]) from None


def _text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path} cannot be read: it is no file, but a folder or a device")
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, ValueError) as error:  # a name with a zero byte
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from None
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"{path} is larger than the {MOST_BYTES // 1024} KiB that a sweep file may have",
            fix="search ranges (min, max) in place of long lists of values",
        )
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8: {error.reason}") from None


def _missing(path: Path) -> UsageError:
    beside = [p.name for p in sorted(path.parent.glob("*")) if p.suffix.lower() in _READERS]
    near = suggestion(str(path.parent / name) for name in nearest(path.name, beside))
    problems = [near] if near else []
    if not near and beside:
        problems = [f"in {path.parent} there are {', '.join(beside)}"]
    return UsageError(f"there is no sweep file {path}", problems=problems)

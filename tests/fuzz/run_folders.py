"""Run folders with damaged files: ``python -m tests.fuzz.run_folders``.

Each case is a folder of runs with a good one and a bad one. Listing shows both, and everything that
reads the bad one gives what it can or one clear error.
"""

import functools
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner

from labcore.cli.runs.runs import runs
from labcore.config import compose, load_config
from labcore.discovery import FoundPlugin, find_plugins
from labcore.errors import LabError
from labcore.record.status import Status, write_status
from labcore.record.store import find_run, list_runs
from labcore.report import build, compare
from tests.fuzz.harness import fuzz_by_hand, mutated

__all__ = ["make_case", "run_case"]

Case = tuple[str, bytes]
"""Name of the file that is bad, and its content."""

_WORDS = tuple(
    word.encode()
    for word in (
        *("&a ", "*a", "<<: ", "${seed}", "${oc.env:HOME}", "${", "\\${", "!!timestamp x", "? "),
        *("1e400", "NaN", "-1", "null", "true", "9" * 400, "9" * 5000, '"\\ud800"', "\x1b[2J"),
        *("[" * 3000, "{" * 3000, '{"a":' * 2000, "a: &a [*a]\n", "!!python/name:os.system ''"),
        *("\0", "- ", "[]", "{}", '"x"', "***", "\n", "\t", "1: 2\n", "? [a]\n: 1\n", "\xff"),
        *("a: 1\na: 2\n", "\u202e"),
    )
)  # fmt: skip
_BOMB = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}' if n else '1'] * 9)}]\n" for n in range(12))


@functools.cache
def seeds() -> tuple[FoundPlugin, dict[str, bytes]]:
    """A plugin and the files of a run of it."""
    found = find_plugins()["musicvae"]
    composed = compose(found, ["plugin=musicvae", "preset=smoke"])
    with tempfile.TemporaryDirectory() as folder:
        write_status(Path(folder), status())
        text = Path(folder, "status.json").read_bytes()
    metrics = [{"step": n, "phase": "val", "time": 1.0, "values": {"loss": 1 / n}} for n in (1, 2)]
    artifact = {"path": "artifacts/a.txt", "kind": "text", "title": "A", "size_bytes": 3}
    return found, {
        "status.json": text,
        "config.yaml": composed.to_yaml().encode(),
        "origins.json": json.dumps(dict(composed.origins)).encode(),
        "metrics.jsonl": "".join(json.dumps(row) + "\n" for row in metrics).encode(),
        "environment.json": json.dumps({"command": "lab run", "device": {"kind": "cpu"}}).encode(),
        "artifacts/manifest.json": json.dumps([artifact]).encode(),
    }


def status() -> Status:
    return Status(run="musicvae/bad", plugin="musicvae", task="train", preset="smoke", state="lost")


def make_case(rng: random.Random) -> Case:
    """Makes the name of a file and what is in it now."""
    files = seeds()[1]
    name = rng.choice(["status.json", "config.yaml", *files])
    kind = rng.randrange(8)
    if kind == 0:
        return name, rng.choice(_WORDS) * rng.choice((1, 3))
    if kind == 1 and name == "config.yaml":
        return name, _BOMB.encode() + files[name]
    if kind == 2 and name.endswith(".json"):
        row = json.loads(files[name])
        if isinstance(row, dict):
            field = rng.choice(list(row))
            row[field] = rng.choice([None, "x", -1, 10**400, [], {}, [{}], {"a": {}}, True, "\x1b"])
            return name, json.dumps(row).encode()
    return name, mutated(files[name], rng, words=_WORDS)


def run_case(case: Case) -> None:
    """Reads a folder of runs as the commands do."""
    name, content = case
    found, files = seeds()
    assert found.plugin is not None
    folder = Path(tempfile.mkdtemp())
    try:
        bad, good = folder / "musicvae/20260101-000000-bad", folder / "musicvae/20260101-000000-a"
        for each in (bad, good):
            (each / "artifacts").mkdir(parents=True)
            (each / "artifacts/a.txt").write_text("abc")
            for file, data in files.items():
                (each / file).write_bytes(content if (each, file) == (bad, name) else data)
        known = [run.folder.name for run in list_runs(folder)]
        assert good.name in known
        assert find_run(folder, "latest").folder.name in known
        for arguments in ([], ["--json"], ["--state", "lost"]):
            result = CliRunner().invoke(runs, ["--runs-dir", str(folder), *arguments])
            if result.exception is not None:
                raise result.exception
            assert good.name in result.output
            assert "\x1b" not in result.output
        build(bad)
        chosen = compare.read_runs(list_runs(folder), {})
        compare.build(folder / "page.html", compare.compare(chosen))
        try:
            find_run(folder, str(bad)).status.observed_state()
        finally:
            load_config(found.plugin, bad / "config.yaml", secrets={})
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(fuzz_by_hand("run folders", make_case, run_case, (LabError,), cases=3000))

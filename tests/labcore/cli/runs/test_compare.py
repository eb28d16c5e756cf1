"""``lab compare``: which runs are meant, the table, the files, and what is refused."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from labcore.cli.runs.compare import compare
from labcore.errors import RequirementError, UsageError


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Types ``lab compare`` where ``runs/`` lies."""
    monkeypatch.chdir(tmp_path)

    def typed(*words: str) -> Result:
        result = CliRunner().invoke(compare, words, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return typed


@pytest.fixture
def three(add_run):
    """Two seeds of one experiment and another one."""
    for number, (lr, loss) in enumerate([(0.1, 0.5), (0.1, 0.3), (0.2, 0.7)], start=1):
        options = {"lr": lr, "on": number == 3}
        figures = {"val/loss": loss, "val/accuracy": loss}
        add_run(f"r{number}", seed=number, options=options, figures=figures, created=number)


def columns(result: Result) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()]


def test_the_table_has_options_figures_means_and_a_star(lab, three):
    rows = columns(lab("r1", "r2", "r3"))
    assert rows[0] == ["run", "preset", "seed", "lr", "on", "val/loss", "val/accuracy"]
    assert rows[1] == ["toy/r1", "smoke", "1", "0.1", "false", "0.5", "0.5"]
    assert rows[2] == ["toy/r2", "smoke", "2", "0.1", "false", "0.3*", "0.3"]
    assert " ".join(rows[3]) == "mean of 2 seeds smoke 0.1 false 0.4 ±0.14* 0.4 ±0.14"
    assert rows[4] == ["toy/r3", "smoke", "3", "0.2", "true", "0.7", "0.7"]


def test_the_page_is_written_where_nothing_is_overwritten(lab, three):
    pages = [lab("r1", "r2").stdout.splitlines()[-1].removeprefix("page: ") for _ in range(2)]
    assert len(set(pages)) == 2
    assert all(Path(page).parent == Path("runs/compare") for page in pages)
    assert "</html>" in Path(pages[0]).read_text()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("plugin=toy", "task=train"), ["r1", "r2", "r3"]),
        (("plugin=toy", "last=2"), ["r2", "r3"]),
        (("lr=0.1",), ["r1", "r2"]),
        (("on=false", "last=0"), ["r1", "r2"]),
        (("--where", "lr=0.1"), ["r1", "r2"]),
        (("latest", "runs/toy/r1", "toy/r1"), ["r3", "r1"]),
    ],
)
def test_runs_are_named_or_chosen_by_conditions(lab, three, words, found):
    text = lab(*words, "--csv").stdout
    assert [row["run"] for row in csv.DictReader(io.StringIO(text))] == [f"toy/{n}" for n in found]


def test_runs_of_one_name_from_two_machines_are_two(lab, three, tmp_path):
    shutil.copytree(tmp_path / "runs", tmp_path / "others")
    status = tmp_path / "others/toy/r1/status.json"
    status.write_text(status.read_text().replace("0.5", "0.25"))
    rows = columns(lab("runs/toy/r1", "others/toy/r1"))
    assert [row[-2:] for row in rows[1:3]] == [["0.5", "0.5"], ["0.25*", "0.25"]]


def test_csv_to_stdout_is_nothing_but_csv(lab, three, tmp_path):
    result = lab("r1", "r2", "--csv")
    assert result.stdout.splitlines()[0].startswith("run,group,plugin,task,preset,seed,state,")
    assert len(result.stdout.splitlines()) == 3
    assert not (tmp_path / "runs/compare").exists()


def test_files_are_written_where_they_are_wanted(lab, three, tmp_path):
    lab("r1", "r2", "--csv", "t.csv", "--html", "sub/p.html")
    assert (tmp_path / "t.csv").read_text().startswith("run,group,")
    assert (tmp_path / "sub/p.html").is_file()


def test_what_has_no_room_is_counted(lab, add_run):
    figures = {f"val/{'long' * 10}{number}": 1.0 for number in range(4)}
    for seed in (1, 2):
        add_run(f"r{seed}", seed=seed, figures=figures)
    result = lab("r1", "r2")
    assert "3 more figures: on the page, or with --csv" in result.stdout
    assert max(map(len, result.stdout.splitlines()[:3])) <= 100


def test_a_run_that_did_not_finish_says_how_it_stands(lab, three, add_run):
    add_run("r4", options={"lr": 0.3}, state="failed")
    result = lab("r1", "r4")
    assert columns(result)[0][:4] == ["run", "preset", "seed", "state"]
    assert columns(result)[2][3] == "failed"


@pytest.mark.parametrize("damaged", ["status.json", "config.yaml"])
@pytest.mark.parametrize("words", [("r1", "r2", "r3"), ("plugin=toy",)])
def test_a_damaged_folder_is_told_and_left_out(lab, three, tmp_path, damaged, words):
    (tmp_path / "runs/toy/r2" / damaged).write_text("{")
    result = lab(*words)
    assert "r2 is left out: " in result.stderr
    assert [row[0] for row in columns(result)[1:3]] == ["toy/r1", "toy/r3"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "at least two runs; there is none"),
        (("r1",), "at least two runs; there is only toy/r1"),
        (("r1", "toy/r1"), "at least two runs; there is only toy/r1"),
        (("r1", "r9"), "no run called 'r9'"),
        (("r1", "lr=0.1"), "not both"),
        (("plugin=toy", "last=x"), "must be a number"),
        (("plugin=toy", "task=none"), "no run in runs fits plugin=toy task=none"),
        (("plugin=toy", "tsak=train"), "no run has 'tsak'; did you mean task"),
        (("--csv", "r1", "r2"), "--csv r1: the file's name must end with .csv"),
        (("r1", "r2", "--html", "r3"), "--html r3: the file's name must end with .html"),
        (("--where", "seed", "r1"), "not both"),
        (("--where", "seed"), "not of the form NAME=VALUE"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_with_a_fix(lab, three, words, message):
    with pytest.raises(UsageError) as refused:
        lab(*words)
    assert message in str(refused.value)


def test_a_page_that_cannot_be_written_says_where_to(lab, three, tmp_path):
    (tmp_path / "file").touch()
    for words in (("--html", "file/p.html"), ("--csv", "file/t.csv")):
        with pytest.raises(RequirementError, match="cannot be written"):
            lab("r1", "r2", *words)


def test_no_escape_sequence_reaches_the_terminal(lab, add_run):
    for seed in (1, 2):
        evil = {"\x1b]0;x\x07": f"\x1b[2J{seed}"}
        add_run(
            f"r{seed}", seed=seed, options=evil, figures={"val/\x1b[31m": 1.0}, preset="\x1b[5m"
        )
    out = lab("r1", "r2").stdout + lab("r1", "r2", "--csv").stdout
    assert "\x1b" not in out

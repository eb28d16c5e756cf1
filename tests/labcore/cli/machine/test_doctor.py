"""``lab doctor`` as it is typed: the page, its JSON, its report, and what it refuses."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from labcore.cli.machine.doctor import doctor
from labcore.cli.machine.entries import print_findings
from labcore.cli.machine.examine import SCHEMA
from labcore.cli.main import main
from labcore.doctor import AREAS, Check, diagnose
from labcore.doctor.checks import all_checks
from labcore.doctor.finding import failure, ok, unknown, warning
from labcore.doctor.share import from_report
from tests.labcore.doctor.machines import GTX_950M, LAPTOP, WORKSTATION

BROKEN = replace(WORKSTATION, cards=(GTX_950M,), disk_free_gb={"/data": 5.0})
"""A failure (no kernels for the card) and two warnings."""


@pytest.fixture
def type_doctor(monkeypatch, capsys):
    """Types ``lab doctor`` on a made-up machine; returns exit code, stdout and stderr."""

    def type_command(*words: str, machine=WORKSTATION) -> tuple[int, str, str]:
        monkeypatch.setattr("labcore.cli.machine.examine.gather_here", lambda: machine)
        monkeypatch.setattr(sys, "argv", ["lab", "doctor", *words])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return type_command


def test_a_healthy_machine_gets_a_line_for_each_area_and_exit_code_0(type_doctor) -> None:
    code, page, _ = type_doctor(machine=LAPTOP)
    assert code == 0
    assert page.startswith("no problem in ")
    for title in list(AREAS.values())[1:]:
        assert title in page
    assert "no NVIDIA GPU: everything runs on the CPU" in page
    assert "why:" not in page


def test_problems_come_first_with_cause_and_fix_and_exit_code_3(type_doctor) -> None:
    code, page, _ = type_doctor(machine=BROKEN)
    assert code == 3
    assert page.startswith("1 failure, 1 warning in ")
    parts = ["[arch-unsupported]", "why:", "fix:", "cu126", "✗  PyTorch"]
    assert [part for part in parts if part not in page] == []
    assert page.index("[disk]") < page.index("[arch-unsupported]") < page.index("✗  PyTorch")


def test_warnings_alone_are_exit_code_0(type_doctor) -> None:
    code, page, _ = type_doctor(machine=replace(LAPTOP, disk_free_gb={"/data": 5.0}))
    assert (code, page.splitlines()[0].split(" in ")[0]) == (0, "1 warning")


def test_verbose_shows_every_finding_with_what_it_rests_on(type_doctor) -> None:
    _, page, _ = type_doctor("-v")
    found = diagnose(WORKSTATION, [check for check in all_checks() if not check.deep])
    for each in found:
        assert f"[{each.check}]" in page
    assert "seen:" in page
    assert "archs: sm_75, sm_80" in page


def test_a_pipe_gets_plain_lines_of_at_most_100_columns(type_doctor) -> None:
    for words in ((), ("-v",)):
        _, page, _ = type_doctor(*words, machine=BROKEN)
        assert "\x1b" not in page
        for line in page.splitlines():
            assert len(line) <= 100
            assert line == line.rstrip()


def test_brackets_in_a_finding_are_not_taken_for_markup(type_doctor) -> None:
    _, page, _ = type_doctor(machine=replace(LAPTOP, torch=None, packages={}))
    assert 'pip install -e ".[torch]"' in page


def test_marks_are_ascii_where_the_output_is(monkeypatch, capsys) -> None:
    monkeypatch.setattr("rich.console.Console.encoding", "ascii")
    checks = [Check(id="a", area="system", title="t", ask=lambda machine: [])]
    found = [
        replace(each, check="a")
        for each in (failure("f", cause="c", fix="x"), warning("w", cause="c", fix="x"))
    ]
    print_findings(found, checks=checks, verbose=False, heading="h")
    page = capsys.readouterr().out
    assert page.isascii()
    assert "  x f  [a]\n" in page
    assert "System" in page
    assert "1 failure" not in page  # nothing is left for a line of an overview


def test_an_area_is_marked_by_its_worst_and_one_unknown_does_not_make_it_doubtful(capsys) -> None:
    areas = ("system", "gpu", "python", "torch")
    checks = [Check(id=area, area=area, title="t", ask=lambda machine: []) for area in areas]
    found = {
        "system": [ok("fine"), unknown("?")],
        "gpu": [unknown("nothing known")],
        "python": [ok("fine"), warning("w", cause="c", fix="x")],
        "torch": [ok("fine"), failure("f", cause="c", fix="x"), failure("g", cause="c", fix="x")],
    }
    findings = [replace(each, check=area) for area, listed in found.items() for each in listed]
    print_findings(findings, checks=checks, verbose=False, heading="h")
    lines = capsys.readouterr().out.splitlines()[-4:]
    assert [line[0] for line in lines] == ["✓", "?", "!", "✗"]
    assert lines[0].endswith("1 fine, 1 not known")
    assert "nothing known" in lines[1]
    assert lines[3].endswith("2 failures, 1 fine")


def test_the_json_has_a_stable_schema(type_doctor) -> None:
    code, text, _ = type_doctor("--json", machine=BROKEN)
    answer = json.loads(text)
    assert code == answer["exit_code"] == 3
    assert answer["schema"] == SCHEMA == "lab-doctor/1"
    assert set(answer) == {"schema", "exit_code", "plugin", "counts", "findings", "machine"}
    assert set(answer["counts"]) == {"failure", "warning", "unknown", "ok"}
    assert sum(answer["counts"].values()) == len(answer["findings"])
    [bad] = [row for row in answer["findings"] if row["state"] == "failure"]
    assert set(bad) == {
        "id", "area", "title", "state", "summary", "cause", "fix", "evidence", "sources",
    }  # fmt: skip
    assert (bad["id"], bad["area"]) == ("arch-unsupported", "torch")
    assert answer["machine"]["torch"]["cuda"] == "13.0"


def test_a_report_goes_to_stdout_or_a_file_and_is_read_back(type_doctor, tmp_path) -> None:
    code, text, _ = type_doctor("--report", machine=BROKEN)
    assert code == 3
    read = from_report(text)
    assert read is not None
    assert read.cards is not None
    assert read.cards[0].name == GTX_950M.name
    file = tmp_path / "report.md"
    _, said, _ = type_doctor("--report", str(file), machine=BROKEN)
    assert file.read_text(encoding="utf-8") == text
    assert "paste it into the issue" in said


def test_a_report_that_cannot_be_written_is_one_message(type_doctor, tmp_path) -> None:
    code, _, errors = type_doctor("--report", str(tmp_path / "no" / "folder.md"))
    assert code == 1
    assert "cannot be written" in errors


def test_the_checks_are_listed_area_by_area(type_doctor) -> None:
    code, page, _ = type_doctor("--list")
    assert code == 0
    for check in all_checks():
        assert re.search(rf"^  {check.id} +{re.escape(check.title)}", page, re.MULTILINE)
    rows = json.loads(type_doctor("--list", "--json")[1])
    assert [row["id"] for row in rows] == [check.id for check in all_checks()]


def test_only_the_named_checks_are_made(type_doctor) -> None:
    code, page, _ = type_doctor("--only", "disk", "--only", "git", machine=BROKEN)
    assert code == 0
    assert re.findall(r"\[([a-z-]+)\]", page) == ["disk", "git"]


def test_a_wrong_id_gets_the_nearest_right_one(type_doctor) -> None:
    code, _, errors = type_doctor("--only", "dsik", "--only", "xyzzy")
    assert code == 2
    assert "did you mean disk?" in errors
    assert "there is no check 'xyzzy'\n" in errors


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("torch=2.0.1",), "lab doctor --explain torch=2.0.1"),
        (("--explain", "--from", "x"), "--explain and --from do not go together"),
        (("--list", "--report"), "--list and --report do not go together"),
        (("--from", "x", "--deep"), "--from and --deep do not go together"),
        (("--report", "--json"), "--report and --json are two forms"),
        (("--plugin", "nosuch"), "there is no plugin 'nosuch'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_exit_code_2(type_doctor, words, says) -> None:
    code, page, errors = type_doctor(*words)
    assert (code, page) == (2, "")
    assert says in errors


TOY = """
plugin = Plugin(
    name="toy", summary="A toy.", config=Config, requires=Requires({needs}),
    tasks=(Task(name="work", summary="Works.", run=__name__ + ":work"),),
)
"""


def test_a_plugin_that_can_run_is_said_to(type_doctor, write_plugin) -> None:
    write_plugin("toy", TOY.format(needs='framework="torch", packages=("click",), num_gpus=1'))
    code, page, _ = type_doctor("--plugin", "toy", machine=LAPTOP)
    assert code == 0
    assert "toy has its packages: click" in page
    assert page.endswith("\ntoy can run here.\n")
    assert "TensorFlow" not in page


def test_a_missing_package_is_exit_code_3(type_doctor, write_plugin) -> None:
    write_plugin("toy", TOY.format(needs='packages=("no-such-package>=2",)'))
    code, page, _ = type_doctor("--plugin", "toy")
    assert code == 3
    assert "no-such-package is not installed" in page
    assert 'pip install "no-such-package>=2"' in page
    assert page.endswith("\ntoy cannot run here.\n")


def test_a_plugin_without_need_of_a_gpu_runs_beside_a_broken_driver(
    type_doctor, write_plugin
) -> None:
    write_plugin("toy", TOY.format(needs='framework="none"'))
    write_plugin("gpu", TOY.replace("toy", "gpu").format(needs='framework="torch", cpu=False'))
    no_rights = replace(WORKSTATION, device_nodes={"/dev/nvidia0": False})
    assert type_doctor("--plugin", "toy", machine=no_rights)[0] == 0
    code, page, _ = type_doctor("--plugin", "gpu", machine=no_rights)
    assert code == 3
    assert "[device-nodes]" in page


def test_a_plugin_that_does_not_load_is_a_finding(type_doctor, write_plugin) -> None:
    write_plugin("toy", "import no_such_module\nplugin = None")
    code, page, _ = type_doctor("--plugin", "toy")
    assert code == 3
    assert "No module named 'no_such_module'" in page


def test_deep_checks_are_made_when_asked_for_and_only_their_probes_run(
    type_doctor, monkeypatch
) -> None:
    deep = Check(
        id="torch-probe",
        area="torch",
        title="tried",
        deep=True,
        ask=lambda machine: [ok(f"outcome {machine.probes['torch']['outcome']}")],
    )
    monkeypatch.setattr("labcore.cli.machine.examine.all_checks", lambda: (deep,))
    ran: list[str] = []

    def run_probes(names, **_):
        ran.extend(names)
        return {name: {"outcome": "ok"} for name in names}

    monkeypatch.setattr("labcore.cli.machine.examine.run_probes", run_probes)
    assert "outcome ok" not in type_doctor("-v")[1]
    assert ran == []
    assert "outcome ok" in type_doctor("--deep", "-v")[1]
    assert "outcome ok" in type_doctor("--only", "torch-probe")[1]
    assert ran == ["torch", "torch"]


def test_on_a_terminal_the_probe_that_runs_is_named(type_doctor, monkeypatch) -> None:
    deep = Check(id="torch-probe", area="torch", title="t", deep=True, ask=lambda machine: [])
    monkeypatch.setattr("labcore.cli.machine.examine.all_checks", lambda: (deep,))
    named: list[str] = []

    def run_probes(names, *, on_start):
        from labcore.doctor.probes import PROBES

        for name in names:
            on_start(PROBES[name])
            named.append(name)
        return {}

    monkeypatch.setattr("labcore.cli.machine.examine.run_probes", run_probes)
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    type_doctor("--deep")
    assert named == ["torch"]


def test_the_help_has_examples() -> None:
    text = CliRunner().invoke(doctor, ["--help"]).stdout
    for part in ("lab doctor --plugin musicvae", "lab doctor --from", "--explain", "Exit code 0"):
        assert part in text


@pytest.mark.parametrize("words", [["doctor", "--json"], ["doctor", "--list"]])
def test_the_real_doctor_imports_no_framework(words, tmp_path) -> None:
    code = (
        "import sys\n"
        "from labcore.cli.main import main\n"
        f"sys.argv = ['lab', *{words}]\n"
        "try:\n    main()\nexcept SystemExit as stopped:\n    assert stopped.code in (0, None, 3)\n"
        "heavy = {'torch', 'tensorflow', 'numpy', 'hydra', 'omegaconf', 'wandb', 'pandas'}\n"
        "print('\\n' + str(sorted(heavy & set(sys.modules))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[4],
    )
    assert done.stdout.splitlines()[-1] == "[]"

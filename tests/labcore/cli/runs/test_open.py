"""``lab open``: the report in a browser, or its path where none would be seen."""

import webbrowser
from pathlib import Path

import pytest
from click.testing import CliRunner

from labcore import UsageError
from labcore.cli.runs.open import open_report
from labcore.record.status import Status, write_status


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two finished runs, the newer with no report; returns what the browser is given."""
    for number, name in enumerate(("20260101-000000-old", "20260102-000000-new")):
        folder = tmp_path / "runs" / "toy" / name
        folder.mkdir(parents=True)
        status = Status(run=f"toy/{name}", plugin="toy", task="work", preset="", created=number)
        write_status(folder, status)
    (tmp_path / "runs/toy/20260101-000000-old/report.html").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    pages: list[str] = []
    monkeypatch.setattr(webbrowser, "open", pages.append)
    return pages


def show(*words: str) -> Path:
    result = CliRunner().invoke(open_report, words, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return Path(result.stdout.strip())


def test_the_newest_report_is_opened_and_its_path_said(opened):
    page = show()
    assert page == Path("runs/toy/20260101-000000-old/report.html").resolve()
    assert opened == [page.as_uri()]


def test_a_page_is_opened_by_its_path(opened, tmp_path):
    page = tmp_path / "runs/compare/x.html"
    page.parent.mkdir()
    page.touch()
    assert show("runs/compare/x.html") == page.resolve()
    assert opened == [page.resolve().as_uri()]


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "DISPLAY"])
def test_over_ssh_and_without_a_screen_only_the_path_is_said(opened, variable, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv(variable, "1.2.3.4 5 6.7.8.9 22" if variable == "SSH_CONNECTION" else "")
    assert show("old").name == "report.html"
    assert opened == []


def test_a_run_with_no_report_says_why(opened):
    with pytest.raises(UsageError, match="no report yet"):
        show("new")
    assert opened == []

"""What the pages list is what the code has: moments, options, exit codes, states, files, links."""

import inspect
import re
from pathlib import Path

import click
import pytest

from labcore import errors
from labcore.hooks import BUILT_IN
from labcore.hooks.specs import LoopSpecs, RunSpecs

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob("plugins/*/README.md")]
PAGES.append(ROOT / "benchmarks" / "README.md")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Returns what stands below a heading, up to the next of the same level or above."""
    level = heading.split(" ")[0]
    after = text.partition(f"\n{heading}\n")[2]
    assert after, f"there is no heading {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", after, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """Returns the cells of all tables, without their heads."""
    found = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        is_body = line.startswith("| ") and not lines[min(number + 1, len(lines) - 1)].startswith(
            "|---"
        )
        if is_body:
            found.append([cell.strip() for cell in line.strip("|").split(" |")])
    return found


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def documented_moments() -> list[tuple[str, list[str], str]]:
    text = section(read("docs/how-a-run-lives.md"), "## Moments")
    return [(names(name)[0], names(arguments), when) for name, arguments, when in rows(text)]


def test_the_moments_are_those_of_the_specifications_in_their_order():
    specified = []
    for specs in (RunSpecs, LoopSpecs):
        for name, function in vars(specs).items():
            if inspect.isfunction(function):
                arguments = list(inspect.signature(function).parameters)[1:]
                when = " ".join((function.__doc__ or "").replace("``", "`").split())
                specified.append((name, arguments, when))
    assert documented_moments() == specified


def test_the_changelog_counts_the_moments():
    assert f"{len(documented_moments())} moments" in read("CHANGELOG.md")


def test_the_exit_codes_are_those_of_the_errors():
    text = section(read("docs/how-a-run-lives.md"), "## Exit codes")
    documented = [int(code) for code, _ in rows(text)]
    assert documented == [
        0,
        errors.RunFailed.exit_code,
        errors.UsageError.exit_code,
        errors.RequirementError.exit_code,
        errors.Interrupted(2).exit_code,
        errors.Interrupted(15).exit_code,
    ]


def test_the_states_are_those_of_a_status():
    text = section(read("docs/how-a-run-lives.md"), "## States")
    assert tuple(names(state)[0] for state, _ in rows(text)) == (
        "queued",
        "running",
        "finished",
        "failed",
        "interrupted",
        "lost",
    )


def options_of(command: click.Command, path: str) -> dict[str, list[list[str]]]:
    """Returns the options of a command and of all below it, by the words typed."""
    found = {path: [list(p.opts) for p in command.params if isinstance(p, click.Option)]}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found |= options_of(below, f"{path} {name}")
    return found


def test_commands_and_options_are_those_of_the_command_line_page():
    """Freezes the command line: whoever adds or drops an option changes that page too."""
    from labcore.cli.main import cli

    actual = options_of(cli, "lab")
    for group in ("lab data", "lab env"):  # without options of their own
        del actual[group]
    actual["lab"] = [["--version"], ["-h", "--help"]]
    documented = {}
    for part in read("docs/command-line.md").split("\n## ")[1:]:
        heading = part.splitlines()[0]
        if heading.startswith("lab"):
            documented[heading] = [names(option) for option, _ in rows(part)]
    assert documented == actual


def test_the_hook_sets_are_the_files_in_configs():
    text = section(read("docs/configuration.md"), "## Choose what watches")
    documented = {names(name)[0] for name, _ in rows(text)}
    assert documented == {path.stem for path in (ROOT / "configs" / "hooks").glob("*.yaml")}
    assert documented == {*BUILT_IN, "default", "none"}


def test_the_presets_of_musicvae_are_those_declared():
    from labcore.discovery import find_plugins

    plugin = find_plugins()["musicvae"].plugin
    assert plugin is not None
    documented = rows(section(read("docs/musicvae.md"), "## Train"))
    assert {names(name)[0]: text for name, text in documented} == dict(plugin.presets)


def test_the_benchmarks_are_those_of_the_folder():
    documented = {names(name)[0] for name, _, _ in rows(read("docs/benchmarks.md"))}
    programs = {
        path.stem
        for path in (ROOT / "benchmarks").glob("*.py")
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    assert documented == programs


def test_the_rooms_of_the_house_exist():
    for room, _ in rows(section(read("docs/architecture.md"), "## The rooms")):
        for path in names(room):
            assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_within_the_project_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        other = (page.parent / target).resolve() if target else page
        assert other.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings}
            assert anchor in slugs, f"{target}#{anchor}"


def test_every_path_that_the_readme_names_exists():
    paths = re.findall(
        r"`((?:docs|labcore|plugins|configs|benchmarks|tests)/[^`\s]*)`", read("README.md")
    )
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path


def test_the_reading_tour_is_six_files_with_a_reason_each_and_ends_the_readme():
    tour = read("README.md").partition("## Read the code in this order\n")[2]
    stops = re.findall(r"^\d\. `([^`]+)`: (.+)$", tour, re.MULTILINE)
    assert len(stops) == 6
    assert "\n## " not in tour
    for path, reason in stops:
        assert (ROOT / path).is_file(), path
        assert len(reason.split()) > 5


def test_pictures_are_small_enough_for_a_repository():
    pictures = list((DOCS / "images").glob("*.png"))
    assert pictures
    assert all(picture.stat().st_size < 200_000 for picture in pictures)


def test_the_site_calls_nobody():
    text = read("mkdocs.yml")
    assert re.search(r"^ +font: false", text, re.MULTILINE)
    assert "http://" not in text
    assert "https://" not in text


def test_the_site_has_every_page():
    listed = set(re.findall(r": ([\w-]+\.md)$", read("mkdocs.yml"), re.MULTILINE))
    assert listed == {page.name for page in DOCS.glob("*.md")}


def test_every_message_in_troubleshooting_is_one_that_the_code_says():
    text = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("labcore", "plugins")
        for path in (ROOT / folder).rglob("*.py")
    )
    # Joins the parts of a message that is broken over lines, and drops what is filled in.
    said = re.sub(r'"\s*\n\s*f?"', "", text)
    said = " ".join(re.sub(r"[\"'`{}]", " ", said).split())
    for line in re.findall(r"^(`.+)\n: ", read("docs/troubleshooting.md"), re.MULTILINE):
        message = names(line)[0]
        words = re.sub(r"[\"'`{}]", " ", message).split()
        spans = [" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))]
        foreign = "undefined symbol" in message
        assert foreign or any(span in said for span in spans), message

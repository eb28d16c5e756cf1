"""The site as a reader gets it: built, strictly, and looked at."""

import html
import re
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="nox -s docs installs it, and runs these")
pytest.importorskip("material", reason="nox -s docs installs it, and runs these")
pytest.importorskip("mkdocstrings", reason="nox -s docs installs it, and runs these")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds the site; a broken link, include or reference raises."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True)
        build(config)
    return folder


def text_of(page: Path) -> str:
    """Returns the words of a page, without its tags and with every run of spaces as one."""
    bare = re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
    return " ".join(html.unescape(bare).split())


@pytest.mark.parametrize(
    ("page", "example"),
    [
        ("write-a-plugin", "parity"),
        ("write-a-plugin", "solved"),
        ("write-a-plugin", "recipe"),
        ("notebooks", "read_run"),
        ("kit", "results"),
    ],
)
def test_a_page_shows_the_whole_code_of_its_example(site: Path, page: str, example: str):
    code = (ROOT / "docs" / "examples" / f"{example}.py").read_text(encoding="utf-8")
    assert " ".join(code.split()) in text_of(site / page / "index.html")


def test_no_page_shows_an_include_or_a_reference_that_was_not_followed(site: Path):
    pages = list(site.rglob("index.html"))
    assert len(pages) > 10
    for page in pages:
        words = text_of(page)
        assert not re.search(r"--\s*8\s*<\s*--|::: labcore", words), page


@pytest.mark.parametrize(
    "words",
    [
        "needs_run: bool",  # a field of Task
        "min_compute_capability",  # of Requires
        "artifact_path",  # a method of Run
        "PEP 508 requirements",  # the docstring under a field
        "The run folder exists, the config is composed",  # a moment
        "The command or the config is wrong.",  # an error
    ],
)
def test_the_api_page_has_fields_methods_and_their_docstrings(site: Path, words: str):
    assert words in text_of(site / "api" / "index.html")

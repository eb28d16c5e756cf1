"""``lab new NAME``: a plugin folder to begin with, whole and tested."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from labcore.errors import UsageError

__all__ = ["new"]

_TEMPLATES = Path(__file__).parent / "templates"
_FRAMEWORKS = ("torch", "keras", "none")
_SIZES = {
    "torch": {"smoke": "train: {max_steps: 20}", "laptop": "train: {max_steps: 1500}"},
    "keras": {"smoke": "train: {max_steps: 20}", "laptop": "train: {max_steps: 1500}"},
    "none": {"smoke": "points: 50", "laptop": "points: 800"},
}
_WIDE = {"torch": "hidden: 128", "keras": "hidden: 128", "none": "neighbours: 15"}


@click.command()
@click.argument("name")
@click.option(
    "--framework",
    default="torch",
    show_default=True,
    type=click.Choice(_FRAMEWORKS),
    help="What the experiment computes with.",
)
def new(name: str, framework: str) -> None:
    """Make a plugin in plugins/NAME: options, presets, a dataset, two tasks, a hook and tests."""
    from labcore.discovery import find_plugins

    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise UsageError(
            f"{name!r} cannot be a plugin's name",
            fix="use lower-case letters, digits and underscores, starting with a letter",
        )
    if name in find_plugins() or Path("plugins", name).exists():
        raise UsageError(f"there is a plugin {name!r} already", fix="lab list shows them all")
    files = dict(_files(name, framework))
    taken = [str(path) for path in files if path.exists()]
    if taken:
        raise UsageError("these files are here already", problems=taken, fix="use another name")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(path)
    click.echo(f"\nSee that it runs:  lab run {name} preset=smoke")
    click.echo(f"Its tests:         pytest tests/plugins/{name}")
    click.echo(f"Then put your experiment in plugins/{name}/tasks.py")


def _files(name: str, framework: str) -> Iterator[tuple[Path, str]]:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # the text is Python, not HTML
    )
    folder = Path("plugins", name)
    for template in environment.list_templates():
        text = environment.get_template(template).render(name=name, framework=framework)
        is_test = template.startswith("test_")
        target = Path("tests", folder, f"test_{name}.py") if is_test else folder / template[:-3]
        yield target, text
    sizes = _SIZES[framework]
    for preset in ("smoke", "laptop", "paper"):
        size = sizes.get(preset, sizes["laptop"])
        yield folder / "configs" / "preset" / f"{preset}.yaml", f"{size}\n"
    yield folder / "configs" / "model" / "wide.yaml", f"{_WIDE[framework]}\n"

"""The contract that every plugin found must keep. A new plugin is covered without a line here."""

import dataclasses
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labcore.config import RootConfig, field_docs
from labcore.discovery import find_plugins

FOUND = find_plugins()
HEAVY = {"torch", "tensorflow", "pytorch3d", "wandb", "matplotlib", "pandas", "numpy", "kornia"}


@pytest.fixture(params=sorted(FOUND))
def found(request):
    return FOUND[request.param]


@pytest.fixture
def plugin(found):
    assert found.plugin is not None, f"{found.name} is broken: {found.error}"
    return found.plugin


def _config_types(kind):
    yield kind
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(field.type):
            yield from _config_types(field.type)


def test_its_declaration_imports_nothing_heavy(found):
    code = (
        "import sys; from labcore.discovery import find_plugins;"
        f"assert find_plugins()[{found.name!r}].plugin is not None;"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_task_is_where_the_declaration_says(plugin):
    for task in plugin.tasks:
        module, _, function = task.run.partition(":")
        spec = importlib.util.find_spec(module)
        assert spec is not None, f"{task.name}: there is no module {module}"
        source = Path(spec.origin).read_text(encoding="utf-8")
        assert re.search(rf"^def {function}\(", source, re.MULTILINE), task.run


def test_every_option_has_a_help_text(plugin):
    for kind in _config_types(plugin.config):
        docs = field_docs(kind)
        # A section is documented by its own class.
        options = [f for f in dataclasses.fields(kind) if not dataclasses.is_dataclass(f.type)]
        undocumented = [f.name for f in options if not docs.get(f.name)]
        assert not undocumented, f"{kind.__name__}: {undocumented}"


def test_no_option_has_the_name_of_a_core_option(plugin):
    core = {field.name for field in dataclasses.fields(RootConfig)}
    assert not core & {field.name for field in dataclasses.fields(plugin.config)}


def test_its_presets_are_the_files_in_its_configs(found, plugin):
    files = {path.stem for path in (found.config_dir or Path("none")).glob("preset/*.yaml")}
    assert files == set(plugin.presets)
    assert {"smoke", "laptop", "paper"} <= files


def test_every_preset_and_group_composes_to_a_valid_config(found, plugin):
    from labcore.config import compose, find_groups

    for preset in plugin.presets:
        composed = compose(
            found,
            [f"plugin={found.name}", f"preset={preset}"],
            preset_for_auto=lambda _: "laptop",
        )
        assert composed.config.plugin == found.name
        assert composed.preset == preset
    for group, options in find_groups(found.config_dir).options.items():
        if group in {"preset", "hooks"}:
            continue
        for option in options:
            compose(
                found,
                [f"plugin={found.name}", "preset=smoke", f"{group}={option}"],
                preset_for_auto=lambda _: "laptop",
            )


def test_its_datasets_say_source_and_licence(plugin):
    for dataset in plugin.datasets:
        assert dataset.licence
        assert dataset.summary


def test_the_default_dataset_needs_no_account_and_no_folder_of_the_users(plugin):
    if plugin.datasets:
        assert plugin.datasets[0].kind in {"pypi", "package", "made", "plugin"}


def test_it_has_a_readme_with_its_commands(found):
    if found.origin.startswith("plugins/"):
        readme = Path(found.config_dir.parent / "README.md").read_text(encoding="utf-8")
        assert f"plugin={found.name}" in readme


def test_its_requirements_are_in_the_extra_that_installs_them(found, plugin):
    """A plugin of the checkout: what it requires, its extra brings."""
    if not found.origin.startswith("plugins/"):
        return
    import importlib.metadata

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    from labcore.discovery import DISTRIBUTION

    declared = [Requirement(r) for r in importlib.metadata.requires(DISTRIBUTION) or ()]

    def brought(extra, seen=()):
        names = set()
        for requirement in declared:
            if requirement.marker and requirement.marker.evaluate({"extra": extra}):
                if canonicalize_name(requirement.name) == DISTRIBUTION:
                    for inner in requirement.extras - set(seen):
                        names |= brought(inner, (*seen, extra))
                else:
                    names.add(canonicalize_name(requirement.name))
        return names

    first = [text.split("|")[0] for text in plugin.requires.packages]
    wanted = {canonicalize_name(Requirement(text).name) for text in first}
    assert wanted <= brought(plugin.extra or plugin.name)

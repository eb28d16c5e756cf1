"""Checks made from a plugin's declaration: can it run on this machine?"""

from collections.abc import Iterator
from functools import partial

from labcore.data import data_folder, state
from labcore.discovery import FoundPlugin
from labcore.doctor.check import Area, Check, check
from labcore.doctor.finding import Finding, failure, ok, unknown, warning
from labcore.doctor.machine import Card, Machine
from labcore.plugin import Plugin, Requires

__all__ = ["areas_of", "plugin_checks", "stops"]

_MIB = 1 << 20
_AREA_OF_PACKAGE: dict[str, Area] = {
    "torch": "torch",
    "tensorflow": "tensorflow",
    "pytorch3d": "pytorch3d",
    "easypytorch3d": "pytorch3d",
}


def plugin_checks(found: FoundPlugin) -> tuple[Check, ...]:
    """Returns checks of what a plugin declares that it needs."""
    plugin = found.plugin
    if plugin is None:

        @check("plugin-loads", "plugin", "loads")
        def broken(_: Machine) -> Finding:
            return failure(
                f"the plugin {found.name} cannot be loaded: {found.error}",
                cause="its declaration raises when it is imported",
                fix=found.fix or f"look at {found.origin}",
            )

        return (broken,)
    return (
        check("plugin-packages", "plugin", "packages")(partial(_packages, found, plugin)),
        check("plugin-device", "plugin", "device")(partial(_device, plugin)),
        check("plugin-variables", "plugin", "environment variables")(partial(_variables, plugin)),
        check("plugin-datasets", "plugin", "datasets")(lambda _: _datasets(plugin)),
    )


def areas_of(plugin: Plugin) -> frozenset[Area]:
    """Returns the groups of checks that concern a plugin."""
    areas: set[Area] = {"plugin", "system", "python", "tools"}
    names = [_names(text)[0] for text in plugin.requires.packages]
    areas |= {_AREA_OF_PACKAGE[name] for name in names if name in _AREA_OF_PACKAGE}
    if plugin.requires.framework in {"torch", "tensorflow"}:
        areas |= {_AREA_OF_PACKAGE[plugin.requires.framework], "gpu"}
    return frozenset(areas)


def stops(plugin: Plugin, area: Area, finding: Finding) -> bool:
    """Whether a finding keeps a plugin from running here.

    A GPU that cannot be used does not, when the plugin can do without.
    """
    if finding.state != "failure":
        return False
    return area in areas_of(plugin) - {"tools"} and (area != "gpu" or not plugin.requires.cpu)


def _packages(found: FoundPlugin, plugin: Plugin, machine: Machine) -> Finding:
    if found.missing:
        return failure(
            f"{plugin.name}: {', '.join(found.missing)}",
            cause="its tasks import them",
            fix=found.fix or "install them",
            requires=list(plugin.requires.packages),
        )
    versions = {}
    for names in map(_names, plugin.requires.packages):
        name = next((each for each in names if machine.version(each)), names[0])
        versions[name] = machine.version(name) or ""
    listed = ", ".join(f"{name} {version}".strip() for name, version in versions.items())
    return ok(f"{plugin.name} has its packages" + (f": {listed}" if listed else ""))


def _device(plugin: Plugin, machine: Machine) -> Finding:
    needs = plugin.requires
    if not needs.num_gpus and needs.cpu:
        return ok(f"{plugin.name} needs no GPU")
    if machine.cards is None:
        return unknown(f"whether {plugin.name} finds its GPU: the GPUs cannot be listed")
    reasons = {}
    for card in machine.cards:
        name = card.name if card.index is None else f"GPU {card.index} ({card.name})"
        if not card.mig_enabled:
            reasons[name] = _why_not(needs, card)
    fitting = [name for name, reason in reasons.items() if not reason]
    num_gpus = max(needs.num_gpus, 1)
    wanted = "a GPU" if num_gpus == 1 else f"{num_gpus} GPUs"
    if needs.min_memory_gb:
        wanted += f" of {needs.min_memory_gb:g} GB"
    if needs.min_compute_capability:
        wanted += f", compute capability {needs.min_compute_capability:g} or newer"
    unfit = "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)
    if len(fitting) >= num_gpus:
        return ok(f"{plugin.name} finds {wanted}: {', '.join(fitting[:num_gpus])}")
    if needs.cpu:
        text = f"{plugin.name} runs on the CPU; its full size wants {wanted}"
        return ok(f"{text} ({unfit})" if unfit else text)
    return failure(
        f"{plugin.name} cannot run without {wanted}",
        cause=unfit or "there is no GPU here",
        fix="run it on a machine that has one; lab devices lists those of this one",
    )


def _variables(plugin: Plugin, machine: Machine) -> Iterator[Finding]:
    declared = plugin.requires.env
    here = {name: machine.variable(name) for name in declared}
    other = {name: value for name, value in here.items() if value not in {"", declared[name]}}
    for name, value in other.items():
        yield warning(
            f"{name}={value} is set here, and {plugin.name} declares {declared[name]}",
            cause="programs outside the lab, such as a notebook, get the value that is set here",
            fix=f"unset {name}, or export {name}={declared[name]}",
        )
    if declared and not other:
        listed = ", ".join(f"{name}={value}" for name, value in declared.items())
        yield ok(f"{plugin.name} gets {listed} from the lab")


def _datasets(plugin: Plugin) -> Iterator[Finding]:
    folder = data_folder("")
    for dataset in plugin.datasets:
        seen = state(plugin, dataset, folder)
        if seen.state == "present":
            yield ok(f"{seen.name} is here", path=str(seen.path))
        elif seen.state == "damaged":
            yield failure(
                f"{seen.name} is damaged",
                cause="; ".join(seen.problems[:3]) or "its files are not those that were recorded",
                fix=f"lab data prepare {seen.name}",
            )
        elif dataset.kind == "folder":
            option = dataset.origin
            yield ok(f"{seen.name} is yours to point at" + (f" ({option}=PATH)" if option else ""))
        else:
            size = f", {dataset.size_mb:g} MB" if dataset.size_mb else ""
            had = "made" if dataset.kind in {"made", "plugin"} else "fetched"
            yield ok(f"{seen.name} is {had} at first use{size} (lab data prepare {seen.name})")


def _why_not(needs: Requires, card: Card) -> str:
    memory = None if card.memory_mib is None else card.memory_mib * _MIB / 1e9
    if memory is not None and memory < needs.min_memory_gb:
        return f"{memory:.0f} GB of memory"
    capability = card.compute_capability
    if capability is not None and float(capability) < needs.min_compute_capability:
        return f"compute capability {capability}"
    return ""


def _names(requirement: str) -> list[str]:
    """Returns the distributions of which any will do, the usual one first."""
    from packaging.requirements import Requirement

    each = requirement.split("|")
    return [Requirement(text).name.lower().replace("_", "-") for text in each]

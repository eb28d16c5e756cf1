"""Whose a dataset is: a plugin may declare that it reads another plugin's."""

from labcore.discovery import find_plugins, pick_plugin
from labcore.errors import LabError, nearest, suggestion
from labcore.plugin import Dataset, Plugin

__all__ = ["owner"]


def owner(plugin: Plugin, dataset: Dataset) -> tuple[Plugin, Dataset]:
    """Follows ``plugin:NAME/DATASET`` to the plugin that has the data; others are their own owner.

    Raises:
        LabError: That plugin is broken, or has no such dataset.
        UsageError: There is no such plugin.
    """
    seen = {(plugin.name, dataset.name)}
    while dataset.kind == "plugin":
        wanted, _, name = dataset.origin.partition("/")
        found = pick_plugin(find_plugins(), wanted)
        assert found.plugin is not None
        try:
            plugin, dataset = found.plugin, found.plugin.dataset(name)
        except KeyError:
            near = suggestion(nearest(name, [each.name for each in found.plugin.datasets]))
            raise LabError(
                f"the dataset {plugin.name}/{dataset.name} is declared as {dataset.source}, and "
                f"plugin {wanted} has no dataset {name!r}" + (f"; {near}" if near else ""),
                fix="the declaration is wrong: tell the plugin's author",
            ) from None
        if (plugin.name, dataset.name) in seen:
            raise LabError(
                f"the datasets {', '.join('/'.join(each) for each in sorted(seen))} each say "
                "that another has the data",
                fix="one of the declarations must say where the data is from",
            )
        seen.add((plugin.name, dataset.name))
    return plugin, dataset

"""Reading the config that a run left in its folder."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labcore.config.options import Option, list_options
from labcore.config.schema import build_schema
from labcore.config.shorthand import expand_tree
from labcore.config.typed import to_typed
from labcore.errors import UsageError
from labcore.plugin import Plugin

__all__ = ["load_config"]

log = logging.getLogger(__name__)


def load_config(plugin: Plugin, path: Path) -> Any:
    """Reads a saved ``config.yaml`` into the typed object that its run saw.

    Options that have been added since take their defaults; ones that are gone are left out, with
    a warning in the log.

    Args:
        plugin: The plugin that the run belongs to.
        path: The file.

    Raises:
        UsageError: The file is not there or no YAML, or a value does not fit the plugin any more.
    """
    import yaml
    from omegaconf import OmegaConf

    try:
        saved = OmegaConf.to_container(OmegaConf.load(path))
    except OSError as error:
        raise UsageError(f"there is no saved config at {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"the saved config {path} is damaged: {error}") from error
    if not isinstance(saved, dict):
        raise UsageError(f"the saved config {path} is damaged: it holds no options")
    options = {option.path: option for option in list_options(plugin, docs=False)}
    gone: list[str] = []
    kept = _keep_known(expand_tree(saved), "", options, gone)
    for name in gone:
        log.warning("%s: option %s is gone from %s and is left out", path, name, plugin.name)
    cfg = OmegaConf.structured(build_schema(plugin.config))
    problems = _fill(cfg, kept, "")
    config, found = to_typed(cfg)
    problems.extend(found)
    if problems:
        raise UsageError(
            f"the saved config {path} does not fit {plugin.name} any more",
            problems=problems,
            fix="edit the file, or start a new run",
        )
    return config


def _keep_known(
    tree: Mapping[Any, Any], prefix: str, options: Mapping[str, Option], gone: list[str]
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if path in options:
            kept[key] = value
        elif isinstance(value, Mapping) and any(name.startswith(f"{path}.") for name in options):
            kept[key] = _keep_known(value, f"{path}.", options, gone)
        else:
            gone.append(path)
    return kept


def _fill(cfg: Any, values: Mapping[str, Any], prefix: str) -> list[str]:
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    problems: list[str] = []
    for key, value in values.items():
        node = cfg._get_node(key)
        nested = isinstance(node, DictConfig) and OmegaConf.get_type(node) is not dict
        try:
            if nested and isinstance(value, Mapping):
                problems.extend(_fill(node, value, f"{prefix}{key}."))
            else:
                cfg[key] = value
        except OmegaConfBaseException as error:
            problems.append(f"{prefix}{key}={value}: {str(error).splitlines()[0]}")
    return problems

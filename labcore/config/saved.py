"""The config that a run leaves in its folder: written once, as data, and read back as data.

What a reference stood for is written out when the run starts, and nothing is looked up again: a
folder may come from a stranger, whose ``${oc.env:X}`` must not read a variable here. Secrets are
masked; a run that needs one to go on is told it again.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labcore.config.options import Option, flatten, list_options
from labcore.config.root import expand_tree
from labcore.config.schema import build_schema, to_typed
from labcore.config.variants import chosen_variants, specialized, variant_words
from labcore.errors import UsageError
from labcore.plugin import Plugin
from labcore.record.redaction import MASK, is_secret_name, redact_tree, remember

__all__ = ["copied_yaml", "load_config", "read_saved", "saved_yaml"]

log = logging.getLogger(__name__)

_LARGEST = 1_000_000
"""Characters of a saved config; a real one has thousands."""
_DEEPEST = 50
_OF_A_LIBRARY = (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError)
"""What PyYAML and OmegaConf raise beside their own errors: at dates, long integers, odd tags."""
_REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*(?:\.\w+)*)\}")
"""A reference to another option, in the files of older versions."""
_LONGEST_CHAIN = 20
_OPENING = re.compile(r"(\\*)\$\{")
"""What opens a reference, unless an odd number of backslashes is before it."""


def saved_yaml(tree: Mapping[str, Any], unresolved: Mapping[str, Any]) -> str:
    """Returns a config as YAML for a run folder: without secrets, and never resolved again.

    Args:
        tree: The config, its references resolved.
        unresolved: The same with its references, which tell what came from a secret variable.
    """
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(_literal(redact_tree(_masked(tree, unresolved)))))


def _masked(value: Any, unresolved: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(unresolved, Mapping):
        return {key: _masked(each, unresolved.get(key)) for key, each in value.items()}
    variables = re.findall(r"oc\.env:\s*(\w+)", str(unresolved))
    if not any(map(is_secret_name, variables)):
        return value
    remember(value)
    return MASK


def copied_yaml(path: Path) -> str:
    """Returns a saved config as it is, without secrets: older versions have left them in.

    Raises:
        UsageError: The file is not there, or damaged.
    """
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(redact_tree(read_saved(path))))


def load_config(plugin: Plugin, path: Path, *, secrets: Mapping[str, str] | None = None) -> Any:
    """Reads a saved ``config.yaml`` into the typed object that its run saw.

    Options that have been added since take their defaults; ones that are gone are left out, with
    a warning in the log.

    Args:
        plugin: The plugin that the run belongs to.
        path: The file.
        secrets: Option to value, for each option that is masked in the file. Without it they stay
            masked, for those who read the config of a run and do not go on with it.

    Raises:
        UsageError: The file is not there or no YAML, a value does not fit the plugin any more, or
            a secret is missing.
    """
    from omegaconf import OmegaConf

    saved = expand_tree(read_saved(path), variant_words(plugin))
    plugin = specialized(plugin, chosen_variants(plugin, saved))
    options = {option.path: option for option in list_options(plugin, docs=False)}
    gone: list[str] = []
    kept = _keep_known(saved, "", options, gone)
    for name in gone:
        log.warning("%s: option %s is gone from %s and is left out", path, name, plugin.name)
    kept, problems = _settle(kept)
    if secrets is not None:
        problems += _put_back(kept, secrets)
    cfg = OmegaConf.structured(build_schema(plugin.config))
    problems += _fill(cfg, _literal(kept), "")
    config, found = to_typed(cfg)
    problems.extend(found)
    if problems:
        raise UsageError(
            f"the saved config {path} does not fit {plugin.name} any more",
            problems=problems,
            fix="edit the file, or start a new run",
        )
    return config


def read_saved(path: Path) -> dict[Any, Any]:
    """Reads a saved config as a tree of plain values, as large as the file and no larger.

    Raises:
        UsageError: The file is not there, or damaged.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > _LARGEST:
            raise ValueError(f"it has {len(text)} characters")
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST or isinstance(event, yaml.AliasEvent):
                raise ValueError("it has an alias (*NAME) or is nested deeper than lab writes")
        saved = OmegaConf.to_container(OmegaConf.create(text))
    except OSError as error:
        raise UsageError(f"there is no saved config at {path}: {error.strerror}") from error
    except (yaml.YAMLError, OmegaConfBaseException, *_OF_A_LIBRARY) as error:
        raise UsageError(f"the saved config {path} is damaged: {error}") from error
    except RecursionError:
        raise UsageError(f"the saved config {path} is damaged: it is nested too deeply") from None
    if not isinstance(saved, dict):
        raise UsageError(f"the saved config {path} is damaged: it holds no options")
    return saved


def _settle(tree: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Follows references to other options; whatever else would be looked up is a problem."""
    flat = flatten(tree)
    problems: list[str] = []

    def settled(path: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: settled(f"{path}.{key}".lstrip("."), each) for key, each in value.items()}
        if isinstance(value, list):
            return [settled(path, each) for each in value]
        found = value
        for _ in range(_LONGEST_CHAIN):
            name = _REFERENCE.fullmatch(found) if isinstance(found, str) else None
            found = flat.get(name[1]) if name is not None else found
        if not isinstance(found, str) or "${" not in found:
            return found
        if any(len(match[1]) % 2 == 0 for match in _OPENING.finditer(found)):
            problems.append(f"{path}={value}: a saved config is not resolved; write the value")
        return _OPENING.sub(lambda match: match[1][: len(match[1]) // 2] + "${", found)

    settled_tree: dict[str, Any] = settled("", tree)
    return settled_tree, problems


def _literal(value: Any) -> Any:
    """Escapes what OmegaConf would resolve."""
    if isinstance(value, Mapping):
        return {key: _literal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_literal(each) for each in value]
    if isinstance(value, str):
        return _OPENING.sub(lambda match: match[1] * 2 + r"\${", value)
    return value


def _put_back(tree: dict[str, Any], secrets: Mapping[str, str]) -> list[str]:
    """Puts secrets where the masks are; returns those that are missing, and those too many."""
    masked = {path for path, value in flatten(tree).items() if MASK in str(value)}
    for path, value in secrets.items():
        remember(value)
        *parents, last = path.split(".")
        node: Any = tree
        for each in parents:
            node = node.get(each) if isinstance(node, Mapping) else None
        if path in masked and isinstance(node, dict):
            node[last] = value
    return [
        *(
            f"{path} was a secret and was not kept; give it again: lab resume RUN {path}=VALUE"
            for path in sorted(masked - secrets.keys())
        ),
        *(f"{path} is no secret: it stays as it was" for path in sorted(secrets.keys() - masked)),
    ]


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

"""Composition of a run's config from schema, presets, groups and overrides, by Hydra.

Hydra itself is imported when something is composed, so that importing this package is cheap.
"""

from labcore.config.compose import Composed, compose
from labcore.config.hydra.groups import choose_preset, find_groups
from labcore.config.multirun import check_sweep
from labcore.config.options import Option, field_docs, list_options
from labcore.config.overrides import peek, select_plugin
from labcore.config.root import RootConfig
from labcore.config.saved import load_config
from labcore.config.schema import build_schema

__all__ = [
    "Composed",
    "Option",
    "RootConfig",
    "build_schema",
    "check_sweep",
    "choose_preset",
    "compose",
    "field_docs",
    "find_groups",
    "list_options",
    "load_config",
    "peek",
    "select_plugin",
]

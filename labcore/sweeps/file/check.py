"""A sweep held against the plugin that it is to run: every problem before anything starts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labcore.config import Composed, Option, build_schema, compose, find_groups, list_options
from labcore.discovery import FoundPlugin
from labcore.errors import LabError, UsageError, nearest, nearest_option, suggestion
from labcore.plugin import Plugin
from labcore.sweeps.distributions import Categorical, Constant, Distribution, IntUniform
from labcore.sweeps.file.cursor import shown
from labcore.sweeps.overrides import as_overrides
from labcore.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["PluginCheck", "examine"]

_QUANTILES = (0.5, 0.02, 0.98)
"""Where continuous parameters are tried: in the middle, and near the ends."""
_MOST_TRIES = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginCheck:
    """What was found, one line each, with its place in the file."""

    problems: tuple[str, ...]
    """No trial, or not every one that the file describes, can be meant as it stands."""
    warnings: tuple[str, ...]
    """Legal, and seldom meant."""


def examine(sweep: Sweep, found: FoundPlugin, *, unread: Sequence[str] = ()) -> PluginCheck:
    """Checks names, types and choices of all parameters, the metric, and a few whole configs.

    Args:
        sweep: As read.
        found: The plugin to run.
        unread: Further parameters, of which only the names are known.

    Raises:
        LabError: The plugin itself is broken.
    """
    if found.plugin is None:
        raise LabError(f"plugin {found.name} is broken: {found.error}", fix=found.fix)
    examiner = _Examiner(sweep, found, found.plugin)
    for name, distribution in sweep.parameters.items():
        examiner.check_parameter(name, distribution)
    for name in unread:
        examiner.check_name(name)
    examiner.check_metric()
    examiner.check_whole_configs(only_fixed=bool(unread))
    return PluginCheck(
        problems=tuple(dict.fromkeys(examiner.problems)),
        warnings=tuple(dict.fromkeys(examiner.warnings)),
    )


class _Examiner:
    def __init__(self, sweep: Sweep, found: FoundPlugin, plugin: Plugin) -> None:
        self._sweep = sweep
        self._found = found
        self._plugin = plugin
        self._options = list_options(plugin, docs=False)
        self._groups = find_groups(found.config_dir).options
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def check_parameter(self, name: str, distribution: Distribution) -> None:
        """Checks that a parameter is an option or group that takes its values."""
        option = self._option(name)
        if name in self._groups:
            self._check_choices(name, distribution, self._groups[name])
        elif name == "task":
            self._check_choices(name, distribution, [task.name for task in self._plugin.tasks])
        elif option is not None:
            self._check_types(name, distribution, option)
        elif inside := self._inside(name):
            self._check_section(name, distribution, inside)
        else:
            self.check_name(name)

    def check_name(self, name: str) -> None:
        """Checks that there is such an option or group."""
        if name in self._groups or name == "task" or name.startswith("hooks."):
            return
        if self._option(name) is None and not self._inside(name):
            known = [*(option.path for option in self._options), *self._groups]
            hint = suggestion(nearest_option(name, known))
            self._problem(
                name,
                f"{self._plugin.name} has no such option; "
                + (hint or f"lab run plugin={self._plugin.name} --help lists them"),
            )

    def check_metric(self) -> None:
        """Checks that the plugin logs the metric, if it says what it logs."""
        metric, logged = self._sweep.metric, self._plugin.metrics
        if metric is None or not logged or metric.name in logged:
            return
        place = self._sweep.places.get("metric", "metric")
        if f"val/{metric.name}" in logged:
            self.warnings.append(
                f"{place}: W&B's server knows it as val/{metric.name}; write that, and either "
                "engine finds it"
            )
            return
        last = metric.name.rpartition("/")[2]
        same = [name for name in logged if name.rpartition("/")[2] == last]
        hint = suggestion(same or nearest(metric.name, logged))
        self.problems.append(
            f"{place}: {self._plugin.name} never logs {metric.name}; "
            + (hint or f"lab show {self._plugin.name} lists what it logs")
        )

    def check_whole_configs(self, *, only_fixed: bool = False) -> None:
        """Composes what a few trials would: in the middle of the space and near its ends.

        Args:
            only_fixed: Compose only what all trials set: not all parameters are known.
        """
        if self.problems or only_fixed:
            # The values are known to be wrong; the rest of the overrides may be as well.
            self.problems.extend(_refusals(self._found, self._sweep.overrides)[1])
            return
        failed: list[tuple[dict[str, Any], Sequence[str]]] = []
        composed: Composed | None = None
        tries = list(self._tries())
        for values in tries:
            made, refusals = _refusals(self._found, [*self._sweep.overrides, *as_overrides(values)])
            composed = composed or made
            if refusals:
                failed.append((values, refusals))
        if len(failed) == len(tries):
            self.problems.extend(refusal for _, refusals in failed for refusal in refusals)
            return
        for values, refusals in failed:
            for refusal in refusals:
                self.warnings.append(f"some trials will be refused{_named(values, refusal)}")
        if composed is not None:
            self._check_brackets(composed.config)

    def _tries(self) -> Iterator[dict[str, Any]]:
        chosen = [
            len(x.values) for x in self._sweep.parameters.values() if isinstance(x, Categorical)
        ]
        count = min(max([len(_QUANTILES), *chosen]), _MOST_TRIES)
        for number in range(count):
            quantile = _QUANTILES[number % len(_QUANTILES)]
            yield {
                name: each.values[number % len(each.values)]
                if isinstance(each, Categorical)
                else each.quantile(quantile)
                for name, each in self._sweep.parameters.items()
            }

    def _check_brackets(self, config: Any) -> None:
        """Warns when a run is over before the first bracket: brackets count logs, not steps."""
        rule, metric = self._sweep.early_terminate, self._sweep.metric
        loop = getattr(config, "train", None)
        steps, every = getattr(loop, "max_steps", None), getattr(loop, "validate_every", None)
        if rule is None or metric is None or metric.name.startswith("train/"):
            return
        if not isinstance(steps, int) or not isinstance(every, int):
            return
        logs = math.ceil(steps / every) if every else 1
        if not rule.brackets(logs):
            first = rule.brackets(10**9)[0]
            self.warnings.append(
                f"early_terminate: the first bracket is at {first} logs of {metric.name}, and a "
                f"run of train.max_steps={steps} with train.validate_every={every} logs it {logs} "
                f"{'time' if logs == 1 else 'times'}: none will be stopped"
            )

    def _check_choices(self, name: str, distribution: Distribution, names: Sequence[str]) -> None:
        values = _listed(distribution)
        if values is None:
            self._problem(name, f"it is a choice; give values out of {', '.join(names)}")
            return
        for value in values:
            for each in value if isinstance(value, list) else [value]:
                if each not in names and not isinstance(each, Mapping):
                    near = suggestion(nearest(str(each), names))
                    self._problem(
                        name,
                        f"there is no {shown(each)}; "
                        + " ".join(filter(None, (near, f"there are {', '.join(names)}"))),
                    )

    def _check_section(self, name: str, distribution: Distribution, inside: Sequence[str]) -> None:
        """Checks that a whole section is set by mappings; ``device`` takes a word, its name."""
        values = _listed(distribution)
        is_fine = values is not None and all(isinstance(value, Mapping) for value in values)
        if not is_fine and name != "device":
            self._problem(
                name, f"it holds several options; search one of them, such as {inside[0]}"
            )

    def _check_types(self, name: str, distribution: Distribution, option: Option) -> None:
        values = _listed(distribution)
        takes_fractions = option.type.split(" or ")[0] == "number"
        if values is None:
            values = [distribution.quantile(u) for u in _QUANTILES]
            kind = distribution.name
            wrong = [value for value in values if not self._takes(name, value)]
            if wrong and option.type.startswith("integer"):
                example = next((f" such as {v:.4g}" for v in wrong if v != int(v)), "")
                self._problem(
                    name,
                    f"the option takes whole numbers, and {kind} gives others{example}; "
                    "use int_uniform, or q_uniform with a whole q",
                )
            elif wrong:
                self._problem(name, f"the option takes {option.type}, and {kind} gives numbers")
            elif (
                isinstance(distribution, IntUniform)
                and takes_fractions
                and name in self._sweep.inferred
            ):
                low, high = distribution.bounds
                if (low, high) != (0, 1):  # of which the file alone was enough to warn
                    self._warn(
                        name,
                        f"min and max are whole numbers, so only whole numbers are tried; for all "
                        f"between write {float(low)} and {float(high)}",
                    )
            return
        for value in values:
            if not self._takes(name, value):
                near = suggestion(nearest(str(value), option.choices))
                hint = f"; {near}" if near else ""
                self._problem(name, f"the option takes {option.type}, not {shown(value)}{hint}")

    def _takes(self, name: str, value: Any) -> bool:
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        cfg: DictConfig = OmegaConf.structured(build_schema(self._plugin.config))
        try:
            OmegaConf.update(cfg, name, value, merge=True, force_add=True)
        except OmegaConfBaseException:
            return False
        return True

    def _option(self, name: str) -> Option | None:
        for option in self._options:
            if option.path == name or (option.keys and name.startswith(f"{option.path}.")):
                return option
        return None

    def _inside(self, name: str) -> list[str]:
        return [option.path for option in self._options if option.path.startswith(f"{name}.")]

    def _problem(self, name: str, text: str) -> None:
        self.problems.append(f"{self._place(name)}: {text}")

    def _warn(self, name: str, text: str) -> None:
        self.warnings.append(f"{self._place(name)}: {text}")

    def _place(self, name: str) -> str:
        return self._sweep.places.get(f"parameters.{name}", f"parameters.{name}")


def _listed(distribution: Distribution) -> Sequence[Any] | None:
    """Returns the values that are written out one by one; None for a range."""
    return distribution.values if isinstance(distribution, Categorical | Constant) else None


def _refusals(
    found: FoundPlugin, overrides: Sequence[str]
) -> tuple[Composed | None, Sequence[str]]:
    try:
        return compose(found, overrides), ()
    except UsageError as error:
        return None, error.problems or (error.message,)


def _named(values: Mapping[str, Any], refusal: str) -> str:
    """Names the values that a refusal speaks of, and repeats it."""
    spoken_of = [
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in values.items()
        if name in refusal
    ]
    return f", with {', '.join(spoken_of)}: {refusal}" if spoken_of else f": {refusal}"

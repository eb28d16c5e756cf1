"""A sweep held against the plugin that it is to run: every problem before anything starts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labcore.config import Composed, compose
from labcore.config.diagnosis import read_overrides_of
from labcore.config.problems import Checker
from labcore.config.variants import applicable, has_option
from labcore.discovery import FoundPlugin
from labcore.errors import UsageError, nearest, suggestion
from labcore.sweeps.distributions import Categorical, Constant, Distribution, IntUniform
from labcore.sweeps.file.cursor import Cursor
from labcore.sweeps.file.read import Reading
from labcore.sweeps.overrides import as_override, as_overrides

__all__ = ["examine"]

_QUANTILES = (0.5, 0.02, 0.98)
"""Where continuous parameters are tried: in the middle, and near the ends."""
_MOST_TRIES = 6


def examine(reading: Reading, found: FoundPlugin) -> None:
    """Checks names, types and choices of all parameters, the metric, and a few whole configs.

    What is wrong, or seldom meant, is remarked on in the reading.

    Raises:
        LabError: The plugin itself is broken.
    """
    examiner = _Examiner(reading, found)
    for name, cursor in reading.cursors.items():
        examiner.check_parameter(name, cursor)
    examiner.check_metric()
    examiner.check_whole_configs()


class _Examiner:
    def __init__(self, reading: Reading, found: FoundPlugin) -> None:
        self._reading = reading
        self._root = reading.root
        self._sweep = reading.sweep
        self._found = found
        self._checker, _, _ = read_overrides_of(found, self._sweep.overrides, ())

    def check_parameter(self, name: str, at: Cursor) -> None:
        """Checks that a parameter is an option or group that takes its values."""
        checker = self._checker_for(name)
        if wrong := checker.check_name(name):
            at.problem(wrong[0])
            return
        distribution = self._sweep.parameters.get(name)
        if distribution is None:  # its values could not be read
            return
        listed = distribution.values if isinstance(distribution, Categorical | Constant) else None
        values = _some_of(distribution) if listed is None else listed
        wrong = [
            told.removeprefix(f"{name}=")
            for value in values
            for told in checker.check_alone(as_override(name, value))
        ]
        option = checker.find(name)
        takes = "" if option is None else option.type
        if listed is not None:
            for each in wrong:
                at.problem(each)
        elif wrong:
            hint = "; use int_uniform, or q_uniform with a whole q" * takes.startswith("integer")
            at.problem(f"{distribution.name} gives values such as {wrong[-1]}{hint}")
        elif (
            isinstance(distribution, IntUniform)
            and takes.split(" or ")[0] == "number"
            and "distribution" not in at.value
            and distribution.bounds != (0, 1)  # of which the file alone was enough to warn
        ):
            low, high = distribution.bounds
            at.warn(
                "min and max are whole numbers, so only whole numbers are tried; for all between "
                f"write {float(low)} and {float(high)}"
            )

    def _checker_for(self, name: str) -> Checker:
        """Returns what knows an option: that of the first variant in the sweep which has it."""
        section = name.partition(".")[0]
        plugin = self._checker.plugin
        values = self._sweep.parameters.get(section)
        listed = values.values if isinstance(values, Categorical | Constant) else ()
        for variant in listed if section in plugin.variants and name != section else ():
            if has_option(plugin, {section: str(variant)}, name):
                words = [*self._sweep.overrides, f"{section}={variant}"]
                return read_overrides_of(self._found, words, ())[0]
        return self._checker

    def check_metric(self) -> None:
        """Checks that the plugin logs the metric, if it says what it logs."""
        plugin = self._checker.plugin
        metric, logged = self._sweep.metric, plugin.metrics
        if metric is None or not logged or metric.name in logged:
            return
        at = self._root.at("metric").at("name")
        if f"val/{metric.name}" in logged:
            at.warn(
                f"W&B's server knows it as val/{metric.name}; write that, and either engine finds "
                "it"
            )
            return
        last = metric.name.rpartition("/")[2]
        same = [name for name in logged if name.rpartition("/")[2] == last]
        hint = suggestion(same or nearest(metric.name, logged))
        hint = hint or f"lab show {plugin.name} lists what it logs"
        at.problem(f"{plugin.name} never logs {metric.name}; {hint}")

    def check_whole_configs(self) -> None:
        """Composes what a few trials would: in the middle of the space and near its ends."""
        if self._reading.problems:
            # The values are known to be wrong; the rest of the overrides may be as well.
            for refusal in _compose(self._found, self._sweep.overrides)[1]:
                self._root.problem(refusal)
            return
        fixed, plugin = self._sweep.overrides, self._checker.plugin
        tries = [
            (values, *_compose(self._found, [*fixed, *as_overrides(values)]))
            for values in (applicable(plugin, each, fixed) for each in self._tries())
        ]
        composed = next((made for _, made, _ in tries if made is not None), None)
        for values, _, refusals in tries:
            for refusal in refusals:
                if composed is None:
                    self._root.problem(refusal)
                else:
                    self._root.warn(f"some trials will be refused{_named(values, refusal)}")
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
        if not isinstance(steps, int) or not isinstance(every, int) or not steps:
            return
        logs = math.ceil(steps / every) if every else 1
        if not rule.brackets(logs):
            first = rule.brackets(10**9)[0]
            self._root.at("early_terminate").warn(
                f"the first bracket is at {first} logs of {metric.name}, and a "
                f"run of train.max_steps={steps} with train.validate_every={every} logs it {logs} "
                f"{'time' if logs == 1 else 'times'}: none will be stopped"
            )


def _some_of(distribution: Distribution) -> list[Any]:
    """Returns values that a range may give, as short as they can be read."""
    values = map(distribution.quantile, _QUANTILES)
    return [float(f"{each:.4g}") if isinstance(each, float) else each for each in values]


def _compose(found: FoundPlugin, overrides: Sequence[str]) -> tuple[Composed | None, Sequence[str]]:
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

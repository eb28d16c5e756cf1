"""The numbers of a run as arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.errors import RequirementError, nearest, suggestion
from labcore.report.metrics import read_metrics

__all__ = ["Metric", "Metrics"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric over the steps of a run: NumPy arrays where NumPy is installed, else lists."""

    steps: Any
    values: Any
    """NaN where a value was not finite."""

    @property
    def last(self) -> float:
        """The newest value."""
        return float(self.values[-1])

    def __len__(self) -> int:
        return len(self.steps)


class Metrics(Mapping[str, Metric]):
    """What a run recorded: ``metrics["val/loss"].values``.

    Args:
        folder: The run folder; its ``metrics.jsonl`` is read at once.
    """

    def __init__(self, folder: Path) -> None:
        self._series = {row.full_name: row for row in read_metrics(folder / "metrics.jsonl").series}

    def __getitem__(self, name: str) -> Metric:
        if name not in self._series:
            hint = suggestion(nearest(name, self._series)) or f"there are {', '.join(self)}"
            raise KeyError(f"no metric {name!r}; {hint}")
        series = self._series[name]
        try:
            import numpy
        except ImportError:
            return Metric(steps=list(series.steps), values=list(series.values))
        return Metric(steps=numpy.array(series.steps), values=numpy.array(series.values))

    def __contains__(self, name: object) -> bool:
        return name in self._series

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def __repr__(self) -> str:
        return f"<metrics: {', '.join(self) or 'none'}>"

    def to_pandas(self) -> Any:
        """Returns a frame with a row for each step and a column for each metric.

        Raises:
            RequirementError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise RequirementError(
                "to_pandas() needs pandas, which is not installed", fix="pip install pandas"
            ) from None
        columns = {
            name: pandas.Series(row.values, index=row.steps) for name, row in self._series.items()
        }
        return pandas.DataFrame(columns).rename_axis("step")

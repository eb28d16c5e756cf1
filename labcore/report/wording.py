"""How the report writes numbers, sizes and times."""

import datetime
import json
import math
from typing import Any

__all__ = ["format_number", "format_size", "format_time", "write_value"]


def format_number(value: float | None) -> str:
    """Writes a number with four significant digits: ``0.4213``, ``12,340``, ``3.1e-7``."""
    if value is None or not math.isfinite(value):
        return "not a number" if value is None or math.isnan(value) else "infinite"
    if value == 0:
        return "0"
    size = abs(value)
    if float(value).is_integer() and size < 1e9:
        return f"{value:,.0f}"
    if size >= 1e9 or size < 1e-4:
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    if size >= 1e4:
        return f"{value:,.0f}"
    text = f"{value:.{3 - math.floor(math.log10(size))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_value(value: Any, longest: int = 60) -> str:
    """Writes a value of any shape as short as it can be told, in at most so many characters."""
    if isinstance(value, float):
        return format_number(value)
    # No separators in whole numbers: a batch size is typed as it is read.
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def format_size(num_bytes: int) -> str:
    """Writes a file size in decimal units: ``812 B``, ``44 kB``, ``1.3 MB``."""
    size = float(num_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" or size >= 9.95 else f"{size:.1f} {unit}"


def format_time(seconds: float) -> str:
    """Writes a moment (seconds since the epoch) in local time with its zone."""
    moment = datetime.datetime.fromtimestamp(seconds).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z").strip()

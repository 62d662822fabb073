"""How a number is written for a reader: sensible digits, a real minus sign, and never without what goes with it."""

import math
import re
from collections.abc import Iterable

import pandas as pd

MINUS = "−"
MISSING = "not given"


DEGREES = re.compile(r" with ([\d.]+) degrees? of freedom")
RANGE = " with {} degrees of freedom"


def methods(column: Iterable[object], *, degrees: bool = True) -> list[str]:
    """Distinct methods; those that differ in their degrees of freedom only are one, with the range of these or without."""
    found: dict[str, list[float]] = {}
    for name in map(str, filter(known, column)):
        found.setdefault(DEGREES.sub(RANGE, name), []).extend(map(float, DEGREES.findall(name)))
    return [name.replace(RANGE, RANGE.format(_range(values)) if degrees else "") for name, values in found.items()]


def _range(values: list[float]) -> str:
    ends = dict.fromkeys(f"{end:g}" for end in (min(values), max(values))) if values else {}
    return " to ".join(ends)


def known(value: object) -> bool:
    """True for anything but None, NaN and the empty string."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return False
    return not (isinstance(value, float) and math.isnan(value)) and value is not pd.NA


def finite(value: object) -> bool:
    """True for a number that can be drawn."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def text(value: object, otherwise: str = "") -> str:
    """The value as words; NaN and None become ``otherwise``."""
    return str(value) if known(value) else otherwise


def fixed(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """``0.683``; a real minus sign, and no negative zero."""
    if not known(value):
        return MISSING
    if not math.isfinite(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    written = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if float(written) == 0:
        return f"{0:.{digits}f}"
    return written.replace("-", MINUS)


def limits(low: float, high: float, digits: int = 3, *, signed: bool = False) -> str:
    """``0.612 to 0.744``, or words when a limit is missing."""
    if not known(low) and not known(high):
        return "no interval"
    if not known(low):
        return f"no lower limit, up to {fixed(high, digits, signed=signed)}"
    if not known(high):
        return f"from {fixed(low, digits, signed=signed)}, no upper limit"
    return f"{fixed(low, digits, signed=signed)} to {fixed(high, digits, signed=signed)}"


def estimate(value: float, low: float, high: float, digits: int = 3, *, signed: bool = False) -> str:
    """``0.683 (0.612 to 0.744)``."""
    return f"{fixed(value, digits, signed=signed)} ({limits(low, high, digits, signed=signed)})"


def p_value(p: float, name: str = "p") -> str:
    """``p = 0.031``, ``p < 0.001``; never ``p = 0.000``."""
    if not known(p):
        return f"{name} not given"
    if p < 0.001:
        return f"{name} < 0.001"
    return f"{name} = {p:.3f}" if p < 0.1 else f"{name} = {p:.2f}"


def probability(p: float) -> str:
    """``0.62``; ``below 0.01`` and ``above 0.99`` at the ends, never 0 or 1."""
    return "below 0.01" if p < 0.01 else "above 0.99" if p > 0.99 else f"{p:.2f}"


def decimals(values: Iterable[float], widths: Iterable[float] = ()) -> int:
    """Digits after the point that suit these values: fewer for large ones, one more when the intervals are narrow."""
    sizes = [abs(v) for v in values if finite(v)]
    largest = max(sizes, default=0.0)
    if largest >= 100:
        return 0
    if largest >= 10:
        return 1
    spans = sorted(w for w in widths if finite(w))
    narrow = bool(spans) and spans[len(spans) // 2] < 0.1
    return 3 if narrow else 2


def plain(value: float) -> str:
    """A number as short as it can be: ``24``, ``0.5``."""
    return f"{value:g}".replace("-", MINUS) if known(value) else MISSING


def count(n: float, noun: str) -> str:
    """``1 patient``, ``1,236 patients``, ``2 biopsies``; the noun goes in the singular."""
    if not known(n):
        return f"number of {plural(noun)} not given"
    number = f"{n:,.0f}" if float(n).is_integer() else f"{n:,.1f}"
    return f"{number} {noun if n == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """``patients``, ``biopsies``, ``branches``."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def moment(at: object, unit: object = "") -> str:
    """``at 24 months``, or nothing when the score has no time."""
    if not finite(at):
        return ""
    return f"at {plain(float(at))} {text(unit)}".rstrip()  # type: ignore[arg-type]


def per_cent(level: float) -> str:
    """``95%``."""
    return f"{100 * level:g}%" if known(level) else ""


def flags(column: pd.Series) -> pd.Series:
    """A column of true and false as booleans, however a table on disk spelt them; unknown is false."""
    return column.map(lambda v: str(v).strip().lower() in {"true", "1", "1.0", "yes"}).astype(bool)


def joined(words: Iterable[object]) -> str:
    """``a, b and c``."""
    listed = [str(w) for w in words]
    return listed[0] if len(listed) == 1 else ", ".join(listed[:-1]) + " and " + listed[-1] if listed else ""

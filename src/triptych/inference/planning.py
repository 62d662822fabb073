"""How precise an answer will be: half-widths and sizes for repeated rows, sites, and an AUC against one half.

Planning uses the design effect 1 + (k-1) ICC of k rows per patient; more rows per patient cannot pass patients / ICC
effective rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special  # scipy.stats would cost every job half a second to import

from triptych.errors import DataError, NotEstimableError
from triptych.inference.intervals import FEWEST_SITES, FEWEST_UNITS, enough_units


@dataclass(frozen=True)
class CaseControlSize:
    """Numbers of cases and controls, not rounded; round each up."""

    cases: float
    controls: float


def _inside(value: float, name: str, low: float = 0, high: float = 1) -> None:
    if not low < value < high:
        raise DataError(f"{name} is {value:g}; it must lie between {low:g} and {high:g}, both excluded")


def _design(rows: float, icc: float) -> float:
    if not rows >= 1:
        raise DataError(f"rows per patient is {rows:g}; it must be at least 1")
    if not 0 <= icc <= 1:
        raise DataError(f"icc is {icc:g}; it must lie between 0 and 1")
    return 1 + (rows - 1) * icc


def effective_rows(patients: float, rows: float, icc: float) -> float:
    """Independent rows worth as much as `patients` with `rows` each, whose intraclass correlation is icc.

    Raises
    ------
    DataError
        Rows below 1, or an icc outside [0, 1].
    """
    return patients * rows / _design(rows, icc)


def half_width(p: float, patients: float, rows: float = 1, icc: float = 0.0, *, level: float = 0.95) -> float:
    """Half the width of the interval of a proportion p (normal approximation); errors as in `effective_rows`."""
    _inside(p, "p")
    _inside(level, "level")
    z = float(special.ndtri(0.5 + level / 2))
    return z * float(np.sqrt(p * (1 - p) / effective_rows(patients, rows, icc)))


def patients_for(width: float, p: float, rows: float = 1, icc: float = 0.0, *, level: float = 0.95) -> int:
    """Fewest patients for which `half_width` is at most `width`; errors as there."""
    _inside(width, "half-width")
    needed = (half_width(p, 1, rows, icc, level=level) / width) ** 2
    return int(np.ceil(needed * (1 - 1e-12)))


def site_half_width(sd: float, sites: int, *, level: float = 0.95) -> float:
    """Half the width of t(S-1) sd / sqrt(S), the interval of the mean over sites.

    sd : standard deviation of the sites' own values, in the unit of the score; it holds the patients' noise too.

    Raises
    ------
    NotEstimableError
        Below five sites.
    """
    _inside(level, "level")
    if not sd > 0:
        raise DataError(f"sd is {sd:g}; it must be above 0")
    if sites < FEWEST_SITES:
        raise NotEstimableError(f"{sites} sites are not informative about a new site (at least {FEWEST_SITES})")
    return float(special.stdtrit(sites - 1, 0.5 + level / 2)) * sd / float(np.sqrt(sites))


def sites_for(width: float, sd: float, *, level: float = 0.95) -> int:
    """Fewest sites, five or more, for which `site_half_width` is at most `width`; errors as there."""
    if not width > 0:
        raise DataError(f"half-width is {width:g}; it must be above 0")
    return _fewest(lambda sites: site_half_width(sd, sites, level=level) <= width, FEWEST_SITES)


def unit_half_width(sd: float, units: int, *, level: float = 0.95) -> float:
    """Half the width of t(I-1) sd / sqrt(I), the interval of any score from the influences of I patients.

    sd : standard deviation of I times the influence of a patient, so sd / sqrt(I) is the standard error of the score.

    Raises
    ------
    NotEstimableError
        Below 20 units, or sd not above 0.
    """
    _inside(level, "level")
    enough_units(units)
    if not sd > 0:
        raise NotEstimableError("the patients' influences do not vary: nothing can be planned from them")
    return float(special.stdtrit(units - 1, 0.5 + level / 2)) * sd / float(np.sqrt(units))


def units_for(width: float, sd: float, *, level: float = 0.95) -> int:
    """Fewest patients, 20 or more, for which `unit_half_width` is at most `width`; errors as there."""
    if not width > 0:
        raise DataError(f"half-width is {width:g}; it must be above 0")
    return _fewest(lambda units: unit_half_width(sd, units, level=level) <= width, FEWEST_UNITS)


def _fewest(enough: Callable[[int], bool], least: int) -> int:
    """The smallest whole number, at least ``least``, that is enough, where every larger one is enough too."""
    low, high = least - 1, least
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def cases_for_auc(
    auc: float, *, power: float = 0.9, alpha: float = 0.05, controls_per_case: float = 1.0
) -> CaseControlSize:
    """Cases and controls to tell an AUC from one half by a two-sided test of level alpha, binormal variance.

    Raises
    ------
    DataError
        An AUC that is not between .5 and 1, or power, alpha or ratio that is not allowed.

    Source: Obuchowski, Lieber & Wians 2004 (Clinical Chemistry 50:1118), as in pROC's `power.roc.test`.
    """
    _inside(auc, "auc", 0.5)
    _inside(power, "power")
    _inside(alpha, "alpha")
    if not controls_per_case > 0:
        raise DataError(f"controls per case is {controls_per_case:g}; it must be above 0")
    a2 = (float(special.ndtri(auc)) * 1.414) ** 2
    spread = 0.0099 * np.exp(-a2 / 2) * ((5 * a2 + 8) + (a2 + 8) / controls_per_case)
    null = 0.0792 * (1 + 1 / controls_per_case)
    reach = float(special.ndtri(1 - alpha / 2)) * np.sqrt(null) + float(special.ndtri(power)) * np.sqrt(spread)
    cases = float((reach / (auc - 0.5)) ** 2)
    return CaseControlSize(cases, cases * controls_per_case)

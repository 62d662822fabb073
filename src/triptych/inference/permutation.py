"""Tests by permutation of whole units: signs of differences, and labels within exchangeability blocks.

A permutation that breaks patients apart rejects 18.5 % of nulls at nominal 5 %; one inside patients never rejects.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triptych.errors import DataError, NotEstimableError
from triptych.inference.checks import numbers, unit_codes, unit_sums

MOST_EXACT = 14
CHUNK = 4_000_000  # signs held at a time


@dataclass(frozen=True)
class Permuted:
    """A permutation test. ``smallest_p`` is the smallest p value that it could have given; ``units`` those that count."""

    statistic: float
    p: float
    smallest_p: float
    units: int
    replicates: int
    method: str


def sign_flip(
    differences: ArrayLike,
    *,
    rng: np.random.Generator,
    level: float,
    unit: ArrayLike | None = None,
    replicates: int = 9999,
    name: str = "patient",
) -> Permuted:
    """Two-sided test that two models are exchangeable, flipping the sign of the sum of each unit.

    Exact over all flips with at most 14 units that differ (others cannot change anything), else Monte Carlo with
    p = (1 + #) / (B + 1) (Winkler et al. 2014, NeuroImage 92:381).

    Parameters
    ----------
    differences
        (N,) first minus second model, per row (say, right minus right, or score minus score).
    unit
        (N,) patients or sites whose rows flip together; None flips each row alone.

    Raises
    ------
    NotEstimableError
        Where even the smallest p value, 2/2^units, is above 1 - level (below 6 units at .95).
    DataError
        Bad input, naming the row.
    """
    sums, sizes = unit_sums(np.asarray(differences, dtype=float), unit)
    largest = float(np.max(np.abs(differences)))
    d = sums[np.abs(sums) > 1e-12 * largest * sizes]  # what rounding leaves is no difference
    if d.size == 0:
        raise NotEstimableError(f"the two models do not differ on any {name}")
    smallest = 2.0 ** (1 - d.size)
    if smallest > 1 - level + 1e-12:
        raise NotEstimableError(
            f"{d.size} of {sums.size} {name}s differ between the models: the smallest p of a sign-flip test is then "
            f"{smallest:g}, it cannot reach {1 - level:.2g}"
        )
    statistic = float(d.sum())
    reached = abs(statistic) - 1e-12 * float(np.abs(d).sum())
    if d.size <= MOST_EXACT:
        bits = np.arange(2**d.size)[:, None] >> np.arange(d.size) & 1
        p = float(np.mean(np.abs((1 - 2 * bits) @ d) >= reached))
        method = f"sign-flip over {d.size} {name}s, all {2**d.size} flips"
        return Permuted(statistic, p, smallest, d.size, 2**d.size, method)
    smallest = max(smallest, 1 / (replicates + 1))
    p = (1 + _flips_reaching(d, reached, replicates, rng)) / (replicates + 1)
    return Permuted(statistic, p, smallest, d.size, replicates, f"sign-flip over {d.size} {name}s, {replicates} flips")


def _flips_reaching(d: np.ndarray, reached: float, replicates: int, rng: np.random.Generator) -> int:
    found, left, step = 0, replicates, max(1, CHUNK // d.size)
    while left > 0:
        b = min(left, step)
        found += int(np.sum(np.abs((1 - 2 * rng.integers(0, 2, (b, d.size))) @ d) >= reached))
        left -= b
    return found


def permuted_labels(
    labels: ArrayLike,
    unit: ArrayLike,
    *,
    rng: np.random.Generator,
    replicates: int,
    block: ArrayLike | None = None,
) -> np.ndarray:
    """Labels (replicates, N) with those of whole units exchanged inside blocks (Winkler et al. 2015, NeuroImage 123:253).

    Parameters
    ----------
    labels
        (N,). Where they are constant in every unit, units may have any number of rows; else the units of a block must
        have equally many, and their labels move together in the order of the rows.
    unit, block
        (N,) patients, and sites (or other exchangeability blocks) that hold whole patients; None is one block.

    Raises
    ------
    DataError
        A unit in two blocks, or units of unequal size with labels that vary, naming the row.
    """
    values = np.asarray(labels)
    plan = _units(values, unit, block)
    out = np.empty((replicates, values.size), dtype=values.dtype)
    for row in out:
        moved = np.arange(plan.start.size)
        for members in plan.blocks:
            moved[members] = rng.permutation(members)
        # labels of unit moved[u] go to unit u
        row[plan.rows] = values[plan.rows][plan.start[moved][plan.of] + plan.within]
    return out


@dataclass(frozen=True)
class _Plan:
    rows: np.ndarray  # (N,) rows sorted by unit
    of: np.ndarray  # (N,) unit of each of them
    within: np.ndarray  # (N,) place in its unit; 0 throughout where labels are constant in units
    start: np.ndarray  # (I,) where the rows of each unit begin
    blocks: list[np.ndarray]


def _units(values: np.ndarray, unit: ArrayLike, block: ArrayLike | None) -> _Plan:
    codes, n = unit_codes(unit, values.size)
    site, sites = unit_codes(np.zeros(values.size) if block is None else block, values.size, "block")
    rows = np.argsort(codes, kind="stable")
    start = np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=n))[:-1]))
    of, first = codes[rows], rows[start]
    strange = site != site[first][codes]
    if strange.any():
        raise DataError(f"block differs within the unit of row {int(np.argmax(strange))}; a unit lies in one block")
    blocks = [np.flatnonzero(site[first] == code) for code in range(sites)]
    within = np.arange(values.size) - start[of]
    if (values == values[first][codes]).all():
        return _Plan(rows, of, np.zeros_like(within), start, blocks)
    sizes = np.bincount(codes, minlength=n)
    for members in blocks:
        odd = members[sizes[members] != sizes[members[0]]]
        if odd.size:
            raise DataError(
                f"labels vary within units, and the unit of row {int(first[odd[0]])} has {sizes[odd[0]]} rows where others of "
                f"its block have {sizes[members[0]]}: such units cannot be exchanged"
            )
    return _Plan(rows, of, within, start, blocks)


def _arrangements(values: np.ndarray, plan: _Plan) -> float:
    """Log of the number of different labellings."""
    ordered, ends = values[plan.rows], [*plan.start[1:], values.size]
    log = 0.0
    for members in plan.blocks:
        kinds: dict[tuple[object, ...], int] = {}
        for u in members:
            end = ends[u] if plan.within.any() else plan.start[u] + 1
            key = tuple(ordered[plan.start[u] : end].tolist())
            kinds[key] = kinds.get(key, 0) + 1
        log += special.gammaln(members.size + 1) - sum(special.gammaln(c + 1) for c in kinds.values())
    return float(log)


def label_permutation(
    statistic: Callable[[np.ndarray], float],
    labels: ArrayLike,
    unit: ArrayLike,
    *,
    rng: np.random.Generator,
    level: float,
    block: ArrayLike | None = None,
    replicates: int = 999,
) -> Permuted:
    """One-sided test that the labels tell nothing: is the statistic larger than under permuted labels?

    Parameters
    ----------
    statistic
        Of labels (N,) to one number, larger = more signal; the whole procedure, its cross-validation included.
    labels, unit, block
        As in `permuted_labels`.

    Raises
    ------
    NotEstimableError
        Where there are so few labellings, or replicates, that p cannot reach 1 - level.
    DataError
        Bad input, or a statistic without a value.
    """
    values = np.asarray(labels)
    if values.dtype.kind == "f":
        numbers(values, "labels")
    plan = _units(values, unit, block)
    smallest = max(float(np.exp(-_arrangements(values, plan))), 1 / (replicates + 1))
    if smallest > 1 - level + 1e-12:
        raise NotEstimableError(
            f"the smallest p of this permutation test is {smallest:.2g}, it cannot reach {1 - level:.2g}: too few different "
            f"labellings of {plan.start.size} units in {len(plan.blocks)} blocks, or too few replicates"
        )
    observed = float(statistic(values))
    drawn = permuted_labels(values, unit, rng=rng, replicates=replicates, block=block)
    found = np.array([float(statistic(row)) for row in drawn])
    if not np.isfinite([observed, *found]).all():
        raise DataError("the statistic has no value under some permutation of the labels")
    p = (1 + int(np.sum(found >= observed - 1e-12 * abs(observed)))) / (replicates + 1)
    method = f"labels of {plan.start.size} whole units permuted in {len(plan.blocks)} blocks, {replicates} times"
    return Permuted(observed, p, smallest, plan.start.size, replicates, method)

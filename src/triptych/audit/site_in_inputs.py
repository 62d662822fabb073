"""Which site is it? How well the inputs alone tell the hospital or scanner (a classifier two-sample test)."""

from typing import Any

import numpy as np
import pandas as pd

from triptych.audit._association import BLOCK, ENOUGH, LEVEL, MOST
from triptych.audit._context import Context, finding, findings, looked, not_assessable
from triptych.audit._inputs import inputs
from triptych.audit._people import person, rows, site_of
from triptych.inference.intervals import FEWEST_UNITS, from_influence
from triptych.tables import SITE

TITLE = "Which site is it? What the inputs tell about the site"
LEAK_CLASS = "design"
SEVERITY = "warn"
FEWEST, MOST_PEOPLE, MOST_SITES = 5, 1000, 40
FOLDS, RIDGE, SHOWN = 5, 0.1, 0.95
MOST_LEVELS = 12


def check(context: Context) -> pd.DataFrame:
    """Cross-validated balanced accuracy of a ridge classifier of the site, one row per person, with a permutation test.

    The ridge's predictions are linear in the labels, so that a permutation costs one product of matrices (Lopez-Paz &
    Oquab 2017 for the test). At most a thousand people, drawn by the seed, and the forty largest sites are looked at.
    """
    table = inputs(context.examples)
    if table is None:
        return not_assessable("no inputs to look at: the predictions were made elsewhere")
    keys = rows(context)
    site = site_of(keys)
    if site is None:
        return not_assessable("no column site: site effects are not assessable")
    first = ~person(keys).duplicated().to_numpy() & site.notna().to_numpy()
    sizes = site[first].value_counts()
    kept = sizes[sizes >= FEWEST].index[:MOST_SITES]
    if len(kept) < 2:
        return not_assessable(f"{len(kept)} sites have {FEWEST} patients or more: two are needed")
    chosen = np.flatnonzero(first & site.isin(kept).to_numpy())
    random = np.random.default_rng(context.seed)
    if len(chosen) > MOST_PEOPLE:
        chosen = np.sort(random.permutation(chosen)[:MOST_PEOPLE])
    x = _matrix(table.drop(columns=[SITE], errors="ignore").iloc[chosen])
    if not x.shape[1]:
        return not_assessable("no input varies")
    codes, names = pd.factorize(site.iloc[chosen], sort=True)
    return _report(_operator(x, random), codes, list(names), random)


def _report(operator: np.ndarray, codes: np.ndarray, names: list[str], random: np.random.Generator) -> pd.DataFrame:
    right = _right(operator, codes[None])[0]
    counts = np.bincount(codes)
    recall = np.bincount(codes, right) / counts
    value, chance = float(recall.mean()), 1 / len(counts)
    p = _permuted(operator, codes, value, random)
    words = f"balanced accuracy {value:.2f}"
    evidence: dict[str, Any] = {"measure": "balanced accuracy of the site", "value": value, "threshold": chance}
    if len(codes) >= FEWEST_UNITS:
        influence = (right - recall[codes]) / counts[codes] / len(counts)
        interval = from_influence(value, influence, level=SHOWN, scale="logit")
        words += f", {SHOWN:.0%} interval {interval.low:.2f} to {interval.high:.2f}"
        evidence |= {"low": interval.low, "high": interval.high}
    words += f" ({len(codes)} people, {len(counts)} sites, chance {chance:.2f}; p {p:.2g})"
    if p > LEVEL:
        return looked(f"the inputs tell the site with {words}: no more than chance", **evidence)
    action = "expected with several scanners; matters where sites differ in outcome: see what the site alone tells"
    return findings(finding(SEVERITY, f"the inputs tell the site with {words}", keys=names, action=action, **evidence))


def _matrix(table: pd.DataFrame) -> np.ndarray:
    """Inputs (n, p), float32, of zero mean and unit variance, gaps at the mean; words as indicators."""
    words = [c for c, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    x = table.drop(columns=words).to_numpy(np.float64)
    flags = [pd.get_dummies(table[c].astype(str)) for c in words if table[c].nunique() <= MOST_LEVELS]
    x = np.hstack([x, *(f.to_numpy(float) for f in flags)])
    with np.errstate(invalid="ignore"):
        counts = np.maximum((~np.isnan(x)).sum(axis=0), 1)
        x = np.where(np.isnan(x), 0.0, x - np.nansum(x, axis=0) / counts)
        scale = np.sqrt(np.square(x).mean(axis=0))
    return (x[:, scale > 1e-12] / scale[scale > 1e-12]).astype(np.float32)


def _operator(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Matrix (n, n) that turns indicators of the labels into held-out scores, above or below their mean in training."""
    n = len(x)
    kernel = (x @ x.T).astype(np.float64) / x.shape[1]
    fold = random.permutation(n) % FOLDS
    operator = np.zeros((n, n))
    for k in range(FOLDS):
        test, train = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        inside = kernel[np.ix_(train, train)] + RIDGE * np.eye(len(train))
        weights = np.linalg.solve(inside, kernel[np.ix_(train, test)]).T
        weights -= weights.sum(axis=1, keepdims=True) / len(train)  # of labels less their mean in training
        operator[np.ix_(test, train)] = weights
    return operator


def _right(operator: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Whether each label (b, n) is found: the site whose score stands out most, in its own standard deviations."""
    sites = int(codes.max()) + 1
    share = np.bincount(codes[0], minlength=sites) / codes.shape[1]
    flags = (codes.T[:, :, None] == np.arange(sites)).astype(np.float64)  # (n, b, sites)
    scores = (operator @ flags.reshape(len(flags), -1)).reshape(flags.shape) / np.sqrt(share * (1 - share))
    return (codes == scores.argmax(axis=2).T).astype(float)


def _permuted(operator: np.ndarray, codes: np.ndarray, value: float, random: np.random.Generator) -> float:
    """P value of the balanced accuracy when sites are exchanged between people; ends early where it is common."""
    counts = np.bincount(codes)
    step = max(1, BLOCK // max(1, len(counts) // 4))
    reached = drawn = 0
    while drawn < MOST and reached < ENOUGH:
        moved = random.permuted(np.tile(codes, (min(step, MOST - drawn), 1)), axis=1)
        right = _right(operator, moved)
        balanced = (right / counts[moved]).sum(axis=1) / len(counts)
        reached += int((balanced >= value - 1e-9).sum())
        drawn += len(moved)
    return (reached + 1) / (drawn + 1)

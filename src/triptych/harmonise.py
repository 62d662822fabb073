"""ComBat: the location and scale that each site gives to each column are estimated and taken away.

Johnson WE, Li C, Rabinovic A (2007). Biostatistics 8:118-127; for brain measures Fortin JP et al. (2018). NeuroImage
167:104-120; reference site: Zhang Y et al. (2018). BMC Bioinformatics 19:262.  Everything is estimated from training rows.  What
it cannot do it refuses: a site that training never saw has no estimates, unless there is a reference to which its own rows,
without their outcome, are compared.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.tables import SITE, Examples

FEWEST = 10  # rows of a site that training never saw, from which its location and scale are estimated


@dataclass(frozen=True)
class Combat:
    """Estimates of a fit; columns that are constant within sites are left as they are.

    Attributes
    ----------
    mean, deviation
        Of each column (p,): that of the sites together, or of the reference.
    beta
        Coefficients (q, p) of the covariates that are kept.
    sites
        Site: location and scale (2, p), shrunk towards those of the other columns, in units of ``deviation``.
    """

    mean: np.ndarray
    deviation: np.ndarray
    beta: np.ndarray
    sites: dict[str, np.ndarray]
    reference: str | None = None

    def apply(self, x: np.ndarray, site: np.ndarray, kept: np.ndarray | None = None) -> np.ndarray:
        """Adjusted columns (n, p) of rows of known sites (n,); ``kept`` (n, q) are their covariates."""
        expected = self.mean + _columns(kept, len(x)) @ self.beta
        z = (x - expected) / self.deviation
        for name in np.unique(site):
            rows = site == name
            location, scale = self.sites[name]
            z[rows] = (z[rows] - location) / scale
        return z * self.deviation + expected

    def standardised(self, x: np.ndarray, kept: np.ndarray | None = None) -> np.ndarray:
        """Rows (n, p) less what is expected of them, in units of ``deviation``."""
        return (x - self.mean - _columns(kept, len(x)) @ self.beta) / self.deviation

    def with_site(self, name: str, x: np.ndarray, kept: np.ndarray | None = None) -> "Combat":
        """Estimates for a further site from its rows (n, p), without their outcome."""
        return replace(self, sites={**self.sites, name: site_effect(self.standardised(x, kept))})


def fit_combat(x: np.ndarray, site: np.ndarray, kept: np.ndarray | None = None, reference: str | None = None) -> Combat:
    """Estimate location and scale of each site by parametric empirical Bayes.

    Parameters
    ----------
    x
        Columns (n, p), finite.
    site
        Site of each row (n,).
    kept
        Covariates (n, q) whose part of the differences between sites is not taken away.
    reference
        Site that stays as it is and to which the others are brought; None: to all of them together.
    """
    names = np.unique(site)
    member = (site[:, None] == names).astype(float)
    design = np.hstack([member, _columns(kept, len(x))])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise DataError(
            "ComBat: the site tells a covariate that is to be kept, or covariates tell each other; keep fewer, or none"
        )
    coefficients = np.linalg.lstsq(design, x, rcond=None)[0]
    beta = coefficients[len(names) :]
    residual = np.square(x - design @ coefficients)
    if reference is None:
        mean, variance = member.mean(axis=0) @ coefficients[: len(names)], residual.mean(axis=0)
    else:
        mean, variance = coefficients[: len(names)][names == reference][0], residual[site == reference].mean(axis=0)
    constant = variance <= 1e-12 * np.maximum(np.square(x).mean(axis=0), 1e-300)
    whole = Combat(mean, np.where(constant, 1.0, np.sqrt(variance)), beta, {}, reference)
    z = whole.standardised(x, kept)
    sites = {str(name): site_effect(z[site == name], ~constant) for name in names}
    if reference is not None:
        sites[reference] = np.array([np.zeros(x.shape[1]), np.ones(x.shape[1])])
    return replace(whole, sites=sites)


def site_effect(z: np.ndarray, able: np.ndarray | None = None, tolerance: float = 1e-8) -> np.ndarray:
    """Location and scale (2, p) of a site's standardised rows (n, p), each shrunk towards those of all columns.

    Posterior means under a normal prior of the locations and an inverse gamma prior of the variances, whose moments are those
    of the columns (equations 3.1 of Johnson et al.); columns outside ``able`` (p,) get 0 and 1.
    """
    n, p = z.shape
    found = np.array([np.zeros(p), np.ones(p)])
    able = np.ones(p, bool) if able is None else able
    z = z[:, able]
    location = z.mean(axis=0)
    if n < 2 or able.sum() < 2:  # nothing to shrink towards, or no scale to see
        found[0, able] = location
        return found
    variance = z.var(axis=0, ddof=1)
    of_locations, m = location.var(ddof=1), variance.mean()
    v = max(variance.var(ddof=1), 1e-9 * m**2)  # equal variances: the prior is a point, not a division by zero
    shape, rate = (2 * v + m**2) / v, (m * v + m**3) / v
    near, middle = variance, location.mean()
    new_location = location
    for _ in range(1000):
        before = np.array([new_location, near])
        new_location = (n * of_locations * location + near * middle) / (n * of_locations + near)
        squares = np.square(z - new_location).sum(axis=0)
        near = (rate + squares / 2) / (n / 2 + shape - 1)
        if np.max(np.abs(np.array([new_location, near]) - before) / np.maximum(np.abs(before), 1e-12)) < tolerance:
            break
    found[:, able] = new_location, np.sqrt(near)
    return found


def _columns(kept: np.ndarray | None, n: int) -> np.ndarray:
    return np.zeros((n, 0)) if kept is None else kept


# ---- examples ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Harmoniser:
    """ComBat of the number columns of some blocks; ``seen`` is the hash of the training keys."""

    combat: Combat
    columns: list[str]
    fill: np.ndarray
    keep: dict[str, list[str]]
    seen: str

    def __call__(self, examples: Examples) -> Examples:
        """Adjusted examples; missing values stay missing.

        Raises
        ------
        DataError
            For a site that training never saw, when there is no reference or it has too few rows.
        """
        x, missing = _filled(examples, self.columns, self.fill)
        site, kept = sites(examples), _kept(examples, self.keep)
        combat = self.combat
        for name in sorted(set(site.tolist()) - set(combat.sites)):
            rows = site == name
            if combat.reference is None:
                raise DataError(
                    f"harmonise: the site {name!r} was not in training, so nothing is known of its location and scale; use "
                    "`method: reference` with a site that always trains, or leave `harmonise:` out"
                )
            if rows.sum() < FEWEST:
                raise DataError(
                    f"harmonise: the site {name!r} was not in training and has {int(rows.sum())} rows; {FEWEST} are needed"
                )
            combat = combat.with_site(name, x[rows], kept[rows])
        adjusted = combat.apply(x, site, kept)
        adjusted[missing] = np.nan
        return replace(examples, table=examples.table.assign(**dict(zip(self.columns, adjusted.T, strict=True))))


def fit_harmoniser(train: Examples, blocks: list[str], told: dict[str, Any]) -> Harmoniser:
    """Learn the sites of the training rows.

    Parameters
    ----------
    told
        ``method`` (combat or reference), ``reference``, ``keep``: columns of the inputs that are kept and not adjusted.

    Raises
    ------
    DataError
        Without sites, with one site only, when the reference is none of them, or a kept column is no input.
    """
    if SITE not in train.table or train.table[SITE].isna().any():
        raise DataError("harmonise: every participant needs a `site`; fill the column, or leave `harmonise:` out")
    site = sites(train)
    reference = _reference(told.get("reference"), site) if told["method"] == "reference" else None
    if len(set(site)) < 2:
        raise DataError(f"harmonise: all training rows are of the site {str(site[0])!r}; two are needed")
    kept = list(told.get("keep", []))
    if absent := [column for column in kept if column not in train.table]:
        raise DataError(f"harmonise: {absent[0]!r} is no input of this task, so it cannot be kept")
    inputs = train.inputs(blocks)
    columns = [c for c in inputs.select_dtypes("number") if c not in kept and inputs[c].notna().any()]
    if not columns:
        raise DataError("harmonise: no input of this model is a number")
    fill = inputs[columns].mean().to_numpy(np.float64)
    levels = {c: [] if _is_number(train, c) else sorted(train.table[c].dropna().unique())[1:] for c in kept}
    x, _ = _filled(train, columns, fill)
    return Harmoniser(fit_combat(x, site, _kept(train, levels), reference), columns, fill, levels, train.fingerprint())


def sites(examples: Examples) -> np.ndarray:
    """Site (n,) of each row, text: sites named alike in two cohorts are two."""
    cohort, site = (examples.table[c].astype(str) for c in ("cohort", SITE))
    return (cohort + "/" + site).to_numpy(str) if cohort.nunique() > 1 else site.to_numpy(str)


def _reference(wanted: str | None, site: np.ndarray) -> str:
    known = sorted(set(site.tolist()))
    if wanted in known:
        return str(wanted)
    raise DataError(
        f"harmonise: the reference {wanted!r} is none of the training sites {', '.join(map(repr, known))}; when each site is "
        "left out in turn the reference is left out too, unless the split has it in `always_train:`"
    )


def _filled(examples: Examples, columns: list[str], fill: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = examples.table[columns].to_numpy(np.float64)
    missing = np.isnan(x)
    return np.where(missing, fill, x), missing


def _is_number(examples: Examples, column: str) -> bool:
    return pd.api.types.is_numeric_dtype(examples.table[column])


def _kept(examples: Examples, keep: dict[str, list[str]]) -> np.ndarray:
    """Covariates (n, q): numbers as they are, levels as indicators."""
    parts = [np.zeros((len(examples), 0))]
    for column, levels in keep.items():
        values = examples.table[column]
        if values.isna().any():
            raise DataError(f"harmonise: the column {column!r} that is to be kept has missing values")
        parts.append(
            (values.to_numpy(str)[:, None] == np.array(levels)).astype(float)
            if levels
            else values.to_numpy(np.float64)[:, None]
        )
    return np.hstack(parts)

"""ComBat: the values of another program, what it takes away and what it leaves, and what it refuses."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError
from triptych.harmonise import fit_combat, fit_harmoniser, site_effect
from triptych.tables import Examples

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "combat.json").read_text())
X, SITES, KEPT = (np.array(GOLDEN[name]) for name in ("x", "site", "kept"))


@pytest.mark.parametrize(
    ("name", "kept", "reference"),
    [
        ("plain", None, None),
        ("kept_age_and_sex", KEPT, None),
        ("reference_c", None, "c"),
        ("reference_c_kept", KEPT, "c"),
    ],
)
def test_values_of_neurocombat(name, kept, reference):
    found = fit_combat(X, SITES, kept, reference).apply(X, SITES, kept)
    np.testing.assert_allclose(found, GOLDEN[name], rtol=0, atol=1e-6)


def test_the_reference_stays_as_it_is():
    found = fit_combat(X, SITES, None, "b").apply(X, SITES)
    np.testing.assert_allclose(found[SITES == "b"], X[SITES == "b"], rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(shift=st.floats(-100, 100), scale=st.floats(0.01, 100))
def test_the_unit_of_a_column_means_nothing(shift, scale):
    found, other = (fit_combat(x, SITES).apply(x, SITES) for x in (X, X * scale + shift))
    np.testing.assert_allclose(other, found * scale + shift, rtol=1e-6, atol=1e-6 * scale)


def simulated(n=60, columns=6, seed=0, effects=((0, 1), (2, 3), (-1, 0.5))):
    random = np.random.default_rng(seed)
    site = np.repeat([f"h{k}" for k in range(len(effects))], n)
    x = random.normal(size=(len(site), columns))
    for k, (location, scale) in enumerate(effects):
        x[site == f"h{k}"] = x[site == f"h{k}"] * scale + location
    return x, site


def test_sites_differ_no_more():
    x, site = simulated(n=400)

    def apart(values, of):
        return np.ptp([of(values[site == name], axis=0) for name in np.unique(site)], axis=0).max()

    adjusted = fit_combat(x, site).apply(x, site)
    assert apart(adjusted, np.mean) < 0.15 < 2.5 < apart(x, np.mean)
    assert apart(adjusted, np.std) < 0.15 < 2 < apart(x, np.std)


def test_what_is_kept_is_kept():
    """Patients are at one hospital more than at the other; without saying so, part of the disease is taken away."""
    random = np.random.default_rng(1)
    site, ill = (
        np.repeat(["a", "b"], 300),
        np.concatenate([random.random(300) < 0.8, random.random(300) < 0.2]).astype(float),
    )
    x = random.normal(size=(600, 5)) + 2 * ill[:, None] + np.where(site == "a", 1.0, 0.0)[:, None]

    def difference(kept):
        adjusted = fit_combat(x, site, kept).apply(x, site, kept)
        return (adjusted[ill == 1].mean(axis=0) - adjusted[ill == 0].mean(axis=0)).mean()

    assert abs(difference(ill[:, None]) - 2) < 0.1
    assert difference(None) < 1.7


def test_constant_columns_are_left_alone_and_few_columns_or_rows_are_not_shrunk():
    x, site = simulated()
    x[:, 0] = 7.0
    assert (fit_combat(x, site).apply(x, site)[:, 0] == 7).all()
    one = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(site_effect(one), [[1, 2, 3], [1, 1, 1]])


def test_a_covariate_that_is_the_site_is_refused():
    x, site = simulated()
    with pytest.raises(DataError, match="the site tells a covariate"):
        fit_combat(x, site, (site == "h1").astype(float)[:, None])


def examples(n=30, seed=0, **columns):
    x, site = simulated(n, seed=seed)
    table = pd.DataFrame(x, columns=[f"roi{k}" for k in range(6)]).assign(
        site=site, cohort="c", session_id="ses-1", y=0.0
    )
    table["participant_id"] = [f"p{k}" for k in range(len(table))]
    return Examples(table.assign(**columns), {"rois": [f"roi{k}" for k in range(6)]}, "regression")


def halves(made):
    rows = np.arange(len(made)) % 2 == 0
    return made.take(rows), made.take(~rows)


def test_tested_rows_teach_nothing():
    train, test = halves(examples())
    harmoniser = fit_harmoniser(train, ["rois"], {"method": "combat"})
    assert harmoniser.seen == train.fingerprint()
    whole = harmoniser(test).inputs(["rois"])
    some = harmoniser(test.take(np.arange(0, len(test), 3))).inputs(["rois"])
    pd.testing.assert_frame_equal(whole.iloc[::3], some)


def test_missing_values_stay_missing():
    made = examples()
    made.table.loc[[3, 4], "roi2"] = np.nan
    train, test = halves(made)
    for part in (train, test):
        found = fit_harmoniser(train, ["rois"], {"method": "combat"})(part).table["roi2"]
        assert found.isna().tolist() == part.table["roi2"].isna().tolist()


def test_a_site_that_training_never_saw():
    made = examples()
    new = (made.table["site"] == "h1").to_numpy()
    train, test = made.take(~new), made.take(new)
    with pytest.raises(DataError, match=r"the site 'h1' was not in training, .* use `method: reference`"):
        fit_harmoniser(train, ["rois"], {"method": "combat"})(test)
    told = {"method": "reference", "reference": "h0"}
    adjusted = fit_harmoniser(train, ["rois"], told)(test).inputs(["rois"])
    assert abs(test.inputs(["rois"]).mean().mean()) > 1.5
    assert abs(adjusted.mean().mean()) < 0.3
    with pytest.raises(DataError, match="'h1' was not in training and has 9 rows; 10 are needed"):
        fit_harmoniser(train, ["rois"], told)(test.take(np.arange(9)))


@pytest.mark.parametrize(
    ("columns", "told", "message"),
    [
        ({"site": None}, {"method": "combat"}, "every participant needs a `site`"),
        ({"site": "h1"}, {"method": "combat"}, "all training rows are of the site 'h1'; two are needed"),
        ({}, {"method": "combat", "keep": ["sex"]}, "'sex' is no input of this task"),
        (
            {},
            {"method": "reference", "reference": "h9"},
            "the reference 'h9' is none of the training sites 'h0', 'h1', 'h2'",
        ),
    ],
)
def test_refused(columns, told, message):
    with pytest.raises(DataError, match=message):
        fit_harmoniser(examples(**columns), ["rois"], told)


def test_levels_and_numbers_can_be_kept():
    made = examples(sex=["f", "m", "m"] * 30, age=np.arange(90.0) % 7)
    made = replace(made, blocks={**made.blocks, "people": ["sex", "age"]})
    harmoniser = fit_harmoniser(made, ["rois", "people"], {"method": "combat", "keep": ["sex", "age"]})
    assert harmoniser.columns == [f"roi{k}" for k in range(6)]
    pd.testing.assert_frame_equal(harmoniser(made).inputs(["people"]), made.inputs(["people"]))

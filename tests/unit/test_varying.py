"""Variance components of a task: which factors there are, which can be told apart, and known amounts found again."""

import numpy as np
import pandas as pd
import pytest
from simulated_waist import classes, waist

from triptych.inference.binary_components import binary_components
from triptych.inference.components import components
from triptych.scoring import contributions
from triptych.varying import COMPONENTS, variance_components


def part(table, name, metric=""):
    rows = table[(table["part"] == name) & (table["metric"] == metric)]
    return rows.set_index("factor")


def folds(models=3, seeds=6, k=5, sds=(0.0, 0.05, 0.02), seed=0):
    """Values by fold as scoring gives them: seed, fold and rest vary by known amounts."""
    random = np.random.default_rng(seed)
    of_seed, of_fold = random.normal(0, sds[0], seeds), random.normal(0, sds[1], (seeds, k))
    rows = [
        (f"m{m}", "fold", f"repeat {r + 1} fold {f + 1}", 0.6 + 0.05 * m + of_seed[r] + of_fold[r, f])
        for m in range(models)
        for r in range(seeds)
        for f in range(k)
    ]
    table = pd.DataFrame(rows, columns=["model", "kind", "level", "value"])
    return table.assign(value=table["value"] + random.normal(0, sds[2], len(table)), estimable=True, reason="")


def of(*models):
    """Predictions that only name their models: regression, where single rows are not split."""
    return pd.DataFrame({"model": models, "predicted": 1.0, "y": 1.0})


# ---- single predictions --------------------------------------------------------------------------


def test_right_and_wrong_by_patient_site_seed_and_fold():
    table = classes(n=60, repeats=5, scans=2, sites=["h1", "h2", "h3", "h4", "h5", "h6"])
    found = variance_components(table, {})
    assert list(found.columns) == COMPONENTS
    rows = part(found, "predictions")
    assert list(rows.index) == ["patient", "site", "seed", "fold", "rest"]
    assert rows["levels"].tolist()[:4] == [60, 6, 5, 15]
    assert rows["share"].sum() == pytest.approx(1)
    assert rows["estimable"].all()
    right = (table["predicted"] == table["y"]).astype(float)
    person = table.groupby(["cohort", "participant_id"]).ngroup()
    fold = table.groupby(["repeat", "fold"]).ngroup()
    factors = {"patient": person, "site": table["site"], "seed": table["repeat"], "fold": fold}
    expected = binary_components(right, factors, fixed={"model": table["model"]})
    assert rows.loc["patient", "share"] == pytest.approx(expected.factors[0].share)
    assert rows.loc["rest", "variance"] == pytest.approx(np.pi**2 / 3)
    assert rows.loc["patient", "share"] > 0.3  # whose class is hard to see is wrong in all scans and repeats


def test_what_cannot_be_told_apart_says_why():
    rows = part(variance_components(classes(n=60, repeats=1, models=("a",)), {}), "predictions")
    assert rows.loc["patient", "reason"] == "one value for each patient: it cannot be told from the rest"
    assert rows.loc["site", "reason"] == "one site only"
    assert rows.loc["seed", "reason"] == "one seed only"
    assert rows.loc["fold", "values"].count(":") == 3
    assert rows.loc["rest", "reason"] == "no factor has the 5 levels that a variance needs"
    sites = classes(n=60, repeats=1, folds=6)
    sites["site"] = "h" + sites["fold"].astype(str)  # leave-site-out
    rows = part(variance_components(sites, {}), "predictions")
    assert rows.loc["fold", "reason"] == "each fold is a site: the two cannot be told apart"
    assert np.isfinite(rows.loc["site", "share"])


def test_a_missing_site_is_no_site():
    table = classes(n=60, repeats=2, sites=["h1", "h2", "h3", "h4", "h5"])
    table.loc[0, "site"] = None
    rows = part(variance_components(table, {}), "predictions")
    assert rows.loc["site", "reason"] == "one site only"


def test_all_right_has_no_variance():
    table = classes(n=60, repeats=2)
    rows = part(variance_components(table.assign(predicted=table["y"]), {}), "predictions")
    assert rows.loc["rest", "reason"] == "every outcome is the same: there is no variance to split"
    assert not rows["estimable"].any()


def test_a_model_that_is_always_right_hides_nothing_of_the_others():
    table = classes(n=60, repeats=2, scans=2, models=("a", "b"))
    alone = variance_components(table[table["model"] == "a"], {})
    table.loc[table["model"] == "b", "predicted"] = table["y"]
    pd.testing.assert_frame_equal(variance_components(table, {}), alone)


# ---- scores by fold and by site ------------------------------------------------------------------


def test_scores_by_fold_with_models_held_fixed():
    values = folds()
    rows = part(variance_components(of("m0", "m1", "m2"), {"mae": values}), "folds", "mae")
    assert list(rows.index) == ["seed", "fold", "rest"]
    factors = {"seed": values["level"].str.split(" fold").str[0], "fold": values["level"]}
    expected = components(values["value"], factors, fixed={"model": values["model"]})
    assert rows.loc["fold", "variance"] == pytest.approx(expected.factors[1].variance, rel=1e-6)
    assert rows.loc["rest", "sd"] == pytest.approx(0.02, rel=0.3)
    assert rows.loc["fold", "sd"] == pytest.approx(0.05, rel=0.4)
    assert set(rows["n"]) == {90}


def test_models_far_apart_do_not_count_as_variance():
    near, far = folds(), folds()
    far["value"] += far["model"].map({"m0": 0.0, "m1": 5.0, "m2": -3.0})
    models = of("m0", "m1", "m2")
    one, two = (part(variance_components(models, {"mae": t}), "folds", "mae")["variance"] for t in (near, far))
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-9)


def test_few_levels_give_values_and_no_share():
    rows = part(variance_components(of("m0", "m1", "m2"), {"mae": folds(seeds=2)}), "folds", "mae")
    assert np.isnan(rows.loc["seed", "share"])
    assert rows.loc["seed", "values"].startswith("repeat 1: 0.")
    assert rows.loc["seed", "values"].count(";") == 1
    assert "2 levels are too few" in rows.loc["seed", "reason"]
    assert np.isfinite(rows.loc["fold", "share"])


def test_names_of_many_repeats_sort_as_their_numbers_do():
    found = variance_components(of("m0", "m1"), {"mae": folds(models=2, seeds=11)})
    assert part(found, "folds", "mae").loc["seed", "levels"] == 11


def test_a_share_of_nothing_but_the_rest_is_none():
    table = waist(n=120, repeats=2, sites=["h1", "h2"])
    values, _ = contributions(table, None, "harrell_c", None, 0.5)
    rows = part(variance_components(table, {"harrell_c": values}), "sites", "harrell_c")
    assert rows.loc["site", "values"].count(":") == 2
    assert np.isnan(rows.loc["rest", "share"])
    assert np.isfinite(rows.loc["rest", "variance"])


def test_one_model_has_no_fold_to_tell_from_the_rest():
    rows = part(variance_components(of("m0"), {"mae": folds(models=1)}), "folds", "mae")
    assert rows.loc["fold", "reason"] == "one value for each fold: it cannot be told from the rest"
    assert np.isfinite(rows.loc["seed", "share"])


def test_models_that_were_not_asked_for_are_left_out():
    both = variance_components(of("m0", "m1"), {"mae": folds()})
    assert set(both["n"]) == {60}


def test_values_that_are_not_estimable_are_left_out():
    values = folds()
    values.loc[0, ["value", "estimable"]] = [np.nan, False]
    assert set(variance_components(of("m0", "m1", "m2"), {"mae": values})["n"]) == {89}


def test_a_task_that_varies_over_nothing_has_an_empty_table():
    values = folds(models=1, seeds=1, k=1).iloc[:0]
    assert variance_components(of("m0"), {"mae": values}).empty

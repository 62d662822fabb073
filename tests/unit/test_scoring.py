"""Scores of each model: pooled over repeats, by fold and by site, and the influence of each person."""

import numpy as np
import pandas as pd
import pytest
from simulated_waist import classes, waist
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

from triptych.scoring import INFLUENCE, VALUES, contributions
from triptych.survival.concordance import harrell


def c_of(rows):
    return harrell(rows["time"], rows["event"], rows["risk"], strata=rows["fold"])


def pooled(values, model="a"):
    return values[(values["model"] == model) & (values["kind"] == "pooled")].iloc[0]


def test_the_pooled_value_is_the_mean_over_repeats():
    table = waist()
    values, _ = contributions(table, None, "harrell_c", None, 0.5)
    assert list(values.columns) == VALUES
    for model in ("a", "b"):
        by_repeat = [c_of(rows).c for _, rows in table[table["model"] == model].groupby("repeat")]
        row = pooled(values, model)
        assert row["value"] == pytest.approx(np.mean(by_repeat), abs=1e-14)
        assert by_repeat[0] != by_repeat[1]
        assert row["n"] == 60  # people, not rows
        assert row["n_events"] == table.query("model == 'a' and repeat == 0")["event"].sum()
        assert row["train_ratio"] == 0.5


def test_the_influence_of_a_person_is_averaged_over_repeats():
    table = waist()
    _, influence = contributions(table, None, "harrell_c", None, None)
    assert list(influence.columns) == INFLUENCE
    assert (influence.groupby("model").size() == 60).all()
    of_a = influence[influence["model"] == "a"].set_index("participant_id")["influence"]
    assert abs(of_a.sum()) < 1e-12
    parts = []
    for _, rows in table[table["model"] == "a"].groupby("repeat"):
        parts.append(pd.Series(c_of(rows).influence, rows["participant_id"]))
    expected = sum(parts) / 2
    np.testing.assert_allclose(of_a, expected[of_a.index], atol=1e-14)


def test_the_sessions_of_a_person_are_summed():
    table = waist(repeats=1)
    second = table.assign(session_id="ses-2", risk=table["risk"] + 0.1)
    both = pd.concat([table, second], ignore_index=True)
    _, influence = contributions(both, None, "harrell_c", None, None)
    assert (influence.groupby("model").size() == 60).all()
    rows = both[both["model"] == "a"]
    by_row = pd.Series(c_of(rows).influence, rows["participant_id"])
    of_a = influence[influence["model"] == "a"].set_index("participant_id")["influence"]
    np.testing.assert_allclose(of_a, by_row.groupby(level=0).sum()[of_a.index], atol=1e-14)


def test_equal_ids_of_two_cohorts_are_two_people():
    table = waist(repeats=1)
    both = pd.concat([table, table.assign(cohort="d", risk=-table["risk"])], ignore_index=True)
    _, influence = contributions(both, None, "harrell_c", None, None)
    assert (influence.groupby("model").size() == 120).all()


def test_every_person_once_where_scans_go_with_the_outcome():
    """Three scans of those with large errors: the mean over people is known."""
    table = numbers(repeats=1, models=("a",))
    error = (table["predicted"] - table["y"]).abs()
    many = table[error > error.median()]
    more = pd.concat([table, *(many.assign(session_id=f"ses-{k}") for k in (2, 3))], ignore_index=True)
    found = pooled(contributions(more, None, "mae", None, None)[0])
    assert found["person_value"] == pytest.approx(error.mean(), rel=1e-12)
    assert found["value"] > found["person_value"]
    shuffled = pooled(contributions(more.sample(frac=1, random_state=1), None, "mae", None, None)[0])
    assert shuffled["person_value"] == pytest.approx(found["person_value"], rel=1e-12)
    assert np.isnan(pooled(contributions(table, None, "mae", None, None)[0])["person_value"])


def test_every_person_once_by_pairs():
    """Sessions that repeat the first change the score over rows, and not the one over people."""
    table = waist(repeats=1)
    table["fold"] = 0
    rows = table[table["model"] == "a"]
    late = table[table["time"] > table["time"].median()]
    more = pd.concat([table, *(late.assign(session_id=f"ses-{k}") for k in (2, 3))], ignore_index=True)
    found = pooled(contributions(more, None, "harrell_c", None, None)[0])
    assert found["person_value"] == pytest.approx(c_of(rows).c, rel=1e-12)
    assert abs(found["value"] - found["person_value"]) > 1e-4


def test_folds_and_sites():
    table = waist(sites=["h2", "h1"])
    values, _ = contributions(table, None, "harrell_c", None, 0.5)
    of_a = values[values["model"] == "a"].set_index(["kind", "level"])
    assert [level for kind, level in of_a.index if kind == "fold"] == [
        f"repeat {r} fold {f}" for r in (1, 2) for f in (1, 2, 3)
    ]
    rows = table.query("model == 'a' and repeat == 1 and fold == 2")
    assert of_a.loc[("fold", "repeat 2 fold 3"), "value"] == pytest.approx(c_of(rows).c, abs=1e-14)
    assert of_a.loc[("fold", "repeat 2 fold 3"), "n"] == len(rows)
    assert [level for kind, level in of_a.index if kind == "site"] == ["h1", "h2"]
    of_site = [c_of(rows).c for _, rows in table.query("model == 'a' and site == 'h2'").groupby("repeat")]
    assert of_a.loc[("site", "h2"), "value"] == pytest.approx(np.mean(of_site), abs=1e-14)
    assert of_a.loc[("site", "h2"), "n"] == 30


def test_no_sites_no_rows_of_sites():
    for table in (waist(), waist().assign(site=None)):
        values, _ = contributions(table, None, "harrell_c", None, 0.5)
        assert set(values["kind"]) == {"pooled", "fold"}


def test_what_cannot_be_scored_says_why_and_harms_nobody_else():
    table = waist()
    table.loc[(table["model"] == "b") & (table["repeat"] == 0), "event"] = 0  # as if nobody had an event there
    values, influence = contributions(table, None, "harrell_c", None, 0.5)
    assert pooled(values, "a")["estimable"]
    row = pooled(values, "b")
    assert not row["estimable"]
    assert np.isnan(row["value"])
    assert row["reason"]
    assert set(influence["model"]) == {"a"}
    of_b = values[(values["model"] == "b") & (values["kind"] == "fold")].set_index("level")
    assert not of_b.loc["repeat 1 fold 1", "estimable"]
    assert of_b.loc["repeat 2 fold 1", "estimable"]


def test_nobody_can_be_scored():
    values, influence = contributions(waist(), None, "brier", 2.0, 0.5)
    assert not values["estimable"].any()
    assert set(values["reason"]) == {"the model gives a risk but no survival probabilities"}
    assert list(influence.columns) == INFLUENCE
    assert len(influence) == 0


def test_curves_belong_to_their_rows():
    table = waist()
    random = np.random.default_rng(5)
    curves = pd.DataFrame(np.sort(random.random((len(table), 3)), axis=1)[:, ::-1], columns=["0.5", "1.0", "1.5"])
    curves.loc[table["model"] == "b"] = np.nan  # b gives none
    values, _ = contributions(table, curves, "brier", 1.0, 0.5)
    assert pooled(values, "a")["estimable"]
    assert not pooled(values, "b")["estimable"]
    order = random.permutation(len(table))
    again, _ = contributions(table.iloc[order], curves.iloc[order], "brier", 1.0, 0.5)
    assert pooled(again, "a")["value"] == pytest.approx(pooled(values, "a")["value"], abs=1e-12)
    other = curves.assign(**{"1.5": 0.0})  # beyond the horizon
    assert pooled(contributions(table, other, "brier", 1.0, 0.5)[0], "a")["value"] == pooled(values, "a")["value"]


def test_the_order_of_the_rows_is_nothing():
    table = waist(sites=["h1", "h2"])
    shuffled = table.sample(frac=1, random_state=3).sort_values("model", kind="stable").reset_index(drop=True)
    a, b = (contributions(rows, None, "harrell_c", None, 0.5) for rows in (table, shuffled))
    pd.testing.assert_frame_equal(a[0], b[0])
    pd.testing.assert_frame_equal(a[1].reset_index(drop=True), b[1].reset_index(drop=True), atol=1e-14, rtol=0)


def test_a_model_with_failed_fits_is_not_scored_on_the_rest():
    table = waist()
    failed = (table["model"] == "b") & (table["repeat"] == 1) & (table["fold"] == table["fold"].max())
    values, influence = contributions(table[~failed], None, "harrell_c", None, None)
    row = pooled(values, "b")
    assert not row["estimable"]
    assert row["reason"] == f"{failed.sum()} held-out rows have no prediction of this model: some of its fits failed"
    assert np.isnan(row["value"])
    assert set(influence["model"]) == {"a"}
    assert pooled(values, "a")["estimable"]


# ---- classes and numbers -------------------------------------------------------------------------


def test_classes_are_scored_by_fold_and_pooled():
    table = classes(n=90, sites=["h1", "h2"])
    values, influence = contributions(table, None, "auc", None, 0.5)
    rows = table.query("model == 'a' and repeat == 1 and fold == 2")
    of_a = values[values["model"] == "a"].set_index(["kind", "level"])
    assert of_a.loc[("fold", "repeat 2 fold 3"), "value"] == pytest.approx(roc_auc_score(rows["y"], rows["score"]))
    assert of_a.loc[("fold", "repeat 2 fold 3"), "n_events"] == rows["y"].sum()
    assert abs(influence.groupby("model")["influence"].sum()).max() < 1e-12
    assert pooled(values)["n_events"] == table.query("model == 'a' and repeat == 0")["y"].sum()
    right, _ = contributions(table, None, "accuracy", None, 0.5)
    by_repeat = [accuracy_score(t["y"], t["predicted"]) for _, t in table.query("model == 'b'").groupby("repeat")]
    assert pooled(right, "b")["value"] == pytest.approx(np.mean(by_repeat), abs=1e-14)


def test_only_rows_of_a_class_count_for_its_share():
    table = classes(n=50, repeats=1, scans=2)
    values, influence = contributions(table, None, "sensitivity", None, 0.5)
    rows = table[table["model"] == "a"]
    assert pooled(values)["value"] == pytest.approx(recall_score(rows["y"], rows["predicted"]), abs=1e-14)
    of_a = influence[influence["model"] == "a"].set_index("participant_id")
    assert (of_a["rows"] == 2).all()
    y = rows.groupby("participant_id")["y"].first()
    assert of_a["counted"].tolist() == (2 * y[of_a.index]).tolist()
    assert of_a["positive"].tolist() == (y[of_a.index] == 1).tolist()
    assert (of_a.loc[of_a["counted"] == 0, "influence"] == 0).all()


def test_scans_of_a_positive_person_are_one_positive_person():
    values, _ = contributions(classes(n=50, repeats=1, scans=3), None, "auc", None, 0.5)
    once, _ = contributions(classes(n=50, repeats=1, scans=1), None, "auc", None, 0.5)
    assert pooled(values)["n"] == 3 * pooled(once)["n"] == 150
    assert pooled(values)["n_events"] == pooled(once)["n_events"]


def test_a_model_without_probabilities_has_no_brier_score():
    table = classes()
    some = table["p"].where(~((table["model"] == "b") & (table["fold"] == 1)))
    values, influence = contributions(table.assign(p=some), None, "brier_class", None, 0.5)
    assert pooled(values, "a")["value"] == pytest.approx(
        np.square(table["p"] - table["y"])[table["model"] == "a"].mean()
    )
    assert pooled(values, "b")["reason"] == "the model gives a score but no probabilities"
    assert set(influence["model"]) == {"a"}
    nobody, _ = contributions(table.drop(columns="p"), None, "brier_class", None, 0.5)
    assert not nobody["estimable"].any()


def numbers(repeats=2, models=("a", "b")):
    """Predictions of a number, with the time as what is to be predicted."""
    table = waist(repeats=repeats, models=models, sites=["h1", "h2"])
    return table.drop(columns=["time", "event", "risk"]).assign(y=10 * table["time"], predicted=5 + table["risk"])


def test_numbers_are_scored_and_everybody_counts():
    table = numbers()
    values, influence = contributions(table, None, "mae", None, 0.5)
    errors = np.abs(table["predicted"] - table["y"])
    assert pooled(values, "a")["value"] == pytest.approx(errors[table["model"] == "a"].mean(), abs=1e-12)
    assert pooled(values, "a")["n_events"] == pooled(values, "a")["n"] == 60
    assert influence["positive"].all()
    sites = values[(values["kind"] == "site") & (values["model"] == "a")]
    assert sites["estimable"].all(), "no site is too small for want of events"
    of_site = errors[(table["model"] == "a") & (table["site"] == "h2")].mean()
    assert sites.set_index("level").loc["h2", "value"] == pytest.approx(of_site, abs=1e-12)


# ---- negative controls ---------------------------------------------------------------------------


def with_permuted(table):
    """One more model, in the first repeat only."""
    return pd.concat([table, table.query("model == 'a' and repeat == 0").assign(model="permuted-a")], ignore_index=True)


@pytest.mark.parametrize(("made", "metric"), [(waist, "harrell_c"), (classes, "auc"), (numbers, "r2")])
def test_a_permuted_model_lacks_nothing_in_the_repeats_that_it_was_not_asked_for(made, metric):
    table = with_permuted(made(repeats=3))
    values, influence = contributions(table, None, metric, None, 0.5)
    alone, _ = contributions(table.query("model == 'permuted-a'"), None, metric, None, 0.5)
    assert pooled(values, "permuted-a")["estimable"]
    assert pooled(values, "permuted-a")["value"] == pooled(alone, "permuted-a")["value"]
    assert (influence.groupby("model").size() == 60).all()
    assert pooled(values, "a")["estimable"]
    assert (values.query("model == 'permuted-a'")["kind"] == "fold").sum() == 3


def test_a_permuted_model_whose_fit_failed_in_its_repeat_does_lack_rows():
    table = with_permuted(waist())
    failed = (table["model"] == "permuted-a") & (table["fold"] == 1)
    values, _ = contributions(table[~failed], None, "harrell_c", None, 0.5)
    assert pooled(values, "permuted-a")["reason"].startswith(f"{failed.sum()} held-out rows have no prediction")
    assert pooled(values, "a")["estimable"]


def test_a_model_that_failed_a_whole_repeat_is_not_excused():
    table = waist().query("not (model == 'b' and repeat == 1)")
    values, _ = contributions(table, None, "harrell_c", None, 0.5)
    assert pooled(values, "b")["reason"].startswith("60 held-out rows have no prediction of this model")

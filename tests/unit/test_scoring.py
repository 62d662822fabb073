"""Scores of each model: pooled over repeats, by fold and by site, and the influence of each person."""

import numpy as np
import pandas as pd
import pytest
from simulated_waist import waist

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

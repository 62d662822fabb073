"""Sites and parts of the split: hospitals on both sides, what the site tells, which site it is, parts that differ."""

import numpy as np
import pandas as pd
import pytest
from audited import but, check, clean, given, one
from scipy.stats import hypergeom

from triptych.audit.parts_differ import _two_sided
from triptych.plugins import load

# ---- folds in which nothing can be ranked ----


def test_a_fold_without_an_event():
    context = clean()
    tested = context.splits[
        (context.splits["repeat"] == 1) & (context.splits["fold"] == 2) & (context.splits["part"] == "test")
    ]
    table = context.people.copy()
    table.loc[table["participant_id"].isin(tested["participant_id"]), "event"] = False
    row = one("fold_without_event", but(context, table=table))
    assert row["severity"] == "stop"
    assert row["message"] == f"repeat 2, fold 3: {len(tested)} patients, 0 events, no comparable pair"
    assert row["action"] == "use fewer folds, or test on larger sites only"


def test_a_fold_whose_only_event_comes_last():
    context = clean()
    tested = context.splits[
        (context.splits["repeat"] == 0) & (context.splits["fold"] == 0) & (context.splits["part"] == "test")
    ]
    who = context.people["participant_id"].isin(tested["participant_id"])
    table = context.people.copy()
    table.loc[who, "event"] = table.loc[who, "time"] == table.loc[who, "time"].max()
    assert check("fold_without_event", but(context, table=table))["message"].tolist() == [
        f"repeat 1, fold 1: {len(tested)} patients, 1 events, no comparable pair"
    ]


@pytest.mark.parametrize(
    ("kind", "y", "fault"), [("classification", 1, "one class only (y = 1)"), ("regression", 0.5, "one value only")]
)
def test_a_fold_of_one_class_or_value(kind, y, fault):
    context = clean(kind=kind)
    tested = np.arange(60) < 15
    table = context.people.assign(y=context.people["y"].mask(pd.Series(tested), y))
    row = one("fold_without_event", given(but(context, table=table), tested))
    assert (row["severity"], row["message"]) == ("stop", f"repeat 1, fold 1: 15 patients, {fault}")


# ---- hospitals on both sides ----


def test_shared_sites_and_new_sites():
    context = but(clean(), estimand="new-site")
    row = one("shared_sites", context)
    assert (row["severity"], row["action"]) == ("stop", "use the split leave_site_out")
    assert row["message"] == "32 of 32 test sites (summed over folds) are also in training"
    row = one("shared_sites", clean())
    assert row["severity"] == "pass"
    assert row["message"].endswith("results say nothing about a hospital never seen")
    row = one("shared_sites", clean(estimand="new-site"))
    assert (row["severity"], row["message"]) == ("pass", "0 of 4 test sites (summed over folds) are also in training")


def test_a_site_name_in_two_cohorts_is_two_sites():
    table = clean().people.assign(cohort=["c", "d"] * 30, site="01", family_id=None)
    splits = load("splits", "leave_site_out")
    made = splits.split(table.assign(stratum=table["event"]), splits.Options(), seed=0)
    assert one("shared_sites", but(clean(), table=table, splits=made, estimand="new-site"))["severity"] == "pass"


def test_sites_of_predictions_made_elsewhere():
    """Only tested rows are known: who is tested in another fold was training."""
    context = clean()
    splits = context.splits[context.splits["part"] == "test"]
    row = one("shared_sites", but(context, splits=splits, estimand="new-site"))
    assert row["message"] == "32 of 32 test sites (summed over folds) are also in training"


@pytest.mark.parametrize("name", ["shared_sites", "site_tells_outcome", "site_in_inputs"])
def test_no_sites_are_not_assessable(name):
    for table in (clean().people.drop(columns="site"), clean().people.assign(site=None)):
        row = one(name, but(clean(), table=table))
        assert row["severity"] == "not assessable"
        assert row["message"].startswith("no column site: ")


# ---- what the site alone tells ----

KINDS = ["classification", "survival", "regression"]


def confounded(kind, n=240, strength=0.45, **columns):
    """Two of four sites hold most of one class: shares .5 plus and minus the strength."""
    context = clean(n, kind=kind, **columns)
    random = np.random.default_rng(3)
    high = context.people["site"].isin(["s0", "s1"])
    worse = random.random(n) < np.where(high, 0.5 + strength, 0.5 - strength)
    changes = {
        "classification": {"y": worse.astype(int)},
        "regression": {"y": worse * 2.0 + 0.01 * random.normal(size=n)},
        "survival": {"time": random.exponential(np.where(worse, 1.0, 9.0)), "event": True},
    }[kind]
    return but(context, table=context.people.assign(**changes))


@pytest.mark.parametrize("kind", KINDS)
def test_a_site_that_stands_for_the_outcome(kind):
    row = one("site_tells_outcome", confounded(kind))
    assert row["severity"] == "warn"
    assert row["low"] > row["threshold"]
    assert row["low"] < row["value"] < row["high"]
    assert row["keys"] == "c/s0; c/s1; c/s2; c/s3"
    assert row["measure"] == {"classification": "AUC", "survival": "C", "regression": "R2"}[kind] + " of site alone"
    assert "test on hospitals never seen" in row["action"]


def test_the_auc_of_the_site_alone_is_that_of_its_shares():
    """With shares .95 and .05, a positive of a random pair is in the better half with .95, so AUC = .95^2 + .95 * .05."""
    row = one("site_tells_outcome", confounded("classification", n=2000))
    assert row["value"] == pytest.approx(0.95, abs=0.02)
    row = one("site_tells_outcome", confounded("classification", n=2000, strength=0.225))
    assert row["value"] == pytest.approx(0.725, abs=0.03)


def test_within_folds_the_trap_of_stratified_folds_does_not_bite():
    """Without an effect the mean over many cohorts is near one half; pooled over folds it would be near .42."""
    values = [one("site_tells_outcome", clean(100, seed=k, kind="classification"))["value"] for k in range(40)]
    assert 0.47 < np.mean(values) < 0.52


@pytest.mark.parametrize("kind", KINDS)
def test_hospitals_never_seen_cannot_be_learned(kind):
    row = one("site_tells_outcome", but(confounded(kind), estimand="new-site"))
    assert row["severity"] == "pass"
    assert "hospitals are tested that training never saw" in row["message"]


def test_cohorts_stand_for_sites_where_no_site_is_known():
    context = confounded("classification")
    table = context.people.assign(cohort=np.where(context.people["site"].isin(["s0", "s1"]), "a", "b"), site=None)
    assert one("site_tells_outcome", but(context, table=table))["keys"] == "a; b"


def test_rows_without_a_site_are_left_out_and_said():
    context = confounded("classification")
    table = context.people.assign(site=context.people["site"].where(context.people.index % 3 > 0))
    row = one("site_tells_outcome", but(context, table=table))
    assert row["severity"] == "warn"
    assert "(160 patients, 4 sites, 80 rows without site left out; p" in row["message"]


def test_one_site_and_scans_of_one_person():
    assert one("site_tells_outcome", clean(site="s0"))["message"] == "one site only (c/s0): nothing to compare"
    context = clean(40, kind="classification", site=["a", "b"] * 20, y=[0, 1] * 20)
    few = but(context, table=context.people.assign(participant_id=[f"p{k % 4}" for k in range(40)]))
    row = one("site_tells_outcome", few)
    assert row["severity"] != "warn", "forty scans of four people are four people"


# ---- which site is it ----


def shifted(context, size, columns=("age", "g1", "g2")):
    codes = context.people["site"].str[1:].astype(int)
    table = context.people.copy()
    table[list(columns)] += size * np.random.default_rng(2).normal(size=(10, len(columns)))[codes]
    return but(context, table=table)


def test_inputs_that_tell_the_site():
    row = one("site_in_inputs", shifted(clean(200), 5.0, ("g1", "g2")))
    assert row["severity"] == "warn"
    assert (row["value"] > 0.7, row["low"] > 0.25, row["threshold"]) == (True, True, 0.25)
    assert row["keys"] == "c/s0; c/s1; c/s2; c/s3"
    assert "balanced accuracy" in row["message"]


def test_a_rare_site_counts_as_much_as_a_common_one():
    """Balanced: always naming the site of nine in ten people is no better than chance."""
    context = clean(200, site=["s1" if k % 10 == 0 else "s0" for k in range(200)])
    row = one("site_in_inputs", context)
    assert row["severity"] == "pass"
    assert row["value"] < 0.65


def test_the_site_among_the_inputs_and_words_are_looked_at():
    context = clean(200)
    words = but(context, table=context.people.assign(grade=context.people["site"].map("word {}".format)))
    assert one("site_in_inputs", words)["value"] > 0.95
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 500))).add_prefix("n")
    context = but(context, table=pd.concat([context.people, wide], axis=1))
    assert one("site_in_inputs", context)["severity"] == "pass"


def test_small_sites_and_constant_inputs_are_said():
    assert one("site_in_inputs", clean(site=[f"s{k}" for k in range(60)]))["message"].startswith("0 sites have 5")
    context = clean()
    context = but(context, table=context.people.assign(age=1.0, g1=1.0, g2=np.nan, sex=0.0, grade="a"))
    assert one("site_in_inputs", context)["message"] == "no input varies"


# ---- parts of the split that differ ----


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_part_unlike_training(kind):
    context = clean(200, kind=kind)
    people = context.people
    worse = (
        people["event"]
        if kind == "survival"
        else people["y"] > (0.5 if kind == "classification" else people["y"].median())
    )
    tested = np.random.default_rng(0).random(200) < np.where(worse, 0.5, 0.08)
    row = one("parts_differ", given(context, tested))
    assert row["severity"] == "warn"
    assert row["value"] > 0.7
    assert row["message"].startswith("repeat 1, fold 1: ")
    assert check("parts_differ", given(context, np.random.default_rng(1).random(200) < 0.3)).empty
    assert one("parts_differ", but(given(context, tested), estimand="new-site"))["severity"] == "pass"


@pytest.mark.parametrize(("seen", "n", "m", "k"), [(9, 60, 20, 15), (0, 60, 20, 15), (5, 60, 20, 15), (3, 10, 3, 4)])
def test_the_hypergeometric_p_is_that_of_scipy(seen, n, m, k):
    tails = hypergeom.cdf(seen, n, m, k), hypergeom.sf(seen - 1, n, m, k)
    assert _two_sided(seen, n, m, k) == pytest.approx(min(1, 2 * min(tails)), rel=1e-9)

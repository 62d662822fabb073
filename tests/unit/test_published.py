"""A published table beside ours: the statistics as their authors defined them, and every cell of a real table."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated_waist import waist

from triptych.elsewhere import read_predictions
from triptych.errors import DataError
from triptych.inference.evidence import compare
from triptych.inferring import Asked, Scored, comparisons
from triptych.published import LABELS, beside, compute
from triptych.scoring import contributions
from triptych.study_file import read

MCAT = Path(__file__).parents[2] / "config" / "studies" / "mcat-2021.yaml"

# times 1..6, all events but the last: fold 0 has pairs (1,3) right, (1,5) right, (3,5) wrong; fold 1 (2,4), (2,6), (4,6) right
BY_HAND = pd.DataFrame(
    {
        "repeat": 0,
        "fold": [0, 1, 0, 1, 0, 1],
        "time": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "event": [1, 1, 1, 1, 1, 0],
        "risk": [9.0, 8.0, 2.0, 7.0, 3.0, 1.0],
        "model": "ours",
    }
)


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("c_fold_mean", (2 / 3 + 1) / 2),
        ("c_fold_sd", 1 / 6),  # of 2/3 and 1, with ddof 0
        ("c_pooled", 13 / 15),  # 15 pairs; (3, 4) and (3, 5) are wrong
        ("c_test", 13 / 15),
    ],
)
def test_by_hand(statistic, value):
    assert compute(BY_HAND, statistic) == pytest.approx(value, abs=1e-15)


def test_the_log_rank_p_by_hand():
    """High group (risk at or above the median): times 1, 2 and 4, so 3 events; expected one share of each event time."""
    expected = 3 / 6 + 2 / 5 + 1 / 4 + 1 / 3
    variance = 3 / 6 * 3 / 6 + 2 / 5 * 3 / 5 + 1 / 4 * 3 / 4 + 1 / 3 * 2 / 3
    assert compute(BY_HAND, "logrank_p") == pytest.approx(stats.chi2.sf((3 - expected) ** 2 / variance, 1), rel=1e-12)


def test_repeats_do_not_mix():
    """Folds of two repeats are ten folds, not five."""
    other = BY_HAND.assign(repeat=1, risk=-BY_HAND["risk"])
    both = pd.concat([BY_HAND, other], ignore_index=True)
    assert compute(both, "c_fold_mean") == pytest.approx(0.5)
    assert compute(both, "c_fold_sd") == pytest.approx(np.std([2 / 3, 1, 1 / 3, 0]))


def test_a_statistic_that_is_not_known():
    with pytest.raises(DataError, match="published: no statistic 'c_poled'; did you mean 'c_pooled'"):
        compute(BY_HAND, "c_poled")


# ---- beside --------------------------------------------------------------------------------------

HOW = {
    "file": "theirs.csv",
    "citation": "Them (2021)",
    "columns": {"task": "cancer", "model": "method"},
    "statistics": {"C": "c_pooled", "p": "logrank_p"},
    "low": "lo",
    "high": "hi",
}
NAMES = {"ours": ("Theirs", "Our label"), "null": ("Nothing", "Null")}


def theirs(**columns):
    return pd.DataFrame(
        {"cancer": ["t", "other"], "method": "Theirs", "C": [0.8, 0.1], "p": 0.5, "lo": 0.7, "hi": 0.9} | columns
    )


def scores(metric="harrell_c"):
    return pd.DataFrame({"model": ["Our label"], "metric": metric, "low": [0.55], "high": [0.95]})


def test_ours_beside_theirs():
    found = beside(theirs(note="seen"), BY_HAND, scores(), "t", NAMES, HOW).set_index("statistic")
    assert list(found.index) == ["c_pooled", "logrank_p"]
    row = found.loc["c_pooled"]
    assert (row["published"], row["published_low"], row["published_high"]) == (0.8, 0.7, 0.9)
    assert row["ours"] == pytest.approx(13 / 15)
    assert row["difference"] == pytest.approx(13 / 15 - 0.8)
    assert row["label"] == LABELS["c_pooled"]
    assert (row["source"], row["published_note"], row["model"]) == ("Them (2021)", "seen", "ours")
    assert np.isnan(found.loc["logrank_p", "published_low"])  # an interval for C is none for p
    assert found.loc["logrank_p", "ours"] == pytest.approx(compute(BY_HAND, "logrank_p"))


@pytest.mark.parametrize(
    ("statistic", "has"), [("c_fold_mean", True), ("c_test", True), ("c_pooled", False), ("c_fold_sd", False)]
)
def test_our_interval_stands_only_beside_what_it_is_for(statistic, has):
    """Harrell's C with pairs within folds is the mean over folds (nearly), not the pooled one."""
    row = beside(theirs(), BY_HAND, scores(), "t", NAMES, HOW | {"statistics": {"C": statistic}}).iloc[0]
    assert (row["ours_low"] == 0.55) == has
    assert np.isnan(row["ours_high"]) != has
    other = beside(theirs(), BY_HAND, scores("uno_c"), "t", NAMES, HOW | {"statistics": {"C": statistic}}).iloc[0]
    assert np.isnan(other["ours_low"])


@pytest.mark.parametrize(
    "how",
    [
        {"columns": {"task": "cancre", "model": "method"}},
        {"statistics": {"CI": "c_pooled"}},
        {"low": "low"},
        {"high": "x"},
    ],
)
def test_a_column_that_is_not_there(how):
    wrong = {"columns": "cancre", "statistics": "CI", "low": "low", "high": "x"}[next(iter(how))]
    with pytest.raises(DataError, match=rf"published: theirs.csv has no column '{wrong}'"):
        beside(theirs(), BY_HAND, scores(), "t", NAMES, HOW | how)


def test_two_rows_for_one_model():
    twice = pd.concat([theirs(), theirs(C=0.9)])
    with pytest.raises(DataError, match=r"theirs\.csv has 2 rows for t / Theirs; keep one"):
        beside(twice, BY_HAND, scores(), "t", NAMES, HOW)


def test_a_model_that_they_did_not_have_has_no_row():
    found = beside(theirs(), BY_HAND, scores(), "t", NAMES, HOW)
    assert set(found["model"]) == {"ours"}
    nothing = beside(theirs(method="Another"), BY_HAND, scores(), "t", NAMES, HOW)
    assert len(nothing) == 0
    assert list(nothing.columns) == list(found.columns)


# ---- a real table --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mcat(data_root, tmp_path_factory):
    """The study, its published table, and the file of predictions unpacked once."""
    study = read(MCAT, overrides={"data_root": str(data_root)})
    file, table = data_root / study.predictions.file, data_root / study.published.file
    if not (file.is_file() and table.is_file()):
        pytest.skip(f"no {study.predictions.file} below {data_root}")
    plain = tmp_path_factory.mktemp("mcat") / "predictions.csv"
    plain.write_bytes(gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes())
    return study, pd.read_csv(table), plain


def brought(mcat, task):
    study, _, file = mcat
    names = {name: model.external for name, model in study.models_of(task).items() if model.external}
    return read_predictions(file, study.predictions.model_dump(), task, names), names


@pytest.mark.parametrize("task", ["blca", "brca", "gbmlgg", "luad", "ucec"])
def test_every_published_cell_of_mcat_is_recomputed(mcat, task):
    study, table, _ = mcat
    predictions, names = brought(mcat, task)
    labels = {name: (theirs, theirs) for name, theirs in names.items()}
    empty = pd.DataFrame(columns=["model", "metric", "low", "high"])
    found = beside(table, predictions, empty, task, labels, study.published.model_dump())
    assert len(found) == 11 * 4
    assert found["statistic"].value_counts().to_dict() == dict.fromkeys(
        ("c_fold_mean", "c_fold_sd", "c_pooled", "logrank_p"), 11
    )
    p = found["statistic"] == "logrank_p"
    assert found.loc[~p, "difference"].abs().max() <= 1e-12
    assert (found.loc[p, "difference"].abs() <= 1e-9 * found.loc[p, "published"]).all()


def test_the_paired_difference_of_mcat_and_attention_mil_in_luad(mcat):
    predictions, _ = brought(mcat, "luad")
    pair = predictions[predictions["model"].isin(["mcat", "amil-concat"])].reset_index(drop=True)
    one = Scored.of("harrell_c", None, *contributions(pair, None, "harrell_c", None, None))
    row = comparisons([one], Asked("new-patients")).iloc[0]
    sign = 1 if row["model_a"] == "mcat" else -1
    assert sign * row["difference"] == pytest.approx(0.0584, abs=5e-5)
    assert row["n_units"] == 453
    by_patients = compare(one.evidence("mcat"), one.evidence("amil-concat"), "paired-influence", 0.95)
    assert by_patients.interval.se == pytest.approx(0.0264, abs=5e-5)
    assert row["se"] > by_patients.interval.se, "one repeat: what the models learn from the same patients is bounded"


def test_the_statistics_are_told_by_name():
    table = waist(repeats=1, models=("a",))
    assert all(np.isfinite(compute(table, statistic)) for statistic in LABELS)
    assert all(LABELS.values())

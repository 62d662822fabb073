"""The waist: fits of all jobs become one checked table, or it is said why not."""

import numpy as np
import pandas as pd
import pytest

from triptych.errors import DataError
from triptych.tables import FAILURES, FIT, KEY, failure, write
from triptych.waist import gather, read_curves, train_ratio

PEOPLE = [f"p{k}" for k in range(6)]


def splits(repeats=1):
    parts = [
        pd.DataFrame({"repeat": r, "fold": f, "cohort": "c", "participant_id": PEOPLE, "session_id": "ses-1"}).assign(
            part=["test" if k % 3 == f else "train" for k in range(6)]
        )
        for r in range(repeats)
        for f in range(3)
    ]
    return pd.concat(parts, ignore_index=True)


def fit(model="a", fold=0, repeat=0, **columns):
    who = [p for k, p in enumerate(PEOPLE) if k % 3 == fold]
    head = {"task": "t", "model": model, "repeat": repeat, "fold": fold, "cohort": "c", "participant_id": who}
    return pd.DataFrame({**head, "session_id": "ses-1", "time": 1.0, "event": 1, "risk": 0.5, **columns})


def failed(model, reason):
    return {"fits": [], "failures": [failure("fit", reason=reason, model=model)]}


EMPTY = pd.DataFrame(columns=[*FIT, *KEY, "time", "event", "risk"])
FINE = {"fits": [], "failures": []}


def test_predictions_and_curves_side_by_side():
    with_curves = [fit("a", fold, **{"1.0": 0.9, "2.0": 0.8}) for fold in range(3)]
    without = [fit("b", fold, site="h1") for fold in range(3)]
    waist = gather([*with_curves, *without], [FINE] * 6, splits(), "survival", 0.0)
    assert list(waist.predictions.columns) == [*FIT, *KEY, "site", "time", "event", "risk"]
    assert list(waist.curves.columns) == [*FIT, "1.0", "2.0"]
    assert waist.curves.index.equals(waist.predictions.index)
    assert (waist.curves["model"] == waist.predictions["model"]).all()
    assert waist.curves.loc[waist.curves["model"] == "b", "1.0"].isna().all()
    assert list(waist.failures.columns) == FAILURES
    assert len(waist.failures) == 0


def test_failed_fits_are_counted_against_the_tolerance():
    fits = [fit("a", 0), fit("a", 1), *(fit("b", fold) for fold in range(3))]
    said = [FINE, failed("a", "fold 3: it will not go")]
    waist = gather(fits, said, splits(), "survival", 0.4)
    assert waist.failures["reason"].tolist() == ["fold 3: it will not go"]
    with pytest.raises(DataError, match=r"model 'a': 1 of 3 fits failed, more than `tolerance: fits: 0.3`; .*fold 3"):
        gather(fits, said, splits(), "survival", 0.3)


def test_the_reason_is_that_of_the_model_that_failed_too_often():
    fits = [fit("a", 0), fit("a", 1), fit("b", 0)]
    said = [failed("a", "a is tired"), failed("b", "b is ill"), failed("b", "b is ill again")]
    with pytest.raises(DataError, match=r"model 'b': 2 of 3 fits failed.*the first: b is ill$"):
        gather(fits, said, splits(), "survival", 0.5)


def test_a_model_without_a_single_fit_is_never_tolerated():
    fits = [*(fit("a", fold) for fold in range(3)), EMPTY]
    said = [FINE, failed("b", "no"), failed("b", "no"), failed("b", "no")]
    with pytest.raises(DataError, match="model 'b': 3 of 3 fits failed"):
        gather(fits, said, splits(), "survival", 1.0)
    with pytest.raises(DataError, match="model 'b': 1 of 1 fits failed"):
        gather([EMPTY], [failed("b", "no")], splits().query("fold == 0"), "survival", 1.0)


def test_an_empty_job_among_others_changes_no_types():
    fits = [EMPTY, *(fit("a", fold, repeat) for repeat, fold in [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)])]
    waist = gather(fits, [failed("a", "no")], splits(2), "survival", 0.2)
    assert waist.predictions["fold"].dtype == np.int64
    assert waist.predictions["risk"].dtype == np.float64


def test_predictions_that_are_lost_without_a_word():
    with pytest.raises(DataError, match=r"model 'a': 1 of 3 fits failed.*predictions are missing"):
        gather([fit("a", 0), fit("a", 1)], [FINE], splits(), "survival", 0.0)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"risk": np.nan}, r"row \d+ \(t / a / 0 / 0 / c / p0\).*'risk'.*is not a number \(2 such rows\)"),
        ({"time": -1.0}, "'time'.*is negative or infinite"),
        ({"time": np.inf}, "'time'.*is negative or infinite"),
        ({"event": 2}, "'event'.*is neither 0"),
        ({"event": None}, "'event'.*is missing"),
    ],
)
def test_rows_that_are_no_predictions(columns, says):
    with pytest.raises(DataError, match=says):
        gather([fit("a", 0, **columns), fit("a", 1), fit("a", 2)], [FINE], splits(), "survival", 0.0)


def test_a_person_predicted_twice_in_one_fit():
    with pytest.raises(DataError, match=r"rows 0 and \d are both t / a / 0 / 0 / c / p[03]"):
        gather([fit("a", 0), fit("a", 0), fit("a", 1), fit("a", 2)], [FINE], splits(), "survival", 0.0)


def test_a_column_that_is_missing():
    fits = [fit("a", fold).drop(columns="risk") for fold in range(3)]
    with pytest.raises(DataError, match="no column 'risk'"):
        gather(fits, [FINE], splits(), "survival", 0.0)


# ---- classes and numbers -------------------------------------------------------------------------


def told(model="a", fold=0, kind="classification", **columns):
    """A fit of another kind."""
    outcome = {"classification": {"y": 1, "score": 2.5, "predicted": 1}, "regression": {"y": 40.5, "predicted": -3.0}}[
        kind
    ]
    return fit(model, fold).drop(columns=["time", "event", "risk"]).assign(**outcome, **columns)


def test_classes_with_and_without_a_probability():
    fits = [*(told("a", k, p=0.8) for k in range(3)), *(told("b", k, site="h1") for k in range(3))]
    waist = gather(fits, [FINE], splits(), "classification", 0.0)
    assert list(waist.predictions.columns) == [*FIT, *KEY, "site", "p", "y", "score", "predicted"]
    assert waist.predictions.groupby("model")["p"].first().isna().tolist() == [False, True]
    assert list(waist.curves.columns) == FIT
    without = gather(fits[3:], [FINE], splits(), "classification", 0.0).predictions
    assert "p" not in without


def test_numbers():
    waist = gather([told("a", k, "regression") for k in range(3)], [FINE], splits(), "regression", 0.0)
    assert list(waist.predictions.columns) == [*FIT, *KEY, "y", "predicted"]


@pytest.mark.parametrize(
    ("kind", "columns", "says"),
    [
        (
            "classification",
            {"p": 1.2},
            r"row \d+ \(t / a / 0 / 0 / c / p0\), column 'p': 1\.2 is no probability.*\(2 such rows\)",
        ),
        ("classification", {"p": "high"}, "column 'p': 'high' is not a number"),
        ("classification", {"y": 2}, r"column 'y': 2 is neither 0 nor 1 \(2 such rows\)"),
        ("classification", {"y": None}, "column 'y': .* is missing"),
        ("classification", {"predicted": 0.5}, "column 'predicted': 0.5 is neither 0 nor 1 "),
        ("classification", {"score": np.nan}, "column 'score': nan is not a number"),
        ("regression", {"predicted": np.nan}, "column 'predicted': nan is not a number"),
        ("regression", {"y": "tall"}, "column 'y': 'tall' is not a number"),
    ],
)
def test_rows_that_are_no_classes_or_numbers(kind, columns, says):
    fits = [told("a", 0, kind).assign(**columns), told("a", 1, kind), told("a", 2, kind)]
    with pytest.raises(DataError, match=says):
        gather(fits, [FINE], splits(), kind, 0.0)


def test_a_class_without_its_score():
    with pytest.raises(DataError, match="no column 'score'"):
        gather([told("a", k).drop(columns="score") for k in range(3)], [FINE], splits(), "classification", 0.0)


# ---- negative controls ---------------------------------------------------------------------------


@pytest.mark.parametrize("done", [0, 1, 3])
def test_a_control_that_fails_stops_nothing_and_is_told(done):
    fits = [*(fit("a", k) for k in range(3)), *(fit("control-site", k) for k in range(done))]
    said = [FINE, *[failed("control-site", "no usable input")] * (3 - done)]
    waist = gather(fits, said, splits(), "survival", 0.0, ["control-site"])
    assert (waist.predictions["model"] == "control-site").sum() == 2 * done
    assert waist.failures["reason"].tolist() == ["no usable input"] * (3 - done)
    if done < 3:
        with pytest.raises(DataError, match=f"model 'control-site': {3 - done} of 3 fits failed"):
            gather(fits, said, splits(), "survival", 0.0)


def test_a_permuted_control_has_one_repeat_of_several():
    fits = [*(fit("a", k, r) for r in (0, 1) for k in range(3)), *(fit("permuted-a", k) for k in range(3))]
    waist = gather(fits, [FINE], splits(2), "survival", 0.0, ["permuted-a"])
    assert waist.predictions.groupby("model")["repeat"].nunique().to_dict() == {"a": 2, "permuted-a": 1}


def test_a_model_is_not_excused_by_a_control():
    fits = [*(fit("control-site", k) for k in range(3)), fit("a", 0)]
    with pytest.raises(DataError, match="model 'a': 2 of 3 fits failed"):
        gather(fits, [failed("a", "no")], splits(), "survival", 0.0, ["control-site"])


# ---- files ---------------------------------------------------------------------------------------


def test_curves_from_a_file(tmp_path):
    write(fit(**{"1.0": 0.9})[[*FIT, "1.0"]], tmp_path / "with.parquet")
    write(fit()[FIT], tmp_path / "without.parquet")
    assert list(read_curves(tmp_path / "with.parquet").columns) == ["1.0"]
    assert read_curves(tmp_path / "without.parquet") is None


def test_the_ratio_of_test_to_training():
    assert train_ratio(splits()) == pytest.approx(2 / 4)
    assert train_ratio(splits().query("part == 'test'")) is None
    uneven = splits().query("not (fold == 2 and participant_id == 'p2')")
    assert train_ratio(uneven) == pytest.approx((0.5 + 0.5 + 0.25) / 3)

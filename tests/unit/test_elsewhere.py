"""Predictions made elsewhere: what is refused at the waist, and columns that are used as risk."""

import numpy as np
import pandas as pd
import pytest

from triptych.elsewhere import bring, column_as_risk, read_predictions
from triptych.errors import DataError
from triptych.tables import FIT, KEY, check_predictions

COLUMNS = {
    "task": "cancer",
    "model": "method",
    "fold": "fold",
    "participant_id": "case",
    "risk": "score",
    "time": "months",
    "event": "cens",
}
SPEC = {"columns": COLUMNS, "event_value": 0, "site_pattern": r"^TCGA-(..)-"}
MODELS = {"ours": "B (theirs)", "other": "A"}


def theirs():
    rows = [
        (cancer, method, i % 2, f"TCGA-{i % 3:02d}-{i:04d}", score * (i + 1) / 7, float(i + 1), i % 2)
        for cancer in ("blca", "luad")
        for method, score in (("A", 1), ("B (theirs)", -1), ("C", 2))
        for i in range(8)
    ]
    return pd.DataFrame(rows, columns=["cancer", "method", "fold", "case", "score", "months", "cens"])


@pytest.fixture
def file(tmp_path):
    def written(table):
        table.to_csv(tmp_path / "p.csv", index=False)
        return tmp_path / "p.csv"

    return written


def get(path, task="luad", models=MODELS, **spec):
    return read_predictions(path, {**SPEC, **spec}, task, models)


def test_a_good_file(file):
    found = get(file(theirs()))
    assert found["model"].drop_duplicates().tolist() == ["ours", "other"], "the order of the study"
    assert len(found) == 16, "model C is not asked for"
    assert list(found) == [*FIT, *KEY, "site", "time", "event", "risk"]
    first = found.iloc[0]
    assert (first["task"], first["cohort"], first["session_id"], first["repeat"]) == ("luad", "luad", "ses-1", 0)
    assert (first["participant_id"], first["site"], first["event"]) == ("TCGA-00-0000", "00", 1), "cens 0 is an event"
    assert first["risk"] == pytest.approx(-1 / 7)
    check_predictions(found, "survival", "p")


def test_order_of_the_file_does_not_matter(file):
    found = get(file(theirs()))
    mixed = get(file(theirs().sample(frac=1, random_state=1)))
    pd.testing.assert_frame_equal(found, mixed)


def test_a_file_of_one_task(file):
    columns = {our: their for our, their in COLUMNS.items() if our not in ("task", "fold")}
    table = theirs().query("cancer == 'luad'").drop(columns=["cancer", "fold"])
    found = get(file(table), columns=columns, site_pattern=None)
    assert found["fold"].unique().tolist() == [0]
    assert "site" not in found


def test_ids_stay_text(file):
    table = theirs().assign(case=lambda t: t["case"].str[-4:])
    assert get(file(table), site_pattern=None)["participant_id"].iloc[1] == "0002"


def luad(table, model, row):
    """Position of the k-th row of a model of the task luad."""
    return table.index[(table["cancer"] == "luad") & (table["method"] == model)][row]


def put(column, value, model="A", row=3):
    table = theirs()
    table[column] = table[column].astype(object)
    table.loc[luad(table, model, row), column] = value
    return table


LINE = luad(theirs(), "A", 3) + 2  # of the file


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            put("score", np.nan),
            rf"p\.csv: row {LINE} \(luad / other / 0 / 1 / luad / TCGA-00-0003\), column 'risk': nan is not a number",
        ),
        (put("score", "high"), rf"row {LINE} \(.*TCGA-00-0003\), column 'risk': 'high' is not a number"),
        (put("months", np.inf), rf"row {LINE} .*column 'time': inf is negative or infinite"),
        (put("months", -1), rf"row {LINE} .*column 'time': -1\.0 is negative or infinite"),
        (put("months", np.nan), rf"row {LINE} .*column 'time': nan is not a number"),
        (put("cens", np.nan), rf"row {LINE}, column 'cens' is empty \(1 such rows\); fill it or leave the rows out"),
        (put("case", np.nan), rf"row {LINE}, column 'case' is empty \(1 such rows\)"),
        (put("cens", 2), r"event column 'event' holds more than two values"),
        (put("months", 99), r"p\.csv: TCGA-00-0003 has different outcomes in different rows"),
        (put("cens", 0), r"p\.csv: TCGA-00-0003 has different outcomes in different rows"),
    ],
)
def test_rows_refused(file, table, message):
    with pytest.raises(DataError, match=message):
        get(file(table))


def test_an_empty_event_is_never_taken_as_censored(file):
    """With one value and empty cells there are two kinds of cells, and empty is not the other outcome."""
    table = theirs()
    table["cens"] = table["cens"].map({0: 0.0, 1: np.nan})
    with pytest.raises(DataError, match=r"column 'cens' is empty \(8 such rows\)"):
        get(file(table))


def test_infinite_risk_may_be_ranked(file):
    assert np.isinf(get(file(put("score", np.inf)))["risk"]).sum() == 1


def test_duplicated_rows(file):
    table = theirs()
    row = luad(table, "A", 3)
    table = pd.concat([table, table.loc[[row]]], ignore_index=True)
    with pytest.raises(
        DataError,
        match=rf"rows {LINE} and {len(table) + 1} are both luad / other / 0 / 1 / luad / TCGA-00-0003 / ses-1; keep one",
    ):
        get(file(table))


def test_fewer_people_for_one_model(file):
    table = theirs().drop(index=luad(theirs(), "A", 3))
    with pytest.raises(DataError, match=r"p\.csv: other has 7 people, ours has 8; give every model the same people"):
        get(file(table))


def test_as_many_but_other_people(file):
    table = put("case", "TCGA-00-0099")
    with pytest.raises(
        DataError,
        match=r"p\.csv: (other|ours) has .*TCGA-00-00(99|03).* (other|ours) has not; give every model the same people",
    ):
        get(file(table))


def test_the_same_people_in_other_folds(file):
    with pytest.raises(DataError, match=r"TCGA-00-0003.*give every model the same people in the same folds"):
        get(file(put("fold", 0)))


def test_a_column_that_is_not_there(file):
    with pytest.raises(DataError, match=r"p\.csv: no column 'score'; did you mean 'scores'\?"):
        get(file(theirs().rename(columns={"score": "scores"})))


def test_a_column_that_the_study_does_not_name(file):
    columns = {our: their for our, their in COLUMNS.items() if our != "risk"}
    with pytest.raises(DataError, match=r"p\.csv, with `columns:` of the study: no column 'risk'"):
        get(file(theirs()), columns=columns)


def test_an_unknown_task_names_the_nearest(file):
    with pytest.raises(DataError, match=r"p\.csv: no row for the task 'luda'; did you mean 'luad'\?"):
        get(file(theirs()), task="luda")


def test_an_unknown_model_names_the_nearest(file):
    with pytest.raises(
        DataError, match=r"p\.csv: task 'luad' has no model 'B \(thiers\)'; did you mean 'B \(theirs\)'\?"
    ):
        get(file(theirs()), models={"ours": "B (thiers)"})


# ---- a column as risk ----


@pytest.fixture
def predictions(file):
    return get(file(theirs()))


def people(**changes):
    table = pd.DataFrame(
        {
            "cohort": "tcga",
            "participant_id": [f"tcga-{i % 3:02d}-{i:04d} " for i in range(8)],
            "age": [50.0 + i for i in range(8)],
        }
    )
    return table.assign(**changes)


def test_column_as_risk(predictions):
    rows, failures = column_as_risk(predictions, people(), "age", "age")
    assert failures == []
    assert rows["model"].unique().tolist() == ["age"]
    assert dict(zip(rows["participant_id"], rows["risk"], strict=True))["TCGA-01-0004"] == 54, "ids of another spelling"
    assert len(rows) == 8
    check_predictions(rows, "survival", "p")


def test_missing_values_are_listed_and_say_nothing(predictions):
    rows, failures = column_as_risk(predictions, people(age=[50.0, None, None, 53, 54, 55, 56, 57]), "age", "age")
    risk = dict(zip(rows["participant_id"], rows["risk"], strict=True))
    assert risk["TCGA-01-0001"] == risk["TCGA-02-0002"] == 54.5
    assert sorted(f["participant_id"] for f in failures) == ["TCGA-01-0001", "TCGA-02-0002"]
    assert {(f["stage"], f["column"], f["reason"]) for f in failures} == {
        ("baseline", "age", "age is missing; the median stands for it")
    }
    rows, failures = column_as_risk(predictions, people().iloc[1:], "age", "age")
    assert [f["participant_id"] for f in failures] == ["TCGA-00-0000"], "people that the cohort does not have"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            people(participant_id=[f"x{i}" for i in range(8)]),
            r"'age' is missing for 8 of 8 people of the predictions; check the ids",
        ),
        (
            people(age=["50", "old", *["51"] * 6]),
            r"column 'age', used as risk: 'old' of tcga-01-0001\s+is not a number; correct the cohort's table",
        ),
        (
            people().drop(columns="age"),
            r"column 'age' that is used as risk: no column 'age'; it has 'cohort', 'participant_id'",
        ),
        (
            pd.concat([people(), people(cohort="more", age=1.0)]),
            r"column 'age', used as risk: 1\.0 of tcga-00-0000\s+is a second value of this id",
        ),
    ],
)
def test_columns_that_cannot_be_a_risk(predictions, table, message):
    with pytest.raises(DataError, match=message):
        column_as_risk(predictions, table, "age", "age")


def test_two_sessions_with_one_value(predictions):
    rows, failures = column_as_risk(predictions, pd.concat([people(), people()]), "age", "age")
    assert (len(rows), failures) == (8, [])


def test_bring(file):
    brought = bring(file(theirs()), SPEC, "luad", MODELS, {"age": "age"}, [people(age=[None, *range(51, 58)])])
    assert brought.predictions["model"].drop_duplicates().tolist() == ["ours", "other", "age"]
    assert brought.splits["part"].unique().tolist() == ["test"]
    assert len(brought.splits) == 8
    assert brought.flow[["what", "n_patients", "n_events"]].to_numpy().tolist() == [["read", 8, 4], ["kept", 8, 4]]
    assert brought.failures["participant_id"].tolist() == ["TCGA-00-0000"]

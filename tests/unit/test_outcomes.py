"""Classes and numbers: what is missing, impossible or not clear, and the outcome of those who were left out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_table import DIED, MONTHS, OUTCOMES, examples, left, lines, put

from triptych.errors import DataError
from triptych.ledger import Ledger, check_tolerance
from triptych.outcomes import OUTCOME, READ, event_flag, holds, of_left_out, plain_word
from triptych.tables import KEY, PREDICTIONS

DX = ["AD", "CN"] * 6


def classes(people, label="dx", positive="AD", **more):
    return examples(people, kind="classification", outcome={"label": label, "positive": positive}, **more)


def numbers(people, **more):
    return examples(people, kind="regression", **more)


def test_every_kind_that_is_read_has_columns_in_the_waist():
    assert set(READ) == set(OUTCOME) <= set(PREDICTIONS)
    for kind, columns in OUTCOME.items():
        assert set(columns) <= set(PREDICTIONS[kind])


# ---- classes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "positive", "y"),
    [
        (["AD", "CN"], "AD", [1, 0]),
        (["AD", "CN"], "CN", [0, 1]),
        ([" ad", "Cn "], "AD", [1, 0]),
        ([1, 2], 2, [0, 1]),
        ([1.0, 2.0], "1", [1, 0]),
        ([0, 1], None, [0, 1]),
        ([False, True], None, [0, 1]),
        (["no", "yes"], None, [0, 1]),
        (["no", "yes"], True, [0, 1]),  # YAML reads a plain `yes` as true
        (["no", "yes"], False, [1, 0]),
    ],
)
def test_classes_are_1_and_0(cohort_of, cells, positive, y):
    people, _ = cohort_of(lines(dx=cells * 6))
    made, ledger = classes(people, positive=positive)
    assert made.table["y"].tolist() == y * 6
    assert made.table["y"].dtype == np.int64
    assert ledger.failures == []


@pytest.mark.parametrize("cell", ["", "NA", "nan"])
def test_a_missing_label_is_excluded_and_counted(cohort_of, cell):
    people, _ = cohort_of(lines(dx=put(DX, i2=cell, i7=cell)))
    made, ledger = classes(people)
    assert len(made) == 10
    assert made.table["y"].dtype == np.int64
    assert left(ledger) == [("missing outcome", 2)]
    assert ledger.failures == [], "never eligible, so no fault of the data"
    check_tolerance(ledger, 12, 0.0, "os")


def test_three_classes_are_refused_until_one_is_left_out(cohort_of):
    people, _ = cohort_of(lines(dx=["AD", "CN", "MCI"] * 4))
    with pytest.raises(
        DataError,
        match=r"label column 'dx' holds more than two values \('ad', 'cn', 'mci'\); two classes are told apart here; leave "
        r"others out with `exclude:`",
    ):
        classes(people)
    made, ledger = classes(people, exclude={"dx": ["MCI"]})
    assert made.y.tolist() == [1, 0] * 4
    assert left(ledger) == [("left out by rule: dx is MCI", 4)]


@pytest.mark.parametrize(
    ("cells", "positive", "says"),
    [
        (["AD", "CN"], "ADD", r"label column 'dx' never holds 'ADD'; it holds 'ad', 'cn'; did you mean 'ad'\?$"),
        (["AD", "CN"], 3, r"label column 'dx' never holds 3; it holds 'ad', 'cn'$"),
        ([0, 1], 2, r"never holds 2; it holds '0', '1'$"),
        (
            ["AD", "CN"],
            None,
            r"label column 'dx' holds 'ad', 'cn'; say which value is the class that is looked for: `positive:`",
        ),
        ([0, 1, 2], None, r"label column 'dx' holds '0', '1', '2'; say which value"),
    ],
)
def test_labels_that_are_not_clear(cohort_of, cells, positive, says):
    people, _ = cohort_of(lines(dx=(cells * 6)[:12]))
    with pytest.raises(DataError, match=says):
        classes(people, positive=positive)


@pytest.mark.parametrize(
    ("cells", "positive", "negative"),
    [(["AD"] * 12, 12, 0), (["AD", *["CN"] * 11], 1, 11), ([*["AD"] * 11, "CN"], 11, 1)],
)
def test_one_class_or_a_single_person_of_one(cohort_of, cells, positive, negative):
    people, _ = cohort_of(lines(dx=cells))
    with pytest.raises(
        DataError,
        match=rf"task 'os': {positive} people are positive and {negative} negative in 'dx'; .* check `positive:`",
    ):
        classes(people)


def test_people_are_counted_by_cohort_and_id_and_not_by_rows(cohort_of):
    one, two = (cohort_of(lines(dx=["AD", *["CN"] * 11]), name=f"{c}.csv", cohort=c)[0] for c in "ab")
    assert classes(pd.concat([one, two]))[0].y.sum() == 2  # p0 of two cohorts are two people
    head = "participant_id,session_id,age,dx"
    rows, _ = cohort_of([head, "p1,a,50,AD", "p1,b,51,AD", "p2,a,50,CN", "p3,a,50,CN"])
    with pytest.raises(DataError, match="1 people are positive and 2 negative"):
        classes(rows)


def test_nobody_has_a_label(cohort_of):
    people, _ = cohort_of(lines(dx=[""] * 12))
    with pytest.raises(DataError, match="task 'os': no patient has a label in 'dx'"):
        classes(people)


# ---- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("inf", "value is infinite: inf"),
        ("-inf", "value is infinite: -inf"),
        ("seven", "value is not a number: 'seven'"),
        ("7 points", "value is not a number: '7 points'"),
        ("<3", "value is not a number: '<3'"),
    ],
)
def test_an_impossible_number_is_quarantined(cohort_of, value, reason):
    people, _ = cohort_of(lines(months=put([float(x) for x in MONTHS], i4=value)))
    made, ledger = numbers(people)
    assert len(made) == 11
    (lost,) = ledger.failures
    assert (lost["participant_id"], lost["row"], lost["column"]) == ("p4", 6, "months")
    assert lost["reason"].replace("'inf'", "inf").replace("'-inf'", "-inf") == reason
    assert lost["advice"] == "correct the value"
    assert left(ledger) == [(f"quarantined: {reason.partition(':')[0]}", 1)]
    with pytest.raises(
        DataError, match=r"1 of 12 patients are in quarantine, .*the first: p4 \(row 6, column 'months'\): value"
    ):
        check_tolerance(ledger, 12, 0.05, "os")


def test_negative_numbers_and_zero_are_numbers(cohort_of):
    people, _ = cohort_of(lines(months=[i - 6 for i in range(12)]))
    made, ledger = numbers(people)
    assert made.y.tolist() == [float(i - 6) for i in range(12)]
    assert ledger.failures == []


def test_a_missing_number_is_excluded_and_counted(cohort_of):
    people, _ = cohort_of(lines(months=put(MONTHS, i2="", i7="NaN")))
    made, ledger = numbers(people)
    assert len(made) == 10
    assert left(ledger) == [("missing outcome", 2)]
    assert ledger.failures == []


def test_numbers_that_came_as_text_are_numbers():
    people = pd.DataFrame(
        {"cohort": "c", "participant_id": list("abcd"), "session_id": "s", "months": ["1", "2.5", None, " 3"]}
    )
    assert numbers(people, inputs={})[0].y.tolist() == [1.0, 2.5, 3.0]


def test_a_constant_number(cohort_of):
    people, _ = cohort_of(lines(months=[5] * 12))
    with pytest.raises(DataError, match=r"task 'os': the outcome is constant: every 'months' is 5$"):
        numbers(people)


@pytest.mark.parametrize("cell", ["", "unknown"])
def test_nobody_has_a_number(cohort_of, cell):
    people, _ = cohort_of(lines(months=[cell] * 12))
    with pytest.raises(DataError, match="task 'os': no patient has a usable value in 'months'"):
        numbers(people)


# ---- one spelling --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (1, "1"),
        (1.0, "1"),
        (True, "1"),
        (np.True_, "1"),
        (np.float64(2), "2"),
        ("1", "1"),
        (" Yes ", "yes"),
        (0.5, "0.5"),
        (False, "0"),
    ],
)
def test_plain_words(value, word):
    assert plain_word(value) == word


@given(st.one_of(st.integers(-999, 999), st.booleans(), st.text("aB ", max_size=4)))
def test_a_value_holds_itself_and_an_empty_cell_holds_nothing(value):
    values = pd.Series([value, None, "another"], dtype=object)
    assert holds(values, value).tolist() == [True, False, False]


# ---- those who were left out ---------------------------------------------------------------------


def gone(rule="protocol", **columns):
    """Three rows that a rule about one column has left out."""
    return pd.DataFrame({**dict.fromkeys(KEY, "x"), **columns, "rule": rule, "reason": "why"})


@pytest.mark.parametrize(
    ("outcome", "columns", "expected"),
    [
        ({"time": "t", "event": "e", "event_value": None}, {"e": [1, 0, None]}, {"event": [1, 0, np.nan]}),
        (
            {"time": "t", "event": "e", "event_value": "dead"},
            {"e": ["Dead ", "alive", None]},
            {"event": [1, 0, np.nan]},
        ),
        ({"time": "t", "event": "e", "event_value": True}, {"e": ["yes", "no", None]}, {"event": [1, 0, np.nan]}),
        ({"time": "t", "event": "e", "event_value": False}, {"e": ["yes", "no", "?"]}, {"event": [0, 1, np.nan]}),
        ({"label": "dx", "positive": "AD"}, {"dx": ["CN", "AD", None]}, {"y": [0, 1, np.nan]}),
        ({"label": "dx", "positive": None}, {"dx": ["yes", "0", "what"]}, {"y": [1, 0, np.nan]}),
        ({"value": "score"}, {"score": ["7", "high", None]}, {"y": [7, np.nan, np.nan]}),
    ],
)
def test_what_is_known_of_their_outcome(outcome, columns, expected):
    found = of_left_out(gone(**columns), outcome)
    (name, values) = next(iter(expected.items()))
    np.testing.assert_array_equal(found[name].to_numpy(float), values)
    assert found["reason"].tolist() == ["why"] * 3


@pytest.mark.parametrize(
    "outcome", [{"label": "dx", "positive": "AD"}, {"event": "dx", "event_value": "AD"}, {"value": "dx"}]
)
def test_who_was_left_out_by_the_outcome_has_none(outcome):
    """A third class is no negative one: it says nothing of whether leaving out depends on the class."""
    found = of_left_out(gone("dx", dx=["MCI", "MCI", "MCI"]), outcome)
    assert found[found.columns[-1]].isna().all()


@pytest.mark.parametrize("outcome", [*OUTCOMES.values(), {"time": None, "event": None, "label": None, "value": None}])
def test_nobody_was_left_out(outcome):
    found = of_left_out(Ledger().left_out_table(), outcome)
    assert len(found) == 0
    assert found.columns[-1] in ("event", "y")


def test_the_outcome_of_the_kept_and_of_those_left_out_agree(cohort_of):
    """The same cells give the same flags, whichever way they are read."""
    for cells, wanted in ((DIED, None), (["alive", "dead"] * 6, "dead"), (["no", "yes"] * 6, True), ([1, 2] * 6, 2)):
        table = gone(e=pd.Series(cells))
        kept = event_flag(table["e"], {"event_value": wanted})
        assert (
            of_left_out(table, {"event": "e", "event_value": wanted})["event"].tolist() == kept.astype(float).tolist()
        )

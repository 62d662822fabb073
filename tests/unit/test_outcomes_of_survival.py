"""Event times: what is missing, impossible or not clear, in which row and column."""

import pandas as pd
import pytest
from written_table import DIED, MONTHS, examples, lines, put

from triptych.errors import DataError
from triptych.ledger import check_tolerance
from triptych.outcomes import event_flag
from triptych.tables import read, write

# ---- outcome ----


@pytest.mark.parametrize("column", ["months", "died"])
def test_a_missing_outcome_is_excluded_and_counted(cohort_of, column):
    values = put({"months": MONTHS, "died": DIED}[column], i2="", i7="")
    people, _ = cohort_of(lines(**{column: values}))
    made, ledger = examples(people)
    assert len(made) == 10
    assert ledger.failures == [], "never eligible, so no fault of the data"
    out = [row for row in ledger.flow if row["what"] == "excluded"]
    assert [(row["reason"], row["n_patients"]) for row in out] == [("missing outcome", 2)]
    check_tolerance(ledger, 12, 0.0, "os")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("-3", "time is negative: -3.0"),
        ("-0.5", "time is negative: -0.5"),
        ("inf", "time is infinite: inf"),
        ("-inf", "time is infinite: -inf"),
        ("twelve", "time is not a number: 'twelve'"),
        ("12 months", "time is not a number: '12 months'"),
        ("2020-01-01", "time is not a number: '2020-01-01'"),
    ],
)
def test_an_impossible_time_is_quarantined(cohort_of, value, reason):
    people, _ = cohort_of(lines(months=put([float(x) for x in MONTHS], i4=value)))
    made, ledger = examples(people)
    assert len(made) == 11
    (lost,) = ledger.failures
    assert (lost["participant_id"], lost["row"], lost["column"]) == ("p4", 6, "months")
    assert (
        lost["reason"]
        .replace("'-3.0'", "-3.0")
        .replace("'-0.5'", "-0.5")
        .replace("'inf'", "inf")
        .replace("'-inf'", "-inf")
        == reason
    )
    assert lost["advice"]
    out = [row for row in ledger.flow if row["what"] == "excluded"]
    assert [(row["reason"], row["n_patients"]) for row in out] == [(f"quarantined: {reason.partition(':')[0]}", 1)]
    check_tolerance(ledger, 12, 1 / 12, "os")
    with pytest.raises(
        DataError,
        match=r"task 'os': 1 of 12 patients are in quarantine, more than `tolerance: patients: 0\.05`; "
        r"the first: p4 \(row 6, column 'months'\): time is",
    ):
        check_tolerance(ledger, 12, 0.05, "os")


@pytest.mark.parametrize("word", ["NaN", "nan", "NA", ""])
def test_nan_is_a_missing_time(cohort_of, word):
    people, _ = cohort_of(lines(months=put(MONTHS, i4=word)))
    made, ledger = examples(people)
    assert len(made) == 11
    assert "missing outcome" in [row["reason"] for row in ledger.flow]


def test_time_zero_is_accepted(cohort_of):
    people, _ = cohort_of(lines(months=put(MONTHS, i1="0")))
    made, ledger = examples(people)
    assert made.time[1] == 0
    assert ledger.failures == []


def test_the_row_of_the_file_survives_the_file_between(cohort_of, tmp_path):
    text = lines(months=put(MONTHS, i4="-1"))
    people, _ = cohort_of([text[0], text[1], *text[1:]])
    write(people, tmp_path / "p.parquet")
    _, ledger = examples(read(tmp_path / "p.parquet"))
    assert ledger.failures[0]["row"] == 7


def test_blank_lines_do_not_shift_rows(cohort_of):
    text = lines(months=put(MONTHS, i4="-1"))
    people, notes = cohort_of([*text[:2], "", ",,,", *text[2:], "", ""])
    assert notes.failures == []
    made, ledger = examples(people)
    assert len(made) == 11
    assert ledger.failures[0]["row"] == 8


def test_nobody_has_an_outcome(cohort_of):
    people, _ = cohort_of(lines(months=[""] * 12))
    with pytest.raises(DataError, match=r"task 'os': no patient has a usable outcome in 'months' and 'died'"):
        examples(people)


def test_a_constant_outcome(cohort_of):
    people, _ = cohort_of(lines(months=[5] * 12))
    with pytest.raises(DataError, match=r"task 'os': the outcome is constant: every 'months' is 5$"):
        examples(people)


@pytest.mark.parametrize("n", [0, 1])
def test_all_censored_or_one_event(cohort_of, n):
    people, _ = cohort_of(lines(died=[1] * n + [0] * (12 - n)))
    with pytest.raises(
        DataError, match=rf"task 'os': {n} of 12 patients has an event in 'died'; .* check `event_value:`"
    ):
        examples(people)


def test_everyone_with_an_event_is_fine(cohort_of):
    people, _ = cohort_of(lines(died=[1] * 12))
    assert examples(people)[0].event.all()


# ---- coding of the event ----


@pytest.mark.parametrize(
    ("values", "event_value", "events"),
    [
        ([0, 1], None, [False, True]),
        ([0.0, 1.0], None, [False, True]),
        ([False, True], None, [False, True]),
        (["no", "YES "], None, [False, True]),
        (["False", "true"], None, [False, True]),
        ([1, 2], 2, [False, True]),
        ([1, 2], 1, [True, False]),
        ([1.0, 2.0], "2", [False, True]),
        (["alive", "Dead"], "dead", [False, True]),
        (["alive", " dead"], "Dead", [False, True]),
        ([0, 1], 0, [True, False]),
        ([0, 1], True, [False, True]),
        ([0, 1], False, [True, False]),
        ([False, True], 1, [False, True]),
        (["no", "yes"], True, [False, True]),  # YAML reads a plain `yes` as true
        (["no", "yes"], False, [True, False]),
    ],
)
def test_codings(values, event_value, events):
    assert event_flag(pd.Series(values, name="died"), {"event_value": event_value}).tolist() == events


@pytest.mark.parametrize(
    ("values", "event_value", "message"),
    [
        ([1, 2], None, r"event column 'died' holds '1', '2'; say which value is an event: `event_value:`"),
        (["alive", "dead"], None, r"event column 'died' holds 'alive', 'dead'; say which"),
        ([0, 1, 2], None, r"event column 'died' holds '0', '1', '2'; say which"),
        (
            [0, 1, 2],
            1,
            r"event column 'died' holds more than two values \('0', '1', '2'\); competing events .*make a column",
        ),
        ([0, 1], 2, r"event column 'died' never holds 2; it holds '0', '1'"),
        (["alive", "dead"], "deceased", r"never holds 'deceased'; it holds 'alive', 'dead'"),
    ],
)
def test_codings_that_are_not_clear(values, event_value, message):
    with pytest.raises(DataError, match=message):
        event_flag(pd.Series(values, name="died"), {"event_value": event_value})


def test_events_of_1_and_2_in_a_table(cohort_of):
    people, _ = cohort_of(lines(died=[1, 2] * 6))
    made, _ = examples(people, outcome={"event_value": 2})
    assert made.event.sum() == 6
    with pytest.raises(DataError, match="event_value"):
        examples(people)

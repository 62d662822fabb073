"""Who left, and why: the flow counts people, the quarantine lists rows, and rules keep what is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError
from triptych.ledger import Ledger, check_tolerance
from triptych.tables import FAILURES, FLOW, KEY, read, write


def rows(*who, **columns):
    """One row for each ``cohort/person/session``."""
    keys = [dict(zip(KEY, one.split("/"), strict=True)) for one in who]
    return pd.DataFrame(keys).assign(**columns)


def flow(ledger):
    return [(row["cohort"], row["what"], row["reason"], row["n_patients"]) for row in ledger.flow]


def test_counts_are_of_people_in_each_cohort():
    ledger = Ledger("os")
    ledger.count("read", "in the table", rows("b/p1/s1", "a/p1/s1", "a/p1/s2", "a/p2/s1"))
    assert flow(ledger) == [("a", "read", "in the table", 2), ("b", "read", "in the table", 1)]
    assert [(row["task"], row["step"]) for row in ledger.flow] == [("os", 0), ("os", 1)]


def test_events_are_counted_where_they_are_known():
    ledger = Ledger()
    ledger.count("kept", "", rows("a/p1/s1", "a/p2/s1", event=[True, False]), events=True)
    ledger.count("kept", "", rows("a/p1/s1"))
    assert [row["n_events"] for row in ledger.flow] == [1, ""]


def test_who_keeps_another_session_has_not_left():
    ledger = Ledger()
    table = rows("a/p1/s1", "a/p1/s2", "a/p2/s1", "b/p1/s1")
    kept = ledger.exclude(table, np.array([True, False, True, False]), "why")
    assert kept["participant_id"].tolist() == ["p1", "p1"]
    assert flow(ledger) == [
        ("a", "excluded", "why", 1),
        ("a", "excluded", "1 sessions of 1 patients who stay: why", 0),
    ]


def test_the_same_id_of_another_cohort_is_somebody_else():
    ledger = Ledger()
    ledger.exclude(rows("a/p1/s1", "b/p1/s1"), np.array([True, False]), "why")
    assert flow(ledger) == [("a", "excluded", "why", 1)]


def test_nobody_leaves_no_line():
    ledger = Ledger()
    table = rows("a/p1/s1")
    pd.testing.assert_frame_equal(ledger.exclude(table, np.array([False]), "why"), table)
    assert ledger.flow == []
    assert (list(ledger.flow_table()), list(ledger.failures_table())) == (FLOW, FAILURES)


def test_quarantine_lists_the_row_the_value_and_what_to_do():
    ledger = Ledger()
    table = rows("a/p1/s1", "a/p2/s1", x=[-1.0, 2.0]).set_axis([7, 8])
    kept = ledger.quarantine(table, np.array([True, False]), "x", "x is negative", "correct it")
    assert kept["participant_id"].tolist() == ["p2"]
    (lost,) = ledger.failures
    known = {"stage": "outcome", "row": 7, "column": "x", "reason": "x is negative: -1.0", "advice": "correct it"}
    assert known.items() <= lost.items()
    assert {"cohort": "a", "participant_id": "p1", "session_id": "s1"}.items() <= lost.items()
    assert flow(ledger) == [("a", "excluded", "quarantined: x is negative", 1)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.booleans()), min_size=1, max_size=12))
def test_people_before_are_people_kept_and_people_who_left(sessions):
    table = rows(*(f"{cohort}/p{person}/s{k}" for k, (cohort, person, _) in enumerate(sessions)))
    bad = np.array([out for *_, out in sessions])
    ledger = Ledger()
    kept = ledger.exclude(table, bad, "why")
    people = [len(t.drop_duplicates(["cohort", "participant_id"])) for t in (table, kept)]
    assert people[0] == people[1] + sum(row["n_patients"] for row in ledger.flow)
    assert len(kept) == (~bad).sum()


# ---- those who were left out by rule -------------------------------------------------------------


def test_nobody_was_left_out_by_rule(tmp_path):
    ledger = Ledger()
    ledger.leave_out(rows("a/p1/s1").iloc[:0], "x", "x is 1")
    write(ledger.left_out_table(), tmp_path / "excluded.parquet")
    assert len(read(tmp_path / "excluded.parquet", [*KEY, "rule", "reason"])) == 0


def test_words_in_one_cohort_and_numbers_in_another_can_be_written(tmp_path):
    """A scanner may be 3 in one table and Skyra in another; nobody uses the column, and the file must be written."""
    ledger = Ledger()
    ledger.leave_out(rows("a/p1/s1", "a/p2/s1", scanner=[3.0, np.nan], age=[50, 60]), "x", "x is 1")
    ledger.leave_out(rows("b/p1/s1", scanner=["Skyra"], age=[70]), "y", "y is 1")
    write(ledger.left_out_table(), tmp_path / "excluded.parquet")
    found = read(tmp_path / "excluded.parquet")
    assert found["scanner"].where(found["scanner"].notna(), None).tolist() == ["3.0", None, "Skyra"]
    assert found["age"].tolist() == [50, 60, 70]
    assert found["rule"].tolist() == ["x", "x", "y"]


# ---- tolerance -----------------------------------------------------------------------------------


def lost(*who, stage="outcome"):
    ledger = Ledger()
    for person in who:
        row = dict.fromkeys(FAILURES, "") | {"stage": stage, "cohort": "a", "participant_id": person, "row": 9}
        ledger.failures.append(row | {"column": "x", "reason": "bad"})
    return ledger


def test_notes_and_second_sessions_of_one_person_do_not_count():
    check_tolerance(lost("p1", "p2", stage="note"), 10, 0.0, "os")
    check_tolerance(lost("p1", "p1", "p1"), 10, 0.1, "os")
    with pytest.raises(
        DataError,
        match=r"task 'os': 2 of 10 patients .*the first: p1 \(row 9, column 'x'\): bad",
    ):
        check_tolerance(lost("p1", "p2"), 10, 0.1, "os")

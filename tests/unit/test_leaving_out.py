"""People may be left out by name, and long numbers are not one another."""

import pytest

from triptych.examples import make_examples
from triptych.ledger import Ledger
from triptych.outcomes import plain_word
from triptych.study_file import read

TASK = {
    "task": "t",
    "kind": "survival",
    "outcome": {"time": "months", "event": "died", "event_value": None},
    "inputs": {"clinical": ["age"]},
}


def test_a_study_may_leave_people_out_by_name(write_study):
    exclude = ("    inputs:\n", "    exclude: {participant_id: [p1]}\n    inputs:\n")
    assert read(write_study(exclude)).tasks["os"].exclude == {"participant_id": ["p1"]}


@pytest.mark.parametrize("named", [1000002, "1000002"])
def test_of_two_long_numbers_only_the_named_one_leaves(cohort_of, named):
    rows = [f"{1000001 + k},{10 + k},{k % 2},{k}" for k in range(12)]
    people, _ = cohort_of(["participant_id,months,died,age", *rows])
    ledger = Ledger("t")
    made = make_examples(
        people,
        ledger=ledger,
        **TASK,
        exclude={"participant_id": [named]},
    )
    assert len(made) == 11
    assert "1000002" not in set(made.table["participant_id"])


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (1.0, True), ("Yes ", "yes"), (0.1 + 0.2, 0.3), (12345678, "12345678")]
)
def test_equal_values_have_one_spelling(one, other):
    assert plain_word(one) == plain_word(other)


@pytest.mark.parametrize(("one", "other"), [(1000001, 1000002), (0.1234567, 0.1234568), ("a", "b")])
def test_other_values_have_another(one, other):
    assert plain_word(one) != plain_word(other)


def test_of_each_person_the_first_session_that_is_left(cohort_of):
    """M6 comes before M12; a session that a rule leaves out is not the baseline; nobody leaves."""
    rows = [f"p{k},{visit},{quality},{10 + k},{k % 2},{k}" for k in range(8)
            for visit, quality in (("ses-M12", "good"), ("ses-M6", "good"), ("ses-bl", "bad" if k < 3 else "good"))]  # fmt: skip
    people, _ = cohort_of(["participant_id,session_id,quality,months,died,age", *rows])
    ledger = Ledger("t")
    made = make_examples(
        people,
        ledger=ledger,
        **TASK,
        exclude={"quality": ["bad"]},
        sessions="baseline",
    )
    assert made.table.set_index("participant_id")["session_id"].to_dict() == {
        f"p{k}": "ses-M6" if k < 3 else "ses-bl" for k in range(8)
    }
    said = [f"{row['what']} {row['reason']}" for row in ledger.flow]
    assert any("13 sessions of 8 patients who stay: a later session" in line for line in said)
    assert ledger.flow_table()["n_patients"].iloc[-1] == 8

"""Who is who: persons, relatives and spellings on two sides, one content under two ids, demographics that contradict."""

import pandas as pd
import pytest
from audited import apart, but, check, clean, move, one, sessions, twins

from triptych.examples import read_cohort
from triptych.plugins import load
from triptych.tables import PERSON

# ---- a person on two sides ----


def test_a_person_in_training_and_in_test():
    found = check("person_on_two_sides", sessions(clean()))
    assert (found["severity"] == "stop").all()
    assert len(found) == 2, "once in each repeat"
    assert found["message"].str.fullmatch(r"repeat \d, fold \d: 1 people in training and in test").all()
    assert (found["keys"] == "p020").all()
    assert (found["action"] == "group the split by person").all()


def test_a_person_under_one_key_in_both_parts():
    context = clean()
    copied = context.splits[context.splits["participant_id"] == "p007"].assign(part="train")
    found = check("person_on_two_sides", but(context, splits=pd.concat([context.splits, copied])))
    assert (found["keys"] == "p007").all()
    assert len(found) == 2


@pytest.mark.parametrize("spelling", ["P7", " p007", "p07 ", "sub-p007"])
def test_a_person_under_two_spellings(spelling):
    """Predictions made elsewhere may spell an id in two ways."""
    context = clean()
    copied = context.splits[context.splits["participant_id"] == "p007"].assign(part="train", participant_id=spelling)
    found = check("person_on_two_sides", but(context, splits=pd.concat([context.splits, copied])))
    assert found["keys"].tolist() == ["; ".join(sorted(["p007", spelling]))] * 2
    assert found["message"].str.contains("1 people in training").all()


def test_a_person_tested_twice():
    context = clean()
    part = context.splits.set_index(["repeat", "fold", "participant_id"])["part"]
    fold = next(f for f in range(4) if part[(0, f, "p030")] == "train")
    row = one("person_on_two_sides", move(context, ["p030"], "test", fold=fold))
    assert row["severity"] == "stop"
    assert row["message"] == "1 people are tested in more than one fold of a repeat"
    assert (row["keys"], row["action"]) == ("p030", "one fold for each person")


def test_tested_in_two_repeats_is_no_fault():
    assert check("person_on_two_sides", clean(repeats=5)).empty


def test_the_same_id_in_two_cohorts_is_no_fault():
    context = clean()
    table = context.people.copy()
    table.loc[30:, ["cohort", "participant_id"]] = [["d", f"p{i:03d}"] for i in range(30)]
    splits = load("splits", "repeated_kfold")
    made = splits.split(table.assign(stratum=table["event"]), splits.Options(folds=4, repeats=1), seed=0)
    context = but(context, table=table, splits=made)
    for name in ("relatives_on_two_sides", "person_on_two_sides"):
        assert check(name, context).empty
    assert one("id_in_two_cohorts", context)["severity"] == "pass"


def test_keys_name_the_cohort_where_there_are_several():
    context = clean()
    table = context.people.assign(cohort=["c", "d"] * 30)
    splits = context.splits.assign(
        cohort=context.splits["participant_id"].map(table.set_index("participant_id")["cohort"])
    )
    copied = splits[splits["participant_id"] == "p007"].assign(part="train")
    found = check("person_on_two_sides", but(context, table=table, splits=pd.concat([splits, copied])))
    assert (found["keys"] == "d/p007").all()


# ---- relatives and spellings ----


def test_a_family_on_two_sides():
    context = clean()
    found = check(
        "relatives_on_two_sides", but(context, table=context.people.assign(family_id=["f"] * 30 + [None] * 30))
    )
    assert len(found) == 8, "every fold of both repeats"
    assert found["message"].str.contains("30 relatives in training and in test").all()
    assert found["keys"].str.contains(r"p000; .* and 10 more").all()
    assert check("person_on_two_sides", but(context, table=context.people.assign(family_id="f"))).empty


def test_no_family_column_is_said():
    row = one("relatives_on_two_sides", but(clean(), people=clean().people.drop(columns="family_id")))
    assert (row["severity"], row["message"]) == (
        "not assessable",
        "no column family_id: relatives on two sides cannot be found",
    )


def test_spellings_are_kept_together_and_said(tmp_path):
    (tmp_path / "c.csv").write_text("participant_id,session_id,x\np1,a,1\np2,a,1\n P01,b,2\nP2,b,3\np3,a,1\np3,a,1\n")
    _, ledger = read_cohort("c", str(tmp_path / "c.csv"), None)
    row = one("two_spellings", but(clean(), notes=ledger.failures_table()))
    assert (row["severity"], row["cohort"], row["keys"]) == ("group", "c", "p1; p2")
    assert row["message"] == "2 ids were other spellings of known ids; taken as the same people"


# ---- one person in two cohorts ----


def in_two_cohorts(**changes):
    """p010 and p011 of cohort c are also p10 and p11 of cohort d, with the same data."""
    context = clean(grade=[f"g{k}" for k in range(60)])
    again = context.people.iloc[[10, 11]].assign(cohort="d", participant_id=["P10", "p0011"], site="s9")
    splits = [context.splits, *(_as(context, who, new) for who, new in (("p030", "P10"), ("p040", "p0011")))]
    table = pd.concat([context.people, again], ignore_index=True)
    for column, values in changes.items():
        table.loc[60:, column] = values
    return but(context, table=table, splits=pd.concat(splits))


def _as(context, who, new):
    """Where a stranger is, so that both sides of one fold are seen."""
    return context.splits[context.splits["participant_id"] == who].assign(cohort="d", participant_id=new)


def test_one_person_in_two_cohorts_is_a_suspect():
    row = one("id_in_two_cohorts", in_two_cohorts())
    assert row["severity"] == "stop"
    assert row["keys"] == "c/p010 = d/P10; c/p011 = d/p0011"
    assert row["message"] == "2 ids are in two cohorts with the same data; some on two sides of a split"


def test_a_suspect_on_one_side_is_a_warning():
    context = in_two_cohorts()
    context = but(context, splits=context.splits.assign(part="train"))
    assert one("id_in_two_cohorts", context)["severity"] == "warn"


@pytest.mark.parametrize(
    "changes",
    [
        {"age": [70.5, 71.5], "g1": [0.1, 0.2], "g2": [0.5, 0.1]},
        {c: [None, None] for c in ("age", "g1", "g2", "grade", "time")},
    ],
    ids=["another person's data", "nothing but sex and event agree"],
)
def test_an_equal_id_alone_is_no_suspect(changes):
    row = one("id_in_two_cohorts", in_two_cohorts(**changes))
    assert (row["severity"], row["message"]) == (
        "pass",
        "2 ids are in several cohorts; nothing says that they are the same people",
    )


def test_many_columns_in_which_strangers_agree_are_no_evidence():
    """Sparse counts: any two people agree in nine of ten columns."""
    context = clean(400)
    table = context.people.assign(**{f"c{k}": (context.people.index % 17 == k) * 1.0 for k in range(17)})
    table = table.drop(columns=["time", "age", "g1", "g2"])
    table.loc[200:, PERSON] = [["d", f"p{k:03d}"] for k in range(200)]
    assert one("id_in_two_cohorts", but(context, participants=table))["severity"] == "pass"


# ---- demographics ----


def with_roles(context, *demographics, visit=()):
    return but(context, roles={"demographics": list(demographics), "visit": list(visit)})


def test_two_sexes_of_one_person():
    context = with_roles(sessions(clean(sex="F"), age=70.0, sex="M"), "age", "sex")
    row = one("contradictory_demographics", context)
    assert (row["severity"], row["keys"]) == ("stop", "p020")
    assert row["message"] == "1 people have more than one 'sex' over their sessions"


@pytest.mark.parametrize("sex", ["f", " F ", None])
def test_spellings_and_gaps_are_no_contradiction(sex):
    context = with_roles(sessions(clean(sex="F"), age=200.0, sex=sex), "age", "sex")
    assert check("contradictory_demographics", context).empty


def test_a_falling_age_by_name_and_by_date():
    context = with_roles(sessions(clean(), age=1.0), "age")
    row = one("contradictory_demographics", context)
    assert (row["severity"], row["keys"]) == ("warn", "p020")
    assert row["message"] == "1 people have a falling 'age' over their sessions"
    date = context.people["session_id"].map({"ses-1": "2021-05-01", "ses-2": "2020-05-01"})
    dated = with_roles(but(context, table=context.people.assign(date=date)), "age", visit=["date"])
    assert check("contradictory_demographics", dated).empty, "ses-2 was before ses-1"


def test_a_number_that_may_change_is_no_contradiction():
    context = clean(score=[float(k) for k in range(60)])
    assert check("contradictory_demographics", with_roles(sessions(context, score=99.0), "score")).empty


def test_no_demographics_are_said():
    assert one("contradictory_demographics", clean())["severity"] == "not assessable"


# ---- same content ----


@pytest.mark.parametrize(
    ("side", "severity", "where"), [("two", "stop", "some on two sides"), ("one", "warn", "always on the same side")]
)
def test_one_content_under_two_ids(side, severity, where):
    row = one("same_content", apart(twins(clean()), "p010", "p050", side))
    assert row["severity"] == severity
    assert row["message"].startswith("1 sets of ids with identical inputs and outcome among 60 rows")
    assert where in row["message"]
    assert row["keys"] == "c/p010 = c/p050"


def test_two_sessions_of_one_person_with_one_content_are_no_second_person():
    context = clean()
    table = pd.concat([context.people, context.people.iloc[[9]].assign(session_id="ses-2")], ignore_index=True)
    assert check("same_content", but(context, table=table)).empty

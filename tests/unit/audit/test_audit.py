"""Audits: each finds the fault that was planted, and none is raised on clean data."""

import numpy as np
import pandas as pd
import pytest

from triptych import auditing
from triptych.audit._context import FINDING, Context, finding
from triptych.errors import DataError
from triptych.examples import Ledger, read_cohort
from triptych.plugins import load, names
from triptych.tables import FAILURES, KEY, Examples

ALL = names("audit")


def clean(n=60, seed=0, estimand="new-patients", folds=4, repeats=2, **columns):
    """A task without a fault: people with sites and families, four inputs, folds by family."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "cohort": "c",
            "participant_id": [f"p{i:03d}" for i in range(n)],
            "session_id": "ses-1",
            "site": [f"s{i % 4}" for i in range(n)],
            "family_id": [f"f{i}" if i < 6 else None for i in range(n)],
            "time": rng.exponential(10, n),
            "event": rng.random(n) < 0.6,
            "age": rng.normal(60, 9, n),
            "g1": rng.normal(size=n),
            "g2": rng.normal(size=n),
            "sex": rng.integers(0, 2, n).astype(float),
            "grade": rng.choice(["low", "mid", "high"], n),
        }
    )
    table.loc[:8, "event"] = True
    table = table.assign(**columns)
    if estimand == "new-site":
        splits = load("splits", "leave_site_out")
        made = splits.split(table, splits.Options(), seed=seed)
    else:
        splits = load("splits", "repeated_kfold")
        made = splits.split(table, splits.Options(folds=folds, repeats=repeats), seed=seed)
    inputs = [c for c in table if c not in {*KEY, "site", "family_id", "time", "event"}]
    return Context(made, Examples(table, {"all": inputs}), table, pd.DataFrame(columns=FAILURES), estimand)


def but(context, **changes):
    """A context with some parts replaced; a new table replaces people and examples."""
    parts = {name: getattr(context, name) for name in ("splits", "examples", "people", "notes", "estimand")}
    if "table" in changes:
        table = changes.pop("table")
        inputs = [c for c in table if c not in {*KEY, "site", "family_id", "time", "event"}]
        parts.update(people=table, examples=Examples(table, {"all": inputs}))
    return Context(**{**parts, **changes})


def check(name, context):
    found = load("audit", name).check(context)
    assert list(found) == FINDING
    return found


def one(name, context):
    found = check(name, context)
    found = found[found["severity"] != "not assessable"] if len(found) > 1 else found
    assert len(found) == 1, found
    return found.iloc[0]


# ---- false alarms ----


@pytest.mark.parametrize("seed", range(20))
def test_no_alarm_on_clean_data(seed):
    for estimand in ("new-patients", "new-site"):
        found = auditing.run(clean(seed=seed, estimand=estimand), {})
        bad = found[~found["severity"].isin(["pass"])]
        assert bad.empty, bad[["check", "severity", "message"]].to_string()
        auditing.refuse(found, "os")


@pytest.mark.parametrize("name", ALL)
def test_contract(name):
    module = load("audit", name)
    assert module.TITLE
    assert module.LEAK_CLASS in {"identity", "target", "design"}
    assert module.SEVERITY in {"stop", "warn"}
    context = clean()
    before = context.people.copy(), context.splits.copy()
    found = check(name, context)
    assert found["severity"].isin(["pass"]).all(), "findings on clean data"
    pd.testing.assert_frame_equal(context.people, before[0])
    pd.testing.assert_frame_equal(context.splits, before[1])


@pytest.mark.parametrize("name", ALL)
def test_what_predictions_made_elsewhere_allow(name):
    """No inputs, no family, no site, tested rows only: a check says that it cannot look, or looks at what there is."""
    context = clean()
    bare = context.people[[*KEY, "time", "event"]]
    context = but(context, examples=None, people=bare, splits=context.splits[context.splits["part"] == "test"])
    found = check(name, context)
    assert found["severity"].isin(["not assessable"]).all()
    assert len(found) == (0 if name in ("fold_without_event", "person_on_two_sides", "two_spellings") else 1)


# ---- a person on two sides ----


def move(context, people, part, repeat=0, fold=0):
    """Put people into the other part of one fold."""
    splits = context.splits.copy()
    here = (splits["repeat"] == repeat) & (splits["fold"] == fold) & splits["participant_id"].isin(people)
    splits.loc[here, "part"] = part
    return but(context, splits=splits)


def sessions(context, who="p020"):
    """A second session of one person, always on the training side."""
    table = context.people
    extra = table[table["participant_id"] == who].assign(session_id="ses-2", age=1.0)
    splits = context.splits[context.splits["participant_id"] == who].assign(session_id="ses-2", part="train")
    both = pd.concat([table, extra], ignore_index=True)
    return but(context, table=both, splits=pd.concat([context.splits, splits], ignore_index=True))


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


def test_a_family_on_two_sides():
    context = clean()
    found = check(
        "relatives_on_two_sides", but(context, table=context.people.assign(family_id=["f"] * 30 + [None] * 30))
    )
    assert len(found) == 8, "every fold of both repeats"
    assert found["message"].str.contains("30 relatives in training and in test").all()
    assert found["keys"].str.contains(r"p000; .* and 10 more").all()
    assert check("person_on_two_sides", but(context, table=context.people.assign(family_id="f"))).empty


def test_the_same_id_in_two_cohorts_is_no_fault():
    context = clean()
    table = context.people.copy()
    table.loc[30:, ["cohort", "participant_id"]] = [["d", f"p{i:03d}"] for i in range(30)]
    splits = load("splits", "repeated_kfold")
    made = splits.split(table, splits.Options(folds=4, repeats=1), seed=0)
    assert check("relatives_on_two_sides", but(context, table=table, splits=made)).empty
    assert check("person_on_two_sides", but(context, table=table, splits=made)).empty


def test_no_family_column_is_said():
    row = one("relatives_on_two_sides", but(clean(), people=clean().people.drop(columns="family_id")))
    assert (row["severity"], row["message"]) == (
        "not assessable",
        "no column family_id: relatives on two sides cannot be found",
    )


# ---- same content ----


def twins(context, one="p010", other="p050"):
    table = context.people.copy()
    same = [c for c in table if c not in {*KEY, "family_id", "site"}]
    table.loc[table["participant_id"] == other, same] = table.loc[table["participant_id"] == one, same].to_numpy()
    return but(context, table=table.infer_objects())


def apart(context, one, other, side):
    """Put two people on two sides of one fold, or on the training side of all."""
    splits = context.splits.copy()
    splits.loc[splits["participant_id"].isin([one, other]), "part"] = "train"
    if side == "two":
        splits.loc[(splits["participant_id"] == other) & (splits["fold"] == 1), "part"] = "test"
    return but(context, splits=splits)


@pytest.mark.parametrize(
    ("side", "severity", "where"), [("two", "stop", "some on two sides"), ("one", "warn", "always on the same side")]
)
def test_one_content_under_two_ids(side, severity, where):
    row = one("same_content", apart(twins(clean()), "p010", "p050", side))
    assert row["severity"] == severity
    assert row["message"].startswith("1 sets of ids with identical inputs and outcome among 60 rows")
    assert where in row["message"]
    assert row["keys"] == "c/p010 = c/p050"
    assert "give them one participant_id" in row["action"]


def test_one_content_in_two_cohorts():
    context = twins(clean())
    table = context.people.copy()
    table.loc[50, "cohort"] = "d"
    splits = context.splits.copy()
    splits.loc[splits["participant_id"] == "p050", "cohort"] = "d"
    row = one("same_content", apart(but(context, table=table, splits=splits), "p010", "p050", "two"))
    assert (row["severity"], row["keys"]) == ("stop", "c/p010 = d/p050")


def test_content_with_gaps_is_compared_too():
    context = clean()
    table = context.people.copy()
    table.loc[10, "g1"] = np.nan
    assert one("same_content", twins(but(context, table=table)))["keys"] == "c/p010 = c/p050"


def test_two_sessions_of_one_person_with_one_content_are_no_finding():
    context = clean()
    table = pd.concat([context.people, context.people.iloc[[9]].assign(session_id="ses-2")], ignore_index=True)
    assert check("same_content", but(context, table=table)).empty


def test_same_content_needs_columns_with_many_values():
    context = clean()
    table = context.people.drop(columns=["g1"])
    row = one("same_content", but(context, table=table))
    assert row["severity"] == "not assessable"
    assert row["message"] == "only 2 inputs have 20 values or more: equal rows can be different people"


# ---- the outcome among the inputs ----

LEAKS = {
    "the time": lambda t: t["time"],
    "minus the time": lambda t: -t["time"],
    "a function of the time": lambda t: np.log1p(t["time"]) * 3 - 1,
    "the time with a few gaps": lambda t: t["time"].where(t.index > 4),
    "the time, a little noisy": lambda t: t["time"] + np.random.default_rng(1).normal(0, 0.01, len(t)),
    "the event": lambda t: t["event"].astype(float),
    "the negative of the event": lambda t: 1.0 - t["event"],
    "the event as 1 and 2": lambda t: t["event"] + 1.0,
    "the event in words": lambda t: t["event"].map({True: "Dead", False: "Alive"}),
    "the event in three words": lambda t: np.select([~t["event"], t.index % 7 > 0], ["alive", "dead"], "died"),
    "the event as three codes": lambda t: np.select([~t["event"], t.index % 5 > 0], [2.0, 1.0], 3.0),
}


@pytest.mark.parametrize("what", LEAKS)
def test_the_outcome_among_the_inputs(what):
    context = clean()
    row = one("outcome_in_inputs", but(context, table=context.people.assign(leak=LEAKS[what])))
    assert row["severity"] == "stop"
    assert row["keys"].startswith("leak (")
    assert row["keys"].endswith("(equals the event)") == ("event" in what)
    assert row["message"].startswith("1 inputs rank the outcome almost perfectly on their own")
    assert row["action"] == "leave them out, or show that they are known at baseline"


def test_the_time_is_found_when_everyone_has_an_event():
    context = clean(event=True)
    row = one("outcome_in_inputs", but(context, table=context.people.assign(leak=context.people["time"])))
    assert row["keys"] == "leak (C 0.000)"


def test_a_strong_but_honest_input_is_no_finding():
    context = clean(300)
    strong = -np.log(context.people["time"]) + np.random.default_rng(0).normal(0, 0.7, 300)
    assert check("outcome_in_inputs", but(context, table=context.people.assign(strong=strong))).empty


def test_useless_inputs_are_no_finding():
    context = clean(same=1.0, empty=np.nan, words="w", rare=[1.0] + [np.nan] * 59)
    assert check("outcome_in_inputs", context).empty


def test_all_leaks_are_named():
    context = clean()
    table = context.people.assign(a=context.people["time"], b=context.people["event"].astype(float))
    row = one("outcome_in_inputs", but(context, table=table))
    assert row["keys"] == "a (C 0.000); b (equals the event)"


# ---- folds and sites ----


def test_a_fold_without_an_event():
    context = clean()
    tested = context.splits[
        (context.splits["repeat"] == 1) & (context.splits["fold"] == 2) & (context.splits["part"] == "test")
    ]
    table = context.people.copy()
    table.loc[table["participant_id"].isin(tested["participant_id"]), "event"] = False
    found = check("fold_without_event", but(context, table=table))
    assert found["severity"].tolist() == ["stop"]
    assert found["message"].tolist() == [f"repeat 2, fold 3: {len(tested)} patients, 0 events, no comparable pair"]
    assert found["action"].tolist() == ["use fewer folds"]


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
    made = splits.split(table, splits.Options(), seed=0)
    assert one("shared_sites", but(clean(), table=table, splits=made, estimand="new-site"))["severity"] == "pass"


def test_sites_of_predictions_made_elsewhere():
    """Only tested rows are known: who is tested in another fold was training."""
    context = clean()
    splits = context.splits[context.splits["part"] == "test"]
    row = one("shared_sites", but(context, splits=splits, estimand="new-site"))
    assert row["message"] == "32 of 32 test sites (summed over folds) are also in training"


def test_no_sites():
    for people in (clean().people.drop(columns="site"), clean().people.assign(site=None)):
        row = one("shared_sites", but(clean(), people=people))
        assert (row["severity"], row["message"]) == (
            "not assessable",
            "no column site: effects of hospitals and scanners cannot be seen",
        )


def test_two_spellings(tmp_path):
    (tmp_path / "c.csv").write_text("participant_id,session_id,x\np1,a,1\np2,a,1\n P01,b,2\nP2,b,3\np3,a,1\np3,a,1\n")
    _, ledger = read_cohort("c", str(tmp_path / "c.csv"), None)
    assert isinstance(ledger, Ledger)
    row = one("two_spellings", but(clean(), notes=ledger.failures_table()))
    assert (row["severity"], row["cohort"], row["keys"]) == ("warn", "c", "p1; p2")
    assert row["message"] == "2 ids were other spellings of known ids; taken as the same people"


# ---- all of them ----


def test_run_says_what_was_looked_for():
    found = auditing.run(clean(), {})
    assert list(found) == auditing.COLUMNS
    assert found["check"].tolist() == ALL
    assert set(found["severity"]) == {"pass"}
    assert (found["title"] != "").all()
    assert found.notna().all().all()


@pytest.mark.parametrize(
    ("word", "severities"),
    [(None, ["stop", "stop"]), ("stop", ["stop", "stop"]), ("warn", ["warn", "warn"]), ("off", ["not assessable"])],
)
def test_severities_of_the_study(word, severities):
    found = auditing.run(sessions(clean()), {} if word is None else {"person_on_two_sides": word})
    mine = found[found["check"] == "person_on_two_sides"]
    assert mine["severity"].tolist() == severities
    if word == "off":
        assert mine["message"].tolist() == ["switched off in the study"]


def test_a_severity_raises_a_warning_and_leaves_a_pass():
    context = apart(twins(clean()), "p010", "p050", "one")
    found = auditing.run(context, {"same_content": "stop", "shared_sites": "stop"}).set_index("check")["severity"]
    assert found["same_content"] == "stop"
    assert found["shared_sites"] == "pass"


def test_refuse_lists_every_finding_that_stops():
    context = sessions(clean())
    table = context.people.assign(leak=context.people["time"])
    found = auditing.run(but(context, table=table), {})
    with pytest.raises(DataError) as caught:
        auditing.refuse(found, "os")
    said = str(caught.value).splitlines()
    assert said[0] == "task 'os': the audit stops the run before any fit:"
    assert len(said) == 1 + 1 + 2 + 1
    assert said[1].startswith("  outcome_in_inputs: 1 inputs rank the outcome")
    assert said[1].endswith("[leak (C 0.000)]")
    assert all(
        line.startswith("  person_on_two_sides: ") and "group the split by person" in line and "[p020]" in line
        for line in said[2:4]
    )
    assert said[-1].startswith("mend the data, or lower the severity in the study (`audit: {check: warn}`)")
    auditing.refuse(
        auditing.run(but(context, table=table), {"outcome_in_inputs": "warn", "person_on_two_sides": "off"}), "os"
    )


def test_only_twenty_keys_are_named():
    assert finding("stop", "m", keys=range(20))["keys"].endswith("; 19")
    assert finding("stop", "m", keys=range(23))["keys"].endswith("; 19 and 3 more")

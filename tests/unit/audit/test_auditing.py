"""All checks together: silence on clean data, severities, refusal, and what fits have seen."""

import numpy as np
import pandas as pd
import pytest
from audited import apart, but, check, clean, sessions, twins
from hypothesis import given as every
from hypothesis import settings
from hypothesis import strategies as st

from triptych import auditing
from triptych.audit._context import finding
from triptych.errors import DataError
from triptych.plugins import load, names
from triptych.tables import KEY, keys_hash

ALL = names("audit")
ROLES = {
    "contradictory_demographics",
    "acquisition_differs",
    "quality_differs",
    "label_time",
    "same_image",
}  # need roles
SMALL = {"interpolated_rows", "same_content", "same_profile"}  # need inputs of many different values
KINDS = ["survival", "classification", "regression"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_no_alarm_on_clean_data(seed, kind):
    for estimand in ("new-patients", "new-site"):
        found = auditing.run(clean(seed=seed, estimand=estimand, kind=kind), {})
        bad = found[(found["severity"] != "pass") & ~found["check"].isin(ROLES | SMALL)]
        assert bad.empty, bad[["check", "severity", "message"]].to_string()
        assert set(found["severity"]) <= {"pass", "not assessable"}
        auditing.refuse(found, "os")


@pytest.mark.parametrize("name", ALL)
def test_contract(name):
    module = load("audit", name)
    assert module.TITLE
    assert module.LEAK_CLASS in auditing.LEAK_CLASSES
    assert module.SEVERITY in {"stop", "group", "warn"}
    context = clean()
    before = context.people.copy(), context.splits.copy()
    found = check(name, context)
    assert set(found["severity"]) <= {"pass", "not assessable"}, "findings on clean data"
    pd.testing.assert_frame_equal(context.people, before[0])
    pd.testing.assert_frame_equal(context.splits, before[1])


@pytest.mark.parametrize("name", ALL)
def test_what_predictions_made_elsewhere_allow(name):
    """No inputs, no family, no site, tested rows only: a check says that it cannot look, or looks at what there is."""
    context = clean()
    bare = context.people[[*KEY, "time", "event"]]
    splits = context.splits[context.splits["part"] == "test"]
    context = but(context, examples=None, people=bare, participants=pd.DataFrame(), splits=splits)
    assert set(check(name, context)["severity"]) <= {"pass", "not assessable"}
    able = {"fold_without_event", "label_changes", "person_on_two_sides", "session_order", "two_spellings"}
    able |= {"pretraining_overlap", "id_in_two_cohorts", "scans_tell_outcome"}
    looks = not check(name, context)["severity"].eq("not assessable").any()
    assert looks == (name in able)


def odd(context, how):
    """Data at the edge of what can be looked at."""
    table = context.people.copy()
    outcome = "event" if "event" in table else "y"
    if how == "two people":
        keep = [0, 20]
        table = table.iloc[keep]
        return but(context, table=table, splits=context.splits[context.splits["participant_id"].isin(["p000", "p020"])])
    if how == "one class only":
        return but(context, table=table.assign(**{outcome: True if outcome == "event" else 1}))
    if how == "one site":
        return but(context, table=table.assign(site="s0"))
    if how == "each person a site":
        return but(context, table=table.assign(site=table["participant_id"]))
    if how == "half without a site":
        return but(context, table=table.assign(site=table["site"].where(table.index % 2 == 0)))
    if how == "perfect separation":
        return but(context, table=table.assign(g1=table[outcome].astype(float) * 5 + 0.01 * table["g2"]))
    if how == "ties everywhere":
        return but(context, table=table.assign(age=1.0, g1=0.0, g2=0.0, sex=1.0, grade="low"))
    if how == "every input missing":
        return but(context, table=table.assign(age=np.nan, g1=np.nan, g2=np.nan, sex=np.nan, grade=None))
    assert how == "parts of unequal size"
    return but(context, splits=context.splits[~((context.splits["fold"] == 1) & (context.splits.index % 3 > 0))])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "how",
    [
        "two people",
        "one class only",
        "one site",
        "each person a site",
        "half without a site",
        "perfect separation",
        "ties everywhere",
        "every input missing",
        "parts of unequal size",
    ],
)
def test_odd_data_are_looked_at_or_not_assessable(how, kind):
    found = auditing.run(odd(clean(kind=kind), how), {})
    assert set(found["check"]) == set(ALL)
    alarms = set(found["check"][found["severity"].isin(["stop", "warn", "group"])])
    expected = {"two people": {"fold_without_event"}, "one class only": {"fold_without_event"}}.get(how, set())
    if how == "perfect separation" and kind != "survival":
        expected = {"outcome_in_inputs"}
    if kind == "survival" and how == "one class only":
        expected = set()  # everyone has an event: times can still be ranked
    assert alarms - {"person_on_two_sides"} == expected


@settings(max_examples=6, deadline=None)
@every(st.integers(0, 10**6), st.sampled_from(KINDS))
def test_findings_do_not_depend_on_the_order_of_the_rows(seed, kind):
    context = clean(n=40, seed=seed, kind=kind)
    order = np.random.default_rng(seed).permutation(40)
    moved = but(context, table=context.people.iloc[order].reset_index(drop=True))
    columns = ["check", "severity", "keys"]
    pd.testing.assert_frame_equal(auditing.run(context, {})[columns], auditing.run(moved, {})[columns])


def test_run_says_what_was_looked_for():
    found = auditing.run(clean(), {})
    assert list(found) == auditing.COLUMNS
    assert found["check"].tolist() == ALL
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
    assert (mine["title"] == "A person on both sides of a split").all()
    if word == "off":
        assert mine["message"].tolist() == ["switched off in the study"]


def test_a_severity_raises_a_warning_and_leaves_a_pass():
    context = apart(twins(clean()), "p010", "p050", "one")
    found = auditing.run(context, {"same_content": "stop", "shared_sites": "stop"}).set_index("check")["severity"]
    assert found["same_content"] == "stop"
    assert found["shared_sites"] == "pass"


def test_a_split_that_leaks_on_purpose_warns_and_says_so():
    context = sessions(clean())
    table = context.people.assign(leak=context.people["time"])
    found = auditing.run(but(context, table=table, wrong_on_purpose=True), {}).set_index("check")
    person = found.loc[["person_on_two_sides"]]
    assert person["severity"].tolist() == ["warn", "warn"]
    assert person["message"].str.endswith("(on purpose: the study says `wrong_on_purpose: true`)").all()
    assert found.loc["outcome_in_inputs", "severity"] == "stop", "the split is wrong on purpose, the inputs are not"


def test_refuse_lists_every_finding_that_stops():
    context = sessions(clean())
    table = context.people.assign(leak=context.people["time"])
    found = auditing.run(but(context, table=table), {})
    with pytest.raises(DataError) as caught:
        auditing.refuse(found, "os")
    said = str(caught.value).splitlines()
    assert said[0] == "task 'os': the audit stops the run before any fit:"
    assert len(said) == 1 + 1 + 2 + 1
    assert said[1].startswith("  outcome_in_inputs: 1 inputs tell the outcome")
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


# ---- what fits have seen ----


def honest(splits):
    train = splits[splits["part"] == "train"].groupby(["repeat", "fold"])
    return [{"model": "cox", "repeat": r, "fold": f, "seen": keys_hash(rows)} for (r, f), rows in train]


def test_honest_fits_pass_in_any_order_of_rows():
    splits = clean().splits
    auditing.check_seen(honest(splits), splits.sample(frac=1, random_state=1))
    auditing.check_seen([], splits)


@pytest.mark.parametrize("what", ["the model", "scaling"])
def test_a_fit_that_saw_a_tested_row_stops_the_run(what):
    splits = clean().splits
    fits = honest(splits)
    here = splits[(splits["repeat"] == 1) & (splits["fold"] == 2)]
    seen = keys_hash(here[(here["part"] == "train") | (here.index == here.index[here["part"] == "test"][0])])
    fits[6] |= {"seen": seen} if what == "the model" else {"transforms": {"scaling": seen}}
    with pytest.raises(DataError, match=rf"1 fitted objects saw .* model 'cox', repeat 2, fold 3: {what};"):
        auditing.check_seen(fits, splits)


def test_a_fit_that_saw_less_or_says_nothing_stops_the_run():
    splits = clean().splits
    fits = honest(splits)
    fits[0]["seen"] = fits[1]["seen"]
    with pytest.raises(DataError, match="repeat 1, fold 1: the model"):
        auditing.check_seen(fits, splits)
    del fits[0]["seen"]
    with pytest.raises(DataError, match="repeat 1, fold 1: the model"):
        auditing.check_seen(fits, splits)

"""What happened when: order of sessions, outcome and inputs of other visits, labels that change."""

import pandas as pd
import pytest
from audited import but, check, clean, one, sessions
from hypothesis import given as every
from hypothesis import strategies as st

from triptych.audit._people import moments, natural


def named(names, visit=None, **columns):
    """Persons p0, p1, ... with the sessions that are given for each."""
    rows = [(f"p{k}", session) for k, several in enumerate(names) for session in several]
    table = pd.DataFrame(rows, columns=["participant_id", "session_id"]).assign(cohort="c", **columns)
    return but(clean(), participants=table, roles={"visit": [visit] if visit else []})


# ---- order of sessions ----


def test_a_later_session_with_an_earlier_date():
    context = named([["ses-1", "ses-2"]] * 2, "date", date=["2020-01-01", "2021-01-01", "2020-01-01", "2019-12-31"])
    row = one("session_order", context)
    assert (row["severity"], row["keys"]) == ("warn", "p1")
    assert row["message"] == "1 people have a later session (by scan_date, else by its name) with an earlier 'date'"


def test_a_later_session_at_a_younger_age_and_missing_dates():
    context = named([["ses-1", "ses-2", "ses-3"]] * 2, "age", age=[70, 71.5, 72, 70, None, 69])
    assert one("session_order", context)["keys"] == "p1"


@pytest.mark.parametrize(("sessions", "severity"), [("all", "warn"), ("baseline", "stop")])
def test_a_date_of_a_dicom_header_against_the_order_that_is_taken(sessions, severity):
    names = [["a", "b"], ["a", "b"]]
    scans = pd.DataFrame({"cohort": "c", "participant_id": ["p0", "p0", "p1", "p1"], "session_id": ["a", "b"] * 2})
    context = but(named(names), sessions=sessions, scans=scans.assign(days=[0, 9, 9, 0], voxels=""))
    row = one("session_order", context)
    assert (row["severity"], row["keys"]) == (severity, "p1")
    assert "with an earlier date in its DICOM header" in row["message"]
    dated = context.participants.assign(scan_date=["2020-01-01", "2020-01-10", "2020-01-10", "2020-01-01"])
    assert check("session_order", but(context, participants=dated)).empty, "scan_date says so, too"
    unknown = scans.assign(days=[0, 9, float("nan"), float("nan")])
    assert check("session_order", but(context, scans=unknown)).empty


def test_scans_of_people_with_one_session_contradict_nothing():
    scans = pd.DataFrame({"cohort": "c", "participant_id": ["p0", "p1"], "session_id": "ses-1", "days": [0, 0]})
    assert check("session_order", but(named([["ses-1"], ["ses-1"]]), scans=scans)).empty


def test_runs_that_are_rows_of_their_own_belong_to_the_session_of_the_header():
    scans = pd.DataFrame({"cohort": "c", "participant_id": "p0", "session_id": ["a", "a", "b"], "days": [5, 5, 0]})
    context = but(named([["a_run-1", "a_run-2", "b"]]), scans=scans)
    assert one("session_order", context)["keys"] == "p0"


def test_a_visit_against_scan_date_is_found():
    day, other = ["2020-01-01", "2020-01-10"], ["2020-01-10", "2020-01-01"]
    assert one("session_order", named([["a", "b"]], "day", day=day, scan_date=other))["keys"] == "p0"
    assert check("session_order", named([["a", "b"]], "day", day=other, scan_date=other)).empty


def test_numbers_in_names_are_numbers():
    """ses-M12 comes after ses-M6, so rising dates are no contradiction; as text it comes before."""
    context = named([["ses-M6", "ses-M12"]], "date", date=["2020-01-01", "2020-07-01"])
    row = one("session_order", context)
    assert (row["severity"], row["keys"]) == ("warn", "p0")
    assert row["message"] == "the sessions of 1 people sort wrongly as text ('ses-M12' before 'ses-M6')"
    assert check("session_order", named([["ses-M06", "ses-M12"], ["ses-M06"]])).empty


def test_odd_forms_are_listed():
    usual = [["ses-01", "ses-02"]] * 20
    row = one("session_order", named([*usual, ["ses-01SE02"], ["ses-01-alt16"]]))
    assert (row["cohort"], row["keys"]) == ("c", "p20/ses-01SE02; p21/ses-01-alt16")
    assert row["message"] == "2 sessions are named unlike the others ('ses-#', # is a number)"
    assert check("session_order", named([*usual, *[["ses-baseline"]] * 5])).empty, "a second form in use"


@every(st.integers(0, 10**6), st.integers(0, 10**6))
def test_natural_order_is_that_of_the_numbers(a, b):
    assert (natural(f"ses-M{a}") < natural(f"SES-m{b}")) == (a < b)
    assert (natural(f"ses-M{a}x") == natural(f"ses-m{b:09d}x")) == (a == b)


def test_moments_of_dates_numbers_and_names():
    what, days = moments(pd.Series(["2020-01-01", None, "2020-01-03T12:00"]))
    assert (what, days[2] - days[0]) == ("date", 2.5)
    assert days.isna().tolist() == [False, True, False]
    what, ages = moments(pd.Series(["70", "71.5", None]))
    assert (what, ages[1]) == ("number", 71.5)
    what, places = moments(pd.Series(["M12", "M6", "bl"]))
    assert (what, places.tolist()) == ("name", [2.0, 1.0, 0.0])


# ---- outcome and inputs of other visits ----


def dated(kind, inputs, outcome):
    context = clean(kind=kind)
    table = context.people.assign(seen=inputs, judged=outcome)
    return but(context, participants=table, roles={"visit": ["seen"], "label_visit": ["judged"]})


DAY = ["2020-06-01"] * 60


def with_day(day, rows=(4, 9)):
    return [day if k in rows else "2020-06-01" for k in range(60)]


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_label_of_a_later_visit(kind):
    row = one("label_time", dated(kind, DAY, with_day("2021-06-01")))
    assert (row["severity"], row["keys"]) == ("warn", "p004/ses-1; p009/ses-1")
    assert row["message"] == "in 2 of 60 rows the outcome is later than the inputs ('judged' against 'seen')"
    assert row["value"] == pytest.approx(2 / 60)


@pytest.mark.parametrize("kind", ["classification", "regression", "survival"])
def test_inputs_of_a_later_visit(kind):
    row = one("label_time", dated(kind, with_day("2021-06-01"), DAY))
    assert row["message"] == "in 2 of 60 rows the inputs are later than the outcome ('judged' against 'seen')"
    assert row["action"] == "use inputs that were known before the outcome"


def test_an_event_is_later_by_its_nature():
    assert check("label_time", dated("survival", DAY, with_day("2021-06-01"))).empty


def test_ages_and_names_of_sessions_are_compared_too():
    ages = [70.0 + k for k in range(60)]
    assert check("label_time", dated("regression", ages, ages)).empty
    assert len(check("label_time", dated("regression", ages, [*ages[:-1], 200.0]))) == 1
    months = ["M6"] * 60
    assert one("label_time", dated("regression", months, [*months[:-1], "M12"]))["keys"] == "p059/ses-1"


def test_what_has_no_common_order_is_said():
    row = one("label_time", dated("regression", DAY, [70.0] * 60))
    assert (row["severity"], row["message"]) == (
        "not assessable",
        "'seen' and 'judged' hold date and numbers: no common order",
    )
    assert one("label_time", clean())["severity"] == "not assessable"
    context = but(dated("regression", DAY, DAY), participants=clean().people)
    assert one("label_time", context)["message"].startswith("no column 'seen' and 'judged' in the cohorts")


# ---- labels that change ----


def test_a_label_that_changes_between_sessions():
    context = clean(kind="classification")
    assert check("label_changes", sessions(context)).empty
    row = one("label_changes", sessions(context, y=1 - context.people["y"][20]))
    assert (row["severity"], row["keys"], row["value"]) == ("warn", "p020", 1.0)
    assert row["message"] == "the outcome differs between sessions in 1 of 1 people with several sessions"


def test_an_event_in_one_session_only():
    context = clean()
    assert check("label_changes", sessions(context, time=3.0)).empty, "time runs from each session"
    assert one("label_changes", sessions(context, event=not context.people["event"][20]))["keys"] == "p020"


def test_a_number_may_change():
    assert one("label_changes", sessions(clean(kind="regression"), y=9.0))["severity"] == "pass"

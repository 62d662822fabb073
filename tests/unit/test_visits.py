"""One order of sessions and runs for all stages: by dates where all have one, else by names."""

from datetime import datetime

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from triptych import tables, visits
from triptych.bids import dataset, making
from triptych.examples import make_examples, read_cohort
from triptych.ledger import Ledger
from triptych.scans import Source, scans, used


def save(path):
    """A small image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(0).integers(0, 500, (20, 20, 20)).astype(np.int16)
    nib.save(nib.Nifti1Image(values, np.diag([4.0, 4, 4, 1])), path)
    return path


@pytest.mark.parametrize(
    "said", ["2019-06-11", "20190611", "2019-06-11T00:00:00", "11.06.2019", "2019/06/11", "11 June 2019", "11-Jun-2019",
             pd.Timestamp("2019-06-11"), "2019-06-11 00:00:00+00:00"],
)  # fmt: skip
def test_dates_as_they_are_written(said):
    assert visits.moment(said) == datetime(2019, 6, 11)


@pytest.mark.parametrize("said", ["soon", "6/11/2019", "2019-13-45", "190611x"])
def test_what_is_no_clear_date_orders_nothing(said):
    assert visits.moment(said) is None
    assert visits.unclear(said)


@pytest.mark.parametrize("said", ["", None, float("nan"), "n/a", pd.NaT])
def test_nothing_is_not_unclear(said):
    assert visits.moment(said) is None
    assert not visits.unclear(said)


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        ({"a": "2020-05-02", "b": "2020-05-01"}, "ba"),
        ({"a": "2020-05-02", "b": ""}, "ab"),  # not all have one
        ({"b": "2020-05-01", "a": "2020-05-01"}, "ab"),  # no difference
        ({"a": "365", "b": "0"}, "ba"),  # days
        ({"a": "2020-05-02", "b": "0"}, "ab"),  # a date and days have no common order
        ({"M12": "", "M6": "", "bl": "", "screening": ""}, ["screening", "bl", "M6", "M12"]),
        ({"M6_run-2": "", "M6_run-1": "", "bl_run-1": ""}, ["bl_run-1", "M6_run-1", "M6_run-2"]),
    ],
)
def test_by_dates_where_all_have_one_else_by_names(dates, order):
    assert list(visits.sessions((name, visits.moment(said)) for name, said in dates.items())) == list(order)


@pytest.fixture
def table(tmp_path):
    """Twelve people: session b was before session a, and in a the second run before the first."""
    lines = ["participant_id,session_id,run,scan_date,months,died,t1w"]
    for k in range(12):
        for session, run, date in (("a", 1, "2020-05-03"), ("a", 2, "2020-05-02"), ("b", 1, "2020-05-01")):
            file = save(tmp_path / f"{k}{session}{run}.nii.gz").name
            lines.append(f"p{k},{session},{run},{date},{10 + k},{k % 2},{file}")
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "t.csv")


def baseline(people):
    """Session of each person that a task with `sessions: baseline` takes."""
    outcome = {"time": "months", "event": "died", "event_value": None}
    told = {"task": "t", "kind": "survival", "outcome": outcome, "inputs": {"x": ["months_"]}, "sessions": "baseline"}
    made = make_examples(people.assign(months_=1), ledger=Ledger("t"), **told)
    return made.table.set_index("participant_id")["session_id"].to_dict()


def test_baseline_and_the_data_set_take_the_same_session_first(table, tmp_path):
    people, _ = read_cohort("lab", table, None)
    assert set(baseline(people).values()) == {"b"}
    assert len(baseline(people)) == 12
    found = scans("lab", Source(table=table), None)
    assert [scan.name for scan in found[:3]] == ["sub-p0_ses-b_run-1", "sub-p0_ses-a_run-2", "sub-p0_ses-a_run-1"]
    said = {scan.name: making.make(scan, tmp_path / "bids") for scan in found[:3]}
    dataset.write("lab", found[:3], said, people, tmp_path / "bids")
    rows = tables.read(tmp_path / "bids" / "sub-p0" / "sub-p0_sessions.tsv")
    assert rows.to_dict("list") == {"session_id": ["ses-b", "ses-a"], "days": [0, 1]}


@pytest.mark.parametrize(("runs", "run"), [("first", "2"), ("last", "1")])
def test_the_first_run_is_the_earliest(table, runs, run):
    people, _ = read_cohort("lab", table, None, runs=runs)
    assert set(people.loc[people["session_id"] == "a", "run"]) == {run}
    kept = used(scans("lab", Source(table=table), None), runs)
    assert {scan.run for scan in kept if scan.session_id == "a"} == {run}


def test_the_best_run_is_not_known_yet(table):
    people, ledger = read_cohort("lab", table, None, runs="best")
    assert set(people.loc[people["session_id"] == "a", "run"]) == {"2"}, "the first in time, until scans are joined"
    assert not ledger.failures
    found = scans("lab", Source(table=table), None)
    assert used(found, "best") == found


def test_a_date_that_is_not_understood_is_told_and_not_repeated(cohort_of):
    rows = ["participant_id,session_id,scan_date", "p1,a,6/11/2019", "p1,b,2019-06-10", "p2,a,"]
    _, ledger = cohort_of(rows)
    told = ledger.failures_table()
    assert told[["participant_id", "session_id", "row", "column"]].values.tolist() == [["p1", "a", 2, "scan_date"]]
    assert "11/2019" not in told.to_string()


def test_days_of_a_data_set_that_is_read_in_place_order_its_sessions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for session in ("a", "b"):
        save(tmp_path / f"ds/sub-1/ses-{session}/anat/sub-1_ses-{session}_T1w.nii.gz")
    (tmp_path / "ds/dataset_description.json").write_text("{}")
    (tmp_path / "ds/sub-1/sub-1_sessions.tsv").write_text("session_id\tdays\nses-b\t0\nses-a\t365\n")
    people, _ = read_cohort("ds", None, None, bids="ds")
    more = people.assign(participant_id="sub-2", session_id=["ses-x", "ses-y"], scan_date=None)
    both = pd.concat([people, more]).assign(months=[1, 2, 3, 4], died=[1, 1, 1, 0])
    assert baseline(both) == {"sub-1": "ses-b", "sub-2": "ses-x"}

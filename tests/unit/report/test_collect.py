"""What the report says of each kind of cohort: one of the library, with or without an entry, a table, a BIDS data set."""

import pandas as pd
import pytest

from triptych import plugins, tables
from triptych.examples import read_cohort
from triptych.report.collect import _cohort, _notes

NOTHING = {"table": None, "bids": None, "scans": None, "mri": None}


@pytest.fixture
def told(tmp_path):
    """``told(name, entry, people) -> facts``, when the study has read these people."""

    def of(name, entry, people):
        folder = tmp_path / "cohorts" / name
        folder.mkdir(parents=True)
        tables.write(people, folder / "participants.parquet")
        return _cohort(tmp_path, name, entry, None)

    return of


@pytest.mark.parametrize("entry", [None, {**NOTHING, "mri": {"resolution": 4}}], ids=["no entry", "its scans"])
def test_a_cohort_of_the_library(told, entry):
    says = plugins.describe("cohorts", "gse7390").literals
    people, _ = read_cohort("gse7390", None, None)
    found = told("gse7390", entry, people)
    assert (found["title"], found["source"], found["citation"]) == (says["TITLE"], says["SOURCE"], says["CITATION"])
    assert found["n_patients"] == people["participant_id"].nunique() > 190
    assert [file["path"] for file in found["files"]] == list(says["SHA256"])


def test_a_table(told, tmp_path, cohort_of):
    people, _ = cohort_of("participant_id,age\na,60\nb,50\n")
    found = told("mine", {**NOTHING, "table": str(tmp_path / "c.csv")}, people)
    assert found["source"] == "a table of the user's own"
    assert [file["bytes"] for file in found["files"]] == [(tmp_path / "c.csv").stat().st_size]


def test_a_bids_data_set(told, tmp_path, cohort_of):
    bids = tmp_path / "bids"
    bids.mkdir()
    (bids / "dataset_description.json").write_text('{"Name": "mine", "BIDSVersion": "1.10.0"}')
    (bids / "participants.tsv").write_text("participant_id\tage\nsub-a\t60\n")
    people, _ = cohort_of("participant_id,age\nsub-a,60\n")
    found = told("mine", {**NOTHING, "bids": str(bids)}, people)
    assert (found["title"], found["source"]) == ("mine", "a BIDS data set of the user's own")
    assert [file["path"] for file in found["files"]] == ["participants.tsv"]


def test_notes_are_those_of_the_scans_that_are_used(tmp_path):
    """Of preprocessed cohorts the scans that the study chose, of others all that can be used; quarantined ones are failures."""
    scans = pd.DataFrame(
        {
            "name": ["sub-1", "sub-2", "sub-3", ""],
            "status": ["warn", "ok", "quarantined", "none"],
            "notes": ["x is 1 | y", "", "z", ""],
        }
    )
    for cohort in ("a", "b"):
        tables.write(scans, tmp_path / "cohorts" / cohort / "bids_scans.tsv")
    chosen = pd.DataFrame({"name": ["sub-2"], "status": ["ok"], "notes": ["w"]})
    tables.write(chosen, tmp_path / "cohorts" / "a" / "quality.tsv")
    assert _notes(tmp_path, ["a", "b", "c"]).values.tolist() == [
        ["a", "sub-2", "w"],
        ["b", "sub-1", "x is 1"],
        ["b", "sub-1", "y"],
        ["b", "sub-2", ""],
    ]

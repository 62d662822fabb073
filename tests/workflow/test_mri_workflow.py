"""A study on raw scans: three small brains and a broken file; the run goes on, and reruns exactly what changed."""

import os
import shutil

import pandas as pd
import pytest
from small_study import clone, planned, replace, snakemake

from triptych.bids.validator import refuse_errors, validate
from triptych.phantom import mri as phantom

pytestmark = pytest.mark.slow

STUDY = """\
name: heads
title: Age from grey matter
question: Does grey matter tell age?
estimand: new-patients
cohorts:
  phantom: {table: data/participants.csv, mri: {resolution: 4, regions: 10}}
tasks:
  age:
    title: Age
    kind: regression
    cohorts: [phantom]
    outcome: {value: age, unit: years}
    inputs: {volumes: [mri_gm_ml, mri_wm_ml, mri_csf_ml], rois: ["mri_roi_*"]}
    roles: {quality: [mri_qc_dice], acquisition: [mri_field]}
models:
  volumes: {use: ridge, label: Volumes, inputs: [volumes]}
validation: {split: repeated_kfold, options: {folds: 2, repeats: 1}}
statistics: {metrics: [mae]}
controls: []
tolerance: {patients: 0.3}
seed: 3
"""
COHORT = "results/heads/cohorts/phantom"
ASK = ("--configfile", "study.yaml", "--", f"{COHORT}/quality.html", "results/heads/age/examples.parquet")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Four people, voxels of 6 mm, one broken file; preprocessed, and examples made."""
    folder = clone(tmp_path_factory.mktemp("heads") / "clone")
    phantom.write(folder / "data", phantom.people(4), voxel=6.0, skull=False)
    (folder / "data/scans/sub-002_ses-1_T1w.nii.gz").write_bytes(b"")
    (folder / "study.yaml").write_text(STUDY)
    done = snakemake(folder, *ASK)
    assert done.rc == 0, done.said[-3000:]
    return folder


@pytest.fixture
def heads(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "clone")


def test_a_broken_file_costs_itself_and_is_told(finished):
    imaged = pd.read_parquet(finished / COHORT / "imaged.parquet").set_index("participant_id")
    assert imaged["mri_status"].to_dict() == {f"sub-00{k}": "quarantined" if k == 2 else "ok" for k in range(1, 5)}
    assert imaged["mri_gm_ml"].notna().tolist() == [True, False, True, True]
    failed = pd.read_csv(finished / COHORT / "failures_scans.tsv", sep="\t")
    assert failed[["stage", "participant_id", "reason"]].to_numpy().tolist() == [
        ["scan", "sub-002", "an empty file (0 bytes)"]
    ]
    assert "an empty file (0 bytes)" in (finished / COHORT / "quality.html").read_text()


def test_rows_without_a_usable_scan_are_no_examples(finished):
    examples = pd.read_parquet(finished / "results/heads/age/examples.parquet")
    assert sorted(examples["participant_id"]) == ["sub-001", "sub-003", "sub-004"]
    excluded = pd.read_parquet(finished / "results/heads/age/excluded.parquet")
    assert excluded["participant_id"].tolist() == ["sub-002"], "an audit asks whether such people differ"


def test_volumes_against_the_truth(finished):
    truth = pd.read_csv(finished / "data/truth.csv").set_index("participant_id")
    imaged = pd.read_parquet(finished / COHORT / "imaged.parquet").set_index("participant_id").dropna(subset="mri_t1w")
    for who, row in imaged.iterrows():
        assert row["mri_gm_ml"] == pytest.approx(truth.loc[who, "gm"], rel=0.25), who
    assert imaged["mri_field"].tolist() == [3.0, 3.0, 3.0]
    assert imaged["mri_scanner"].str.startswith("Triptych Phantom").all()


def test_the_derivatives_are_a_bids_data_set(finished):
    folder = finished / COHORT / "derivatives/triptych"
    assert (folder / "dataset_description.json").is_file()
    names = {path.name for path in folder.glob("sub-001/anat/*")}
    assert "sub-001_space-MNI152NLin2009aSym_desc-preproc_T1w.nii.gz" in names
    assert not list(folder.glob("sub-002/**/*.nii.gz"))
    refuse_errors(validate(folder), folder)


def test_of_somebody_who_leaves_the_cohort_nothing_is_left(heads):
    table = pd.read_csv(heads / "data/participants.csv")
    table.replace("sub-003", "sub-009").to_csv(heads / "data/participants.csv", index=False)
    folder = heads / COHORT / "derivatives/triptych"
    assert list(folder.glob("sub-003/anat/*_dseg.nii.gz"))
    done = snakemake(heads, "--configfile", "study.yaml", "--", f"{COHORT}/quality.html")
    assert done.rc == 0, done.said[-3000:]
    assert not list(folder.glob("sub-003*"))
    assert not list((heads / COHORT / "scans").glob("sub-003*/*.npy"))
    assert list(folder.glob("sub-001/anat/*_dseg.nii.gz"))
    assert list(folder.glob("sub-009/anat/*_dseg.nii.gz")), "who came instead"


def test_a_touched_scan_reruns_nothing(heads):
    os.utime(heads / "data/scans/sub-001_ses-1_T1w.nii.gz")
    assert planned(heads, *ASK) == {}


def test_a_changed_scan_reruns_its_own_jobs(heads):
    made = phantom.head(phantom.Person(900), phantom.SITES[0], voxel=6.0).image
    made.to_filename(heads / "data/scans/sub-001_ses-1_T1w.nii.gz")
    assert planned(heads, *ASK) == {
        "bids_scan": 1,
        "bids_dataset": 1,
        "preprocess_scan": 1,
        "join_scans": 1,
        "quality_page": 1,
        "make_examples": 1,
    }


def test_the_same_scan_under_two_ids_stops_the_study(heads):
    scans = heads / "data/scans"
    shutil.copy(scans / "sub-001_ses-1_T1w.nii.gz", scans / "sub-002_ses-1_T1w.nii.gz")
    done = snakemake(heads, *ASK[:3], "results/heads/age/tables/audit.tsv")
    assert done.rc != 0
    said = (heads / "results/heads/logs/audit/age.log").read_text()
    assert "same_image: 1 sets of ids share a scan, equal voxel by voxel, among 4 scans of 4 people" in said
    assert "[phantom/sub-001 = phantom/sub-002]" in said
    notes = pd.read_csv(heads / COHORT / "quality.tsv", sep="\t").set_index("name")["notes"]
    assert "the same image as sub-002 (participant 'sub-002')" in notes["sub-001"]


def test_a_broken_run_does_not_lose_a_session_whose_other_run_is_good(heads):
    table = pd.read_csv(heads / "data/participants.csv")
    broken = table[table["participant_id"] == "sub-002"]
    again = broken.assign(run="2", t1w=table["t1w"].iloc[3])
    table = table.assign(run=["", "1", "", ""])
    pd.concat([table, again]).to_csv(heads / "data/participants.csv", index=False)
    replace(heads / "study.yaml", "mri: {resolution", "runs: best, mri: {resolution")
    done = snakemake(heads, *ASK)
    assert done.rc == 0, done.said[-3000:]
    imaged = pd.read_parquet(heads / COHORT / "imaged.parquet").set_index("participant_id")
    assert imaged["mri_status"].eq("ok").all()
    assert imaged.loc["sub-002", ["run", "t1w"]].tolist() == ["2", again["t1w"].iloc[0]]
    failed = pd.read_csv(heads / COHORT / "failures_scans.tsv", sep="\t")
    assert failed[["stage", "reason"]].to_numpy().tolist() == [
        ["note", "an empty file (0 bytes); sub-002_run-2 of this session is used (`runs: best`)"]
    ]
    assert len(pd.read_parquet(heads / "results/heads/age/examples.parquet")) == 4


def test_an_edited_step_reruns_what_uses_it(heads):
    replace(heads / "src/triptych/mri/segment.py", "VOTE = 0.6", "VOTE = 0.5")
    assert planned(heads, *ASK) == {"preprocess_scan": 4, "join_scans": 1, "quality_page": 1, "make_examples": 1}


def test_an_edited_page_makes_the_page_only(heads):
    replace(heads / "src/triptych/mri/quality.html.j2", "<h2>Pictures</h2>", "<h2>Pictures of all scans</h2>")
    assert planned(heads, *ASK) == {"quality_page": 1}

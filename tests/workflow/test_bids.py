"""Scans of a study become a BIDS data set: one job per scan, a broken one costs itself, and only what changed is done again."""

import gzip
import json
import os
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from small_study import clone, people, planned, snakemake, write_study

pytestmark = pytest.mark.slow

STUDY = """\
name: scanned
title: Does a marker add to age?
question: Do models that read a marker rank people better than chance?
estimand: new-patients
cohorts:
  north: {table: data/north.csv, scans: mprage}
  south: {bids: data/south}
tasks:
  death:
    title: Death
    cohorts: [north, south]
    outcome: {time: months, event: status, event_value: 1, unit: months}
    inputs: {markers: [m1, m2]}
models:
  cox: {use: cox, label: Cox}
validation: {split: repeated_kfold, options: {folds: 2, repeats: 1}}
statistics: {metrics: [harrell_c], figures: [forest]}
controls: []
seed: 11
"""
ASK = ("bids", "--configfile", "study.yaml")
NORTH, SOUTH = "results/scanned/cohorts/north", "results/scanned/cohorts/south"


def save(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 500, (24, 26, 22)).astype(np.int16)
    nib.save(nib.Nifti1Image(values, np.diag([3.0, 3, 3, 1])), path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """North: a table of 28 people, two with a scan, one of them broken.  South: a BIDS data set of two images of 20 people."""
    folder = clone(tmp_path_factory.mktemp("scanned") / "clone")
    north, south = people(3, 28), people(4, 20)
    north["mprage"] = [f"scans/{k}.nii.gz" if k in (1, 3) else np.nan for k in range(28)]
    write_study(folder, STUDY, north=north)
    save(folder / "data" / "scans" / "1.nii.gz", 1)
    (folder / "data" / "scans" / "3.nii.gz").write_bytes(gzip.compress(b"cut off"))
    bids = folder / "data" / "south"
    for sub in ("sub-p01", "sub-p02"):
        save(bids / sub / "anat" / f"{sub}_T1w.nii.gz", hash(sub) % 1000)
    save(bids / "sub-p03" / "anat" / "p03_T1w.nii.gz", 9)
    (bids / "sub-p02" / "anat" / "sub-p02_T1w.json").write_text("{broken")
    (bids / "dataset_description.json").write_text(json.dumps({"Name": "south", "BIDSVersion": "1.10.0"}))
    south["participant_id"] = "sub-" + south["participant_id"]
    south.to_csv(bids / "participants.tsv", sep="\t", index=False)
    done = snakemake(folder, *ASK)
    assert done.rc == 0, done.said[-3000:]
    return folder


def listed(folder, cohort):
    return pd.read_csv(folder / cohort / "bids_scans.tsv", sep="\t", keep_default_na=False)


def test_a_broken_scan_costs_itself_only(made):
    found = listed(made, NORTH)
    assert found["status"].value_counts().to_dict() == {"none": 26, "ok": 1, "quarantined": 1}
    bad = found[found["status"] == "quarantined"].iloc[0]
    assert (bad["participant_id"], bad["reason"]) == ("p04", "no NIfTI header")
    assert [p.name for p in (made / NORTH / "bids").glob("sub-*/anat/*.nii.gz")] == ["sub-p02_T1w.nii.gz"]
    issues = pd.read_csv(made / NORTH / "bids_issues.tsv", sep="\t")
    assert "error" not in set(issues["severity"])


def test_only_the_data_sets_are_made(made):
    assert sorted(path.name for path in (made / "results" / "scanned").iterdir()) == ["cohorts", "logs"]
    said = (made / "results/scanned/logs/bids_scan/north/sub-p04.log").read_text()
    assert "sub-p04: quarantined" in said


def test_a_data_set_that_is_there_is_read_in_place(made):
    found = listed(made, SOUTH).set_index("name")
    assert found.loc["sub-p01", "status"] == "ok"
    assert found.loc["sub-p02", "reason"].startswith("the sidecar sub-p02_T1w.json cannot be read")
    assert not (made / SOUTH / "bids").exists()
    issues = pd.read_csv(made / SOUTH / "bids_issues.tsv", sep="\t").set_index("code")
    assert {"JSON_INVALID", "ENTITY_WITH_NO_LABEL"} <= set(issues.index[issues["severity"] == "error"])
    table = pd.read_parquet(made / SOUTH / "participants.parquet").set_index("participant_id")
    assert table.loc["sub-p01", "t1w"] == "data/south/sub-p01/anat/sub-p01_T1w.nii.gz"
    failures = pd.read_csv(made / SOUTH / "failures.tsv", sep="\t", keep_default_na=False)
    assert "sub-p03/anat/p03_T1w.nii.gz" in set(failures["file"])
    assert (failures["reason"] == "a participant without a T1-weighted image").sum() == 18


def test_only_what_changed_is_done_again(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "clone")
    os.utime(folder / "data" / "scans" / "1.nii.gz")
    save(folder / "data" / "scans" / "3.nii.gz", 3)
    assert planned(folder, *ASK) == {"bids": 1, "bids_dataset": 1, "bids_scan": 1}

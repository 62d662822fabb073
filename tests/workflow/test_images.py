"""A study whose table names images: a mirrored copy under another id stops it, a broken file costs itself only."""

import os
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from small_study import clone, people, planned, replace, snakemake, write_study

from triptych.planted import phantoms

STUDY = """\
name: pictured
title: Does a marker add to age?
question: Do models that read a marker rank people better than chance?
estimand: new-patients
cohorts:
  north: {table: data/north.csv}
tasks:
  death:
    title: Death
    cohorts: [north]
    outcome: {time: months, event: status, event_value: 1, unit: months}
    inputs: {markers: [m1, m2]}
    roles: {image: [t1w]}
models:
  cox: {use: cox, label: Cox}
validation: {split: repeated_kfold, options: {folds: 2, repeats: 1}}
statistics: {metrics: [harrell_c], figures: [forest]}
controls: []
seed: 11
"""
AUDIT = "results/pictured/death/tables/audit.tsv"
COHORT = "results/pictured/cohorts/north"


@pytest.fixture(scope="module")
def pictured(tmp_path_factory):
    """Twenty-eight heads: p27 is p03 in a mirror, p05's file is broken, p28 has none."""
    folder = clone(tmp_path_factory.mktemp("pictured") / "clone")
    table = people(3, 28)
    table["t1w"] = [f"scans/{who}.nii.gz" for who in table["participant_id"]]
    table.loc[27, "t1w"] = np.nan
    write_study(folder, STUDY, north=table)
    (folder / "data" / "scans").mkdir()
    for k in range(26):
        save(folder, f"p{k + 1:02d}", phantoms.head(np.random.default_rng(k)))
    save(folder, "p27", phantoms.head(np.random.default_rng(2))[::-1])
    (folder / "data" / "scans" / "p05.nii.gz").write_bytes(b"not an image")
    return folder


@pytest.fixture(scope="module")
def stopped(pictured):
    """What the first run said."""
    return snakemake(pictured, "--configfile", "study.yaml", "--cores", "1", "--show-failed-logs")


@pytest.fixture(scope="module")
def warned(stopped, pictured, tmp_path_factory):
    """The same study, whose author lets the copy pass: audited."""
    folder = shutil.copytree(pictured, tmp_path_factory.mktemp("warned") / "clone")
    replace(folder / "study.yaml", "controls: []\n", "controls: []\naudit: {same_image: warn}\n")
    done = snakemake(folder, "--configfile", "study.yaml", "--", AUDIT)
    assert done.rc == 0, done.said[-3000:]
    assert "rule embed" not in done.said, "a lowered severity looks at no image again"
    return folder


def save(folder, who, image):
    nib.save(nib.Nifti1Image(image, phantoms.AFFINE), folder / "data" / "scans" / f"{who}.nii.gz")


def test_a_mirrored_copy_under_another_id_stops_the_run(stopped, pictured):
    assert stopped.rc == 1
    assert (
        "same_image: 1 pairs of ids look like one person among volumes of the column 't1w' of 26 people" in stopped.said
    )
    assert "north/p03 = north/p27" in stopped.said
    assert not (pictured / "results/pictured/death/fits").exists()


def test_a_broken_file_costs_itself_only(warned):
    failed = pd.read_csv(warned / COHORT / "failures_images.tsv", sep="\t")
    assert failed[["stage", "participant_id", "modality", "file"]].to_numpy().tolist() == [
        ["image", "p05", "t1w", "scans/p05.nii.gz"]
    ]
    assert "p05.nii.gz: cannot be read as a volume" in failed["reason"].iloc[0]
    content = pd.read_parquet(warned / COHORT / "content.parquet")
    assert content["participant_id"].nunique() == 26
    assert "p05" not in set(content["participant_id"])


def test_a_lowered_severity_is_told(warned):
    found = pd.read_csv(warned / AUDIT, sep="\t").set_index("check").loc["same_image"]
    assert found["severity"] == "warn"
    assert found["value"] > found["threshold"]


def test_a_touched_image_reruns_nothing_and_a_changed_one_is_looked_at_again(warned):
    ask = ("--configfile", "study.yaml", "--", AUDIT)
    path = warned / "data" / "scans" / "p10.nii.gz"
    os.utime(path)
    assert planned(warned, *ask) == {}
    save(warned, "p10", phantoms.head(np.random.default_rng(500)))
    assert planned(warned, *ask) == {"embed": 1, "audit": 1}


def test_a_study_without_images_looks_at_none(fresh):
    assert "embed" not in planned(fresh)


def test_a_column_of_images_must_be_there(pictured, tmp_path):
    folder = shutil.copytree(pictured, tmp_path / "clone")
    replace(folder / "study.yaml", "image: [t1w]", "image: [t1v]")
    done = snakemake(folder, "-n", "--configfile", "study.yaml")
    assert "cohort 'north' has no column of images 't1v'; did you mean 't1w'?" in done.said

"""What the studies of brain MRI found, when they have run: the known directions, and values within a band."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from triptych.mri import template

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="module")
def scores():
    """Scores of a task of a finished study: (model, metric) -> row."""

    def read(study, task):
        file = RESULTS / study / task / "tables" / "scores.tsv"
        if not file.exists():
            pytest.skip(f"{file} is not there: run snakemake --configfile config/studies/{study}.yaml")
        return pd.read_csv(file, sep="\t").set_index(["model", "metric"])

    return read


def test_slices_of_a_head_tell_any_label(scores):
    wrong, right = (scores("slice-leak", f"diagnosis-{how}")["value"] for how in ("slices", "people"))
    for model in ("1-nearest neighbour", "1-nearest neighbour, outcomes permuted"):
        assert wrong[model, "balanced_accuracy"] > 0.85
        assert abs(right[model, "balanced_accuracy"] - 0.5) < 0.1


def test_image_quality_at_unseen_sites_and_in_other_data(scores):
    """Esteban 2017: an accuracy of 76 % on DS030; here labels of one rater."""
    mixed, left_out, other = (scores("mriqc", task)["value"] for task in ("abide-mixed", "abide-sites", "ds030"))
    forest = [task["Random forest", "auc"] for task in (mixed, left_out, other)]
    assert forest == sorted(forest, reverse=True)
    assert abs(other["Random forest", "accuracy"] - 0.751) < 0.05
    assert abs(other["Majority class", "accuracy"] - 0.717) < 0.001
    assert mixed["Random forest, outcomes permuted", "auc"] > 0.65, "permuted within sites, labels tell the site"
    assert abs(left_out["Random forest, outcomes permuted", "auc"] - 0.5) < 0.15


def test_brain_age_at_an_unseen_hospital(scores):
    mixed, left_out, two = (scores("brain-age-sites", t)["value"] for t in ("mixed", "left-out", "two-left-out"))
    assert abs(mixed["Ridge regression", "mae"] - 5.14) < 0.3
    assert abs(left_out["Ridge regression", "mae"] - 5.55) < 0.3
    assert two["Ridge, ComBat to Guys", "mae"] < two["Ridge regression", "mae"]


def test_the_size_of_simulated_heads_is_found_and_a_coin_is_not(scores):
    sex, coin = scores("phantom-heads", "sex"), scores("phantom-heads", "coin")
    assert sex.loc[("Logistic, volumes", "auc"), "value"] > 0.8
    for model in ("Voxel SVM", "Linear SVM, regions", "Logistic, volumes"):
        assert coin.loc[(model, "auc"), "low"] < 0.5, model


def test_heads_tell_sex_and_not_depression(scores):
    """72 heads: diagnosis is at chance, as in larger studies at unseen sites; sex is in volumes, regions and voxels."""
    depression, sex = scores("depression-mri", "depression"), scores("depression-mri", "sex")
    models = ("Conv5-FC3", "Voxel SVM", "Linear SVM, regions", "Logistic, volumes")
    for model in models:
        row = depression.loc[(model, "auc")]
        assert row["low"] < 0.5, model
        assert row["value"] < 0.65, model
    for model in models[1:]:
        assert sex.loc[(model, "auc"), "low"] > 0.6, model


def test_a_head_goes_from_dicom_to_the_template_at_1_mm():
    """The brain of the woman has some 1,500 ml without its fluid; its scan lacks what was anonymised, which is noted."""
    cohort = RESULTS / "dicom-head" / "cohorts" / "studyforrest"
    if not (cohort / "quality.html").exists():
        pytest.skip(f"{cohort} is not there: run snakemake --configfile config/studies/dicom-head.yaml")
    row = pd.read_parquet(cohort / "imaged.parquet").iloc[0]
    assert row["mri_status"] == "ok"
    assert row["mri_qc_dice"] > 0.92
    assert 1300 < row["mri_gm_ml"] + row["mri_wm_ml"] < 1650
    assert np.load(RESULTS.parent / row["mri_t1w"], mmap_mode="r").shape == template.load(1.0).mask.shape
    scans = pd.read_csv(cohort / "bids_scans.tsv", sep="\t")
    assert scans["status"].tolist() == ["warn"]
    assert "the headers do not say: MagneticFieldStrength" in scans["notes"][0]


@pytest.mark.parametrize(
    ("study", "model"), [("phantom-heads", "voxel-svm"), ("depression-mri", "voxel-svm"), ("depression-mri", "conv5")]
)
def test_maps_are_images_in_mni_space_whose_peaks_are_told(study, model):
    path = RESULTS / study / "sex" / "maps" / f"{model}.nii.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there: run snakemake --configfile config/studies/{study}.yaml")
    image, box = nib.load(path), template.load(4.0)
    values = image.get_fdata()
    np.testing.assert_array_equal(image.affine, box.affine)
    assert values.mean() == pytest.approx(1, rel=1e-3)
    assert values[box.mask].sum() > 0.75 * values.sum(), "most of it lies in the brain"
    peaks = pd.read_csv(path.with_name(f"{model}.tsv"), sep="\t")
    place = np.rint(np.linalg.solve(box.affine, np.c_[peaks[["x", "y", "z"]], np.ones(len(peaks))].T)[:3]).astype(int)
    np.testing.assert_allclose(values[tuple(place)], peaks["value"], rtol=1e-3)
    assert values.max() == pytest.approx(peaks["value"].max(), rel=1e-3)

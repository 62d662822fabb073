import numpy as np
import pandas as pd
import pytest

from triptych.mri.columns import COLUMNS, QUALITY
from triptych.mri.joining import ScanResult, join, quality_table


def result(who, session="ses-1", status="ok", **columns):
    values = {name: 1.0 for name in QUALITY} | {
        "mri_gm_ml": 600.0,
        "mri_roi_2": 5.0,
        "mri_roi_10": 6.0,
        "mri_voxel_x": 1.0,
    }
    files = {"t1w": [f"scans/{who}/t1w.npy", "0"], "background": [f"scans/{who}/b.npy", "1"], "picture": ["p.png", "2"]}
    said = {"status": status, "reason": "", "advice": "", "files": files, "columns": values | columns, "notes": {}}
    if status != "ok":
        said |= {"reason": "broken", "advice": "mend it", "files": {}, "columns": {}}
    return ScanResult(who, session, f"{who}_{session}", f"{who}.nii.gz", said)


@pytest.fixture
def people():
    return pd.DataFrame(
        {"cohort": "c", "participant_id": ["a", "b", "d"], "session_id": "ses-1", "age": [1, 2, 3]}
    ).rename_axis(index="row")


def test_columns_are_added_in_a_known_order(people):
    imaged, failures, _ = join(people, [result("a"), result("b"), result("d", mri_gm_ml=700.0)])
    assert failures.empty
    assert imaged["mri_gm_ml"].tolist() == [600, 600, 700]
    assert imaged["mri_t1w"].tolist() == ["scans/a/t1w.npy", "scans/b/t1w.npy", "scans/d/t1w.npy"]
    added = [c for c in imaged if c.startswith("mri_")]
    assert [c for c in added if "roi" in c] == ["mri_roi_2", "mri_roi_10"]
    assert set(added) == (set(COLUMNS) - {"mri_roi_*"}) | {
        "mri_roi_2",
        "mri_roi_10",
        "mri_t1w_sha256",
        "mri_background_sha256",
    }
    assert imaged.index.name == "row"


def test_a_broken_scan_costs_itself(people):
    imaged, failures, _ = join(people, [result("a"), result("b", status="quarantined")])
    assert imaged["mri_status"].tolist() == ["ok", "quarantined", "none"]
    assert imaged["mri_t1w"].isna().tolist() == [False, True, True]
    assert imaged["mri_gm_ml"].isna().tolist() == [False, True, True]
    assert failures[["stage", "participant_id", "reason"]].to_numpy().tolist() == [
        ["scan", "b", "broken"],
        ["note", "d", "no T1-weighted scan of this session"],
    ]


def test_a_scan_of_nobody_is_told(people):
    _, failures, _ = join(people, [result("a"), result("b"), result("d"), result("z")])
    assert failures[["stage", "participant_id", "reason"]].to_numpy().tolist() == [
        ["note", "z", "an image of somebody who is not among the participants"]
    ]


def test_the_oddest_scan_comes_first_and_leaves_where_the_study_says_so():
    random = np.random.default_rng(1)
    people = pd.DataFrame({"cohort": "c", "participant_id": [f"p{k}" for k in range(12)], "session_id": "ses-1"})
    results = [result(f"p{k}", mri_qc_snr=10 + random.normal()) for k in range(11)] + [result("p11", mri_qc_snr=99.0)]
    table = quality_table(results)
    assert table.loc[0, ["name", "oddest"]].tolist() == ["p11_ses-1", "mri_qc_snr"]
    assert join(people, results)[0]["mri_status"].eq("ok").all()
    imaged, failures, _ = join(people, results, outliers=5.0)
    assert imaged["mri_status"].tolist() == ["ok"] * 11 + ["outlier"]
    assert pd.isna(imaged["mri_t1w"].iloc[11])
    assert "robust distance" in failures["reason"].iloc[0]


def test_each_note_of_a_scan_is_told_once(people):
    """From the BIDS data set and from preprocessing, which reads the image again."""
    one = result("a")
    one.status["notes"]["said"] = ["3 voxels are NaN or infinite", "the grid is odd"]
    listing = pd.DataFrame(
        {"name": ["a_ses-1", "b_ses-1"], "notes": ["the same image as b | 3 voxels are NaN or infinite", float("nan")]}
    )
    table = join(people, [one, result("b"), result("d")], None, listing)[2].set_index("name")
    assert table["notes"].to_dict() == {
        "a_ses-1": "the same image as b | 3 voxels are NaN or infinite | the grid is odd",
        "b_ses-1": "",
        "d_ses-1": "",
    }


def test_few_scans_are_not_compared(people):
    assert quality_table([result("a"), result("b")])["distance"].isna().all()

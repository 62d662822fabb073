from dataclasses import replace

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


def run(who, number, status="ok", **columns):
    """One of several scans of a session."""
    one = result(who, status=status, **columns)
    return replace(one, name=f"{who}_run-{number}", file=f"{who}{number}.nii.gz", run=str(number))


@pytest.fixture
def several(people):
    """``joined(runs of a) -> row of a, failures, quality by name``; b and d have one scan each."""

    def joined(*runs, **how):
        table = people.assign(run=["1", "", ""], mprage=["a1.nii.gz", "b", "d"])
        imaged, failures, quality = join(table, [*runs, result("b"), result("d")], column="mprage", **how)
        assert len(imaged) == 3
        return imaged.set_index("participant_id").loc["a"], failures, quality.set_index("name")

    return joined


def test_of_several_runs_the_one_with_most_contrast_to_noise_is_used(several):
    row, failures, quality = several(
        run("a", 1, mri_qc_cnr=1.5), run("a", 2, mri_qc_cnr=2.5, mri_gm_ml=650.0), run("a", 3)
    )
    assert row[["run", "mprage", "mri_status", "mri_gm_ml"]].tolist() == ["2", "a2.nii.gz", "ok", 650]
    assert failures[["stage", "participant_id", "file"]].values.tolist() == [
        ["note", "a", "a1.nii.gz"],
        ["note", "a", "a3.nii.gz"],
    ]
    assert failures["reason"].iloc[0] == (
        "a_run-2 of this session is used (`runs: best`): contrast to noise of grey and white matter 2.5 against 1.5"
    )
    assert quality.loc["a_run-1", ["status", "reason"]].tolist() == ["not used", "a_run-2 is used (`runs: best`)"]
    assert quality["status"].value_counts().to_dict() == {"ok": 3, "not used": 2}


def test_a_broken_first_run_does_not_lose_the_session(several):
    row, failures, quality = several(run("a", 1, status="quarantined"), run("a", 2))
    assert row[["run", "mprage", "mri_status"]].tolist() == ["2", "a2.nii.gz", "ok"]
    assert failures[["stage", "reason", "advice"]].values.tolist() == [
        ["note", "broken; a_run-2 of this session is used (`runs: best`)", "mend it"]
    ]
    assert quality.loc["a_run-1", "status"] == "quarantined"


def test_no_run_can_be_used(several):
    row, failures, _ = several(run("a", 1, status="quarantined"), run("a", 2, status="quarantined"))
    assert row["mri_status"] == "quarantined"
    assert failures["stage"].tolist() == ["scan", "note"]


def test_an_outlier_is_no_best_run(people):
    random = np.random.default_rng(1)
    others = [result(f"p{k}", mri_qc_snr=10 + random.normal()) for k in range(11)]
    table = pd.DataFrame({"cohort": "c", "participant_id": ["a", *(f"p{k}" for k in range(11))], "session_id": "ses-1"})
    runs = [run("a", 1, mri_qc_snr=10.0), run("a", 2, mri_qc_snr=99.0, mri_qc_cnr=9.0)]
    imaged, _, quality = join(table, [*runs, *others], outliers=5.0)
    assert imaged["mri_status"].iloc[0] == "ok"
    assert quality.set_index("name").loc["a_run-2", "status"] == "not used"
    assert join(table, [*runs, *others])[2].set_index("name").loc["a_run-1", "status"] == "not used", (
        "else it is the best"
    )


@pytest.mark.parametrize(("status", "told"), [("warn", True), ("ok", True), ("quarantined", False)])
def test_a_run_that_was_not_asked_is_told_where_the_chosen_one_is_broken(several, status, told):
    names = ["a_run-1", "a_run-2"]
    listing = pd.DataFrame(
        {"participant_id": "a", "session_id": "ses-1", "name": names, "status": ["quarantined", status]}
    )
    _, failures, _ = several(run("a", 1, status="quarantined"), listing=listing.assign(notes=""))
    advice = "mend it; `runs: best` would use a_run-2, if its preprocessing goes well"
    assert (failures["advice"].tolist() == [advice]) == told
    assert told or failures["advice"].tolist() == ["mend it"]


def test_each_note_of_a_scan_is_told_once(people):
    """From the BIDS data set and from preprocessing, which reads the image again."""
    one = result("a")
    one.status["notes"]["said"] = ["3 voxels are NaN or infinite", "the grid is odd"]
    listing = pd.DataFrame(
        {
            "participant_id": ["a", "b"],
            "session_id": "ses-1",
            "status": "warn",
            "name": ["a_ses-1", "b_ses-1"],
            "notes": ["the same image as b | 3 voxels are NaN or infinite", float("nan")],
        }
    )
    table = join(people, [one, result("b"), result("d")], None, listing)[2].set_index("name")
    assert table["notes"].to_dict() == {
        "a_ses-1": "the same image as b | 3 voxels are NaN or infinite | the grid is odd",
        "b_ses-1": "",
        "d_ses-1": "",
    }


def test_few_scans_are_not_compared(people):
    assert quality_table([result("a"), result("b")])["distance"].isna().all()

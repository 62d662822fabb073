"""A BIDS data set that is made: valid, in the order of time, and without a trace of who was scanned, where and when."""

import json
from datetime import datetime

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from broken import PERSON, all_text, image, save, series, voxels

from triptych import tables
from triptych.bids import dataset, making, privacy, validator
from triptych.errors import DataError
from triptych.examples import read_cohort
from triptych.scans import Scan, Source, scans

SECRET = "Hannelore Muellerova, born 1951-03-17"


def marked(seed):
    """A NIfTI image with free text wherever its header takes some."""
    made = image(voxels(seed=seed))
    for name in ("descrip", "aux_file", "intent_name", "db_name", "data_type"):
        made.header[name] = SECRET[:10]
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", SECRET.encode()))
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A table of three people: DICOM of two sessions, loose files with sidecars, runs, one broken file, one without a scan."""
    folder = tmp_path_factory.mktemp("Muellerova_Hannelore")
    series(folder / "778812_m6", seed=1, AcquisitionDate="20190611", StudyDate="20190611")
    series(folder / "778812_m12", seed=2, AcquisitionDate="20191213", StudyDate="20191213")
    for k, name in enumerate(("b1", "b2", "c")):
        save(folder / f"HOSP-{name}.nii.gz", marked(10 + k))
    about = {
        **PERSON,
        "MagneticFieldStrength": 3,
        "Manufacturer": f"Acme of {PERSON['InstitutionName']}",
        "EchoTime": 0.003,
    }
    (folder / "HOSP-b1.json").write_text(json.dumps({**about, "PatientComments": SECRET, "SoftwareVersions": "v1"}))
    (folder / "HOSP-c.nii.gz").write_bytes(b"")
    rows = [
        "participant_id,session_id,run,age,Gender,t1w,name",
        "P 01,M12,,94,w,778812_m12,Hannelore",
        "P 01,M6,,79.5,w,778812_m6,Hannelore",
        "P02,M6,2,50,m,HOSP-b2.nii.gz,Otto",
        "P02,M6,1,50,m,HOSP-b1.nii.gz,Otto",
        "P03,M6,,40,f,HOSP-c.nii.gz,Zoe",
        "P04,M6,,41,f,,Ada",
    ]
    (folder / "t.csv").write_text("\n".join(rows).replace("w,7", "female,7") + "\n")
    return folder


@pytest.fixture(scope="module")
def finished(source, tmp_path_factory):
    """The data set, the listing and the validator's issues."""
    out = tmp_path_factory.mktemp("out")
    table = {"table": str(source / "t.csv")}
    people, ledger = read_cohort("lab", str(source / "t.csv"), None)
    for scan in scans("lab", Source(**table), None):
        tables.write(making.make(scan, out / "bids"), out / "scans" / scan.name / "bids.json")
    listed, issues = dataset.finish("lab", table, None, people, out / "scans", out / "bids")
    return out / "bids", listed, issues, ledger


def test_it_is_valid(finished):
    """The validator's own word; ``finish`` would have refused errors."""
    issues = finished[2]
    assert "error" not in set(issues["severity"])
    assert set(issues["code"]) <= {
        "JSON_KEY_RECOMMENDED",
        "SIDECAR_KEY_RECOMMENDED",
        "NO_AUTHORS",
        "TOO_FEW_AUTHORS",
    }


def test_sessions_and_runs_are_apart_and_in_order(finished):
    bids = finished[0]
    found = sorted(path.relative_to(bids).as_posix() for path in bids.glob("sub-*/**/*.nii.gz"))
    assert found == [
        "sub-P01/ses-M12/anat/sub-P01_ses-M12_T1w.nii.gz",
        "sub-P01/ses-M6/anat/sub-P01_ses-M6_T1w.nii.gz",
        "sub-P02/ses-M6/anat/sub-P02_ses-M6_run-1_T1w.nii.gz",
        "sub-P02/ses-M6/anat/sub-P02_ses-M6_run-2_T1w.nii.gz",
    ]
    lines = (bids / "sub-P01" / "sub-P01_sessions.tsv").read_text().splitlines()
    assert lines == ["session_id\tdays\tage", "ses-M6\t0\t79.5", "ses-M12\t185\t89"]
    people = (bids / "participants.tsv").read_text().splitlines()
    assert people == ["participant_id\tage\tsex", "sub-P01\t79.5\tF", "sub-P02\t50\tM"]


def test_every_scan_is_listed(finished):
    listed = finished[1].set_index(["participant_id", "session_id", "run"])
    assert listed.loc[("P03", "M6", ""), ["status", "reason"]].tolist() == ["quarantined", "an empty file (0 bytes)"]
    assert listed.loc[("P04", "", ""), "reason"] == "a participant without a scan"
    assert listed["status"].value_counts().to_dict() == {"ok": 3, "warn": 1, "quarantined": 1, "none": 1}
    said = listed.loc[("P02", "M6", "1"), "notes"]
    assert said == "left out, since the text is long or may say who was scanned or where: Manufacturer"


def test_scanner_and_field_strength_are_kept(finished):
    said = json.loads((finished[0] / "sub-P01/ses-M6/anat/sub-P01_ses-M6_T1w.json").read_text())
    assert (said["Manufacturer"], said["ManufacturersModelName"]) == ("Philips", "Ingenia")
    assert (said["MagneticFieldStrength"], said["EchoTime"]) == (3, 0.00298)
    loose = json.loads((finished[0] / "sub-P02/ses-M6/anat/sub-P02_ses-M6_run-1_T1w.json").read_text())
    assert loose == {"EchoTime": 0.003, "MagneticFieldStrength": 3, "SoftwareVersions": "v1"}, (
        "no text that names the hospital"
    )


def test_no_person_data_remain(finished, source):
    """Nothing of what the DICOM headers, sidecars, NIfTI headers, file names and the table say of people, places and dates."""
    text = all_text(finished[0])
    planted = {piece for piece in privacy.tokens(PERSON.values()) if piece != "scanner77x"} | {"scanner77x", "sn4711"}
    planted |= {
        "hannelore",
        "muellerova",
        "1951",
        "2019-06",
        "201906",
        "201912",
        "101500",
        "born",
        "otto",
        "zoe",
        "hosp",
        "778812",
    }
    planted |= {source.name.casefold(), "klinik", "1.2.826", "mprage"}
    assert len(planted) > 25
    assert {piece for piece in planted if piece in text} == set()
    assert {piece for piece in planted if piece in all_text(source)} >= {"hannelore", "klinik", "20190611"}, (
        "they were there"
    )


def test_intensities_and_place_are_kept(finished, source):
    before = nib.load(source / "HOSP-b1.nii.gz")
    after = nib.load(finished[0] / "sub-P02/ses-M6/anat/sub-P02_ses-M6_run-1_T1w.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(after.dataobj), np.asanyarray(before.dataobj))
    np.testing.assert_array_equal(after.affine, before.affine)
    assert after.get_data_dtype() == before.get_data_dtype()
    assert (len(before.header.extensions), len(after.header.extensions)) == (1, 0)


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_every_kind_of_nifti_is_written_as_it_was(tmp_path, kind, order):
    """Either byte order and version, scaled values, a left-handed oblique affine, a fourth dimension of one."""
    turned = np.array([[-2.9, 0.3, 0, 40], [0.3, 2.9, 0, -30], [0, 0, 2.9, 7], [0, 0, 0, 1.0]])
    before = kind(voxels(seed=3)[..., None], turned, kind.header_class(endianness=order))
    before.header.set_slope_inter(0.25, 3)
    before.set_sform(turned, 2)
    before.set_qform(turned, 1)
    scan = Scan("P1", "ses-1", "", save(tmp_path / "a.nii.gz", before), "sub-P1", "a")
    before = nib.load(scan.source)
    after = nib.load(making.make(scan, tmp_path / "bids")["files"]["t1w"][0])
    assert (type(after), after.header.endianness, after.shape) == (kind, order, before.shape[:3])
    np.testing.assert_array_equal(after.get_fdata(), before.get_fdata()[..., 0])
    np.testing.assert_array_equal(after.get_sform(), before.get_sform())
    np.testing.assert_array_equal(after.get_qform(), before.get_qform())
    assert nib.aff2axcodes(after.affine) == ("L", "A", "S")


def test_the_table_of_participants_has_one_row_per_session(finished, source):
    people, ledger = read_cohort("lab", str(source / "t.csv"), None, runs="last")
    run = people.set_index(["participant_id", "session_id"]).loc[("P02", "M6")]
    assert (run["run"], run["t1w"]) == ("2", "HOSP-b2.nii.gz")
    assert [row["reason"] for row in ledger.failures] == ["2 scans of one session; run 2 is used"]
    every, _ = read_cohort("lab", str(source / "t.csv"), None, runs="all")
    assert every["session_id"].tolist() == ["M12", "M6", "M6_run-2", "M6_run-1", "M6", "M6"]


def test_what_is_gone_from_the_table_goes_from_the_data_set(source, tmp_path):
    scan = Scan("P02", "M6", "1", source / "HOSP-b1.nii.gz", "sub-P02_ses-M6", "HOSP-b1.nii.gz")
    people = pd.DataFrame({"participant_id": ["P02"], "session_id": ["M6"]})
    said = {scan.name: making.make(scan, tmp_path)}
    save(tmp_path / "sub-P09" / "anat" / "sub-P09_T1w.nii.gz")
    dataset.write("lab", [scan], said, people, tmp_path)
    assert [path.name for path in sorted(tmp_path.glob("sub-*"))] == ["sub-P02"]
    broken = Scan("P02", "M6", "1", source / "HOSP-c.nii.gz", "sub-P02_ses-M6", "HOSP-c.nii.gz")
    assert making.make(broken, tmp_path)["status"] == "quarantined"
    assert not list(tmp_path.glob("**/*.nii.gz")), "the image of an earlier run is no longer right"


def test_the_same_bytes_come_out_again(source, tmp_path):
    scan = Scan("P02", "M6", "1", source / "HOSP-b1.nii.gz", "sub-P02_ses-M6", "HOSP-b1.nii.gz")
    assert making.make(scan, tmp_path) == making.make(scan, tmp_path)


def test_copies_under_two_ids_are_noted(source):
    one = Scan("P1", "ses-1", "", source / "HOSP-b1.nii.gz", "sub-P1", "b1")
    two = Scan("P2", "ses-1", "", source / "HOSP-b1.nii.gz", "sub-P2", "b1")
    said = {s.name: {"status": "ok", "reason": "", "advice": "", "notes": [], "voxels": "abc"} for s in (one, two)}
    people = pd.DataFrame({"participant_id": ["P1", "P2"], "session_id": "ses-1"})
    listed = dataset.listing("lab", [one, two], said, people)
    assert listed["notes"].tolist() == [
        "the same image as sub-P2 (participant 'P2')",
        "the same image as sub-P1 (participant 'P1')",
    ]
    assert listed["status"].tolist() == ["warn", "warn"]


def test_a_copy_in_another_session_of_the_person_is_noted(source):
    mine = [Scan("P1", s, "", source / "HOSP-b1.nii.gz", f"sub-P1_ses-{s}", "b1") for s in ("M6", "M12")]
    said = {s.name: {"status": "ok", "reason": "", "advice": "", "notes": [], "voxels": "abc"} for s in mine}
    people = pd.DataFrame({"participant_id": ["P1", "P1"], "session_id": ["M6", "M12"]})
    listed = dataset.listing("lab", mine, said, people)
    assert listed["notes"].iloc[0] == "the same image as sub-P1_ses-M12 (participant 'P1')"
    assert listed["voxels"].tolist() == ["abc", "abc"]


def test_headers_that_date_sessions_in_another_order_than_their_names_are_told(source):
    m6, m12 = (
        Scan("P1", s, "", source / f, f"sub-P1_ses-{s}", f) for s, f in (("M6", "778812_m12"), ("M12", "778812_m6"))
    )  # exchanged
    said = {s.name: {"status": "ok", "reason": "", "advice": "", "notes": [], "voxels": s.name} for s in (m6, m12)}
    people = pd.DataFrame({"participant_id": ["P1", "P1"], "session_id": ["M6", "M12"]})
    listed = dataset.listing("lab", [m6, m12], said, people)
    assert listed["days"].tolist() == [185, 0]
    assert listed["notes"].iloc[0] == ""
    assert listed["notes"].iloc[1].startswith("the DICOM header dates it before sub-P1_ses-M6, which it follows by")
    assert dataset.listing("lab", [m12, m6], said, people)["notes"].tolist() == ["", ""]


@pytest.mark.parametrize(
    ("dated", "expected"),
    [
        ({}, [("ses-bl", "n/a"), ("ses-M6", "n/a"), ("ses-M12", "n/a")]),
        ({"sub-a_ses-M6": datetime(2020, 1, 1)}, [("ses-bl", "n/a"), ("ses-M6", 0), ("ses-M12", "n/a")]),
        (
            {
                "sub-a_ses-M6": datetime(2020, 3, 1),
                "sub-a_ses-M12": datetime(2020, 2, 1, 23),
                "sub-a_ses-bl": datetime(2019, 2, 1),
            },
            [("ses-bl", 0), ("ses-M12", 365), ("ses-M6", 394)],
        ),
    ],
)
def test_sessions_by_date_or_by_number(dated, expected):
    mine = [Scan("a", s, "", None, f"sub-a_{s}", "") for s in ("ses-bl", "ses-M6", "ses-M12")]
    assert [tuple(row.values()) for row in dataset.sessions(mine, dated)] == expected


def test_dates_of_the_table_order_sessions_and_are_not_published(tmp_path):
    names = ("a", "b")
    mine = [
        Scan("P1", s, "", save(tmp_path / f"{s}.nii.gz", marked(k)), f"sub-P1_ses-{s}", s) for k, s in enumerate(names)
    ]
    rows = {"participant_id": "P1", "session_id": ["a", "b", "c"], "scan_date": ["2020-05-01", "30 April 2020", "soon"]}
    said = {scan.name: making.make(scan, tmp_path / "bids") for scan in mine}
    dataset.write("lab", mine, said, pd.DataFrame(rows), tmp_path / "bids")
    lines = (tmp_path / "bids/sub-P1/sub-P1_sessions.tsv").read_text().splitlines()
    assert lines == ["session_id\tdays", "ses-b\t0", "ses-a\t1"]
    assert "2020" not in all_text(tmp_path / "bids")


def test_runs_that_are_rows_of_their_own_belong_to_one_session(tmp_path):
    mine = [Scan("P1", "a", k, save(tmp_path / f"{k}.nii.gz", marked(1)), f"sub-P1_ses-a_run-{k}", k) for k in "12"]
    rows = {
        "participant_id": "P1",
        "session_id": ["a_run-1", "a_run-2"],
        "scan_date": ["2020-05-01", "2020-05-01"],
        "age": 7,
    }
    said = {scan.name: making.make(scan, tmp_path / "bids") for scan in mine}
    dataset.write("lab", mine, said, pd.DataFrame(rows), tmp_path / "bids")
    lines = (tmp_path / "bids/sub-P1/sub-P1_sessions.tsv").read_text().splitlines()
    assert lines == ["session_id\tdays\tage", "ses-a\t0\t7"]


def test_nobody_is_left(tmp_path):
    """All scans set aside: a data set without people, not a failed job."""
    people = pd.DataFrame({"participant_id": ["P1"], "session_id": ["a"], "age": [7]})
    scan = Scan("P1", "a", "", tmp_path / "gone.nii", "sub-P1_ses-a", "gone.nii")
    dataset.write("lab", [scan], {scan.name: making.make(scan, tmp_path / "bids")}, people, tmp_path / "bids")
    issues = validator.validate(tmp_path / "bids")
    validator.refuse_errors(issues, tmp_path)
    assert "SUBJECT_FOLDERS" in set(issues["code"]), "told"


def test_errors_of_the_validator_stop_and_are_told(tmp_path):
    (tmp_path / "sub-1" / "anat").mkdir(parents=True)
    save(tmp_path / "sub-1" / "anat" / "sub-1_T1.nii.gz")
    with pytest.raises(DataError, match=r"the BIDS validator finds \d kinds of errors: .*MISSING_DATASET_DESCRIPTION"):
        validator.refuse_errors(validator.validate(tmp_path), tmp_path)
    with pytest.raises(DataError, match="the BIDS validator did not run"):
        validator.validate(tmp_path / "nowhere")

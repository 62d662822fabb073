"""Scans of a cohort: from a table, a pattern and a BIDS folder; names are legal, unique, and in the order of time."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from triptych import plugins, raw, scans
from triptych.bids import names
from triptych.errors import DataError
from triptych.study import CohortEntry


@pytest.fixture
def table(tmp_path):
    """Write a table and list its scans: ``table(lines) -> scans``."""

    def listed(*lines, root=None, **entry):
        (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
        return scans.scans("c", CohortEntry(table=str(tmp_path / "t.csv"), **entry), root)

    return listed


@pytest.fixture
def folder(tmp_path):
    """Make a BIDS folder of empty files: ``folder(paths) -> entry``."""

    def made(*paths):
        (tmp_path / "ds").mkdir()
        (tmp_path / "ds" / "dataset_description.json").write_text("{}")
        for path in map((tmp_path / "ds").joinpath, paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return CohortEntry(bids=str(tmp_path / "ds"))

    return made


def t1w(sub, ses="", rest=""):
    """Path of an image in a BIDS folder."""
    return "/".join(filter(None, [sub, ses, "anat", "_".join(filter(None, [sub, ses, rest, "T1w.nii.gz"]))]))


# ---- a table ----


def test_a_table_without_sessions(table, tmp_path):
    (tmp_path / "a.nii").touch()
    found = table("participant_id,t1w", "p 2,b.nii.gz", "p1,a.nii", "p3,", "p4,n/a")
    assert [scan.name for scan in found] == ["sub-p1", "sub-p2"]
    assert [(s.participant_id, s.session_id, s.run, s.file) for s in found] == [
        ("p1", "ses-1", "", "a.nii"),
        ("p 2", "ses-1", "", "b.nii.gz"),
    ]
    assert found[0].source == tmp_path / "a.nii"
    assert found[0].anat == Path("sub-p1/anat")


def test_sessions_and_runs_in_the_order_of_time(table):
    head = "participant_id,session_id,run,t1w"
    rows = ["p1,M12,,a", "p1,M6,2,b", "p1,M6,10,c", "p1,M6,1,d", "p1,baseline,,e", "p10,M0,,f", "p2,,,g"]
    found = table(head, *rows)
    assert [scan.name for scan in found] == [
        "sub-p1_ses-baseline",
        "sub-p1_ses-M6_run-1",
        "sub-p1_ses-M6_run-2",
        "sub-p1_ses-M6_run-10",
        "sub-p1_ses-M12",
        "sub-p2_ses-1",
        "sub-p10_ses-M0",
    ]
    assert found[0].session == "ses-baseline"
    assert found[0].anat == Path("sub-p1/ses-baseline/anat")
    assert [s.name for s in scans.used(found, "first") if s.session_id == "M6"] == ["sub-p1_ses-M6_run-1"]
    assert [s.name for s in scans.used(found, "last") if s.session_id == "M6"] == ["sub-p1_ses-M6_run-10"]
    every = scans.used(found, "all")
    assert [s.session_id for s in every][1:4] == ["M6_run-1", "M6_run-2", "M6_run-10"]
    assert len(every) == 7


def test_another_column_and_a_file_below_the_data_root(table, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "x").mkdir()
    (found,) = table("participant_id,series,mprage", "p1,5,x", scans="mprage", root=tmp_path / "root")
    assert found.series == "5"
    assert found.source == tmp_path / "root" / "x", "a folder of DICOM files"


def test_spellings_of_one_id_are_one_person(table):
    found = table("participant_id,session_id,t1w", "P01,a,1.nii", " p1,b,2.nii")
    assert {scan.participant_id for scan in found} == {"P01"}
    assert [scan.name for scan in found] == ["sub-P01_ses-a", "sub-P01_ses-b"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["participant_id,t1", "p1,a"], r"t\.csv: no column 't1w'; did you mean 't1'\?; say `scans: <column>`"),
        (["id,t1w", "p1,a"], r"t\.csv: no column 'participant_id'"),
        (
            ["participant_id,t1w", "p-1,a", "p_1,b"],
            r"row 2 \(a\) and row 3 \(b\) would both be called sub-p1; rename one",
        ),
        (
            ["participant_id,session_id,t1w", "p-1,a,a", "p_1,b,b"],
            r"the participants 'p-1' and 'p_1' would both be called sub-p1, since BIDS labels hold letters and digits",
        ),
        (["participant_id,t1w", "p1,a", "p1,b"], r"both be called sub-p1; give one another session_id or run"),
        (["participant_id,session_id,t1w", "p1,M-6,a", "p1,M6,b"], r"both be called sub-p1_ses-M6; give one another"),
        (["participant_id,t1w", "--,a"], r"row 2: '--' has no letter or digit to make a BIDS label sub-<label> of"),
        (["participant_id,run,t1w", "p1,x,a"], r"row 2: the run 'x' is no number"),
        (
            ["participant_id,session_id,t1w", "p1,M6,a", "p1,2019-06-11,b"],
            r"t\.csv, row 3: the session_id '2019-06-11' is a date, .* call it by visit .* date in a column `scan_date`",
        ),
        (["participant_id,session_id,t1w", "p1,20190611,a"], r"t\.csv, row 2: the session_id '20190611' is a date"),
        (["participant_id,run,t1w", "p1,20190611,a"], r"t\.csv, row 2: the run '20190611' is a date"),
    ],
)
def test_a_table_that_cannot_say_what_its_scans_are(table, lines, message):
    with pytest.raises(DataError, match=message):
        table(*lines)


def test_the_same_row_again_is_one_scan(table):
    assert len(table("participant_id,t1w", "p1,a", "p1,a")) == 1


# ---- a plug-in ----


def test_a_pattern_of_a_plug_in(tmp_path, monkeypatch):
    (tmp_path / "triptych" / "cohorts").mkdir(parents=True)
    text = 'IMAGES = {"t1w": "d/{participant_id}/{session_id}/{participant_id}_T1.nii.gz", "x": "{age}.nii"}\n'
    (tmp_path / "triptych" / "cohorts" / "mine.py").write_text(text)
    monkeypatch.setattr(plugins, "PACKAGE", tmp_path / "triptych")
    for path in ("d/sub-2/M12/sub-2_T1.nii.gz", "d/sub-2/M6/sub-2_T1.nii.gz", "d/sub-2/M6/sub-3_T1.nii.gz"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    found = scans.scans("mine", None, tmp_path)
    assert [(s.name, s.session_id) for s in found] == [("sub-2_ses-M6", "M6"), ("sub-2_ses-M12", "M12")]
    assert found[0].file == "d/sub-2/M6/sub-2_T1.nii.gz"
    with pytest.raises(DataError, match=r"needs a data root"):
        scans.scans("mine", None, None)
    with pytest.raises(DataError, match=r"must hold \{participant_id\}"):
        scans.scans("mine", CohortEntry(scans="x"), tmp_path)
    with pytest.raises(DataError, match=r"names no images 't2w' in IMAGES; did you mean 't1w'"):
        scans.scans("mine", CohortEntry(scans="t2w"), tmp_path)


# ---- a BIDS folder ----


def test_a_bids_folder(folder):
    entry = folder(
        t1w("sub-02", "ses-M12"), t1w("sub-02", "ses-M6", "acq-x_run-2"), t1w("sub-02", "ses-M6", "run-1"), t1w("sub-1")
    )
    found = scans.scans("c", entry, None)
    assert [(s.participant_id, s.session_id, s.run) for s in found] == [
        ("sub-1", "ses-1", ""),
        ("sub-02", "ses-M6", "acq-x_run-2"),
        ("sub-02", "ses-M6", "1"),
        ("sub-02", "ses-M12", ""),
    ]
    assert found[1].name == "sub-02_ses-M6_acq-x_run-2"
    assert found[0].source.is_file()


def test_what_no_bids_reader_would_find_is_told(folder):
    bad = ["sub-01/anat/sub-01_t1w.nii.gz", "Sub-02/anat/Sub-02_T1w.nii.gz", "sub-03/anat/03_T1w.nii.gz"]
    bad += ["sub-04/anat/sub-05_T1w.nii.gz", "sub-A/anat/sub-A_1_T1w.nii.gz", "sub-06/sub-06_T1w.nii.gz"]
    fine = [
        "sub-01/func/sub-01_task-rest_bold.nii.gz",
        "derivatives/x/sub-01/anat/y.nii.gz",
        "sub-01/anat/sub-01_T2w.nii.gz",
    ]
    entry = folder(*bad, *fine)
    assert sorted(map(str, names.images(Path(entry.bids))[1])) == sorted(bad)
    with pytest.raises(
        DataError, match=r"no T1-weighted image in this BIDS folder .*not understood: Sub-02/anat/Sub-02"
    ):
        scans.scans("c", entry, None)


def test_what_is_to_be_ignored_is_not_told(folder, tmp_path):
    entry = folder(t1w("sub-1"), "extra/x.nii.gz", "sub-1/anat/mask.nii.gz", "sub-1/anat/odd.nii.gz")
    (tmp_path / "ds" / ".bidsignore").write_text("# ours\nextra/\n*mask.nii.gz\n")
    assert names.images(Path(entry.bids))[1] == [Path("sub-1/anat/odd.nii.gz")]


def test_links_are_followed_but_not_in_circles(folder, tmp_path):
    entry = folder(t1w("sub-1"))
    elsewhere = tmp_path / "store" / "sub-2" / "anat"
    elsewhere.mkdir(parents=True)
    (elsewhere / "sub-2_T1w.nii.gz").touch()
    (tmp_path / "ds" / "sub-2").symlink_to(elsewhere.parent)
    (tmp_path / "ds" / "sub-1" / "again").symlink_to(tmp_path / "ds")
    assert names.images(Path(entry.bids)) == ([Path(t1w("sub-1")), Path(t1w("sub-2"))], [])


def test_folders_that_differ_by_zeros_are_one_person(folder):
    found = scans.scans("c", folder(t1w("sub-1"), t1w("sub-01"), t1w("sub-2")), None)
    assert [(s.participant_id, s.session_id, s.name) for s in found] == [
        ("sub-01", "ses-1", "sub-01"),
        ("sub-01", "ses-1_sub-1", "sub-1"),
        ("sub-2", "ses-1", "sub-2"),
    ]


def test_two_files_of_one_name(folder):
    with pytest.raises(DataError, match=r"sub-1_T1w\.nii.* would both be called sub-1"):
        scans.scans("c", folder(t1w("sub-1"), "sub-1/anat/sub-1_T1w.nii"), None)


def test_no_description_is_met_with_the_lines_to_write(folder, tmp_path):
    entry = folder(t1w("sub-1"))
    (tmp_path / "ds" / "dataset_description.json").unlink()
    with pytest.raises(
        DataError, match=r'(?s)no dataset_description\.json.*these four lines.*"Name": "ds".*"BIDSVersion"'
    ):
        scans.scans("c", entry, None)
    with pytest.raises(DataError, match=r"nowhere: no such folder \(BIDS data set of cohort 'c'\)"):
        scans.scans("c", CohortEntry(bids="nowhere"), None)


# ---- contents ----


def test_digest_is_that_of_the_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d" / "deep").mkdir(parents=True)
    (tmp_path / "d" / "deep" / "1.dcm").write_bytes(b"one")
    (tmp_path / "b.nii").write_bytes(b"b")
    mine = [
        scans.Scan("p", "ses-1", "", tmp_path / name, f"sub-{name[0]}", name) for name in ("d", "b.nii", "gone.nii")
    ]
    first = scans.digests(mine)
    assert (first["sub-b"], first["sub-g"]) == (hashlib.sha256(b"b").hexdigest()[:16], "missing")
    os.utime(tmp_path / "d" / "deep" / "1.dcm", (1, 1))
    assert scans.digests(mine) == first, "touched"
    (tmp_path / "d" / "deep" / "1.dcm").write_bytes(b"two")
    second = scans.digests(mine)
    (tmp_path / "d" / "2.dcm").write_bytes(b"two")
    third = scans.digests(mine)
    (tmp_path / "d" / "2.dcm").rename(tmp_path / "d" / "3.dcm")
    assert len({first["sub-d"], second["sub-d"], third["sub-d"], scans.digests(mine)["sub-d"]}) == 4
    chosen = [dataclasses.replace(mine[0], series="5")]
    assert scans.digests(chosen)["sub-d"].endswith(" series 5"), "another choice is another scan"
    assert len(json.loads(raw.CACHE.read_text())) == 2, "a folder is remembered as one"


def test_nothing_heavy_is_imported():
    work = "import sys, triptych.scans; sys.exit(len({'pandas', 'numpy', 'nibabel', 'pydicom'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", work], check=False).returncode == 0


@pytest.mark.parametrize(("text", "bare"), [("sub-01", "01"), ("A 1", "A1"), ("sub-x_y", "xy"), ("-", "")])
def test_labels(text, bare):
    assert names.label(text, "sub-") == bare


def test_sessions_follow_their_numbers():
    mixed = ["ses-M12", "ses-M6", "ses-bl", "ses-screening", "ses-M0"]
    assert sorted(mixed, key=names.session_order) == ["ses-screening", "ses-bl", "ses-M0", "ses-M6", "ses-M12"]

"""Raw files: found, checked against their checksums, and read once."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from triptych import plugins, raw
from triptych.errors import DataError
from triptych.study import CohortEntry


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reads(monkeypatch):
    """Files whose content was hashed."""
    found = []
    true = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda stream, name: found.append(stream.name) or true(stream, name))
    return found


@pytest.fixture
def cohort(here, monkeypatch):
    """A cohort plug-in with one file; returns its declared checksum's setter."""
    (here / "triptych" / "cohorts").mkdir(parents=True)
    (here / "data").mkdir()
    (here / "data" / "a.csv").write_text("participant_id\np1\n")
    monkeypatch.setattr(plugins, "PACKAGE", here / "triptych")

    def declare(sha):
        text = f'SOURCE = "https://example.org/mine"\nSHA256 = {{"a.csv": {sha!r}}}\nCOLUMNS = {{"age": "y", "X*": "genes"}}\n'
        (here / "triptych" / "cohorts" / "mine.py").write_text(text)

    declare(hashlib.sha256(b"participant_id\np1\n").hexdigest())
    return declare


def entry(table):
    return CohortEntry(table=str(table))


def test_digest_of_a_touched_file_is_the_same_of_a_changed_one_not(here):
    (here / "t.csv").write_text("a\n1\n")
    before = raw.digest("c", entry("t.csv"), None)
    os.utime("t.csv", (1, 1))
    assert raw.digest("c", entry("t.csv"), None) == before
    (here / "t.csv").write_text("a\n2\n")
    assert raw.digest("c", entry("t.csv"), None) != before


def test_an_untouched_file_is_read_once_a_touched_one_again(here, reads):
    (here / "t.csv").write_text("a\n")
    first = raw.sha256(here / "t.csv")
    assert first == hashlib.sha256(b"a\n").hexdigest()
    assert raw.sha256(here / "t.csv") == first
    assert len(reads) == 1
    os.utime("t.csv", (1, 1))
    assert raw.sha256(here / "t.csv") == first
    assert len(reads) == 2
    assert raw.sha256(here / "t.csv") == first
    assert len(reads) == 2


def test_same_size_and_later_time_is_read_again(here):
    (here / "t.csv").write_text("a\n")
    first = raw.sha256(here / "t.csv")
    (here / "t.csv").write_text("b\n")
    os.utime("t.csv", (1, 1))
    assert raw.sha256(here / "t.csv") != first


@pytest.mark.parametrize("content", ["", "{", "not json"])
def test_a_broken_cache_is_no_fault(here, content):
    raw.CACHE.parent.mkdir()
    raw.CACHE.write_text(content)
    (here / "t.csv").write_text("a\n")
    assert raw.sha256(here / "t.csv") == hashlib.sha256(b"a\n").hexdigest()
    assert len(json.loads(raw.CACHE.read_text())) == 1


def test_two_processes_write_the_cache_at_once(here):
    for name in "ab":
        (here / name).mkdir()
        for k in range(60):
            (here / name / f"{k}").write_text(f"{name}{k}")
    work = (
        "from pathlib import Path; import sys; from triptych import raw\n"
        "for p in sorted(Path(sys.argv[1]).iterdir()): raw.sha256(p)"
    )
    both = [subprocess.Popen([sys.executable, "-c", work, name]) for name in "ab"]
    assert [one.wait(60) for one in both] == [0, 0]
    known = json.loads(raw.CACHE.read_text())  # whole, whoever wrote last
    for path, (_, _, sha) in known.items():
        assert sha == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert raw.sha256(here / "a" / "0") == hashlib.sha256(b"a0").hexdigest()
    assert [p.name for p in raw.CACHE.parent.iterdir()] == ["checksums.json"], "nothing half-written stays"


def test_digest_of_a_cohort(cohort, here):
    assert raw.digest("mine", None, here / "data") == raw.digest("mine", None, here / "data")
    assert len(raw.digest("mine", None, here / "data")) == 16


def test_checksum_that_does_not_match(cohort, here):
    cohort("0" * 64)
    with pytest.raises(DataError) as caught:
        raw.digest("mine", None, here / "data")
    said = str(caught.value)
    found = hashlib.sha256(b"participant_id\np1\n").hexdigest()
    for part in (
        "data/a.csv: checksum",
        "cohort 'mine'",
        "expected sha256 " + "0" * 64,
        f"found {found}",
        "https://example.org/mine",
    ):
        assert part in said


def test_no_data_root(cohort):
    with pytest.raises(
        DataError, match=r"cohort 'mine' needs a data root for a\.csv; set `data_root:` .* TRIPTYCH_DATA"
    ):
        raw.digest("mine", None, None)


def test_data_root_that_is_not_there(cohort, here):
    with pytest.raises(
        DataError, match=r"the data root .*nowhere does not exist \(needed by cohort 'mine'\); set `data_root:`"
    ):
        raw.digest("mine", None, here / "nowhere")


def test_file_that_is_not_there(cohort, here):
    (here / "data" / "a.csv").unlink()
    with pytest.raises(DataError, match=r"data/a\.csv: no such file \(raw data of cohort 'mine'\); check the path"):
        raw.digest("mine", None, here / "data")


def test_table_that_is_not_there():
    with pytest.raises(DataError, match=r"t\.csv: no such file \(raw data of cohort 'c'\)"):
        raw.digest("c", entry("t.csv"), None)


def test_file_of_the_study_itself(here):
    with pytest.raises(DataError, match=r"^the study needs a data root for x\.csv"):
        raw.locate("x.csv", None, None)


def test_file_in_a_package():
    assert raw.locate("package:pandas/__init__.py", "c", None).name == "__init__.py"
    with pytest.raises(
        DataError, match=r"cohort 'c' lies in the package 'no_such_package', which is not installed; run `make`"
    ):
        raw.locate("package:no_such_package/x.arff", "c", None)
    with pytest.raises(DataError, match=r"pandas/no_such_file\.arff: no such file"):
        raw.locate("package:pandas/no_such_file.arff", "c", None)


def test_columns_of_a_cohort_are_declared(cohort):
    assert raw.columns("mine", None, None) == ["age", "X*"]


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("t.csv", b"participant_id,age\np1,2\n", ["participant_id", "age"]),
        ("t.tsv", b"participant_id\tage\np1\t2\n", ["participant_id", "age"]),
        ("t.txt", b"participant_id\tage\n", ["participant_id", "age"]),
        ("t.csv", b"\xef\xbb\xbfparticipant_id,age\n", ["participant_id", "age"]),
        ("t.csv", b"participant_id,age\r\np1,2\r\n", ["participant_id", "age"]),
        ("t.csv", b'participant_id,"age, years"\n', ["participant_id", "age, years"]),
        ("t.csv.gz", gzip.compress(b"participant_id,age\n", mtime=0), ["participant_id", "age"]),
        ("t.tsv.gz", gzip.compress(b"participant_id\tage\n", mtime=0), ["participant_id", "age"]),
    ],
)
def test_columns_of_a_table(here, name, content, columns):
    (here / name).write_bytes(content)
    assert raw.columns("c", entry(name), None) == columns


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", r"t\.csv: the file is empty; it needs a first line with the names of the columns"),
        (
            "t.csv",
            b"participant_id;age\n",
            r"t\.csv: line 1 is one column, 'participant_id;age': it is separated by ';', not by ','",
        ),
        ("t.csv", b"participant_id\tage\n", r"it is separated by '\\t', not by ','; save it as comma-separated \.csv"),
        ("t.tsv", b"participant_id,age\n", r"it is separated by ',', not by '\\t'"),
        ("t.csv", b"participant_id,age,age\n", r"t\.csv: line 1 has two columns called 'age'; rename or remove one"),
        ("t.csv", "participant_id,größe\n".encode("latin-1"), r"t\.csv: not UTF-8 text .*save it as UTF-8"),
    ],
)
def test_header_that_cannot_be_used(here, name, content, message):
    (here / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        raw.columns("c", entry(name), None)


def test_images_of_a_table_are_known_by_content(tmp_path):
    (tmp_path / "t.csv").write_text("participant_id,t1w\na,1.nii\nb,\nc,gone.nii\n")
    (tmp_path / "1.nii").write_bytes(b"one")
    entry = CohortEntry(table=str(tmp_path / "t.csv"))
    first = raw.image_digest("c", entry, None, ["t1w"])
    os.utime(tmp_path / "1.nii", (1, 1))
    assert raw.image_digest("c", entry, None, ["t1w"]) == first, "touched"
    (tmp_path / "1.nii").write_bytes(b"two")
    second = raw.image_digest("c", entry, None, ["t1w"])
    (tmp_path / "gone.nii").write_bytes(b"here")
    assert len({first, second, raw.image_digest("c", entry, None, ["t1w"])}) == 3


def test_images_of_a_plug_in_are_those_below_the_data_root(tmp_path):
    folder = tmp_path / "mri" / "ds002748" / "t1w_2mm" / "sub-01" / "anat"
    folder.mkdir(parents=True)
    empty = raw.image_digest("ds002748_slices", None, tmp_path, ["t1w"])
    (folder / "sub-01_desc-brain2mm_T1w.nii.gz").write_bytes(b"head")
    assert raw.image_digest("ds002748_slices", None, tmp_path, ["t1w"]) != empty
    with pytest.raises(DataError, match="needs a data root for mri/ds002748"):
        raw.image_digest("ds002748_slices", None, None, ["t1w"])
    assert raw.image_columns("gse7390", None, None) == []


def test_an_image_lies_beside_its_table_or_below_the_data_root(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"")
    assert raw.image_path("a.nii", str(tmp_path / "t.csv"), tmp_path / "root") == tmp_path / "a.nii"
    (tmp_path / "dicom").mkdir()
    assert raw.image_path("dicom", str(tmp_path / "t.csv"), tmp_path / "root") == tmp_path / "dicom"
    assert raw.image_path("other", str(tmp_path / "t.csv"), tmp_path / "root") == tmp_path / "root" / "other"
    assert raw.image_path("b.nii", str(tmp_path / "t.csv"), tmp_path / "root") == tmp_path / "root" / "b.nii"
    assert raw.image_path("b.nii", str(tmp_path / "t.csv"), None) == tmp_path / "b.nii"


def test_a_cohort_whose_scans_are_preprocessed_has_their_columns(tmp_path):
    (tmp_path / "t.csv").write_text("participant_id,t1w\np1,a.nii\n")
    entry = CohortEntry(table=str(tmp_path / "t.csv"), mri={})
    found = raw.columns("c", entry, None)
    assert found[:2] == ["participant_id", "t1w"]
    assert {"mri_t1w", "mri_gm_ml", "mri_roi_*", "mri_qc_dice"} <= set(found)
    assert raw.image_columns("c", entry, None) == ["participant_id", "t1w"], "arrays are no files to look at"

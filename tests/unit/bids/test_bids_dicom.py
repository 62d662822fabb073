"""DICOM series through dcm2niix: whole ones become one volume, every fault is found though dcm2niix says that all is well."""

import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from broken import PERSON, enhanced, repacked, retagged, series, voxels
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from triptych.bids import dataset, dicom, making, slices, validator
from triptych.bids.verdict import Unusable
from triptych.scans import Scan

N = 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A good series, to be copied and spoilt."""
    folder = tmp_path_factory.mktemp("whole") / "series"
    series(folder)
    return folder


@pytest.fixture
def copied(whole, tmp_path):
    """A copy of the good series: folder, and its files in order."""
    shutil.copytree(whole, tmp_path / "dicom")
    return tmp_path / "dicom", sorted((tmp_path / "dicom").iterdir())


def made(folder, tmp_path, series=""):
    return making.make(Scan("p1", "ses-1", "", folder, "sub-p1", "dicom", series), tmp_path / "bids")


def test_a_whole_series(copied, tmp_path):
    said = made(copied[0], tmp_path)
    assert (said["status"], said["notes"]) == ("ok", [])
    image = nib.load(said["files"]["t1w"][0])
    assert sorted(image.shape) == sorted((24, 26, N))
    np.testing.assert_allclose(image.header.get_zooms(), 3.0)
    # the same intensities, whatever the order of the axes
    np.testing.assert_array_equal(np.sort(np.asarray(image.dataobj).ravel()), np.sort(voxels((24, 26, N)).ravel()))


def test_places_in_space_are_those_of_the_headers(copied, tmp_path):
    """A voxel of the first slice lies where its DICOM file says, in the coordinates of NIfTI (left-posterior negated)."""
    image = nib.load(made(copied[0], tmp_path)["files"]["t1w"][0])
    values = np.asarray(image.dataobj).astype(float)
    source = voxels((24, 26, N)).astype(float)
    row, column, k = np.argwhere(source == source.max())[0]
    # ImageOrientationPatient [0 1 0 0 0 -1]: columns run to posterior, rows downwards; slices run along +x (left)
    patient = np.array([-40 + 3.0 * k, -50 + 3.0 * column, 50 - 3.0 * row])
    places = nib.affines.apply_affine(image.affine, np.argwhere(values == source.max()))
    assert np.abs(places - patient * [-1, -1, 1]).max(axis=1).min() < 1e-3


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, RLELossless])
def test_other_ways_to_store_pixels(copied, tmp_path, syntax):
    folder, files = copied
    for path in files:
        repacked(path, syntax)
    said = made(folder, tmp_path)
    values = np.asarray(nib.load(said["files"]["t1w"][0]).dataobj)
    np.testing.assert_array_equal(np.sort(values.ravel()), np.sort(voxels((24, 26, N)).ravel()))
    files[3].write_bytes(files[3].read_bytes()[:-50])
    assert made(folder, tmp_path)["reason"] == "1 files are cut off or damaged: 01_0004.dcm"


def test_one_file_with_all_slices(tmp_path):
    path = enhanced(tmp_path / "dicom")
    said = made(tmp_path / "dicom", tmp_path)
    assert said["status"] == "ok", said
    assert sorted(nib.load(said["files"]["t1w"][0]).shape) == sorted((24, 26, N))
    path.write_bytes(path.read_bytes()[:-5000])
    assert made(tmp_path / "dicom", tmp_path)["reason"] == "1 files are cut off or damaged: enhanced.dcm"


def drop(*which):
    return lambda files: [files[k].unlink() for k in which]


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def second_series(files):
    series(files[0].parent, number=2, description="FLAIR Muellerova", uid="1.2.3.4")


FAULTS = {
    "missing slice": (drop(7), r"1 slices are missing: a step of 6\.00 mm .*\(Instance Number 8 is not there\)"),
    "missing slices": (
        drop(3, 4, 9),
        r"3 slices are missing: a step of 9\.00 mm .*\(Instance Number 4, 5, 10 is not there\)",
    ),
    "zero bytes": (
        lambda files: files[7].write_bytes(b""),
        r"1 empty files \(0 bytes\) among the slices: 01_0008\.dcm",
    ),
    "cut off": (lambda files: cut(files[7]), r"1 files are cut off or damaged: 01_0008\.dcm"),
    "cut in the header": (
        lambda files: files[7].write_bytes(files[7].read_bytes()[:400]),
        r"1 files are cut off or damaged: 01_0008\.dcm",
    ),
    "one slice": (drop(*range(1, N)), "one slice only"),
    "mixed": (second_series, r"2 series in one folder: 1 'T1 MPRAGE' \(20 files\), 2 'FLAIR \*\*\*' \(20 files\)"),
    "no DICOM": (
        lambda files: [f.unlink() for f in files] + [files[0].with_suffix(".txt").write_text("x")],
        r"no DICOM file in the folder \(0 empty and 1 other files\)",
    ),
    "empty": (drop(*range(N)), r"no DICOM file in the folder \(empty\)"),
    "two people": (
        lambda files: retagged(files[3], PatientID="OTHER-1"),
        "files of 2 patients in one folder",
    ),
    "two volumes": (
        lambda files: [retagged(f, ImagePositionPatient=[-40 + 3.0 * (k // 2), -50, 50]) for k, f in enumerate(files)],
        "2 slices at each place: several volumes in one series",
    ),
    "two echoes": (
        lambda files: [retagged(f, EchoTime=9.0) for f in files[10:]],
        r"dcm2niix made 2 volumes of the series, not one \(image_e2\.98, image_e9\)",
    ),
    "declared, and the first is not there": (
        lambda files: [retagged(f, ImagesInAcquisition=20) for f in files] + [files[0].unlink()],
        "19 slices, and the headers speak of 20",
    ),
    "declared, and without numbers": (
        lambda files: [retagged(f, ImagesInAcquisition=24, InstanceNumber=None) for f in files],
        "20 slices, and the headers speak of 24",
    ),
    "declared, and without places": (
        lambda files: [retagged(f, ImagesInAcquisition=24, ImagePositionPatient=None) for f in files],
        "20 slices, and the headers speak of 24",
    ),
    "other contrast": (
        lambda files: [retagged(f, SeriesDescription="T2 FLAIR", ProtocolName="FLAIR") for f in files],
        "not T1-weighted: SeriesDescription says 'T2'",
    ),
    "CT": (lambda files: [retagged(f, Modality="CT") for f in files], "the modality is CT, not MR"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_told(copied, tmp_path, fault):
    spoil, reason = FAULTS[fault]
    spoil(copied[1])
    said = made(copied[0], tmp_path)
    assert said["status"] == "quarantined"
    with pytest.raises(Unusable, match=reason):
        raise Unusable(said["reason"], said["advice"])
    assert said["advice"]
    assert not said["files"]
    assert not list(tmp_path.glob("bids/**/*.nii*"))
    assert not any(word.casefold() in str(said).casefold() for value in PERSON.values() for word in value.split("^"))


def test_one_series_of_several_by_its_number(copied, tmp_path):
    second_series(copied[1])
    said = made(copied[0], tmp_path, series="1")
    assert (said["status"], said["notes"]) == ("ok", [])
    assert "not T1-weighted" in made(copied[0], tmp_path, series="2")["reason"]
    assert (
        "no series of the number 3 in the folder; it holds 1 'T1 MPRAGE'"
        in made(copied[0], tmp_path, series="3")["reason"]
    )


def test_no_damage_to_a_header_stops_the_job(copied, tmp_path, capfd):
    """Bytes of the header replaced at random: usable or not, and nothing of the header is printed."""
    folder, files = copied
    random, outcomes = np.random.default_rng(1), set()
    for path in files[6:]:
        path.unlink()
    for _ in range(60):
        path = files[random.integers(6)]
        content = bytearray(before := path.read_bytes())
        for at in random.integers(132, 1500, random.integers(1, 8)):
            content[at] = random.integers(256)
        path.write_bytes(content)
        try:
            dicom.look(folder, [])
            outcomes.add("usable")
        except Unusable as error:
            outcomes.add(error.reason.partition(":")[0])
        path.write_bytes(before)
    assert {"usable", "1 files are cut off or damaged"} < outcomes
    assert capfd.readouterr() == ("", "")


def test_a_slice_that_is_there_twice_is_used_once(copied, tmp_path):
    shutil.copy(copied[1][7], copied[0] / "copy.dcm")
    said = made(copied[0], tmp_path)
    assert (said["status"], said["notes"]) == ("ok", ["1 slices are there twice; each is used once"])
    assert N in nib.load(said["files"]["t1w"][0]).shape


def test_what_is_odd_but_usable_is_told(copied, tmp_path):
    (copied[0] / "readme.txt").write_text("notes")
    for path in copied[1]:
        retagged(path, Manufacturer="", PatientPosition="")
    copied[1][0].unlink()
    notes = made(copied[0], tmp_path)["notes"]
    assert "1 files in the folder are no DICOM images and are not read" in notes
    assert "the headers do not say: Manufacturer, PatientPosition" in notes
    assert "the first slice has the number 2: slices may be missing at an end" in notes


def test_a_count_of_several_series_of_an_acquisition_is_told(copied, tmp_path):
    for path in copied[1]:
        retagged(path, ImagesInAcquisition=2 * N)
    said = made(copied[0], tmp_path)
    assert said["status"] == "ok"
    assert said["notes"] == [
        "20 slices, and the headers speak of 40: slices may be missing at the far end, or other series of the acquisition "
        "count; places and numbers are even"
    ]


def test_dates_are_read_and_not_kept(copied, tmp_path):
    assert str(slices.when(copied[0])) == "2019-06-11 10:15:00"
    assert slices.when(tmp_path / "nothing") is None


def test_the_real_head(data_root, tmp_path):
    """384 slices of one head (studyforrest) to a valid data set; and each way of losing a slice of them."""
    packed = data_root / "mri" / "studyforrest_dicom_t1w" / "dicoms.tar.gz"
    if not packed.is_file():
        pytest.skip(f"no DICOM head: {packed}")
    shutil.unpack_archive(packed, tmp_path, filter="data")
    folder = tmp_path / "dicoms"
    files = sorted(folder.iterdir())
    assert len(files) == 384
    table = pd.DataFrame({"participant_id": ["p1"], "session_id": ["ses-1"], "age": [30]})
    scan = Scan("p1", "ses-1", "", folder, "sub-p1", "dicoms")
    said = making.make(scan, tmp_path / "bids")
    assert nib.load(said["files"]["t1w"][0]).shape == (274, 384, 384)
    dataset.write("lab", [scan], {"sub-p1": said}, table, tmp_path / "bids")
    assert "error" not in set(validator.validate(tmp_path / "bids")["severity"])
    content = files[200].read_bytes()
    for spoilt, reason in ((content[:-1000], "1 files are cut off or damaged"), (b"", "1 empty files")):
        files[200].write_bytes(spoilt)
        with pytest.raises(Unusable, match=reason):
            dicom.look(folder, [])
    files[200].unlink()
    with pytest.raises(Unusable, match=r"1 slices are missing: a step of 1\.33 mm among steps of 0\.67 mm"):
        dicom.look(folder, [])
    files[200].write_bytes(content)
    (folder / "again.dcm").write_bytes(content)
    dicom.look(folder, again := [])
    assert "1 slices are there twice; each is used once" in again


def test_a_slice_that_cannot_be_opened_costs_the_scan(copied, tmp_path):
    folder, files = copied
    files[0].unlink()
    files[0].symlink_to("annexed-and-not-fetched")
    said = made(folder, tmp_path)
    assert (said["status"], said["reason"]) == ("quarantined", f"1 files are cut off or damaged: {files[0].name}")
    assert slices.when(folder) is not None, "another slice tells the date"


def test_an_error_that_nobody_foresaw_costs_the_scan_and_names_nobody(tmp_path, capsys):
    """The system refuses so long a name, and quotes it."""
    path = tmp_path / f"{'Muellerova-Hannelore' * 20}.nii.gz"
    scan = Scan("p1", "ses-1", "", path, "sub-p1", "scan")
    for look in (making.make, making.look):
        said = look(scan, tmp_path)
        assert (said["status"], said["reason"]) == ("quarantined", "unexpected error: OSError")
        assert "log" in said["advice"]
        log = capsys.readouterr().err
        assert "Traceback" in log
        assert "making.py" in log
        assert "Muellerova" not in log

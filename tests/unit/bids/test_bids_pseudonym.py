"""Ids that become file names: none may hold a name or a date of the scan's own header, however it is written."""

import json

import pytest
from broken import PERSON, retagged, save, series

from triptych.bids import making, pseudonym
from triptych.bids.names import is_date
from triptych.bids.verdict import Unusable
from triptych.scans import Scan

HOLDS_A_NAME = "the participant or session id holds a name that stands in the image's headers"
HOLDS_A_DATE = "holds a date that stands in the image's headers"
REPEATS = "repeats the patient's number or code"


@pytest.fixture(scope="module")
def dicom(tmp_path_factory):
    """A good series of Hannelore Muellerova."""
    folder = tmp_path_factory.mktemp("dicom") / "series"
    series(folder)
    return folder


def made(source, out, who, session="ses-1"):
    return making.make(Scan(who, session, "", source, "sub-x", "x"), out)


def looked(who, session="M6", **header):
    """Notes on an id, given a header."""
    notes = []
    pseudonym.check(who, session, pseudonym.person(({**PERSON, **header}).get), notes)
    return notes


@pytest.mark.parametrize(
    "who", ["Muellerova", "hannelore", "Hannelore-Muellerova", "Hannelore_Muellerova", "Muellerova01", "x-hanneloreB"]
)
def test_a_name_within_an_id_sets_the_scan_aside(dicom, tmp_path, who):
    said = made(dicom, tmp_path / "bids", who)
    assert said["status"] == "quarantined"
    assert HOLDS_A_NAME in said["reason"]
    assert "ueller" not in str({**said, "name": ""}).casefold()
    assert not (tmp_path / "bids").exists()


@pytest.mark.parametrize(("who", "session"), [("P19510317", "M6"), ("P01", "visit20190611"), ("170351-1", "M6")])
def test_a_date_of_the_header_within_an_id_sets_the_scan_aside(dicom, tmp_path, who, session):
    said = made(dicom, tmp_path / "bids", who, session)
    assert (said["status"], HOLDS_A_DATE in said["reason"]) == ("quarantined", True)


def test_a_hospital_number_as_id_is_told(dicom, tmp_path):
    for who in ("P778812", "HOSP-778812b"):  # PatientID is HOSP-778812
        said = made(dicom, tmp_path / "bids", who)
        assert (said["status"], len(said["notes"])) == ("ok", 1)
        assert REPEATS in said["notes"][0]


def test_the_sidecar_of_a_loose_file_is_asked_too(tmp_path):
    image = save(tmp_path / "a.nii.gz")
    (tmp_path / "a.json").write_text(
        json.dumps({"PatientName": "Muellerova^Hannelore", "PatientBirthDate": "1951-03-17"})
    )
    assert HOLDS_A_NAME in made(image, tmp_path / "bids", "Muellerova7")["reason"]
    assert HOLDS_A_DATE in made(image, tmp_path / "bids", "19510317")["reason"]


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("Müllerová^Jan", "Mullerova1"),
        ("Müller^Jan", "muellerJ"),
        ("Müller^Jan", "Müller1"),  # its label is Mller1
        ("Meyer-Landrut^Lena", "MeyerLandrut"),
        ("Meyer-Landrut^Lena", "landrut_3"),
        ("Li^Na", "NaLi01"),
        ("Nguyen^Thi Minh", "P01minh"),
        ("Muellerova_Hannelore_1951", "Muellerova"),
        ("Wang^XiaoDong=王^小东", "xiaodong"),
    ],
)
def test_every_way_to_write_a_name(name, who):
    with pytest.raises(Unusable, match="holds a name"):
        looked(who, PatientName=name)


@pytest.mark.parametrize(
    ("name", "number", "who"),
    [
        ("Li^Na", "1", "Lille01"),  # two letters stand in too many words
        ("sub-001", "sub-001", "sub-001"),
        ("SUBJECT^01", "1", "Subject01"),
        ("Anonymous", "", "Anonymous01"),
        ("", "", "P01"),
        ("^", "0", "P01"),
    ],
)
def test_what_is_no_name_is_no_alarm(name, number, who):
    header = {"PatientName": name, "PatientID": number}
    assert not [note for note in looked(who, **header) if REPEATS not in note]


@pytest.mark.parametrize("who", ["MLAB_0017", "TCGA-02-0003"])
def test_a_pseudonym_that_the_header_repeats_is_told_and_used(who):
    assert len(looked(who, PatientName=who, PatientID=who)) == 1
    assert looked("P1", PatientName=who, PatientID=who) == []


def test_the_first_of_january_is_what_stands_where_a_day_was_removed():
    assert looked("000101", PatientBirthDate="20000101") == []
    with pytest.raises(Unusable, match="holds a date"):
        looked("20000101", PatientBirthDate="20000101")


def test_several_values_and_other_names_are_looked_for(dicom, tmp_path):
    folder = tmp_path / "s"
    for path in series(folder):
        retagged(path, OtherPatientNames=["Kowalska^Ada", "Nowak^Ada"], PatientName="P1")
    for who in ("Kowalska", "nowak2"):
        assert HOLDS_A_NAME in made(folder, tmp_path / "bids", who)["reason"]


@pytest.mark.parametrize(
    "text",
    ["2019-06-11", "20190611", "ses-20190611", "11.06.2019", "6/11/2019", "11062019", "2019-06", "M6_2019-06-11", "201906111012",
     "11Jun2019", "jun2019", "1.6.19"],
)  # fmt: skip
def test_dates_in_names(text):
    assert is_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "M6",
        "ses-1",
        "baseline",
        "2",
        "month12",
        "20",
        "01SE02",
        "12345678",
        "v2019",
        "mar1",
        "d0129",
        "1-2-3",
        "ses-000123",
    ],
)
def test_other_numbers_are_no_dates(text):
    assert not is_date(text)

"""Archives of DICOM files: the same volume as from the folder; a fault is told without a name from inside."""

import io
import shutil
import tarfile

import nibabel as nib
import numpy as np
import pytest
from broken import series

from triptych.bids import archive, dataset, making
from triptych.bids.verdict import Unusable
from triptych.scans import Scan

FORMATS = {"zip": "zip", "tar": "tar", "gztar": "tar.gz"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A good series below a folder."""
    found = tmp_path_factory.mktemp("whole")
    series(found / "Exam 1" / "series")
    return found


@pytest.fixture
def packed(folder, tmp_path, request):
    """The series as an archive."""
    return tmp_path / shutil.make_archive(str(tmp_path / "packed"), request.param, folder)


def made(source, bids):
    return making.make(Scan("p1", "ses-1", "", source, "sub-p1", source.name), bids)


@pytest.mark.parametrize("packed", FORMATS, indirect=True)
def test_an_archive_is_read_like_its_folder(folder, packed, tmp_path):
    one, other = made(folder, tmp_path / "a"), made(packed, tmp_path / "b")
    assert (other["status"], other["notes"]) == (one["status"], one["notes"]) == ("ok", [])
    values = [np.asarray(nib.load(said["files"]["t1w"][0]).dataobj) for said in (one, other)]
    np.testing.assert_array_equal(*values)


def test_its_date_orders_sessions(folder, tmp_path):
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    scans = [Scan("p1", "ses-1", "", source, "sub-p1", "") for source in (folder, tmp_path / packed)]
    days = [dataset._header_date(scan) for scan in scans]
    assert days[0] == days[1] is not None


@pytest.mark.parametrize("packed", FORMATS, indirect=True)
def test_a_cut_archive(packed, tmp_path):
    packed.write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    said = made(packed, tmp_path / "bids")
    assert said["status"] == "quarantined"
    assert "the archive is cut off or damaged" in said["reason"]


def test_words_called_an_archive(tmp_path):
    (tmp_path / "head.tgz").write_text("not here yet")
    assert made(tmp_path / "head.tgz", tmp_path / "bids")["reason"].startswith("the archive is cut off or damaged")
    assert made(tmp_path / "none.zip", tmp_path / "bids")["reason"] == "no such file"


def test_nothing_is_written_outside(tmp_path):
    source = tmp_path / "Muellerova.tar"
    with tarfile.open(source, "w") as file:
        file.addfile(tarfile.TarInfo("../../Muellerova.dcm"), io.BytesIO())
    with pytest.raises(Unusable) as caught, archive.opened(source):
        pass
    assert caught.value.reason == "the archive holds a file that would lie outside of it"
    assert not list(tmp_path.parent.glob("*.dcm"))


def test_no_room(folder, tmp_path, monkeypatch):
    packed = tmp_path / shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(Unusable, match=r"0\.0 GB are free in .*; set TMPDIR"), archive.opened(packed):
        pass

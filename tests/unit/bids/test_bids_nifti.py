"""Every way in which a NIfTI file was seen to be broken: it is set aside with a reason, and nothing usable is."""

import gzip
import os

import nibabel as nib
import numpy as np
import pytest
from broken import SHAPE, SIZE, image, patched, save, voxels

from triptych.bids import nifti
from triptych.bids.verdict import Unusable

DIM, DATATYPE, PIXDIM, OFFSET, SLOPE, UNITS, QCODE, SCODE, MAGIC = 40, 70, 76, 108, 112, 123, 252, 254, 344
FLIPPED = np.diag([-SIZE, SIZE, SIZE, 1.0])


def verdict(path, **sidecar):
    return nifti.check(path, sidecar)


def test_a_good_file_is_good(tmp_path):
    for name in ("a.nii", "a.nii.gz"):
        assert verdict(save(tmp_path / name)) == nifti.fine([])
    volume = nifti.read(tmp_path / "a.nii.gz", [])
    np.testing.assert_array_equal(volume.values, voxels())
    np.testing.assert_allclose(volume.affine, image().affine)
    np.testing.assert_allclose(volume.voxel_size, SIZE)


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_either_byte_order_and_version(tmp_path, kind, order):
    header = kind.header_class(endianness=order)
    made = kind(voxels(), image().affine, header)
    made.set_sform(made.affine, 2)
    nib.save(made, tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(nifti.read(tmp_path / "a.nii.gz", []).values, voxels())


def cut(path, n):
    path.write_bytes(path.read_bytes()[:n])


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


FILES = {  # what is done to a good file, and what is said of it
    "truncated gz": ("a.nii.gz", lambda p: cut(p, 9000), "damaged or cut off"),
    "truncated": ("a.nii", lambda p: cut(p, 9000), r"cut off: the header asks for 27,808 bytes, the file has 9,000"),
    "last byte": ("a.nii", lambda p: cut(p, 27807), r"the file has 27,807"),
    "end of gz": ("a.nii.gz", lambda p: cut(p, p.stat().st_size - 3), "damaged or cut off"),
    "flipped byte": ("a.nii.gz", flip_a_byte, "damaged or cut off|cannot be read"),
    "inside the header": ("a.nii", lambda p: cut(p, 200), "no NIfTI header|magic|cut off inside the header"),
    "zero bytes": ("a.nii.gz", lambda p: cut(p, 0), r"an empty file \(0 bytes\)"),
    "git-lfs": (
        "a.nii.gz",
        lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\n"),
        "a pointer of git-lfs",
    ),
    "annex": (
        "a.nii.gz",
        lambda p: p.write_text("/annex/objects/MD5E-s1--0.nii.gz\n"),
        "a pointer of git-lfs or git-annex",
    ),
    "text": ("a.nii.gz", lambda p: p.write_text("hello, world\n"), "^text, not an image;"),
    "plain named gz": ("a.nii.gz", lambda p: p.write_bytes(gzip.decompress(p.read_bytes())), "not packed although"),
    "gz named plain": (
        "a.nii",
        lambda p: p.write_bytes(gzip.compress(p.read_bytes())),
        "gzip-packed but not named .gz",
    ),
    "no image": ("a.nii", lambda p: p.write_bytes(bytes(range(256)) * 9), "no NIfTI header"),
    "magic": ("a.nii", lambda p: patched(p, MAGIC, "4s", b"ni1"), "magic is b'ni1.*not that of a single NIfTI file"),
    "no magic": ("a.nii.gz", lambda p: patched(p, MAGIC, "4s", b""), "an Analyze or .hdr/.img file"),
    "dim negative": (
        "a.nii",
        lambda p: patched(p, DIM, "4h", 3, -24, 26, 22),
        r"dim is \[3, -24, 26, 22.* no size of an image",
    ),
    "dim 0": ("a.nii", lambda p: patched(p, DIM, "4h", 3, 0, 26, 22), "no size of an image"),
    "dim far too large": (
        "a.nii",
        lambda p: patched(p, DIM, "4h", 3, 3000, 26, 22),
        "cut off: the header asks for 3,432,352",
    ),
    "huge": (
        "a.nii",
        lambda p: patched(p, DIM, "4h", 3, 3000, 3000, 300),
        "2,700 million voxels; at most 134 million are read",
    ),
    "4-D": (
        "a.nii",
        lambda p: patched(p, DIM, "5h", 4, 24, 26, 11, 2),
        r"4-dimensional \(24 x 26 x 11 x 2\): several volumes",
    ),
    "2-D": ("a.nii", lambda p: patched(p, DIM, "4h", 2, 24, 572, 1), r"2-dimensional \(24 x 572\): not a volume"),
    "one slice": ("a.nii", lambda p: patched(p, DIM, "4h", 3, 24, 572, 1), r"one slice only \(24 x 572 x 1\)"),
    "pixdim 0": (
        "a.nii",
        lambda p: patched(p, PIXDIM + 4, "f", 0),
        "pixdim is 0 x 3 x 3: the size of a voxel is not known",
    ),
    "pixdim negative": ("a.nii", lambda p: patched(p, PIXDIM + 4, "f", -3), "pixdim is -3 x 3 x 3"),
    "datatype": ("a.nii", lambda p: patched(p, DATATYPE, "h", 77), "datatype 77 is not known"),
    "colours": ("a.nii", lambda p: patched(p, DATATYPE, "h", 128), "voxels are colours"),
    "offset NaN": ("a.nii", lambda p: patched(p, OFFSET, "f", np.nan), "vox_offset is nan"),
    "offset": ("a.nii", lambda p: patched(p, OFFSET, "f", 7), "vox_offset is 7"),
    "codes 0": (
        "a.nii",
        lambda p: patched(p, QCODE, "2h", 0, 0),
        "sform and qform code are 0: the orientation is not known",
    ),
    "metres said": ("a.nii", lambda p: patched(p, UNITS, "B", 1), "lengths are in metres"),
    "micrometres": ("a.nii", lambda p: patched(p, UNITS, "B", 3), "lengths are in micrometres"),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_broken_file_is_set_aside(tmp_path, fault):
    name, spoil, reason = FILES[fault]
    path = save(tmp_path / name)
    spoil(path)
    found = verdict(path)
    assert found.status == "quarantine", found
    with pytest.raises(Unusable, match=reason):
        nifti.read(path, [])
    assert found.advice
    assert str(tmp_path) not in found.reason


def test_no_damage_to_a_header_stops_the_job(tmp_path):
    """Bytes of the header replaced at random: there is always a verdict."""
    good, random = save(tmp_path / "a.nii").read_bytes(), np.random.default_rng(1)
    found = set()
    for _ in range(300):
        content = bytearray(good)
        for at in random.integers(0, 352, random.integers(1, 5)):
            content[at] = random.choice([0, 255, random.integers(256)])
        (tmp_path / "b.nii").write_bytes(content)
        found.add(verdict(tmp_path / "b.nii").status)
    assert found == {"ok", "warn", "quarantine"}


def test_a_file_that_is_not_there(tmp_path):
    assert verdict(tmp_path / "gone.nii").reason == "no such file"
    os.symlink("nowhere", tmp_path / "a.nii.gz")
    assert "a link to a file that is not there" in verdict(tmp_path / "a.nii.gz").reason
    assert "datalad get" in verdict(tmp_path / "a.nii.gz").advice


def with_affines(tmp_path, sform, qform):
    made = nib.Nifti1Image(voxels(), sform)
    made.set_sform(sform, 1)
    made.set_qform(qform, 1)
    return save(tmp_path / "a.nii.gz", made)


def test_two_affines_that_exchange_left_and_right(tmp_path):
    found = verdict(with_affines(tmp_path, image().affine, FLIPPED))
    assert found.status == "quarantine"
    assert "sform and qform place a corner 138.0 mm apart" in found.reason
    assert "sform [3 0 0 0; 0 3 0 0; 0 0 3 0], qform [-3 0 0 0;" in found.reason, "both are printed"


def test_two_affines_that_almost_agree(tmp_path):
    near = image().affine.copy()
    near[0, 3] = 0.9
    assert verdict(with_affines(tmp_path, image().affine, near)).status == "ok"
    near[0, 3] = 1.1
    assert verdict(with_affines(tmp_path, image().affine, near)).status == "quarantine"


def test_shear(tmp_path):
    sheared = image().affine.copy()
    sheared[0, 1] = 0.8
    made = nib.Nifti1Image(voxels(), sheared)
    made.set_sform(sheared, 1)
    made.set_qform(np.eye(4), 0, strip_shears=True)
    assert "sform has shear" in verdict(save(tmp_path / "a.nii", made)).reason


def test_one_affine_is_enough_and_left_handed_ones_are_read(tmp_path):
    made = nib.Nifti1Image(voxels(), FLIPPED)
    made.set_sform(None, 0)
    made.set_qform(FLIPPED, 1)
    volume = nifti.read(save(tmp_path / "a.nii.gz", made), [])
    assert nib.aff2axcodes(volume.affine) == ("L", "A", "S")


@pytest.mark.parametrize(
    ("size", "reason"), [(0.004, "metres or another unit"), (1000.0, "metres or another unit"), (1.0, "not a head")]
)
def test_wrong_units(tmp_path, size, reason):
    found = verdict(save(tmp_path / "a.nii", image(affine=np.diag([size] * 3 + [1.0]))))
    assert found.status == "quarantine"
    assert reason in found.reason


def test_pixdim_and_affine_that_differ_are_told(tmp_path):
    path = patched(save(tmp_path / "a.nii"), QCODE, "h", 0)
    assert "the affine is used" in verdict(patched(path, PIXDIM + 4, "f", 3.5)).notes[0]


@pytest.mark.parametrize(("slope", "word"), [(0.0, "0"), (np.nan, "nan"), (np.inf, "inf")])
def test_a_scale_that_means_nothing_is_told(tmp_path, slope, word):
    found = verdict(patched(save(tmp_path / "a.nii"), SLOPE, "f", slope))
    assert found.status == "warn"
    assert found.notes == (f"scl_slope is {word}: the stored values are taken as they are, 0 to 679",)


def test_voxels_that_are_not_finite(tmp_path):
    values = voxels().astype(np.float32)
    values[0, 0, :5] = np.nan
    values[0, 1, :2] = np.inf
    found = verdict(save(tmp_path / "a.nii.gz", image(values)))
    assert (found.status, found.notes) == ("warn", ("7 voxels are NaN or infinite",))
    values[:2] = np.nan
    assert (
        "1,144 of 13,728 voxels (8.3%) are NaN or infinite"
        in verdict(save(tmp_path / "a.nii.gz", image(values))).reason
    )


def test_nothing_to_see(tmp_path):
    assert verdict(save(tmp_path / "a.nii", image(np.full(SHAPE, 7, np.int16)))).reason == "every voxel is 7"
    labels = (voxels() > 300).astype(np.uint8)
    assert "only 2 different intensities: a mask" in verdict(save(tmp_path / "a.nii", image(labels))).reason
    blocks = np.kron(np.arange(12 * 13 * 11).reshape(12, 13, 11), np.ones((2, 2, 2))).astype(np.int16)
    found = verdict(save(tmp_path / "a.nii", image(blocks)))
    assert (found.status, found.reason) == (
        "quarantine",
        "100% of neighbouring voxels have the same value: a label map",
    )


def test_one_volume_in_four_dimensions_is_a_volume(tmp_path):
    found = verdict(save(tmp_path / "a.nii.gz", image(voxels()[..., None])))
    assert found.status == "warn"
    assert nifti.read(tmp_path / "a.nii.gz", []).values.shape == SHAPE


@pytest.mark.parametrize(
    ("file", "sidecar", "reason"),
    [
        ("sub-1_T1w.nii.gz", {"SeriesDescription": "t2_tse_dark-fluid_tra"}, "SeriesDescription says 't2'"),
        ("sub-1_T1w.nii.gz", {"ProtocolName": "FLAIR_3D"}, "ProtocolName says 'FLAIR'"),
        ("sub-1_FLAIR.nii.gz", {}, "file's name says 'FLAIR'"),
        ("sub-1_T1w.nii.gz", {"EchoTime": 0.09}, "the echo time is 90 ms"),
    ],
)
def test_another_contrast(tmp_path, file, sidecar, reason):
    found = verdict(save(tmp_path / file), **sidecar)
    assert found.status == "quarantine"
    assert reason in found.reason


@pytest.mark.parametrize(
    ("file", "sidecar", "status"),
    [
        ("p_t2.nii.gz", {}, "ok"),  # a second visit
        ("p.nii.gz", {"SeriesDescription": "t1_mprage_sag_p2_iso", "EchoTime": 0.003}, "ok"),
        ("p.nii.gz", {"SeriesDescription": "T1 FLAIR"}, "warn"),
        ("p.nii.gz", {"SeriesDescription": "Localizer, then MPRAGE"}, "warn"),
    ],
)
def test_names_that_may_be_t1(tmp_path, file, sidecar, status):
    assert verdict(save(tmp_path / file), **sidecar).status == status

"""What an image looks like does not depend on how it lies, how it is lit and how it was stored."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from triptych.errors import DataError
from triptych.likeness import files, tiles, volumes
from triptych.planted import changes, phantoms


@pytest.fixture(scope="module")
def head():
    return phantoms.head(np.random.default_rng(5))


@pytest.fixture(scope="module")
def other():
    return phantoms.head(np.random.default_rng(6))


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_a_volume_is_a_vector_and_that_of_its_mirror_image(head):
    here, mirror = volumes.embed(head, phantoms.AFFINE)
    there, back = volumes.embed(head[::-1], phantoms.AFFINE)
    assert here.dtype == np.float32
    assert cosine(here, back) > cosine(here, there) + 0.02
    assert min(cosine(here, back), cosine(mirror, there)) > 0.99


def test_the_order_and_the_signs_of_the_axes_do_not_matter(head):
    straight = volumes.embed(head, phantoms.AFFINE)[0]
    turned = np.transpose(head, (2, 0, 1))[::-1]
    affine = np.zeros((4, 4))
    affine[[0, 1, 2], [1, 2, 0]] = 4, 4, -4
    affine[2, 3], affine[3, 3] = 4 * (head.shape[2] - 1), 1
    assert cosine(volumes.embed(turned, affine)[0], straight) > 0.9999


@pytest.mark.parametrize(
    "change",
    ["resampled", "turned", "noisy", "biased", "defaced", "recurved", "smoothed", "scanned_again"],
)
def test_a_changed_head_stays_nearer_to_itself_than_to_another(head, other, change):
    mine, theirs = volumes.embed(head, phantoms.AFFINE)[0], volumes.embed(other, phantoms.AFFINE)[0]
    changed = volumes.embed(*getattr(changes, change)(head, phantoms.AFFINE, np.random.default_rng(1)))[0]
    mean = (mine + theirs) / 2
    assert cosine(changed - mean, mine - mean) > 0.5


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((20, 20)), r"no volume: its shape is \(20, 20\)"),
        (np.full((20, 20, 20), 7.0), "the volume is constant"),
        (np.pad(np.ones((5, 5, 5)), 6), "no head: only"),
    ],
)
def test_what_is_no_head_is_refused(image, reason):
    with pytest.raises(DataError, match=reason):
        volumes.embed(image, np.diag([4.0, 4, 4, 1]))


def test_a_volume_without_voxel_size_is_refused(head):
    with pytest.raises(DataError, match="the affine gives no voxel size"):
        volumes.embed(head, np.zeros((4, 4)))


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_tile_is_the_same_in_each_of_eight_ways(quarters, mirrored):
    tile = phantoms.tile(np.random.default_rng(1))
    laid = np.rot90(tile[::-1] if mirrored else tile, quarters)
    views = tiles.embed(tile)
    assert views.shape == (8, 256)
    assert max(cosine(tiles.embed(np.ascontiguousarray(laid))[0], view) for view in views) > 0.9999


@pytest.mark.parametrize(
    ("tile", "reason"),
    [
        (np.zeros((64, 64), np.uint8), "no tile of 8-bit red, green and blue"),
        (np.zeros((64, 64, 3)), "no tile of 8-bit red, green and blue"),
        (np.zeros((16, 64, 3), np.uint8), "a tile of 16 x 64; 32 x 32 is the least"),
        (np.full((64, 64, 3), 200, np.uint8), "the tile is one colour"),
    ],
)
def test_what_is_no_tile_is_refused(tile, reason):
    with pytest.raises(DataError, match=reason):
        tiles.embed(tile)


def test_files_of_volumes_and_tiles(head, tmp_path):
    for name in ("a.nii", "a.nii.gz"):
        nib.save(nib.Nifti1Image(head, phantoms.AFFINE), tmp_path / name)
        np.testing.assert_allclose(files.embed(tmp_path / name), volumes.embed(head, phantoms.AFFINE), atol=1e-6)
    nib.save(nib.Nifti1Image(head[..., None], phantoms.AFFINE), tmp_path / "one.nii")
    assert files.embed(tmp_path / "one.nii").shape[0] == 2
    tile = phantoms.tile(np.random.default_rng(2))
    for name in ("t.png", "t.tif", "t.JPG"):
        Image.fromarray(tile).save(tmp_path / name)
        assert cosine(files.embed(tmp_path / name)[0], tiles.embed(tile)[0]) > 0.99


def test_a_broken_file_is_named_with_its_fault(head, tmp_path):
    nib.save(nib.Nifti1Image(head, phantoms.AFFINE), tmp_path / "whole.nii")
    whole = (tmp_path / "whole.nii").read_bytes()
    (tmp_path / "short.nii").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "short.nii.gz").write_bytes(gzip.compress(whole)[:-5000])
    (tmp_path / "words.nii.gz").write_bytes(b"not an image")
    (tmp_path / "words.png").write_bytes(b"not an image")
    (tmp_path / "constant.nii").write_bytes(b"")
    for name in ("short.nii", "short.nii.gz", "words.nii.gz", "words.png", "constant.nii", "absent.nii", "absent.tif"):
        with pytest.raises(DataError, match=rf"^{tmp_path / name}: cannot be read as an? (volume|image) \(.+\)$"):
            files.embed(tmp_path / name)
    nib.save(nib.Nifti1Image(np.ones((20, 20, 20), np.float32), phantoms.AFFINE), tmp_path / "flat.nii")
    with pytest.raises(DataError, match=rf"^{tmp_path / 'flat.nii'}: the volume is constant$"):
        files.embed(tmp_path / "flat.nii")
    with pytest.raises(DataError, match=r"scan.mgz: no image that is known by its ending \(.nii, "):
        files.embed(tmp_path / "scan.mgz")

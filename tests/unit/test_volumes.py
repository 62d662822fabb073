"""Arrays that models read: what is refused, what their summary is, and that parts of them are all of them."""

import numpy as np
import pytest

from triptych import volumes
from triptych.errors import DataError
from triptych.volumes import Volumes, summarise


@pytest.fixture
def written(tmp_path):
    """Write volumes as files: ``written(values, ...) -> paths``."""

    def write(*values):
        paths = [tmp_path / f"{k}.npy" for k in range(len(values))]
        for path, one in zip(paths, values, strict=True):
            np.save(path, one)
        return paths

    return write


def random(n=5, shape=(4, 5, 6), seed=0):
    found = np.random.default_rng(seed).normal(0.5, 0.1, (n, *shape)).astype(np.float16)
    found[:, 0] = 0
    return found


def test_rows_are_read_as_they_were_written(written):
    values = random()
    found = Volumes.of(written(*values))
    assert (len(found), found.shape) == (5, (4, 5, 6))
    assert found.read([3, 1, 3]).dtype == np.float16
    np.testing.assert_array_equal(found.read([3, 1, 3]), values[[3, 1, 3]])


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (np.zeros((4, 5, 6), np.float32), "float16 and three axes are wanted, this is float32"),
        (np.zeros((4, 5), np.float16), r"this is float16 of shape \(4, 5\)"),
        (np.zeros((4, 5, 7), np.float16), r"shape \(4, 5, 7\), while the others have \(4, 5, 6\).*same options"),
    ],
)
def test_other_arrays_are_refused_by_name(written, spoilt, why):
    with pytest.raises(DataError, match=f"1.npy: .*{why}"):
        Volumes.of(written(random()[0], spoilt))


@pytest.mark.parametrize("content", [None, b"", b"half a file", b"\x93NUMPY\x01\x00v\x00{'descr': '<f2'"])
def test_files_that_cannot_be_read(written, content):
    paths = written(*random(2))
    paths[1].unlink()
    if content is not None:
        paths[1].write_bytes(content)
    with pytest.raises(DataError, match=r"1.npy: cannot be read as an array .*preprocess the scan again"):
        Volumes.of(paths)


def test_a_file_that_was_cut(written):
    paths = written(*random(2))
    paths[1].write_bytes(paths[1].read_bytes()[:-20])
    with pytest.raises(DataError, match=r"1.npy: cannot be read"):
        Volumes.of(paths)


def test_nobody_is_left():
    with pytest.raises(DataError, match="nobody is left"):
        Volumes.of([])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(written, bad):
    values = random(2)
    values[1, 2, 2, 2] = bad
    found = Volumes.of(written(*values))
    found.read([0])
    with pytest.raises(DataError, match=r"1.npy: some values are no finite numbers"):
        found.read([0, 1])


def test_the_largest_float16_is_a_number(written):
    values = np.full((1, 2, 2, 2), np.finfo(np.float16).max)
    np.testing.assert_array_equal(Volumes.of(written(*values)).read([0]), values)


@pytest.mark.parametrize("at_once", [1, 500, 2**28])
def test_voxels_of_a_mask_come_in_parts_that_are_all_of_them(written, monkeypatch, at_once):
    monkeypatch.setattr(volumes, "AT_ONCE", at_once)
    values, mask = random(), np.random.default_rng(1).random((4, 5, 6)) < 0.6
    mask[2] = False
    parts = list(Volumes.of(written(*values)).columns(mask))
    np.testing.assert_array_equal(
        np.concatenate([part for _, part in parts], axis=1), values[:, mask].astype(np.float32)
    )
    assert [here.start for here, _ in parts] == [0, *(here.stop for here, _ in parts)][:-1]
    assert (len(parts) > 1) == (at_once < 2**28)


def test_the_summary_is_that_of_numpy(written):
    values = random(7)
    found = summarise(Volumes.of(written(*values)))
    exact = values.astype(float)
    np.testing.assert_allclose(found.mean, exact.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.sd, exact.std(axis=0), atol=1e-7)
    np.testing.assert_array_equal(found.filled, (exact != 0).mean(axis=0).astype(np.float32))
    np.testing.assert_array_equal(found.varies, exact.std(axis=0) > 0)
    assert not found.varies[0].any()
    inner = exact[:, 1:]
    assert found.scale == pytest.approx((inner.mean(), inner.std()), rel=1e-5)


def test_images_that_are_all_the_same_are_of_no_use(written):
    with pytest.raises(DataError, match=r"no usable input: the images of all 3 training rows are the same .*skull"):
        summarise(Volumes.of(written(*[random()[0]] * 3)))

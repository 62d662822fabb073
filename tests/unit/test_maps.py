"""Maps of where models look: kept beside a job's notes, averaged over people, placed in millimetres."""

import hashlib
import json

import matplotlib
import nibabel as nib
import numpy as np
import pytest

from triptych import maps, tables
from triptych.errors import DataError
from triptych.figures._brain import draw

SHAPE = (20, 24, 20)  # 8 mm


def fits(*rows, seed=0):
    """What some fits noted, each with a map."""
    random = np.random.default_rng(seed)
    return [{"fold": k, "map": (random.random((2, *SHAPE)).astype(np.float32), n)} for k, n in enumerate(rows)]


def kept(folder, name, noted):
    path = folder / f"{name}.json"
    tables.write({"fits": noted, "failures": [], **maps.set_aside(noted, path)}, path)
    return path


def test_a_job_keeps_the_mean_over_its_rows_and_says_what_it_is(tmp_path):
    noted = fits(3, 1)
    expected = (3 * noted[0]["map"][0] + noted[1]["map"][0]) / 4
    path = kept(tmp_path, "repeat-0", noted)
    assert json.loads(path.read_text())["fits"] == [{"fold": 0}, {"fold": 1}]
    said = json.loads(path.read_text())["map"]
    file = tmp_path / "repeat-0.map.npy"
    assert said == {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "rows": 4}
    np.testing.assert_allclose(np.load(file), expected, atol=1e-3)


def test_fits_without_a_map_say_nothing_of_it(tmp_path):
    noted = [{"fold": 0}]
    assert maps.set_aside(noted, tmp_path / "a.json") == {}
    assert list(tmp_path.iterdir()) == []


def test_the_mean_over_jobs_counts_every_person_once(tmp_path):
    first, second = fits(3, 1), fits(2, seed=1)
    every = [(values, n) for values, n in (fit["map"] for fit in (*first, *second))]
    paths = [kept(tmp_path, "repeat-0", first), kept(tmp_path, "repeat-1", second)]
    failed = tmp_path / "repeat-2.json"
    tables.write({"fits": [], "failures": [{}]}, failed)
    found = maps.mean_map([*paths, failed])
    np.testing.assert_allclose(found, sum(n * values for values, n in every) / 6, atol=1e-3)


def test_the_unit_is_that_of_the_fits(tmp_path):
    failed, plain, cubes = (tmp_path / f"{name}.json" for name in ("failed", "plain", "cubes"))
    tables.write({"fits": []}, failed)
    tables.write({"fits": [{"fold": 0}]}, plain)
    tables.write({"fits": [{"fold": 1, "maps": "occlusion"}]}, cubes)
    assert maps.unit([failed, plain]) == "times the mean over all voxels"
    assert maps.unit([failed, cubes]) == "change without the 16 mm around, in standard deviations of the output"


@pytest.mark.parametrize("spoil", ["remove", "write"])
def test_a_map_of_another_run_is_refused(tmp_path, spoil):
    path = kept(tmp_path, "repeat-0", fits(3))
    file = tmp_path / "repeat-0.map.npy"
    file.unlink() if spoil == "remove" else file.write_bytes(b"other")
    with pytest.raises(DataError, match=r"repeat-0.map.npy: not the map that its job wrote; remove .*repeat-0.json"):
        maps.mean_map([path])


def test_no_fit_has_a_map(tmp_path):
    with pytest.raises(DataError, match="no fit has a map: all of them failed"):
        maps.mean_map([kept(tmp_path, "repeat-0", [{"fold": 0}])])


@pytest.mark.parametrize(("shape", "step"), [((80, 96, 80), 2.0), ((160, 192, 160), 1.0), (SHAPE, 8.0)])
def test_images_of_preprocessing_fill_its_box(shape, step):
    affine = maps.affine_of(shape)
    np.testing.assert_allclose(np.diag(affine), [step, step, step, 1])
    np.testing.assert_allclose(affine[:3, 3] - step / 2, maps.LOW)
    np.testing.assert_allclose(affine[:3, :3] @ (np.array(shape) - 0.5) + affine[:3, 3], maps.HIGH)


def test_the_box_is_that_of_preprocessing():
    template = pytest.importorskip("triptych.mri.template")
    np.testing.assert_array_equal(maps.LOW, template.LOW)
    np.testing.assert_array_equal(maps.HIGH, template.HIGH)
    shape, affine = template.grid(2.0)
    np.testing.assert_array_equal(maps.affine_of(shape), affine)


def test_images_of_another_box_have_no_place():
    with pytest.raises(DataError, match=r"shape \(20, 20, 20\) fill no grid of preprocessing; say `maps: 0`"):
        maps.affine_of((20, 20, 20))


def hot():
    """Two hot places, 0 to the left and 10 to the right, and the affine."""
    values = np.ones(SHAPE, np.float32)
    values[3, 4, 5], values[15, 18, 10], values[15, 18, 11] = 6, 9, 8
    return values, maps.affine_of(SHAPE)


def test_peaks_are_in_millimetres_and_apart():
    values, affine = hot()
    found = maps.peaks(values, affine)
    assert len(found) == maps.PEAKS
    np.testing.assert_allclose(
        found.loc[0, ["x", "y", "z"]].astype(float), affine[:3, :3] @ [15, 18, 10] + affine[:3, 3]
    )
    np.testing.assert_allclose(found.loc[1, ["x", "y", "z"]].astype(float), affine[:3, :3] @ [3, 4, 5] + affine[:3, 3])
    assert found["value"].tolist()[:3] == [9, 6, 1], "the neighbour of the first is no peak of its own"
    assert found["share"][0] == pytest.approx(1 - 1 / values.size)


def test_the_image_is_in_mni_space_and_the_same_bytes_each_time(tmp_path):
    values, affine = hot()
    for name in ("one", "two"):
        maps.write_image(values, affine, tmp_path / f"{name}.nii.gz")
    image = nib.load(tmp_path / "one.nii.gz")
    np.testing.assert_array_equal(image.get_fdata(), values)
    np.testing.assert_allclose(image.affine, affine)
    assert (int(image.header["qform_code"]), int(image.header["sform_code"])) == (4, 4)
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()


def test_a_cube_of_equal_values_is_one_peak_in_its_middle():
    values, affine = np.zeros((40, 48, 40)), maps.affine_of((40, 48, 40))
    values[8:12, 12:16, 20:24], values[20:24, 12:16, 20:24] = 3.0, 2.0
    found = maps.peaks(values, affine)
    for row, start in enumerate(([8, 12, 20], [20, 12, 20])):
        middle = affine[:3, :3] @ (np.array(start) + 1.5) + affine[:3, 3]
        assert np.abs(found.loc[row, ["x", "y", "z"]].to_numpy(float) - middle).max() <= 2, "half a voxel"
    assert found["value"].tolist()[:3] == [3.0, 2.0, 0.0]


def test_the_figure_shows_slices_through_the_peak():
    values, affine = hot()
    with matplotlib.rc_context():
        figure = draw(values, values, affine, "A model of $5", "times the mean")
    titles = [axes.get_title() for axes in figure.axes[:3]]
    x, y, z = affine[:3, :3] @ [15, 18, 10] + affine[:3, 3]
    assert titles == [f"x = {x:.0f} mm", f"y = {y:.0f} mm", f"z = {z:.0f} mm"]
    assert any("times the mean, the highest 5%" in text.get_text() for text in figure.texts)
    heat = [axes.images[1].get_array() for axes in figure.axes[:3]]
    assert all(part.max() == 9 for part in heat)
    assert heat[0].shape == (20, 24)

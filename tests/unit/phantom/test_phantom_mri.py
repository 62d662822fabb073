import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from triptych.mri.template import load
from triptych.mri.volume import dice, resample
from triptych.phantom import mri as phantom


@pytest.fixture(scope="module")
def heads():
    """One person three times: as is, in a later session, and with a planted loss."""
    site = phantom.SITES[1]
    return [
        phantom.head(phantom.Person(1), site, voxel=4.0),
        phantom.head(phantom.Person(1), site, voxel=4.0, session=1),
        phantom.head(phantom.Person(1, loss=0.5), site, voxel=4.0),
    ]


def test_the_same_seed_gives_the_same_head(heads):
    again = phantom.head(phantom.Person(1), phantom.SITES[1], voxel=4.0)
    np.testing.assert_array_equal(again.image.dataobj, heads[0].image.dataobj)
    assert nib.aff2axcodes(again.image.affine) == ("L", "A", "S")


def test_the_true_matrix_lays_the_template_on_the_head(heads):
    box, truth = load(4.0), heads[0].truth
    scan = phantom.canonical_truth(heads[0])
    there = resample(scan.of(truth.mask), box.mask.shape, box.affine, truth.matrix).values > 0.5
    assert dice(there, box.mask) > 0.93


def test_another_session_is_the_same_anatomy_elsewhere(heads):
    first, second, _ = (h.truth for h in heads)
    assert second.ml["gm"] == pytest.approx(first.ml["gm"], rel=0.02)
    assert np.abs(second.matrix - first.matrix).max() > 0.01


def test_the_planted_loss_is_where_it_was_planted_and_as_large(heads):
    whole, _, less = (h.truth for h in heads)
    gone = whole.probability[1] - less.probability[1]
    scan = phantom.canonical_truth(heads[0])
    middle = (scan.affine @ [*np.argwhere(gone > 0.01).mean(axis=0), 1])[:3]
    wanted = (whole.matrix @ [*phantom.PLACE, 1])[:3]
    assert np.linalg.norm(middle - wanted) < 12
    places = np.argwhere(whole.mask) @ scan.affine[:3, :3].T + scan.affine[:3, 3]
    away = np.linalg.norm(places - wanted, axis=1)
    share = [
        gone[whole.mask][near].sum() / whole.probability[1][whole.mask][near].sum() for near in (away < 15, away > 36)
    ]
    assert share == pytest.approx([0.5, 0], abs=0.1)
    np.testing.assert_allclose(less.probability.sum(axis=0), whole.mask, atol=1e-5)


def test_tissues_meet_at_borders(heads):
    """One person's voxel holds one tissue or two: three are rare, and of 4 mm most voxels are not pure."""
    shares = np.sort(heads[0].truth.probability[:, heads[0].truth.mask], axis=0)
    assert (shares[0] > 0.1).mean() < 0.2
    assert (shares[2] > 0.9).mean() > 0.25


def test_labels_are_as_predictable_as_they_say():
    table = phantom.people(4000, d=1.5, seed=2)
    case = table["group"] == "case"
    u = stats.mannwhitneyu(table.loc[case, "loss"], table.loc[~case, "loss"]).statistic
    assert u / (case.sum() * (~case).sum()) == pytest.approx(phantom.best_auc(1.5), abs=0.02)
    assert abs(np.corrcoef(table["coin"], table["loss"])[0, 1]) < 0.05
    assert np.corrcoef(table["age"], table["thinning"])[0, 1] > 0.99


def test_a_cohort_of_files(tmp_path):
    table = phantom.people(2, sessions=2)
    truth = phantom.write(tmp_path, table, voxel=8.0)
    written = pd.read_csv(tmp_path / "participants.csv")
    assert written[["participant_id", "session_id"]].to_numpy().tolist() == [
        ["sub-001", "ses-1"],
        ["sub-001", "ses-2"],
        ["sub-002", "ses-1"],
        ["sub-002", "ses-2"],
    ]
    assert not {"loss", "thinning", "size"} & set(written), "the truth is not among the columns that a model may read"
    assert all((tmp_path / file).is_file() for file in written["t1w"])
    assert truth["gm"].between(300, 1200).all()

"""Models of images beyond what all models promise: what they see, where they look, and that stopping changes nothing."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from simulated_examples import CUBES, KINDS, OF_IMAGES, SIDE, changed, cohort, fit, picture, pictured, ranked
from sklearn.metrics import roc_auc_score
from torch import nn

from triptych import checkpoints, plugins
from triptych.augmentation import Augmentation
from triptych.checkpoints import Keep, keeping
from triptych.errors import DataError
from triptych.fitting import fit_folds, permute_outcomes
from triptych.models import _images
from triptych.tables import Examples
from triptych.volumes import Volumes

NETS = [name for name in OF_IMAGES if name != "voxel_svm"]
TRAIN = {kind: cohort(kind, n=60, seed=0) for kind in KINDS[1:]}
TEST = {kind: cohort(kind, n=40, seed=9) for kind in KINDS[1:]}


# ---- what is learned -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_IMAGES)
def test_of_exchanged_outcomes_nothing_is_learned(name):
    train, test = (cohort("classification", n=n, seed=n, effect=4.0) for n in (90, 60))
    more = {} if name == "voxel_svm" else {"epochs": 5}
    outcomes = [train, *(permute_outcomes(train, seed) for seed in (1, 2))]
    true, *exchanged = (roc_auc_score(test.y, ranked(fit(name, one, **more).predict(test))) for one in outcomes)
    assert true > 0.75
    assert abs(np.mean(exchanged) - 0.5) < 0.25
    assert max(exchanged) < true


@pytest.mark.parametrize("name", NETS)
def test_weighing_classes_alike_calls_more_rows_positive(name):
    train = TRAIN["classification"]
    rare = train.take(np.concatenate([np.flatnonzero(train.y == 0), np.flatnonzero(train.y == 1)[:6]]))
    plain, balanced = (
        fit(name, rare, balanced=b, epochs=4).predict(TEST["classification"])["score"] for b in (False, True)
    )
    assert balanced.mean() > plain.mean()


@cache
def knowing(name, maps):
    """A model of rows with a strong effect."""
    more = {} if name == "voxel_svm" else {"epochs": 12, "maps": maps}
    return fit(name, cohort("regression", n=90, seed=5, effect=3.0), **more).model


INSIDE = np.zeros((SIDE, SIDE, SIDE), bool)
INSIDE[CUBES["g1"]] = True
SEEN = pictured(cohort("regression", n=15, seed=6, effect=3.0))


@pytest.mark.parametrize(
    ("name", "maps"), [*((name, 3) for name in OF_IMAGES), *((name, "occlusion") for name in NETS)]
)
def test_the_map_has_its_peak_where_the_effect_was_planted(name, maps):
    found, brain = knowing(name, maps).map(SEEN)
    if maps != "occlusion":
        assert found.mean() == pytest.approx(1, rel=1e-3)
    assert INSIDE[np.unravel_index(found.argmax(), found.shape)]
    assert found[INSIDE].mean() > 2 * found[~INSIDE].mean()
    assert (found[brain == 0] == 0).all(), "nothing is there to look at"


@pytest.mark.parametrize("name", NETS)
def test_where_nothing_is_known_an_occlusion_map_is_flat(name):
    """Of images that tell nothing no place stands out as the planted one does; of a net whose output is constant none at all."""
    still = {"g1": 0.0, "g2": 0.0, "g3": 0.0}
    blind = fit(name, changed(cohort("regression", n=90, seed=5), **still), epochs=12, maps="occlusion").model
    known, rows = knowing(name, "occlusion"), pictured(changed(cohort("regression", n=15, seed=6), **still))
    peaks = [found.max() / (found[brain > 0].mean() or 1.0) for found, brain in (blind.map(rows), known.map(SEEN))]
    assert 2 * peaks[0] < peaks[1]
    constant = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**3, 1), nn.Flatten(0))
    nn.init.zeros_(constant[1].weight)
    assert (replace(known, net=constant).map(SEEN)[0] == 0).all()
    assert (replace(known, net=constant, spread=0.0).map(SEEN)[0] == 0).all()


def test_an_occlusion_map_is_in_units_of_the_spread_of_the_outputs_on_training_rows():
    model, train = knowing("resnet3d", "occlusion"), pictured(cohort("regression", n=90, seed=5, effect=3.0))
    outputs = (model.predict(train)["predicted"] - model.outcome[0]) / model.outcome[1]
    assert model.spread == pytest.approx(outputs.std(ddof=0), rel=1e-4)
    assert model.notes["maps"] == "occlusion"
    np.testing.assert_allclose(replace(model, spread=2 * model.spread).map(SEEN)[0] * 2, model.map(SEEN)[0], rtol=1e-6)
    assert "maps" not in knowing("resnet3d", 3).notes


def test_occlusion_looks_at_so_many_rows_at_most(monkeypatch):
    looked = []
    monkeypatch.setattr(_images, "occlusion", lambda net, x, *_: looked.append(float(x.mean())) or x[0, 0])
    many = pictured(cohort("regression", n=100, seed=8))
    for n, expected in ((100, _images.OCCLUDED), (5, 5)):
        looked.clear()
        knowing("resnet3d", "occlusion").map(many.take(np.arange(n)))
        assert len(set(looked)) == len(looked) == expected


def test_no_map_when_none_is_wanted():
    assert fit("conv5_fc3", TRAIN["regression"], epochs=1, maps=0).model.map(pictured(TEST["regression"])) is None
    assert fit("voxel_svm", TRAIN["regression"], maps=False).model.map(pictured(TEST["regression"])) is None


# ---- nets ----------------------------------------------------------------------------------------


def test_changes_are_of_training_only_and_one_row_is_held_at_a_time(monkeypatch):
    fitted = fit("conv5_fc3", TRAIN["regression"], epochs=1, augment=1.0, flip=True)
    before = fitted.predict(TEST["regression"])
    monkeypatch.setattr(Augmentation, "__call__", lambda *_: pytest.fail("changed in predict"))
    sizes, read = [], Volumes.read
    monkeypatch.setattr(Volumes, "read", lambda self, rows: sizes.append(len(rows)) or read(self, rows))
    np.testing.assert_array_equal(fitted.predict(TEST["regression"]), before)
    assert set(sizes) == {1}


def test_changes_reach_training():
    plain, changed_ = (
        ranked(fit("conv5_fc3", TRAIN["regression"], epochs=2, augment=a).predict(TEST["regression"]))
        for a in (0.0, 1.0)
    )
    assert not np.allclose(plain, changed_)


def test_the_data_are_brought_to_one_scale():
    """Images in other units: nothing changes but rounding."""
    train, test = pictured(TRAIN["regression"]), pictured(TEST["regression"])
    module = plugins.load("models", "conv5_fc3")
    options = module.Options(channels=(4,), hidden=(8,), epochs=3, augment=0.0)

    def told(examples, scale):
        paths = []
        for path in examples.images(["image"]):
            other = path.with_name(f"scaled-{path.name}")
            np.save(other, (np.load(path).astype(float) * scale).astype(np.float16))
            paths.append(str(other))
        return Examples(examples.table.assign(mri_t1w=paths), examples.blocks, examples.kind)

    one, other = (
        module.fit(told(train, s), options, blocks=["image"], seed=1, device="cpu").predict(told(test, s))
        for s in (1, 256)
    )
    np.testing.assert_allclose(one, other, rtol=1e-4)


@pytest.mark.parametrize("rates", [0.01, (0.01, 0.001)], ids=["one", "in-the-second-candidate"])
def test_stopped_in_an_epoch_it_goes_on_to_the_same_to_the_last_bit(rates, tmp_path, monkeypatch, capsys):
    """With dropout, random changes and early stopping; a candidate that was finished before is not trained again."""
    monkeypatch.setattr(checkpoints, "PAUSE", -1)
    how = {"epochs": 6, "augment": 1.0, "flip": True, "dropout": 0.3, "learning_rate": rates}
    whole = fit("conv5_fc3", TRAIN["classification"], **how).predict(TEST["classification"])
    call, keep, begun = Augmentation.__call__, Keep(tmp_path / "net", "told"), []

    def interrupted(self, x, rows, epoch):
        begun.extend([epoch] * (begun[-1:] != [epoch]))
        if begun.count(3) == (2 if isinstance(rates, tuple) else 1):
            raise KeyboardInterrupt
        return call(self, x, rows, epoch)

    monkeypatch.setattr(Augmentation, "__call__", interrupted)
    with keeping(keep, "seen"), pytest.raises(KeyboardInterrupt):
        fit("conv5_fc3", TRAIN["classification"], **how)
    monkeypatch.setattr(Augmentation, "__call__", call)
    capsys.readouterr()
    with keeping(keep, "seen"):
        again = fit("conv5_fc3", TRAIN["classification"], **how).predict(TEST["classification"])
    goes_on = [line for line in capsys.readouterr().out.splitlines() if line.startswith("training goes on")]
    finished = ["training goes on after epoch 6"] * isinstance(rates, tuple)
    assert goes_on == [*finished, "training goes on after epoch 3"]
    np.testing.assert_array_equal(again, whole)


def test_mixed_precision_is_near_and_not_the_default_on_a_cpu(capsys):
    train, test = TRAIN["regression"], TEST["regression"]
    plain, same, mixed = (fit("conv5_fc3", train, epochs=3, precision=p) for p in ("float32", "auto", "bf16"))
    assert [m.notes["precision"] for m in (plain, same, mixed)] == ["float32", "float32", "bf16"]
    exact = ranked(plain.predict(test))
    np.testing.assert_array_equal(ranked(same.predict(test)), exact)
    other = ranked(mixed.predict(test))
    assert not np.array_equal(other, exact)
    np.testing.assert_allclose(other, exact, atol=0.3 * train.y.std())
    assert all(p.dtype == torch.float32 for p in mixed.net.parameters())
    assert "spent waiting for data" in capsys.readouterr().out


def test_heads_that_do_not_share_the_width():
    with pytest.raises(DataError, match=r"`width:` must be a multiple of `heads:`, and 16 is none of 3"):
        fit("vit3d", TRAIN["regression"], heads=3)


@pytest.mark.parametrize("name", ["conv5_fc3", "voxel_svm", "linear_svm"])
def test_people_may_weigh_alike(name):
    """Somebody with many scans pulls less then."""
    train, test = TRAIN["regression"], TEST["regression"]
    often = pd.concat(
        [train.table, *(train.table.iloc[:1].assign(session_id=f"ses-{k}", y=200.0) for k in range(2, 22))]
    )
    many = Examples(often.reset_index(drop=True), train.blocks, train.kind)
    rows, people = (ranked(fit(name, many, people_alike=alike).predict(test)).mean() for alike in (False, True))
    assert people < rows - 1


# ---- what cannot be used -------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_IMAGES)
def test_images_that_are_all_the_same_or_of_another_grid(name, tmp_path):
    train, test = TRAIN["classification"], TEST["classification"]
    np.save(tmp_path / "same.npy", picture("same", g1=0.0))
    np.save(tmp_path / "other.npy", picture("same", g1=0.0)[:-1])
    module, blocks = plugins.load("models", name), {"image": ["mri_t1w"]}
    same = Examples(train.table.assign(mri_t1w=str(tmp_path / "same.npy")), blocks, train.kind)
    with pytest.raises(DataError, match="no usable input: the images of all 60 training rows are the same"):
        module.fit(same, module.Options(), blocks=["image"], seed=1, device="cpu")
    other = Examples(test.table.assign(mri_t1w=str(tmp_path / "other.npy")), blocks, test.kind)
    fitted = fit(name, train, **({} if name == "voxel_svm" else {"epochs": 1})).model
    with pytest.raises(DataError, match=r"other.npy: shape \(9, 10, 10\), while the others have \(10, 10, 10\)"):
        fitted.predict(other)


def test_a_background_without_content_costs_the_control_only(tmp_path):
    """Scans that came without their skull: the control fails, which is tolerated, and says why."""
    train = TRAIN["classification"]
    np.save(tmp_path / "empty.npy", np.zeros((6, 6, 6), np.float16))
    blocks = {"control-background": ["mri_background"]}
    examples = Examples(train.table.assign(mri_background=str(tmp_path / "empty.npy")), blocks, train.kind)
    splits = examples.table[["cohort", "participant_id", "session_id"]].assign(
        repeat=0, fold=0, part=np.where(np.arange(60) < 40, "train", "test")
    )
    how = {
        "task": "t",
        "name": "control-background",
        "use": "voxel_svm",
        "blocks": ["control-background"],
        "options": {},
    }
    table, notes, failures = fit_folds(examples, splits, **how, times=None, seed=0, device="cpu", tolerate=True)
    assert (len(table), len(notes), len(failures)) == (0, 0, 1)
    assert (
        "the images of all 40 training rows are the same (the background of scans that came without"
        in failures[0]["reason"]
    )


def test_the_outcome_beside_an_image_decides_nothing():
    """The same images under another outcome: a model of them predicts as before."""
    fitted, test = fit("voxel_svm", TRAIN["classification"]), TEST["classification"]
    np.testing.assert_array_equal(fitted.predict(test), fitted.predict(changed(test, y=1 - test.y)))

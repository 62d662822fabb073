"""Candidates of a net's options: which are tried, which is chosen, and what the choice looks at."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from simulated_examples import KINDS, OF_IMAGES, QUICK, changed, cohort, fit, pictured

from triptych import plugins
from triptych.errors import DataError
from triptych.fitting import fit_folds
from triptych.models import _images
from triptych.models._tuning import candidates, tuned
from triptych.tables import KEY
from triptych.training import DivergedError
from triptych.volumes import Volumes

NETS = [name for name in OF_IMAGES if name != "voxel_svm"]
TRAIN, TEST = cohort("regression", n=60, seed=0), cohort("regression", n=40, seed=9)


@pytest.mark.parametrize("name", NETS)
def test_the_better_candidate_is_chosen_where_early_stopping_looks(name):
    """One rate learns nothing in so few epochs, one is wild; the one between is the net that it is alone."""
    train, test = cohort("regression", n=90, seed=5, effect=3.0), TEST
    rates, how = (1e-9, 0.01, 1e6), {"epochs": 8}
    fitted = fit(name, train, learning_rate=rates, **how)
    alone = fit(name, train, learning_rate=0.01, **how)
    assert fitted.notes["chosen"]["learning_rate"] == 0.01
    assert [one["learning_rate"] for one in fitted.notes["tried"]] == list(rates)
    losses = [np.inf if one["loss"] is None else one["loss"] for one in fitted.notes["tried"]]
    assert min(losses) == losses[1] == fitted.notes["loss"] == alone.notes["loss"]
    np.testing.assert_array_equal(fitted.predict(test), alone.predict(test))
    assert "tried" not in alone.notes


def test_all_combinations_or_some_of_them_at_random():
    module = plugins.load("models", "vit3d")
    options = module.Options(learning_rate=(0.1, 0.01, 0.001), weight_decay=(0, 1), dropout=(0.0, 0.5))
    every = [tuned(one) for one in candidates(options, 0)]
    assert len(every) == 12
    assert every[0] == {"learning_rate": 0.1, "weight_decay": 0, "dropout": 0.0}
    draws = [[tuned(one) for one in candidates(replace(options, trials=4), seed)] for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert [len([one for one in draw if one in every]) for draw in draws] == [4, 4, 4]
    assert all(a != b for draw in draws for a, b in combinations(draw, 2)), "none is drawn twice"
    assert [tuned(one) for one in candidates(replace(options, trials=40), 0)] == every
    assert candidates(module.Options(), 0) == [module.Options()]


def test_candidates_need_rows_to_compare_them_on():
    for told, match in (
        ({"learning_rate": (0.1, 0.01), "held_out": 0}, "2 candidates of learning_rate are compared on rows that are"),
        ({"dropout": ()}, "`dropout:` is an empty list"),
    ):
        with pytest.raises(DataError, match=match):
            fit("conv5_fc3", TRAIN, **told)


def test_a_candidate_that_diverges_is_out_and_if_all_do_the_fit_fails(monkeypatch):
    def broken(work, options, make, kept):
        if options.learning_rate > 0.05:
            raise DivergedError("training diverged at epoch 1 (loss nan); lower `learning_rate:`")
        return train_(work, options, make, kept)

    train_ = _images._train
    monkeypatch.setattr(_images, "_train", broken)
    notes = fit("conv5_fc3", TRAIN, epochs=1, learning_rate=(0.1, 0.01)).notes
    assert notes["chosen"]["learning_rate"] == 0.01
    assert notes["tried"][0]["loss"] is None
    with pytest.raises(DataError, match="training diverged"):
        fit("conv5_fc3", TRAIN, epochs=1, learning_rate=(0.1, 0.2))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_tested_rows_decide_no_choice(kind, monkeypatch):
    """None of their images is opened before the choice is made, and with other outcomes it is the same to the last bit."""
    everyone = pictured(cohort(kind, n=60, seed=3))
    test = np.arange(60) < 20
    splits = everyone.table[KEY].assign(repeat=0, fold=0, part=np.where(test, "test", "train"))
    options = {**QUICK["conv5_fc3"], "learning_rate": [1e-6, 0.01], "dropout": [0.0, 0.3], "maps": 0}
    how = {"task": "t", "name": "m", "use": "conv5_fc3", "blocks": ["image"], "options": options, "times": None}
    opened, look, predict = [], Volumes.of.__func__, _images.FittedNet.predict

    def noted(self, *args):
        opened.append("predict")
        return predict(self, *args)

    monkeypatch.setattr(Volumes, "of", classmethod(lambda cls, paths, *a: opened.extend(paths) or look(cls, paths, *a)))
    monkeypatch.setattr(_images.FittedNet, "predict", noted)
    other = changed(everyone, y=np.where(test, 1 - everyone.y, everyone.y))
    found = [fit_folds(one, splits, **how, seed=0, device="cpu", tolerate=False)[1][0] for one in (everyone, other)]
    assert len(found[0]["tried"]) == 4
    assert found[0] == found[1]
    before = opened[: opened.index("predict")]
    assert set(before) == {path for path, out in zip(everyone.images(["image"]), test, strict=True) if not out}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("held_out", [1, -1])
def test_no_row_left_to_learn_from(name, held_out):
    with pytest.raises(DataError, match=rf"^{held_out} fold\(s\) inside training leave nobody to learn from"):
        fit(name, TRAIN, held_out=held_out)

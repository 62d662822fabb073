"""Networks on a GPU: the predictions of a CPU, training that goes on where it was, and what `auto` chooses."""

import numpy as np
import pytest
import torch
from simulated_examples import OF_IMAGES, cohort, fit

from triptych import checkpoints
from triptych.augmentation import Augmentation
from triptych.checkpoints import Keep, keeping

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine shows no GPU to torch")
NETS = [name for name in OF_IMAGES if name != "voxel_svm"]


@pytest.fixture(autouse=True)
def exact():
    """Convolutions in float32, not in TF32, which a comparison with a CPU would feel."""
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, False
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_images_in_float32_as_on_a_cpu(name, kind):
    train, test = cohort(kind, n=60, seed=0), cohort(kind, n=30, seed=9)
    here, there = (
        fit(name, train, device=device, precision="float32", dropout=0.0).predict(test).iloc[:, -1]
        for device in ("cpu", "cuda")
    )
    assert here.std() > 0
    np.testing.assert_allclose(there, here, atol=0.02 * here.std(), rtol=0)


@pytest.mark.parametrize("name", NETS)
def test_images_in_bfloat16_are_near_and_the_default(name):
    train, test = cohort("regression", n=60, seed=0), cohort("regression", n=30, seed=9)
    fitted = fit(name, train, device="cuda", dropout=0.0)
    assert fitted.notes["precision"] == "bf16"
    full = fit(name, train, device="cuda", precision="float32", dropout=0.0).predict(test)["predicted"]
    found = fitted.predict(test)["predicted"]
    assert not np.array_equal(found, full)
    assert np.corrcoef(found, full)[0, 1] > 0.97


def test_a_net_of_columns_as_on_a_cpu():
    train, test = cohort(n=80, seed=0), cohort(n=30, seed=9)
    here, there = (
        fit("deepsurv", train, device=device, dropout=0.0).predict(test, np.array([2.0, 5.0]))
        for device in ("cpu", "cuda")
    )
    np.testing.assert_allclose(there.iloc[:, -1], here.iloc[:, -1], atol=0.01)


def test_stopped_in_an_epoch_it_goes_on_to_the_same(tmp_path, monkeypatch, capsys):
    """With dropout, whose random numbers are those of the GPU, and random changes."""
    train, test = cohort("regression", n=60, seed=0), cohort("regression", n=30, seed=9)
    monkeypatch.setattr(checkpoints, "PAUSE", -1)
    how = {"epochs": 6, "augment": 1.0, "dropout": 0.3, "device": "cuda", "precision": "float32"}
    whole = fit("conv5_fc3", train, **how).predict(test)["predicted"]
    call, keep = Augmentation.__call__, Keep(tmp_path / "net", "told")

    def interrupted(self, x, rows, epoch):
        if epoch == 3:
            raise KeyboardInterrupt
        return call(self, x, rows, epoch)

    monkeypatch.setattr(Augmentation, "__call__", interrupted)
    with keeping(keep, "seen"), pytest.raises(KeyboardInterrupt):
        fit("conv5_fc3", train, **how)
    monkeypatch.setattr(Augmentation, "__call__", call)
    with keeping(keep, "seen"):
        again = fit("conv5_fc3", train, **how).predict(test)["predicted"]
    assert "training goes on after epoch 3\n" in capsys.readouterr().out
    # sums over pooling windows are made in no fixed order
    np.testing.assert_allclose(again, whole, atol=0.02 * whole.std(), rtol=0)

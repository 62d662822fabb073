"""Networks on a GPU: the predictions of a CPU, training that goes on where it was, and what `auto` chooses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from simulated_examples import OF_IMAGES, cohort, fit

from triptych import checkpoints
from triptych.augmentation import Augmentation
from triptych.checkpoints import Keep, keeping
from triptych.nets import norms
from triptych.nets.conv5fc3 import Conv5FC3
from triptych.nets.resnet3d import ResNet3D
from triptych.nets.stems import Stem
from triptych.processes import GROUP

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine shows no GPU to torch")
SHAPE = (96, 112, 96)
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


@pytest.mark.parametrize("make", [lambda: Conv5FC3(SHAPE, dropout=0.0), ResNet3D], ids=["conv5_fc3", "resnet3d"])
def test_large_volumes_in_bfloat16_are_as_near_as_with_torch_alone(make, monkeypatch):
    """Where the normalisation by sums and the stem by slices are used: output and slopes against float32."""
    torch.manual_seed(0)
    net = make().cuda()
    x = torch.nn.functional.interpolate(torch.randn(2, 1, 6, 7, 6, device="cuda"), SHAPE, mode="trilinear")
    x = x + 0.1 * torch.randn_like(x)
    used, apply = [], norms._Grouped.apply
    monkeypatch.setattr(norms._Grouped, "apply", lambda *words: used.append(1) or apply(*words))

    def slopes(mixed):
        net.zero_grad()
        with torch.autocast("cuda", torch.bfloat16, enabled=mixed):
            y = net(x).float()
        (y - 1).square().sum().backward()
        return [y.detach(), *(p.grad.clone() for p in net.parameters())]

    full, ours, calls = slopes(False), slopes(True), len(used)
    monkeypatch.setattr(norms, "LARGE", float("inf"))
    monkeypatch.setattr(Stem, "by_slices", torch.nn.Conv3d.forward)
    theirs = slopes(True)
    assert calls
    assert len(used) == calls
    far, far_alone = (
        [float((a - b).norm() / b.norm()) for a, b in zip(one, full, strict=True)] for one in (ours, theirs)
    )
    assert far[0] < 0.02, "output"
    assert np.mean(far) < 2 * np.mean(far_alone), "slopes"


OF_A_GROUP = """
import sys, torch
from simulated_examples import cohort, fit
how = {"device": "cuda", "precision": "float32", "augment": 1.0, "dropout": 0.2}
found = fit("conv5_fc3", cohort("regression", n=40, seed=0), **how).predict(cohort("regression", n=12, seed=9))
found.assign(backend=torch.distributed.get_backend() if torch.distributed.is_initialized() else "").to_csv(sys.argv[1])
"""


def test_a_group_of_one_by_nccl_trains_as_no_group(tmp_path):
    """NCCL takes one process per GPU: with one GPU no more can be asked."""
    here = Path(__file__).parent
    plain = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here.parents[2] / "src"), str(here), *sys.path])}
    us = {GROUP: json.dumps({"devices": 1, "nodes": 1, "device": "cuda"}), "LOCAL_RANK": "0", "NODE_RANK": "0"}
    found = []
    for own in (plain, plain | us | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"}):
        path = tmp_path / f"{len(found)}.csv"
        subprocess.run([sys.executable, "-c", OF_A_GROUP, str(path)], env=own, check=True, timeout=300)
        found.append(pd.read_csv(path))
    alone, group = found
    assert "nccl" in group["backend"][0]
    np.testing.assert_allclose(group["predicted"], alone["predicted"], atol=0.02 * alone["predicted"].std(), rtol=0)

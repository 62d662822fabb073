"""A net over images that two real processes share (gloo): the predictions of one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from simulated_examples import OF_IMAGES

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
SCRIPT = """
import sys
from triptych.launching import launch
launch(int(sys.argv[2]), 1, "cpu")
from simulated_examples import cohort, fit
from triptych.processes import group, leads
how = {"augment": 1.0, "dropout": 0.2, "batch": 7, "precision": "float32", "learning_rate": (1e-6, 0.01)}
predicted = fit(sys.argv[3], cohort("regression", n=40, seed=0), **how).predict(cohort("regression", n=12, seed=9))
if leads():
    predicted["predicted"].to_frame().assign(processes=us.size if (us := group()) else 1).to_csv(sys.argv[1], index=False)
"""


def predictions(path, devices, name):
    """Of a net that was trained with random changes, dropout and a last batch of 5, the better of two, by so many processes."""
    own = {**os.environ, "PYTHONPATH": f"{HERE.parents[2] / 'src'}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(path), str(devices), name]
    done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    found = np.genfromtxt(path, delimiter=",", skip_header=1)
    assert set(found[:, 1]) == {devices}
    return found[:, 0]


@pytest.mark.parametrize("name", [name for name in OF_IMAGES if name != "voxel_svm"])
def test_two_processes_train_as_one(name, tmp_path):
    one, two = (predictions(tmp_path / f"{n}.csv", n, name) for n in (1, 2))
    assert one.std() > 0
    np.testing.assert_allclose(two, one, atol=1e-3 * one.std(), rtol=0)

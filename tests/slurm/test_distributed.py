"""A network that is trained by two processes on two nodes, and whose job puts itself back into the queue meanwhile."""

import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from runs import Run, accounted, submitted

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from small_study import STUDY, clone, people, replace, snakemake, write_study

FITS = Path("results/small/both/fits")
# DeepSurv in float64, with epochs that last, on the CPUs of nodes whose GPUs compute nothing.
CHANGES = {
    "pick_device(device)": 'pick_device("cpu")',
    "dtype=torch.float32": "dtype=torch.float64",
    "dropout=options.dropout).to(where)": "dropout=options.dropout).to(where).double()",
    "return lambda epoch: [on_all]": "return lambda epoch: sleep(0.5) or [on_all]",
    "import numpy as np\n": "from time import sleep\n\nimport numpy as np\n",
}
NETS = """\
  one: {use: net, label: One process, device: cuda, job: model, tasks: [both], options: {epochs: 12}}
  two: {use: net, label: Two processes, device: cuda, nodes: 2, job: model, tasks: [both], options: {epochs: 12}}
"""


@pytest.fixture(scope="module")
def study(asked_for, tmp_path_factory):
    folder = clone(tmp_path_factory.mktemp("distributed") / "clone")
    models = folder / "src" / "triptych" / "models"
    text = (models / "deepsurv.py").read_text()
    for old, new in CHANGES.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (models / "net.py").write_text(text)
    profile = folder / "profiles" / "slurm" / "config.yaml"
    replace(profile, "    gpu: threads\n", "")
    replace(profile, "    # gres: '", "    gres: '")
    text = STUDY.replace("\nvalidation:", NETS + "\nvalidation:").replace("controls: [permuted, site]", "controls: []")
    write_study(folder, text, north=people(1, 60), south=people(2, 50))
    done = snakemake(folder, FITS / "one" / "all.parquet", "--configfile", "study.yaml")
    assert done.rc == 0, done.said[-3000:]
    return folder


def test_two_nodes_train_as_one_process_also_when_the_job_is_queued_again(study, cluster):
    words = [FITS / "two" / "all.parquet", "--configfile", "study.yaml"]
    run = Run(study, cluster, *words)
    kept, deadline = study / FITS / "two" / ".folds", time.monotonic() + 300
    while not list(kept.glob("training-*")):
        assert run.process.poll() is None, run.said[-3000:]
        assert time.monotonic() < deadline, cluster.ask("squeue")
        time.sleep(0.1)
    [job] = submitted(study, "fit_on_gpu")
    cluster.ask("scancel", "--signal=USR1", job)
    assert run.wait(400) == 0, run.said[-5000:]
    assert submitted(study, "fit_on_gpu") == [job], "SLURM queued it again, Snakemake did not"

    log = (study / "results" / "small" / "logs" / "fit" / "both" / "two" / "all.log").read_text()
    assert "training goes on after epoch" in log
    for node in ("gpu1", "gpu2"):
        assert f"SLURM job {job} on {node}, CUDA_VISIBLE_DEVICES 0" in log
    row = accounted(cluster, [job])[job]
    assert (row["NodeList"], row["State"]) == ("gpu[1-2]", "COMPLETED")
    one, two = (pd.read_parquet(study / FITS / name / "all.parquet").drop(columns="model") for name in ("one", "two"))
    assert len(one) == 110
    pd.testing.assert_frame_equal(one, two, check_exact=False, rtol=1e-7)
    assert not list(kept.glob("training-*")), "what was kept of a training is removed at its end"

"""Networks that are trained by two processes on two nodes, and by one, and whose jobs put themselves back into the queue."""

import pandas as pd
import pytest
from runs import accounted, submitted
from studies import FITS, distributed


@pytest.mark.parametrize(("name", "nodes"), [("two", ("gpu1", "gpu2")), ("again", None)])
def test_trained_as_by_one_process_here_also_when_the_job_is_queued_again(outcome, forgetful, name, nodes):
    done = outcome(distributed)
    assert done.rc == 0, done.run.said[-5000:]
    job = done.jobs[name]
    assert submitted(done.folder, "fit_on_gpu", model=name) == [job], "SLURM queued it again, Snakemake did not"
    log = (done.folder / "results" / "small" / "logs" / "fit" / "both" / name / "all.log").read_text()
    assert "training goes on after epoch" in log
    row = accounted(forgetful, [job])[job]
    assert row["State"] == "COMPLETED"
    if nodes:
        assert row["NodeList"] == "gpu[1-2]"
    for node in nodes or [row["NodeList"]]:
        assert f"SLURM job {job} on {node}, CUDA_VISIBLE_DEVICES" in log
    here, there = (
        pd.read_parquet(done.folder / FITS / which / "all.parquet").drop(columns="model") for which in ("one", name)
    )
    assert len(here) == 110
    pd.testing.assert_frame_equal(here, there, check_exact=False, rtol=1e-7)
    assert not list((done.folder / FITS / name / ".folds").glob("training-*")), "what was kept of a training is removed"

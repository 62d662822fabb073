"""A network that is trained by two processes on two nodes, and whose job puts itself back into the queue meanwhile."""

import pandas as pd
from runs import accounted, submitted
from studies import FITS, distributed


def test_two_nodes_train_as_one_process_also_when_the_job_is_queued_again(outcome, forgetful):
    done = outcome(distributed)
    assert done.rc == 0, done.run.said[-5000:]
    assert submitted(done.folder, "fit_on_gpu") == [done.job], "SLURM queued it again, Snakemake did not"
    log = (done.folder / "results" / "small" / "logs" / "fit" / "both" / "two" / "all.log").read_text()
    assert "training goes on after epoch" in log
    for node in ("gpu1", "gpu2"):
        assert f"SLURM job {done.job} on {node}, CUDA_VISIBLE_DEVICES" in log
    row = accounted(forgetful, [done.job])[done.job]
    assert (row["NodeList"], row["State"]) == ("gpu[1-2]", "COMPLETED")
    one, two = (
        pd.read_parquet(done.folder / FITS / name / "all.parquet").drop(columns="model") for name in ("one", "two")
    )
    assert len(one) == 110
    pd.testing.assert_frame_equal(one, two, check_exact=False, rtol=1e-7)
    assert not list((done.folder / FITS / "two" / ".folds").glob("training-*")), (
        "what was kept of a training is removed"
    )

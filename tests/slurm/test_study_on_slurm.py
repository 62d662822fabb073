"""A study from end to end on the cluster: the result of one machine, GPUs where asked for, and what a failure leaves."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from runs import accounted, environment, record, submitted
from studies import default_here, studies

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from small_study import planned, replace

DEFAULT = ("--configfile", "config/config.yaml")


@pytest.fixture
def finished(outcome):
    """The small study after a run on the cluster, in which a person cancelled a job."""
    done = outcome(studies).small
    assert done.run.wait() == 0, done.run.said[-5000:]
    return done


@pytest.fixture
def default(outcome):
    """The default study after such a run, and after a run on this machine."""
    there, here = outcome(studies).default, outcome(default_here)
    assert there.run.wait() == 0, there.run.said[-5000:]
    assert here.done.rc == 0, here.done.said[-5000:]
    return SimpleNamespace(there=there.folder, here=here.folder, victim=there.victim, gpus=there.gpus)


def results(folder):
    """Hash of every table of the study's tasks, in the order of names."""
    total = hashlib.sha256()
    for path in sorted((folder / "results").rglob("tables/*.tsv")):
        total.update(f"{path.name}\0".encode() + path.read_bytes())
    return total.hexdigest()


def test_the_default_study_has_the_result_of_one_machine(default):
    assert results(default.there) == results(default.here)
    frames = [pd.read_parquet(f / "results/gse7390/dmfs/predictions.parquet") for f in (default.there, default.here)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)


def test_the_default_study_with_its_fits_on_the_gpu_partition(default, cluster):
    fits = submitted(default.there, "fit")
    assert len(fits) > 5
    for job, row in accounted(cluster, [e["id"] for e in record(default.there) if e["event"] == "submitted"]).items():
        where = (row["Partition"], "gres/gpu=1" in row["AllocTRES"])
        assert where == (("gpu", True) if job in fits else ("cpu", False))
    as_allotted(default.there / "results" / "gse7390" / "logs" / "fit", default, fits)


def as_allotted(logs, done, on_gpu):
    """CUDA_VISIBLE_DEVICES in the log of each fit is the GPU that SLURM gave its job."""
    assert set(done.gpus) == set(on_gpu)
    place = re.compile(r"SLURM job (\d+) on (\w+), CUDA_VISIBLE_DEVICES (\w+)")
    said = [place.search(path.read_text()).groups() for path in logs.rglob("*.log")]
    for job, node, devices in said:
        assert (node, devices) == done.gpus[job] if job in on_gpu else devices == "none"
    assert {job for job, _, devices in said if devices != "none"} == set(on_gpu) - {
        done.victim
    }  # its log is its successor's


def test_a_cancelled_group_goes_on_with_the_fold_where_it_was(finished, cluster):
    there, victim = finished.folder, finished.victim
    tries = [e for e in record(there) if e["event"] == "submitted" and e["name"] == "fits-both-cox"]
    assert [e["attempt"] for e in tries] == [1, 2]
    assert tries[0]["id"] == victim
    logs = [(there / part["log"]).read_text() for part in tries[1]["parts"]]
    assert any("finished before" in text for text in logs)
    assert not list((there / "results").rglob(".folds"))


def test_only_the_fits_that_say_cuda_have_a_gpu(finished, cluster):
    there = finished.folder
    on_gpu = submitted(there, "fit_on_gpu")
    rows = accounted(cluster, [e["id"] for e in record(there) if e["event"] == "submitted"])
    assert len(on_gpu) == 4
    for job, row in rows.items():
        assert ("gres/gpu=1" in row["AllocTRES"]) == (job in on_gpu), row
        assert row["Partition"] == ("gpu" if job in on_gpu else "cpu")
    as_allotted(there / "results" / "small" / "logs" / "fit", finished, on_gpu)


def test_folds_run_side_by_side_on_different_gpus(finished, cluster):
    there = finished.folder
    rows = list(accounted(cluster, submitted(there, "fit_on_gpu")).values())
    assert max(row["Start"] for row in rows) < min(row["End"] for row in rows), "they did not run at the same time"
    assert len(set(finished.gpus.values())) == 4, finished.gpus


def test_many_fits_are_few_jobs(finished):
    there = finished.folder
    sizes = {e["name"]: len(e["parts"]) for e in record(there) if e["event"] == "submitted"}
    assert sizes["fits-both-cox"] == sizes["fits-south-cox"] == 4
    assert sizes["statistics-both"] == sizes["statistics-south"] > 10
    assert sum(e["event"] == "submitted" for e in record(there)) == 16  # one of them again


def test_nothing_is_left_to_do_and_an_edit_reruns_what_follows_as_on_one_machine(finished, default, tmp_path):
    assert planned(finished.folder) == {}
    for folder in (default.here, default.there):
        assert planned(folder, *DEFAULT) == {}
    one, other = (shutil.copytree(f, tmp_path / name) for f, name in ((default.here, "here"), (default.there, "there")))
    for folder in (one, other):
        replace(folder / "config" / "config.yaml", "level: 0.95", "level: 0.9")
    left = planned(one, *DEFAULT)
    assert left == planned(other, *DEFAULT)
    assert (left["infer"], left["report"]) == (1, 1)
    assert not {"fit", "gather", "score"} & set(left)


def test_a_fit_that_fails_for_good(finished, outcome, tmp_path):
    """A wrong option of one model: the other task is finished, and when it is corrected only what is missing runs."""
    run = outcome(studies).broken
    folder, before = (
        run.folder,
        (finished.folder / "results" / "small" / "south" / "tables" / "scores.tsv").read_bytes(),
    )
    assert run.wait() != 0
    job = submitted(folder, "fit")[-1]
    for word in (
        f"SLURM job {job}, attempt 1 of 1",
        "fit task=south model=forest batch=repeat-",
        "logs/fit/south/forest/",
        "it is not tried again",
    ):
        assert word in run.said, run.said[-4000:]
    assert "0.9" in set(pd.read_csv(folder / "results/small/both/tables/scores.tsv", sep="\t", dtype=str)["level"])
    assert not (folder / "results/small/south/fits/forest").exists() or not list(
        (folder / "results/small/south/fits/forest").glob("*.parquet")
    )
    assert (folder / "results/small/south/tables/scores.tsv").read_bytes() == before
    folder = shutil.copytree(folder, tmp_path / "corrected")
    replace(folder / "study.yaml", "options: {trees: -3}", "options: {trees: 12}")
    left = planned(folder)
    assert left["fit"] == 2
    assert left["infer"] == left["gather"] == 1
    assert not {"read_cohort", "make_examples", "fit_on_gpu"} & set(left)


def test_what_was_asked_for_and_used(finished, cluster):
    there = finished.folder
    command = [sys.executable, "-m", "triptych.slurm"]
    said = [
        subprocess.run(
            [*command, word], cwd=there, env=environment(cluster), capture_output=True, text=True, check=True
        ).stdout
        for word in ("status", "usage")
    ]
    assert "small: the run has ended" in said[0]
    assert [line.split()[1:3] for line in said[0].splitlines() if line.startswith("fit ")] == [["14", "14"]]
    row = next(line.split() for line in said[1].splitlines() if line.startswith("fit_on_gpu"))
    assert row[1] == "4"
    assert "8000 MB" in " ".join(row)
    assert "fit_on_gpu:\n    mem_mb: " in said[1]
    proposed = int(said[1].partition("fit_on_gpu:\n    mem_mb: ")[2].split()[0])
    assert 100 <= proposed <= 4000

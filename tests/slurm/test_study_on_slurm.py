"""A study from end to end on the cluster: the result of one machine, GPUs where asked for, and what a failure leaves."""

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from runs import Run, accounted, environment, record, submitted

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from small_study import STUDY, clone, people, planned, replace, snakemake, write_study

# A network for the workflow (it imports torch), that can be fitted where there is no GPU: those of the cluster compute nothing.
NETWORK = "from time import sleep\n\nimport torch  # noqa: F401\n\n"
NET = "  net: {use: net, label: Network, device: cuda, job: fold, tasks: [both], options: {ridge: [1.0]}}\n"


def with_network(text):
    """The study of the other tests of the workflow, with a network on GPUs and four folds to fit one by one."""
    text = text.replace("options: {folds: 2, repeats: 1}", "options: {folds: 2, repeats: 2}")
    return text.replace("\nvalidation:", NET + "\nvalidation:").replace("controls: [permuted, site]", "controls: []")


@pytest.fixture(scope="module")
def bare(asked_for, tmp_path_factory):
    folder = clone(tmp_path_factory.mktemp("study") / "bare")
    models = folder / "src" / "triptych" / "models"
    (models / "net.py").write_text(
        NETWORK + (models / "cox.py").read_text().replace("    x, ", "    sleep(8)\n    x, ", 1)
    )
    return write_study(folder, with_network(STUDY), north=people(1, 60), south=people(2, 50))


@pytest.fixture(scope="module")
def finished(bare, cluster, side_by_side, tmp_path_factory):
    """The study after a run on the cluster in which one job was cancelled by a person, and after a run on this machine."""
    base = tmp_path_factory.mktemp("finished")
    here, there = (shutil.copytree(bare, base / name) for name in ("here", "there"))
    run = Run(there, cluster, "--configfile", "study.yaml")
    local = side_by_side.submit(snakemake, here, "--configfile", "study.yaml")
    kept = there / "results" / "small" / "both" / "fits" / "cox" / ".folds"
    while not (kept.exists() and [path for path in kept.iterdir() if "." not in path.name]):
        assert run.process.poll() is None, run.said[-3000:]
        time.sleep(0.1)
    victim = next(e["id"] for e in record(there) if e.get("name") == "fits-both-cox")
    cluster.ask("scancel", victim)
    assert run.wait(1500) == 0, run.said[-5000:]
    assert local.result().rc == 0
    return here, there, victim


def results(folder):
    """Hash of every table of the study, in the order of names."""
    total = hashlib.sha256()
    for path in sorted((folder / "results" / "small").rglob("tables/*.tsv")):
        total.update(f"{path.name}\0".encode() + path.read_bytes())
    return total.hexdigest()


def test_the_result_is_that_of_one_machine(finished):
    here, there, _ = finished
    assert results(here) == results(there)
    for task in ("both", "south"):
        frames = [pd.read_parquet(f / "results" / "small" / task / "predictions.parquet") for f in (here, there)]
        pd.testing.assert_frame_equal(*frames, check_exact=True)


def test_a_cancelled_group_goes_on_with_the_fold_where_it_was(finished, cluster):
    _, there, victim = finished
    tries = [e for e in record(there) if e["event"] == "submitted" and e["name"] == "fits-both-cox"]
    assert [e["attempt"] for e in tries] == [1, 2]
    assert tries[0]["id"] == victim
    logs = [(there / part["log"]).read_text() for part in tries[1]["parts"]]
    assert any("finished before" in text for text in logs)
    assert not list((there / "results").rglob(".folds"))


def test_only_the_fits_that_say_cuda_have_a_gpu(finished, cluster):
    _, there, _ = finished
    on_gpu = submitted(there, "fit_on_gpu")
    rows = accounted(cluster, [e["id"] for e in record(there) if e["event"] == "submitted"])
    assert len(on_gpu) == 4
    for job, row in rows.items():
        assert ("gres/gpu=1" in row["AllocTRES"]) == (job in on_gpu), row
        assert row["Partition"] == ("gpu" if job in on_gpu else "cpu")
    for path in (there / "results" / "small" / "logs" / "fit" / "both").rglob("*.log"):
        place = next(line for line in path.read_text().splitlines() if line.startswith("SLURM job"))
        assert place.endswith(("VISIBLE_DEVICES 0", "VISIBLE_DEVICES 1")) == (path.parent.name == "net"), place


def test_folds_run_side_by_side_on_different_gpus(finished, cluster):
    _, there, _ = finished
    rows = list(accounted(cluster, submitted(there, "fit_on_gpu")).values())
    logs = {
        path: path.read_text() for path in (there / "results" / "small" / "logs" / "fit" / "both" / "net").glob("*.log")
    }
    gpus = {
        line.partition(" on ")[2]
        for text in logs.values()
        for line in text.splitlines()
        if line.startswith("SLURM job")
    }
    assert max(row["Start"] for row in rows) < min(row["End"] for row in rows), "they did not run at the same time"
    assert len(gpus) == 4, gpus  # node and device


def test_many_fits_are_few_jobs(finished):
    _, there, _ = finished
    sizes = {e["name"]: len(e["parts"]) for e in record(there) if e["event"] == "submitted"}
    assert sizes["fits-both-cox"] == sizes["fits-south-cox"] == 4
    assert sizes["statistics-both"] == sizes["statistics-south"] > 10
    assert sum(e["event"] == "submitted" for e in record(there)) == 16  # one of them again


def test_nothing_is_left_to_do_and_an_edit_reruns_what_follows_as_on_one_machine(finished, tmp_path):
    here, there, _ = finished
    for folder in (here, there):
        assert planned(folder) == {}
    one, other = (shutil.copytree(folder, tmp_path / folder.name) for folder in (here, there))
    for folder in (one, other):
        replace(folder / "study.yaml", "level: 0.95", "level: 0.9")
    left = planned(one)
    assert left == planned(other)
    assert (left["infer"], left["report"]) == (2, 1)
    assert not {"fit", "fit_on_gpu", "gather", "score"} & set(left)


def test_a_fit_that_fails_for_good(finished, cluster, tmp_path):
    """A wrong option of one model: the other task is finished, and when it is corrected only what is missing runs."""
    folder = shutil.copytree(finished[1], tmp_path / "clone")
    shutil.rmtree(folder / ".triptych" / "slurm")
    replace(folder / "study.yaml", "options: {trees: 10}", "options: {trees: -3}")
    replace(folder / "study.yaml", "level: 0.95", "level: 0.9")
    before = (folder / "results" / "small" / "south" / "tables" / "scores.tsv").read_bytes()
    run = Run(folder, cluster, "--configfile", "study.yaml", "--retries", "0")
    assert run.wait() != 0
    job = submitted(folder, "fit")[-1]
    for word in (
        f"SLURM job {job}, attempt 1 of 1",
        "fit batch=",
        "model=forest task=south",
        "logs/fit/south/forest/",
        "it is not tried again",
    ):
        assert word in run.said, run.said[-4000:]
    assert "0.9" in set(pd.read_csv(folder / "results/small/both/tables/scores.tsv", sep="\t", dtype=str)["level"])
    assert not (folder / "results/small/south/fits/forest").exists() or not list(
        (folder / "results/small/south/fits/forest").glob("*.parquet")
    )
    assert (folder / "results/small/south/tables/scores.tsv").read_bytes() == before
    replace(folder / "study.yaml", "options: {trees: -3}", "options: {trees: 12}")
    left = planned(folder)
    assert left["fit"] == 2
    assert left["infer"] == left["gather"] == 1
    assert not {"read_cohort", "make_examples", "fit_on_gpu"} & set(left)


def test_what_was_asked_for_and_used(finished, cluster):
    _, there, _ = finished
    command = [sys.executable, "-m", "triptych.slurm"]
    said = [
        subprocess.run(
            [*command, word], cwd=there, env=environment(cluster), capture_output=True, text=True, check=True
        ).stdout
        for word in ("status", "usage")
    ]
    assert "small: the run has ended" in said[0]
    assert [line.split()[1:3] for line in said[0].splitlines() if line.startswith("fit ")] == [["10", "10"]]
    row = next(line.split() for line in said[1].splitlines() if line.startswith("fit_on_gpu"))
    assert row[1] == "4"
    assert "8000 MB" in " ".join(row)
    assert "fit_on_gpu:\n    mem_mb: " in said[1]
    proposed = int(said[1].partition("fit_on_gpu:\n    mem_mb: ")[2].split()[0])
    assert 100 <= proposed <= 4000

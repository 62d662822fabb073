"""Whole studies on the cluster and on this machine."""

import re
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from runs import Run, record

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from small_study import STUDY, clone, people, replace, snakemake, write_study

# A network for the workflow (it imports torch), that can be fitted where there is no GPU: those of the cluster compute nothing.
NETWORK = "from time import sleep\n\nimport torch  # noqa: F401\n\n"
NET = "  net: {use: net, label: Network, device: cuda, job: fold, tasks: [both], options: {ridge: [1.0]}}\n"
MINE = ("--configfile", "study.yaml")


def small(folder):
    """The study of the other tests of the workflow, with a network on GPUs and four folds to fit one by one."""
    text = STUDY.replace("options: {folds: 2, repeats: 1}", "options: {folds: 2, repeats: 2}")
    text = text.replace("\nvalidation:", NET + "\nvalidation:").replace("controls: [permuted, site]", "controls: []")
    models = clone(folder) / "src" / "triptych" / "models"
    slow = (models / "cox.py").read_text().replace("    x, ", "    sleep(8)\n    x, ", 1)
    (models / "net.py").write_text(NETWORK + slow)
    return write_study(folder, text, north=people(1, 60), south=people(2, 50))


def small_here(folder, cluster):
    return SimpleNamespace(done=snakemake(small(folder), *MINE), folder=folder)


def small_there(folder, cluster):
    """A person cancels a job in the middle; afterwards, in a copy, an option of one model is wrong."""
    run = Run(small(folder), cluster, *MINE)
    kept = folder / "results" / "small" / "both" / "fits" / "cox" / ".folds"
    run.until(lambda: kept.exists() and [path for path in kept.iterdir() if "." not in path.name], 600)
    victim = next(e["id"] for e in record(folder) if e.get("name") == "fits-both-cox")
    cluster.ask("scancel", victim)
    gpus = watched(run, cluster)
    broken = shutil.copytree(folder, folder.with_name("small_broken"))
    shutil.rmtree(broken / ".triptych" / "slurm")
    replace(broken / "study.yaml", "options: {trees: 10}", "options: {trees: -3}")
    replace(broken / "study.yaml", "level: 0.95", "level: 0.9")
    again = Run(broken, cluster, *MINE, "--retries", "0")
    again.wait(1200)
    return SimpleNamespace(run=run, folder=folder, victim=victim, gpus=gpus, broken=again)


def default_here(folder, cluster):
    return SimpleNamespace(done=snakemake(clone(folder)), folder=folder)


def default_there(folder, cluster):
    """The default study, its site block changed so that all fits go to GPUs."""
    profile = clone(folder) / "profiles" / "slurm" / "config.yaml"
    fit = "  fit: # memory and time of one fit"
    replace(profile, fit, fit.replace("# memory", "\n    slurm_partition: gpu\n    gpu: 1\n    # memory"))
    run = Run(folder, cluster)
    return SimpleNamespace(run=run, folder=folder, gpus=watched(run, cluster))


def watched(run, cluster):
    """Job of the run: node and index of the GPU that SLURM gave it; SLURM tells the index while a job runs only."""
    found = {}
    while run.process.poll() is None:
        text = cluster.ask("scontrol", "-d", "-o", "show", "job")
        gpus = re.findall(r"^JobId=(\d+) .* Nodes=(\S+) .*GRES=gpu:fake:1\(IDX:(\d)\)", text, re.M)
        found |= {job: (node, index) for job, node, index in gpus}
        time.sleep(0.5)
    return {job: found[job] for e in record(run.folder) if e["event"] == "submitted" and (job := e["id"]) in found}


STUDIES = (small_there, default_there, default_here, small_here)

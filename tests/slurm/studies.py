"""Whole studies on the cluster and on this machine."""

import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

from runs import Run, record, submitted

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from small_study import STUDY, clone, people, replace, snakemake, write_study

# A network for the workflow (it imports torch), that can be fitted where there is no GPU: those of the cluster compute nothing.
NETWORK = "from time import sleep\n\nimport torch  # noqa: F401\n\n"
NET = "  net: {use: net, label: Network, device: cuda, job: fold, tasks: [both], options: {ridge: [1.0]}}\n"
MINE = ("--configfile", "study.yaml")
FITS = Path("results/small/both/fits")
# DeepSurv in float64, with epochs that last, on the CPUs of nodes whose GPUs compute nothing.
SLOW_NET = {
    "pick_device(device)": 'pick_device("cpu")',
    "dtype=torch.float32": "dtype=torch.float64",
    "dropout=options.dropout).to(where)": "dropout=options.dropout).to(where).double()",
    "return lambda epoch: [on_all]": "return lambda epoch: sleep(0.5) or [on_all]",
    "import numpy as np\n": "from time import sleep\n\nimport numpy as np\n",
}
NETS = """\
  one: {use: net, label: One process, device: cuda, job: model, tasks: [both], options: {epochs: 28}}
  two: {use: net, label: Two processes, device: cuda, nodes: 2, job: model, tasks: [both], options: {epochs: 28}}
  again: {use: net, label: One process on a node, device: cuda, job: model, tasks: [both], options: {epochs: 28}}
"""


def small(folder):
    """The study of the other tests of the workflow, with a network on GPUs and four folds to fit one by one."""
    text = STUDY.replace("options: {folds: 2, repeats: 1}", "options: {folds: 2, repeats: 2}")
    text = text.replace("\nvalidation:", NET + "\nvalidation:").replace("controls: [permuted, site]", "controls: []")
    models = clone(folder) / "src" / "triptych" / "models"
    slow = (models / "cox.py").read_text().replace("    x, ", "    sleep(8)\n    x, ", 1)
    (models / "net.py").write_text(NETWORK + slow)
    return write_study(folder, text, north=people(1, 60), south=people(2, 50))


def watched(run, kept, group):
    """The run to its end; a person cancels the job of a group when some of its folds are finished and kept.

    Also the GPUs: job, its node and the index of its GPU, which SLURM tells while a job runs only.
    """
    gpus, victim = {}, None
    while run.process.poll() is None:
        text = run.cluster.ask("scontrol", "-d", "-o", "show", "job")
        found = re.findall(r"^JobId=(\d+) .* Nodes=(\S+) .*GRES=gpu:fake:1\(IDX:(\d)\)", text, re.M)
        gpus |= {job: (node, index) for job, node, index in found}
        if victim is None and kept.exists() and [path for path in kept.iterdir() if "." not in path.name]:
            victim = next(e["id"] for e in record(run.folder) if e.get("name") == group)
            run.cluster.ask("scancel", victim)
        time.sleep(0.3)
    mine = {e["id"] for e in record(run.folder) if e["event"] == "submitted"}
    return SimpleNamespace(run=run, folder=run.folder, victim=victim, gpus={j: g for j, g in gpus.items() if j in mine})


def small_study(folder, cluster):
    run = Run(small(folder), cluster, *MINE)
    return watched(run, folder / "results" / "small" / "both" / "fits" / "cox" / ".folds", "fits-both-cox")


def broken_study(finished, folder, cluster):
    """The small study again, with a wrong option of one model."""
    shutil.copytree(finished, folder)
    shutil.rmtree(folder / ".triptych" / "slurm")
    replace(folder / "study.yaml", "options: {trees: 10}", "options: {trees: -3}")
    replace(folder / "study.yaml", "level: 0.95", "level: 0.9")
    run = Run(folder, cluster, *MINE, "--retries", "0")
    run.wait(1800)
    return run


def default_study(folder, cluster):
    """The site block says that all fits go to GPUs."""
    profile = shortened(folder) / "profiles" / "slurm" / "config.yaml"
    fit = "  fit: # memory and time of one fit"
    replace(profile, fit, fit.replace("# memory", "\n    slurm_partition: gpu\n    gpu: 1\n    # memory"))
    kept = folder / "results" / "gse7390" / "dmfs" / "fits" / "forest" / ".folds"
    return watched(Run(folder, cluster), kept, "fits-dmfs-forest")


def studies(folder, cluster):
    """The small one first: its four folds on the four GPUs must not wait for others."""
    folder.mkdir()
    small = small_study(folder / "small", cluster)
    with ThreadPoolExecutor(2) as pool:
        broken = pool.submit(broken_study, small.folder, folder / "broken", cluster)
        default = pool.submit(default_study, folder / "default", cluster)
        return SimpleNamespace(small=small, broken=broken.result(), default=default.result())


def shortened(folder):
    """A clone whose default study has two of its ten repeats: they take longest, and the others are like them."""
    replace(
        clone(folder) / "config" / "config.yaml", "options: {folds: 5, repeats: 10}", "options: {folds: 5, repeats: 2}"
    )
    return folder


def default_here(folder, cluster):
    """The default study on this machine."""
    return SimpleNamespace(done=snakemake(shortened(folder)), folder=folder)


def distributed(folder, forgetful):
    """A net trained by one process here; by two on two nodes, and by one, whose jobs are told that their time is over."""
    clone(folder)
    slow = (folder / "src" / "triptych" / "models" / "deepsurv.py").read_text()
    for old, new in SLOW_NET.items():
        assert slow.count(old) == 1, old
        slow = slow.replace(old, new)
    (folder / "src" / "triptych" / "models" / "net.py").write_text(slow)
    profile = folder / "profiles" / "slurm" / "config.yaml"
    replace(profile, "    gpu: threads\n", "")
    replace(profile, "    # gres: '", "    gres: '")
    text = STUDY.replace("\nvalidation:", NETS + "\nvalidation:").replace("controls: [permuted, site]", "controls: []")
    write_study(folder, text, north=people(1, 60), south=people(2, 50))
    here = snakemake(folder, FITS / "one" / "all.parquet", *MINE)
    assert here.rc == 0, here.said[-3000:]
    run = Run(folder, forgetful, *(FITS / name / "all.parquet" for name in ("two", "again")), *MINE)
    jobs = {}
    for name in ("two", "again"):
        run.until(lambda name=name: list((folder / FITS / name / ".folds").glob("training-*")))
        jobs[name] = submitted(folder, "fit_on_gpu", model=name)[0]
        forgetful.ask("scancel", "--full", "--signal=USR1", jobs[name])
    return SimpleNamespace(rc=run.wait(), run=run, folder=folder, jobs=jobs)


STUDIES = (studies, default_here)

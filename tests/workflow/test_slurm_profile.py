"""The SLURM profile, without a cluster: how it is found, and what each job would ask for."""

import re
import shutil
import subprocess

import pytest
import yaml
from small_study import ROOT, replace, snakemake

PROFILE = ("--profile", "profiles/slurm", "--configfile", "study.yaml")
NET = "  net: {use: deepsurv, label: Network, device: cuda, job: fold, tasks: [both]}\n\nvalidation:"


@pytest.fixture
def study(fresh):
    """The small study with a network that is fitted on GPUs, and one that is not."""
    text = (fresh / "study.yaml").read_text()
    here = NET.replace("net:", "here:").replace("device: cuda, ", "").replace("\n\nvalidation:", "\n")
    (fresh / "study.yaml").write_text(text.replace("\nvalidation:", here + NET, 1))
    return fresh


def asked(folder, *words):
    """Rule: what its jobs would ask for, a list of {resource: value}."""
    done = snakemake(folder, "-n", *PROFILE, *words)
    assert done.rc == 0, done.said[-3000:]
    found = {}
    for block in re.split(r"\n\s*(?=rule \w+:)", done.said):
        rule, resources = re.match(r"rule (\w+):", block), re.search(r"resources: (.*)", block)
        if rule and resources:
            pairs = dict(item.split("=", 1) for item in resources[1].split(", ") if "=" in item)
            found.setdefault(rule[1], []).append(pairs)
    return found


def test_only_the_fits_that_say_cuda_ask_for_a_gpu(study):
    found = asked(study)
    assert len(found["fit_on_gpu"]) == 4  # two folds of the network, and of its negative control
    for rule, jobs in found.items():
        for job in jobs:
            assert ("gpu" in job) == (rule == "fit_on_gpu"), (rule, job)
            assert job["slurm_partition"] == ("gpu" if rule == "fit_on_gpu" else "cpu")
            assert job["slurm_account"] == "lab"


def test_a_cluster_that_wants_gres(study):
    profile = study / "profiles" / "slurm" / "config.yaml"
    replace(profile, "    gpu: threads\n", "")
    replace(profile, "    # gres: '", "    gres: '")
    replace(study / "study.yaml", "Network, device: cuda,", "Network, device: cuda, devices: 2, nodes: 3,")
    found = asked(study)
    assert {job.get("gres") for job in found["fit_on_gpu"]} == {"gpu:2"}, "gres are counted on each node"
    assert {job["nodes"] for job in found["fit_on_gpu"]} == {"3"}
    assert not any(
        "gpu" in job or "gres" in job for rule, jobs in found.items() for job in jobs if rule != "fit_on_gpu"
    )


def test_as_many_gpus_as_the_study_says(study):
    """And for a network on CPUs as many threads; both on one node."""
    assert {job["gpu"] for job in asked(study)["fit_on_gpu"]} == {"1"}
    replace(study / "study.yaml", "Network, device: cuda,", "Network, device: cuda, devices: 2,")
    assert {(job["gpu"], job["nodes"]) for job in asked(study)["fit_on_gpu"]} == {("2", "1")}


def test_more_at_every_attempt_and_for_larger_inputs(study):
    first, second = asked(study), asked(study, "--attempt", "2")
    for rule in ("score", "infer", "report"):
        for key in ("mem_mb", "runtime"):
            assert int(second[rule][0][key]) == 2 * int(first[rule][0][key])
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
    for rule in ("fit", "fit_on_gpu", "make_examples", "gather"):
        text = profile["set-resources"][rule]["mem_mb"]
        small, large = (eval(text, {"input": type("", (), {"size_mb": mb}), "attempt": 1}) for mb in (1, 1000))
        assert large == 20 * 1000 > small


def test_rules_that_the_profile_names_exist():
    rules = set(re.findall(r"^ *(?:use rule \w+ as|rule) (\w+)", "\n".join(
        path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")), re.M))  # fmt: skip
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
    assert set(profile["groups"]) | set(profile["set-resources"]) <= rules
    assert set(profile["group-components"]) <= set(profile["groups"].values())


def test_profiles_do_not_contradict_each_other():
    """profiles/default is always loaded too and wins key by key: `default-resources:` there would wipe the whole one here."""
    default, slurm = (
        yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text()) for name in ("default", "slurm")
    )
    assert all(default[key] == slurm[key] for key in default.keys() & slurm.keys())
    assert set(default) <= {"cores", "keep-going", "rerun-incomplete", "show-failed-logs"}
    assert not any("array" in key for key in slurm)
    assert slurm["slurm-status-command"] == "squeue"
    assert 3 * slurm["slurm-init-seconds-before-status-checks"] <= 120, (
        "SLURM must remember ended jobs for longer than that"
    )


def test_every_line_of_a_site_is_in_one_block():
    text = (ROOT / "profiles" / "slurm" / "config.yaml").read_text()
    block = text.partition("==== YOUR SITE")[2].partition("==== END OF YOUR SITE")[0]
    outside = text.replace(block, "")
    for word in (
        "slurm_account",
        "slurm_partition",
        "gpu: threads",
        "gres",
        "qos",
        "constraint",
        "tmpdir",
        "precommand",
    ):
        assert word in block
        assert f"  {word}" not in outside


def test_make_profile_lets_snakemake_find_it(study):
    for name in ("Makefile", "README.md"):
        shutil.copy2(ROOT / name, study / name)
    words = ("-n", "--profile", "slurm", "--configfile", "study.yaml")
    assert snakemake(study, *words, XDG_CONFIG_HOME=str(study)).rc != 0
    for _ in range(2):
        subprocess.run(["make", "profile"], cwd=study, check=True, capture_output=True)
    done = snakemake(study, *words, XDG_CONFIG_HOME=str(study))
    assert done.rc == 0, done.said[-2000:]
    assert "slurm_account=lab" in done.said
    (study / "slurm").unlink()
    (study / "slurm").mkdir()  # a folder of logs, say: it would hide the profile
    refused = subprocess.run(["make", "profile"], cwd=study, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "no profile; move it away" in refused.stderr


def test_a_group_asks_for_one_fit_at_a_time(study):
    """The sum of the times, the largest memory, one CPU: else 50 small fits would ask for 50 CPUs."""
    program = """
import sys
sys.path.insert(0, "src")
from snakemake.cli import main
from snakemake.dag import DAG
seen = {}
checked = DAG._update_group_components
def look(self):
    checked(self)
    for group in self._group.values():
        if group.groupid.startswith("fits-"):
            seen[group.groupid] = (len(group), dict(group.resources.items()))
DAG._update_group_components = look
try:
    main(sys.argv[1:])
except SystemExit:
    pass
n, asked = seen["fits-both-cox"]
print("GROUP", n, asked["_cores"], asked["runtime"], asked["slurm_partition"])
"""
    import sys

    from small_study import environment

    done = subprocess.run(
        [sys.executable, "-c", program, "-n", *PROFILE], cwd=study, env=environment(), capture_output=True, text=True
    )
    assert "GROUP 2 1 20 cpu" in done.stdout, (done.stdout + done.stderr)[-3000:]

"""Slow pieces of Snakemake 9.27.1 that a plan of many jobs spends its time in; reported in docs/upstream.md.

- The check that no group of jobs depends on itself is made once per job of the group, not once per group: quadratic.
- Whether a job of a group is ready is asked for each job of the group, and each time all that they depend on is gone through.
- The parameters of each function of a rule are looked up with ``inspect`` for every job, several times.
- ``input.size_mb`` starts an event loop of its own each time that a resource is computed; sizes of local files wait for nothing.
- The shell command of a job is put together three times to be told once.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any


def install(modules: Mapping[str, Any]) -> None:
    """Replace them, in the modules of the running Snakemake (``sys.modules``); once."""
    names = ("common", "rules", "dag", "iocontainers", "jobs")
    common, rules, dag, containers, jobs = (modules.get(f"snakemake.{name}") for name in names)
    if common and rules and not hasattr(common.get_function_params, "cache_info"):
        common.get_function_params = rules.get_function_params = cache(common.get_function_params)
    if dag and not hasattr(dag.DAG, "check_jobs_of_groups"):
        dag.DAG.check_jobs_of_groups = dag.DAG._check_groups
        dag.DAG._check_groups = _check_groups
        dag.DAG._ready = _ready
    if containers and not hasattr(containers.InputFiles, "size_files_in_a_loop"):
        containers.InputFiles.size_files_in_a_loop = containers.InputFiles.size_files
        containers.InputFiles.size_files = property(_size_files)
    if jobs and not hasattr(jobs.Job, "put_together"):
        jobs.Job.put_together = jobs.Job.shellcmd
        jobs.Job.shellcmd = property(_shellcmd)


def _check_groups(self: Any) -> None:
    """Snakemake's own check, given every group once."""
    by_job = self._group
    self._group = {id(group): group for group in by_job.values()}
    try:
        self.check_jobs_of_groups()
    finally:
        self._group = by_job


def _ready(self: Any, job: Any) -> bool:
    """Whether a job, or the group that it belongs to, waits for nothing but jobs of its own group."""
    group = self._group.get(job)
    if group is None:
        return bool(self._n_until_ready[job] == 0)
    if not hasattr(self, "waits_inside"):
        self.waits_inside = {}  # a group with other jobs is another key
    if group not in self.waits_inside:
        self.waits_inside[group] = [(one, len(self._dependencies[one].keys() & group.jobs)) for one in group]
    return all(self._n_until_ready[one] == inside for one, inside in self.waits_inside[group])


def _size_files(self: Any) -> Any:
    """Bytes of each file, by Snakemake's own functions, without a loop where none of them waits."""
    sizes = []
    for file in self:
        asking = file.size()
        try:
            asking.send(None)
        except StopIteration as done:
            sizes.append(done.value)
        else:
            asking.close()
            return self.size_files_in_a_loop
    return sizes


def _shellcmd(self: Any) -> Any:
    """Snakemake's own text, kept for as long as the attempt is the same."""
    kept = self.__dict__.get("shellcmd_of_attempt")
    if kept is None or kept[0] != self.attempt:
        kept = self.shellcmd_of_attempt = (self.attempt, self.put_together)
    return kept[1]

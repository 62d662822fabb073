"""What is changed in Snakemake's SLURM executor (plugin 2.8.0), and why; each change goes away when the plugin has it.

The reports are in docs/upstream.md.  The plugin's module and Snakemake's workflow are given by the caller: nothing is imported.

- States are reduced to one word, and a job that SLURM has lost does not count as running for ever (``states``).
- The time between two polls stays below ``STRETCH`` times what the profile says; the plugin's grows to three minutes.
- A query that SLURM does not answer is made again later; the plugin would forget its jobs and wait for ever.
- A group that cannot be submitted fails; the plugin fails over it in a thread where nobody hears of it, and waits for ever.
- Ctrl-C cancels every job of the run, also those that a poll looks at, or that are being submitted, at that moment.
- A job on one node runs what it holds itself; the jobstep plugin starts one more Snakemake, by srun, for each of its parts, one
  part after the other.
- On several nodes, where the jobstep plugin stays, srun finds slurm.conf where SLURM_CONF says, inside jobs too.
- A failed job is told in one sentence with rule, wildcards, SLURM id, reason and logs, also when SLURM refused a group.
- Jobs of an earlier run that are still in the queue stop a new run: two jobs would write one file.
- Job arrays are refused: with them a rule may read a file that is being written.
- ``cores: all`` of profiles/default means this machine; it does not limit jobs on other machines, and inside a job it means the
  CPUs that were allotted.
- Inside a job, SIGUSR1 ends neither Snakemake nor its shell: it asks a training to be kept and its job to be queued again.
- What was submitted is kept in a record (``record``).
"""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from triptych.slurm import record, states

JOBSTEP = "--executor slurm-jobstep --jobs 1"  # how the plugin lets a job run
STRETCH = 3  # two polls are at most so many times `seconds-between-status-checks` apart


def install(modules: Mapping[str, Any], workflow: Any, study: str) -> None:
    """Change the plugin's executor for this run.

    Parameters
    ----------
    modules
        The modules of the running Snakemake (``sys.modules``): the plugin is among them where it is installed.
    workflow
        Snakemake's workflow, while its Snakefile is parsed.
    """
    plugin, jobstep = (modules.get(f"snakemake_executor_plugin_slurm{name}") for name in ("", "_jobstep"))
    inside = "SLURM_JOB_ID" in os.environ and workflow.remote_exec
    if inside:
        cpus = os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE") or "1"
        workflow.global_resources["_cores"] = int(cpus)
        if jobstep is not None and (conf := os.environ.get("SLURM_CONF")):
            _keep(jobstep, SLURM_CONF=conf)
        # the signal is for the fit, which ends its epoch (checkpoints); Snakemake would end at it
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if plugin is None or inside or workflow.global_resources["_nodes"].value is None:
        return  # on this machine only
    workflow.resource_settings.cores = None
    workflow.global_resources["_cores"] = None
    _patch(plugin, study)


def _patch(plugin: Any, study: str) -> None:
    """Put our methods around those of the plugin's executor, once."""
    executor = plugin.Executor
    if hasattr(executor, "triptych"):
        return
    executor.triptych = True
    start, check, ask = executor.__post_init__, executor.check_active_jobs, plugin.query_job_status
    submitted, succeeded, failed = (
        executor.report_job_submission,
        executor.report_job_success,
        executor.report_job_error,
    )
    run, call, cancel, shutdown = executor.run_job, executor.format_job_exec, executor.cancel_jobs, executor.shutdown
    patience = states.Patience()
    active: set = set()
    began: dict[str | None, float] = {}

    def post_init(self, *words: Any) -> None:
        settings = self.workflow.executor_settings
        if settings.array_jobs:
            raise plugin.WorkflowError(
                "job arrays mix up their tasks with this plugin; leave out --slurm-array-jobs (docs/slurm.md)"
            )
        settings.jobname_prefix = prefix(study)
        if left := " ".join(earlier_jobs(study)):
            raise plugin.WorkflowError(
                f"jobs of an earlier run of {study!r} are still in SLURM's queue, and two jobs would write one file; wait for "
                f"them, or cancel them: scancel {left}"
            )
        planned = Counter(job.rule.name for job in self.workflow.dag.needrun_jobs())
        record.add(study, "run", pid=os.getpid(), planned=dict(planned))
        start(self, *words)

    async def check_active_jobs(self, active_jobs: list[Any]) -> Any:
        active.clear()
        active.update(job.external_jobid for job in active_jobs)
        async for job in check(self, active_jobs):
            yield job
        longest = STRETCH * self.workflow.remote_execution_settings.seconds_between_status_checks
        self.next_seconds_between_status_checks = min(self.next_seconds_between_status_checks, longest)

    async def query_job_status(command: str, logger: Any) -> Any:
        found, seconds = await ask(command, logger)
        if found is None:  # the plugin would drop the jobs from its list
            logger.warning(f"SLURM does not answer, it is asked again later: {command}")
            return {}, 0.0
        missing = active - set(found)
        return patience.settle({**found, **(states.ask_sacct(missing) if missing else {})}, active), seconds

    def run_job(self, job: Any) -> None:
        try:
            run(self, job)
        except Exception as error:
            # of a group the plugin asks the name of its rule, which it has not, while it tells of another fault
            said = f"it could not be submitted: {error.__context__ or error}"
            self._report_job_error_threadsafe(plugin.SubmittedJobInfo(job), said)

    def format_job_exec(self, job: Any) -> str:
        return inside_job(call(self, job), int(job.resources.get("nodes") or 1), "mpi" in job.resources)

    def cancel_jobs(self, active_jobs: list[Any]) -> None:
        self._job_submission_executor.shutdown(wait=True, cancel_futures=True)
        # all jobs of a run have one name
        subprocess.run(["scancel", f"--name={self.run_uuid}"], timeout=60, check=False)
        cancel(self, active_jobs)

    def report_job_submission(self, info: Any, *words: Any, **more: Any) -> None:
        log = str(info.aux.get("slurm_logfile", "")) if info.aux else ""
        began[info.external_jobid] = time.time()
        record.add(study, "submitted", id=info.external_jobid, log=log, **about(info.job))
        submitted(self, info, *words, **more)

    def report_job_success(self, info: Any) -> None:
        record.add(study, "done", id=info.external_jobid)
        succeeded(self, info)

    def report_job_error(self, info: Any, msg: str | None = None, **more: Any) -> None:
        slurm_log = next(iter(more.get("aux_logs") or []), "") or ""
        since = began.get(info.external_jobid, time.time())
        said = sentence(about(info.job), info.external_jobid, msg or "", slurm_log, since)
        record.add(study, "failed", id=info.external_jobid, why=said, log=slurm_log, **about(info.job))
        self.logger.error(said)
        failed(self, info, msg=msg, **more)

    def end(self) -> None:
        shutdown(self)
        record.add(study, "end")

    plugin.query_job_status = query_job_status
    for method in (
        run_job,
        format_job_exec,
        check_active_jobs,
        cancel_jobs,
        report_job_submission,
        report_job_success,
        report_job_error,
    ):
        setattr(executor, method.__name__, method)
    executor.__post_init__, executor.shutdown = post_init, end


def inside_job(call: str, nodes: int, mpi: bool) -> str:
    """The command of a SLURM job, from that of the plugin."""
    if nodes == 1 and not mpi:
        if JOBSTEP not in call:
            raise ValueError(f"this version of the SLURM plugin calls its jobs in another way: {call}")
        call = call.replace(JOBSTEP, "--executor local")
    return f"trap '' USR1; {call}"


def _keep(jobstep: Any, **variables: str) -> None:
    """Let the jobstep plugin, which drops every ``SLURM_*`` variable before it calls srun, keep some."""

    def popen(call: str, *, env: dict[str, str], **more: Any) -> Any:
        return subprocess.Popen(call, env={**env, **variables}, **more)

    jobstep.subprocess = SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE)


def prefix(study: str) -> str:
    """How the names of a study's SLURM jobs begin."""
    return f"triptych_{study}"[:50]


def earlier_jobs(study: str) -> list[str]:
    """Ids of a study's jobs that SLURM still runs or queues in this working directory."""
    done = subprocess.run(["squeue", "-h", "--me", "-o", "%i|%j|%Z"], capture_output=True, text=True, timeout=60)
    lines = [line.split("|", 2) for line in done.stdout.splitlines()]
    here = Path.cwd().resolve()
    return [i for i, name, folder in lines if name.startswith(prefix(study) + "_") and Path(folder).resolve() == here]


def about(job: Any) -> dict[str, Any]:
    """What the record keeps of a Snakemake job or group of jobs."""
    members = sorted(job, key=lambda one: (one.rule.name, *one.wildcards)) if job.is_group() else [job]
    asked = {name: value for name, value in job.resources.items() if isinstance(value, int | str)}
    parts = [
        {
            "rule": one.rule.name,
            "wildcards": dict(one.wildcards_dict),
            "log": next(map(str, one.log), ""),
            "outputs": [str(file) for file in one.output],
        }
        for one in members
    ]
    name = job.groupid if job.is_group() else job.rule.name
    return {"name": name, "parts": parts, "attempt": job.attempt, "retries": job.restart_times, "asked": asked}


def sentence(job: dict[str, Any], slurm_id: str | None, reason: str, slurm_log: str, since: float) -> str:
    """What failed, where it can be read, and what happens next; a file from before ``since`` (seconds) is no result."""

    def made(file: str) -> bool:
        return Path(file).exists() and Path(file).stat().st_mtime >= since

    open_parts = [part for part in job["parts"] if not all(map(made, part["outputs"]))] or job["parts"]
    named = [
        f"  {part['rule']} " + " ".join(f"{k}={v}" for k, v in part["wildcards"].items()) + f" (log: {part['log']})"
        for part in open_parts[:5]
    ]
    of = (
        f"{len(open_parts)} of {len(job['parts'])} jobs of the group {job['name']!r} have"
        if len(job["parts"]) > 1
        else "One job has"
    )
    again = job["attempt"] <= job["retries"]
    lines = [
        f"{of} no result; SLURM job {slurm_id or '(refused)'}, attempt {job['attempt']} of {job['retries'] + 1}:",
        *named,
        *([f"  and {len(open_parts) - 5} more"] if len(open_parts) > 5 else []),
        *([f"  SLURM's log: {slurm_log}"] if slurm_log else []),
        f"  reason: {reason.strip()}",
        "  it is tried again"
        if again
        else "  it is not tried again; correct the cause and start the same command again",
    ]
    return "\n".join(lines)

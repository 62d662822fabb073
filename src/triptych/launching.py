"""The processes that share one fit: how they are started, agree and part.

The script that is asked for several starts itself once per process and waits; each of them does the whole fit on the same
data, with its own share of the work inside the training loop (``triptych.parallel``).  Only the first one writes.  On one
machine they are children of the script; over several nodes SLURM's ``srun`` starts them.  No torch here: most fits are one
process.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import Any, NoReturn

from triptych.errors import DataError
from triptych.processes import GROUP, group

PATIENCE = 10  # seconds that the others have to end by themselves when one has failed


def agreed(value: Any) -> Any:
    """The value that the first process of the group has; alone, the value itself."""
    if group() is None:
        return value
    from triptych.parallel import broadcast

    return broadcast(value)


def part() -> None:
    """Let a group's processes go their own ways, when the last common step is done."""
    if group() is not None:
        from triptych.parallel import end

        end()


def launch(devices: int, nodes: int, device: str) -> None:
    """Start the processes of a fit, wait for them and exit as they did; returns in each of them, and where one is enough.

    Parameters
    ----------
    devices, nodes
        Processes on each node, and nodes.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    DataError
        When several nodes are asked for outside SLURM.
    """
    if devices * nodes == 1 or GROUP in os.environ:
        return
    said = json.dumps({"devices": devices, "nodes": nodes, "device": device})
    meeting = {"MASTER_ADDR": "127.0.0.1" if nodes == 1 else socket.gethostname(), "MASTER_PORT": str(_free_port())}
    environment = {**os.environ, GROUP: said, **meeting}
    sys.stdout.flush()
    if nodes > 1:
        _by_srun(devices, nodes, environment)
    sys.exit(_on_this_machine(devices, environment))


def _on_this_machine(devices: int, environment: dict[str, str]) -> int:
    """Start a child per device, hand signals on, and return the first exit code that is not 0."""
    threads = str(max(1, len(os.sched_getaffinity(0)) // devices)) if hasattr(os, "sched_getaffinity") else "1"
    environment = {"OMP_NUM_THREADS": threads, **environment, "NODE_RANK": "0"}
    children: list[subprocess.Popen] = []

    def hand_on(number: int, _: Any) -> None:
        for child in children:
            child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, hand_on)
    try:
        for k in range(devices):
            environment["LOCAL_RANK"] = str(k)
            children.append(subprocess.Popen(_again(), env=environment))
        return _wait(children)
    finally:
        for child in children:
            child.kill()


def _wait(children: list[subprocess.Popen]) -> int:
    """The first exit code that is not 0; the others are then given ``PATIENCE`` to end."""
    deadline, first = float("inf"), 0
    while running := [child for child in children if child.poll() is None]:
        failed = [child.returncode for child in children if child.returncode]
        if failed and not first:
            first, deadline = failed[0], time.monotonic() + PATIENCE
        if time.monotonic() > deadline:
            for child in running:
                child.kill()
        time.sleep(0.05)
    first = first or next((child.returncode for child in children if child.returncode), 0)
    return 128 - first if first < 0 else first


def _by_srun(devices: int, nodes: int, environment: dict[str, str]) -> NoReturn:
    """Become an ``srun`` over the nodes of this SLURM job, beside the step that runs the script."""
    if "SLURM_JOB_ID" not in environment or not shutil.which("srun"):
        raise DataError(
            f"`nodes: {nodes}` needs SLURM, and this is no SLURM job; run with `--profile slurm`, or say `nodes: 1`"
        )
    cpus = int(environment.get("SLURM_CPUS_PER_TASK") or devices)
    words = ["srun", "--overlap", "--kill-on-bad-exit=1", "--input=none", f"--nodes={nodes}", f"--ntasks={nodes * devices}",
             f"--ntasks-per-node={devices}", f"--cpus-per-task={max(1, cpus // devices)}"]  # fmt: skip
    # what the step of the script was given would bind the new one
    own = {"SLURM_JOB_ID", "SLURM_JOBID", "SLURM_CONF"}
    kept = {k: v for k, v in environment.items() if k in own or not k.startswith(("SLURM_", "SRUN_", "SBATCH_"))}
    os.execvpe("srun", [*words, *_again()], kept)


def _again() -> list[str]:
    """The command that started this process."""
    return [sys.executable, *sys.orig_argv[1:]]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("", 0))
        return one.getsockname()[1]

"""How a script of the workflow gets its arguments and reports a fault.

A script is one typed function; ``main`` fills its parameters from ``--name value`` and turns a ``TriptychError`` into one clear
message in the job's log.
"""

import argparse
import inspect
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

from triptych.errors import TriptychError


def main(run: Callable[..., None]) -> None:
    """Call ``run`` with its keyword parameters from the command line.

    ``Path`` and ``str`` are taken as they are, ``list[Path]`` takes any number of values, everything else is JSON.
    """
    parser = argparse.ArgumentParser(description=inspect.getdoc(run), allow_abbrev=False)
    hints = get_type_hints(run)
    for name, parameter in inspect.signature(run).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        kind: dict[str, Any] = {"required": required, "default": None if required else parameter.default}
        if hints[name] == list[Path]:
            parser.add_argument(f"--{name}", nargs="*", type=Path, **kind)
        else:
            parser.add_argument(f"--{name}", type=hints[name] if hints[name] in (Path, str) else json.loads, **kind)
    before = time.process_time()
    _note_place()
    try:
        run(**vars(parser.parse_args()))
    except TriptychError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    _note_times(before)
    if run.__module__ == "__main__":
        # All outputs are in place. pyarrow's threads sometimes abort the process while the interpreter takes itself down
        # ("terminate called without an active exception", apache/arrow#34314), which would fail a job that has succeeded.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _note_place() -> None:
    """In a SLURM job: say in the log where it runs, and which GPUs were allotted."""
    if job := os.environ.get("SLURM_JOB_ID"):
        node, gpus = os.environ.get("SLURMD_NODENAME", "?"), os.environ.get("CUDA_VISIBLE_DEVICES", "none")
        print(f"SLURM job {job} on {node}, CUDA_VISIBLE_DEVICES {gpus}", flush=True)


def _note_times(before: float) -> None:
    """For benchmarks: append the script's name and its CPU seconds before and inside ``run`` to the file TRIPTYCH_TIMINGS."""
    if path := os.environ.get("TRIPTYCH_TIMINGS"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{Path(sys.argv[0]).stem}\t{before:.3f}\t{time.process_time() - before:.3f}\n")

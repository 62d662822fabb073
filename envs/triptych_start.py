"""Snakemake starts without pandas.

``install.sh`` copies this file into the environment, where a line of ``triptych_start.pth`` imports it at each start of Python.
Snakemake loads every executor plugin at its start, and one file of that for SLURM imports pandas, for a report that few ask for:
almost half of the CPU of `snakemake --version`, three times in each SLURM job (docs/upstream.md, 14).  In a process of Snakemake
that file is loaded when the report is made.  Without this file all works, and starts later.
"""

import sys
from importlib import import_module
from types import ModuleType

FILE, FUNCTION = "snakemake_executor_plugin_slurm.efficiency_report", "create_efficiency_report"


def later(*args, **named):
    """Load the file, and do what was asked of it."""
    del sys.modules[FILE]
    return getattr(import_module(FILE), FUNCTION)(*args, **named)


if any(word.replace("\\", "/").rpartition("/")[2] == "snakemake" for word in sys.orig_argv[1:3]):
    sys.modules[FILE] = ModuleType(FILE)
    setattr(sys.modules[FILE], FUNCTION, later)

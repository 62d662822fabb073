"""A process of Snakemake loads pandas when it is used, not at its start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENVS = Path(__file__).parents[2] / "envs"
LOOK = """\
import sys
import triptych_start
from snakemake_executor_plugin_slurm import create_efficiency_report
print("pandas" in sys.modules)
try:
    create_efficiency_report(e_threshold=0.8, run_uuid="none", e_report_path=None, logger=None)
except Exception as error:  # there is no such run, nor sacct perhaps
    pass
print("pandas" in sys.modules, create_efficiency_report.__module__)
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("snakemake", "False\nTrue triptych_start\n"),
        ("other", "True\nTrue snakemake_executor_plugin_slurm.efficiency_report\n"),
    ],
)
def test_in_a_process_of_snakemake_the_report_of_the_plugin_is_loaded_when_it_is_made(tmp_path, name, said):
    (tmp_path / name).write_text(LOOK)
    env = {**os.environ, "PYTHONPATH": str(ENVS)}
    done = subprocess.run([sys.executable, tmp_path / name], env=env, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (said, "")


def test_the_environment_starts_snakemake_without_it():
    if not (Path(sys.prefix) / ".ok").exists():
        pytest.skip("this environment was not made by `make`: Snakemake starts later in it, else all is the same")
    command, env = [sys.executable, "-m", "snakemake", "--version"], {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    loaded = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stderr
    assert "snakemake_executor_plugin_slurm" in loaded
    assert "pandas" not in loaded

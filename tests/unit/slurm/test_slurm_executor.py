"""The command of a SLURM job; what else is changed in the plugin is tested on a real cluster (tests/slurm)."""

import pytest

from triptych.slurm.executor import inside_job

CALL = "python -m snakemake --target-jobs 'a:' --executor slurm-jobstep --jobs 1 --mode remote"


def test_a_job_on_one_node_is_run_by_one_snakemake():
    called = inside_job(CALL, nodes=1, mpi=False)
    assert called == "trap '' USR1; python -m snakemake --target-jobs 'a:' --executor local --mode remote"


@pytest.mark.parametrize(("nodes", "mpi"), [(2, False), (1, True)])
def test_several_nodes_and_mpi_keep_their_step(nodes, mpi):
    assert inside_job(CALL, nodes, mpi) == f"trap '' USR1; {CALL}"


def test_another_version_of_the_plugin_is_noticed():
    with pytest.raises(ValueError, match="calls its jobs in another way: python --executor jobstep"):
        inside_job("python --executor jobstep", nodes=1, mpi=False)

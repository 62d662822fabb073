"""A cluster for all tests of this folder; they are asked for by `make test-slurm`."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from cluster import PACKAGES, Cluster, missing
from runs import Run
from scenarios import FAULTS, MECHANICS
from studies import STUDIES, distributed

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.usefixtures("asked_for"))


@pytest.fixture(scope="session")
def asked_for():
    if not os.environ.get("TRIPTYCH_TEST_SLURM"):
        pytest.skip("a SLURM cluster is brought up for these tests by: make test-slurm")
    if gone := missing():
        pytest.skip(
            f"SLURM is not installed ({', '.join(gone)}); on Debian: apt install {PACKAGES}, or make test-slurm"
        )


@contextmanager
def _running(**how):
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:  # short: sockets lie in it
        one = Cluster(Path(folder) / "c", **how)
        try:
            one.up()
            yield one
        finally:
            one.down()


@pytest.fixture(scope="session")
def cluster(asked_for):
    """A running cluster, gone after the last test."""
    with _running() as one:
        yield one


@pytest.fixture(scope="session")
def forgetful(asked_for):
    """A second one, for faults of its daemons, that forgets a job some seconds after its end."""
    with _running(min_job_age=5) as one:
        yield one


@pytest.fixture(scope="session")
def outcome(request, tmp_path_factory):
    """Ask for the outcome of a scenario by its function.

    All scenarios of the selected files start at once; what still runs when the tests are stopped is killed.
    """
    base, files = tmp_path_factory.mktemp("slurm"), {item.path.stem for item in request.session.items}
    of_file = {"test_study_on_slurm": STUDIES, "test_mechanics": MECHANICS + FAULTS, "test_distributed": (distributed,)}
    wanted = [one for file, some in of_file.items() if file in files for one in some]
    alone = {*FAULTS, distributed}
    on = {True: "forgetful", False: "cluster"}
    on = {where: request.getfixturevalue(on[where]) for where in {one in alone for one in wanted}}
    # a fault hits all that runs on its cluster: there one scenario follows the other
    with ThreadPoolExecutor(32) as many, ThreadPoolExecutor(1) as single:
        started = {
            one: (single if one in alone else many).submit(one, base / one.__name__, on[one in alone]) for one in wanted
        }
        yield lambda one: started[one].result()
        for run in Run.alive:
            run.kill()

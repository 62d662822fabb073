"""A cluster for all tests of this folder; they are asked for by `make test-slurm`."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from cluster import PACKAGES, Cluster, missing
from runs import Run

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
def side_by_side():
    """Runs several scenarios at once; each test waits for its own. What still runs when the tests are stopped is killed."""
    with ThreadPoolExecutor(16) as pool:
        yield pool
        for run in Run.alive:
            run.kill()

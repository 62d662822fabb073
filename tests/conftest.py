"""What all tests share."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # several test processes share the cores; read when numpy is imported

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_root():
    """Folder of raw data: TRIPTYCH_DATA, else ``shared/data`` beside the clone; a test that needs it is skipped without it."""
    named = os.environ.get("TRIPTYCH_DATA")
    root = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not root.is_dir():
        pytest.skip(f"no raw data: {root} is not a folder; set TRIPTYCH_DATA to the data root")
    return root

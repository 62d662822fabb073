"""One scan, one job: it always ends with a status; a scan that cannot be used costs itself."""

from pathlib import Path
from typing import Any

from triptych.errors import DataError
from triptych.mri import derivatives
from triptych.mri.chain import Options, preprocess
from triptych.mri.meter import Meter
from triptych.mri.reading import read

MENDED = "mend or replace the file, or leave the scan out"


def process(path: Path, name: str, anat: Path, here: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Preprocess a scan and write what comes out.

    Parameters
    ----------
    path
        The NIfTI file.
    name
        ``sub-<label>[_ses-<label>][_run-<n>]``.
    anat, here
        Folders of the derivatives, and of arrays and picture.
    options
        Fields of ``triptych.mri.chain.Options``.

    Returns
    -------
    status
        ``status`` (``ok`` or ``quarantined``), ``reason``, ``advice``, ``files`` (what: path, sha256), ``columns`` (values), ``notes``.
    """
    asked, meter = Options(**options), Meter()
    try:
        with meter.step("reading"):
            scan = read(path)
        found = preprocess(scan, asked, meter)
    except DataError as error:
        derivatives.remove(here)
        return _status("quarantined", str(error), MENDED)
    notes = {"steps": found.steps, "stripped": found.look.stripped, "shape": list(scan.values.shape)}
    if found.faults:
        derivatives.remove(here)
        files = derivatives.write(found, name, anat, here, only=("picture",))
        first = found.faults[0]
        return _status("quarantined", first.reason, first.advice, files, found.columns, notes)
    return _status("ok", "", "", derivatives.write(found, name, anat, here), found.columns, notes)


def _status(
    status: str,
    reason: str,
    advice: str,
    files: dict[str, list[str]] | None = None,
    columns: dict[str, float] | None = None,
    notes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    rounded = {name: float(f"{value:.6g}") for name, value in (columns or {}).items()}
    return {
        "status": status,
        "reason": reason,
        "advice": advice,
        "files": files or {},
        "columns": rounded,
        "notes": notes or {},
    }

"""One scan, one job: it always ends with a status; a scan that cannot be used costs itself."""

from pathlib import Path
from typing import Any

from triptych import raw
from triptych.bids.verdict import Unusable, unforeseen
from triptych.errors import DataError
from triptych.mri import derivatives
from triptych.mri.chain import Options, Preprocessed, preprocess
from triptych.mri.meter import Meter
from triptych.mri.reading import acquisition, read
from triptych.mri.volume import Volume

MENDED = "mend or replace the file, or leave the scan out"


def process(
    bids: dict[str, Any], root: Path | None, name: str, folder: Path, here: Path, options: dict[str, Any]
) -> dict[str, Any]:
    """Preprocess a scan and write what comes out.

    Parameters
    ----------
    bids
        What was said of the scan when it was put into its BIDS data set (``triptych.bids.making``).
    root
        Data root, or None.
    name
        ``sub-<label>[_ses-<label>][_run-<n>]``.
    folder, here
        The data set of derivatives, and the folder of arrays and picture.
    options
        Fields of ``triptych.mri.chain.Options``.

    Returns
    -------
    status
        ``status`` (``ok`` or ``quarantined``), ``reason``, ``advice``, ``files`` (what: path, sha256), ``columns`` (values) and
        ``notes``.
    """
    if bids["status"] != "ok":
        derivatives.remove(name, folder, here)
        return _status("quarantined", bids["reason"], bids["advice"])
    asked = Options(**options)
    try:
        path = raw.image_path(bids["files"]["t1w"][0], None, root)
        found, notes = _preprocessed(path, asked)
        fault = found.faults[0] if found.faults else None
        if fault:
            derivatives.remove(name, folder, here)
        only = ("picture",) if fault else ()
        files = derivatives.write(found, name, folder, here, derivatives.within(path), only)
    except Exception as error:
        derivatives.remove(name, folder, here)
        reason, advice = _said(error)
        return _status("quarantined", reason, advice)
    if fault:
        return _status("quarantined", fault.reason, fault.advice, files, found.columns, notes)
    return _status("ok", "", "", files, found.columns, notes)


def _preprocessed(path: Path, options: Options) -> tuple[Preprocessed, dict[str, Any]]:
    """What comes out of one file, and what is to be noted of it."""
    meter, said = Meter(), list[str]()
    found = preprocess(_read(path, said, meter), options, meter)  # no name here, so that the chain can free it
    notes = {"said": said, "steps": found.steps, "stripped": found.look.stripped, "shape": list(found.shape)}
    return found, notes | acquisition(path)


def _read(path: Path, said: list[str], meter: Meter) -> Volume:
    with meter.step("reading"):
        return read(path, said)


def _said(error: Exception) -> tuple[str, str]:
    """Reason and advice for a scan whose preprocessing ended with an error."""
    if isinstance(error, RuntimeError) and "itk" in str(error).lower():  # what is no head: say, nothing is left of it
        return f"a step of ITK failed: {str(error).splitlines()[-1].strip()}", MENDED
    if not isinstance(error, DataError):
        error = unforeseen(error, private=False)
    return (error.reason, error.advice) if isinstance(error, Unusable) else (str(error), MENDED)


def _status(
    status: str,
    reason: str,
    advice: str,
    files: dict[str, list[str]] | None = None,
    columns: dict[str, float] | None = None,
    notes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    rounded = {name: float(f"{value:.6g}") for name, value in (columns or {}).items()}
    told = {"status": status, "reason": reason, "advice": advice}
    return {**told, "files": files or {}, "columns": rounded, "notes": notes or {}}

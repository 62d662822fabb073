"""One scan, one job: it always ends with a status; a scan that cannot be used costs itself."""

from pathlib import Path
from typing import Any

from triptych import raw
from triptych.bids.verdict import Unusable
from triptych.errors import DataError
from triptych.mri import derivatives
from triptych.mri.chain import Options, preprocess
from triptych.mri.meter import Meter
from triptych.mri.reading import acquisition, read

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
        derivatives.remove(here)
        return _status("quarantined", bids["reason"], bids["advice"])
    path, meter = raw.image_path(bids["files"]["t1w"][0], None, root), Meter()
    said: list[str] = []
    try:
        with meter.step("reading"):
            scan = read(path, said)
        found = preprocess(scan, Options(**options), meter)
    except RuntimeError as error:  # of ITK, about images that are no heads: say, nothing left of the brain at a coarse level
        derivatives.remove(here)
        return _status("quarantined", f"a step of ITK failed: {str(error).splitlines()[-1].strip()}", MENDED)
    except DataError as error:
        derivatives.remove(here)
        reason, advice = (error.reason, error.advice) if isinstance(error, Unusable) else (str(error), MENDED)
        return _status("quarantined", reason, advice)
    fault = found.faults[0] if found.faults else None
    if fault:
        derivatives.remove(here)
    parts = dict(part.split("-", 1) for part in name.split("_"))
    anat = folder / f"sub-{parts['sub']}" / (f"ses-{parts['ses']}" if "ses" in parts else "") / "anat"
    files = derivatives.write(found, name, anat, here, only=("picture",) if fault else ())
    notes: dict[str, Any] = {
        "said": said,
        "steps": found.steps,
        "stripped": found.look.stripped,
        "shape": list(scan.values.shape),
    }
    notes |= acquisition(path)
    if fault:
        return _status("quarantined", fault.reason, fault.advice, files, found.columns, notes)
    return _status("ok", "", "", files, found.columns, notes)


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

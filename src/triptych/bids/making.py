"""One scan: looked at, converted where it is DICOM, stripped of what says who was scanned, and laid out in the BIDS data set."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from triptych.bids import archive, contrast, dicom, layout, nifti, privacy, pseudonym, sidecar
from triptych.bids.pseudonym import Person
from triptych.bids.verdict import Unusable, unforeseen
from triptych.scans import Scan


def make(scan: Scan, bids: Path) -> dict[str, Any]:
    """Put a scan into the BIDS data set ``bids``.

    Returns
    -------
    dict
        ``name``, ``status`` (``ok`` or ``quarantined``), ``reason``, ``advice``, ``notes``; ``files``: what was made, ``t1w`` and
        ``sidecar``, each with its path and sha256; ``voxels``: a hash of the intensities, by which copies are found. A scan that
        cannot be used makes no file.
    """
    notes: list[str] = []
    try:
        with tempfile.TemporaryDirectory() as work:
            volume, described, person = _source(scan, Path(work), notes)
        pseudonym.check(scan.participant_id, scan.session_id, person, notes)
        kept = privacy.sidecar(described, person.secret)
        if lost := sorted(set(privacy.KEPT) & set(described) - set(kept)):
            notes.append(f"left out, since the text is long or may say who was scanned or where: {', '.join(lost)}")
        made = layout.write(volume, kept, bids, scan)
    except Exception as error:
        layout.remove(bids, scan)
        return _told(scan, notes, _said(error))
    return _told(scan, notes) | {
        "files": {name: [str(path), _sha256(path)] for name, path in zip(("t1w", "sidecar"), made, strict=True)},
        "voxels": _voxels(volume),
    }


def look(scan: Scan, root: Path) -> dict[str, Any]:
    """The same of an image of a BIDS data set that is read in place, whose root is ``root``; nothing is written."""
    notes: list[str] = []
    try:
        described = sidecar.inherited(scan.source, root)
        contrast.check(scan.source.name, described, notes)
        volume = nifti.read(scan.source, notes)
    except Exception as error:
        return _told(scan, notes, _said(error))
    return _told(scan, notes) | {"files": {"t1w": [scan.file, _sha256(scan.source)]}, "voxels": _voxels(volume)}


def _source(scan: Scan, work: Path, notes: list[str]) -> tuple[nifti.Volume, dict[str, Any], Person]:
    """Volume, all that is said of it, and what of that is secret."""
    if not archive.holds_dicom(scan.source):
        described = sidecar.beside(scan.source)
        contrast.check(scan.source.name, described, notes)
        return nifti.read(scan.source, notes), described, pseudonym.person(described.get)
    with archive.opened(scan.source) as folder:
        made = dicom.convert(folder, work, notes, scan.series)
    contrast.check("", made.sidecar, notes)
    volume = nifti.read(made.image, notes)
    if made.n_slices and made.n_slices not in volume.values.shape:
        shown = " x ".join(map(str, volume.values.shape))
        raise Unusable(f"{made.n_slices} slices went into dcm2niix, and {shown} voxels came out", dicom.GAP)
    return volume, made.sidecar, made.person


def _said(error: Exception) -> Unusable:
    """Why a scan is set aside; messages of libraries may quote its headers, and are not shown."""
    return error if isinstance(error, Unusable) else unforeseen(error, private=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _voxels(volume: nifti.Volume) -> str:
    return hashlib.sha256(volume.stored).hexdigest()[:16]


def _told(scan: Scan, notes: list[str], error: Unusable | None = None) -> dict[str, Any]:
    status = {"status": "ok", "reason": "", "advice": ""}
    if error:
        status = {"status": "quarantined", "reason": error.reason, "advice": error.advice}
    return {"name": scan.name, **status, "notes": notes, "files": {}, "voxels": ""}

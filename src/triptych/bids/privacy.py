"""What must not be published: who a person is, and when they were scanned.

Sidecars keep what is listed here and nothing else; text in NIfTI headers is emptied; what DICOM headers say of the person, the
hospital and its staff is looked for in everything that is kept.  Faces are not removed.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

# Acquisition and scanner, BIDS 1.10 "Magnetic Resonance Imaging"; no names, dates, times, institutions, serial or other numbers
# that stand for one person or one machine, and no free text.
KEPT = [
    "Manufacturer",
    "ManufacturersModelName",
    "MagneticFieldStrength",
    "ImagingFrequency",
    "SoftwareVersions",
    "Modality",
    "MRAcquisitionType",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "SequenceName",
    "PulseSequenceType",
    "NonlinearGradientCorrection",
    "ImageType",
    "ReceiveCoilName",
    "ReceiveCoilActiveElements",
    "MTState",
    "SpoilingState",
    "ParallelReductionFactorInPlane",
    "ParallelAcquisitionTechnique",
    "PartialFourier",
    "PartialFourierDirection",
    "EchoTime",
    "RepetitionTime",
    "InversionTime",
    "FlipAngle",
    "EchoTrainLength",
    "NumberOfAverages",
    "PixelBandwidth",
    "DwellTime",
    "SliceThickness",
    "SpacingBetweenSlices",
    "AcquisitionMatrixPE",
    "ReconMatrixPE",
    "PercentPhaseFOV",
    "PercentSampling",
    "PhaseEncodingSteps",
    "PhaseEncodingDirection",
    "InPlanePhaseEncodingDirectionDICOM",
    "BodyPartExamined",
    "PatientPosition",
    "AcquisitionDuration",
    "SkullStripped",
    "ConversionSoftware",
    "ConversionSoftwareVersion",
    "SAR",
    "TxRefAmp",
    "ImageOrientationPatientDICOM",
]
TAGS = [
    "PatientName",
    "PatientID",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientBirthDate",
    "MilitaryRank",
    "PatientReligiousPreference",
    "IssuerOfPatientID",
    "AccessionNumber",
    "StudyID",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "OperatorsName",
    "RequestingPhysician",
    "PhysiciansOfRecord",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "StationName",
    "DeviceSerialNumber",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
]  # of DICOM, whose values say who, where and when
TEXTS = ("descrip", "aux_file", "intent_name", "db_name", "data_type")  # of a NIfTI header
SHORTEST = 3  # characters; shorter pieces of names stand in too many words
LONGEST = 64  # characters of a text that is kept


def tokens(values: Iterable[Any]) -> frozenset[str]:
    """Pieces of what says who a person is, folded: ``"Doe^Jane"`` gives doe and jane."""
    texts = [str(value).casefold() for value in values if value]
    pieces = [piece for text in texts for piece in [text, *re.split(r"[\s^,;/\\\\=]+", text)]]
    return frozenset(piece for piece in pieces if len(piece) >= SHORTEST)


def screened(text: str, secret: frozenset[str]) -> str:
    """A text for a message, with every piece that says who a person is replaced by stars."""
    for piece in sorted(secret, key=len, reverse=True):
        text = re.sub(re.escape(piece), "***", text, flags=re.I)
    return text


def sidecar(content: dict[str, Any], secret: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What of a sidecar is kept: known keys whose value is a number, a short text, or a list of those, and names nobody."""
    return {key: value for key, value in sorted(content.items()) if key in KEPT and _harmless(value, secret)}


def _harmless(value: Any, secret: frozenset[str]) -> bool:
    if isinstance(value, list):
        return all(_harmless(item, secret) for item in value)
    if isinstance(value, str):
        return len(value) <= LONGEST and screened(value, secret) == value
    return isinstance(value, bool | int | float) and math.isfinite(value)


def header(found: Any) -> Any:
    """A copy of a NIfTI header without any text."""
    bare = found.copy()
    for name in TEXTS:
        if name in bare.keys():  # noqa: SIM118 - a header is no mapping
            bare[name] = b""
    return bare

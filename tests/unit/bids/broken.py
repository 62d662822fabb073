"""Small NIfTI files, good and broken in one way each; DICOM series, made and spoilt in one way each."""

import gzip
import shutil
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, RLELossless, generate_uid

SHAPE, SIZE = (24, 26, 22), 3.0
PERSON = {  # planted in headers, to be looked for in what is published
    "PatientName": "Muellerova^Hannelore",
    "PatientID": "HOSP-778812",
    "PatientBirthDate": "19510317",
    "PatientAddress": "Lindenweg 5",
    "ReferringPhysicianName": "Quacksalber^Otto",
    "OperatorsName": "Zirkonia",
    "InstitutionName": "Sankt Nimmerlein Klinik",
    "InstitutionAddress": "Holzweg 12 Entenhausen",
    "StationName": "SCANNER77X",
    "DeviceSerialNumber": "SN4711-0815",
    "AccessionNumber": "ACC993311",
    "StudyID": "STUDY5566",
    "StudyDate": "20190611",
    "SeriesDate": "20190611",
    "AcquisitionDate": "20190611",
    "StudyTime": "101112",
}


def voxels(shape=SHAPE, seed=0):
    """A bright ellipsoid with noise, int16."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    inside = sum(a**2 for a in axes) < 0.7
    return (600 * inside + np.random.default_rng(seed).integers(0, 80, shape)).astype(np.int16)


def image(values=None, affine=None):
    """A good image, RAS, 3 mm."""
    values = voxels() if values is None else values
    affine = np.diag([SIZE, SIZE, SIZE, 1.0]) if affine is None else affine
    made = nib.Nifti1Image(values, affine)
    made.header.set_xyzt_units("mm")
    made.set_sform(affine, 1)
    made.set_qform(affine, 1)
    return made


def save(path, made=None):
    """Write an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(made or image(), path)
    return path


def patched(path, at, kind, *values):
    """A file whose header holds other values at an offset, in ``struct``'s words."""
    content = bytearray(gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes())
    struct.pack_into(f"<{kind}", content, at, *values)
    path.write_bytes(gzip.compress(bytes(content)) if path.name.endswith(".gz") else bytes(content))
    return path


def series(folder, n=20, *, number=1, description="T1 MPRAGE", shape=(24, 26), uid=None, seed=0, **tags):
    """A sagittal DICOM series of ``n`` slices; returns its files in order."""
    folder.mkdir(parents=True, exist_ok=True)
    study, uid, frame = generate_uid(), uid or generate_uid(), generate_uid()
    values, files = voxels((*shape, n), seed), []
    for k in range(n):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = MRImageStorage, ExplicitVRLittleEndian
        meta.MediaStorageSOPInstanceUID = generate_uid()
        data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, uid, frame
        data.Modality, data.Manufacturer, data.ManufacturerModelName = "MR", "Philips", "Ingenia"
        data.MagneticFieldStrength, data.EchoTime, data.RepetitionTime = 3.0, 2.98, 2300.0
        data.SeriesNumber, data.SeriesDescription, data.ProtocolName = number, description, description
        data.PatientPosition, data.ImageType = "HFS", ["ORIGINAL", "PRIMARY", "M", "ND"]
        data.SeriesTime = data.AcquisitionTime = data.ContentTime = "101500"
        for name, value in {**PERSON, **tags}.items():
            setattr(data, name, value)
        data.InstanceNumber, data.AcquisitionNumber = k + 1, 1
        data.ImageOrientationPatient, data.ImagePositionPatient = [0, 1, 0, 0, 0, -1], [-40 + 3.0 * k, -50, 50]
        data.PixelSpacing, data.SliceThickness = [3.0, 3.0], 3.0
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = *shape, 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 1
        data.PixelData = values[:, :, k].astype("<i2").tobytes()
        path = folder / f"{number:02d}_{k + 1:04d}.dcm"
        data.save_as(path, enforce_file_format=True)
        files.append(path)
    return files


def retagged(path, **tags):
    """A DICOM file with other values."""
    data = pydicom.dcmread(path)
    for name, value in tags.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)


def repacked(path, syntax):
    """The same DICOM file in another transfer syntax."""
    data = pydicom.dcmread(path)
    if syntax == RLELossless:
        data.compress(RLELossless, generate_instance_uid=False)
        data.save_as(path, enforce_file_format=True)
    else:
        data.file_meta.TransferSyntaxUID = syntax
        data.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=True)


def enhanced(folder, n=20):
    """The same series in one file, as an Enhanced MR Image."""
    data = pydicom.dcmread(series(folder / "classic", 1)[0])
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    axes, repetition, echo = data.ImageOrientationPatient, data.RepetitionTime, data.EchoTime
    for name in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "SliceThickness",
        "EchoTime",
        "RepetitionTime",
    ):
        delattr(data, name)
    data.NumberOfFrames = n
    shared = {
        "PixelMeasuresSequence": {"PixelSpacing": [3.0, 3.0], "SliceThickness": 3.0},
        "PlaneOrientationSequence": {"ImageOrientationPatient": axes},
        "MRTimingAndRelatedParametersSequence": {"RepetitionTime": repetition, "FlipAngle": 9.0},
        "MREchoSequence": {"EffectiveEchoTime": echo},
    }
    data.SharedFunctionalGroupsSequence = [_groups(shared)]
    frames = []
    for k in range(n):
        place = {"StackID": "1", "InStackPositionNumber": k + 1, "DimensionIndexValues": [1, k + 1]}
        position = {"ImagePositionPatient": [-40 + 3.0 * k, -50, 50]}
        frames.append(_groups({"PlanePositionSequence": position, "FrameContentSequence": place}))
    data.PerFrameFunctionalGroupsSequence = frames
    data.PixelData = np.moveaxis(voxels((24, 26, n)), 2, 0).astype("<i2").tobytes()
    data.save_as(folder / "enhanced.dcm", enforce_file_format=True)
    shutil.rmtree(folder / "classic")
    return folder / "enhanced.dcm"


def _groups(sequences):
    made = Dataset()
    for name, values in sequences.items():
        item = Dataset()
        for key, value in values.items():
            setattr(item, key, value)
        setattr(made, name, [item])
    return made


def all_text(folder: Path) -> str:
    """Every byte of every file below a folder, unpacked, and the names of the files; folded."""
    parts = []
    for path in sorted(folder.rglob("*")):
        parts.append(path.relative_to(folder).as_posix())
        if path.is_file():
            content = path.read_bytes()
            parts.append((gzip.decompress(content) if path.name.endswith(".gz") else content).decode("latin-1"))
    return "\n".join(parts).casefold()

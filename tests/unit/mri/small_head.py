"""How the small head of these tests is preprocessed."""

from triptych.mri.chain import Options

VOXEL = 4.0  # mm
OPTIONS = Options(resolution=4.0, regions=10)

"""Average where the fits of a model look: an image in MNI space, its peaks, and a figure."""

from pathlib import Path

from triptych import tables
from triptych.figures._brain import draw
from triptych.figures._style import save
from triptych.job import main
from triptych.maps import affine_of, mean_map, peaks, unit, write_image


def run(*, notes: list[Path], label: str, image: Path, data: Path, svg: Path) -> None:
    """Write the mean map as NIfTI, its peaks, and the figure as SVG, PDF and PNG."""
    mean, brain = mean_map(notes)
    affine = affine_of(mean.shape)
    write_image(mean, affine, image)
    tables.write(peaks(mean, affine), data)
    save(draw(mean, brain, affine, label, unit(notes)), svg.with_suffix(""))


if __name__ == "__main__":
    main(run)

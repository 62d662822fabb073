"""Where DICOM files lie: a folder, or an archive of one (.zip, .tar, .tar.gz, .tgz), as scanners and portals hand them out."""

import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triptych.bids.verdict import Unusable

TAR, ZIP = (".tar", ".tar.gz", ".tgz"), (".zip",)
AGAIN = "copy the archive again, or unpack it and name the folder"


def holds_dicom(source: Path) -> bool:
    """Whether a source is a folder or an archive, and no single image."""
    return source.is_dir() or source.name.casefold().endswith(TAR + ZIP)


@contextmanager
def opened(source: Path) -> Iterator[Path]:
    """The folder, or one for the time being with what the archive holds.

    Raises
    ------
    Unusable
        When the archive cannot be unpacked; no message holds a name from inside it, which may be a person's.
    """
    if source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        _unpack(source, Path(folder))
        yield Path(folder)


def _unpack(source: Path, folder: Path) -> None:
    try:
        if source.name.casefold().endswith(ZIP):
            with zipfile.ZipFile(source) as packed:
                _check_room(sum(member.file_size for member in packed.infolist()), folder)
                packed.extractall(folder)
        else:
            with tarfile.open(source) as packed:
                _check_room(sum(member.size for member in packed), folder)
                packed.extractall(folder, filter="data")
    except FileNotFoundError:
        raise Unusable("no such file", "correct the path in the table") from None
    except tarfile.FilterError:
        raise Unusable("the archive holds a file that would lie outside of it", "pack the folder anew") from None
    except RuntimeError:
        raise Unusable("the archive is encrypted", "unpack it and name the folder") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise Unusable(f"the archive is cut off or damaged ({type(error).__name__})", AGAIN) from None


def _check_room(size: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise Unusable(
            f"unpacked, the archive would take {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free in {folder.parent}",
            "set TMPDIR to a folder with more room",
        )

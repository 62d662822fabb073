"""IXI: volumes of brain regions (DLMUSE) of 291 healthy people from three hospitals, with age and sex."""

from pathlib import Path

import pandas as pd

from triptych.raw import locate

TITLE = "IXI, volumes of 259 brain regions by DLMUSE, three London hospitals"
CITATION = (
    "IXI, brain-development.org (EPSRC GR/S21533/02); regions of MUSE: Doshi J et al. (2016). NeuroImage 127:186-195"
)
SOURCE = "https://github.com/CBICA/NiChart_Project (src/examples/IXI_ROIs, commit 1a04acb)"
LICENCE = "CC BY-SA 3.0 (IXI); volumes under the SBIA/CBICA licence, redistribution allowed with its text"
SHA256 = {
    "mri/ixi/IXI_DLMUSE_n291.csv": "aa2a880678916a26af60b8c32748764c7b78c91c500b5475919f0324ee3e92bc",
    "mri/ixi/IXI_demog_n291.csv": "290e9f549360629a182a864f78e2c613d7c7cfd885bee589c3fa190bc516fc5b",
}
COLUMNS = {
    "site": "hospital: Guys (1.5 T), HH (3 T) or IOP (1.5 T); the second part of the IXI id",
    "age": "age, years",
    "sex": "F or M",
    "icv": "intracranial volume, mm3 (region 702)",
    "roi_*": "volume of a MUSE region, named by its number, as a share of the intracranial volume",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per person."""
    volumes, people = (pd.read_csv(locate(file, "ixi_volumes", root)) for file in SHA256)
    table = people.merge(volumes, on="ID", validate="1:1")
    parts = table["ID"].str.split("-", expand=True)  # IXI013-HH-1212-T1
    regions = table.drop(columns=[*people.columns, "702"]).div(table["702"], axis=0).add_prefix("roi_")
    first = pd.DataFrame(
        {"participant_id": parts[0], "site": parts[1], "age": table["Age"], "sex": table["Sex"], "icv": table["702"]}
    )
    return pd.concat([first, regions], axis=1)

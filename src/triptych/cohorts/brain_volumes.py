"""Brain volumes of pystatsml: 310 people at 8 sites, most of them scanned two or three times, patients and controls."""

from pathlib import Path

import pandas as pd

from triptych.raw import locate

TITLE = "Global brain volumes of patients and controls, several sites and repeated sessions (pystatsml)"
CITATION = (
    "Duchesnay E, Löfstedt T (2017). Statistics and Machine Learning in Python. https://github.com/duchesnay/pystatsml"
)
SOURCE = "https://github.com/duchesnay/pystatsml (datasets/brain_volumes, commit e020a9f)"
LICENCE = "CC BY 4.0"
FILE = "mri/pystatsml_brain_volumes/brain_volumes.csv"
SHA256 = {
    "mri/pystatsml_brain_volumes/brain_volumes.csv": "5f816d737e16362a3692a628813432cdead0fdede0e9e23e70ebdda18bc6db45"
}
COLUMNS = {
    "site": "hospital, S1 to S8; nobody was scanned at two",
    "group": "Patient or Control, the diagnosis is not named; empty for all 17 people of S2",
    "age": "age, years",
    "sex": "F or M",
    "gm_vol": "grey matter, litres",
    "wm_vol": "white matter, litres",
    "csf_vol": "cerebrospinal fluid, litres",
}


def participants(root: Path | None) -> pd.DataFrame:
    """One row per scan; sessions are named as the file names them, also ``ses-01SE02`` and ``ses-01-alt03``."""
    return pd.read_csv(locate(FILE, "brain_volumes", root)).rename(columns={"session": "session_id"})

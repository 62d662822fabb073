"""Whether what was written about a scan says that it is something else than a T1-weighted head.

By names of the series, the file's name and the echo time.  Intensities are not asked: before the tissues are known they
tell contrasts apart too badly to set a scan aside.
"""

import re
from typing import Any

from triptych.bids.verdict import Unusable

NAMES = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName")
T1 = re.compile(r"t1|mp.?rage|spgr|bravo|mp2rage", re.I)
OTHER = re.compile(
    r"(?<![a-z0-9])(t2w?|t2star|flair|dark.?fluid|dwi|dti|adc|ep2d|epi|bold|localizer|scout|swi|asl|tof|pdw?)(?![a-z0-9])",
    re.I,
)
OTHER_IN_FILE = re.compile(
    r"(?<![a-z0-9])(t2w|flair|dwi|bold|localizer|scout)(?![a-z0-9])", re.I
)  # t2 may be a second visit
LONGEST_ECHO = 0.04  # s; T1-weighted scans have echo times below 25 ms, T2-weighted and FLAIR above 60 ms
ADVICE = "name the T1-weighted scan instead"


def check(file: str, sidecar: dict[str, Any], notes: list[str]) -> None:
    """Look at a scan's names and echo time; what is contradictory is added to ``notes``.

    Raises
    ------
    Unusable
        When they say clearly that it has another contrast.
    """
    said = {key: str(sidecar[key]) for key in NAMES if sidecar.get(key)}
    for key, text in said.items():
        if other := OTHER.search(text.replace("_", " ").replace("-", " ")):
            if not any(map(T1.search, said.values())):
                raise Unusable(f"not T1-weighted: {key} says {other[0]!r}", ADVICE)
            notes.append(f"{key} says {other[0]!r}, and T1 as well; taken as T1-weighted")
    other = OTHER_IN_FILE.search(file.replace("_", " ").replace("-", " "))
    if other and not T1.search(file):
        raise Unusable(f"not T1-weighted: the file's name says {other[0]!r}", ADVICE)
    echo = sidecar.get("EchoTime")
    if isinstance(echo, int | float) and echo > LONGEST_ECHO:
        raise Unusable(f"not T1-weighted: the echo time is {echo * 1000:g} ms", ADVICE)

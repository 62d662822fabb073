"""What makes two spellings one person, and the session of who has no other.  Standard library only: used while planning."""

import re

SESSION = "ses-1"


def canonical_id(text: str) -> str:
    """What two spellings of one id have in common: no blanks, no case, no zero padding (``" SUB-001"`` -> ``"sub-1"``)."""
    return re.sub(r"0*(\d+)", r"\1", re.sub(r"\s+", "", text).casefold())

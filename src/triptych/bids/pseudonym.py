"""Whether the name of a scan says who was scanned, or when: what its own header says of the person is looked for in its labels.

Names and dates set the scan aside.  Numbers are told only: data that were made anonymous often repeat the pseudonym as PatientID.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, MutableSequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from triptych.bids import privacy
from triptych.bids.names import label
from triptych.bids.verdict import Unusable

NAMES = ("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName")
NUMBERS = ("PatientID", "OtherPatientIDs", "AccessionNumber")
DATES = ("PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
SHORTEST = 3  # letters of a name that is looked for; shorter ones (Li) stand in too many words
SHORTEST_WHOLE = 4  # letters of family and given name together (lina)
DIGITS = 5  # from which on a number looks like one of a hospital
# What stands in the place of a name where there is none.
NO_NAMES = frozenset(
    re.findall(
        r"\w+",
        """sub subj subject pat patient participant proband anon anonym anonymous anonymized anonymised deidentified unknown
        noname name none test phantom volunteer control healthy case study pilot session visit ses mri prof""",
    )
)
LONG_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "æ": "ae", "ø": "oe", "å": "aa", "ł": "l", "đ": "d"})


@dataclass(frozen=True)
class Person:
    """What a header says of who was scanned, and when; folded, letters and digits only; never written anywhere.

    Attributes
    ----------
    secret
        Pieces of all such text, for ``privacy.screened``.
    names
        Names in the spellings that a label may have (mueller, muller).
    codes
        What stands in the place of a name and is none: it holds a digit, and one word at most.
    numbers
        Identifiers of the person.
    dates
        Date of birth and of the scan, in the ways to write them.
    """

    secret: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()


NOBODY = Person()


def person(get: Callable[[str], Any]) -> Person:
    """What a header says of the person; ``get`` gives the value of a DICOM keyword, or nothing."""
    numbers = {_bare(one) for one in _values(get, NUMBERS)}
    names: set[str] = set()
    codes: set[str] = set()
    for said in _values(get, NAMES):
        for part in re.split(r"[\^=]", said):
            if _is_code(part, numbers):
                codes.add(_bare(part))
        names |= _spelt([part for part in re.split(r"[\^=]", said) if not _is_code(part, numbers)])
    return Person(
        privacy.tokens(get(tag) for tag in privacy.TAGS),
        frozenset(names),
        frozenset(codes - {""}),
        frozenset(one for n in numbers for one in (n, *re.findall(r"\d+", n)) if sum(map(str.isdigit, one)) >= DIGITS),
        frozenset(written for said in _values(get, DATES) for written in _written(said)),
    )


def check(participant: str, session: str, who: Person, notes: list[str]) -> None:
    """Look at the ids that become labels of a scan; what may be an identifier is added to ``notes``.

    Raises
    ------
    Unusable
        When a label holds a name or a date of the header; the message does not repeat it.
    """
    labels = {"participant": label(participant, "sub-").casefold(), "session": label(session, "ses-").casefold()}
    words = privacy.tokens([participant, session]) | set(labels.values())
    other = {piece for piece in who.secret - NO_NAMES if piece.isalpha()} & words  # of staff and hospital, as a whole
    for what, text in labels.items():
        if other or any(name in text for name in who.names):
            raise Unusable(
                "the participant or session id holds a name that stands in the image's headers, and would become part of file "
                "names",
                "use a pseudonym as participant_id",
            )
        if any(day in text for day in who.dates):
            raise Unusable(
                f"the {what} id holds a date that stands in the image's headers (of birth, or of the scan), and would become "
                "part of file names",
                "use a pseudonym as participant_id, and name sessions by visit (M6); their dates belong into scan_date",
            )
        if any(number in text for number in who.numbers | who.codes):
            notes.append(
                f"the {what} id repeats the patient's number or code in the DICOM header: make sure that it is a pseudonym, and "
                "no number of a hospital"
            )


def _values(get: Callable[[str], Any], tags: Iterable[str]) -> list[str]:
    """The texts of some tags; one with several values gives each."""
    found = []
    for value in map(get, tags):
        several = value if isinstance(value, MutableSequence) else [value]
        found += [text for one in several if one and (text := str(one).strip())]
    return found


def _bare(text: str) -> str:
    return label(text, "sub-").casefold()


def _is_code(part: str, numbers: set[str]) -> bool:
    """Whether a part of a name is a pseudonym (MLAB_0017): it holds a digit, and is the number, or holds one word at most."""
    return any(c.isdigit() for c in part) and (_bare(part) in numbers or len(re.findall(r"[^\W\d_]+", part)) < 2)


def _spelt(parts: list[str]) -> set[str]:
    """Words of a name in the spellings that a label may have, and two of them together."""
    words = [word for part in parts for word in re.findall(r"[^\W\d_]+", part.casefold()) if word not in NO_NAMES]
    found = {one for word in words for one in _spellings(word) if len(one) >= SHORTEST}
    pairs = {"".join(two) for two in permutations(words[:3], 2)}
    return found | {one for pair in pairs for one in _spellings(pair) if len(one) >= SHORTEST_WHOLE}


def _spellings(word: str) -> set[str]:
    """``müller``: mueller, muller, and mller, which is left when other letters are dropped."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return {label(one, "") for one in (word, plain, word.translate(LONG_LETTERS))}


def _written(said: str) -> set[str]:
    """A date in the ways to write it with digits.

    The first of January is what stands where a day was removed: six digits of it (000101) may be any number.
    """
    digits = re.sub(r"\D", "", said)[:8]
    if len(digits) < 8 or not int(digits):
        return set()
    year, month, day = digits[:4], digits[4:6], digits[6:]
    short = [] if month == day == "01" else [year[2:]]
    return {date for y in (year, *short) for date in (y + month + day, day + month + y, month + day + y)}

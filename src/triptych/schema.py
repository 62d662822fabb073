"""JSON schema of a study file, for editors: ``python -m triptych.schema <path>`` writes it."""

import json
import sys
from pathlib import Path

from triptych.study import Study


def schema() -> str:
    """The schema as text; it names no plug-in, so that a new one changes no other file."""
    found = Study.model_json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema(), encoding="utf-8")

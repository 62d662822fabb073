"""JSON schema of a study file, for editors: ``python -m triptych.schema <path>`` writes it."""

import json
import sys
from pathlib import Path

from triptych import plugins
from triptych.study import Study


def schema() -> str:
    """The schema as text; the names of today's plug-ins are suggestions, not limits."""
    found = Study.model_json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    parts = found["$defs"]
    parts["Statistics"]["properties"]["metrics"]["items"]["examples"] = plugins.names("metrics")
    parts["Statistics"]["properties"]["figures"]["items"]["examples"] = plugins.names("figures")
    parts["Validation"]["properties"]["split"]["examples"] = plugins.names("splits")
    parts["Model"]["properties"]["use"]["examples"] = plugins.names("models")
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema(), encoding="utf-8")

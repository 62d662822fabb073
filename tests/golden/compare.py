"""Compare golden values made now with those in the repository: ``compare.py NEW OLD``; exit 1 and name what differs."""

import json
import math
import sys
from pathlib import Path


def differences(new, old, path="") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted({*new, *old})
        return [d for key in keys for d in differences(new.get(key), old.get(key), f"{path}/{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(new) == len(old):
        return [d for k, (a, b) in enumerate(zip(new, old, strict=True)) for d in differences(a, b, f"{path}/{k}")]
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (new, old))
    same = math.isclose(new, old, rel_tol=1e-9, abs_tol=1e-12) if numbers else new == old
    return [] if same else [f"{path}: {new!r} now, {old!r} in the repository"]


def main() -> int:
    new, old = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])
    versions = {"R", "versions", "version", "made_with", "r", "survival_version"}
    found = differences(
        {k: v for k, v in new.items() if k not in versions}, {k: v for k, v in old.items() if k not in versions}
    )
    print("\n".join(found) or "golden values: equal to 1e-9")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())

"""How a script of the workflow gets its arguments and reports a fault.

A script is one typed function; ``main`` fills its parameters from ``--name value`` and turns a ``TriptychError`` into one clear
message in the job's log.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

from triptych.errors import TriptychError


def main(run: Callable[..., None]) -> None:
    """Call ``run`` with its keyword parameters from the command line.

    ``Path`` and ``str`` are taken as they are, ``list[Path]`` takes any number of values, everything else is JSON.
    """
    parser = argparse.ArgumentParser(description=inspect.getdoc(run))
    hints = get_type_hints(run)
    for name, parameter in inspect.signature(run).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        kind: dict[str, Any] = {"required": required, "default": None if required else parameter.default}
        if hints[name] == list[Path]:
            parser.add_argument(f"--{name}", nargs="*", type=Path, **kind)
        else:
            parser.add_argument(f"--{name}", type=hints[name] if hints[name] in (Path, str) else json.loads, **kind)
    try:
        run(**vars(parser.parse_args()))
    except TriptychError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)

"""Where each key of a YAML file stands, so that an error can name file and line."""

from pathlib import Path
from typing import Any

import yaml

from triptych.errors import StudyError


class Where:
    """Remembers the line of each key, to name it in errors."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, ...], str] = {}
        self.files: list[str] = []

    def load(self, path: Path) -> dict[str, Any]:
        """The content of one YAML file."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise StudyError(
                f"{path}: cannot be read ({error.strerror}); name an existing study with --configfile"
            ) from None
        except UnicodeDecodeError as error:
            raise StudyError(f"{path}: not UTF-8 text ({error.reason}, byte {error.start}); save it as UTF-8") from None
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise StudyError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
        if not isinstance(content, dict):
            raise StudyError(f"{path}: a study is a mapping of keys, this file is not")
        if node is not None:
            self._remember(node, (), str(path))
        self.files.append(str(path))
        return content

    def __call__(self, *keys: str) -> str:
        """``file:line, key a.b`` of the deepest known part of a key."""
        for depth in range(len(keys), 0, -1):
            if keys[:depth] in self.lines:
                return f"{self.lines[keys[:depth]]}, key {'.'.join(keys)}"
        files = " + ".join(self.files) or "study"
        return f"{files}, key {'.'.join(keys)}" if keys else files

    def _remember(self, node: yaml.Node, keys: tuple[str, ...], path: str) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                here = (*keys, str(key.value))
                if key.value in seen:
                    raise StudyError(f"{path}:{key.start_mark.line + 1}, key {'.'.join(here)}: given twice; keep one")
                seen.add(key.value)
                self.lines[here] = f"{path}:{key.start_mark.line + 1}"
                self._remember(value, here, path)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.lines[(*keys, str(index))] = f"{path}:{item.start_mark.line + 1}"
                self._remember(item, (*keys, str(index)), path)

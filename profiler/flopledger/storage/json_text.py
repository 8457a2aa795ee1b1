"""JSON that can be read, and compared line by line."""

import json
from typing import Any


def json_text(value: Any) -> str:
    """The value as JSON: an entry of a dict a line, and a row of a list a line.

    Raises:
        ValueError: a number in it is not finite.
    """
    return f"{_text(value, '')}\n"


def _text(value: Any, indent: str) -> str:
    inner = f"{indent}  "
    if isinstance(value, dict) and value:
        lines = [f"{json.dumps(key)}: {_text(item, inner)}" for key, item in value.items()]
        return _enclosed("{", lines, indent, "}")
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return _enclosed("[", [_row(item) for item in value], indent, "]")
    return _row(value)


def _row(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _enclosed(start: str, lines: list[str], indent: str, end: str) -> str:
    return f"{start}\n" + ",\n".join(f"{indent}  {line}" for line in lines) + f"\n{indent}{end}"

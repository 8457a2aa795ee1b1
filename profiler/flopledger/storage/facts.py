"""Facts: TOML and CSV files, read whole or refused in one line that names file and key."""

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from flopledger.errors import FlopledgerError
from flopledger.storage.nearest_name import did_you_mean

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # but for tabs and new lines


def _web_address(text: str) -> str:
    if not re.fullmatch(r'https://[^\s/<>"]+\.[^\s<>"]+', text):
        raise ValueError(
            f"{text!r} is no address; begin with https://, and leave no space, quote, < or > in it"
        )
    return text


Url = Annotated[
    str, StringConstraints(max_length=2000), AfterValidator(_web_address)
]  # of the page, paper or file that was read


def check_dated(url: str | None, retrieved: date | None, otherwise: str = "") -> None:
    """Refuse an address that nobody read on a day, and a day on which nothing was read.

    Args:
        url: the address.
        retrieved: the day.
        otherwise: what else would mend an address without a day, for the message.

    Raises:
        ValueError: the message names the key.
    """
    if retrieved is not None and url is None:
        raise ValueError("retrieved says when, but url does not say where; give url")
    if retrieved is not None and retrieved > date.today():
        raise ValueError(f"retrieved is {retrieved}, a day to come; give the day it was")
    if url is not None and retrieved is None:
        raise ValueError(
            f"url says where, but not when it was read; give retrieved, the day{otherwise}"
        )


class BadFacts(FlopledgerError, ValueError):
    """A file of facts cannot be used; the message names the file, the table or row, and the key."""


class Table(BaseModel):
    """A TOML table, or a row of a CSV file: its fields are the keys, and there are no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Read = TypeVar("Read", bound=Table)


def facts_folder(*parts: str) -> Path:
    """The folder facts/, or what lies in it under that name."""
    return Path(str(files("flopledger.facts"))).joinpath(*parts)


def short_name(path: Path) -> str:
    """The file as messages call it: "facts/runs/alexnet.toml", or a path of the user's as given."""
    home = facts_folder()
    return f"facts/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def exists(path: Path) -> bool:
    """Whether there is such a file or folder; a name that is too long for one is none."""
    try:
        return path.exists()
    except OSError:  # Path.exists passes on what is no answer to it
        return False


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        BadFacts: there is no such file, it is no TOML, or a text holds a control character.
    """
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also of thousands of digits
        raise BadFacts(f"{short_name(path)}: not TOML: {error}") from error
    for place, text in _texts(data):
        wrong = _CONTROL.search(text)
        if wrong:  # which no file's name, no page and no terminal should get
            what = "NUL" if wrong[0] == "\0" else "control"
            raise BadFacts(f"{short_name(path)}: [{place}] holds a {what} character; remove it")
    return data


def _texts(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every key and text, with the key under which it stands; however deep, without recursion."""
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            yield from ((place, key) for key in value)
            waiting += [(f"{place}.{key}".lstrip("."), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{place}.{index}", inner) for index, inner in enumerate(value)]


def checked(
    model: type[Read], data: Any, path: Path, table: str = "", besides: Iterable[str] = ()
) -> Read:
    """A table as its model.

    Args:
        model: what the table holds.
        data: the table as read.
        path: the file that it stands in.
        table: its name, such as "images"; empty for the file's own keys.
        besides: keys that may stand in it and are checked elsewhere.

    Raises:
        BadFacts: a key is unknown or missing, or holds what it cannot.
    """
    own = data
    if isinstance(data, dict):
        own = {key: value for key, value in data.items() if key not in besides}
    try:
        return model.model_validate(own)
    except ValidationError as error:
        wrong = _first(error)
        loc = _keys(wrong["loc"], own)
        *tables, key = [str(part) for part in (table, *loc) if part != ""]
        place = ".".join((*tables, key))
        inside = f"[{'.'.join(tables)}] " if tables else ""
        key = key if len(key) <= 60 else f"{key[:57]}..."
        if wrong["type"] == "extra_forbidden":
            within = _table_at(model, loc[:-1])
            hint = did_you_mean(key, (*within.model_fields, *(besides if within is model else ())))
            what = f"{inside}{key} is no key here; {hint}"
        elif key == "source" and wrong["type"] in ("missing", "string_too_short"):
            fields = _table_at(model, loc[:-1]).model_fields
            kind = ', or say kind = "assumed" and why' if "kind" in fields else ""
            what = f"{inside}has no source; give the paper and section{kind}"
        elif wrong["type"] == "missing":
            what = f"{inside}{key} is missing; add it"
        else:
            what = f"[{place}] {_reason(wrong)}"
        raise BadFacts(f"{short_name(path)}: {what}") from error


def read_rows(path: Path, model: type[Read], name: str = "") -> list[Read]:
    """The rows of a CSV file, whose first line names the model's fields, in any order.

    An empty cell is left out, so that the field's default stands for it. A byte order mark, CRLF
    and quoted cells are read; lines that begin with # may stand above the columns.

    Args:
        path: the file.
        model: what a row holds.
        name: the column whose cells tell rows apart; if left out, lines do.

    Raises:
        BadFacts: there is no such file, it is no CSV, a column is unknown or missing, a cell is
            empty or holds what it cannot, or two rows have one name.
    """
    short = short_name(path)
    head, text = _without_head(read_text(path))
    lines = csv.reader(StringIO(text, newline=""), strict=True)
    rows: dict[str, Read] = {}
    try:
        columns = [column.strip() for column in next(lines, [])]
        _check_columns(columns, model, short)
        for cells in lines:
            if not cells:  # a blank line
                continue
            given = {key: cell.strip() for key, cell in zip(columns, cells, strict=False)}
            where = given.get(name) or f"line {head + lines.line_num}"
            if len(cells) != len(columns):
                raise BadFacts(
                    f"{short}: {where}: {len(cells)} cells for {len(columns)} columns; quote the "
                    "cells that hold a comma"
                )
            if where in rows:
                raise BadFacts(f"{short}: two rows are called {where!r}; rename one")
            rows[where] = _row(model, given, f"{short}: {where}")
    except csv.Error as error:
        raise BadFacts(f"{short}: line {head + lines.line_num}: not CSV: {error}") from error
    return list(rows.values())


def _row(model: type[Read], cells: dict[str, str], where: str) -> Read:
    try:
        return model.model_validate({key: cell for key, cell in cells.items() if cell})
    except ValidationError as error:
        wrong = _first(error)
        key = ".".join(map(str, wrong["loc"]))
        empty = wrong["type"] == "missing"
        what = f"{key} is empty; fill it in" if empty else f"{key}: {_reason(wrong)}"
        raise BadFacts(f"{where}: {what}") from error


def _check_columns(columns: list[str], model: type[Table], short: str) -> None:
    if not any(columns):
        raise BadFacts(f"{short}: it is empty; its first line names the columns")
    for column in columns:
        if column not in model.model_fields:
            raise BadFacts(
                f"{short}: {column!r} is no column here; {did_you_mean(column, model.model_fields)}"
            )
        if columns.count(column) > 1:
            raise BadFacts(f"{short}: two columns are called {column!r}; remove one")
    for field in model.model_fields:
        if field not in columns:
            raise BadFacts(f"{short}: column {field!r} is missing; add it")


def _without_head(text: str) -> tuple[int, str]:
    """How many lines that begin with # stand above a table, which say whose it is; and the rest."""
    lines = text.splitlines(keepends=True)
    head = next((number for number, line in enumerate(lines) if line[0] != "#"), len(lines))
    return head, "".join(lines[head:])


def read_text(path: Path) -> str:
    """A file's text, which is UTF-8.

    Raises:
        BadFacts: it cannot be read, or is not.
    """
    try:
        # utf-8-sig: Excel writes a byte order mark; newlines in quoted cells are kept as they are
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BadFacts(
            f"{short_name(path)}: line {line}: not UTF-8; save it as UTF-8, which spreadsheets and "
            "editors offer as an encoding"
        ) from error
    except OSError as error:
        raise BadFacts(
            f"{short_name(path)}: it cannot be read: {error.strerror}; name another file"
        ) from error


def _first(error: ValidationError) -> ErrorDetails:
    """Of what is wrong, a mistyped key before the key that is missing for it."""
    return min(error.errors(), key=lambda wrong: wrong["type"] != "extra_forbidden")


def _keys(loc: Iterable[int | str], data: Any) -> list[int | str]:
    """Where something is wrong, without the names that pydantic gives the types of a union."""
    keys: list[int | str] = []
    for part in loc:
        if isinstance(data, dict):
            keys.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            keys.append(part)
            data = data[part]
    return keys


def _table_at(model: type[Table], keys: Iterable[int | str]) -> type[Table]:
    """The model of the table that stands at these keys of a table."""
    for key in keys:
        waiting = [model.model_fields[key].annotation] if key in model.model_fields else []
        while waiting:
            annotation = waiting.pop()
            waiting += get_args(annotation)
            if isinstance(annotation, type) and issubclass(annotation, Table):
                model = annotation
    return model


def _reason(wrong: ErrorDetails) -> str:
    if wrong["type"] in ("model_type", "dict_type"):
        return "should be a table: keys with values"
    return wrong["msg"].removeprefix("Value error, ")

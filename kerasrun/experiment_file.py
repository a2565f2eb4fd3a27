"""An experiment's TOML file: its values by name, and, where it is a sweep's, what is varied.

The only module that knows which tables such a file has.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from kerasrun.errors import InputError, shown

# [search] is a tuning's.
# Of a sweep's file, above its tables: seeds = 5, or a list of seeds; exclude and overrides: lists of tables; metric, at
SWEEP = ("grid", "zip", "overrides", "exclude", "seeds", "claim", "metric", "at", "extend",
         "search")  # fmt: skip


def read(file: Path) -> dict[str, Any]:
    """Return the values of an experiment's file by name, those of the table [knobs] among them.

    Raises:
        InputError: the file is missing, is no TOML, is a sweep's or a tuning's file, or says a name twice.
    """
    values, varied = read_sweep(file)
    if varied:
        raise elsewhere(file, varied)
    return values


def read_sweep(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of an experiment's file by name, and apart from them what only a sweep has (SWEEP).

    Raises:
        InputError: as `read`, except that a sweep's or tuning's file is welcome.
    """
    content = _parsed(file)
    varied = {name: content.pop(name) for name in SWEEP if name in content}
    knobs = content.pop("knobs", {})
    if not isinstance(knobs, dict):
        raise InputError(f"{file}: knobs is a table: write [knobs] and below it a line for each, as hidden = [100]")
    values: dict[str, Any] = {}
    for name, value in [*content.items(), *knobs.items()]:
        if (name := name.replace("-", "_")) in values:
            raise InputError(f"{file}: {shown(name)} is given twice: {shown(values[name])} and {shown(value)}")
        values[name] = value
    return values, varied


def elsewhere(file: Path, tables: Collection[str]) -> InputError:
    """Return the error for what another command reads of a file; it names that command."""
    if "search" in tables:
        return InputError(f"{file}: holds search, which belongs to a tuning: kerasrun tune {file}")
    return InputError(f"{file}: holds {', '.join(tables)}, which belong to a sweep: kerasrun sweep {file}")


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{file}: no such experiment file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{file}: not a TOML file: {error}") from None
    except (OSError, ValueError) as error:  # a folder, a name too long, a NUL in it
        raise InputError(f"{shown(file)}: cannot be read: {getattr(error, 'strerror', None) or error}") from None

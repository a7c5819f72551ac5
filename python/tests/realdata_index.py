"""The index of the real files, read when tests are collected: one test a file, named for the file."""

import json
from pathlib import Path
from typing import Any

from conftest import SHARED

REALDATA = SHARED / "realdata"


def entries() -> list[dict[str, Any]]:
    """One entry per file; none where the folder is absent, and then the tests say that they skip and why."""
    index = REALDATA / "INDEX.json"
    return json.loads(index.read_text())["files"] if index.is_file() else []


def streams() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every stream of messages of every file: a file may hold messages of two types.

    Where the folder is absent one empty pair remains, so that a test is there to say why it skips.
    """
    return [(entry, stream) for entry in entries() for stream in entry["streams"]] or [({}, {})]


def stream_name(value: Any) -> str | None:
    """A test's name for an entry or a stream."""
    if isinstance(value, dict):
        return value.get("name", value.get("id"))
    return None


def reference(entry: dict[str, Any], stream: dict[str, Any]) -> dict[str, Any]:
    """What the official package found in a stream."""
    path: Path = REALDATA / "reference" / f"{entry['name']}.json"
    return json.loads(path.read_text())["streams"][stream["id"]]

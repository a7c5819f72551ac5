"""Sums up every column of a table, down to the last nested message, in the form of the references of the real files.

One entry per dotted field path that holds data: SHA-256 of all values as one little-endian array in wire order, of
the lengths per parent, counts, and the facts of the schema. Only rows that are present are parents: an absent
sub-message contributes no row to the paths below it.
"""

import hashlib
from typing import Any

import numpy as np

Entry = dict[str, Any]


def digest(table: Any) -> dict[str, Entry]:
    """All paths of a table that hold data, with their entries."""
    entries: dict[str, Entry] = {}
    _walk(table, "", entries)
    return entries


def comparable(reference: dict[str, Entry]) -> dict[str, Entry]:
    """A reference without the figures that follow from others (sums, extremes) or belong to the whole file."""
    return {path: _strip(path, entry) for path, entry in reference.items()}


_DERIVED = {"sum", "min", "max", "n_nan", "n_inf", "n_negzero", "n_negative", "under_repeated", "default"}


def _strip(path: str, entry: Entry) -> Entry:
    kept = {key: value for key, value in entry.items() if key not in _DERIVED}
    for part in ("dense", "present", "lengths"):
        if part in kept:
            kept[part] = {key: value for key, value in kept[part].items() if key not in _DERIVED}
    if kept.get("message", "").endswith("Entry"):
        del kept["message"]  # References see a map as messages of an entry type; to a user it has none.
    if kept.get("oneof") == "_" + path.rpartition(".")[2]:
        del kept["oneof"]  # This is how descriptors write a proto3 `optional`; to a user it is no oneof.
    return kept


def _walk(table: Any, prefix: str, entries: dict[str, Entry], *, map_entries: bool = False) -> None:
    for name, field in table.message_type.fields.items():
        path = prefix + name.strip("[]").rpartition(".")[2]
        facts = _facts(field, len(table))
        if field.repeated:
            _walk_repeated(table[name], field, path, facts, entries)
            continue
        # An entry of a map has both its parts, whatever was written.
        present = np.ones(len(table), np.bool_) if map_entries else _present(table, name, field)
        if not present.any():
            continue
        if field.kind in ("message", "group"):
            children = table[name][present]
            entries[path] = facts | {"kind": "singular-message", "count": len(children)} | _message_name(field)
            _walk(children, f"{path}.", entries)
        else:
            entries[path] = facts | _singular(table[name], present, field)


def _facts(field: Any, parents: int) -> Entry:
    facts = {"field_number": field.number, "type": field.kind, "parent_instances": parents}
    return facts | ({"oneof": field.oneof} if field.oneof is not None else {})


def _message_name(field: Any) -> Entry:
    """A map's entries, or the entries that a program wrote in place of one, are not compared by name."""
    return {} if field.map or field.message.endswith("Entry") else {"message": field.message}


def _walk_repeated(ragged: Any, field: Any, path: str, facts: Entry, entries: dict[str, Entry]) -> None:
    if len(ragged.values) == 0:
        return
    lengths = ragged.offsets[1:] - ragged.offsets[:-1]
    facts["lengths"] = {"n": len(ragged), "nonempty": int(np.count_nonzero(lengths)), "sha256": _sha256(lengths)}
    if field.kind in ("message", "group"):
        entries[path] = facts | {"kind": "repeated-message", "count": len(ragged.values)} | _message_name(field)
        _walk(ragged.values, f"{path}.", entries, map_entries=field.map)
    elif field.dtype is None:
        entries[path] = facts | {"kind": "repeated-bytes"} | _strings(ragged.values)
    else:
        kind = {"kind": "repeated", "declared_packed": field.packed, "dtype": str(ragged.values.dtype)}
        entries[path] = facts | kind | _numbers(ragged.values)


def _singular(column: Any, present: np.ndarray[Any, Any], field: Any) -> Entry:
    if field.dtype is None:
        return {"kind": "singular-bytes"} | _strings(column[present])
    kind = {"kind": "singular", "dtype": str(column.dtype), "has_presence": field.presence}
    return kind | {"present": _numbers(column[present]), "dense": _numbers(column)}


def _present(table: Any, name: str, field: Any) -> np.ndarray[Any, Any]:
    """Implicit presence: a value other than zero is written. Zero is a matter of bits, so -0.0 is written."""
    if field.presence:
        return table.present(name)
    column = table[name]
    if field.dtype is None:
        return column.lengths > 0
    return np.ascontiguousarray(column).view(f"u{column.dtype.itemsize}") != 0


def _numbers(values: np.ndarray[Any, Any]) -> Entry:
    return {"count": len(values), "sha256": _sha256(values)}


def _strings(strings: Any) -> Entry:
    data = strings.data[strings.offsets[0] : strings.offsets[-1]]
    return {
        "count": len(strings),
        "total_bytes": len(data),
        "sha256": _sha256(data),
        "byte_lengths_sha256": _sha256(strings.offsets[1:] - strings.offsets[:-1]),
    }


def _sha256(values: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()

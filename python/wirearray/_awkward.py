"""Columns as Awkward Arrays, over the same memory: lists with offsets are what both have."""

from __future__ import annotations

from typing import Any

import numpy as np

from wirearray._core import Ragged, Strings, Table


def array(column: Ragged | Table) -> Any:
    """Return a column as an Awkward Array."""
    try:
        import awkward
    except ImportError as error:
        raise ImportError("to_awkward() needs the package Awkward Array: pip install awkward") from error
    return awkward.Array(_Contents(awkward.contents, awkward.index).of(column))


class _Contents:
    """Makes the contents of an array; the package's modules are given, because it is imported where it is asked for."""

    def __init__(self, contents: Any, index: Any) -> None:
        self._contents = contents
        self._index = index
        # The types of the messages around the current one.
        self._open: list[str] = []

    def of(self, column: Any) -> Any:
        """The content of one column."""
        match column:
            case Strings():
                return self._of_strings(column)
            case Ragged():
                return self._contents.ListOffsetArray(self._index.Index64(column.offsets), self.of(column.values))
            case Table():
                return self._of_table(column)
        return self._contents.NumpyArray(column)

    def _of_strings(self, strings: Strings) -> Any:
        is_text = strings._is_text()
        characters = self._contents.NumpyArray(strings.data, parameters={"__array__": "char" if is_text else "byte"})
        parameters = {"__array__": "string" if is_text else "bytestring"}
        return self._contents.ListOffsetArray(self._index.Index64(strings.offsets), characters, parameters=parameters)

    def _of_table(self, table: Table) -> Any:
        self._open.append(table.message_type.name)
        names = [name for name in table.message_type.fields if not self._is_endless(table, name)]
        contents = [self._of_field(table, name) for name in names]
        self._open.pop()
        return self._contents.RecordArray(contents, names, len(table))

    def _of_field(self, table: Table, name: str) -> Any:
        """The content of a field, an option where the schema tells absent from default."""
        content = self.of(table[name])
        if not table.message_type.fields[name].presence:
            return content
        present = table.present(name)
        if present.all():
            return self._contents.UnmaskedArray(content)
        mask = self._index.Index8(present.view(np.int8))
        return self._contents.ByteMaskedArray(mask, content, valid_when=True)

    def _is_endless(self, table: Table, name: str) -> bool:
        """Whether a field holds messages of a type that it is within, of which there is none."""
        field = table.message_type.fields[name]
        if field.message not in self._open:
            return False
        if name not in table._made() or len(table) == 0:
            return True
        # It may have been made for someone who only looked.
        return len(table[name].values) == 0 if field.repeated else field.presence and not table.present(name).any()

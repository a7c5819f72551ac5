"""The exceptions of the package."""

from __future__ import annotations


class DecodeError(ValueError):
    """Bytes that are not a message of the expected type.

    Attributes
    ----------
    kind : str
        What is wrong, in a few stable words: "truncated", "length past end", "invalid utf-8" and so on.
    offset : int
        The byte of the input at which the faulty item begins; of a time out of range that of its message.
    path : str
        The field being read, as in ``series[3].times``; empty where no field was reached. Where data hold messages at
        more than a thousand paths, the innermost of them have no numbers: ``left.children[3].children.name``. Which
        those are depends on the messages before, and on how many threads there are.
    row : int or None
        The message's number, where many were decoded.
    file : str or None
        The name of the file or stream, where one was read.
    """

    kind: str
    offset: int
    path: str
    row: int | None
    file: str | None

    def __init__(
        self, message: str, kind: str, offset: int, path: str = "", row: int | None = None, file: str | None = None
    ) -> None:
        super().__init__(message, kind, offset, path, row, file)
        self.kind = kind
        self.offset = offset
        self.path = path
        self.row = row
        self.file = file

    def __str__(self) -> str:
        return str(self.args[0])


class SchemaError(ValueError):
    """A schema that cannot be used.

    Attributes
    ----------
    file : str or None
        The file that is wrong, as the schema names it.
    line, column : int or None
        Where in the file's text, counted from 1.
    """

    file: str | None
    line: int | None
    column: int | None

    def __init__(
        self, message: str, file: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message, file, line, column)
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return str(self.args[0])


# Shown, pickled and searched for by the name that users import them by.
for _error in (DecodeError, SchemaError):
    _error.__module__ = "wirearray"

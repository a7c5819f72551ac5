"""What can be read: paths with wildcards, file objects, URLs, partitions, and lists of these."""

from __future__ import annotations

import glob
import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Partition:
    """Messages that follow each other in a file, made by :meth:`MessageType.partitions`.

    Attributes
    ----------
    path : path
        The file.
    framing : str
        How its messages are set off from one another.
    start, stop : int
        The bytes of the file that hold the messages and their frames.
    rows : int
        How many messages there are.
    """

    path: Path
    framing: str
    start: int
    stop: int
    rows: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.stop:
            message = (
                f"a partition starts at 0 or later, and stops where it starts or later, not {self.start}:{self.stop}"
            )
            raise ValueError(message)


class Described(NamedTuple):
    """A stream: where it comes from, which bytes of it are meant, and how many there are."""

    name: str | None
    path: str | None
    open: Callable[[], Any]
    start: int = 0
    stop: int | None = None
    size: int | None = None


def describe(source: Any, filesystem: Any = None) -> list[Described]:
    """Return the streams that a source stands for, in order."""
    described = list(_describe(source, filesystem))
    if not described:
        raise ValueError("source: the list is empty; name at least one file")
    return described


def framing(source: Any) -> str:
    """Return the framing that a source says itself."""
    sources = source if isinstance(source, list | tuple) else [source]
    if sources and all(isinstance(each, str | os.PathLike) and str(each).endswith(".mcap") for each in sources):
        return "mcap"
    if sources and all(isinstance(each, Partition) for each in sources):
        framings = {each.framing for each in sources}
        if len(framings) == 1:
            return str(framings.pop())
    message = (
        "framing: say how messages are set off from one another: 'delimited', 'tfrecord', 'u32be', 'u32le', 'u64be', "
        "'u64le', 'grpc', 'mcap' or 'single'"
    )
    raise TypeError(message)


def _describe(source: Any, filesystem: Any) -> Iterator[Described]:
    match source:
        case Partition():
            path = str(source.path)
            if os.path.isfile(path) and (size := os.path.getsize(path)) < source.stop:
                message = f"source: {path} was cut: it has {size} bytes, and the partition ends at byte {source.stop}"
                raise ValueError(message)
            yield Described(_shown(path), path, _nothing, source.start, source.stop, source.stop - source.start)
        case str() if filesystem is not None:
            yield Described(_shown(source), None, lambda: _open_in(filesystem, source))
        case str() if "://" in source:
            yield Described(_shown(source), None, lambda: _open_url(source))
        case str() | os.PathLike():
            yield from _of_paths(os.fspath(source))
        case io.TextIOBase():
            message = "source: the file is open in text mode; open it with mode 'rb'"
            raise TypeError(message)
        case _ if hasattr(source, "read"):
            name = getattr(source, "name", None)
            shown = _shown(name) if isinstance(name, str) else None
            yield Described(shown, None, lambda: source, size=_size_of(source))
        case bytes() | bytearray() | memoryview():
            message = "source: got bytes; pass io.BytesIO(data), or decode_many(data, offsets=...)"
            raise TypeError(message)
        case Iterable():
            for each in source:
                if isinstance(each, list | tuple):
                    message = "source: a list of sources holds no lists"
                    raise TypeError(message)
                yield from _describe(each, filesystem)
        case _:
            message = f"source: expected a path, an URL, a file object or a list of these, got {type(source).__name__}"
            raise TypeError(message)


def _of_paths(path: str | bytes) -> Iterator[Described]:
    path = os.fsdecode(path)
    if glob.has_magic(path) and not os.path.exists(path):
        paths = sorted(glob.glob(path, recursive=True))
        if not paths:
            raise FileNotFoundError(f"source: no file matches {path}")
    else:
        paths = [path]
    for each in paths:
        # That it is missing is said when its turn comes, as for any other file that cannot be read.
        size = os.path.getsize(each) if os.path.isfile(each) else None
        yield Described(_shown(each), each, _nothing, size=size)


def _shown(name: str) -> str:
    """Return a name as errors say it: with escapes in place of the surrogates that stand for bytes that are no text."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _open_url(url: str) -> Any:
    try:
        import fsspec
    except ImportError as error:
        message = f"source: to read {url}, install fsspec, and what it needs for this sort of URL"
        raise ImportError(message) from error
    return fsspec.open(url, "rb").open()


def _open_in(filesystem: Any, path: str) -> Any:
    if hasattr(filesystem, "open"):
        return filesystem.open(path, "rb")
    if type(filesystem).__module__.partition(".")[0] == "obstore":
        import obstore

        return _Bytes(obstore.open_reader(filesystem, path))
    message = f"filesystem: expected a file system of fsspec or a store of obstore, got {type(filesystem).__name__}"
    raise TypeError(message)


class _Bytes:
    """A reader whose blocks are buffers of another kind."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, size: int) -> bytes:
        return bytes(self._reader.read(size))


def _size_of(file: Any) -> int | None:
    """The bytes that are left in a file object, if it can tell."""
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (OSError, AttributeError, ValueError):
        return None
    return int(end) - int(here)


def _nothing() -> None:
    """Files on paths are opened without Python."""

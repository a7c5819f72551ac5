"""Arrow's structs made by hand, which say of themselves whatever a test wants."""

import ctypes
import struct
from collections.abc import Callable, Sequence
from typing import Any


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.POINTER(Schema)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))),
    ("dictionary", ctypes.POINTER(Array)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
_get_schema = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Schema))
_get_next = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Array))
_get_last_error = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(Stream))
Stream._fields_ = [
    ("get_schema", _get_schema),
    ("get_next", _get_next),
    ("get_last_error", _get_last_error),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]

_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def int32s(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def int64s(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


class Node:
    """A type and an array, with those within them. As a producer it gives two capsules."""

    def __init__(
        self,
        format: str,
        length: int = 0,
        buffers: Sequence[bytes | None] = (),
        children: "Sequence[Node | None]" = (),
        *,
        name: str = "",
        dictionary: "Node | None" = None,
        null_count: int = 0,
        offset: int = 0,
    ) -> None:
        self.released = 0
        self._kept: list[Any] = [children, dictionary]
        release = self._keep(ctypes.CFUNCTYPE(None, ctypes.POINTER(Schema))(self._release))
        release_array = self._keep(ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))(self._release))
        memories = [
            None if buffer is None else ctypes.create_string_buffer(buffer, len(buffer) + 1) for buffer in buffers
        ]
        starts = [None if memory is None else ctypes.addressof(memory) for memory in memories]
        self._kept.append(memories)
        self.schema = Schema(
            format=format.encode(),
            name=name.encode(),
            flags=2,
            n_children=len(children),
            children=self._pointers(Schema, [child and child.schema for child in children]),
            release=ctypes.cast(release, ctypes.c_void_p).value,
        )
        self.array = Array(
            length=length,
            null_count=null_count,
            offset=offset,
            n_buffers=len(starts),
            n_children=len(children),
            buffers=self._keep((ctypes.c_void_p * (len(starts) + 1))(*starts)),
            children=self._pointers(Array, [child and child.array for child in children]),
            release=ctypes.cast(release_array, ctypes.c_void_p).value,
        )
        if dictionary is not None:
            self.schema.dictionary = ctypes.pointer(dictionary.schema)
            self.array.dictionary = ctypes.pointer(dictionary.array)

    def _keep(self, kept: Any) -> Any:
        self._kept.append(kept)
        return kept

    def _pointers(self, kind: Any, found: list[Any]) -> Any:
        pointer = ctypes.POINTER(kind)
        return self._keep(
            (pointer * (len(found) + 1))(*[pointer() if each is None else pointer(each) for each in found])
        )

    def _release(self, released: Any) -> None:
        self.released += 1
        released.contents.release = None

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        schema, array = ctypes.addressof(self.schema), ctypes.addressof(self.array)
        return _new_capsule(schema, b"arrow_schema", None), _new_capsule(array, b"arrow_array", None)


class Producer:
    """A stream of arrays that are of whatever type they are. It fails in front of the array of that number."""

    def __init__(self, schema: Node, arrays: Sequence[Node], *, fails_at: int | None = None) -> None:
        self.released, self._arrays, self._given, self._kept = 0, arrays, 0, schema

        def get_schema(stream: Any, place: Any) -> int:
            ctypes.memmove(place, ctypes.byref(schema.schema), ctypes.sizeof(Schema))
            return 0

        def get_next(stream: Any, place: Any) -> int:
            if self._given == fails_at:
                return 5
            array = arrays[self._given].array if self._given < len(arrays) else Array()
            ctypes.memmove(place, ctypes.byref(array), ctypes.sizeof(Array))
            self._given += 1
            return 0

        def release(stream: Any) -> None:
            self.released += 1
            stream.contents.release = None

        self._release: Callable[..., Any] = ctypes.CFUNCTYPE(None, ctypes.POINTER(Stream))(release)
        error = ctypes.create_string_buffer(b"the disk is gone")
        self.stream = Stream(
            get_schema=_get_schema(get_schema),
            get_next=_get_next(get_next),
            get_last_error=_get_last_error(lambda stream: ctypes.addressof(error)),
            release=ctypes.cast(self._release, ctypes.c_void_p).value,
        )

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return _new_capsule(ctypes.addressof(self.stream), b"arrow_array_stream", None)

"""Takes real files apart into the serialized messages inside them.

Each framing is one small generator over a memory view; `messages` chooses by the name that the index of the real
files gives. The formats are refused, not guessed, where a size does not fit.
"""

import gzip
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from wire import LENGTH_DELIMITED, read_varint, split_fields

Messages = Iterator[bytes]


def messages(folder: Path, entry: dict[str, Any], stream: dict[str, Any]) -> list[bytes]:
    """The messages of one stream of one file, in file order, as the index entry describes them."""
    data = (folder / entry["file"]).read_bytes()
    if entry["framing"] == "offset-index":
        return list(_indexed(data, json.loads((folder / entry["sidecar"]).read_text())["slices"]))
    return list(FRAMINGS[entry["framing"]](data, stream))


def _single(data: bytes, stream: dict[str, Any]) -> Messages:
    yield data


def _gzip_single(data: bytes, stream: dict[str, Any]) -> Messages:
    yield gzip.decompress(data)


def _indexed(data: bytes, slices: list[tuple[int, int]]) -> Messages:
    """A sidecar file lists where each message starts and how long it is."""
    for start, length in slices:
        yield _take(data, start, length)


def _tfrecord(data: bytes, stream: dict[str, Any]) -> Messages:
    """u64 length, its checksum (u32), the message, its checksum (u32); the checksums are not this test's subject."""
    position = 0
    while position < len(data):
        (length,) = struct.unpack_from("<Q", data, position)
        yield _take(data, position + 12, length)
        position += 12 + length + 4


def _u32_big_endian(data: bytes, stream: dict[str, Any]) -> Messages:
    yield from _fixed_prefix(data, 0, ">I")


def _ydf_blob_sequence(data: bytes, stream: dict[str, Any]) -> Messages:
    """Yggdrasil Decision Forests: an eight-byte header that begins "BS", then u32 lengths."""
    if data[:2] != b"BS":
        raise ValueError("not a blob sequence")
    yield from _fixed_prefix(data, 8, "<I")


def _fixed_prefix(data: bytes, position: int, prefix: str) -> Messages:
    prefix_size = struct.calcsize(prefix)
    while position < len(data):
        (length,) = struct.unpack_from(prefix, data, position)
        yield _take(data, position + prefix_size, length)
        position += prefix_size + length


def _osm_pbf(data: bytes, stream: dict[str, Any]) -> Messages:
    """OpenStreetMap: u32 length, BlobHeader {type=1, datasize=3}, Blob {raw=1 or zlib_data=3}; one message a blob."""
    position = 0
    while position < len(data):
        (header_size,) = struct.unpack_from(">I", data, position)
        header = _fields(_take(data, position + 4, header_size))
        blob = _fields(_take(data, position + 4 + header_size, header[3]))
        position += 4 + header_size + header[3]
        if header[1] == stream["blob"].encode():
            yield blob[1] if 1 in blob else zlib.decompress(blob[3])


def _vg_grouped_gzip(data: bytes, stream: dict[str, Any]) -> Messages:
    """libvgio: groups of a varint count and that many varint-delimited items; the first item may be a type tag."""
    data = gzip.decompress(data)
    position = 0
    while position < len(data):
        count, position = read_varint(data, position)
        for index in range(count):
            length, position = read_varint(data, position)
            item = _take(data, position, length)
            position += length
            if index > 0 or item not in (b"VG", b"GAM"):
                yield item


def _k8s_envelope(data: bytes, stream: dict[str, Any]) -> Messages:
    """Kubernetes: four magic bytes, then an `Unknown` message whose field 2 is the serialized object."""
    if data[:4] != b"k8s\0":
        raise ValueError("not a Kubernetes envelope")
    envelope = data[4:]
    yield envelope if stream["unwrap"] == "unknown" else _fields(envelope)[2]


def _benchmark_dataset(data: bytes, stream: dict[str, Any]) -> Messages:
    """protobuf's own benchmarks: a message whose repeated field 3 holds the payloads."""
    for field in split_fields(data):
        if field.number == 3 and field.wire_type == LENGTH_DELIMITED:
            yield field.payload


FRAMINGS: dict[str, Callable[[bytes, dict[str, Any]], Messages]] = {
    "single": _single,
    "gzip+single": _gzip_single,
    "tfrecord": _tfrecord,
    "u32be-delimited": _u32_big_endian,
    "ydf-blob-sequence": _ydf_blob_sequence,
    "osm-pbf": _osm_pbf,
    "vg-grouped+gzip": _vg_grouped_gzip,
    "k8s-envelope": _k8s_envelope,
    "benchmark-dataset": _benchmark_dataset,
}


def _take(data: bytes, start: int, length: int) -> bytes:
    if start + length > len(data):
        raise ValueError(f"a message of {length} bytes at {start} ends beyond the file's {len(data)}")
    return data[start : start + length]


def _fields(message: bytes) -> dict[int, Any]:
    """The last value of each field number: all that envelopes need."""
    return {field.number: field.value for field in split_fields(message)}

"""Messages of 2 GiB and more: decoding has no limit, encoding has that of the official parsers unless told otherwise.

All of them are nearly nothing but zeros that no one looks at: holes in a file, and memory that was never written to.
"""

import mmap
import os
import resource
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from wire import write_varint

LARGE = wa.Schema.from_source("""
syntax = "proto3";
message Large { int32 id = 1; repeated double values = 2; bytes raw = 3; Large inner = 4; repeated float more = 5; }
""")["Large"]

LIMIT = 2**31 - 1
COUNT = 295_000_000  # doubles, which are 2.2 GiB
WRITTEN = {0: 1.5, 1: -0.0, COUNT // 2: 2.5, 2**28 + 5: 3.5, COUNT - 1: 4.5}

pytestmark = pytest.mark.skipif(sys.maxsize < 2**40, reason="the address space is too small for large messages")

needs_memory = pytest.mark.skipif(
    "WIREARRAY_LARGE_MEMORY" not in os.environ,
    reason="this takes some seconds and 3 GiB of memory; set WIREARRAY_LARGE_MEMORY=1 for it",
)


def _header() -> bytes:
    """A small field, then the start of packed doubles: eight bytes, so that the doubles are aligned in the file."""
    header = b"\x08\x05" + b"\x12" + write_varint(8 * COUNT)
    assert len(header) == 8
    return header


@pytest.fixture
def sparse_file(tmp_path: Path) -> Iterator[Path]:
    """One message in a file that takes a few blocks of the disk."""
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.write(_header())
        for index, value in WRITTEN.items():
            file.seek(8 + 8 * index)
            file.write(struct.pack("<d", value))
        file.truncate(8 + 8 * COUNT)
    if path.stat().st_blocks * 512 > 2**26:
        pytest.skip("the file system of temporary files has no sparse files")
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def zeros() -> np.ndarray:
    """Memory that the system hands out when it is written to, which no one does."""
    return np.zeros(COUNT)


def test_a_file_above_2_gib_is_shown_without_being_read(sparse_file: Path) -> None:
    before = _resident()
    for copy in (None, False):
        record = LARGE.load(sparse_file, copy=copy)
        values = record["values"]
        assert record["id"] == 5
        assert values.shape == (COUNT,)
        assert values.dtype == np.float64
        assert values.flags.aligned
        assert not values.flags.writeable
        for index, value in WRITTEN.items():
            assert values[index].tobytes() == struct.pack("<d", value)
        assert values[1000:1010].tolist() == [0.0] * 10
    assert _resident() - before < 2**26


def test_a_buffer_above_2_gib_is_shown_without_being_read(sparse_file: Path) -> None:
    with sparse_file.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        views = LARGE.decode(data, copy=None)["values"], LARGE.decode_many([data, b""], copy=None)["values"][0]
        for values in views:
            assert [values[index] for index in WRITTEN] == [*WRITTEN.values()]
        del views, values


def test_a_file_above_2_gib_that_ends_too_early_is_refused(sparse_file: Path) -> None:
    with sparse_file.open("r+b") as file:
        file.truncate(8 + 8 * COUNT - 1)
    with pytest.raises(wa.DecodeError) as refusal:
        LARGE.load(sparse_file, copy=None)
    assert refusal.value.path == "values"


def test_a_message_above_2_gib_is_refused(zeros: np.ndarray, tmp_path: Path) -> None:
    message = {"values": zeros}
    length = len(b"\x12" + write_varint(8 * COUNT)) + 8 * COUNT
    path = tmp_path / "large.bin"
    path.write_bytes(b"old")
    refused: list[tuple[int, Callable[[], Any]]] = [
        (length, lambda: LARGE.encode(message)),
        (length + 58, lambda: LARGE.encode(message, align=64)),
        (length + 12, lambda: LARGE.encode({"inner": {"inner": message}})),
        (length, lambda: LARGE.save(path, message)),
        (length, lambda: LARGE.to_protobuf(message, _official_class())),
    ]
    for expected, encode in refused:
        with pytest.raises(ValueError) as refusal:
            encode()
        text = f"the message would take {expected} bytes, and protobuf parsers stop at 2 GiB (2,147,483,647 bytes); "
        assert str(refusal.value).startswith(text)
        assert "allow_large=True" in str(refusal.value)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["large.bin"]


def _official_class() -> Any:
    class Large:
        class DESCRIPTOR:
            full_name = "Large"

    return Large


def test_the_row_that_is_too_large_is_named(zeros: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"^row 1"):
        LARGE.encode_many([{"id": 1}, {"values": zeros}])


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_the_limit_is_that_of_the_official_parsers(excess: int, zeros: np.ndarray) -> None:
    """To the byte: 2^31 - 1 are written, to where nothing is kept."""
    values = zeros[: (LIMIT - 100) // 8]
    used = 1 + 5 + values.nbytes + 1 + 1
    message = {"values": values, "raw": bytes(LIMIT + excess - used)}
    if excess <= 0:
        LARGE.save("/dev/null", message)
    else:
        with pytest.raises(ValueError, match="allow_large=True"):
            LARGE.save("/dev/null", message)
        LARGE.save("/dev/null", message, allow_large=True)


@needs_memory
def test_many_messages_may_be_more_than_2_gib_together(zeros: np.ndarray) -> None:
    half = COUNT // 2
    strings = LARGE.encode_many({"id": [5, 6], "values": (zeros, [0, half, 2 * half])})
    assert strings.lengths.tolist() == [8 + 8 * half] * 2
    assert strings.offsets[2] > LIMIT
    starts = [strings.data[start : start + 9].tobytes() for start in strings.offsets[:2]]
    assert starts == [b"\x08" + number + b"\x12" + write_varint(8 * half) + b"\0" for number in (b"\x05", b"\x06")]


@needs_memory
def test_a_large_message_is_encoded_on_request() -> None:
    values = np.zeros(COUNT)
    for index, value in WRITTEN.items():
        values[index] = value
    data = LARGE.encode({"id": 5, "values": values}, allow_large=True)
    assert len(data) == 8 + 8 * COUNT
    assert data[:8] == _header()
    found = LARGE.decode(data, copy=False)["values"]
    assert [found[index] for index in WRITTEN] == [*WRITTEN.values()]
    assert found[COUNT // 2 - 3 : COUNT // 2].tolist() == [0.0] * 3


def _resident() -> int:
    """The most memory that the process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

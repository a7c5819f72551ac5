"""Serialized messages of any size, written by NumPy: the official package takes seconds for what this does in moments.

The bytes are those the official package writes; `decode_cases.check_samples` compares them on small samples.
"""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

VARINT, FIXED64, LENGTH_DELIMITED = 0, 1, 2
_PIECE = 1_000_000


def tag(number: int, wire_type: int) -> bytes:
    return varint(number << 3 | wire_type)


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def delimited(number: int, payload: bytes) -> bytes:
    return tag(number, LENGTH_DELIMITED) + varint(len(payload)) + payload


def unpacked_doubles(number: int, values: NDArray[np.float64]) -> bytes:
    """A tag and eight bytes for each value: one structured array."""
    layout = np.dtype([("tag", np.uint8), ("value", "<f8")])
    encoded = np.empty(len(values), layout)
    encoded["tag"] = tag(number, FIXED64)[0]
    encoded["value"] = values
    return encoded.tobytes()


def packed_varints(number: int, values: NDArray[np.integer]) -> bytes:
    return delimited(number, _varints(values)[0])


def unpacked_varints(number: int, values: NDArray[np.integer]) -> bytes:
    return _varints(values, before=tag(number, VARINT))[0]


def packed_runs(values: NDArray[np.integer], starts: NDArray[np.int64]) -> bytes:
    """A message with the number 1 for each run of values; in each the run is packed, with the number 1 too."""
    encoded, lengths = _varints(values)
    payloads = np.add.reduceat(lengths, starts[:-1])
    heads, head_lengths = _flatten(_run_head(payloads))
    bodies, body_lengths = _flatten(_run_head(payloads + head_lengths))
    parts = np.stack([body_lengths, head_lengths, payloads], axis=1).reshape(-1)
    owner = np.repeat(np.tile(np.arange(3, dtype=np.uint8), len(payloads)), parts)
    whole = np.empty(len(owner), np.uint8)
    for index, part in enumerate((bodies, heads, encoded)):
        whole[owner == index] = np.frombuffer(part, np.uint8)
    return whole.tobytes()


def _run_head(lengths: NDArray[np.int64]) -> "list[Columns]":
    return [constant_columns(len(lengths), tag(1, LENGTH_DELIMITED)), varint_columns(lengths)]


def _varints(values: NDArray[np.integer], before: bytes = b"") -> tuple[bytes, NDArray[np.int64]]:
    """All values behind each other, with the same bytes before each, and how long each is."""
    pieces = [values[start : start + _PIECE] for start in range(0, len(values), _PIECE)]
    flat = [_flatten([constant_columns(len(piece), before), varint_columns(piece)]) for piece in pieces]
    return b"".join(encoded for encoded, _ in flat), np.concatenate([lengths for _, lengths in flat])


def from_zigzag(encoded: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (encoded >> np.uint64(1)).view(np.int64) ^ -(encoded & np.uint64(1)).view(np.int64)


def points(x: NDArray[np.float64], y: NDArray[np.float64]) -> bytes:
    """`repeated Point points = 1` with both fields set: twenty bytes each."""
    layout = np.dtype([("head", "V3"), ("x", "<f8"), ("y_tag", np.uint8), ("y", "<f8")])
    encoded = np.empty(len(x), layout)
    encoded["head"] = np.void(tag(1, LENGTH_DELIMITED) + varint(18) + tag(1, FIXED64))
    encoded["x"] = x
    encoded["y_tag"] = tag(2, FIXED64)[0]
    encoded["y"] = y
    return encoded.tobytes()


Columns = tuple[Bytes, NDArray[np.bool_]]


def constant_columns(count: int, encoded: bytes) -> Columns:
    """The same bytes in every row."""
    columns = np.broadcast_to(np.frombuffer(encoded, np.uint8), (count, len(encoded)))
    return columns, np.ones(columns.shape, np.bool_)


def varint_columns(values: NDArray[np.integer]) -> Columns:
    """Up to ten bytes a row, and a mask of those that belong to the varint; negative numbers take all ten."""
    numbers = values.astype(np.int64, copy=False).view(np.uint64)
    longest = max(1, (int(numbers.max(initial=0)).bit_length() + 6) // 7)
    rest = numbers[:, None] >> np.arange(0, 7 * longest, 7, dtype=np.uint64)
    more = np.zeros(rest.shape, np.bool_)
    more[:, :-1] = rest[:, 1:] != 0
    used = np.ones(rest.shape, np.bool_)
    used[:, 1:] = more[:, :-1]
    return (rest & np.uint64(0x7F)).astype(np.uint8) | more.astype(np.uint8) << 7, used


def double_columns(values: NDArray[np.float64]) -> Columns:
    """Eight bytes a row for each value that it has."""
    columns = values.astype("<f8").view(np.uint8).reshape(len(values), -1)
    return columns, np.ones(columns.shape, np.bool_)


def string_columns(data: Bytes, lengths: NDArray[np.int64]) -> Columns:
    """Length and text of strings that are shorter than 128 bytes; `data` has one padded row a string."""
    used = np.arange(data.shape[1]) < lengths[:, None]
    return (
        np.concatenate([lengths[:, None].astype(np.uint8), data], axis=1),
        np.concatenate([np.ones((len(lengths), 1), np.bool_), used], axis=1),
    )


def rows(columns: list[Columns]) -> tuple[bytes, NDArray[np.int64]]:
    """Rows written side by side into one buffer, and where each one begins."""
    encoded, lengths = _flatten(columns)
    return encoded, np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _flatten(columns: list[Columns]) -> tuple[bytes, NDArray[np.int64]]:
    data = np.concatenate([part for part, _ in columns], axis=1)
    used = np.concatenate([mask for _, mask in columns], axis=1)
    return data[used].tobytes(), used.sum(axis=1)

"""Makes what differs small: first the messages around it go, then its bytes."""

from collections.abc import Callable, Iterator, Sequence

from differential.tree import padded
from wire import write_varint

Differs = Callable[[Sequence[bytes]], bool]


def shrink(messages: Sequence[bytes], row: int, differs: Differs) -> list[bytes]:
    """The fewest messages, and of each the fewest bytes, that still differ."""
    found = [messages[row]] if differs([messages[row]]) else _without_others(list(messages), differs)
    for index in range(len(found)):
        found[index] = _without_bytes(found, index, differs)
    return found


def _without_others(messages: list[bytes], differs: Differs) -> list[bytes]:
    size = len(messages) // 2
    while size:
        for start in range(len(messages) - size, -1, -size):
            fewer = messages[:start] + messages[start + size :]
            if fewer and differs(fewer):
                messages = fewer
        size //= 2
    return messages


def _without_bytes(messages: list[bytes], index: int, differs: Differs) -> bytes:
    data = messages[index]

    def still_differs(candidate: bytes) -> bool:
        return differs([*messages[:index], candidate, *messages[index + 1 :]])

    is_smaller = True
    while is_smaller:
        is_smaller = False
        size = max(1, len(data) // 2)
        while size:
            start = 0
            while start + size <= len(data):
                for candidate in _cuts(data, start, start + size):
                    if still_differs(candidate):
                        data, is_smaller = candidate, True
                        break
                else:
                    start += max(1, size // 2)
            size //= 2
    return data


def _cuts(data: bytes, start: int, end: int) -> list[bytes]:
    """The message without some bytes: with the lengths around them made right, and without that."""
    fitted = bytearray(data)
    for position, behind, length in _lengths(data, 0, len(data)):
        if behind <= start and end <= behind + length:
            fitted[position:behind] = padded(write_varint(length - (end - start)), behind - position)
    return [bytes(fitted[:start] + fitted[end:]), data[:start] + data[end:]]


def _lengths(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """What may be a length: where it starts, where it ends, what it says. Behind one a message is supposed."""
    while position < end:
        tag, position = _read(data, position, end)
        match tag & 7:
            case 0:
                _, position = _read(data, position, end)
            case 1:
                position += 8
            case 2:
                start = position
                length, position = _read(data, position, end)
                if length > end - position:
                    return
                yield start, position, length
                yield from _lengths(data, position, position + length)
                position += length
            case 5:
                position += 4


def _read(data: bytes, position: int, end: int) -> tuple[int, int]:
    """A varint, or what there is of it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        value |= (data[position] & 0x7F) << shift
        position += 1
        if data[position - 1] < 0x80:
            break
    return value, position

"""Changes that make a message another one, a nearly legal one, or none: to its fields at any depth, then to its bytes.

Each change takes the fields of one message and alters them around one of them; what does not fit does nothing.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from differential.deepening import deepen
from differential.grammar import Grammar, field_nodes, grammar_of, long_run, scalar, unknown_node, varint, wire_type_of
from differential.tree import NO_WIRE_TYPE, Node, branch, join, leaf, padded, raw
from random_messages import _NOT_UTF8 as NOT_UTF8
from random_messages import damaged
from random_schema import UNKNOWN_NUMBERS
from wire import END_GROUP, FIXED32, FIXED64, LENGTH_DELIMITED, START_GROUP, VARINT, write_tag, write_varint


@dataclass(frozen=True)
class Place:
    """The message whose fields are changed: its type, how deep it is, and other messages to take fields from."""

    choose: random.Random
    grammar: Grammar | None
    level: int
    others: Sequence[tuple[Node, ...]]

    def within(self, node: Node) -> "Place":
        return Place(self.choose, None if node.scope is None else grammar_of(node.scope), self.level + 1, ())


def mutated(place: Place, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The message after one change, somewhere within it."""
    choose, changed = place.choose, list(nodes)
    index = choose.randrange(len(changed)) if changed else 0
    node = changed[index] if changed else None
    if node is not None and node.inner is not None and choose.random() < 0.6:
        inner = mutated(place.within(node), node.inner)
        changed[index] = branch(node.number, node.wire_type, inner, node.scope, node.field)
        return tuple(changed)
    if node is None or node.wire_type == NO_WIRE_TYPE or choose.random() < 0.15:
        _insert(place, changed, index)
    else:
        choose.choice(_CHANGES)(place, changed, index)
    return tuple(changed)


def with_other_values(choose: random.Random, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The same tags and lengths, so that many such messages are read as those that look alike."""
    return tuple(_with_other_value(choose, node) if choose.random() < 0.6 else node for node in nodes)


def damaged_bytes(choose: random.Random, data: bytes, other: bytes) -> bytes:
    """Bytes without regard to what they mean: single wounds, or the beginning of one message and the end of another."""
    if choose.random() < 0.15:
        return data[: choose.randint(0, len(data))] + other[choose.randint(0, len(other)) :]
    return damaged(choose, data)


# ---------------------------------------------------------------------------------------------------------------------
# Fields among fields


def _insert(place: Place, nodes: list[Node], index: int) -> None:
    if place.grammar is None:
        nodes.insert(index, unknown_node(place.choose, place.choose.choice(UNKNOWN_NUMBERS)))
    else:
        nodes[index:index] = place.grammar.some(place.choose, place.level)


def _duplicate(place: Place, nodes: list[Node], index: int) -> None:
    nodes.insert(place.choose.randint(0, len(nodes)), nodes[index])


def _remove(place: Place, nodes: list[Node], index: int) -> None:
    del nodes[index]


def _move(place: Place, nodes: list[Node], index: int) -> None:
    node = nodes.pop(index)
    nodes.insert(place.choose.randint(0, len(nodes)), node)


def _again(place: Place, nodes: list[Node], index: int) -> None:
    """The field once more with another value: the last one counts, messages merge, lists go on."""
    if (field := nodes[index].field) is not None:
        again = field_nodes(place.choose, field, place.level)
        where = place.choose.randint(0, len(nodes))
        nodes[where:where] = again


def _splice(place: Place, nodes: list[Node], index: int) -> None:
    """Fields of another message, as two that are written behind one another merge."""
    if place.others:
        other = place.choose.choice(place.others)
        start = place.choose.randint(0, len(other))
        nodes[index:index] = other[start : start + place.choose.randint(1, 6)]


def _oneof(place: Place, nodes: list[Node], index: int) -> None:
    """Members of one oneof in turn, each of which clears the others."""
    if place.grammar is None or not place.grammar.oneofs:
        return
    members = place.choose.choice(place.grammar.oneofs)
    for _ in range(place.choose.randint(1, 4)):
        where = place.choose.randint(0, len(nodes))
        nodes[where:where] = field_nodes(place.choose, place.choose.choice(members), place.level)


def _map_again(place: Place, nodes: list[Node], index: int) -> None:
    """The entry of a map again with its key and another value, its parts in any order, some missing or double."""
    entry = nodes[index]
    if entry.field is None or not entry.field.map or entry.inner is None:
        return
    fresh = grammar_of(entry.scope).nodes(place.choose, place.level + 1)
    parts = [node for node in entry.inner if node.number == 1] + [node for node in fresh if node.number == 2]
    place.choose.shuffle(parts)
    if place.choose.random() < 0.3:
        parts = place.choose.choices([*parts, *entry.inner], k=3) if parts or entry.inner else []
    nodes.insert(
        place.choose.randint(0, len(nodes)), branch(entry.number, entry.wire_type, parts, entry.scope, entry.field)
    )


def _long_run(place: Place, nodes: list[Node], index: int) -> None:
    field = nodes[index].field
    if field is None and place.grammar is not None:
        field = next((field for field in place.grammar.fields if field.repeated and not field.is_message), None)
    if field is not None and not field.is_message:
        nodes[index:index] = long_run(place.choose, field)


def _repack(place: Place, nodes: list[Node], index: int) -> None:
    """A packed run as single values, single values as a packed run, in pieces now and then."""
    node = nodes[index]
    if node.field is None or node.field.is_message or wire_type_of(node.field) == LENGTH_DELIMITED:
        return
    if node.wire_type == LENGTH_DELIMITED:
        nodes[index : index + 1] = [
            leaf(node.number, wire_type_of(node.field), value, node.field) for value in _unpacked(node)
        ]
    else:
        same = [other.value for other in nodes if other.number == node.number and other.wire_type == node.wire_type]
        nodes[index] = leaf(node.number, LENGTH_DELIMITED, b"".join(same), node.field)


def _unpacked(node: Node) -> list[bytes]:
    wire_type = wire_type_of(node.field) if node.field else VARINT
    if wire_type != VARINT:
        width = 8 if wire_type == FIXED64 else 4
        return [node.value[start : start + width] for start in range(0, len(node.value), width)]
    values, start = [], 0
    for end, byte in enumerate(node.value, start=1):
        if byte < 0x80:
            values.append(node.value[start:end])
            start = end
    return values


# ---------------------------------------------------------------------------------------------------------------------
# One field


def _new_value(place: Place, nodes: list[Node], index: int) -> None:
    node = nodes[index]
    if node.field is not None and node.inner is None and node.wire_type == wire_type_of(node.field):
        nodes[index] = leaf(node.number, node.wire_type, scalar(place.choose, node.field), node.field)


def _other_number(place: Place, nodes: list[Node], index: int) -> None:
    node = nodes[index]
    numbers = place.grammar.numbers if place.grammar else UNKNOWN_NUMBERS
    number = place.choose.choice(numbers) if place.choose.random() < 0.9 else place.choose.choice(_EXTREMES)
    nodes[index] = raw(_retagged(node, number, node.wire_type))


_EXTREMES = (0, 0, 19_000, (1 << 29) - 1, 1 << 29, (1 << 32) - 1)


def _other_wire_type(place: Place, nodes: list[Node], index: int) -> None:
    """The tag alone, the value as it was: mostly no message. Or a value that fits: an unknown field."""
    node = nodes[index]
    wire_type = place.choose.randint(0, 7)
    if wire_type in (VARINT, FIXED64, LENGTH_DELIMITED, START_GROUP, FIXED32) and place.choose.random() < 0.7:
        nodes[index] = unknown_node(place.choose, node.number, wire_type)
    else:
        nodes[index] = raw(_retagged(node, node.number, wire_type))


def _retagged(node: Node, number: int, wire_type: int) -> bytes:
    rest = node.encoded[len(write_tag(node.number, node.wire_type)) :]
    if node.wire_type == START_GROUP:
        rest = rest[: -len(write_tag(node.number, END_GROUP))] + write_tag(number, END_GROUP)
    return write_tag(number, wire_type) + rest


def _pad_tag(place: Place, nodes: list[Node], index: int) -> None:
    node = nodes[index]
    tag = write_tag(node.number, node.wire_type)
    nodes[index] = raw(padded(tag, _length(place)) + node.encoded[len(tag) :])


def _pad_value(place: Place, nodes: list[Node], index: int) -> None:
    """A number or a length, in up to eleven bytes; of a packed run any of its numbers."""
    node = nodes[index]
    tag = write_tag(node.number, node.wire_type)
    if node.wire_type == VARINT:
        nodes[index] = leaf(node.number, VARINT, padded(node.value, _length(place)), node.field)
    elif node.wire_type == LENGTH_DELIMITED and (node.inner is not None or place.choose.random() < 0.5):
        nodes[index] = raw(tag + padded(write_varint(len(node.value)), _length(place)) + node.value)
    elif node.wire_type == LENGTH_DELIMITED and node.field is not None and wire_type_of(node.field) == VARINT:
        values = [padded(value, _length(place)) if place.choose.random() < 0.3 else value for value in _unpacked(node)]
        nodes[index] = leaf(node.number, LENGTH_DELIMITED, b"".join(values), node.field)


def _length(place: Place) -> int:
    """Ten bytes and more are refused in most places, so they come less often."""
    return place.choose.choice((2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11))


def _wide_varint(place: Place, nodes: list[Node], index: int) -> None:
    """Ten bytes, the last of which may have more bits than fit; or any number where few would do."""
    node = nodes[index]
    if node.wire_type == VARINT:
        wide = bytes(byte | 0x80 for byte in place.choose.randbytes(9)) + bytes(
            [place.choose.choice((0, 1, 2, 3, 0x7F))]
        )
        value = wide if place.choose.random() < 0.5 else varint(place.choose)
        nodes[index] = leaf(node.number, VARINT, value, node.field)


def _other_length(place: Place, nodes: list[Node], index: int) -> None:
    node = nodes[index]
    if node.wire_type == LENGTH_DELIMITED:
        length = place.choose.choice((len(node.value) + 1, len(node.value) - 1, place.choose.randint(0, 40), *_HUGE))
        nodes[index] = raw(write_tag(node.number, LENGTH_DELIMITED) + write_varint(max(0, length)) + node.value)


_HUGE = ((1 << 31) - 1, 1 << 32, (1 << 64) - 1)


def _other_text(place: Place, nodes: list[Node], index: int) -> None:
    """Broken text at any place of a string, so that checks of many bytes at a time meet it at each of theirs."""
    node = nodes[index]
    if node.wire_type == LENGTH_DELIMITED and node.inner is None:
        value = node.value + b"x" * place.choose.choice((0, 0, 15, 31, 64, 100))
        start = place.choose.randint(0, len(value))
        wound = place.choose.choice(
            (*NOT_UTF8, b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", "é€😀".encode())
        )
        nodes[index] = leaf(node.number, LENGTH_DELIMITED, value[:start] + wound + value[start:], node.field)


def _empty(place: Place, nodes: list[Node], index: int) -> None:
    node = nodes[index]
    if node.wire_type == LENGTH_DELIMITED:
        nodes[index] = leaf(node.number, LENGTH_DELIMITED, b"", node.field)


# ---------------------------------------------------------------------------------------------------------------------
# Groups and depth


def _in_group(place: Place, nodes: list[Node], index: int) -> None:
    """Fields within a group that nobody knows; its end may be another's."""
    number = place.choose.choice(
        place.grammar.numbers if place.grammar and place.choose.random() < 0.3 else UNKNOWN_NUMBERS
    )
    end = number if place.choose.random() < 0.8 else place.choose.choice(UNKNOWN_NUMBERS)
    count = place.choose.randint(0, 3)
    inner = join(nodes[index : index + count])
    if place.choose.random() < 0.05:
        inner += write_tag(0, place.choose.choice((VARINT, FIXED32))) + b"\x01\x01\x01\x01"
    nodes[index : index + count] = [raw(write_tag(number, START_GROUP) + inner + write_tag(end, END_GROUP))]


def _stray_tag(place: Place, nodes: list[Node], index: int) -> None:
    numbers = (*UNKNOWN_NUMBERS, *(place.grammar.numbers if place.grammar else ()), 0)
    wire_type = place.choose.choice((START_GROUP, END_GROUP, END_GROUP, 6, 7))
    nodes.insert(index, raw(write_tag(place.choose.choice(numbers), wire_type)))


def _deepen(place: Place, nodes: list[Node], index: int) -> None:
    nodes[index] = deepen(place.choose, place.grammar, nodes[index], place.level)


_CHANGES: tuple[Callable[[Place, list[Node], int], None], ...] = (
    *(_duplicate, _remove, _move, _again, _again, _splice, _oneof, _oneof, _map_again, _map_again, _long_run, _repack),
    *(_repack, _new_value, _new_value, _other_number, _other_wire_type, _pad_tag, _pad_value, _pad_value, _wide_varint),
    *(_other_length, _other_text, _other_text, _empty, _in_group, _stray_tag, _deepen),
)


# ---------------------------------------------------------------------------------------------------------------------
# The same shape


def _with_other_value(choose: random.Random, node: Node) -> Node:
    if node.inner is not None:
        inner = with_other_values(choose, node.inner)
        return branch(node.number, node.wire_type, inner, node.scope, node.field)
    match node.wire_type:
        case 0:
            value = bytes(byte & 0x80 | choose.getrandbits(7) for byte in node.value[:9]) + node.value[9:]
        case 1 | 5:
            value = choose.randbytes(len(node.value))
        case 2 if node.field is None or node.field.kind in ("string", "bytes"):
            value = bytes(choose.getrandbits(7) for _ in node.value)
        case 2 if wire_type_of(node.field) == VARINT:
            value = bytes(byte & 0x80 | choose.getrandbits(7) for byte in node.value)
        case 2:
            value = choose.randbytes(len(node.value))
        case _:
            return node
    return leaf(node.number, node.wire_type, value, node.field)

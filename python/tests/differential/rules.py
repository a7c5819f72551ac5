"""Where the specification and the official package for Python (upb) part, and what the specification has.

Five rules, the same as in `OFFICIAL_DIFFERS` of `test_cases`. A rule is not an excuse: bytes that it applies to are
rewritten so that the official package reads in them what the specification says, and must then agree after all.
"""

from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from compare import official_map
from differential.deepening import LIMIT
from differential.grammar import Grammar, grammar_of, wire_type_of
from differential.tree import enclosed
from official import OfficialField, fields_of
from wire import END_GROUP, FIXED32, FIXED64, LENGTH_DELIMITED, START_GROUP, VARINT, Malformed, write_tag, write_varint

NUMBER_0 = "field number 0 in an unknown group or in a message type without fields"
"""Numbers are 1 to 536,870,911 wherever a tag stands. upb does not look at them where it knows no field beforehand."""

LENGTHS = "a length of 6 to 10 bytes"
"""A length is a varint, and these have up to ten bytes. upb takes five; C++ and Java take ten."""

ENTRIES = "an unknown field in the entry of a map"
"""An entry is a message of a key and a value, in which other fields are unknown. upb calls all of it unknown."""

ITEMS = "an item of a message set that comes again, or at the last level"
"""An item is a singular message like any other: it merges, and is read down to the limit. upb keeps the last, and stops
a level before. As an ordinary field of that number it reads it like all others."""

TIMES = "a time out of range"
"""Nanoseconds have a range and a sign. Official parsers leave that to conversions, which here are part of reading."""

RULES = (NUMBER_0, LENGTHS, ENTRIES, ITEMS, TIMES)


@dataclass
class Specified:
    """What the specification reads in bytes: `data` with the same meaning for upb, None where they are no message."""

    data: bytes | None
    rules: set[str] = field(default_factory=set)


def as_specified(data: bytes, descriptor: Descriptor) -> Specified:
    """Rewrites a message by the rules about bytes; what no rule is about stays as it stands."""
    walk = _Walk()
    try:
        written, _, _ = walk.fields(data, 0, len(data), descriptor, None)
    except Malformed:
        return Specified(None, walk.rules)
    return Specified(written, walk.rules)


def times_are_in_range(message: Message) -> bool:
    """Whether each time that a message holds at the end fits 64 bits of nanoseconds, its parts in order."""
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        return 0 <= message.nanos < 10**9 and _fits(message)
    if name == "google.protobuf.Duration":
        return abs(message.nanos) < 10**9 and message.seconds * message.nanos >= 0 and _fits(message)
    return all(times_are_in_range(child) for child in _children(message))


def _fits(message: Any) -> bool:
    # The lowest number stands for no time.
    return -(2**63) < message.seconds * 10**9 + message.nanos < 2**63


def _children(message: Message) -> list[Message]:
    found: list[Message] = []
    for known in fields_of(message.DESCRIPTOR):
        if not known.is_message:
            continue
        value = known.value(message)
        if known.map:
            if known.descriptor.message_type.fields_by_name["value"].message_type is not None:
                found += official_map(message, known).values()
        elif known.repeated:
            found += value
        elif known.is_set(message):
            found.append(value)
    return found


@dataclass
class _Merged:
    """A singular message as it has come so far: the places among what is written, and its bytes."""

    places: list[int]
    payload: bytes


@dataclass
class _Fields:
    """The fields of one message under way. Message sets within messages that merge are merged as well."""

    written: list[bytes] = field(default_factory=list)
    merged: dict[int, _Merged] = field(default_factory=dict)
    member: dict[str, int] = field(default_factory=dict)

    def before(self, known: OfficialField) -> _Merged | None:
        """What came of a field before and still stands: another member of its oneof clears it."""
        number, oneof = known.descriptor.number, known.descriptor.containing_oneof
        if oneof is not None and self.member.setdefault(oneof.name, number) != number:
            self.member[oneof.name] = number
            return None
        return self.merged.get(number)


@dataclass
class _Walk:
    """One walk over a message, and the rules that were needed on the way."""

    rules: set[str] = field(default_factory=set)
    level: int = -1

    def fields(
        self, data: bytes, position: int, end: int, scope: Descriptor | None, group: int | None
    ) -> tuple[bytes, int, int]:
        """The fields up to `end` or the end of the group, rewritten; where they end, and where the group does."""
        self.level += 1
        if self.level > LIMIT:
            raise Malformed("nested too deep")
        found = self._fields(data, position, end, scope, group)
        self.level -= 1
        return found

    def _fields(
        self, data: bytes, position: int, end: int, scope: Descriptor | None, group: int | None
    ) -> tuple[bytes, int, int]:
        grammar = None if scope is None else grammar_of(scope)
        found = _Fields()
        while position < end:
            start = position
            number, wire_type, position = self._tag(data, position, end, is_fieldless=scope is None or not scope.fields)
            if wire_type == END_GROUP:
                if number != group:
                    raise Malformed("an end of a group that was not open")
                return b"".join(found.written), start, position
            encoded, payload, position = self._field(data, start, end, grammar)
            found.written.append(encoded)
            if grammar is not None and grammar.is_message_set:
                number, payload = self._item(encoded)
            known = None if grammar is None else grammar.by_number.get(number)
            if known is not None and not known.repeated and payload is not None:
                self._merge(found, known, wire_type, payload, is_item=grammar is not None and grammar.is_message_set)
        if group is not None:
            raise Malformed("a group without an end")
        return b"".join(found.written), position, position

    def _merge(self, found: _Fields, known: OfficialField, wire_type: int, payload: bytes, *, is_item: bool) -> None:
        """Writes a message that comes again together with what came of it before, where that changes what upb reads."""
        number, before = known.descriptor.number, found.before(known)
        places = [*(before.places if before is not None else ()), len(found.written) - 1]
        if before is None and not (is_item and wire_type == START_GROUP):
            # `_field` has been within it.
            found.merged[number] = _Merged(places, payload)
            return
        joined = payload if before is None else before.payload + payload
        rewritten, _, _ = self.fields(joined, 0, len(joined), known.descriptor.message_type, None)
        is_last = is_item and wire_type == START_GROUP and self.level + 1 == LIMIT
        is_by_rule = is_last or (is_item and before is not None)
        if is_by_rule:
            self.rules.add(ITEMS)
        if rewritten != joined or is_by_rule:
            for place in places:
                found.written[place] = b""
            found.written[places[0]] = (
                _item_of(number, rewritten)
                if is_item and not is_last
                else enclosed(number, LENGTH_DELIMITED if is_last else wire_type, rewritten)
            )
        found.merged[number] = _Merged(places, rewritten)

    def _field(self, data: bytes, start: int, end: int, grammar: Grammar | None) -> tuple[bytes, bytes | None, int]:
        """One field as it stands, with another length, or gone where it does not belong into its entry.

        Besides, what is within it where it is a message that the schema knows.
        """
        is_fieldless = grammar is None or not grammar.descriptor.fields
        number, wire_type, position = self._tag(data, start, end, is_fieldless=is_fieldless)
        known = None if grammar is None else grammar.by_number.get(number)
        fits = known is not None and wire_type_of(known) == wire_type
        scope = known.descriptor.message_type if known is not None and fits else None
        tag, value = data[start:position], b""
        if wire_type == START_GROUP:
            # The group around an item of a message set is no level of its own.
            is_around_item = grammar is not None and grammar.is_message_set and number == 1
            self.level -= is_around_item
            value, inner_end, after = self.fields(data, position, end, scope, number)
            self.level += is_around_item
            encoded = tag + value + data[inner_end:after]
        elif wire_type == LENGTH_DELIMITED:
            length, position = self._length(data, position, end)
            after = position + length
            value = data[position:after]
            if scope is not None:
                value, _, _ = self.fields(data, position, after, scope, None)
            is_as_it_stands = position - start - len(tag) <= 5 and value == data[position:after]
            encoded = data[start:after] if is_as_it_stands else tag + write_varint(len(value)) + value
        else:
            after = self._skip(data, position, end, wire_type)
            encoded = data[start:after]
        if grammar is not None and grammar.is_map_entry and not fits:
            self.rules.add(ENTRIES)
            encoded = b""
        return encoded, None if scope is None else value, after

    def _item(self, encoded: bytes) -> tuple[int, bytes | None]:
        """The number and message of an item, which may be written as an ordinary field; no message for other fields."""
        number, wire_type, position = self._tag(encoded, 0, len(encoded), is_fieldless=False)
        if wire_type == LENGTH_DELIMITED:
            _, position = self._length(encoded, position, len(encoded))
            return number, encoded[position:]
        if (number, wire_type) != (1, START_GROUP):
            return 0, None
        # Of each part the first counts.
        parts: dict[tuple[int, int], bytes] = {}
        while True:
            start = position
            number, wire_type, position = self._tag(encoded, position, len(encoded), is_fieldless=False)
            if wire_type == END_GROUP:
                break
            _, _, after = self._field(encoded, start, len(encoded), None)
            parts.setdefault((number, wire_type), encoded[position:after])
            position = after
        extension, message = parts.get((2, VARINT)), parts.get((3, LENGTH_DELIMITED))
        if extension is None or message is None:
            return 0, None
        _, start = self._length(message, 0, len(message))
        # Of the number 32 bits count, as of all varints of 32 bits.
        return _varint(extension, 0, len(extension))[0] & 0xFFFF_FFFF, message[start:]

    def _tag(self, data: bytes, position: int, end: int, *, is_fieldless: bool) -> tuple[int, int, int]:
        tag, after = _varint(data, position, end)
        if after - position > 5 or tag >= 1 << 32 or tag & 7 > FIXED32:
            raise Malformed("a bad tag")
        if tag >> 3 == 0:
            if is_fieldless:
                self.rules.add(NUMBER_0)
            raise Malformed("field number 0")
        return tag >> 3, tag & 7, after

    def _length(self, data: bytes, position: int, end: int) -> tuple[int, int]:
        length, after = _varint(data, position, end)
        if after - position > 5:
            self.rules.add(LENGTHS)
        if after + length > end:
            raise Malformed("a length beyond the end")
        return length, after

    def _skip(self, data: bytes, position: int, end: int, wire_type: int) -> int:
        if wire_type == VARINT:
            return _varint(data, position, end)[1]
        after = position + (8 if wire_type == FIXED64 else 4)
        if after > end:
            raise Malformed("a fixed-width value beyond the end")
        return after


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Of a tenth byte one bit counts, as every parser has it."""
    value = 0
    for index in range(10):
        if position + index >= end:
            raise Malformed("a varint is cut off")
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position + index + 1
    raise Malformed("a varint of more than ten bytes")


def _item_of(number: int, payload: bytes) -> bytes:
    parts = write_tag(2, VARINT) + write_varint(number) + enclosed(3, LENGTH_DELIMITED, payload)
    return enclosed(1, START_GROUP, parts)

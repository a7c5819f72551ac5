"""Messages within messages and groups within groups, about as deep as parsers go."""

import random
from functools import lru_cache

from google.protobuf.descriptor import Descriptor

from differential.grammar import Grammar, wire_type_of
from differential.tree import Node, enclosed, raw
from official import OfficialField, fields_of
from random_schema import UNKNOWN_NUMBERS
from wire import LENGTH_DELIMITED, START_GROUP

LIMIT = 100

# A cycle of types longer than this is not looked for.
_LONGEST_CYCLE = 4


def deepen(choose: random.Random, grammar: Grammar | None, node: Node, level: int) -> Node:
    """The field so deep that it stands at the limit, or a little above or below it."""
    levels = LIMIT - level + choose.randint(-3, 3)
    groups = levels if grammar is None else choose.choice((0, levels, choose.randint(0, levels)))
    inner = node.encoded
    number = choose.choice(UNKNOWN_NUMBERS)
    for _ in range(groups):
        inner = enclosed(number, START_GROUP, inner)
    cycle = () if grammar is None else cycle_of(grammar.descriptor)
    if cycle:
        for step in range(levels - groups):
            # From the inside out, so that the outermost field is one of the message that is changed.
            number, wire_type = cycle[(levels - groups - 1 - step) % len(cycle)]
            inner = enclosed(number, wire_type, inner)
    return raw(inner)


@lru_cache(maxsize=1024)
def cycle_of(descriptor: Descriptor) -> tuple[tuple[int, int], ...]:
    """Fields, by number and wire type, that lead from a message type to itself; none where none do."""
    ways: list[tuple[Descriptor, tuple[tuple[int, int], ...]]] = [(descriptor, ())]
    seen = set()
    while ways:
        scope, way = ways.pop(0)
        for field in fields_of(scope):
            if not field.is_message:
                continue
            longer = (*way, _step(field))
            if field.descriptor.message_type is descriptor:
                return longer
            if field.descriptor.message_type not in seen and len(longer) < _LONGEST_CYCLE:
                seen.add(field.descriptor.message_type)
                ways.append((field.descriptor.message_type, longer))
    return ()


def _step(field: OfficialField) -> tuple[int, int]:
    return field.descriptor.number, START_GROUP if wire_type_of(field) == START_GROUP else LENGTH_DELIMITED

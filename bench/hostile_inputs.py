"""Legal messages that take a parser the longest: for each a schema, and bytes of about a wanted length.

Values and structures are made to be as many as possible for their bytes, or to undo what came before.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, repeat

Bytes = Callable[[int], bytes]


@dataclass(frozen=True)
class Hostile:
    """One way to keep a parser busy. `schema` is without its first line, and its message is `M`."""

    name: str
    schema: str
    make: Bytes
    syntax: str = 'syntax = "proto3";'

    @property
    def proto(self) -> str:
        return f"{self.syntax} {self.schema}"


def varint(value: int) -> bytes:
    groups = [value >> shift & 0x7F for shift in range(0, max(1, value.bit_length()), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def delimited(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def again(piece: bytes) -> Bytes:
    """The same bytes again and again."""
    return lambda length: piece * (length // len(piece))


def packed(byte: bytes) -> Bytes:
    return lambda length: delimited(1, byte * length)


def tree(leaf: bytes = b"") -> Bytes:
    """Each message holds two, as deep as the wanted length needs: a table for every two bytes or three, and a leaf."""

    def make(length: int) -> bytes:
        sizes = accumulate(repeat(b""), lambda inner, _: delimited(1, inner) + delimited(2, inner) + leaf, initial=leaf)
        return next(message for message in sizes if len(message) >= length)

    return make


def entries(order: int) -> Bytes:
    """Entries of a map whose keys ascend, or do not."""

    def make(length: int) -> bytes:
        # All keys have four bytes.
        keys = range(1 << 21, (1 << 21) + length // 9)[::order]
        return b"".join(delimited(1, b"\x08" + varint(key) + b"\x10\x01") for key in keys)

    return make


def wide(kind: str, count: int = 300) -> str:
    return " ".join(f"{kind} f{number} = {number};" for number in range(3, 3 + count))


def numbers() -> bytes:
    return b"".join(varint(number << 3) + b"\x01" for number in range(3, 303))


def in_turn(payload: bytes) -> Bytes:
    """Two members of a oneof, of messages that had all their fields before."""
    whole = delimited(1, numbers()) + delimited(2, numbers())
    return lambda length: whole + again(delimited(1, payload) + delimited(2, payload))(length)


def rows_in_turn(length: int) -> bytes:
    """Two rows in a member of a oneof, each with two members in turn, the first of which had all fields before."""
    rows = delimited(1, delimited(1, delimited(1, b"") + delimited(2, b"")) * 2)
    return delimited(1, delimited(1, delimited(1, numbers()))) + again(delimited(2, b"") + rows)(length)


def chain(levels: int) -> bytes:
    return b"" if levels == 0 else delimited(1, chain(levels - 1))


def groups(levels: int) -> bytes:
    """Two groups within each other, each the member of a oneof, and a message with the same in it."""
    return b"" if levels == 0 else b"\x0b\x13" + delimited(1, groups(levels - 1)) + b"\x14\x0c"


def both_members(count: int) -> bytes:
    """The first member of each of so many oneofs, then the second."""
    return b"".join(delimited(2 * number + member, b"\x08\x01") for member in (1, 2) for number in range(count))


def members(payload: bytes) -> bytes:
    """A member of each of a hundred oneofs."""
    return b"".join(delimited(number, payload) for number in range(3, 103))


def oneofs(kind: str) -> str:
    """A hundred oneofs, each with a member of that kind."""
    return " ".join(f"oneof o{number} {{ {kind} f{number} = {number}; }}" for number in range(3, 103))


def at_random(length: int) -> bytes:
    """Rows with members of thirty of three hundred oneofs each, in no order."""
    choose = random.Random(4)
    fields = [varint(number << 3) + b"\x01" for number in range(3, 603)]
    # Nearly all of them take three bytes.
    return b"".join(delimited(1, b"".join(choose.choices(fields, k=30))) for _ in range(length // 92))


def rows(field: Callable[[int], bytes], count: int = 100) -> Bytes:
    """Rows of one field each, which is another of so many than that of the row before."""
    return again(b"".join(delimited(1, field(number)) for number in range(3, 3 + count)))


TIMES = 'import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto";'
PROTO2 = 'syntax = "proto2";'
RECURSIVE = "message M { M left = 1; M right = 2; }"
MEMBERS = "oneof one { A a = 1; B b = 2; }"
WIDE_MEMBERS = f"message M {{ {MEMBERS} }} message A {{ {wide('int64')} }} message B {{ {wide('int64')} }}"

INPUTS = (
    Hostile("a table for every two bytes, of a type that contains itself twice", RECURSIVE, tree()),
    Hostile(
        "a table for every two bytes, of a type with 150 fields more",
        f"message M {{ M left = 1; M right = 2; {wide('int64', 150)} }}",
        tree(),
    ),
    Hostile(
        "a table with a number for every four bytes",
        "message M { M left = 1; M right = 2; int64 x = 3; }",
        tree(b"\x18\x01"),
    ),
    Hostile(
        "a table with a oneof for every four bytes, of a type with 300",
        "message M { M left = 1; M right = 2; "
        + " ".join(f"oneof o{n} {{ int64 f{n} = {n}; }}" for n in range(3, 303))
        + " }",
        tree(b"\x18\x01"),
    ),
    Hostile(
        "a table with a text for every five bytes",
        "message M { M left = 1; M right = 2; string x = 3; }",
        tree(b"\x1a\x01x"),
    ),
    Hostile(
        "a table with a time for every six bytes",
        f"{TIMES} message M {{ M left = 1; M right = 2; google.protobuf.Timestamp x = 3; }}",
        tree(b"\x1a\x02\x08\x01"),
    ),
    Hostile(
        "a table with a span before zero for every 15 bytes",
        f"{TIMES} message M {{ M left = 1; M right = 2; google.protobuf.Duration x = 3; }}",
        tree(delimited(3, b"\x08" + varint((1 << 64) - 1))),
    ),
    Hostile(
        "a table with 1,000 numbers for every 3,000 bytes",
        f"message M {{ M left = 1; M right = 2; {wide('int64', 1000)} }}",
        tree(b"".join(varint(number << 3) + b"\x01" for number in range(3, 1003))),
    ),
    Hostile(
        "rows of 300 fields, two of which are set",
        f"message M {{ repeated R r = 1; }} message R {{ {wide('int64')} }}",
        again(delimited(1, b"\x18\x01\x20\x01")),
    ),
    Hostile(
        "rows that each set another of 100 fields",
        f"message M {{ repeated R r = 1; }} message R {{ {wide('int64', 100)} }}",
        rows(lambda number: varint(number << 3) + b"\x01"),
    ),
    Hostile(
        "rows that each append to another of 100 fields",
        f"message M {{ repeated R r = 1; }} message R {{ {wide('repeated int64', 100)} }}",
        rows(lambda number: varint(number << 3) + b"\x01"),
    ),
    Hostile(
        "rows that each set another of 100 times",
        f"{TIMES} message M {{ repeated R r = 1; }} message R {{ {wide('google.protobuf.Timestamp', 100)} }}",
        rows(lambda number: delimited(number, b"\x08\x01")),
    ),
    Hostile(
        "rows that each set a member of another of 100 oneofs",
        f"message M {{ repeated R r = 1; }} message R {{ {oneofs('int64')} }}",
        rows(lambda number: varint(number << 3) + b"\x01"),
    ),
    Hostile(
        "rows that set members of thirty of 300 oneofs each, in no order",
        "message M { repeated R r = 1; } message R { "
        + " ".join(f"oneof o{n} {{ int64 a{n} = {n}; int64 b{n} = {n + 300}; }}" for n in range(3, 303))
        + " }",
        at_random,
    ),
    Hostile(
        "two members of a oneof in turn, empty",
        f"message M {{ {MEMBERS} }} message A {{ int64 x = 1; }} message B {{ int64 x = 1; }}",
        again(b"\x0a\x00\x12\x00"),
    ),
    Hostile(
        "two numbers of a oneof in turn",
        "message M { oneof one { int64 a = 1; int64 b = 2; } }",
        again(b"\x08\x01\x10\x01"),
    ),
    Hostile(
        "two texts of a oneof in turn",
        "message M { oneof one { string a = 1; string b = 2; } }",
        again(b"\x0a\x00\x12\x00"),
    ),
    Hostile("two members of a oneof in turn, of 300 fields each, empty", WIDE_MEMBERS, in_turn(b"")),
    Hostile(
        "two members of a oneof in turn, of 300 fields each, one of which is set", WIDE_MEMBERS, in_turn(b"\x18\x01")
    ),
    Hostile(
        "two rows within a member of a oneof, each with two members in turn, of 300 fields",
        f"message M {{ oneof one {{ L l = 1; B b = 2; }} }} message L {{ repeated R r = 1; }} "
        f"message R {{ {MEMBERS} }} message A {{ {wide('int64')} }} message B {{ }}",
        rows_in_turn,
    ),
    Hostile(
        "forty members of oneofs within each other, and another instead of them",
        "message M { oneof one { M a = 1; M b = 2; } }",
        again(chain(40) + b"\x12\x00"),
    ),
    Hostile(
        "fifteen members of oneofs within each other, and another behind 31 numbers",
        "message M { oneof one { M a = 1; M b = 2; } repeated int64 x = 3 [packed = false]; }",
        again(chain(15) + b"\x18\x01" * 31 + b"\x12\x00"),
    ),
    Hostile(
        "two groups of a oneof in turn, empty",
        "message M { oneof one { R a = 1; R b = 2; } message R { int64 x = 1; } }",
        again(b"\x0b\x0c\x13\x14"),
        'edition = "2023"; option features.message_encoding = DELIMITED;',
    ),
    Hostile(
        "members of 100 oneofs in turn, behind members that others replace",
        f"message M {{ {MEMBERS} {oneofs('A')} }} message A {{ int64 x = 1; string s = 2; }} message B {{}}",
        lambda length: again(b"\x0a\x00\x12\x00")(40) + again(members(b"\x08\x01" * 4 + b"\x12\x00"))(length),
    ),
    Hostile(
        "fifteen members of oneofs within each other, and another behind an unknown group",
        "message M { oneof one { M a = 1; M b = 2; } }",
        again(chain(15) + b"\x7b\x7c\x12\x00"),
    ),
    Hostile(
        "rows of members of oneofs within each other, 64 deep, between rows of members in turn",
        "message M { oneof one { M a = 1; int32 b = 2; int32 c = 4; } repeated M r = 3; }",
        again(b"\x10\x01" + delimited(3, chain(64)) + delimited(3, b"\x10\x01\x20\x01" * 3)),
    ),
    Hostile(
        "two members of a oneof in turn, and a number behind each",
        f"message M {{ {MEMBERS} repeated int64 x = 3 [packed = false]; }} "
        "message A { int64 x = 1; } message B { int64 x = 1; }",
        again(b"\x0a\x02\x08\x01\x18\x01\x12\x02\x08\x01\x18\x01"),
    ),
    Hostile(
        "both members of 300 oneofs in turn",
        "message M { "
        + " ".join(f"oneof o{n} {{ A a{n} = {2 * n + 1}; A b{n} = {2 * n + 2}; }}" for n in range(300))
        + " } message A { int64 x = 1; }",
        again(both_members(300)),
    ),
    Hostile(
        "a row that replaces members, and 64 that do not",
        f"message M {{ repeated R r = 3; }} message R {{ {MEMBERS} }} "
        "message A { int64 x = 1; } message B { int64 x = 1; }",
        again(delimited(3, b"\x0a\x02\x08\x01\x12\x02\x08\x01") * 5 + delimited(3, b"\x0a\x00") * 64),
    ),
    Hostile(
        "two groups of a oneof in turn, with a message in each",
        "message M { oneof one { group A = 1 { optional M m = 1; } group B = 2 { optional M m = 1; } } }",
        again(b"\x0b\x0a\x00\x0c\x13\x0a\x00\x14"),
        PROTO2,
    ),
    Hostile(
        "two groups of a oneof in turn, with a group in each",
        "message M { oneof one { group A = 1 { optional group C = 4 { } } group B = 2 { optional group D = 5 { } } } }",
        again(b"\x0b\x23\x24\x0c\x13\x2b\x2c\x14"),
        PROTO2,
    ),
    Hostile(
        "groups of oneofs, thirty within each other, and two in turn",
        "message M { repeated R r = 3; } message R { oneof one { group X = 1 { optional R r = 1; "
        "oneof two { group Y = 2 { optional R r = 1; } int64 p = 3; } } int64 k = 2; } "
        "oneof three { group U = 6 { optional R r = 1; } group V = 7 { optional R r = 1; } } }",
        again(delimited(3, groups(15) + b"\x33\x0a\x00\x34\x3b\x0a\x00\x3c")),
        PROTO2,
    ),
    Hostile(
        "rows of messages within each other, 45 deep",
        "message M { repeated R r = 1; } message R { R a = 1; int64 x = 2; }",
        again(delimited(1, chain(45))),
    ),
    Hostile("one group again and again", "message M { optional group A = 1 { } }", again(b"\x0b\x0c"), PROTO2),
    Hostile("empty groups", "message M { repeated group A = 1 { } }", again(b"\x0b\x0c"), PROTO2),
    Hostile(
        "rows that each set another of 1,000 fields",
        f"message M {{ repeated R r = 1; }} message R {{ {wide('int64', 1000)} }}",
        rows(lambda number: varint(number << 3) + b"\x01", 1000),
    ),
    Hostile(
        "strings of 300 fields in turn",
        f"message M {{ {wide('repeated string')} }}",
        again(b"".join(varint(number << 3 | 2) + b"\x00" for number in range(3, 303))),
    ),
    Hostile(
        "numbers of 300 fields in turn",
        f"message M {{ {wide('repeated int64')} }}",
        again(numbers()),
    ),
    Hostile(
        "rows with two entries of a map each",
        "message M { repeated R r = 1; } message R { map<int32, int32> m = 1; }",
        again(delimited(1, delimited(1, b"\x08\x01\x10\x01") + delimited(1, b"\x08\x02\x10\x01"))),
    ),
    Hostile("entries of a map, keys that ascend", "message M { map<int32, int32> m = 1; }", entries(1)),
    Hostile("entries of a map, keys that descend", "message M { map<int32, int32> m = 1; }", entries(-1)),
    Hostile("entries of a map, one key", "message M { map<int32, int32> m = 1; }", again(b"\x0a\x04\x08\x01\x10\x01")),
    Hostile("empty entries of a map", "message M { map<string, string> m = 1; }", again(b"\x0a\x00")),
    Hostile("empty sub-messages", "message M { repeated R r = 1; } message R { int64 x = 1; }", again(b"\x0a\x00")),
    Hostile("one sub-message again and again", "message M { R r = 1; } message R { int64 x = 1; }", again(b"\x0a\x00")),
    Hostile(
        "one sub-message of one field again and again",
        "message M { R r = 1; } message R { int64 x = 1; }",
        again(b"\x0a\x02\x08\x01"),
    ),
    Hostile("one text again and again", "message M { string s = 1; }", again(b"\x0a\x01a")),
    Hostile("empty strings", "message M { repeated string s = 1; }", again(b"\x0a\x00")),
    Hostile("strings of one letter beyond ASCII", "message M { repeated string s = 1; }", again("\x0a\x02ä".encode())),
    Hostile("one number again and again", "message M { int64 x = 1; }", again(b"\x08\x01")),
    Hostile("packed int64 of one byte", "message M { repeated int64 x = 1; }", packed(b"\x01")),
    Hostile("packed runs of one number", "message M { repeated int64 x = 1; }", again(b"\x0a\x01\x01")),
    Hostile(
        "two packed runs in turn",
        "message M { repeated int64 x = 1; repeated int64 y = 2; }",
        again(b"\x0a\x01\x01\x12\x01\x01"),
    ),
    Hostile("unpacked int64 of one byte", "message M { repeated int64 x = 1; }", again(b"\x08\x01")),
    Hostile("unknown varints", "message M { int64 x = 1; }", again(b"\x10\x01")),
    Hostile("unknown groups, empty", "message M { int64 x = 1; }", again(b"\x13\x14")),
)

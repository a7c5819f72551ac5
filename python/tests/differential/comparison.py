"""Many messages read and written by both packages, and what differs between them.

What one side reads is held against the other by writing: wirearray writes its columns, the official package reads that,
and writes both messages again in its canonical order. Only where those bytes differ is anything looked at for long.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import wirearray as wa
from google.protobuf.message import Message

import official
from compare import assert_same
from differential.rules import TIMES, as_specified, times_are_in_range
from differential.subjects import Subject
from unknown import assert_same_unknown


@dataclass(frozen=True)
class Options:
    """How wirearray is asked: the ways in are all to give the same."""

    well_known_types: bool = False
    joined: bool = False
    copy: bool | None = True

    def decode(self, subject: Subject, messages: Sequence[bytes]) -> wa.Table:
        keywords: dict[str, Any] = {"well_known_types": self.well_known_types, "copy": self.copy, "threads": 1}
        keywords |= {"keep_unknown": True, "on_error": "skip"}
        if not self.joined:
            return subject.ours.decode_many(messages, **keywords)
        offsets = np.cumsum([0, *map(len, messages)], dtype=np.int64)
        return subject.ours.decode_many(b"".join(messages), offsets=offsets, **keywords)


@dataclass(frozen=True)
class Reading:
    """One side's view of one message: what it wrote of it again, or why it refused it."""

    written: bytes | None
    refusal: str = ""

    def __str__(self) -> str:
        return (
            f"refused{self.refusal and f' ({self.refusal})'}"
            if self.written is None
            else f"accepted, {self.written.hex()}"
        )


# What was read and is refused when it is to be written.
INCOMPLETE = Reading(b"", "a required field is missing")
TOO_DEEP = Reading(b"", "deeper than parsers read")


@dataclass(frozen=True)
class Difference:
    """A message that the two sides read differently."""

    row: int
    ours: Reading
    theirs: Reading


@dataclass
class Tally:
    """What became of the messages; `by_rule` counts those that a rule explains."""

    cases: int = 0
    accepted: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        self.cases += other.cases
        self.accepted += other.accepted
        self.by_rule += other.by_rule


def compare_all(subject: Subject, options: Options, messages: Sequence[bytes]) -> tuple[Tally, list[Difference]]:
    """Reads all messages with both sides; the tally, and all that differs without a rule that says so."""
    tally, differences = Tally(cases=len(messages)), []
    parsed = [official.parse(subject.theirs, data) for data in messages]
    ours = _read(subject, options, messages, parsed)
    for row, (data, mine, message) in enumerate(zip(messages, ours, parsed, strict=True)):
        theirs = _canonical(message)
        tally.accepted += mine.written is not None
        if _agree(subject, mine, message, theirs) and not (options.well_known_types and _has_bad_times(mine, message)):
            continue
        rules = _rules(subject, options, data, mine)
        if not rules:
            differences.append(Difference(row, mine, Reading(theirs)))
        tally.by_rule.update(rules)
    if not differences and not options.well_known_types and not tally.by_rule:
        read = [(data, message) for data, message in zip(messages, parsed, strict=True) if message is not None]
        _look_at_one(options.decode(subject, messages), read)
    return tally, differences


def _read(
    subject: Subject, options: Options, messages: Sequence[bytes], parsed: Sequence[Message | None]
) -> list[Reading]:
    """What wirearray makes of each message."""
    table = options.decode(subject, messages)
    readings: list[Reading | None] = [None] * len(messages)
    starts = np.cumsum([0, *map(len, messages)]).tolist() if options.joined else [0] * len(messages)
    for error in table.errors:
        assert error.row is not None, f"{error}"
        offset = error.offset - starts[error.row]
        assert 0 <= offset <= len(messages[error.row]), f"{error}"
        readings[error.row] = Reading(None, f"{error.kind} at byte {offset}")
    rows = [row for row, reading in enumerate(readings) if reading is None]
    assert len(rows) == len(table), f"{len(table)} rows and {len(table.errors)} errors of {len(messages)} messages"
    for row, written in zip(rows, _write(subject, table, [parsed[row] for row in rows]), strict=True):
        readings[row] = written
    return [reading for reading in readings if reading is not None]


def _write(subject: Subject, table: wa.Table, parsed: Sequence[Message | None]) -> list[Reading]:
    """Every row of a table, written again. Those that lack a required field are refused, and those alone."""
    if all(message is None or message.IsInitialized() for message in parsed if subject.has_required):
        with suppress(ValueError):
            return [Reading(written) for written in subject.ours.encode_many(table).to_list()]
    return [_write_one(subject, record) for record in table]


def _write_one(subject: Subject, record: wa.Record) -> Reading:
    try:
        return Reading(subject.ours.encode(record))
    except ValueError as refusal:
        if "requires a value" in str(refusal):
            return INCOMPLETE
        if "nested deeper than" in str(refusal):
            return TOO_DEEP
        raise


def _agree(subject: Subject, mine: Reading, message: Message | None, theirs: bytes | None) -> bool:
    if mine.written is None or message is None:
        return mine.written is theirs
    if mine is TOO_DEEP:
        # An entry at the limit that came without its message: the official package writes one, and reads it no more.
        # That is found before anything that is missing.
        return official.parse(subject.theirs, theirs) is None
    if (mine is INCOMPLETE) != (subject.has_required and not message.IsInitialized()):
        return False
    if mine is INCOMPLETE:
        return True
    # Mostly the bytes are the same as they are; entries of maps have an order of their own.
    return mine.written == theirs or _canonical(official.parse(subject.theirs, mine.written)) == theirs


def _canonical(message: Message | None) -> bytes | None:
    return None if message is None else message.SerializePartialToString(deterministic=True)


def _has_bad_times(mine: Reading, message: Message | None) -> bool:
    return mine.written is not None and message is not None and not times_are_in_range(message)


def _rules(subject: Subject, options: Options, data: bytes, mine: Reading) -> set[str]:
    """The rules under which the official package reads what wirearray read; none where it does not."""
    specified = as_specified(data, subject.theirs.DESCRIPTOR)
    message = None if specified.data is None else official.parse(subject.theirs, specified.data)
    if options.well_known_types and message is not None and not times_are_in_range(message):
        message = None
        specified.rules.add(TIMES)
    rules = specified.rules
    if mine.written:
        # What wirearray writes is by the rules as well: items of message sets are groups, which upb reads less deep.
        again = as_specified(mine.written, subject.theirs.DESCRIPTOR)
        rules = rules | again.rules
        mine = Reading(_canonical(None if again.data is None else official.parse(subject.theirs, again.data)))
    return rules if rules and _agree(subject, mine, message, _canonical(message)) else set()


def _look_at_one(table: wa.Table, read: Sequence[tuple[bytes, Message]]) -> None:
    """Writing shows no defaults and no names: so the fields of one row are compared one by one."""
    row = len(read) // 2
    if not read:
        return
    data, message = read[row]
    # What upb keeps as unknown and wirearray as an entry is the same bytes when it is written.
    if not as_specified(data, message.DESCRIPTOR).rules:
        assert_same(table[row], message)
        assert_same_unknown(table[row], message)

"""The case files of `testdata/cases`, which the engine's tests read too, through the Python package.

Every case is decoded alone and among many, and its rows are shown as the file writes them. The official package parses
the same bytes: its verdict, and its values where it accepts them, must be those of the file. The bytes on which it and
the specification part are listed, each with its reason.
"""

import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa

import official
from compare import assert_same
from unknown import assert_same_unknown

FOLDER = Path(__file__).resolve().parents[2] / "testdata" / "cases"

# What unknown fields are shown as.
UNKNOWN = "?"

_ENTRIES = (
    "upb keeps a map's entry with an unknown field as one unknown field; C++, Java, and pure Python read the entry"
)

_GROUPS = (
    "upb does not look at field numbers within groups that it skips; C++, Java, and the specification have none of 0"
)

_LENGTHS = "upb takes lengths of five bytes at most; C++ and Java, and the specification's varints, have up to ten"

_TIMES = "its parsers leave seconds and nanoseconds to whoever converts them; here they become one number at once"

# Where the official package for Python (upb) reads a case otherwise, and why the file has it the other way.
OFFICIAL_DIFFERS = {
    "hostile/entries_of_maps_with_other_fields 0": _ENTRIES,
    "hostile/entries_of_maps_with_other_fields 1": _ENTRIES,
    "hostile/entries_of_maps_with_other_fields 2": _ENTRIES,
    "hostile/field_number_0_in_an_unknown_group 0": _GROUPS,
    "hostile/field_number_0_in_an_unknown_group 1": _GROUPS,
    "hostile/lengths_of_6_to_10_bytes 0": _LENGTHS,
    "hostile/lengths_of_6_to_10_bytes 1": _LENGTHS,
    "hostile/lengths_of_6_to_10_bytes 2": _LENGTHS,
    "maps/a_part_of_another_wire_type_is_unknown": _ENTRIES,
    "maps/an_entry_is_a_message_like_any_other": _ENTRIES,
    "message_sets/the_parts_of_an_item_come_in_any_order": (
        "of two items of one number upb keeps the second; C++ and pure Python merge them, as singular messages are"
    ),
    "unknown/an_entry_of_a_map_keeps_its_own": _ENTRIES,
    "well_known_types/a_time_before_the_first_nanosecond": _TIMES,
    "well_known_types/a_time_out_of_range_within_repeated_messages": _TIMES,
    "well_known_types/nanoseconds_of_a_time_below_zero": _TIMES,
    "well_known_types/the_parts_of_a_span_have_one_sign": _TIMES,
}


@dataclass(frozen=True)
class Case:
    """A case, read from its file."""

    name: str
    schema: str
    message: str
    paths: tuple[str, ...]
    messages: tuple[bytes, ...]
    rows: tuple[dict[str, Any], ...] | None
    error: dict[str, Any] | None
    absent: dict[str, Any]
    unknown: tuple[dict[str, str], ...] | None

    @property
    def whole(self) -> Any:
        return wa.Schema.from_source(self.schema)[self.message]

    @property
    def message_type(self) -> Any:
        return self.whole.select(*self.paths) if self.paths else self.whole


def _read(file: Path) -> Iterator[Case]:
    """The cases of a file: one, or each of several that have all else in common."""
    common = tomllib.loads(file.read_text(encoding="utf-8"))
    name = file.relative_to(FOLDER).with_suffix("").as_posix()
    if "each" not in common:
        yield _case(name, common)
    for number, own in enumerate(common.pop("each", [])):
        yield _case(f"{name} {number}", common | own)


def _case(name: str, case: dict[str, Any]) -> Case:
    wire, expect, paths = case["wire"], case.get("expect"), case.get("select", [])
    return Case(
        name=name,
        schema=case["schema"],
        message=case["message"],
        paths=tuple(paths),
        messages=tuple(_bytes(text) for text in ([wire] if isinstance(wire, str) else wire)),
        rows=None if expect is None else tuple([expect] if isinstance(expect, dict) else expect),
        error=case.get("error"),
        absent=case.get("absent", {}),
        unknown=_unknown(case.get("unknown")),
    )


def _unknown(unknown: Any) -> tuple[dict[str, str], ...] | None:
    """Of each message the unknown fields by the path of the message within it, as `_take_unknown` finds them."""
    if unknown is None:
        return None
    each = [
        {"": item} if isinstance(item, str) else item for item in (unknown if isinstance(unknown, list) else [unknown])
    ]
    return tuple({path: f"hex:{_bytes(text).hex()}" for path, text in item.items() if _bytes(text)} for item in each)


def _bytes(text: str) -> bytes:
    """Pairs of hexadecimal digits; `0b*100` is a byte many times, and `( 0a 00 )*100` are several."""
    open_ = [b""]
    for word in " ".join(line.split("#")[0] for line in text.splitlines()).split():
        word, _, times = word.partition("*")
        if word == "(":
            open_.append(b"")
        else:
            part = open_.pop() if word == ")" else bytes.fromhex(word)
            open_[-1] += part * int(times or 1)
    (data,) = open_
    return data


CASES = [case for file in sorted(FOLDER.glob("*/*.toml")) for case in _read(file)]
ACCEPTED = [case for case in CASES if case.rows is not None]
REFUSED = [case for case in CASES if case.error is not None]


def _each(cases: list[Case]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def test_the_cases_are_there() -> None:
    assert len(ACCEPTED) > 40 and len(REFUSED) > 20
    assert len(ACCEPTED) + len(REFUSED) == len(CASES)


@_each(ACCEPTED)
def test_each_message_decodes_to_its_row(case: Case) -> None:
    for data, expected in zip(case.messages, case.rows, strict=True):
        for copy in (True, None):
            assert _shown(case.message_type.decode(data, copy=copy)) == expected


@_each(ACCEPTED)
def test_the_messages_together_decode_to_their_rows(case: Case) -> None:
    table = case.message_type.decode_many([*case.messages, *case.messages])
    assert [_shown(record) for record in table] == [*case.rows, *case.rows]
    assert [_shown(record) for record in table[::-1]] == [*case.rows, *case.rows][::-1]


@_each([case for case in ACCEPTED if case.absent])
def test_fields_that_are_not_set_hold_their_defaults(case: Case) -> None:
    record = case.message_type.decode(case.messages[0])
    fields = case.message_type.fields
    assert {name: _value(record[name], fields[name]) for name in case.absent} == case.absent


@_each([case for case in ACCEPTED if case.unknown is not None])
def test_unknown_fields_are_kept_where_that_is_wanted(case: Case) -> None:
    kept = [_shown(case.message_type.decode(data, keep_unknown=True)) for data in case.messages]
    assert [_shown(record) for record in case.message_type.decode_many(case.messages, keep_unknown=True)] == kept
    for shown, row, expected in zip(kept, case.rows, case.unknown, strict=True):
        assert dict(_take_unknown(shown, "")) == expected
        assert shown == row


@_each(REFUSED)
def test_an_error_says_what_is_wrong_and_where(case: Case) -> None:
    with pytest.raises(wa.DecodeError) as refusal:
        if len(case.messages) == 1:
            case.message_type.decode(case.messages[0])
        else:
            case.message_type.decode_many(case.messages)
    error = refusal.value
    found = {"kind": error.kind, "offset": error.offset, "path": error.path, "row": error.row}
    assert found == {"path": "", "row": None, **case.error}


@_each([case for case in CASES if case.name not in OFFICIAL_DIFFERS])
def test_the_official_package_reads_the_case_as_it_stands(case: Case) -> None:
    _assert_official(case)


@_each([case for case in CASES if case.name in OFFICIAL_DIFFERS])
def test_the_list_of_differences_is_current(case: Case) -> None:
    with pytest.raises(AssertionError):
        _assert_official(case)


# ---------------------------------------------------------------------------------------------------------------------


def _assert_official(case: Case) -> None:
    message_class = official.message_class(official.pool_of(_descriptor_set(case.schema)), case.message)
    parsed = [official.parse(message_class, data) for data in case.messages]
    if case.error is not None:
        assert None in parsed
        return
    for data, message in zip(case.messages, parsed, strict=True):
        assert message is not None
        record = case.whole.decode(data, keep_unknown=True, well_known_types=False)
        assert_same(record, message)
        assert_same_unknown(record, message)


@cache
def _descriptor_set(schema: str) -> bytes:
    """The schema as the official compiler reads it."""
    protoc = pytest.importorskip("grpc_tools.protoc")
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "case.proto", Path(folder) / "case.binpb"
        source.write_text(schema, encoding="utf-8")
        assert protoc.main(["protoc", f"-I{folder}", f"--descriptor_set_out={output}", str(source)]) == 0
        return output.read_bytes()


def _shown(record: Any) -> dict[str, Any]:
    """The fields of a record that are set, as a case file writes them."""
    fields = record.message_type.fields
    shown = {name: _value(record[name], field) for name, field in fields.items() if _is_set(record, name, field)}
    return shown | _shown_unknown(record)


def _shown_unknown(record: Any) -> dict[str, str]:
    """The unknown fields, where they were kept, under a name that no field has."""
    return {UNKNOWN: f"hex:{record.unknown_fields.hex()}"} if record.unknown_fields else {}


def _take_unknown(shown: Any, path: str) -> Iterator[tuple[str, str]]:
    """Takes the unknown fields out of what was shown, each with the path of the message that has them."""
    if isinstance(shown, dict):
        if UNKNOWN in shown:
            yield path, shown.pop(UNKNOWN)
        for name, value in shown.items():
            yield from _take_unknown(value, f"{path}.{name}" if path else name)
    elif isinstance(shown, list):
        for index, item in enumerate(shown):
            yield from _take_unknown(item, f"{path}[{index}]")


def _is_set(record: Any, name: str, field: Any) -> bool:
    if field.repeated:
        return len(record[name]) > 0
    if field.presence:
        return bool(record.present(name))
    value = record[name]
    return any(value.tobytes()) if isinstance(value, np.generic) else len(value) > 0


def _value(value: Any, field: Any) -> Any:
    if field.map:
        return [_entry(entry) for entry in value]
    if field.repeated:
        return [_single(item, field) for item in value]
    return _single(value, field)


def _entry(entry: Any) -> dict[str, Any]:
    """An entry of a map has both of its parts, whether or not they came."""
    parts = {name: _single(entry[name], field) for name, field in entry.message_type.fields.items()}
    return parts | _shown_unknown(entry)


def _single(value: Any, field: Any) -> Any:
    if isinstance(value, np.datetime64 | np.timedelta64):
        return _parts(value)
    if field.kind in ("message", "group"):
        return _shown(value)
    if isinstance(value, np.floating):
        return _float(value)
    if isinstance(value, np.generic):
        number = value.item()
        return f"{number:#018x}" if number >= 1 << 63 else number
    text = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if field.kind == "string" and not _is_broken(text):
        return text.decode()
    return f"hex:{text.hex()}"


def _parts(value: Any) -> dict[str, int]:
    """The fields of a time's message: both parts of a span have its sign, a point's nanoseconds count up."""
    total = int(value.astype(np.int64))
    sign = -1 if total < 0 and isinstance(value, np.timedelta64) else 1
    seconds, nanos = divmod(sign * total, 10**9)
    return {name: sign * part for name, part in [("seconds", seconds), ("nanos", nanos)] if part}


def _float(value: Any) -> Any:
    if np.isnan(value):
        bits = int.from_bytes(value.tobytes(), "little")
        return f"bits:{bits:#0{2 + 2 * value.nbytes}x}"
    return "-0.0" if value == 0 and np.signbit(value) else float(value)


def _is_broken(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return True
    return False

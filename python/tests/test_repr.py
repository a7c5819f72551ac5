"""What the text of a value shows: enough to tell values apart, and little more."""

import numpy as np
import pytest
import wirearray as wa

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
message Sample {
  double time = 1; float reading = 2; string name = 3; bytes raw = 4; optional int32 rank = 5;
  repeated int32 counts = 6;
}
message Series { repeated double times = 1; }
""")
SAMPLE, SERIES = SCHEMA["Sample"], SCHEMA["Series"]


def line(shown: object, name: str) -> str:
    (found,) = (line for line in repr(shown).splitlines() if line.split()[0] == name)
    return found


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.7e9, 1.7e9 + 0.25, 1.7e9 + 0.5], "[1700000000, 1700000000.2, 1700000000.5]"),
        ([1.7e9, 1.7e9 + 60], "[1700000000, 1700000060]"),
        ([0.1, 0.2, 0.30000000000000004], "[0.1, 0.2, 0.3]"),
        ([0.3, 0.1 + 0.2], "[0.3, 0.30000000000000004]"),
        ([1e300, -1e-300, 0.0, np.nan, np.inf], "[1e+300, -1e-300, 0, nan, inf]"),
        ([1 / 3, 2 / 3], "[0.333333, 0.666667]"),
        ([1.7e9, 1.7e9], "[1.7e+09, 1.7e+09]"),
    ],
    ids=str,
)
def test_numbers_that_differ_look_different_and_stay_short(values: list[float], text: str) -> None:
    assert line(wa.Table.of(SAMPLE, time=values), "time").endswith(text)
    assert line(SERIES.decode(SERIES.encode({"times": values})), "times").endswith(text)


def test_float32_is_shown_in_digits_of_its_own() -> None:
    readings = np.array([47.636154, 47.636158], np.float32)
    assert line(wa.Table.of(SAMPLE, reading=readings), "reading").endswith("[47.63615, 47.63616]")
    assert line(SAMPLE.decode(SAMPLE.encode({"reading": readings[0]})), "reading").endswith("47.63615417480469")


def test_notebooks_tell_numbers_apart_too() -> None:
    times = 1.7e9 + np.arange(100) / 4
    for value in (wa.Table.of(SAMPLE, time=times), SERIES.decode(SERIES.encode({"times": times}))):
        assert "1700000000.2" in value._repr_html_()
    assert "1700000000.25" in SAMPLE.decode(SAMPLE.encode({"time": times[1]}))._repr_html_()


def test_what_bounds_a_chart_has_room_below_it() -> None:
    shown = wa.Table.of(SAMPLE, time=1760741572.254301 + np.arange(100))._repr_html_()
    assert "<span>1.761e+09</span><span>+ 99</span>" in shown
    assert "<title>1760741572.25 to 1760741671.25</title>" in shown


@pytest.mark.parametrize("text", ["a" * 1000, "\x00" * 1000, "'" * 1000, "\U000e0001" * 1000], ids=ascii)
def test_strings_are_cut_within_their_quotes(text: str) -> None:
    for name, value in (("name", text), ("raw", text.encode())):
        shown = repr(wa.Table.of(SAMPLE, {name: [value]})[name])
        cut = shown.partition("[")[2].partition("[")[2].removesuffix("...]")
        assert len(cut) <= 24
        assert value.startswith(eval(cut))


def test_bytes_are_called_so() -> None:
    table = wa.Table.of(SAMPLE, name=["a"], raw=[b"a"])
    assert "bytes[1]" in line(table, "raw")
    assert "strings[1]" in line(table, "name")


def test_a_default_that_stands_for_nothing_says_so() -> None:
    assert line(SAMPLE.decode(b""), "rank").endswith("int32  0  (absent)")
    assert line(SAMPLE.decode(b"\x28\x00"), "rank").endswith("int32  0")
    assert line(SAMPLE.decode(b""), "time").endswith("float64  0.0")


def test_entries_of_one_length_say_it_once() -> None:
    assert "(2 each)" in repr(wa.Table.of(SAMPLE, counts=[[1, 2], [3, 4]])["counts"])


def test_a_scan_says_where_it_is(tmp_path: object) -> None:
    path = f"{tmp_path}/log.pb"
    SAMPLE.write(path, {"rank": [1, 2, 3]}, framing="delimited")
    with SAMPLE.scan(path, framing="delimited", batch_rows=1) as scan:
        next(scan)
        assert repr(scan) == f"Scan Sample, at byte 3 of {path}"
    assert repr(scan).endswith(", closed")

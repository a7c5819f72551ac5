"""Plots: a panel for each column, and long columns in as few points as look the same."""

import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import wirearray as wa

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
enum Side { BUY = 0; SELL = 1; }
message Tick {
  int64 id = 1; double price = 2; Side side = 3; bool fast = 4; optional int32 rank = 5; string note = 6;
  repeated double levels = 7; Tick inner = 8; repeated Tick more = 9;
}
message Series { repeated double times = 1; repeated double values = 2; repeated int32 steps = 3; string name = 4; }
""")
TICK, SERIES = SCHEMA["Tick"], SCHEMA["Series"]


@pytest.fixture(autouse=True)
def pyplot() -> Iterator[Any]:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def series(**fields: Any) -> wa.Record:
    return SERIES.decode(SERIES.encode(fields))


def points(axis: Any, line: int = 0) -> tuple[Any, Any]:
    return axis.lines[line].get_xdata(orig=True), axis.lines[line].get_ydata(orig=True)


def test_each_column_of_numbers_has_a_panel() -> None:
    table = wa.Table.of(
        TICK, id=[3, 1, 2], price=[0.5, 1.5, 2.5], side=["BUY", "SELL", "BUY"], fast=[True, False, True]
    )
    axes = table.plot()
    assert [axis.get_ylabel() for axis in axes] == ["id", "price", "side", "fast"]
    assert [axis.get_xlabel() for axis in axes] == ["", "", "", "row"]
    assert points(axes[1])[0].tolist() == [0, 1, 2]
    assert points(axes[1])[1].tolist() == [0.5, 1.5, 2.5]
    assert [text.get_text() for text in axes[2].get_yticklabels()] == ["BUY", "SELL"]
    axes[0].figure.canvas.draw()


def test_a_column_is_drawn_against_another() -> None:
    table = wa.Table.of(TICK, id=[3, 1, 2], price=[0.5, 1.5, 2.5])
    (axis,) = table.plot(x="id")
    assert axis.get_ylabel() == "price"
    assert axis.get_xlabel() == "id"
    assert points(axis)[0].tolist() == [3, 1, 2]
    (axis,) = table.plot("id", x="price")
    assert points(axis)[1].tolist() == [3, 1, 2]


def test_absent_values_are_gaps() -> None:
    table = wa.Table.of(TICK, rank=np.ma.masked_array([1, 2, 3], [False, True, False]))
    assert np.isnan(points(table.plot("rank")[0])[1]).tolist() == [False, True, False]


def test_a_value_between_two_gaps_is_seen() -> None:
    ranks = np.ma.masked_array(np.arange(100), np.arange(100) % 2 == 0)
    (axis,) = wa.Table.of(TICK, rank=ranks).plot("rank")
    assert axis.lines[0].get_marker() == "."
    assert axis.lines[0].get_markevery() == list(range(1, 100, 2))
    (axis,) = wa.Table.of(TICK, id=np.arange(100)).plot("id")
    assert axis.lines[0].get_markevery() == []


def test_columns_are_named_by_paths() -> None:
    table = TICK.decode_many([TICK.encode({"inner": {"price": 1.5}})] * 3)
    assert points(table.plot("inner.price")[0])[1].tolist() == [1.5] * 3
    record = TICK.decode(TICK.encode({"more": [{"price": 1.0}, {"price": 2.0}]}))
    assert points(record.plot("more.price")[0])[1].tolist() == [1.0, 2.0]


def test_repeated_fields_of_a_message_have_panels() -> None:
    record = series(times=[0.0, 0.5, 1.0], values=[1.0, 2.0, 3.0], name="probe")
    axes = record.plot()
    assert [axis.get_ylabel() for axis in axes] == ["times", "values"]
    assert axes[-1].get_xlabel() == "value"
    (axis,) = record.plot(x="times")
    assert points(axis)[0].tolist() == [0.0, 0.5, 1.0]


def test_few_rows_of_a_repeated_field_are_lines_and_many_a_band() -> None:
    few = wa.Table.of(TICK, id=[1, 2], levels=[[1.0, 2.0, 3.0], [4.0]])
    axes = few.plot()
    assert [axis.get_xlabel() for axis in axes] == ["row", "value"]
    assert [line.get_label() for line in axes[1].lines] == ["row 0", "row 1"]
    assert points(axes[1], 1)[1].tolist() == [4.0]
    many = wa.Table.of(TICK, levels=[[1.0, 2.0, 6.0], [], [4.0]] * 10)
    (axis,) = many.plot()
    assert points(axis)[0].tolist() == [row for row in range(30) if row % 3 != 1]
    assert points(axis)[1].tolist() == [3.0, 4.0] * 10
    assert len(axis.collections) == 1
    (axis,) = wa.Table.of(TICK, levels=[[1.0, 3.0], [5.0]], price=[2.0, 1.0]).plot("levels", x="price")
    assert points(axis)[0].tolist() == [1.0, 2.0]
    assert points(axis)[1].tolist() == [5.0, 2.0]


@pytest.mark.parametrize("x", [None, "times"])
def test_a_long_column_is_drawn_by_what_lies_on_each_pixel(x: str | None) -> None:
    count = 1_000_000
    values = np.sin(np.arange(count) / 1e5)
    values[123_456], values[654_321] = 50.0, -50.0
    record = series(times=np.arange(count) ** 1.5, values=values)
    (axis,) = record.plot("values", x=x)
    xs, ys = points(axis)
    assert len(xs) == len(ys) < 20_000
    assert ys.max() == 50.0
    assert ys.min() == -50.0
    assert (ys[0], ys[-1]) == (values[0], values[-1])
    assert np.all(np.diff(xs) >= 0)
    places = np.arange(count) if x is None else record["times"]
    assert xs[np.argmax(ys)] == pytest.approx(places[123_456], abs=places[-1] / 500)


def test_what_is_no_number_hides_nothing_of_a_long_column() -> None:
    values = np.arange(100_000.0)
    values[::2] = np.nan
    _, ys = points(series(values=values).plot()[0])
    assert np.nanmax(ys) == 99_999.0
    assert np.nanmin(ys) == 1.0


def test_long_columns_in_no_order_are_points() -> None:
    random = np.random.default_rng(1)
    xs, ys = random.normal(size=500_000), random.normal(size=500_000)
    record = series(times=xs, values=ys)
    (axis,) = record.plot("values", x="times")
    drawn_xs, drawn_ys = points(axis)
    assert axis.lines[0].get_linestyle() == "None"
    assert 1000 < len(drawn_xs) < 200_000
    assert set(drawn_xs[:100].tolist()) <= set(xs.tolist())
    pixel = (ys.max() - ys.min()) / 50
    assert drawn_ys.max() == pytest.approx(ys.max(), abs=pixel)
    assert drawn_ys.min() == pytest.approx(ys.min(), abs=pixel)


def test_axes_are_drawn_in(pyplot: Any) -> None:
    record = series(times=[1.0, 2.0], values=[3.0, 4.0])
    _, given = pyplot.subplots(2)
    assert list(record.plot(axes=given)) == list(given)
    _, one = pyplot.subplots()
    drawn = record.plot(axes=one)
    assert drawn[0] is drawn[1] is one
    assert [text.get_text() for text in one.get_legend().get_texts()] == ["times", "values"]
    with pytest.raises(ValueError, match="axes: there are 2, and 1 panels to draw"):
        record.plot("values", axes=given)


def test_at_most_twelve_panels_are_drawn_unasked() -> None:
    fields = "".join(f"int32 field_{number} = {number};" for number in range(1, 31))
    wide = wa.Schema.from_source(f'syntax = "proto3"; message Wide {{ {fields} }}')["Wide"]
    table = wide.decode_many([wide.encode(dict.fromkeys(wide.fields, 1))] * 3)
    assert len(table.plot()) == 12
    assert len(wide.decode_many([wide.encode({"field_7": 1, "field_9": 1})] * 3).plot()) == 2


def test_tables_without_rows_are_drawn() -> None:
    table = wa.Table.of(TICK, price=[], levels=[])
    assert len(table.plot("price", "levels")) == 2
    table.plot("price", "levels", x="id")[0].figure.canvas.draw()


def test_what_cannot_be_drawn_is_named() -> None:
    table = wa.Table.of(TICK, price=[1.0], note=["a"])
    with pytest.raises(TypeError, match="note: expected a column of numbers or times, got Strings"):
        table.plot("note")
    with pytest.raises(TypeError, match="levels: expected a column of numbers or times, got Ragged"):
        table.plot("price", x="levels")
    with pytest.raises(TypeError, match="names: expected names or paths of columns, each a str, got int"):
        table.plot(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="x: expected names or paths"):
        table.plot("price", x=["id"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="axes: expected Matplotlib's Axes, or a sequence of them, got int"):
        table.plot("price", axes=5)
    with pytest.raises(KeyError, match='no field "nothing"'):
        table.plot("nothing")
    with pytest.raises(
        ValueError,
        match=re.escape('no columns of numbers with values to plot; name a path to some, as in plot("inner.name")'),
    ):
        wa.Table.of(TICK, note=["a"]).plot()
    record = series(times=[1.0, 2.0], values=[3.0], name="a")
    with pytest.raises(TypeError, match="name: expected a repeated field of numbers or times, got str"):
        record.plot("name")
    with pytest.raises(TypeError, match=r"price: expected a repeated field .* got a single number"):
        table[0].plot("price")
    with pytest.raises(ValueError, match="x: times has 2 values, and values has 1; plot it by itself"):
        record.plot("values", x="times")
    with pytest.raises(ValueError, match="no repeated fields of numbers"):
        series(name="a").plot()


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        series(values=[1.0]).plot()

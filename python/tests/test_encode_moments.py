"""Points in time and spans of it: NumPy's and Python's own, as `Timestamp` and `Duration`."""

import datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from google.protobuf import duration_pb2, timestamp_pb2

from both import BothSchemas

LOG = BothSchemas("""
syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
message Log {
  google.protobuf.Timestamp at = 1; repeated google.protobuf.Timestamp times = 2;
  google.protobuf.Duration took = 3; repeated google.protobuf.Duration spans = 4;
  map<string, google.protobuf.Timestamp> last = 5;
  oneof when { google.protobuf.Timestamp done = 6; string never = 7; }
  int32 id = 8;
}
""")["Log"]
ENCODE, ENCODE_MANY = LOG.ours.encode, LOG.ours.encode_many

NANOSECONDS = 10**9


def timestamp(nanoseconds: int) -> dict[str, int]:
    """A point in time: its nanoseconds count up from the second before."""
    seconds, nanos = divmod(nanoseconds, NANOSECONDS)
    return {"seconds": seconds, "nanos": nanos}


def duration(nanoseconds: int) -> dict[str, int]:
    """A span of time: both of its parts have the same sign."""
    sign = -1 if nanoseconds < 0 else 1
    seconds, nanos = divmod(abs(nanoseconds), NANOSECONDS)
    return {"seconds": sign * seconds, "nanos": sign * nanos}


UNITS = {"W": 7 * 86400 * NANOSECONDS, "D": 86400 * NANOSECONDS, "h": 3600 * NANOSECONDS, "m": 60 * NANOSECONDS}
UNITS |= {"s": NANOSECONDS, "ms": 10**6, "us": 1000, "ns": 1, "10ms": 10**7, "25s": 25 * NANOSECONDS}
UNITS |= {"ps": Fraction(1, 1000), "fs": Fraction(1, 10**6), "as": Fraction(1, 10**9)}
COUNTS = (0, 1, -1, 1_500, -1_500, 999_999, -999_999, 1_234_567_890, -1_234_567_890)

each_unit = pytest.mark.parametrize("unit", UNITS)


@each_unit
def test_every_unit_of_points_in_time_is_taken(unit: str) -> None:
    counts = np.array(_whole(unit), np.int64)
    array = counts.view(f"M8[{unit}]")
    expected = [timestamp(int(count * UNITS[unit])) for count in counts.tolist()]
    assert ENCODE({"times": array}) == LOG.written(times=expected)
    assert ENCODE({"times": list(array)}) == LOG.written(times=expected)
    assert ENCODE_MANY({"at": array}).to_list() == [LOG.written(at=value) for value in expected]
    assert [ENCODE({"at": value}) for value in array] == [LOG.written(at=value) for value in expected]


@each_unit
def test_every_unit_of_spans_is_taken(unit: str) -> None:
    counts = np.array(_whole(unit), np.int64)
    array = counts.view(f"m8[{unit}]")
    expected = [duration(int(count * UNITS[unit])) for count in counts.tolist()]
    assert ENCODE({"spans": array}) == LOG.written(spans=expected)
    assert ENCODE({"spans": list(array)}) == LOG.written(spans=expected)
    assert ENCODE_MANY({"took": array}).to_list() == [LOG.written(took=value) for value in expected]
    assert [ENCODE({"took": value}) for value in array] == [LOG.written(took=value) for value in expected]


def _whole(unit: str) -> list[int]:
    """Counts of a unit that make whole nanoseconds."""
    finer = Fraction(UNITS[unit]).denominator
    return [count * finer for count in COUNTS]


def test_years_and_months_are_taken_for_points_in_time_alone() -> None:
    for unit in "YM":
        array = np.array([0, 1, -1, 54], f"M8[{unit}]")
        expected = [timestamp(int(value) * NANOSECONDS) for value in array.astype("M8[s]").astype(np.int64)]
        assert ENCODE({"times": array}) == LOG.written(times=expected)
        with pytest.raises(ValueError, match=r"^spans: "):
            ENCODE({"spans": np.array([1], f"m8[{unit}]")})
    with pytest.raises(ValueError, match=r"^spans: the unit is not known; give one"):
        ENCODE({"spans": np.array([1], "m8")})


@pytest.mark.parametrize("nanoseconds", [-(2**63) + 1, 2**63 - 1, -1, NANOSECONDS - 1, -NANOSECONDS, 1 - NANOSECONDS])
def test_nanoseconds_are_kept_to_the_last(nanoseconds: int) -> None:
    at, took = timestamp_pb2.Timestamp(), duration_pb2.Duration()
    at.FromNanoseconds(nanoseconds)
    took.FromNanoseconds(nanoseconds)
    expected = {"at": timestamp(nanoseconds), "took": duration(nanoseconds)}
    assert (at.seconds, at.nanos) == tuple(expected["at"].values())
    assert (took.seconds, took.nanos) == tuple(expected["took"].values())
    given = {"at": np.datetime64(nanoseconds, "ns"), "took": np.timedelta64(nanoseconds, "ns")}
    assert ENCODE(given) == LOG.written(**expected)


def test_pythons_own_times_are_taken() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    times = [
        datetime.datetime(2024, 2, 29, 12, 30, 15, 123456),
        datetime.datetime(1, 1, 1),
        datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 250000),
        datetime.datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=datetime.UTC),
        datetime.datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=zone),
    ]
    spans = [datetime.timedelta(days=-1, microseconds=5), datetime.timedelta(days=10**8), datetime.timedelta(0, 1, 1)]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    microsecond = datetime.timedelta(microseconds=1)
    since = [((time if time.tzinfo else time.replace(tzinfo=datetime.UTC)) - epoch) // microsecond for time in times]
    expected_times = [timestamp(1000 * microseconds) for microseconds in since]
    expected_spans = [duration(1000 * (span // microsecond)) for span in spans]
    assert ENCODE({"times": times, "spans": spans}) == LOG.written(times=expected_times, spans=expected_spans)
    for time, expected in zip(times, expected_times, strict=True):
        assert ENCODE({"at": time}) == LOG.written(at=expected)
    for span, expected in zip(spans, expected_spans, strict=True):
        assert ENCODE({"took": span}) == LOG.written(took=expected)


def test_the_message_itself_may_be_a_point_in_time() -> None:
    schema = wa.Schema.from_message(timestamp_pb2.Timestamp)["google.protobuf.Timestamp"]
    expected = timestamp_pb2.Timestamp(seconds=-1, nanos=5).SerializeToString()
    assert schema.encode(np.datetime64(5 - NANOSECONDS, "ns")) == expected
    assert schema.encode_many(np.array([5 - NANOSECONDS], "M8[ns]")).to_list() == [expected]
    assert schema.encode({"seconds": -1, "nanos": 5}) == expected


def test_times_go_wherever_their_messages_go() -> None:
    early, late = np.datetime64(0, "ns"), np.datetime64(1, "s")
    expected = {"last": {"a": timestamp(0), "b": timestamp(NANOSECONDS)}, "done": timestamp(NANOSECONDS)}
    assert ENCODE({"last": {"a": early, "b": late}, "done": late}) == LOG.written(**expected)
    rows = [[early, late], [], [late]]
    flat = np.array([0, 1, 1], "M8[s]")
    expected = [LOG.written(times=[timestamp(int(time.astype("M8[ns]").astype(int))) for time in row]) for row in rows]
    assert ENCODE_MANY({"times": rows}).to_list() == expected
    assert ENCODE_MANY({"times": (flat, [0, 2, 2, 3])}).to_list() == expected
    assert ENCODE_MANY({"times": [flat[:2], flat[:0], flat[2:]]}).to_list() == expected
    mixed = [
        {"seconds": 1},
        late,
        LOG.ours.decode(LOG.written(at=timestamp(NANOSECONDS)))["at"],
        datetime.datetime(1970, 1, 1),
    ]
    seconds = [timestamp(count * NANOSECONDS) for count in (1, 1, 1, 0)]
    assert ENCODE({"times": mixed}) == LOG.written(times=seconds)


@pytest.mark.parametrize(
    "given",
    [
        np.array(["1970-01-01", "NaT", "1970-01-02"], "M8[D]"),
        np.ma.masked_array(np.array([0, 7, 1], "M8[D]"), [False, True, False]),
        [np.datetime64(0, "D"), None, np.datetime64(1, "D")],
        [np.datetime64(0, "D"), np.datetime64("NaT"), datetime.datetime(1970, 1, 2)],
        np.array([datetime.datetime(1970, 1, 1), None, datetime.datetime(1970, 1, 2)], object),
    ],
    ids=["NaT", "mask", "None", "NaT in a list", "objects"],
)
def test_times_that_are_missing_are_absent(given: Any) -> None:
    expected = [LOG.written(at=timestamp(0)), b"", LOG.written(at=timestamp(86400 * NANOSECONDS))]
    assert ENCODE_MANY({"at": given}).to_list() == expected
    with pytest.raises(ValueError, match=r"^times\[1\]: None is no value of a repeated field; leave it out"):
        ENCODE({"times": given})


def test_a_time_of_its_own_that_is_missing_is_absent() -> None:
    assert ENCODE({"at": np.datetime64("NaT"), "id": 1}) == LOG.written(id=1)
    assert ENCODE_MANY([{"at": np.datetime64("NaT"), "id": 1}]).to_list() == [LOG.written(id=1)]


def test_an_empty_array_of_times_is_no_times() -> None:
    for empty in ([], np.array([], "M8[ns]"), np.array([], "M8[D]"), ()):
        assert ENCODE({"times": empty}) == b""
        assert ENCODE_MANY({"at": empty}).to_list() == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "parts of a nanosecond": (
        {"times": np.array([1000, 1500], "M8[ps]")},
        r"times\[1\] = .* has parts of a nanosecond, which google.protobuf.Timestamp has not",
    ),
    "parts of a nanosecond in a span": (
        {"took": np.timedelta64(1, "ps")},
        r"took = .* has parts of a nanosecond, which google.protobuf.Duration has not",
    ),
    "a span for a time": ({"at": np.timedelta64(1, "s")}, "at: expected a datetime64, a datetime"),
    "a time for a span": ({"took": np.datetime64(1, "s")}, "took: expected a timedelta64, a timedelta"),
    "a number for a time": ({"at": 5}, "at: expected a datetime64, a datetime"),
    "numbers for times": ({"times": np.arange(3)}, r"times(\[0\])?: expected"),
    "text for a time": ({"at": "2024-01-01"}, "at: expected a datetime64, a datetime"),
    "text for times": ({"times": ["2024-01-01", "2024-01-02"]}, r"times(\[0\])?: expected a datetime64"),
    "a time of day": ({"at": datetime.time(12)}, "at: expected a datetime64, a datetime"),
    "two dimensions": ({"times": np.zeros((2, 2), "M8[s]")}, "times"),
    "seconds beyond 64 bits": ({"times": np.array([2**62], "M8[W]")}, "times"),
    "seconds beyond 64 bits, of years": ({"times": np.array([2**60], "M8[Y]")}, "times"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_time_is_refused_with_its_place(what: str) -> None:
    given, text = REFUSED[what]
    with pytest.raises((TypeError, ValueError), match=f"^{text}"):
        ENCODE(given)


def test_times_that_arrays_would_wrap_around_are_kept_or_refused() -> None:
    """NumPy multiplies units and converts Python's spans without a look at overflow."""
    microsecond = datetime.timedelta(microseconds=1)
    wide: list[tuple[Any, str, dict[str, int]]] = [
        (np.datetime64(2**62, "10ms"), "at", timestamp(2**62 * 10**7)),
        *(
            (span, "took", duration(span // microsecond * 1000))
            for span in (datetime.timedelta.min, datetime.timedelta.max)
        ),
    ]
    for value, name, expected in wide:
        try:
            data = ENCODE({name: value})
        except (ValueError, OverflowError) as refusal:
            assert name in str(refusal)
        else:
            assert data == LOG.written(**{name: expected}), value

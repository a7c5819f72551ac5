"""Messages with a time out of range, left out of many or raised, wherever they come from."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from test_well_known_types import FAR, LOG, NANOSECONDS

# An entry of a map that a later one replaces: its time is out of range, and no one sees it.
REPLACED = LOG.written(last={"k": FAR}) + LOG.written(last={"k": {"seconds": 1}})
TRUNCATED = b"\x50"
KINDS = {"truncated": TRUNCATED, "moment out of range": LOG.written(steps=[{}, {"at": FAR}])}


def messages(count: int) -> list[bytes]:
    """Messages whose times count up."""
    return [LOG.written(at={"seconds": i}, times=[{"nanos": i}] * (i % 3), took={"nanos": -i}) for i in range(count)]


def framed(rows: list[bytes]) -> Iterator[bytes]:
    for row in rows:
        assert len(row) < 2**7
        yield bytes([len(row)])
        yield row


def with_bad(count: int, bad: dict[int, str]) -> list[bytes]:
    rows = messages(count)
    for row, kind in bad.items():
        rows[row] = KINDS[kind]
    return rows


BAD: dict[str, dict[int, str]] = {
    "none": {},
    "one": {70: "moment out of range"},
    "the first and the last": {0: "moment out of range", 19_999: "moment out of range"},
    "several in a row": dict.fromkeys(range(5000, 5040), "moment out of range"),
    "among others": {
        3: "truncated", 4: "moment out of range", 5: "truncated", 6: "truncated", 9000: "moment out of range",
        9001: "truncated", 19_000: "truncated", 19_001: "moment out of range",
    },
    "others alone": {3: "truncated", 19_000: "truncated"},
}  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("bad", BAD)
def test_bad_messages_are_left_out_and_listed_in_their_order(bad: str, threads: int) -> None:
    rows = with_bad(20_000, BAD[bad])
    table = LOG.ours.decode_many(rows, on_error="skip", threads=threads)
    assert {error.row: error.kind for error in table.errors} == BAD[bad]
    assert [error.row for error in table.errors] == sorted(BAD[bad])
    kept = [row for i, row in enumerate(rows) if i not in BAD[bad]]
    assert LOG.ours.encode_many(table).to_list() == kept
    times = np.array([i for i in range(len(rows)) if i not in BAD[bad]])
    assert np.array_equal(table["at"].view(np.int64), times * NANOSECONDS)
    assert np.array_equal(table["took"].view(np.int64), -times)
    if BAD[bad]:
        first = min(BAD[bad])
        with pytest.raises(wa.DecodeError, match=f"^row {first}, ") as refusal:
            LOG.ours.decode_many(rows, threads=threads)
        assert (refusal.value.row, refusal.value.kind) == (first, BAD[bad][first])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("bad", BAD)
def test_streams_say_which_bytes_are_the_message_with_the_time(tmp_path: Path, bad: str, threads: int) -> None:
    rows = with_bad(20_000, BAD[bad])
    path = tmp_path / "log.pb"
    path.write_bytes(b"".join(framed(rows)))
    starts = np.cumsum([1] + [len(row) + 1 for row in rows])
    arguments: Any = {"framing": "delimited", "threads": threads}
    table = LOG.ours.read(path, on_error="skip", **arguments)
    times = [error for error in table.errors if error.kind == "moment out of range"]
    assert {error.row: error.kind for error in table.errors} == BAD[bad]
    assert [error.offset for error in times] == [starts[error.row] for error in times]
    assert {error.file for error in times} <= {str(path)}
    assert {error.path for error in times} <= {"steps[1].at"}
    batches = list(LOG.ours.scan(path, batch_rows=777, on_error="skip", **arguments))
    assert sum(len(batch) for batch in batches) == len(table) == len(rows) - len(BAD[bad])
    assert [len(batch.errors) + len(batch) for batch in batches][:-1] == [777] * (len(batches) - 1)
    assert sum(len(batch.errors) for batch in batches) == len(BAD[bad])
    if BAD[bad]:
        first = min(BAD[bad])
        delivered = 0
        with pytest.raises(wa.DecodeError) as refusal:
            for batch in LOG.ours.scan(path, batch_rows=777, **arguments):
                delivered += len(batch)
        assert (delivered, refusal.value.kind) == (first, BAD[bad][first])
        raw = LOG.ours.read(path, on_error="skip", well_known_types=False, **arguments)
        assert {error.kind for error in raw.errors} <= {"truncated"}
        assert len(raw) + len(raw.errors) == len(rows)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_what_only_looked_like_a_fault_leaves_everything_as_it_is(on_error: Any) -> None:
    rows = messages(3000)
    rows[1500] = REPLACED
    last = LOG.written(at={"seconds": 9_223_372_036, "nanos": 854_775_807})
    rows[1600] = last
    for threads in (1, 2):
        table = LOG.ours.decode_many(rows, on_error=on_error, threads=threads)
        assert table.errors == []
        assert table[1500]["last"]["value"].tolist() == [NANOSECONDS]
        assert table["at"].view(np.int64)[1600] == 2**63 - 1
        kept = [row for i, row in enumerate(rows) if i != 1500]
        assert LOG.ours.encode_many(table[np.arange(3000) != 1500]).to_list() == kept


def test_raw_times_of_streams_are_messages() -> None:
    stream = b"".join(framed([LOG.written(at=FAR), LOG.written(at={"seconds": 5})]))
    with pytest.raises(wa.DecodeError, match=r"^row 0, byte 1, field at: "):
        LOG.ours.read(io.BytesIO(stream), framing="delimited")
    table = LOG.ours.read(io.BytesIO(stream), framing="delimited", well_known_types=False)
    assert table["at"]["seconds"].tolist() == [FAR["seconds"], 5]
    (batch,) = LOG.ours.scan(io.BytesIO(stream), framing="delimited", well_known_types=False)
    assert batch["at"][0]["seconds"] == FAR["seconds"]
    empty = LOG.ours.read(io.BytesIO(b""), framing="delimited", well_known_types=False)
    assert isinstance(empty["at"], wa.Table)


def test_arrays_of_ones_own_are_filled_with_what_is_not_left_out() -> None:
    seconds = np.zeros(10, np.int64)
    rows = [LOG.written(at={"seconds": 5}), LOG.written(at=FAR), LOG.written(at={"seconds": 7})]
    table = LOG.ours.decode_many(rows, on_error="skip", out={"at.seconds": seconds})
    assert seconds[:2].tolist() == table["at.seconds"].tolist() == [5, 7]

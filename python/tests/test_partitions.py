"""Stretches of a file that are read on their own."""

import itertools
import pickle
from pathlib import Path
from typing import Any

import pytest
import wirearray as wa

from ticks import FRAMINGS, Tick, same, ticks


@pytest.mark.parametrize("framing", FRAMINGS)
def test_partitions_are_read_apart_and_together(tmp_path: Path, framing: Any) -> None:
    path = tmp_path / "ticks.pb"
    Tick.write(path, ticks(5000), framing=framing)
    partitions = Tick.partitions(path, 20_000, framing=framing)
    assert partitions[0].start == 0 and partitions[-1].stop == path.stat().st_size
    assert all(before.stop == after.start for before, after in itertools.pairwise(partitions))
    assert all(20_000 <= each.stop - each.start < 20_200 for each in partitions[:-1])
    row = 0
    for partition in pickle.loads(pickle.dumps(partitions)):
        assert same(Tick.read(partition), ticks(partition.rows, row))
        assert sum(len(table) for table in Tick.scan(partition, batch_rows=100)) == partition.rows
        row += partition.rows
    assert row == 5000
    assert same(Tick.read(partitions), ticks(5000))


def test_an_empty_file_has_no_partition_and_one_message_is_one(tmp_path: Path) -> None:
    path = tmp_path / "ticks.pb"
    path.write_bytes(b"")
    assert Tick.partitions(path, framing="delimited") == []
    Tick.write(path, ticks(1), framing="single")
    (partition,) = Tick.partitions(path, framing="single")
    assert same(Tick.read(partition), ticks(1))


def test_what_cannot_be_split_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ticks.pb"
    Tick.write(path, ticks(5), framing="delimited", compression="zstd")
    with pytest.raises(ValueError, match="is compressed, and cannot be split"):
        Tick.partitions(path, framing="delimited")
    with pytest.raises(ValueError, match="target_bytes: expected at least 1"):
        Tick.partitions(path, 0, framing="delimited")
    path.write_bytes(b"\x05abc")
    with pytest.raises(wa.DecodeError, match="ends inside a frame"):
        Tick.partitions(path, framing="delimited")
    with pytest.raises(FileNotFoundError):
        Tick.partitions(tmp_path / "missing", framing="delimited")

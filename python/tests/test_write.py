"""Messages written to files: whole or not at all, or little by little."""

import io
import os
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.proto import parse_length_prefixed

from ticks import COMPRESSIONS, FRAMINGS, OfficialTick, Tick, same, ticks


def test_what_is_written_the_official_package_reads() -> None:
    stream = io.BytesIO()
    Tick.write(stream, ticks(200), framing="delimited")
    stream.seek(0)
    read = [parse_length_prefixed(OfficialTick, stream) for _ in range(200)]
    assert [message.SerializeToString(deterministic=True) for message in read] == Tick.encode_many(ticks(200)).to_list()
    assert parse_length_prefixed(OfficialTick, stream) is None


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_writer_appends_to_what_is_there(tmp_path: Path, framing: Any, suffix: str) -> None:
    path = tmp_path / f"log.pb{suffix}"
    for start in (0, 10):
        with Tick.writer(path, framing=framing) as writer:
            writer.write(ticks(4, start))
            writer.write([])
            writer.write(ticks(6, start + 4))
    assert same(Tick.read(path, framing=framing), ticks(20))
    with Tick.writer(path, framing=framing, append=False) as writer:
        writer.write(ticks(1))
    assert same(Tick.read(path, framing=framing), ticks(1))


def test_what_a_writer_has_taken_is_in_the_file_before_it_is_closed(tmp_path: Path) -> None:
    writer = Tick.writer(tmp_path / "log.pb", framing="delimited")
    writer.write(ticks(3))
    assert same(Tick.read(tmp_path / "log.pb", framing="delimited"), ticks(3))
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="the writer is closed"):
        writer.write(ticks(1))


def test_messages_that_are_wrong_leave_file_and_writer_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "log.pb"
    Tick.write(path, ticks(3), framing="delimited")
    before = path.read_bytes()
    wrong: Any = {"price": [1, 2], "symbol": ["a", 5]}
    with pytest.raises(TypeError, match="symbol"):
        Tick.write(path, wrong, framing="delimited")
    assert path.read_bytes() == before
    with Tick.writer(path, framing="delimited") as writer:
        with pytest.raises(TypeError, match="symbol"):
            writer.write(wrong)
        writer.write(ticks(2, 3))
    assert same(Tick.read(path, framing="delimited"), ticks(5))
    assert os.listdir(tmp_path) == ["log.pb"]


def test_one_message_can_be_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "tick.pb"
    Tick.write(path, ticks(1), framing="single")
    assert path.read_bytes() == Tick.encode(ticks(1)[0])
    assert same(Tick.read(path, framing="single"), ticks(1))
    with pytest.raises(ValueError, match='"single" is for one message, and there are 2'):
        Tick.write(path, ticks(2), framing="single")
    with pytest.raises(ValueError, match="use save or write"):
        Tick.writer(path, framing="single")


def test_errors_of_the_file_are_those_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Tick.write(tmp_path / "missing" / "x.pb", ticks(1), framing="delimited")
    with pytest.raises(IsADirectoryError):
        Tick.writer(tmp_path, framing="delimited")
    with pytest.raises(OSError, match="No space left"):
        Tick.write("/dev/full", ticks(1), framing="delimited")
    with pytest.raises(TypeError):
        Tick.write(3, ticks(1), framing="delimited")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='expected "delimited", "tfrecord"'):
        Tick.write(tmp_path / "x", ticks(1), framing="lengths")  # type: ignore[arg-type]


def test_what_a_file_object_raises_comes_through() -> None:
    class Full:
        def write(self, data: bytes) -> int:
            raise BlockingIOError("not now")

    with pytest.raises(BlockingIOError, match="not now"):
        Tick.write(Full(), ticks(1), framing="delimited")

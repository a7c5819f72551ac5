"""MCAP files that this package writes: as the official package reads them, and as this one does."""

import copy
import io
import pickle
import signal
import struct
import threading
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from google.protobuf import descriptor_pb2
from mcap.data_stream import ReadDataStream
from mcap.reader import NonSeekingReader, SeekingReader, make_reader
from mcap.records import Chunk, ChunkIndex, DataEnd, Footer, MessageIndex
from mcap.stream_reader import StreamReader, breakup_chunk, get_chunk_data_stream
from mcap_protobuf.decoder import DecoderFactory

from ticks import Tick, same, ticks

START = 1_700_000_000_000_000_000
COMPRESSIONS = ["infer", "zstd", "lz4", None]


def decoded(path: Path, **options: Any) -> list[Any]:
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        return list(reader.iter_decoded_messages(**options))


def records(data: bytes) -> list[Any]:
    """All records but those within chunks, with checksums looked at."""
    return list(StreamReader(io.BytesIO(data), emit_chunks=True, validate_crcs=True).records)


def large(count: int = 60_000) -> wa.Table:
    """Rows of more than one chunk."""
    return wa.Table.of(Tick, price=np.arange(count), values=np.outer(np.arange(count), np.arange(5.0)))


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_official_package_reads_the_same_messages(tmp_path: Path, compression: Any) -> None:
    path = tmp_path / "drive.mcap"
    table = ticks(1000)
    times = START + (np.arange(1000) ^ 1)
    topics = ["/slow" if i % 3 == 0 else "/fast" for i in range(1000)]
    stamps = {"log_time": times, "publish_time": times - 5, "sequence": np.arange(1000), "topic": topics}
    Tick.write(path, table, framing="mcap", compression=compression, **stamps)
    for order in (False, True):
        found = decoded(path, log_time_order=order)
        rows = [each.message.sequence for each in found]
        assert rows == (np.argsort(times).tolist() if order else list(range(1000)))
        assert [each.decoded_message.price for each in found] == rows
        assert [each.decoded_message.symbol for each in found] == [f"symbol {row % 50}" for row in rows]
        assert [each.message.log_time for each in found] == times[rows].tolist()
        assert [each.message.publish_time for each in found] == (times[rows] - 5).tolist()
        assert [each.channel.topic for each in found] == [topics[row] for row in rows]
        assert {each.schema.name for each in found} == {"Tick"}
    assert len(decoded(path, topics=["/slow"])) == 334
    assert len(decoded(path, starting_at=START + 10, ending_before=START + 20)) == 10
    with path.open("rb") as file:
        assert [each.message_encoding for _, each, _ in NonSeekingReader(file).iter_messages()] == ["protobuf"] * 1000
    assert same(Tick.read(path), table)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_index_and_checksum_is_right(tmp_path: Path, compression: Any) -> None:
    path = tmp_path / "drive.mcap"
    table = large()
    topics = np.where(np.arange(len(table)) % 7, "/a", "/b")
    Tick.write(path, table, framing="mcap", compression=compression, log_time=START + np.arange(60_000), topic=topics)
    data = path.read_bytes()
    with path.open("rb") as file:
        summary = SeekingReader(file, validate_crcs=True).get_summary()
        header = SeekingReader(file).get_header()
    assert (header.profile, header.library) == ("", f"wirearray {wa.__version__}")
    assert summary is not None and summary.statistics is not None
    statistics = summary.statistics
    assert (statistics.message_count, statistics.schema_count, statistics.channel_count) == (60_000, 1, 2)
    assert (statistics.attachment_count, statistics.metadata_count) == (0, 0)
    assert (statistics.message_start_time, statistics.message_end_time) == (START, START + 59_999)
    counts = {summary.channels[id].topic: count for id, count in statistics.channel_message_counts.items()}
    assert counts == {"/a": 60_000 - 8572, "/b": 8572}
    assert statistics.chunk_count == len(summary.chunk_indexes) > 2
    seen = 0
    for index in summary.chunk_indexes:
        seen += check_chunk(data, index)
    assert seen == 60_000
    found = records(data)
    end = next(each for each in found if isinstance(each, DataEnd))
    footer = found[-1]
    assert isinstance(footer, Footer)
    assert end.data_section_crc == zlib.crc32(data[: footer.summary_start - 13])
    assert footer.summary_crc == zlib.crc32(data[footer.summary_start : -12])
    groups = {each.group_opcode: each for each in found if type(each).__name__ == "SummaryOffset"}
    assert sorted(groups) == [3, 4, 8, 11]
    place = footer.summary_start
    for group in sorted(groups.values(), key=lambda group: group.group_start):
        assert group.group_start == place
        assert data[place] == group.group_opcode
        place += group.group_length
    assert place == footer.summary_offset_start


def check_chunk(data: bytes, index: ChunkIndex) -> int:
    """Hold a chunk to what is said of it, and return its messages."""

    def record_at(place: int) -> Any:
        (length,) = struct.unpack_from("<Q", data, place + 1)
        return ReadDataStream(io.BytesIO(data[place + 9 : place + 9 + length])), 9 + length

    stream, length = record_at(index.chunk_start_offset)
    assert length == index.chunk_length
    chunk = Chunk.read(stream)
    assert (chunk.uncompressed_size, len(chunk.data)) == (index.uncompressed_size, index.compressed_size)
    assert (chunk.message_start_time, chunk.message_end_time) == (index.message_start_time, index.message_end_time)
    assert chunk.uncompressed_size <= 1 << 20
    messages = breakup_chunk(chunk, validate_crc=True)
    unpacked = get_chunk_data_stream(chunk)[0].read(chunk.uncompressed_size)
    times = [each.log_time for each in messages]
    assert (min(times), max(times)) == (chunk.message_start_time, chunk.message_end_time)
    place = index.chunk_start_offset + index.chunk_length
    assert place == min(index.message_index_offsets.values())
    total = 0
    for channel, offset in index.message_index_offsets.items():
        stream, length = record_at(offset)
        total += length
        message_index = MessageIndex.read(stream)
        assert message_index.channel_id == channel
        assert [time for time, _ in message_index.records] == [
            each.log_time for each in messages if each.channel_id == channel
        ]
        for time_of_message, offset_in_chunk in message_index.records:
            # The byte that says that it is a message, its length, channel and sequence, and then the time.
            opcode, _, found, _, log_time = struct.unpack_from("<BQHIQ", unpacked, offset_in_chunk)
            assert (opcode, found, log_time) == (5, channel, time_of_message)
    assert total == index.message_index_length
    return len(messages)


def test_what_was_read_is_written_as_it_was(tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.mcap" for name in "abc")
    stamps = {
        "topic": ["/a", "/b", "/a"],
        "log_time": [START + 2, START + 1, START + 3],
        "publish_time": np.array([7, 8, 9], "datetime64[s]"),
        "sequence": [9, 3, 2**32 - 1],
    }
    Tick.write(first, ticks(3), framing="mcap", **stamps)
    table = Tick.read(first)
    Tick.write(second, table, framing="mcap")
    assert second.read_bytes() == first.read_bytes()
    Tick.write(third, {"price": [4, 5, 6]}, framing="mcap", **table.mcap)
    other = Tick.read(third)
    assert other["price"].tolist() == [4, 5, 6]
    Tick.write(third, wa.Table.of(Tick, table[1:], price=[7, 8]), framing="mcap", topic="/new")
    changed = Tick.read(third)
    assert changed["price"].tolist() == [7, 8]
    assert changed.mcap["topic"].tolist() == ["/new", "/new"]
    for name in ("log_time", "publish_time", "sequence"):
        assert np.array_equal(other.mcap[name], table.mcap[name])
        assert np.array_equal(changed.mcap[name], table.mcap[name][1:])
    assert table.mcap["publish_time"].tolist() == [7 * 10**9, 8 * 10**9, 9 * 10**9]
    # Rows that are chosen bring theirs; a topic of which no row is left is in no file.
    Tick.write(third, table[1:2], framing="mcap")
    assert wa.mcap_topics(third) == [("/b", "Tick")]


def test_defaults_are_the_types_name_the_present_and_a_count(tmp_path: Path) -> None:
    path = tmp_path / "now.mcap"
    before = time.time_ns()
    Tick.write(path, {"price": [1, 2]}, framing="mcap")
    stamps = Tick.read(path).mcap
    assert stamps["topic"].tolist() == ["Tick", "Tick"]
    assert stamps["sequence"].tolist() == [0, 1]
    assert before <= stamps["log_time"].astype(int)[0] <= time.time_ns()
    assert len({*stamps["log_time"].tolist(), *stamps["publish_time"].tolist()}) == 1
    Tick.write(path, {"price": [1, 2]}, framing="mcap", log_time=5)
    stamps = Tick.read(path).mcap
    assert stamps["log_time"].astype(int).tolist() == stamps["publish_time"].astype(int).tolist() == [5, 5]


@pytest.mark.parametrize(
    "given",
    [
        np.array(["2023-11-14T22:13:20"], "datetime64[s]"),
        [datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)],
        np.datetime64(START, "ns"),
        datetime(2023, 11, 14, 22, 13, 20),
        np.array([START], "uint64"),
        [START],
        START,
    ],
)
def test_times_may_be_given_in_many_ways(given: Any) -> None:
    out = io.BytesIO()
    Tick.write(out, [{"price": 1}], framing="mcap", log_time=given)
    assert Tick.read(io.BytesIO(out.getvalue()), framing="mcap").mcap["log_time"].astype(int).tolist() == [START]


def test_a_writer_makes_one_file_of_many_tables(tmp_path: Path) -> None:
    path = tmp_path / "log.mcap"
    with Tick.writer(path, framing="mcap", topic="/one") as writer:
        for i in range(30):
            writer.write(ticks(100, 100 * i), log_time=START + i)
        writer.write(ticks(5), topic="/two", log_time=START, publish_time=START, sequence=[9] * 5)
        writer.write(ticks(2), log_time=START)
    writer.close()
    with pytest.raises(ValueError, match="the writer is closed"):
        writer.write(ticks(1))
    table = Tick.read(path)
    assert table["price"].tolist() == [*range(3000), *range(5), 0, 1]
    assert table.mcap["sequence"].tolist() == [*range(3000), *[9] * 5, 3000, 3001]
    assert table.mcap["topic"].tolist() == ["/one"] * 3000 + ["/two"] * 5 + ["/one"] * 2
    assert len(decoded(path)) == 3007
    once = io.BytesIO()
    with Tick.writer(once, framing="mcap") as writer:
        for i in range(0, len(table), 1000):
            writer.write(table[i : i + 1000])
    whole = io.BytesIO()
    Tick.write(whole, table, framing="mcap")
    assert once.getvalue() == whole.getvalue()


def test_a_writer_holds_no_more_than_a_chunk(tmp_path: Path) -> None:
    path = tmp_path / "log.mcap"
    with Tick.writer(path, framing="mcap", compression=None) as writer:
        for i in range(1, 40):
            writer.write(large(2_000), log_time=START)
            # A row takes 60 bytes or so, and 31 beside it.
            assert path.stat().st_size > i * 2_000 * 80 - (1 << 20)


def test_a_file_that_was_cut_short_gives_what_came_before(tmp_path: Path) -> None:
    path, cut = tmp_path / "whole.mcap", tmp_path / "cut.mcap"
    Tick.write(path, large(), framing="mcap", log_time=START, compression="lz4")
    data = path.read_bytes()
    with path.open("rb") as file:
        indexes = SeekingReader(file).get_summary().chunk_indexes
    for number, index in enumerate(indexes):
        cut.write_bytes(data[: index.chunk_start_offset + index.chunk_length - 1])
        table = Tick.read(cut, on_error="skip")
        assert [error.kind for error in table.errors] == ["truncated frame"]
        assert np.array_equal(table["price"], np.arange(len(table)))
        assert wa.mcap_topics(cut) == [("Tick", "Tick")]
        assert (len(table) > 0) == (number > 0)
    damaged = bytearray(data)
    damaged[indexes[0].chunk_start_offset + 100] ^= 1
    cut.write_bytes(damaged)
    # Schema and channels are outside of chunks, so none is lost with one. The checksum of all is not right either.
    table = Tick.read(cut, on_error="skip")
    assert len(table.errors) == 2
    assert np.array_equal(table["price"], np.arange(60_000 - len(table), 60_000))
    never_closed = tmp_path / "open.mcap"
    writer = Tick.writer(never_closed, framing="mcap")
    writer.write(large(), log_time=START)
    table = Tick.read(never_closed, on_error="skip")
    assert np.array_equal(table["price"], np.arange(len(table)))
    assert 0 < len(table) < 60_000
    writer.close()
    assert len(Tick.read(never_closed)) == 60_000


def test_files_without_messages_and_large_messages_are_files(tmp_path: Path) -> None:
    path = tmp_path / "empty.mcap"
    for write in (
        lambda: Tick.write(path, [], framing="mcap"),
        lambda: Tick.writer(path, framing="mcap", append=False).close(),
    ):
        write()
        assert len(Tick.read(path)) == 0
        assert decoded(path) == []
        assert records(path.read_bytes())
    values = np.arange(400_000.0)
    Tick.write(path, [{"price": 1}, {"values": values}, {"price": 3}], framing="mcap", log_time=[3, 2, 1])
    assert np.array_equal(Tick.read(path)[1].values, values)
    assert [len(each.decoded_message.values) for each in decoded(path)] == [0, 400_000, 0]
    assert [each.message.log_time for each in decoded(path)] == [1, 2, 3]


def test_the_schema_has_what_the_type_needs_and_each_file_once(tmp_path: Path) -> None:
    path = tmp_path / "row.mcap"
    files = {
        "row.proto": 'import "time.proto"; import "google/protobuf/timestamp.proto"; message Row { Time t = 1; '
        "google.protobuf.Timestamp stamp = 2; message Inner { Row row = 1; } }",
        "time.proto": "message Time { int64 x = 1; }",
        "other.proto": "message Other { int64 x = 1; }",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(f'syntax = "proto3"; {text}')
    schema = wa.Schema.from_files(tmp_path / "row.proto", tmp_path / "other.proto")
    found = descriptor_pb2.FileDescriptorSet.FromString(schema.to_descriptor_set())
    # Some sets have imports behind what imports them, or a file twice.
    mixed = descriptor_pb2.FileDescriptorSet(file=[*reversed(found.file), *found.file])
    schema = wa.Schema.from_descriptor_set(mixed.SerializeToString())
    for name, rows in (("Row", [{"t": {"x": 5}}]), ("Row.Inner", [{"row": {"t": {"x": 5}}}])):
        schema[name].write(path, rows, framing="mcap")
        (each,) = decoded(path)
        message = each.decoded_message
        assert (message.row if name == "Row.Inner" else message).t.x == 5
        written = descriptor_pb2.FileDescriptorSet.FromString(each.schema.data)
        names = [file.name for file in written.file]
        assert sorted(names) == ["google/protobuf/timestamp.proto", "row.proto", "time.proto"]
        assert names[-1] == "row.proto"
        read = wa.message_type(path, name).read(path)
        assert schema[name].encode_many(read).to_list() == schema[name].encode_many(rows).to_list()


def test_nothing_is_appended_and_what_is_there_stays_until_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.mcap"
    Tick.write(path, ticks(3), framing="mcap")
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=r"append: nothing can be appended to an MCAP file, .*log\.mcap .*append=False"
    ):
        Tick.writer(path, framing="mcap")
    with pytest.raises(ValueError, match=r"Tick\[1\]|\[1\]"):
        Tick.write(path, {"price": [1, 2**70]}, framing="mcap")
    with pytest.raises(ValueError, match="log_time: there are 1 entries and 2 messages"):
        Tick.write(path, {"price": [1, 2]}, framing="mcap", log_time=[5])
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["log.mcap"]
    with Tick.writer(path, framing="mcap", append=False) as writer:
        writer.write(ticks(2))
        with pytest.raises(ValueError, match="topic: there are 3 entries and 1 messages"):
            writer.write(ticks(1), topic=["a", "b", "c"])
        writer.write(ticks(1))
    assert Tick.read(path)["price"].tolist() == [0, 1, 0]
    empty = tmp_path / "empty.mcap"
    empty.touch()
    Tick.writer(empty, framing="mcap").close()
    assert len(Tick.read(empty)) == 0
    nothing = io.BytesIO()
    with pytest.raises(ValueError):
        Tick.write(nothing, {"price": [2**70]}, framing="mcap")
    assert nothing.getvalue() == b""


def test_an_interrupted_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "log.mcap"
    Tick.write(path, ticks(3), framing="mcap")
    before = path.read_bytes()
    table = wa.Table.of(Tick, price=np.arange(3_000_000), values=np.ones((3_000_000, 8)))
    timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        Tick.write(path, table, framing="mcap", topic="other")
        pytest.skip("it was written before it could be interrupted")
    timer.join()
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["log.mcap"]


@pytest.mark.parametrize(
    ("options", "error", "problem"),
    [
        ({"log_time": [1, -1]}, ValueError, r"log_time\[1\] = -1 does not fit uint64"),
        ({"log_time": np.array([1, -1], "datetime64[s]")}, ValueError, r"log_time\[1\] is before 1970"),
        ({"publish_time": np.array(["2030", "NaT"], "datetime64[s]")}, ValueError, r"publish_time\[1\] is no time"),
        ({"publish_time": np.array(["2030", "2600"], "datetime64[s]")}, ValueError, r"publish_time\[1\] .* 2554"),
        ({"log_time": "today"}, TypeError, "log_time: expected an array or list of uint64, got str"),
        ({"log_time": [1.5, 2]}, ValueError, r"log_time\[0\] = 1\.5 does not fit"),
        ({"log_time": [None, 2]}, ValueError, r"log_time\[0\] is missing"),
        ({"sequence": [1, 2**32]}, ValueError, r"sequence\[1\] = 4294967296 does not fit uint32"),
        ({"sequence": [1]}, ValueError, "sequence: there are 1 entries and 2 messages"),
        ({"topic": 5}, TypeError, "topic: expected an array or list of str"),
        ({"topic": ["a", 5]}, TypeError, r"topic\[1\]: expected str, got int"),
        ({"compression": "gzip"}, ValueError, 'compression: chunks of MCAP files are compressed by "zstd"'),
    ],
)
def test_wrong_arguments_say_what_is_wrong(options: Any, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        Tick.write(io.BytesIO(), {"price": [1, 2]}, framing="mcap", **options)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"topic": "/a"}, 'topic: only MCAP files have topics, framing is "delimited"'),
        ({"log_time": [1]}, "log_time: only MCAP files have times"),
        ({"publish_time": [1]}, "publish_time: only MCAP files have times"),
        ({"sequence": [1]}, "sequence: only MCAP files have numbers of messages"),
    ],
)
def test_other_framings_refuse_what_they_cannot_say(options: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Tick.write(io.BytesIO(), {"price": [1]}, framing="delimited", **options)
    out = io.BytesIO()
    with Tick.writer(out, framing="delimited") as writer:
        with pytest.raises(ValueError, match=problem):
            writer.write({"price": [1]}, **options)
        writer.write({"price": [1]})
    assert out.getvalue() == b"\x02\x08\x01"
    with pytest.raises(ValueError, match="topic: only MCAP files have topics"):
        Tick.writer(io.BytesIO(), framing="delimited", topic="/a")


def test_a_name_that_promises_another_compression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"compression: of an MCAP file the chunks are compressed, and .*\.gz is named"
    ):
        Tick.write(tmp_path / "log.mcap.gz", ticks(1), framing="mcap")
    assert list(tmp_path.iterdir()) == []


def test_there_are_as_many_topics_as_channels_have_numbers() -> None:
    topics = [f"/{i}" for i in range(65_535)]
    out = io.BytesIO()
    with Tick.writer(out, framing="mcap", compression=None) as writer:
        writer.write({"price": np.arange(65_535)}, topic=topics)
        with pytest.raises(ValueError, match="topic: there are 65536 topics, and an MCAP file has room for 65535"):
            writer.write({"price": [1]}, topic="/more")
        writer.write({"price": [1]}, topic="/65534")
    table = Tick.read(io.BytesIO(out.getvalue()), framing="mcap")
    assert table.mcap["topic"].tolist() == [*topics, "/65534"]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_and_copies_of_a_table_keep_what_mcap_says(protocol: int) -> None:
    out = io.BytesIO()
    Tick.write(out, ticks(5), framing="mcap", topic=list("abcab"), log_time=START + np.arange(5))
    table = Tick.read(io.BytesIO(out.getvalue()), framing="mcap")
    for shown in (table, table[1:3], table[[4, 0]], table[:0]):
        for again in (pickle.loads(pickle.dumps(shown, protocol)), copy.copy(shown), copy.deepcopy(shown)):
            assert again["price"].tolist() == shown["price"].tolist()
            assert list(again.mcap) == list(shown.mcap)
            for name, column in shown.mcap.items():
                assert again.mcap[name].dtype == column.dtype
                assert again.mcap[name].tolist() == column.tolist()
    assert pickle.loads(pickle.dumps(ticks(2), protocol)).mcap is None


def test_a_damaged_pickle_of_times_is_refused() -> None:
    out = io.BytesIO()
    Tick.write(out, ticks(3), framing="mcap")
    table = Tick.read(io.BytesIO(out.getvalue()), framing="mcap")
    root, tables = table._state()
    state = table._mcap_state()
    for place in range(4):
        short = [*state]
        short[place] = short[place][:2]
        with pytest.raises(ValueError, match="the pickle is damaged: there is not one time for each row"):
            wa._core._of_state(Tick, root, tables, tuple(short))
    with pytest.raises(ValueError, match="the pickle is damaged: a row is about a topic without a name"):
        wa._core._of_state(Tick, root, tables, (*state[:4], []))
    with pytest.raises(ValueError, match="the pickle is damaged"):
        wa._core._of_state(Tick, root, tables, "text")

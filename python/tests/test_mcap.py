"""MCAP files, as the official package writes them: schemas, topics, times, damage."""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import wirearray as wa
from google.protobuf import descriptor_pb2
from mcap.reader import make_reader
from mcap.writer import CompressionType, IndexType, Writer
from mcap_protobuf.decoder import DecoderFactory
from mcap_protobuf.schema import build_file_descriptor_set

import official
from ticks import OfficialTick, Tick

START = 1_700_000_000_000_000_000
OTHER = wa.Schema.from_source('syntax = "proto3"; package other; message Pose { double x = 1; }')
LAYOUTS: dict[str, dict[str, Any]] = {
    "plain chunks": {"compression": CompressionType.NONE, "chunk_size": 2000},
    "lz4": {"compression": CompressionType.LZ4, "chunk_size": 2000},
    "zstd": {"compression": CompressionType.ZSTD, "chunk_size": 2000},
    "no chunks": {"use_chunking": False, "enable_data_crcs": True},
    "no summary": {
        "index_types": IndexType.NONE,
        "repeat_channels": False,
        "repeat_schemas": False,
        "use_statistics": False,
    },
    "no checksums": {"enable_crcs": False, "chunk_size": 2000},
}


def pose_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="pose.proto", package="other", syntax="proto3")
    message = file.message_type.add(name="Pose")
    message.field.add(name="x", number=1, type="TYPE_DOUBLE", label="LABEL_OPTIONAL")
    descriptors = descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()
    return official.message_class(official.pool_of(descriptors), "other.Pose")


def written(count: int = 300, **options: Any) -> bytes:
    """A file with ticks on two topics, every third on ``/slow``, poses and JSON on others, and an attachment."""
    out = io.BytesIO()
    writer = Writer(out, **options)
    writer.start()
    schemas = [
        writer.register_schema(
            each.DESCRIPTOR.full_name, "protobuf", build_file_descriptor_set(each).SerializeToString()
        )
        for each in (OfficialTick, pose_class())
    ]
    fast, slow = (writer.register_channel(topic, "protobuf", schemas[0]) for topic in ("/fast", "/slow"))
    pose = writer.register_channel("/pose", "protobuf", schemas[1])
    text = writer.register_channel("/text", "json", 0)
    for i in range(count):
        # Recorders do not keep the order of time.
        times = {"log_time": START + (i ^ 1), "publish_time": START - i, "sequence": i}
        data = OfficialTick(price=i, symbol="x" * (i % 40)).SerializeToString()
        writer.add_message(fast if i % 3 else slow, data=data, **times)
        writer.add_message(pose, data=pose_class()(x=i).SerializeToString(), **times)
        writer.add_message(text, data=b"{}", **times)
    writer.add_attachment(START, START, "notes", "text/plain", b"an attachment" * 100)
    writer.add_metadata("about", {"robot": "r2"})
    writer.finish()
    return out.getvalue()


@pytest.fixture(params=LAYOUTS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "drive.mcap"
    path.write_bytes(written(**LAYOUTS[request.param]))
    yield path


@pytest.mark.parametrize("threads", [1, 3])
def test_messages_and_times_are_those_of_the_official_reader(path: Path, threads: int) -> None:
    with path.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        expected = list(reader.iter_decoded_messages(topics=["/fast", "/slow"], log_time_order=False))
    table = Tick.read(path, threads=threads)
    assert table["price"].tolist() == [each.decoded_message.price for each in expected]
    assert table["symbol"].to_list() == [each.decoded_message.symbol for each in expected]
    assert table.mcap is not None
    assert table.mcap["log_time"].dtype == np.dtype("datetime64[ns]")
    assert table.mcap["log_time"].astype(int).tolist() == [each.message.log_time for each in expected]
    assert table.mcap["publish_time"].astype(int).tolist() == [each.message.publish_time for each in expected]
    assert table.mcap["sequence"].tolist() == [each.message.sequence for each in expected]
    assert table.mcap["topic"].tolist() == [each.channel.topic for each in expected]


def test_topics_are_chosen_by_name(path: Path) -> None:
    assert Tick.read(path, topic="/slow")["price"].tolist() == list(range(0, 300, 3))
    assert len(Tick.read(path, topic=["/slow", "/fast"])) == 300
    assert OTHER["other.Pose"].read(path)["x"].tolist() == list(range(300))


def test_the_file_says_its_schema(path: Path) -> None:
    schema = wa.Schema.from_mcap(path)
    assert set(schema) == {"Tick", "other.Pose"}
    assert schema["Tick"].read(path)["price"].tolist() == list(range(300))
    assert set(wa.Schema.from_mcap(path, topic="/pose")) == {"other.Pose"}
    assert wa.mcap_topics(path) == [("/fast", "Tick"), ("/slow", "Tick"), ("/pose", "other.Pose")]
    assert wa.message_type(path, "other.Pose").name == "other.Pose"
    with pytest.raises(ValueError, match=r"name: say which .* has Tick on /fast, Tick on /slow, other\.Pose on /pose"):
        wa.message_type(path)


def test_a_file_with_one_type_is_a_message_type(tmp_path: Path) -> None:
    path = tmp_path / "one.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        data = build_file_descriptor_set(OfficialTick).SerializeToString()
        channel = writer.register_channel("/tick", "protobuf", writer.register_schema("Tick", "protobuf", data))
        writer.add_message(channel, START, b"\x08\x05", START)
        writer.finish()
    assert wa.message_type(path).read(path)["price"].tolist() == [5]


def test_rows_that_are_chosen_bring_their_times(path: Path) -> None:
    table = Tick.read(path)
    in_time = table[np.argsort(table.mcap["log_time"], kind="stable")]
    assert in_time["price"].tolist() == [i ^ 1 for i in range(300)]
    assert (np.diff(in_time.mcap["log_time"]) > np.timedelta64(0)).all()
    assert table[10:13].mcap["sequence"].tolist() == [10, 11, 12]
    assert table[10:100][2:4].mcap["sequence"].tolist() == [12, 13]
    slow = table[table.mcap["topic"] == "/slow"]
    assert slow["price"].tolist() == list(range(0, 300, 3))
    assert len(pd.DataFrame(table.mcap)) == 300
    assert Tick.decode_many([b""]).mcap is None


def test_batches_bring_their_times_and_streams_are_read_as_files_are(path: Path) -> None:
    batches = list(Tick.scan(path, topic="/fast", batch_rows=70))
    assert [len(batch) for batch in batches] == [70, 70, 60]
    sequences = list(itertools.chain.from_iterable(batch.mcap["sequence"].tolist() for batch in batches))
    assert sequences == [i for i in range(300) if i % 3]
    for source in (io.BytesIO(path.read_bytes()), Pipe(path.read_bytes())):
        assert Tick.read(source, framing="mcap")["price"].tolist() == list(range(300))
    twice = Tick.read([path, path])
    assert twice["price"].tolist() == [*range(300), *range(300)]
    assert set(twice.mcap["topic"].tolist()) == {"/fast", "/slow"}
    empty = Tick.read(io.BytesIO(written(0)), framing="mcap")
    assert len(empty) == len(empty.mcap["log_time"]) == 0


class Pipe:
    """What can only be read, a little at a time."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 100))


def test_many_messages_are_read_by_several_threads_and_in_bounded_batches(tmp_path: Path) -> None:
    path = tmp_path / "long.mcap"
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.ZSTD)
        writer.start()
        data = build_file_descriptor_set(OfficialTick).SerializeToString()
        channel = writer.register_channel("/tick", "protobuf", writer.register_schema("Tick", "protobuf", data))
        for i in range(50_000):
            payload = OfficialTick(price=i, values=np.arange(20.0) * i).SerializeToString()
            writer.add_message(channel, START + i, payload, START, i)
        writer.finish()
    one, four = Tick.read(path, threads=1), Tick.read(path, threads=4)
    for table in (one, four):
        assert np.array_equal(table["price"], np.arange(50_000))
        assert np.array_equal(table["values"].values, np.outer(np.arange(50_000), np.arange(20.0)).ravel())
        assert np.array_equal(table.mcap["sequence"], np.arange(50_000))
    rows = 0
    for batch in Tick.scan(path, batch_bytes=100_000, threads=2):
        assert len(batch) < 1000
        assert np.array_equal(batch.mcap["sequence"], batch["price"])
        rows += len(batch)
    assert rows == 50_000


@pytest.mark.parametrize("layout", ["zstd", "no chunks"])
def test_what_a_crashed_recorder_left_is_read_and_the_end_is_an_error(tmp_path: Path, layout: str) -> None:
    whole = written(100, **LAYOUTS[layout])
    path = tmp_path / "crashed.mcap"
    end = whole.rindex(b"\x0f\4\0\0\0\0\0\0\0")
    for cut in [*range(0, end, 97), end]:
        path.write_bytes(whole[:cut])
        prices: list[int] = []
        with pytest.raises(wa.DecodeError, match="ends in the middle, or without its last record") as caught:
            for batch in Tick.scan(path, batch_rows=10):
                prices += batch["price"].tolist()
        assert (caught.value.kind, caught.value.row) == ("truncated frame", len(prices))
        assert caught.value.offset <= cut
        assert prices == list(range(len(prices)))
        table = Tick.read(path, on_error="skip")
        assert table["price"].tolist() == table.mcap["sequence"].tolist() == prices
        assert [error.kind for error in table.errors] == ["truncated frame"]
    assert len(prices) == 100
    assert wa.mcap_topics(path)[0] == ("/fast", "Tick")
    assert "Tick" in wa.Schema.from_mcap(path)
    path.write_bytes(whole[:20])
    with pytest.raises(wa.DecodeError, match="ends in the middle, or without its last record"):
        wa.Schema.from_mcap(path)


@pytest.mark.parametrize("layout", ["plain chunks", "lz4", "zstd", "no chunks"])
def test_a_large_chunk_counts_as_memory_that_decoding_takes(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "large.mcap"
    with path.open("wb") as file:
        writer = Writer(file, **LAYOUTS[layout])
        writer.start()
        schema = writer.register_schema("Tick", "protobuf", build_file_descriptor_set(OfficialTick).SerializeToString())
        few, much = (writer.register_channel(topic, "protobuf", schema) for topic in ("/few", "/much"))
        writer.add_message(few, START, OfficialTick(price=5).SerializeToString(), START)
        writer.add_message(much, START, bytes(48 << 20), START)
        writer.add_message(few, START, OfficialTick(price=6).SerializeToString(), START)
        writer.finish()
    for most in (1 << 20, 40 << 20):
        with pytest.raises(wa.DecodeError, match="max_bytes") as caught:
            Tick.read(path, topic="/few", max_bytes=most, on_error="skip")
        assert caught.value.kind == "memory budget"
    # What has been read of a chunk is given back.
    for _ in range(2):
        assert Tick.read(path, topic="/few", max_bytes=128 << 20)["price"].tolist() == [5, 6]


def test_a_damaged_chunk_is_an_error_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "damaged.mcap"
    data = bytearray(written(**LAYOUTS["plain chunks"]))
    place = data.index(OfficialTick(price=200, symbol="x" * 0).SerializeToString(), len(data) // 3)
    data[place + 1] ^= 1
    path.write_bytes(data)
    with pytest.raises(wa.DecodeError, match=r"checksum .* verify=False") as caught:
        Tick.read(path)
    assert caught.value.kind == "frame checksum"
    assert 0 < caught.value.offset < place
    table = Tick.read(path, on_error="skip")
    assert 0 < 300 - len(table) < 60
    assert [error.kind for error in table.errors] == ["frame checksum"]
    assert table["price"].tolist() == table.mcap["sequence"].tolist()
    assert len(Tick.read(path, verify=False)) == 300


def test_a_file_of_chunks_may_have_one_checksum_for_all(tmp_path: Path) -> None:
    path = tmp_path / "whole.mcap"
    data = bytearray(written(enable_data_crcs=True, enable_crcs=False, compression=CompressionType.NONE))
    assert len(Tick.read(io.BytesIO(bytes(data)), framing="mcap")) == 300
    data[data.index(b"an attachment")] ^= 1
    path.write_bytes(data)
    scan = Tick.scan(path)
    assert len(next(scan)) == 300
    with pytest.raises(wa.DecodeError, match="checksum"):
        next(scan)
    assert len(Tick.read(path, verify=False)) == 300


def test_schemas_that_do_not_go_together_are_told_apart_by_topic(tmp_path: Path) -> None:
    path = tmp_path / "two.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        for topic, name in (("/a", "A"), ("/b", "B")):
            descriptors = descriptor_pb2.FileDescriptorSet()
            descriptors.file.add(name="same.proto").message_type.add(name=name)
            schema = writer.register_schema(name, "protobuf", descriptors.SerializeToString())
            writer.add_message(writer.register_channel(topic, "protobuf", schema), START, b"", START)
        writer.finish()
    with pytest.raises(
        wa.SchemaError, match=r"same\.proto: two different files of this name .* name a topic"
    ) as caught:
        wa.Schema.from_mcap(path)
    assert caught.value.file == "same.proto"
    assert list(wa.Schema.from_mcap(path, topic="/b")) == ["B"]
    assert len(wa.message_type(path, "A").read(path)) == 1


def test_wrong_arguments_say_what_to_do(path: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="no channel has messages of Tick on /x; there are /fast with Tick, /pose with"
    ):
        Tick.read(path, topic="/x")
    with pytest.raises(ValueError, match=r"no channel has messages of other\.Pose on /fast"):
        list(OTHER["other.Pose"].scan(path, topic="/fast"))
    with pytest.raises(ValueError, match=r'topic: .* no protobuf messages on "/text"; it has /fast, /slow, /pose'):
        wa.Schema.from_mcap(path, topic="/text")
    with pytest.raises(ValueError, match="topic: the list is empty"):
        Tick.read(path, topic=[])
    with pytest.raises(TypeError, match="topic: expected a name or a list of names, got 5"):
        Tick.read(path, topic=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="topic: only MCAP files have topics"):
        Tick.read(path, framing="delimited", topic="/fast")
    with pytest.raises(ValueError, match="start: an MCAP file is read from its front"):
        Tick.scan(path, start=10)
    with pytest.raises(ValueError, match="framing: an MCAP file is read from its front, as a whole; use read or scan"):
        Tick.partitions(path, framing="mcap")  # type: ignore[arg-type]
    other = tmp_path / "other.mcap"
    other.write_bytes(b"\x02\x08\x05 and more")
    for wrong in (lambda: Tick.read(other), lambda: wa.Schema.from_mcap(other), lambda: wa.message_type(other)):
        with pytest.raises(wa.DecodeError, match="does not begin as MCAP files do") as caught:
            wrong()
        assert (caught.value.kind, caught.value.offset, caught.value.file) == ("mcap", 0, str(other))
    with pytest.raises(FileNotFoundError):
        wa.mcap_topics(tmp_path / "nowhere.mcap")

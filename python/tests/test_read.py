"""Files and streams of messages: every framing, every compression, every sort of source."""

import gzip
import io
import os
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from google.protobuf.proto import serialize_length_prefixed

import unframe
from realdata_index import stream_name, streams
from ticks import COMPRESSIONS, FRAMINGS, OfficialTick, Tick, same, ticks


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_what_is_written_is_read_again(tmp_path: Path, framing: Any, suffix: str) -> None:
    path = tmp_path / f"ticks.pb{suffix}"
    for count in (0, 1, 3000):
        Tick.write(path, ticks(count), framing=framing)
        assert same(Tick.read(path, framing=framing), ticks(count))
        assert same(Tick.read(path, framing=framing, threads=1), ticks(count))


@pytest.mark.parametrize("compression", ["gzip", "zstd", "lz4", None])
def test_compression_can_be_named_where_no_path_says_it(compression: Any) -> None:
    stream = io.BytesIO()
    Tick.write(stream, ticks(100), framing="delimited", compression=compression)
    for given in ("infer", compression):
        stream.seek(0)
        assert same(Tick.read(stream, framing="delimited", compression=given), ticks(100))


def test_several_compressed_streams_in_one_file_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "ticks.pb.gz"
    messages = [Tick.encode(record) for record in ticks(6)]
    path.write_bytes(b"".join(gzip.compress(bytes([len(message)]) + message) for message in messages))
    assert same(Tick.read(path, framing="delimited"), ticks(6))


def test_what_the_official_package_frames_is_read() -> None:
    stream = io.BytesIO()
    for i in range(300):
        serialize_length_prefixed(OfficialTick(price=i, symbol="x" * i), stream)
    stream.seek(0)
    table = Tick.read(stream, framing="delimited")
    assert table["price"].tolist() == list(range(300))
    assert table["symbol"].lengths.tolist() == list(range(300))


@pytest.mark.parametrize(("entry", "stream"), streams(), ids=stream_name)
def test_real_files_are_read_as_they_are_once_they_have_been_taken_apart(
    realdata: Path, tmp_path: Path, entry: dict[str, Any], stream: dict[str, Any]
) -> None:
    known = {"single": "single", "gzip+single": "single", "tfrecord": "tfrecord", "u32be-delimited": "u32be"}
    schema = wa.Schema.from_descriptor_set((realdata / entry["descriptor_set"]).read_bytes())
    message_type = schema[stream["message"]]
    messages = unframe.messages(realdata, entry, stream)
    expected = message_type.encode_many(message_type.decode_many(messages)).to_list()
    if entry["framing"] in known:
        framing: Any = known[entry["framing"]]
        read = message_type.read(realdata / entry["file"], framing=framing)
        assert message_type.encode_many(read).to_list() == expected
    path = tmp_path / "framed"
    path.write_bytes(b"".join(struct.pack(">I", len(message)) + message for message in messages))
    assert message_type.encode_many(message_type.read(path, framing="u32be")).to_list() == expected


def test_lists_of_paths_and_wildcards_follow_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i, name in enumerate(["b.pb", "a.pb.gz", "c [1].pb"]):
        Tick.write(tmp_path / name, ticks(10, 10 * i), framing="delimited")
    with open(tmp_path / "c [1].pb", "rb") as file:
        assert same(Tick.read([tmp_path / "b.pb", str(tmp_path / "a.pb.gz"), file], framing="delimited"), ticks(30))
    table = Tick.read(str(tmp_path / "*.pb*"), framing="delimited")
    assert table["price"].tolist() == [*range(10, 20), *range(10), *range(20, 30)]
    # A name with brackets in it is a name first.
    assert Tick.read(tmp_path / "c [1].pb", framing="delimited")["price"][0] == 20
    monkeypatch.chdir(tmp_path)
    assert len(Tick.read("?.pb", framing="delimited")) == 10


def test_a_file_object_is_read_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "ticks.pb"
    path.write_bytes(b"header" + _delimited(ticks(20)))
    with open(path, "rb") as file:
        file.seek(6)
        assert same(Tick.read(file, framing="delimited"), ticks(20))


def test_a_reader_may_give_little_at_a_time_and_no_file_need_be_behind_it() -> None:
    class Trickle:
        def __init__(self, data: bytes) -> None:
            self.data, self.at = data, 0

        def read(self, size: int) -> bytes:
            step = min(size, 1 + self.at % 7)
            read = self.data[self.at : self.at + step]
            self.at += step
            return read

    assert same(Tick.read(Trickle(_delimited(ticks(500))), framing="delimited"), ticks(500))


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    out, into = os.pipe()
    with open(into, "wb") as writer:
        writer.write(_delimited(ticks(100)))
    with open(out, "rb") as reader:
        assert same(Tick.read(reader, framing="delimited"), ticks(100))


def test_file_systems_and_urls_are_those_of_fsspec() -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    with memory.open("/ticks.pb.zst", "wb") as file:
        Tick.write(file, ticks(1000), framing="delimited", compression="zstd")
    assert same(Tick.read("memory://ticks.pb.zst", framing="delimited"), ticks(1000))
    assert same(Tick.read("/ticks.pb.zst", framing="delimited", filesystem=memory), ticks(1000))
    with pytest.raises(FileNotFoundError):
        Tick.read("memory://nothing.pb", framing="delimited")


def test_stores_of_obstore_are_read() -> None:
    obstore = pytest.importorskip("obstore")
    store = pytest.importorskip("obstore.store").MemoryStore()
    obstore.put(store, "ticks.pb", _delimited(ticks(1000)))
    assert same(Tick.read("ticks.pb", framing="delimited", filesystem=store), ticks(1000))


def test_selected_fields_alone_are_read(tmp_path: Path) -> None:
    Tick.write(tmp_path / "ticks.pb", ticks(100), framing="u32le")
    table = Tick.select("price").read(tmp_path / "ticks.pb", framing="u32le")
    assert table.keys() == ["price"]
    assert (table["price"] == np.arange(100)).all()


def test_unknown_fields_are_kept_on_request() -> None:
    stream = io.BytesIO(b"\x02\x50\x01\x00")
    assert Tick.read(stream, framing="delimited", keep_unknown=True).unknown_fields.to_list() == [b"\x50\x01", b""]


def test_progress_is_told_in_bytes_and_comes_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "ticks.pb.gz"
    Tick.write(path, ticks(5000), framing="delimited")
    size = path.stat().st_size
    told: list[tuple[int, int | None]] = []
    Tick.read([path, path], framing="delimited", progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2 * size, 2 * size)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_bar_is_shown_where_it_is_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Tick.write(tmp_path / "ticks.pb", ticks(50), framing="delimited")
    Tick.read(tmp_path / "ticks.pb", framing="delimited", progress=True)
    assert "100%" in capsys.readouterr().err


def test_what_a_callable_or_a_reader_raises_comes_through() -> None:
    def refuse(*_: object) -> None:
        raise LookupError("enough")

    class Broken:
        def read(self, size: int) -> bytes:
            raise ConnectionError("gone")

    with pytest.raises(LookupError, match="enough"):
        Tick.read(io.BytesIO(_delimited(ticks(5))), framing="delimited", progress=refuse)
    with pytest.raises(ConnectionError, match="gone"):
        Tick.read(Broken(), framing="delimited")


@pytest.mark.parametrize(
    ("source", "arguments", "error", "text"),
    [
        ("x.pb", {}, TypeError, "framing: say how messages are set off"),
        ("x.pb", {"framing": "length"}, ValueError, 'expected "delimited", "tfrecord"'),
        ("x.pb", {"framing": "delimited", "compression": "zip"}, ValueError, "compression: expected"),
        ("x.pb", {"framing": "delimited", "on_error": "ignore"}, ValueError, 'on_error: expected "raise" or "skip"'),
        ("x.pb", {"framing": "delimited", "progress": 3}, TypeError, "progress: expected"),
        ("x.pb", {"framing": "delimited", "filesystem": 3}, TypeError, "filesystem: expected"),
        ("missing.pb", {"framing": "delimited"}, FileNotFoundError, r"missing\.pb"),
        ("missing*.pb", {"framing": "delimited"}, FileNotFoundError, r"no file matches missing\*\.pb"),
        (b"\x00", {"framing": "delimited"}, TypeError, r"io\.BytesIO"),
        (5, {"framing": "delimited"}, TypeError, "source: expected a path, an URL, a file object or a list"),
        ([], {"framing": "delimited"}, ValueError, "the list is empty"),
        ([["x.pb"]], {"framing": "delimited"}, TypeError, "a list of sources holds no lists"),
        (io.StringIO("x"), {"framing": "delimited"}, TypeError, "mode 'rb'"),
    ],
)
def test_what_cannot_be_meant_is_refused(source: Any, arguments: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Tick.read(source, **arguments)


def test_damaged_compression_is_an_error_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ticks.pb.zst"
    Tick.write(path, ticks(5000), framing="delimited")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(OSError, match=r"ticks\.pb\.zst"):
        Tick.read(path, framing="delimited")


def _delimited(table: wa.Table) -> bytes:
    stream = io.BytesIO()
    Tick.write(stream, table, framing="delimited")
    return stream.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text here")
def test_a_file_whose_name_is_no_text_is_read(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/log-\xff.pb")
    Tick.write(path, {"price": [5, 7]}, framing="delimited")
    assert Tick.read(path, framing="delimited")["price"].tolist() == [5, 7]
    assert [len(table) for table in Tick.scan(path, framing="delimited")] == [2]
    Path(path).write_bytes(b"\x01\xff")
    with pytest.raises(wa.DecodeError, match=r"log-\\udcff\.pb, row 0"):
        Tick.read(path, framing="delimited")

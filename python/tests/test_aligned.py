"""Aligned messages: every payload in its place, and every parser reads them as it reads the plain ones.

All parsers get the same messages: each padding from 0 to 63 bytes, in front of payloads of several lengths, behind tags
of one to five bytes, within every sort of message. `docs/aligned-files.md` says why they must read them.
"""

import itertools
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ptars
import pytest
import wirearray as wa
from google.protobuf.internal import api_implementation
from google.protobuf.message import Message
from numpy.typing import NDArray

import official
import wire

# Field numbers whose tags take one to five bytes, at the edges.
NUMBERS = (1, 15, 16, 2047, 2048, 262_144, 536_870_911)
# Payloads whose lengths take one, two, and three bytes.
LENGTHS = (8, 1 << 10, 20 << 10)

PROTO = f"""
syntax = "proto2";
package aligned;
message Sample {{
  optional bytes front = 1;
  optional Part one = 2; repeated Part many = 3; map<string, Part> named = 4;
  optional group Solo = 5 {{ optional string name = 1; repeated double values = 2 [packed = true]; }}
  repeated group Each = 6 {{ repeated float values = 1 [packed = true]; optional Part part = 2; }}
  optional Set set = 7;
  repeated float floats = 8 [packed = true]; repeated double doubles = 9 [packed = true];
  repeated fixed32 fixed32s = 10 [packed = true]; repeated sfixed32 sfixed32s = 11 [packed = true];
  repeated fixed64 fixed64s = 12 [packed = true]; repeated sfixed64 sfixed64s = 13 [packed = true];
  repeated sint64 varints = 14 [packed = true]; repeated double unpacked = 15;
  extensions 1000 to 1999;
}}
message Part {{
  {" ".join(f"repeated double at_{number} = {number} [packed = true];" for number in NUMBERS)}
  optional string name = 17; optional Leaf leaf = 18;
}}
message Leaf {{ repeated double values = 1 [packed = true]; }}
message Set {{ option message_set_wire_format = true; extensions 4 to max; }}
message Item {{ extend Set {{ optional Item item = 4000000; }} repeated double values = 1 [packed = true]; }}
extend Sample {{ repeated fixed64 more = 1000 [packed = true]; }}
"""
# The packed fields of fixed width, of the outermost message.
OUTERMOST = ("floats", "doubles", "fixed32s", "sfixed32s", "fixed64s", "sfixed64s", "[aligned.more]")

# Where messages, groups and payloads are in the bytes of a sample, by field numbers.
PAYLOAD = object()
PART: dict[int, Any] = {**dict.fromkeys(NUMBERS, PAYLOAD), 18: {1: PAYLOAD}}
SAMPLE: dict[int, Any] = {
    **dict.fromkeys((8, 9, 10, 11, 12, 13, 1000), PAYLOAD),
    **{2: PART, 3: PART, 4: {2: PART}, 5: {2: PAYLOAD}, 6: {1: PAYLOAD, 2: PART}, 7: {1: {3: {1: PAYLOAD}}}},
}


@dataclass(frozen=True)
class Sample:
    """One message, encoded in both ways."""

    name: str
    align: int
    plain: bytes
    aligned: bytes
    canonical: bytes  # what the official package reads from the plain message and writes again


@dataclass(frozen=True)
class Schema:
    """The message type, here and in the official package."""

    folder: Path  # with the schema's text and descriptors
    ours: wa.MessageType
    theirs: type[Message]

    def sample(self, name: str, align: int, fields: dict[str, Any]) -> Sample:
        plain, aligned = self.ours.encode(fields), self.ours.encode(fields, align=align)
        return Sample(f"{align=} {name}", align, plain, aligned, self.canonical(plain))

    def canonical(self, message: bytes) -> bytes:
        return self.theirs.FromString(message).SerializeToString(deterministic=True)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    folder = tmp_path_factory.mktemp("aligned")
    (folder / "aligned.proto").write_text(PROTO)
    _run([*_protoc(folder), f"--descriptor_set_out={folder / 'aligned.binpb'}"])
    descriptors = (folder / "aligned.binpb").read_bytes()
    ours = wa.Schema.from_descriptor_set(descriptors)["aligned.Sample"]
    return Schema(folder, ours, official.message_class(official.pool_of(descriptors), "aligned.Sample"))


@pytest.fixture(scope="module")
def samples(schema: Schema) -> list[Sample]:
    """Messages whose payloads would stand at each remainder of the alignment if nothing were in front of them."""
    found = []
    for align in (8, 64):
        for front in range(align):
            for number, length in itertools.product(NUMBERS, LENGTHS):
                fields = {"front": bytes(front), "one": {f"at_{number}": _numbers(length // 8)}}
                found.append(schema.sample(f"{front=} {number=} {length=}", align, fields))
            found.append(schema.sample(f"{front=} everything", align, _everything(front)))
        found.append(schema.sample("2 MiB", align, {"front": b"odd", "one": {"at_16": _numbers((2 << 20) // 8)}}))
    return found


def test_every_payload_starts_at_its_multiple_behind_the_least_padding_that_fits(samples: list[Sample]) -> None:
    for sample in samples:
        for payload in payloads(sample.aligned):
            assert payload.position % sample.align == 0, sample.name
            assert payload.padding == least_padding(payload, sample.align), sample.name
            assert payload.padding <= {8: 19, 64: 75}[sample.align], sample.name
        assert not any(payload.padding for payload in payloads(sample.plain)), sample.name


def test_the_samples_have_every_padding_from_0_to_63_bytes(samples: list[Sample]) -> None:
    found: dict[tuple[int, int, int], set[int]] = {}
    for sample in samples:
        for payload in payloads(sample.aligned):
            found.setdefault((sample.align, payload.number, payload.length), set()).add(payload.padding)
    for align, number, length in itertools.product((8, 64), NUMBERS, LENGTHS):
        paddings = found[align, number, length]
        # Behind longer tags a few of them cannot be had with fewer bytes than the next multiple takes.
        gaps = paddings if number < 16 else {padding % align for padding in paddings}
        assert gaps == set(range(align)), (align, number, length)


def test_wirearray_reads_aligned_messages(schema: Schema, samples: list[Sample]) -> None:
    for sample in samples:
        assert schema.ours.encode(schema.ours.decode(sample.aligned)) == sample.plain, sample.name


def test_the_official_package_reads_aligned_messages(schema: Schema, samples: list[Sample]) -> None:
    if api_implementation.Type() != "upb":
        pytest.skip(f"the official package runs on {api_implementation.Type()} here, not on upb")
    _assert_read((schema.canonical(sample.aligned) for sample in samples), samples)


def test_the_official_package_reads_the_values_that_were_given(schema: Schema) -> None:
    fields = _everything(3)
    message: Any = schema.theirs.FromString(schema.ours.encode(fields, align=64))
    for name in (name for name, values in fields.items() if isinstance(values, np.ndarray) and name[0] != "["):
        assert list(getattr(message, name)) == fields[name].tolist(), name
    for number in NUMBERS:
        assert list(getattr(message.one, f"at_{number}")) == fields["one"][f"at_{number}"].tolist()
        assert list(getattr(message.named["b"], f"at_{number}")) == fields["named"]["b"][f"at_{number}"].tolist()
    assert [part.name for part in message.many] == [part["name"] for part in fields["many"]]
    assert list(message.each[1].part.leaf.values) == fields["each"][1]["part"]["leaf"]["values"].tolist()


def test_the_official_package_in_pure_python_reads_aligned_messages(schema: Schema, samples: list[Sample]) -> None:
    program = """if True:
        import struct, sys
        from google.protobuf.internal import api_implementation
        import official
        assert api_implementation.Type() == "python", api_implementation.Type()
        pool = official.pool_of(open(sys.argv[1], "rb").read())
        message = official.message_class(pool, "aligned.Sample")
        # In a set of messages protobuf 7.36 reads those only whose class has been made.
        official.message_class(pool, "aligned.Item")
        while length := sys.stdin.buffer.read(4):
            parsed = message.FromString(sys.stdin.buffer.read(*struct.unpack("<I", length)))
            canonical = parsed.SerializeToString(deterministic=True)
            sys.stdout.buffer.write(struct.pack("<I", len(canonical)) + canonical)
    """
    changed = {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python", "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", program, str(schema.folder / "aligned.binpb")]
    output = _run(command, _framed(sample.aligned for sample in samples), environment={**os.environ, **changed})
    _assert_read(_unframed(output), samples)


def test_the_official_cpp_library_reads_aligned_messages(schema: Schema, samples: list[Sample]) -> None:
    output = _run([_built_reader(schema.folder)], _framed(sample.aligned for sample in samples))
    _assert_read(_unframed(output), samples)


def test_protoc_prints_aligned_messages_as_it_prints_plain_ones(schema: Schema) -> None:
    parts = [{**_part(1 + index % 3), "name": "n" * (index % 64)} for index in range(512)]
    sample = schema.sample("many parts", 64, {"many": parts})
    assert {payload.padding % 64 for payload in payloads(sample.aligned)} == set(range(64)), "all in one message"
    command = [*_protoc(schema.folder), "--decode=aligned.Sample"]
    assert _run(command, sample.aligned) == _run(command, sample.plain)


def test_ptars_reads_aligned_messages(schema: Schema, samples: list[Sample]) -> None:
    descriptor = schema.theirs.DESCRIPTOR
    handler = ptars.HandlerPool([descriptor.file]).get_for_message(descriptor)
    plain = handler.list_to_record_batch([sample.plain for sample in samples])
    assert handler.list_to_record_batch([sample.aligned for sample in samples]).equals(plain)
    assert plain.column("doubles").to_pylist()[-2] == _everything(63)["doubles"].tolist()


def test_loaded_arrays_are_aligned_views_of_the_file(schema: Schema, tmp_path: Path) -> None:
    path, fields = tmp_path / "sample.bin", _everything(11)
    names = [*OUTERMOST, "solo.values", "one.leaf.values", *(f"one.at_{number}" for number in NUMBERS)]
    for align in (8, 64):
        schema.ours.save(path, fields, align=align)
        assert path.read_bytes() == schema.ours.encode(fields, align=align)
        record, owned = schema.ours.load(path, copy=None), schema.ours.decode(schema.ours.encode(fields))
        for name in names:
            _assert_view(record[name], owned[name], align)


def test_files_of_packed_numbers_alone_need_no_copies(schema: Schema, tmp_path: Path) -> None:
    path, fields = tmp_path / "sample.bin", {name: _everything(0)[name] for name in OUTERMOST}
    schema.ours.save(path, fields, align=64)
    record = schema.ours.load(path, copy=False)
    for name, values in fields.items():
        _assert_view(record[name], values, 64)


def test_encoded_bytes_are_decoded_to_views(schema: Schema) -> None:
    fields = _everything(1)
    for align in (8, 64):
        data = schema.ours.encode(fields, align=align)
        record = schema.ours.decode(data, copy=None)
        for name in OUTERMOST:
            assert np.shares_memory(record[name], np.frombuffer(data, np.uint8))
            _assert_view(record[name], fields[name], 8)


def test_loading_a_large_aligned_file_touches_next_to_none_of_it(schema: Schema, tmp_path: Path) -> None:
    if not Path("/proc/self/statm").is_file():
        pytest.skip("how much memory is resident is asked of /proc, which is not here")
    path, values = tmp_path / "large.bin", np.arange((64 << 20) / 8)
    schema.ours.save(path, {"front": b"odd", "doubles": values}, align=64)
    before, loaded = _resident(), schema.ours.load(path, copy=None)["doubles"]
    assert _resident() - before < 2 << 20
    _assert_view(loaded, values, 64)


def test_the_lines_of_the_page_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "aligned-files.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "aligned-files.md", "exec"), {})


@dataclass(frozen=True)
class Payload:
    """A packed run of fixed-width numbers that has some; `start` is where the empty runs in front of it start."""

    number: int
    start: int
    position: int
    length: int

    @property
    def shortest_lead(self) -> int:
        """The bytes of tag and length without any padding."""
        return len(wire.write_tag(self.number, wire.LENGTH_DELIMITED)) + len(wire.write_varint(self.length))

    @property
    def padding(self) -> int:
        return self.position - self.start - self.shortest_lead


def payloads(message: bytes, shape: dict[int, Any] = SAMPLE, position: int = 0) -> Iterator[Payload]:
    """The packed runs of fixed-width numbers in a message; `wire` refuses lengths of more than five bytes."""
    waiting: tuple[int, int] | None = None
    for field in wire.split_fields(message):
        tag = wire.write_tag(field.number, field.wire_type)
        inner = shape.get(field.number)
        start, position = position, position + len(field.encoded)
        behind_length = position - len(field.payload)
        assert field.encoded.startswith(tag), "no tag is longer than it need be"
        assert waiting is None or waiting[0] == field.number, "behind an empty run comes one of the same field"
        if field.wire_type == wire.START_GROUP:
            yield from payloads(field.encoded[len(tag) : -len(tag)], inner, start + len(tag))
        elif isinstance(inner, dict):
            yield from payloads(field.payload, inner, behind_length)
        elif inner is PAYLOAD and not field.payload:
            waiting = waiting or (field.number, start)
        elif inner is PAYLOAD:
            yield Payload(field.number, waiting[1] if waiting else start, behind_length, len(field.payload))
            waiting = None
        elif field.wire_type == wire.LENGTH_DELIMITED:
            assert field.encoded == tag + wire.write_varint(len(field.payload)) + field.payload, (
                "nothing else is padded"
            )
    assert waiting is None, "behind an empty run comes one with numbers"


def least_padding(payload: Payload, align: int) -> int:
    """The least that empty runs and lengths of up to five bytes can come to."""
    shortest_run = len(wire.write_tag(payload.number, wire.LENGTH_DELIMITED)) + 1
    spare = 5 - len(wire.write_varint(payload.length))
    gap = -(payload.start + payload.shortest_lead) % align
    sums = (runs * shortest_run + longer for runs in range(40) for longer in range(4 * runs + spare + 1))
    return min(padding for padding in sums if padding % align == gap)


def _numbers(count: int) -> NDArray[np.float64]:
    return np.random.default_rng(count).standard_normal(count)


def _part(count: int) -> dict[str, Any]:
    fields: dict[str, Any] = {f"at_{number}": _numbers(count + place) for place, number in enumerate(NUMBERS)}
    return {**fields, "name": f"part {count}", "leaf": {"values": _numbers(count)}}


def _everything(front: int) -> dict[str, Any]:
    """Numbers of every type in every sort of message; some fields have none."""
    numbers = np.arange(1, 8)
    return {
        "front": bytes(front),
        "one": _part(1),
        "many": [_part(count) for count in range(5)],
        "named": {"a": _part(2), "b": _part(3)},
        "solo": {"name": "solo", "values": _numbers(9)},
        "each": [{"values": numbers.astype(np.float32), "part": _part(count)} for count in range(3)],
        "set": {"[aligned.Item.item]": {"values": _numbers(5)}},
        "floats": numbers.astype(np.float32) / 4,
        "fixed32s": numbers.astype(np.uint32) << 28,
        "sfixed32s": -numbers.astype(np.int32),
        "fixed64s": numbers.astype(np.uint64) << 60,
        "sfixed64s": -numbers.astype(np.int64),
        "doubles": numbers / 8,
        "varints": -numbers,
        "unpacked": numbers / 16,
        "[aligned.more]": numbers.astype(np.uint64),
    }


def _assert_read(found: Iterable[bytes], samples: Sequence[Sample]) -> None:
    pairs = zip(samples, found, strict=True)
    different = [sample.name for sample, canonical in pairs if canonical != sample.canonical]
    assert not different, f"{len(different)} of {len(samples)} are read differently: {different[:10]}"


def _assert_view(found: NDArray[Any], expected: NDArray[Any], align: int) -> None:
    assert found.flags.aligned
    assert not found.flags.owndata
    assert not found.flags.writeable
    assert found.ctypes.data % align == 0
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _built_reader(folder: Path) -> str:
    """The C++ program, or a skipped test that says what it takes."""
    compiler = os.environ.get("CXX") or next(filter(shutil.which, ("c++", "g++", "clang++")), None)
    if compiler is None or shutil.which("pkg-config") is None:
        pytest.skip("no C++ compiler or no pkg-config is here: Debian's packages are g++ and pkg-config")
    prefix = subprocess.run(
        ["pkg-config", "--variable=prefix", "protobuf"], capture_output=True, text=True, check=False
    )
    # The library takes code from the protoc of its own version only, which need not be the first on the path.
    protoc = Path(prefix.stdout.strip()) / "bin" / "protoc"
    if prefix.returncode != 0 or not protoc.is_file():
        pytest.skip("the C++ library is not here: Debian's packages are libprotobuf-dev and protobuf-compiler")
    _run([str(protoc), f"-I{folder}", f"--cpp_out={folder}", "aligned.proto"])
    flags = shlex.split(_run(["pkg-config", "--cflags", "--libs", "protobuf"]).decode())
    sources = [str(folder / "aligned.pb.cc"), str(Path(__file__).with_name("aligned_reader.cc"))]
    reader = str(folder / "aligned_reader")
    _run([*shlex.split(compiler), "-std=c++17", f"-I{folder}", *sources, "-o", reader, *flags])
    return reader


def _protoc(folder: Path) -> list[str]:
    return [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", "aligned.proto"]


def _run(command: Sequence[str], data: bytes = b"", *, environment: dict[str, str] | None = None) -> bytes:
    done = subprocess.run(command, input=data, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def _framed(messages: Iterable[bytes]) -> bytes:
    """Each message behind its length in four bytes."""
    return b"".join(part for message in messages for part in (struct.pack("<I", len(message)), message))


def _unframed(data: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        start, (length,) = position + 4, struct.unpack_from("<I", data, position)
        position = start + length
        yield data[start:position]

"""Where schemas and messages come from, and what is said of those that are wrong."""

import os
import shutil
import struct
import sys
import threading
from pathlib import Path

import pytest
import wirearray as wa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

POINT = 'syntax = "proto3"; package geo; message Point { double x = 1; }'
SHAPE = 'syntax = "proto3"; package geo; import "point.proto"; message Shape { repeated Point points = 1; }'
EDITION = (
    'edition = "2023"; message Modern { repeated int32 values = 1 [features.repeated_field_encoding = EXPANDED]; }'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "point.proto").write_text(POINT)
    (tmp_path / "shape.proto").write_text(SHAPE)
    return tmp_path


def test_files_bring_what_lies_beside_them(folder: Path) -> None:
    schema = wa.Schema.from_files(folder / "shape.proto")
    assert set(schema) == {"geo.Point", "geo.Shape"}
    assert schema.sources == ("shape.proto",)
    assert schema.roots == ("geo.Shape",)
    assert "geo.Shape" in schema
    assert len(schema) == 2


def test_include_is_where_imports_are_looked_up(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.move(folder / "shape.proto", elsewhere / "shape.proto")
    with pytest.raises(wa.SchemaError, match=r"point\.proto"):
        wa.Schema.from_files(elsewhere / "shape.proto")
    for include in ([elsewhere, folder], [str(elsewhere), str(folder)]):
        assert "geo.Point" in wa.Schema.from_files(elsewhere / "shape.proto", include=include)
    assert "geo.Point" in wa.Schema.from_source(SHAPE, include=folder)


def test_a_broken_text_is_placed_by_file_line_and_column(folder: Path) -> None:
    (folder / "bad.proto").write_text('syntax = "proto3";\nmessage Bad {\n  int32 a = 1\n}\n')
    with pytest.raises(wa.SchemaError) as caught:
        wa.Schema.from_files(folder / "bad.proto")
    assert (caught.value.file, caught.value.line, caught.value.column) == ("bad.proto", 4, 1)
    assert str(caught.value).startswith("bad.proto:4:1: ")


def test_missing_files_are_missing(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.proto"):
        wa.Schema.from_files(folder / "nowhere.proto")
    with pytest.raises(FileNotFoundError) as caught:
        wa.Schema.from_source(POINT)["geo.Point"].load(folder / "nowhere.bin")
    assert caught.value.filename == str(folder / "nowhere.bin")
    with pytest.raises(IsADirectoryError):
        wa.Schema.from_source(POINT)["geo.Point"].load(folder)
    with pytest.raises(FileNotFoundError):
        wa.message_type(folder / "nowhere.binpb")


def test_an_empty_file_is_an_empty_message(folder: Path) -> None:
    (folder / "empty.bin").write_bytes(b"")
    assert wa.Schema.from_source(POINT)["geo.Point"].load(str(folder / "empty.bin"))["x"] == 0.0


def test_what_cannot_be_mapped_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    message = b"\x09" + struct.pack("<d", 2.0)
    writer = threading.Thread(target=pipe.write_bytes, args=(message,))
    writer.start()
    assert wa.Schema.from_source(POINT)["geo.Point"].load(pipe)["x"] == 2.0
    writer.join()


def test_a_name_that_is_not_there_comes_with_those_that_are() -> None:
    schema = wa.Schema.from_source(POINT)
    with pytest.raises(KeyError, match=r"did you mean geo\.Point\?"):
        schema["Point"]
    with pytest.raises(TypeError, match="by full name"):
        schema[0]  # type: ignore[index]


def generated() -> dict[str, type]:
    """Two classes as the official package makes them; the second one's file extends the first."""
    file = descriptor_pb2.FileDescriptorProto(name="made.proto", package="made", syntax="proto2")
    message = file.message_type.add(name="Made")
    message.field.add(name="count", number=1, type="TYPE_INT32", label="LABEL_OPTIONAL", default_value="7")
    message.extension_range.add(start=100, end=200)
    other = descriptor_pb2.FileDescriptorProto(name="other.proto", package="made", syntax="proto2")
    other.dependency.append("made.proto")
    other.message_type.add(name="Other")
    other.extension.add(name="more", number=100, type="TYPE_STRING", label="LABEL_OPTIONAL", extendee=".made.Made")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    pool.Add(other)
    return message_factory.GetMessageClassesForFiles(["made.proto", "other.proto"], pool)


def test_what_was_meant_otherwise_is_answered_with_what_to_write(folder: Path) -> None:
    point = wa.Schema.from_source(POINT)["geo.Point"]
    with pytest.raises(TypeError, match=r"paths: .* got list: select\(.*select\(\*paths\)"):
        point.select(["x"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"paths: .* got list: from_files\(.*from_files\(\*paths\)"):
        wa.Schema.from_files([folder / "point.proto"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"is a path; from_files\(path\)"):
        wa.Schema.from_source(str(folder / "point.proto"))
    # Nearly any message is a descriptor set to a parser that skips what it does not know.
    (folder / "point.pb").write_bytes(b"\x0a\x03\x0a\x01a")
    with pytest.raises(ValueError, match=r"point\.pb defines no message"):
        wa.message_type(folder / "point.pb")
    with pytest.raises(KeyError, match=r"did you mean geo\.Point\?"):
        wa.Schema.from_source(POINT)["geo.point"]


@pytest.mark.parametrize("compression", ["gzip", "lz4"])
def test_a_file_that_is_no_message_is_named(tmp_path: Path, compression: str) -> None:
    point = wa.Schema.from_source(POINT)["geo.Point"]
    (tmp_path / "bad.pb").write_bytes(b"\x0f")
    with pytest.raises(wa.DecodeError, match=r"^\S*bad\.pb, byte 0: ") as caught:
        point.load(tmp_path / "bad.pb")
    assert caught.value.file == str(tmp_path / "bad.pb")
    assert "compressed" not in str(caught.value)
    point.write(tmp_path / "point.pb", [{"x": 1.0}], framing="single", compression=compression)
    with pytest.raises(wa.DecodeError, match=rf"by {compression} does: read\(path, framing=\"single\"\)"):
        point.load(tmp_path / "point.pb")
    assert point.read(tmp_path / "point.pb", framing="single")["x"].tolist() == [1.0]


def test_generated_classes_bring_their_schema_and_on_request_their_extensions() -> None:
    classes = generated()
    made, other = classes["made.Made"], classes["made.Other"]
    assert wa.Schema.from_message(made)["made.Made"].decode(b"")["count"] == 7
    assert wa.Schema.from_message(made())["made.Made"].name == "made.Made"
    extended = wa.Schema.from_message(made, extensions=[other])["made.Made"]
    assert extended.decode(b"\xa2\x06\x02hi")["[made.more]"] == "hi"
    with pytest.raises(TypeError, match="generated by the official protobuf package"):
        wa.Schema.from_message(int)


def test_the_shortcut_takes_whatever_there_is(folder: Path) -> None:
    assert wa.message_type(folder / "shape.proto").name == "geo.Shape"
    assert wa.message_type(str(folder / "shape.proto"), "geo.Point").name == "geo.Point"
    made = generated()["made.Made"]
    assert wa.message_type(made).name == "made.Made"
    schema = wa.Schema.from_source(POINT)
    assert wa.message_type(schema).name == "geo.Point"
    assert wa.message_type(schema["geo.Point"]).name == "geo.Point"
    files = descriptor_pb2.FileDescriptorSet()
    made.DESCRIPTOR.file.CopyToProto(files.file.add())
    (folder / "set.binpb").write_bytes(files.SerializeToString())
    assert wa.message_type(folder / "set.binpb").name == "made.Made"
    two = wa.Schema.from_source('syntax = "proto3"; message A {} message B {}')
    with pytest.raises(ValueError, match="name: say which message is meant; the source defines A, B"):
        wa.message_type(two)
    with pytest.raises(TypeError, match="source: expected a path, a generated class or a Schema, got int"):
        wa.message_type(3)


def test_text_in_an_edition_goes_through_a_protoc(folder: Path) -> None:
    pytest.importorskip("grpc_tools")
    (folder / "modern.proto").write_text(EDITION)
    for schema in (wa.Schema.from_source(EDITION), wa.Schema.from_files(folder / "modern.proto")):
        assert schema["Modern"].decode(b"\x08\x05")["values"].tolist() == [5]
        assert not schema["Modern"].fields["values"].packed
    with pytest.raises(wa.SchemaError, match=r"^source\.proto:1:38: ") as caught:
        wa.Schema.from_source('edition = "2023"; message M { broken }')
    assert caught.value.line == 1


def test_a_protoc_too_old_for_editions_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = folder / "protoc"
    old.write_text("#!/bin/sh\necho libprotoc 3.21.12\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    assert wa.Schema.from_source(EDITION).roots


def test_text_in_an_edition_without_a_protoc_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "grpc_tools", None)
    with pytest.raises(wa.SchemaError, match=r"grpcio-tools.*from_descriptor_set"):
        wa.Schema.from_source(EDITION)


def test_what_is_no_descriptor_set_is_refused() -> None:
    with pytest.raises(wa.SchemaError):
        wa.Schema.from_descriptor_set(b"no descriptor set")
    with pytest.raises(wa.SchemaError):
        wa.Schema.from_descriptor_set(b"")


def test_errors_in_bytes_say_kind_offset_path_and_row() -> None:
    shape = wa.Schema.from_source(
        'syntax = "proto3"; message Shape { repeated P points = 1; } message P { double x = 1; }'
    )["Shape"]
    with pytest.raises(wa.DecodeError) as caught:
        shape.decode_many([b"", b"\x0a\x00\x0a\x02\x09\x00"])
    error = caught.value
    assert (error.kind, error.offset, error.path, error.row) == ("truncated", 5, "points[1].x", 1)
    assert str(error).startswith("row 1, byte 5, field points[1].x: ")
    with pytest.raises(wa.DecodeError) as caught:
        shape.decode(b"\x0a\x02\x09\x00")
    assert caught.value.row is None
    assert isinstance(error, ValueError)


def test_a_schema_says_where_it_can_be_read_from() -> None:
    with pytest.raises(TypeError, match=r'^a Schema is read from somewhere: Schema\.from_files\("a\.proto"\), '):
        wa.Schema("a.proto")

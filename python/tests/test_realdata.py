"""Every numeric, string, and message field of files that real programs wrote, against the official package's results.

A reference lists every field path that holds data. The digest of a decoded table must be equal to it as a whole, so
no path can be left out on either side.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from google.protobuf import descriptor_pb2

import official
import unframe
from digest import comparable, digest
from realdata_index import REALDATA, reference, stream_name, streams

each_stream = pytest.mark.parametrize(("entry", "stream"), streams(), ids=stream_name)


@each_stream
def test_every_field_is_what_the_official_package_found(
    realdata: Path, entry: dict[str, Any], stream: dict[str, Any]
) -> None:
    message_type = _from_descriptors(entry["descriptor_set"])[stream["message"]]
    table = message_type.decode_many(unframe.messages(realdata, entry, stream))
    _assert_same_digest(table, entry, stream)


@each_stream
def test_every_field_is_the_same_from_one_buffer_with_offsets(
    realdata: Path, entry: dict[str, Any], stream: dict[str, Any]
) -> None:
    messages = unframe.messages(realdata, entry, stream)
    offsets = np.cumsum([0, *map(len, messages)], dtype=np.int64)
    message_type = _from_descriptors(entry["descriptor_set"])[stream["message"]]
    _assert_same_digest(message_type.decode_many(b"".join(messages), offsets=offsets), entry, stream)


@each_stream
def test_every_field_is_the_same_through_the_proto_files(
    realdata: Path, entry: dict[str, Any], stream: dict[str, Any]
) -> None:
    message_type = _from_files(entry["schema_dir"])[stream["message"]]
    _assert_same_digest(message_type.decode_many(unframe.messages(realdata, entry, stream)), entry, stream)


@each_stream
def test_a_file_of_one_message_loads_as_it_decodes(
    realdata: Path, tmp_path: Path, entry: dict[str, Any], stream: dict[str, Any]
) -> None:
    message_type = _from_descriptors(entry["descriptor_set"])[stream["message"]]
    first = unframe.messages(realdata, entry, stream)[0]
    path = tmp_path / "message.pb"
    path.write_bytes(first)
    loaded, decoded = message_type.load(path), message_type.decode(first)
    for name, field in message_type.fields.items():
        if field.dtype is not None:
            assert np.asarray(loaded[name]).tobytes() == np.asarray(decoded[name]).tobytes(), name


XSPACE = "xplane.XSpace"


def test_a_file_mangled_by_a_text_editor_is_refused(realdata: Path) -> None:
    """A profile whose bytes above 127 became U+FFFD: the length of its first field is seven bytes long."""
    data = (realdata / "negative" / "xplane_utf8_mangled.pb").read_bytes()
    descriptors = _xspace_descriptors()
    assert official.parse(official.message_class(official.pool_of(descriptors), XSPACE), data) is None
    message_type = wa.Schema.from_descriptor_set(descriptors)[XSPACE]
    with pytest.raises(wa.DecodeError) as refusal:
        message_type.decode(data)
    assert 0 <= refusal.value.offset <= 8, "the fault is in the first field"
    with pytest.raises(wa.DecodeError) as refusal:
        message_type.decode_many([b"", data])
    assert refusal.value.row == 1


def test_a_mangled_file_is_refused_even_where_all_its_fields_are_unknown(realdata: Path) -> None:
    data = (realdata / "negative" / "xplane_utf8_mangled.pb").read_bytes()
    empty = descriptor_pb2.FileDescriptorProto(name="empty.proto", syntax="proto3")
    empty.message_type.add(name="Empty")
    schema = wa.Schema.from_descriptor_set(descriptor_pb2.FileDescriptorSet(file=[empty]).SerializeToString())
    with pytest.raises(wa.DecodeError):
        schema["Empty"].decode(data)


def _assert_same_digest(table: Any, entry: dict[str, Any], stream: dict[str, Any]) -> None:
    expected = comparable(reference(entry, stream)["fields"])
    found = digest(table)
    assert not expected.keys() - found.keys(), f"paths not found: {sorted(expected.keys() - found.keys())}"
    assert not found.keys() - expected.keys(), f"paths out of nowhere: {sorted(found.keys() - expected.keys())}"
    different = [
        f"{path}:\n  found    {found[path]}\n  expected {e}" for path, e in expected.items() if found[path] != e
    ]
    assert not different, "\n".join(different)


@lru_cache
def _from_descriptors(name: str) -> wa.Schema:
    return wa.Schema.from_descriptor_set((REALDATA / name).read_bytes())


@lru_cache
def _from_files(name: str) -> wa.Schema:
    folder = REALDATA / name
    return wa.Schema.from_files(*sorted(folder.rglob("*.proto")), include=[folder])


def _xspace_descriptors() -> bytes:
    """The outermost two levels of XLA's profile format, as far as the damaged file can be read."""
    field_type = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="xplane.proto", package="xplane", syntax="proto3")
    space = file.message_type.add(name="XSpace")
    space.field.add(
        name="planes",
        number=1,
        label=field_type.LABEL_REPEATED,
        type=field_type.TYPE_MESSAGE,
        type_name=".xplane.XPlane",
    )
    plane = file.message_type.add(name="XPlane")
    plane.field.add(name="id", number=1, label=field_type.LABEL_OPTIONAL, type=field_type.TYPE_INT64)
    plane.field.add(name="name", number=2, label=field_type.LABEL_OPTIONAL, type=field_type.TYPE_STRING)
    return descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()

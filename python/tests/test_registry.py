"""Messages behind the headers of a schema registry, as Confluent's serializers write them."""

import uuid
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from wirearray import _protoc

import official

FIELD = "int64 price = 1;"
TEXT = f"""
syntax = "proto3";
package shop;
message First {{ {FIELD} message Inner {{ {FIELD} }} map<string, int32> counts = 2; message Last {{ {FIELD} }} }}
message Second {{ {FIELD} message A {{}} message B {{}} message C {{ {FIELD} message D {{ {FIELD} }} }} }}
"""
DESCRIPTORS = _protoc.compile_source("shop.proto", TEXT, [])
SCHEMA = wa.Schema.from_descriptor_set(DESCRIPTORS)
GUID = uuid.UUID("89791762-2336-4186-9674-299b90a802e2")
CONTEXT = SerializationContext("orders", MessageField.VALUE)
PATHS = {
    "shop.First": b"\0",
    "shop.First.Inner": b"\4\0\0",
    "shop.First.Last": b"\4\0\4",
    "shop.Second": b"\2\2",
    "shop.Second.C": b"\4\2\4",
    "shop.Second.C.D": b"\6\2\4\0",
}


@pytest.mark.parametrize(("name", "path"), PATHS.items())
def test_headers_are_those_of_the_official_serializer_which_reads_them(name: str, path: bytes) -> None:
    registry = SchemaRegistryClient.new_client({"url": "mock://"})
    official_class = official.message_class(official.pool_of(DESCRIPTORS), name)
    serializer = ProtobufSerializer(official_class, registry, {"use.deprecated.format": False})
    payloads = [serializer(official_class(price=price), CONTEXT) for price in range(5)]
    (schema_id,) = {int(number) for number in wa.schema_ids(payloads)}
    assert payloads[0][5:] == path
    assert SCHEMA[name].decode_many(payloads, framing="confluent")["price"].tolist() == [0, 1, 2, 3, 4]
    encoded = SCHEMA[name].encode_many({"price": range(5)}, framing="confluent", schema_id=schema_id)
    assert encoded.to_list() == payloads
    deserializer = ProtobufDeserializer(official_class, {"use.deprecated.format": False}, registry)
    assert [deserializer(payload, CONTEXT).price for payload in encoded.to_list()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("schema_id", [0, 100_001, 2**32 - 1, GUID])
@pytest.mark.parametrize("threads", [1, 4])
def test_what_is_encoded_behind_headers_is_decoded(schema_id: Any, threads: int) -> None:
    message_type = SCHEMA["shop.Second"]
    prices = np.arange(400_000)
    encoded = message_type.encode_many({"price": prices}, framing="confluent", schema_id=schema_id)
    assert set(wa.schema_ids(encoded).tolist()) == {schema_id}
    decoded = message_type.decode_many(encoded, framing="confluent", threads=threads)
    assert np.array_equal(decoded["price"], prices)
    in_one = message_type.decode_many(encoded.data, offsets=encoded.offsets, framing="confluent", threads=threads)
    assert np.array_equal(in_one["price"], prices)


def test_ids_tell_rows_apart_before_they_are_decoded() -> None:
    message_type = SCHEMA["shop.First"]
    groups = {id: message_type.encode_many({"price": [id]}, framing="confluent", schema_id=id) for id in (7, 9)}
    payloads = [groups[id][0] for id in (7, 9, 9, 7)]
    ids = wa.schema_ids(payloads)
    assert ids.dtype == np.int64
    assert ids.tolist() == [7, 9, 9, 7]
    joined = wa.schema_ids(b"".join(payloads), offsets=np.cumsum([0] + [len(payload) for payload in payloads]))
    assert joined.tolist() == ids.tolist()
    named = message_type.encode_many([{}], framing="confluent", schema_id=GUID)[0]
    assert wa.schema_ids([payloads[0], named]).tolist() == [7, GUID]
    # Serializers that put the header among those of the record leave it there in the same form.
    assert wa.schema_ids([named[:18]]).tolist() == [GUID]
    assert wa.schema_ids([]).tolist() == []


def payloads_with_bad_ones() -> list[bytes]:
    first, second = SCHEMA["shop.First"], SCHEMA["shop.Second"]
    good = first.encode_many({"price": range(8)}, framing="confluent", schema_id=1).to_list()
    other = second.encode_many({"price": [1]}, framing="confluent", schema_id=1).to_list()
    return [*good[:3], b"\x08\x01", other[0], b"", b"\0\0\0", *good[3:], good[0][:-1], b"\1short", good[0] + b"\xff"]


@pytest.mark.parametrize("threads", [1, 3])
def test_bad_headers_are_left_out_or_raised_with_their_rows(threads: int) -> None:
    payloads = payloads_with_bad_ones()
    table = SCHEMA["shop.First"].decode_many(payloads, framing="confluent", on_error="skip", threads=threads)
    assert table["price"].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert [(error.row, error.kind, error.offset) for error in table.errors] == [
        (3, "registry header", 0),
        (4, "registry header", 0),
        (5, "registry header", 0),
        (6, "registry header", 0),
        (12, "registry header", 0),
        (13, "registry header", 0),
        (14, "truncated", 6),
    ]
    joined = b"".join(payloads)
    offsets = np.cumsum([0] + [len(payload) for payload in payloads])
    with pytest.raises(wa.DecodeError, match=r"row 3, byte \d+: .* byte 0x08 stands where 0 or 1") as caught:
        SCHEMA["shop.First"].decode_many(joined, offsets=offsets, framing="confluent", threads=threads)
    assert (caught.value.row, caught.value.offset) == (3, offsets[3])
    with pytest.raises(wa.DecodeError, match=r"row 0, .* another message type of the \.proto file"):
        SCHEMA["shop.First"].decode_many(payloads[4:], framing="confluent", threads=threads)


def test_ids_of_messages_without_a_header_are_raised_or_marked() -> None:
    payloads = payloads_with_bad_ones()
    with pytest.raises(wa.DecodeError, match="row 3, byte 0") as caught:
        wa.schema_ids(payloads)
    assert caught.value.kind == "registry header"
    assert wa.schema_ids(payloads, on_error="skip").tolist() == [1, 1, 1, -1, 1, -1, -1, 1, 1, 1, 1, 1, 1, -1, 1]
    named = SCHEMA["shop.First"].encode_many([{}], framing="confluent", schema_id=GUID)[0]
    assert wa.schema_ids([named, b""], on_error="skip").tolist() == [GUID, None]


def test_what_is_left_of_the_header_is_viewed_and_decoded_into_arrays() -> None:
    message_type = wa.Schema.from_source('syntax = "proto3"; message Row { repeated double values = 1; int64 n = 2; }')[
        "Row"
    ]
    encoded = message_type.encode_many({"values": [np.arange(3.0)]}, framing="confluent", schema_id=1)
    view = message_type.select("values").decode_many(encoded, framing="confluent", copy=False)
    assert view["values"].values.tolist() == [0.0, 1.0, 2.0]
    assert not view["values"].values.flags.writeable
    numbers = np.zeros(2, np.int64)
    table = message_type.decode_many([encoded[0], b"\0\0\0\0\1\0\x10\5"], framing="confluent", out={"n": numbers})
    assert (numbers.tolist(), table["n"].tolist()) == ([0, 5], [0, 5])


def test_wrong_arguments_say_what_to_pass() -> None:
    message_type = SCHEMA["shop.First"]
    with pytest.raises(ValueError, match=r'framing: expected None or "confluent", got "delimited"; read and write'):
        message_type.decode_many([], framing="delimited")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"schema_id: .* wants the id that the registry gave the schema"):
        message_type.encode_many([], framing="confluent")
    with pytest.raises(TypeError, match='framing: say framing="confluent"'):
        message_type.encode_many([], schema_id=1)
    for wrong in (-1, 2**32, True, "7", 1.5, b"0123456789abcdef"):
        with pytest.raises(ValueError, match="schema_id: expected an int of 32 bits"):
            message_type.encode_many([], framing="confluent", schema_id=wrong)  # type: ignore[arg-type]

"""What is read: message types of random schemas and of the official conformance suite, as both packages have them."""

import random
from dataclasses import dataclass
from functools import lru_cache

import wirearray as wa
from google.protobuf import descriptor_pb2, text_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

import official
from conftest import SHARED
from differential.grammar import TIMES
from random_schema import all_messages, random_schema

# Two of the rules are about types that hardly a message of other schemas has in it.
TIMES_AND_SETS = """
syntax = "proto2";
import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";
message M {
  optional google.protobuf.Timestamp at = 1;
  optional google.protobuf.Duration took = 2;
  repeated google.protobuf.Timestamp times = 3;
  map<string, google.protobuf.Duration> spans = 4;
  oneof one { google.protobuf.Timestamp since = 5; google.protobuf.Duration during = 6; Set alone = 7; }
  optional Set set = 8;
  repeated Set sets = 16;
  map<int32, Set> named = 2048;
  optional M m = 9;
  repeated group Step = 10 { optional google.protobuf.Timestamp at = 1; repeated int32 numbers = 2; }
}
message Set { option message_set_wire_format = true; extensions 4 to max; }
message A { extend Set { optional A in_set = 100; } optional int32 x = 1; repeated int32 v = 2; optional Set set = 3; }
message B { extend Set { optional B in_set = 5; } optional string s = 1; map<int32, A> as = 2; }
message C {
  extend Set { optional C in_set = 70000; }
  optional google.protobuf.Timestamp at = 1;
  repeated double d = 2;
}
"""

CONFORMANCE = SHARED / "conformance" / "descriptors.binpb"

# Types with fields of every kind; those that are small besides are worth more cases than they have bytes.
_TELLING_NAMES = ("TestAllTypes", "TestAllRequired", "TestLargeOneof", "ComplexMessage")


@dataclass(frozen=True)
class Subject:
    """A message type, and what has to be known of it beforehand; `schema` is for whoever has to look at it."""

    schema: str
    descriptor_set: bytes
    ours: wa.MessageType
    theirs: type[Message]
    has_required: bool
    has_times: bool


def random_subject(choose: random.Random) -> Subject:
    """A new schema; in most of them nothing is required, so that all that is read can be written."""
    files = descriptor_pb2.FileDescriptorSet.FromString(random_schema(choose).reader)
    if choose.random() < 0.8:
        _require_nothing(files)
    schema = text_format.MessageToString(files.file[0], as_one_line=True)
    return subject_of(schema, files.SerializeToString(), "case.M0")


def conformance_names() -> tuple[str, ...]:
    """The message types of the conformance suite that are worth the time; none where the suite is not here."""
    if not CONFORMANCE.is_file():
        return ()
    files = descriptor_pb2.FileDescriptorSet.FromString(CONFORMANCE.read_bytes())
    names = (f"{file.package}.{message.name}" for file in files.file for message in file.message_type)
    return tuple(name for name in names if name.rpartition(".")[2].startswith(_TELLING_NAMES))


@lru_cache
def times_and_sets_subject() -> Subject:
    """A type with times and message sets wherever they may stand."""
    descriptor_set = wa.Schema.from_source(TIMES_AND_SETS).to_descriptor_set()
    return subject_of(TIMES_AND_SETS, descriptor_set, "M")


@lru_cache
def conformance_subject(name: str) -> Subject:
    return subject_of(f"{name} of the conformance suite", CONFORMANCE.read_bytes(), name)


def subject_of(schema: str, descriptor_set: bytes, name: str) -> Subject:
    theirs = official.message_class(official.pool_of(descriptor_set), name)
    reached = _reached(theirs.DESCRIPTOR)
    return Subject(
        schema=schema,
        descriptor_set=descriptor_set,
        ours=wa.Schema.from_descriptor_set(descriptor_set)[name],
        theirs=theirs,
        has_required=any(field.required for scope in reached for field in official.fields_of(scope)),
        has_times=any(scope.full_name in TIMES for scope in reached),
    )


def _require_nothing(files: descriptor_pb2.FileDescriptorSet) -> None:
    for message in all_messages([message for file in files.file for message in file.message_type]):
        for field in message.field:
            if field.label == field.LABEL_REQUIRED:
                field.label = field.LABEL_OPTIONAL
            if field.options.features.field_presence == descriptor_pb2.FeatureSet.LEGACY_REQUIRED:
                field.options.features.ClearField("field_presence")


def _reached(descriptor: Descriptor) -> list[Descriptor]:
    """A message type and all that its messages may hold."""
    found = [descriptor]
    for scope in found:
        for field in official.fields_of(scope):
            if field.is_message and field.descriptor.message_type not in found:
                found.append(field.descriptor.message_type)
    return found

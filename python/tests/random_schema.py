"""Random schemas, each with a second one that writes the same bytes in every legal way.

The reader's schema is what a user would have: proto2, proto3, or edition 2023, all scalar types, enums, groups, maps,
oneofs, defaults, extensions, recursion, field numbers of all tag sizes. The writer's schema is a relaxed copy: the
same numbers, but packed and unpacked at will, no oneofs, maps as plain entries (so keys repeat and parts are missing),
wider integers, bytes for strings, now and then another type altogether, and fields that the reader does not have. What
it writes is legal input for the reader and reaches cases that no encoder of the reader's schema would ever produce.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

Type = FieldDescriptorProto

PACKABLE = (
    *(Type.TYPE_DOUBLE, Type.TYPE_FLOAT, Type.TYPE_INT64, Type.TYPE_UINT64, Type.TYPE_INT32, Type.TYPE_FIXED64),
    *(Type.TYPE_FIXED32, Type.TYPE_BOOL, Type.TYPE_UINT32, Type.TYPE_SFIXED32, Type.TYPE_SFIXED64, Type.TYPE_SINT32),
    Type.TYPE_SINT64,
)
SCALARS = (*PACKABLE, Type.TYPE_STRING, Type.TYPE_BYTES)
MAP_KEYS = tuple(kind for kind in SCALARS if kind not in (Type.TYPE_DOUBLE, Type.TYPE_FLOAT, Type.TYPE_BYTES))

# Tags of one to five bytes: 15|16, 2047|2048, 2^18-1|2^18, 2^25-1|2^25, and both ends.
NUMBERS = (
    *(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 100, 2047, 2048, 18_999, 20_000),
    *(262_143, 262_144, 33_554_431, 33_554_432, (1 << 29) - 1),
)
EXTENSION_RANGE = (1000, 1100)

# Numbers that no field of the reader has, in tags of one to five bytes.
UNKNOWN_NUMBERS = (14, 1999, 18_000, 300_000, 40_000_000)

# Types that a value of another type is written as, to be cut down or converted by the reader.
WIDER = {
    Type.TYPE_INT32: (Type.TYPE_INT32, Type.TYPE_INT64, Type.TYPE_UINT64, Type.TYPE_SINT64),
    Type.TYPE_UINT32: (Type.TYPE_UINT32, Type.TYPE_UINT64, Type.TYPE_INT64),
    Type.TYPE_SINT32: (Type.TYPE_SINT32, Type.TYPE_SINT64, Type.TYPE_UINT64),
    Type.TYPE_INT64: (Type.TYPE_INT64, Type.TYPE_UINT64),
    Type.TYPE_UINT64: (Type.TYPE_UINT64, Type.TYPE_INT64),
    Type.TYPE_SINT64: (Type.TYPE_SINT64, Type.TYPE_UINT64),
    Type.TYPE_BOOL: (Type.TYPE_BOOL, Type.TYPE_UINT64, Type.TYPE_UINT32),
    Type.TYPE_ENUM: (Type.TYPE_INT32, Type.TYPE_INT64, Type.TYPE_UINT32),
    Type.TYPE_FLOAT: (Type.TYPE_FIXED32,),
    Type.TYPE_DOUBLE: (Type.TYPE_FIXED64,),
    Type.TYPE_STRING: (Type.TYPE_BYTES,),
}


@dataclass(frozen=True)
class RandomSchema:
    """Two serialized FileDescriptorSets and the name of the outermost message type in both."""

    reader: bytes
    writer: bytes
    root: str = "case.M0"


def random_schema(choose: random.Random) -> RandomSchema:
    file = _Schema(choose, choose.choice(("proto2", "proto3", "editions"))).build()
    return RandomSchema(reader=_serialize(file), writer=_serialize(_relaxed(choose, file)))


def _serialize(file: FileDescriptorProto) -> bytes:
    return FileDescriptorSet(file=[file]).SerializeToString()


def all_messages(messages: list[DescriptorProto]) -> Iterator[DescriptorProto]:
    """Message types with the types nested in them."""
    for message in messages:
        yield message
        yield from all_messages(list(message.nested_type))


class _Schema:
    """Builds one file: enums, then empty message types, then fields that may refer to any of them."""

    def __init__(self, choose: random.Random, syntax: str) -> None:
        self.choose = choose
        self.syntax = syntax
        self.file = FileDescriptorProto(name="case.proto", package="case", syntax=syntax)
        if syntax == "editions":
            self.file.edition = Edition.EDITION_2023
        self.enums: list[EnumDescriptorProto] = []
        self.type_names: list[str] = []
        self.serial = 0

    def build(self) -> FileDescriptorProto:
        for index in range(2):
            self._add_enum(f"E{index}")
        messages = [self.file.message_type.add(name=f"M{index}") for index in range(self.choose.randint(1, 3))]
        messages += [messages[0].nested_type.add(name="Inner")]
        self.type_names = [*(f".case.{message.name}" for message in messages[:-1]), ".case.M0.Inner"]
        for name, message in zip(self.type_names, messages, strict=True):
            self._fill(name, message)
        if self.syntax != "proto3":
            self._add_extensions(messages[0])
        return self.file

    def _maybe(self, probability: float) -> bool:
        return self.choose.random() < probability

    def _add_enum(self, name: str) -> None:
        enum = self.file.enum_type.add(name=name)
        closed = self.syntax == "proto2"
        if self.syntax == "editions" and self._maybe(0.5):
            closed = True
            enum.options.features.enum_type = FeatureSet.CLOSED
        numbers = [0, 1, 2, -1, 127, 128, 2**31 - 1, -(2**31)]
        if closed and self._maybe(0.5):
            numbers[0] = 7
        for number in numbers[: self.choose.randint(1, len(numbers))]:
            enum.value.add(name=f"{name}_{len(enum.value)}", number=number)
        self.enums.append(enum)

    def _is_closed(self, enum: EnumDescriptorProto) -> bool:
        return self.syntax == "proto2" or enum.options.features.enum_type == FeatureSet.CLOSED

    def _fill(self, type_name: str, message: DescriptorProto) -> None:
        numbers = list(NUMBERS)
        self.choose.shuffle(numbers)
        for number in sorted(numbers[: self.choose.randint(1, 14)], key=lambda _: self.choose.random()):
            if self._maybe(0.15):
                self._add_map(type_name, message, number)
            else:
                self._add_field(type_name, message, number)
        self._add_oneof(message)
        self._add_optionals(message)

    def _new_field(self, message: DescriptorProto, number: int) -> FieldDescriptorProto:
        self.serial += 1
        return message.field.add(name=f"f{self.serial}", number=number, label=Type.LABEL_OPTIONAL)

    def _add_field(self, type_name: str, message: DescriptorProto, number: int) -> None:
        field = self._new_field(message, number)
        if self._maybe(0.4):
            field.label = Type.LABEL_REPEATED
        roll = self.choose.random()
        if roll < 0.2:
            field.type, field.type_name = Type.TYPE_MESSAGE, self.choose.choice(self.type_names)
            if self.syntax == "editions" and self._maybe(0.4):
                field.options.features.message_encoding = FeatureSet.DELIMITED
        elif roll < 0.3 and self.syntax == "proto2":
            self._make_group(type_name, message, field)
        elif roll < 0.4:
            self._make_enum(field)
        else:
            field.type = self.choose.choice(SCALARS)
        self._set_options(field)

    def _make_group(self, type_name: str, message: DescriptorProto, field: FieldDescriptorProto) -> None:
        """A proto2 group: the field's name is the type's in lower case."""
        group = message.nested_type.add(name=field.name.capitalize())
        inner = self._new_field(group, self.choose.choice(NUMBERS))
        inner.type = self.choose.choice(SCALARS)
        if self._maybe(0.5):
            inner.label = Type.LABEL_REPEATED
        field.type, field.type_name = Type.TYPE_GROUP, f"{type_name}.{group.name}"

    def _make_enum(self, field: FieldDescriptorProto) -> EnumDescriptorProto:
        enum = self.choose.choice(self.enums)
        field.type, field.type_name = Type.TYPE_ENUM, f".case.{enum.name}"
        return enum

    def _set_options(self, field: FieldDescriptorProto) -> None:
        """Packing, presence, UTF-8 checks, defaults: each said in the way of the syntax."""
        repeated = field.label == Type.LABEL_REPEATED
        packable = repeated and (field.type in PACKABLE or field.type == Type.TYPE_ENUM)
        if self.syntax == "editions":
            self._set_features(field, packable)
        elif packable and self._maybe(0.5):
            field.options.packed = self._maybe(0.5)
        if self.syntax == "proto2" and not repeated and self._maybe(0.05):
            field.label = Type.LABEL_REQUIRED
        implicit = field.options.features.field_presence == FeatureSet.IMPLICIT
        if self.syntax != "proto3" and not repeated and not implicit and self._maybe(0.4):
            self._set_default(field)

    def _set_features(self, field: FieldDescriptorProto, packable: bool) -> None:
        features = field.options.features
        if packable and self._maybe(0.5):
            features.repeated_field_encoding = self.choose.choice((FeatureSet.PACKED, FeatureSet.EXPANDED))
        if field.type == Type.TYPE_STRING and self._maybe(0.5):
            features.utf8_validation = self.choose.choice((FeatureSet.VERIFY, FeatureSet.NONE))
        if field.label == Type.LABEL_REPEATED or field.type == Type.TYPE_MESSAGE:
            return
        closed = field.type == Type.TYPE_ENUM and self._is_closed(self._enum_of(field))
        if self._maybe(0.3) and not closed:
            features.field_presence = FeatureSet.IMPLICIT
        elif self._maybe(0.1):
            features.field_presence = FeatureSet.LEGACY_REQUIRED

    def _enum_of(self, field: FieldDescriptorProto) -> EnumDescriptorProto:
        return next(enum for enum in self.enums if field.type_name == f".case.{enum.name}")

    def _set_default(self, field: FieldDescriptorProto) -> None:
        if field.type in (Type.TYPE_DOUBLE, Type.TYPE_FLOAT):
            field.default_value = self.choose.choice(("1.5", "-0", "inf", "-inf", "nan", "1e-30"))
        elif field.type == Type.TYPE_BOOL:
            field.default_value = self.choose.choice(("true", "false"))
        elif field.type == Type.TYPE_STRING:
            field.default_value = self.choose.choice(("text", "na\u00efve \U0001f600", ""))
        elif field.type == Type.TYPE_BYTES:
            field.default_value = self.choose.choice(("plain", "\\000\\377\\n", '\\"quoted\\"', ""))
        elif field.type == Type.TYPE_ENUM:
            field.default_value = self.choose.choice(self._enum_of(field).value).name
        elif field.type in PACKABLE:
            unsigned = (Type.TYPE_UINT32, Type.TYPE_UINT64, Type.TYPE_FIXED32, Type.TYPE_FIXED64)
            field.default_value = self.choose.choice(
                ("7", "2147483647") if field.type in unsigned else ("7", "-2147483648")
            )

    def _add_map(self, type_name: str, message: DescriptorProto, number: int) -> None:
        field = self._new_field(message, number)
        entry = message.nested_type.add(name=f"{field.name.capitalize()}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=Type.LABEL_OPTIONAL, type=self.choose.choice(MAP_KEYS))
        value = entry.field.add(name="value", number=2, label=Type.LABEL_OPTIONAL, type=self.choose.choice(SCALARS))
        if self._maybe(0.3):
            value.type, value.type_name = Type.TYPE_MESSAGE, self.choose.choice(self.type_names)
        elif self._maybe(0.3) and self._make_enum(value).value[0].number != 0:
            value.type = Type.TYPE_INT32  # The first value of a map's enum must be zero.
            value.ClearField("type_name")
        field.label, field.type, field.type_name = Type.LABEL_REPEATED, Type.TYPE_MESSAGE, f"{type_name}.{entry.name}"

    def _add_oneof(self, message: DescriptorProto) -> None:
        members = [field for field in message.field if self._fits_oneof(field)][: self.choose.randint(2, 5)]
        if len(members) < 2 or self._maybe(0.4):
            return
        message.oneof_decl.add(name="choice")
        for field in members:
            field.oneof_index = 0
        # The members of a oneof stand together.
        together = sorted(message.field, key=lambda field: field.HasField("oneof_index"))
        message.ClearField("field")
        message.field.extend(together)

    def _fits_oneof(self, field: FieldDescriptorProto) -> bool:
        presence = field.options.features.field_presence
        return field.label == Type.LABEL_OPTIONAL and presence in (
            FeatureSet.FIELD_PRESENCE_UNKNOWN,
            FeatureSet.EXPLICIT,
        )

    def _add_optionals(self, message: DescriptorProto) -> None:
        """A proto3 `optional` is a oneof of one, which must come after those that the user wrote."""
        if self.syntax != "proto3":
            return
        for field in message.field:
            single = field.label == Type.LABEL_OPTIONAL and not field.HasField("oneof_index")
            if single and field.type != Type.TYPE_MESSAGE and self._maybe(0.3):
                field.proto3_optional = True
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field.name}")

    def _add_extensions(self, message: DescriptorProto) -> None:
        start, end = EXTENSION_RANGE
        message.extension_range.add(start=start, end=end)
        for index in range(self.choose.randint(0, 3)):
            field = self.file.extension.add(
                name=f"x{index}", number=start + index, label=Type.LABEL_OPTIONAL, extendee=".case.M0"
            )
            if self._maybe(0.5):
                field.label = Type.LABEL_REPEATED
            if self._maybe(0.3):
                field.type, field.type_name = Type.TYPE_MESSAGE, self.choose.choice(self.type_names)
            else:
                field.type = self.choose.choice(SCALARS)


# ---------------------------------------------------------------------------------------------------------------------
# The writer's schema


def _relaxed(choose: random.Random, reader: FileDescriptorProto) -> FileDescriptorProto:
    """A copy under edition 2023, where every field is explicit and its encoding can be said."""
    file = FileDescriptorProto()
    file.CopyFrom(reader)
    file.syntax, file.edition = "editions", Edition.EDITION_2023
    file.ClearField("enum_type")
    root = file.message_type[0]
    for extension in file.extension:
        extension.ClearField("extendee")
    root.field.extend(file.extension)
    file.ClearField("extension")
    type_names = [f".case.{message.name}" for message in file.message_type]
    for message in all_messages(list(file.message_type)):
        if not message.options.map_entry:
            _add_unknown(choose, message, type_names)
        for name in ("options", "oneof_decl", "extension_range"):
            message.ClearField(name)
        for field in message.field:
            _relax(choose, field)
    return file


def _add_unknown(choose: random.Random, message: DescriptorProto, type_names: list[str]) -> None:
    """Fields that the reader does not have. A map's entry gets none: with one, official decoders differ."""
    for number in choose.sample(UNKNOWN_NUMBERS, choose.randint(0, 2)):
        label = choose.choice((Type.LABEL_OPTIONAL, Type.LABEL_REPEATED))
        field = message.field.add(name=f"unknown{number}", number=number, label=label, type=choose.choice(SCALARS))
        if choose.random() < 0.3:
            field.type, field.type_name = Type.TYPE_MESSAGE, choose.choice(type_names)
            if choose.random() < 0.5:
                field.options.features.message_encoding = FeatureSet.DELIMITED


def _relax(choose: random.Random, field: FieldDescriptorProto) -> None:
    as_group = field.type == Type.TYPE_GROUP or field.options.features.message_encoding == FeatureSet.DELIMITED
    for name in ("options", "oneof_index", "proto3_optional", "default_value"):
        field.ClearField(name)
    if field.label == Type.LABEL_REQUIRED:
        field.label = Type.LABEL_OPTIONAL
    if field.type in (Type.TYPE_MESSAGE, Type.TYPE_GROUP):
        field.type = Type.TYPE_MESSAGE
        if as_group != (choose.random() < 0.03):
            field.options.features.message_encoding = FeatureSet.DELIMITED
        return
    field.ClearField("type_name")
    field.type = choose.choice(SCALARS if choose.random() < 0.04 else WIDER.get(field.type, (field.type,)))
    if field.label == Type.LABEL_OPTIONAL and choose.random() < 0.1:
        field.label = Type.LABEL_REPEATED  # A singular field that stands several times: the last one wins.
    elif field.label != Type.LABEL_REPEATED:
        return
    if field.type in PACKABLE:
        encodings = (FeatureSet.PACKED, FeatureSet.EXPANDED)
        field.options.features.repeated_field_encoding = choose.choice(encodings)

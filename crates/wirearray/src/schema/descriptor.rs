//! Reads `google.protobuf.FileDescriptorSet` into plain structs, with this crate's own wire reader.
//!
//! Takes what a decoder of messages needs and skips the rest: services, comments, JSON names, reserved ranges and
//! options of other tools. Refuses bytes that are no such set, and text that is not UTF-8. Whether names resolve,
//! numbers collide or options fit together is not asked here; that is the linker's affair.
//! Field numbers are those of `google/protobuf/descriptor.proto`.

#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use crate::error::{DecodeErrorKind, SchemaError, WireError};
use crate::wire::{Cursor, DEPTH_LIMIT, WireType};

/// Reads the files of a serialized set, in its order.
pub(super) fn read_file_descriptor_set(bytes: &[u8]) -> Result<Vec<RawFile<'_>>, SchemaError> {
    let mut files = Vec::new();
    let mut set = Body { input: bytes, cursor: Cursor::new(bytes), depth: 0 };
    while let Some(item) = set.read_field()? {
        if let (1, Value::Delimited(body)) = item {
            files.push(RawFile::read(body)?);
        }
    }
    if files.is_empty() {
        return Err(SchemaError::invalid(
            "the descriptor set holds no files; make one with protoc --include_imports --descriptor_set_out=FILE",
        ));
    }
    Ok(files)
}

/// A `FileDescriptorProto`.
#[derive(Debug, Default)]
pub(super) struct RawFile<'a> {
    /// The whole, by which two files of one name are compared.
    pub(super) bytes: &'a [u8],
    pub(super) name: &'a str,
    pub(super) package: &'a str,
    pub(super) dependencies: Vec<&'a str>,
    pub(super) messages: Vec<RawMessage<'a>>,
    pub(super) enums: Vec<RawEnum<'a>>,
    pub(super) extensions: Vec<RawField<'a>>,
    pub(super) syntax: &'a str,
    pub(super) edition: Option<i32>,
    pub(super) features: RawFeatures,
}

/// A `DescriptorProto`.
#[derive(Debug, Default)]
pub(super) struct RawMessage<'a> {
    pub(super) name: &'a str,
    pub(super) fields: Vec<RawField<'a>>,
    pub(super) oneofs: Vec<RawOneof<'a>>,
    pub(super) messages: Vec<RawMessage<'a>>,
    pub(super) enums: Vec<RawEnum<'a>>,
    pub(super) extensions: Vec<RawField<'a>>,
    pub(super) is_map_entry: bool,
    pub(super) is_message_set: bool,
    pub(super) features: RawFeatures,
}

/// A `FieldDescriptorProto`; label and type are the numbers of its enums.
#[derive(Debug, Default)]
pub(super) struct RawField<'a> {
    pub(super) name: &'a str,
    pub(super) number: i32,
    pub(super) label: Option<i32>,
    pub(super) type_number: Option<i32>,
    pub(super) type_name: Option<&'a str>,
    pub(super) extendee: Option<&'a str>,
    pub(super) default: Option<&'a str>,
    pub(super) oneof_index: Option<i32>,
    pub(super) is_proto3_optional: bool,
    pub(super) packed: Option<bool>,
    pub(super) features: RawFeatures,
}

/// A `OneofDescriptorProto`.
#[derive(Debug, Default)]
pub(super) struct RawOneof<'a> {
    pub(super) name: &'a str,
    pub(super) features: RawFeatures,
}

/// An `EnumDescriptorProto`.
#[derive(Debug, Default)]
pub(super) struct RawEnum<'a> {
    pub(super) name: &'a str,
    pub(super) values: Vec<(&'a str, i32)>,
    pub(super) features: RawFeatures,
}

/// A `FeatureSet`: the numbers of its enums, where they are set.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct RawFeatures {
    pub(super) field_presence: Option<i32>,
    pub(super) enum_type: Option<i32>,
    pub(super) repeated_field_encoding: Option<i32>,
    pub(super) utf8_validation: Option<i32>,
    pub(super) message_encoding: Option<i32>,
}

impl<'a> RawFile<'a> {
    fn read(mut body: Body<'a>) -> Result<Self, SchemaError> {
        let mut file = Self { bytes: body.bytes(), ..Self::default() };
        while let Some(item) = body.read_field()? {
            match item {
                (1, Value::Delimited(body)) => file.name = body.text()?,
                (2, Value::Delimited(body)) => file.package = body.text()?,
                (3, Value::Delimited(body)) => file.dependencies.push(body.text()?),
                (4, Value::Delimited(body)) => file.messages.push(RawMessage::read(body)?),
                (5, Value::Delimited(body)) => file.enums.push(RawEnum::read(body)?),
                (7, Value::Delimited(body)) => file.extensions.push(RawField::read(body)?),
                (8, Value::Delimited(body)) => file.features.read_from_options(body, 50)?,
                (12, Value::Delimited(body)) => file.syntax = body.text()?,
                (14, Value::Varint(value)) => file.edition = Some(int32(value)),
                _ => {}
            }
        }
        Ok(file)
    }
}

impl<'a> RawMessage<'a> {
    fn read(mut body: Body<'a>) -> Result<Self, SchemaError> {
        let mut message = Self::default();
        while let Some(item) = body.read_field()? {
            match item {
                (1, Value::Delimited(body)) => message.name = body.text()?,
                (2, Value::Delimited(body)) => message.fields.push(RawField::read(body)?),
                (3, Value::Delimited(body)) => message.messages.push(Self::read(body)?),
                (4, Value::Delimited(body)) => message.enums.push(RawEnum::read(body)?),
                (6, Value::Delimited(body)) => message.extensions.push(RawField::read(body)?),
                (7, Value::Delimited(body)) => message.read_options(body)?,
                (8, Value::Delimited(body)) => message.oneofs.push(RawOneof::read(body)?),
                _ => {}
            }
        }
        Ok(message)
    }

    fn read_options(&mut self, mut body: Body<'a>) -> Result<(), SchemaError> {
        while let Some(item) = body.read_field()? {
            match item {
                (1, Value::Varint(value)) => self.is_message_set = value != 0,
                (7, Value::Varint(value)) => self.is_map_entry = value != 0,
                (12, Value::Delimited(body)) => self.features.read(body)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> RawField<'a> {
    fn read(mut body: Body<'a>) -> Result<Self, SchemaError> {
        let mut field = Self::default();
        while let Some(item) = body.read_field()? {
            match item {
                (1, Value::Delimited(body)) => field.name = body.text()?,
                (2, Value::Delimited(body)) => field.extendee = Some(body.text()?),
                (3, Value::Varint(value)) => field.number = int32(value),
                (4, Value::Varint(value)) => field.label = Some(int32(value)),
                (5, Value::Varint(value)) => field.type_number = Some(int32(value)),
                (6, Value::Delimited(body)) => field.type_name = Some(body.text()?),
                (7, Value::Delimited(body)) => field.default = Some(body.text()?),
                (8, Value::Delimited(body)) => field.read_options(body)?,
                (9, Value::Varint(value)) => field.oneof_index = Some(int32(value)),
                (17, Value::Varint(value)) => field.is_proto3_optional = value != 0,
                _ => {}
            }
        }
        Ok(field)
    }

    fn read_options(&mut self, mut body: Body<'a>) -> Result<(), SchemaError> {
        while let Some(item) = body.read_field()? {
            match item {
                (2, Value::Varint(value)) => self.packed = Some(value != 0),
                (21, Value::Delimited(body)) => self.features.read(body)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> RawOneof<'a> {
    fn read(mut body: Body<'a>) -> Result<Self, SchemaError> {
        let mut oneof = Self::default();
        while let Some(item) = body.read_field()? {
            match item {
                (1, Value::Delimited(body)) => oneof.name = body.text()?,
                (2, Value::Delimited(body)) => oneof.features.read_from_options(body, 1)?,
                _ => {}
            }
        }
        Ok(oneof)
    }
}

impl<'a> RawEnum<'a> {
    fn read(mut body: Body<'a>) -> Result<Self, SchemaError> {
        let mut enumeration = Self::default();
        while let Some(item) = body.read_field()? {
            match item {
                (1, Value::Delimited(body)) => enumeration.name = body.text()?,
                (2, Value::Delimited(body)) => enumeration.values.push(read_enum_value(body)?),
                (3, Value::Delimited(body)) => enumeration.features.read_from_options(body, 7)?,
                _ => {}
            }
        }
        Ok(enumeration)
    }
}

fn read_enum_value(mut body: Body<'_>) -> Result<(&str, i32), SchemaError> {
    let mut named = ("", 0);
    while let Some(item) = body.read_field()? {
        match item {
            (1, Value::Delimited(body)) => named.0 = body.text()?,
            (2, Value::Varint(value)) => named.1 = int32(value),
            _ => {}
        }
    }
    Ok(named)
}

impl RawFeatures {
    /// Reads an options message of which only the features, its field `number`, matter.
    fn read_from_options(&mut self, mut body: Body<'_>, number: u32) -> Result<(), SchemaError> {
        while let Some(item) = body.read_field()? {
            match item {
                (found, Value::Delimited(body)) if found == number => self.read(body)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read(&mut self, mut body: Body<'_>) -> Result<(), SchemaError> {
        while let Some(item) = body.read_field()? {
            match item {
                (1, Value::Varint(value)) => self.field_presence = Some(int32(value)),
                (2, Value::Varint(value)) => self.enum_type = Some(int32(value)),
                (3, Value::Varint(value)) => self.repeated_field_encoding = Some(int32(value)),
                (4, Value::Varint(value)) => self.utf8_validation = Some(int32(value)),
                (5, Value::Varint(value)) => self.message_encoding = Some(int32(value)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// An `int32` or enum keeps the low 32 bits of its varint.
fn int32(value: u64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// The payload of one message or string of the set, with offsets that count from the start of the set.
struct Body<'a> {
    /// The set, cut where this payload ends.
    input: &'a [u8],
    cursor: Cursor<'a>,
    depth: u32,
}

enum Value<'a> {
    Varint(u64),
    Delimited(Body<'a>),
    /// Of a wire type that no field read here has.
    Skipped,
}

impl<'a> Body<'a> {
    fn bytes(&self) -> &'a [u8] {
        self.cursor.remaining()
    }

    fn text(&self) -> Result<&'a str, SchemaError> {
        str::from_utf8(self.bytes()).map_err(|_| fault_at(self.cursor.position(), "a name or text is not UTF-8"))
    }

    /// The next field's number and value; `None` at the end.
    fn read_field(&mut self) -> Result<Option<(u32, Value<'a>)>, SchemaError> {
        if self.cursor.is_at_end() {
            return Ok(None);
        }
        let tag = self.cursor.read_tag().map_err(malformed)?;
        let value = match tag.wire_type() {
            WireType::Varint => Value::Varint(self.cursor.read_varint().map_err(malformed)?),
            WireType::Delimited => Value::Delimited(self.read_body()?),
            _ => {
                self.cursor.skip_value(tag, DEPTH_LIMIT, DEPTH_LIMIT).map_err(malformed)?;
                Value::Skipped
            }
        };
        Ok(Some((tag.number(), value)))
    }

    fn read_body(&mut self) -> Result<Self, SchemaError> {
        if self.depth >= DEPTH_LIMIT {
            return Err(malformed(self.cursor.fault(DecodeErrorKind::TooDeep(DEPTH_LIMIT))));
        }
        let len = self.cursor.read_len().map_err(malformed)?;
        let start = self.cursor.position();
        self.cursor.advance(len);
        let input = self.input.get(..self.cursor.position()).unwrap_or_default();
        let mut cursor = Cursor::new(input);
        cursor.advance(start);
        Ok(Self { input, cursor, depth: self.depth.saturating_add(1) })
    }
}

#[cold]
fn malformed(error: WireError) -> SchemaError {
    fault_at(error.offset, error.kind)
}

#[cold]
fn fault_at(offset: usize, what: impl std::fmt::Display) -> SchemaError {
    SchemaError::invalid(format!(
        "not a FileDescriptorSet, as protoc --include_imports --descriptor_set_out=FILE makes it: byte {offset}: {what}"
    ))
}

#[cfg(test)]
#[path = "descriptor_tests.rs"]
mod tests;

//! What the `.proto` says: messages, fields, kinds, presence, defaults.
//!
//! A schema is read from a `FileDescriptorSet`, which is what every protobuf compiler makes; `.proto` text is compiled
//! to one first. Editions' features are resolved here, so that nothing later has to ask which syntax a file used.
//! Knows no message bytes and no output layout.

mod compile;
mod default_value;
mod descriptor;
mod features;
mod field;
mod imports;
mod link;
mod proto_text;
mod rules;
mod symbols;

pub use compile::{compile_files, compile_source};

use std::collections::HashMap;

use crate::error::SchemaError;
use crate::varint;

/// A set of message and enum types that refer to each other.
#[derive(Debug, Default)]
pub struct Schema {
    pub(crate) messages: Vec<Message>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) message_ids: HashMap<String, MessageId>,
    /// The names of the files that no other file of the set imports.
    pub sources: Vec<String>,
    pub(crate) roots: Vec<MessageId>,
    /// What it was read from.
    pub descriptor_set: Box<[u8]>,
}

/// A message's number in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(pub(crate) usize);

/// An enum's number in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnumId(pub(crate) usize);

impl Schema {
    /// Reads a serialized `google.protobuf.FileDescriptorSet`, all imports included.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Self, SchemaError> {
        let schema = link::link(&descriptor::read_file_descriptor_set(bytes)?)?;
        Ok(Self { descriptor_set: bytes.into(), ..schema })
    }

    /// The message of that full name, without a leading dot.
    pub fn message_id(&self, full_name: &str) -> Option<MessageId> {
        self.message_ids.get(full_name).copied()
    }

    /// A descriptor set of the files that one message needs, imports first, and each of them once.
    pub fn descriptor_set_of(&self, message: MessageId) -> Vec<u8> {
        /// The list of files is field 1, its entries are delimited.
        const FILE: u8 = 1 << 3 | 2;
        let files = descriptor::read_file_descriptor_set(&self.descriptor_set).unwrap_or_default();
        let mut set = Vec::new();
        for file in imports::needed_files(&files, &self.message(message).file) {
            set.push(FILE);
            varint::put(file.bytes.len() as u64, &mut set);
            set.extend_from_slice(file.bytes);
        }
        set
    }

    /// The messages that the sources declare at their top level.
    pub fn roots(&self) -> impl Iterator<Item = &Message> {
        self.roots.iter().map(|&id| self.message(id))
    }

    /// The message of that number.
    pub fn message(&self, id: MessageId) -> &Message {
        &self.messages[id.0]
    }

    /// The enum of that number.
    pub fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id.0]
    }

    /// All messages in the order of declaration, those that stand for map entries and groups included.
    pub fn messages(&self) -> impl Iterator<Item = (MessageId, &Message)> {
        self.messages.iter().enumerate().map(|(index, message)| (MessageId(index), message))
    }
}

/// A message type.
#[derive(Debug)]
pub struct Message {
    /// The name with its package, without a leading dot.
    pub full_name: String,
    /// The file that declares it.
    pub file: String,
    /// Its place there: the number of the outermost message, and of each within the one before.
    pub path: Vec<u32>,
    /// The fields as declared, then the schema's extensions of this message by number.
    pub fields: Vec<Field>,
    /// The oneofs that the `.proto` declares; those that stand for a proto3 `optional` are left out.
    pub oneofs: Vec<Oneof>,
    /// True for the message that stands for an entry of a map: `key` is field 1, `value` field 2.
    pub is_map_entry: bool,
    /// True for the old `message_set_wire_format`.
    pub is_message_set: bool,
}

impl Message {
    /// The place in `fields` of the field of that name.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

/// A field of a message.
#[derive(Debug)]
pub struct Field {
    /// The name; an extension's is its full name in brackets, `[package.name]`, as in the text format.
    pub name: String,
    /// The number on the wire.
    pub number: u32,
    /// What its values are.
    pub kind: Kind,
    /// True for `repeated` fields and maps.
    pub is_repeated: bool,
    /// True where absent can be told from default: proto2, `optional`, oneof members, singular messages, editions'
    /// explicit presence.
    pub has_presence: bool,
    /// True for proto2 `required` and editions' `LEGACY_REQUIRED`.
    pub is_required: bool,
    /// True where the schema asks writers to pack the values; readers take both forms.
    pub is_packed: bool,
    /// The default that the schema declares; without one it is zero, the first enum value, or empty.
    pub default: Option<Default>,
    /// The place in `oneofs` of the oneof that it is a member of.
    pub oneof: Option<usize>,
}

impl Field {
    /// What absent stands for, of a number, bool or enum: the bits, as [`Default::Bits`] has them.
    pub fn default_bits(&self) -> u64 {
        match self.default {
            Some(Default::Bits(bits)) => bits,
            _ => 0,
        }
    }

    /// What absent stands for, of a string or bytes.
    pub fn default_bytes(&self) -> &[u8] {
        match &self.default {
            Some(Default::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }
}

/// What a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number or bool.
    Scalar(Scalar),
    /// An enum's number.
    Enum(EnumId),
    /// Text. `is_checked` where the schema wants it refused unless it is UTF-8 (proto3, editions by default).
    String {
        /// True where invalid UTF-8 is an error.
        is_checked: bool,
    },
    /// Bytes.
    Bytes,
    /// A message behind a length.
    Message(MessageId),
    /// A message between start and end tags: a proto2 group, or editions' `DELIMITED` encoding.
    Group(MessageId),
}

impl Kind {
    /// The type's name in the `.proto` language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar(scalar) => scalar.name(),
            Self::Enum(_) => "enum",
            Self::String { .. } => "string",
            Self::Bytes => "bytes",
            Self::Message(_) => "message",
            Self::Group(_) => "group",
        }
    }
}

/// The types of number, bool included, each with its own way onto the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the language's own")]
pub enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
}

impl Scalar {
    /// The type's name in the `.proto` language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Float => "float",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Fixed32 => "fixed32",
            Self::Fixed64 => "fixed64",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Bool => "bool",
        }
    }
}

/// A default that the schema declares.
#[derive(Debug, Clone, PartialEq)]
pub enum Default {
    /// Of a number, bool or enum: the bits of its value in the width of its array element (1, 4 or 8 bytes), zero-extended;
    /// an int32 -1 is 0xffff_ffff.
    Bits(u64),
    /// Of a string or bytes field.
    Bytes(Vec<u8>),
}

/// A oneof: at most one of its members is set.
#[derive(Debug)]
pub struct Oneof {
    /// The name.
    pub name: String,
    /// The places in `fields` of its members.
    pub fields: Vec<usize>,
}

/// An enum type.
#[derive(Debug)]
pub struct Enum {
    /// The name with its package.
    pub full_name: String,
    /// Names and numbers in the order of declaration; aliases share a number.
    pub values: Vec<(String, i32)>,
    /// True where numbers that have no name are unknown fields (proto2, editions' `CLOSED`).
    pub is_closed: bool,
}

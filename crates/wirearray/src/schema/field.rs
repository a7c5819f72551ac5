//! Links one field: its kind, presence, packing and default are decided here once.
//!
//! Refuses types that do not resolve and parts that contradict each other, and says what is wrong; the caller adds
//! with which field. What fields must obey among each other is not asked here.

use super::default_value::{first_of, parse_bytes, parse_enum, parse_scalar};
use super::descriptor::{RawField, RawMessage, RawOneof};
use super::features::{Features, Presence};
use super::symbols::{DeclaredMessage, Scope, Symbols, TypeId, check_name};
use super::{Default, Enum, Field, Kind, MessageId, Scalar};

// The numbers of `FieldDescriptorProto.Label` and `.Type` that are spoken of more than once.
const LABEL_REPEATED: i32 = 3;
pub(super) const TYPE_GROUP: i32 = 10;
const TYPE_MESSAGE: i32 = 11;
const TYPE_ENUM: i32 = 14;

/// A field as declared, and all that it takes to link it.
pub(super) struct FieldLinker<'a> {
    pub(super) symbols: &'a Symbols<'a>,
    pub(super) enums: &'a [Enum],
    pub(super) scope: &'a Scope<'a>,
    pub(super) raw: &'a RawField<'a>,
    /// The message whose field it is; an extension has none.
    pub(super) owner: Option<&'a RawMessage<'a>>,
}

impl FieldLinker<'_> {
    /// The field as the schema has it, not yet told of the oneof that it is in.
    pub(super) fn link(&self) -> Result<Field, String> {
        let raw = self.raw;
        check_name(raw.name)?;
        let oneof = self.oneof()?;
        let features = match oneof {
            Some(oneof) => self.scope.features.with(&oneof.features)?.of_field(raw)?,
            None => self.scope.features.of_field(raw)?,
        };
        let kind = self.link_kind(features)?;
        let is_repeated = self.is_repeated()?;
        let is_required = !is_repeated && features.presence == Presence::Required;
        if oneof.is_some() && (is_repeated || is_required) {
            return Err("a member of a oneof can be neither repeated nor required".to_owned());
        }
        let always_has_presence =
            self.owner.is_none() || oneof.is_some() || matches!(kind, Kind::Message(_) | Kind::Group(_));
        let mut field = Field {
            name: raw.name.to_owned(),
            // A negative number turns into one that is far too high, which the rules refuse.
            number: raw.number.cast_unsigned(),
            kind,
            is_repeated,
            has_presence: !is_repeated && (always_has_presence || features.presence != Presence::Implicit),
            is_required,
            is_packed: is_repeated && features.is_packed && matches!(kind, Kind::Scalar(_) | Kind::Enum(_)),
            default: None,
            oneof: None,
        };
        field.default = self.link_default(&field)?;
        Ok(field)
    }

    fn oneof(&self) -> Result<Option<&RawOneof<'_>>, String> {
        let Some(index) = self.raw.oneof_index else {
            return Ok(None);
        };
        let oneofs = &self.owner.ok_or("an extension cannot be a member of a oneof")?.oneofs;
        let oneof = usize::try_from(index).ok().and_then(|index| oneofs.get(index));
        oneof.map(Some).ok_or_else(|| format!("oneof_index is {index}, and there are {} oneofs", oneofs.len()))
    }

    fn is_repeated(&self) -> Result<bool, String> {
        match self.raw.label {
            None | Some(1 | 2) => Ok(false),
            Some(LABEL_REPEATED) => Ok(true),
            Some(other) => Err(format!("label number {other} does not exist")),
        }
    }

    fn link_kind(&self, features: Features) -> Result<Kind, String> {
        if let (Some(1..=9 | 12 | 13 | 15..=18), Some(name)) = (self.raw.type_number, self.raw.type_name) {
            return Err(format!("its type is neither message nor enum, and yet it names the type {name}"));
        }
        let scalar = match self.raw.type_number {
            Some(1) => Scalar::Double,
            Some(2) => Scalar::Float,
            Some(3) => Scalar::Int64,
            Some(4) => Scalar::Uint64,
            Some(5) => Scalar::Int32,
            Some(6) => Scalar::Fixed64,
            Some(7) => Scalar::Fixed32,
            Some(8) => Scalar::Bool,
            Some(9) => return Ok(Kind::String { is_checked: features.is_utf8_checked }),
            Some(12) => return Ok(Kind::Bytes),
            Some(13) => Scalar::Uint32,
            Some(15) => Scalar::Sfixed32,
            Some(16) => Scalar::Sfixed64,
            Some(17) => Scalar::Sint32,
            Some(18) => Scalar::Sint64,
            None | Some(TYPE_GROUP | TYPE_MESSAGE | TYPE_ENUM) => {
                return self.link_named_kind(features);
            }
            Some(other) => return Err(format!("type number {other} does not exist")),
        };
        Ok(Kind::Scalar(scalar))
    }

    /// The kind of a field that names its type. Descriptors made by hand may leave it to the name whether that is a
    /// message or an enum.
    fn link_named_kind(&self, features: Features) -> Result<Kind, String> {
        let name = self.raw.type_name.ok_or("it has no type")?;
        match (self.symbols.resolve(self.scope, name), self.raw.type_number) {
            (None, _) => Err(self.symbols.explain_missing(self.scope, name)),
            (Some(TypeId::Enum(id)), None | Some(TYPE_ENUM)) => Ok(Kind::Enum(id)),
            (Some(TypeId::Enum(_)), _) => Err(format!("its type has to be a message, and {name} is an enum")),
            (Some(TypeId::Message(_)), Some(TYPE_ENUM)) => {
                Err(format!("its type has to be an enum, and {name} is a message"))
            }
            (Some(TypeId::Message(id)), _) => self.link_message_kind(id, features),
        }
    }

    /// Maps are always behind a length, whatever the file's features say.
    fn link_message_kind(&self, id: MessageId, features: Features) -> Result<Kind, String> {
        let DeclaredMessage { scope, raw: message, .. } = &self.symbols.messages[id.0];
        if message.is_map_entry && (self.owner.is_none() || self.raw.label != Some(LABEL_REPEATED)) {
            return Err(format!("{} is an entry of a map, which only a repeated field of a message holds", scope.name));
        }
        let is_in_map = message.is_map_entry || self.owner.is_some_and(|owner| owner.is_map_entry);
        match self.raw.type_number {
            Some(TYPE_GROUP) if is_in_map => Err("a map cannot hold a group, or be one".to_owned()),
            _ if features.is_delimited && !is_in_map => Ok(Kind::Group(id)),
            _ => Ok(Kind::Message(id)),
        }
    }

    fn link_default(&self, field: &Field) -> Result<Option<Default>, String> {
        let Some(text) = self.raw.default else {
            return self.default_of_enum(field);
        };
        if !field.has_presence || matches!(field.kind, Kind::Message(_) | Kind::Group(_)) {
            return Err("only a singular field with presence that is not a message can declare a default".to_owned());
        }
        match field.kind {
            Kind::Scalar(scalar) => parse_scalar(scalar, text),
            Kind::Enum(id) => parse_enum(&self.enums[id.0], text),
            Kind::Bytes => parse_bytes(text),
            Kind::String { .. } | Kind::Message(_) | Kind::Group(_) => Ok(Default::Bytes(text.as_bytes().to_vec())),
        }
        .map(Some)
    }

    /// What an enum field is without a word about it. Without presence, absent means zero, so zero has to be legal.
    fn default_of_enum(&self, field: &Field) -> Result<Option<Default>, String> {
        let Kind::Enum(id) = field.kind else {
            return Ok(None);
        };
        let enumeration = &self.enums[id.0];
        match (field.is_repeated, field.has_presence) {
            (true, _) => Ok(None),
            (false, true) => Ok(first_of(enumeration)),
            (false, false) if !enumeration.is_closed => Ok(None),
            (false, false) => {
                Err(format!("it has no presence, so its enum has to be open, and {} is closed", enumeration.full_name))
            }
        }
    }
}

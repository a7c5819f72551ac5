//! Editions' features: what a file, message, oneof, field or enum says about the wire, and what it inherits.
//!
//! proto2 and proto3 are expressed through the same five features, so that nothing later asks for a file's syntax.
//! Features that do not touch the wire, and those of one language, are not looked at. A value that this crate does
//! not know is refused: guessing could change the meaning of data. Features set in a proto2 or proto3 file, where no
//! compiler lets them be, hold as they would in an edition.

use super::descriptor::{RawFeatures, RawField, RawFile};
use super::field::TYPE_GROUP;

/// The features that hold at some place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Features {
    pub(super) presence: Presence,
    /// Of enums: unnamed numbers are unknown fields.
    pub(super) is_closed: bool,
    pub(super) is_packed: bool,
    pub(super) is_utf8_checked: bool,
    /// Of message fields: between tags, as a group is, not behind a length.
    pub(super) is_delimited: bool,
}

/// Whether absent can be told from default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Explicit,
    Implicit,
    Required,
}

const PROTO2: Features = Features {
    presence: Presence::Explicit,
    is_closed: true,
    is_packed: false,
    is_utf8_checked: false,
    is_delimited: false,
};

const PROTO3: Features = Features {
    presence: Presence::Implicit,
    is_closed: false,
    is_packed: true,
    is_utf8_checked: true,
    is_delimited: false,
};

/// No edition since the first, 2023, has changed a default that touches the wire.
const EDITIONS: Features = Features { presence: Presence::Explicit, ..PROTO3 };

// The numbers of `google.protobuf.Edition`.
const EDITION_PROTO2: i32 = 998;
const EDITION_PROTO3: i32 = 999;
const EDITION_2023: i32 = 1000;

const LABEL_REQUIRED: i32 = 2;

impl Features {
    /// The features at the top of a file.
    pub(super) fn of_file(file: &RawFile<'_>) -> Result<Self, String> {
        Self::defaults(file)?.with(&file.features)
    }

    fn defaults(file: &RawFile<'_>) -> Result<Self, String> {
        match (file.syntax, file.edition) {
            ("" | "proto2", None) => Ok(PROTO2),
            ("proto3", None) => Ok(PROTO3),
            ("" | "proto2" | "proto3" | "editions", Some(edition)) => Self::of_edition(edition),
            ("editions", None) => Err("the syntax is \"editions\", and no edition is given".to_owned()),
            (syntax, _) => Err(format!("syntax {syntax:?} is unknown; \"proto2\", \"proto3\" and editions are known")),
        }
    }

    fn of_edition(edition: i32) -> Result<Self, String> {
        match edition {
            EDITION_PROTO2 => Ok(PROTO2),
            EDITION_PROTO3 => Ok(PROTO3),
            EDITION_2023.. => Ok(EDITIONS),
            _ => Err(format!("edition number {edition} is unknown; the first, edition 2023, is number {EDITION_2023}")),
        }
    }

    /// These features, changed where `raw` sets one.
    pub(super) fn with(mut self, raw: &RawFeatures) -> Result<Self, String> {
        if let Some(number) = raw.field_presence {
            self.presence = match number {
                1 => Presence::Explicit,
                2 => Presence::Implicit,
                3 => Presence::Required,
                _ => return Err(unknown_value("field_presence", number)),
            };
        }
        set_if_given(&mut self.is_closed, "enum_type", raw.enum_type, 2, 1)?;
        set_if_given(&mut self.is_packed, "repeated_field_encoding", raw.repeated_field_encoding, 1, 2)?;
        set_if_given(&mut self.is_utf8_checked, "utf8_validation", raw.utf8_validation, 2, 3)?;
        set_if_given(&mut self.is_delimited, "message_encoding", raw.message_encoding, 2, 1)?;
        Ok(self)
    }

    /// The features of a field inside something that has these: proto2's and proto3's own words, then the features.
    pub(super) fn of_field(mut self, field: &RawField<'_>) -> Result<Self, String> {
        if field.is_proto3_optional {
            self.presence = Presence::Explicit;
        }
        if field.label == Some(LABEL_REQUIRED) {
            self.presence = Presence::Required;
        }
        if field.type_number == Some(TYPE_GROUP) {
            self.is_delimited = true;
        }
        self.is_packed = field.packed.unwrap_or(self.is_packed);
        self.with(&field.features)
    }
}

fn set_if_given(feature: &mut bool, name: &str, given: Option<i32>, yes: i32, no: i32) -> Result<(), String> {
    match given {
        None => {}
        Some(number) if number == yes => *feature = true,
        Some(number) if number == no => *feature = false,
        Some(number) => return Err(unknown_value(name, number)),
    }
    Ok(())
}

fn unknown_value(name: &str, number: i32) -> String {
    format!("features.{name} has the unknown value {number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(syntax: &'static str, edition: Option<i32>) -> RawFile<'static> {
        RawFile { syntax, edition, ..RawFile::default() }
    }

    #[test]
    fn each_syntax_has_its_defaults() {
        for (syntax, edition, expected) in [
            ("", None, PROTO2),
            ("proto2", None, PROTO2),
            ("proto3", None, PROTO3),
            ("editions", Some(998), PROTO2),
            ("editions", Some(999), PROTO3),
            ("editions", Some(1000), EDITIONS),
            ("editions", Some(1001), EDITIONS),
            ("editions", Some(1002), EDITIONS),
            ("editions", Some(9999), EDITIONS),
        ] {
            assert_eq!(Features::of_file(&file(syntax, edition)), Ok(expected), "{syntax:?} {edition:?}");
        }
    }

    #[test]
    fn unknown_syntaxes_and_editions_are_refused() {
        for (syntax, edition) in [("proto4", None), ("editions", None), ("editions", Some(900)), ("editions", Some(-1))]
        {
            assert!(Features::of_file(&file(syntax, edition)).is_err(), "{syntax:?} {edition:?}");
        }
    }

    #[test]
    fn a_feature_changes_itself_alone() {
        let raw = RawFeatures { message_encoding: Some(2), ..RawFeatures::default() };
        assert_eq!(EDITIONS.with(&raw), Ok(Features { is_delimited: true, ..EDITIONS }));
        let raw = RawFeatures { field_presence: Some(3), utf8_validation: Some(3), ..RawFeatures::default() };
        let expected = Features { presence: Presence::Required, is_utf8_checked: false, ..EDITIONS };
        assert_eq!(EDITIONS.with(&raw), Ok(expected));
    }

    #[test]
    fn an_unknown_value_is_refused_by_the_feature_s_name() {
        let raw = RawFeatures { enum_type: Some(3), ..RawFeatures::default() };
        assert_eq!(EDITIONS.with(&raw), Err("features.enum_type has the unknown value 3".to_owned()));
        let raw = RawFeatures { field_presence: Some(0), ..RawFeatures::default() };
        assert_eq!(EDITIONS.with(&raw), Err("features.field_presence has the unknown value 0".to_owned()));
    }

    #[test]
    fn the_words_of_proto2_and_proto3_are_features_of_their_field() {
        let required = RawField { label: Some(LABEL_REQUIRED), packed: Some(true), ..RawField::default() };
        let expected = Features { presence: Presence::Required, is_packed: true, ..PROTO2 };
        assert_eq!(PROTO2.of_field(&required), Ok(expected));
        let group = RawField { type_number: Some(TYPE_GROUP), ..RawField::default() };
        assert_eq!(PROTO2.of_field(&group), Ok(Features { is_delimited: true, ..PROTO2 }));
        let optional = RawField { is_proto3_optional: true, packed: Some(false), ..RawField::default() };
        assert_eq!(PROTO3.of_field(&optional), Ok(Features { is_packed: false, ..EDITIONS }));
    }
}

use std::path::{Path, PathBuf};

use super::super::compile_source;
use super::super::descriptor::{RawEnum, RawFeatures, RawOneof};
use super::super::{Default, EnumId, Kind};
use super::*;

// Numbers of `FieldDescriptorProto.Label` and `.Type`.
const LABEL_REPEATED: i32 = 3;
pub(super) const INT32: i32 = 5;
pub(super) const STRING: i32 = 9;
pub(super) const TYPE_GROUP: i32 = 10;
pub(super) const TYPE_MESSAGE: i32 = 11;
pub(super) const TYPE_ENUM: i32 = 14;

fn schema_of(text: &str) -> Schema {
    Schema::from_descriptor_set(&compile_source("test.proto", text, &[]).unwrap()).unwrap()
}

fn field<'s>(schema: &'s Schema, message: &str, name: &str) -> &'s Field {
    let message = schema.message(schema.message_id(message).expect(message));
    &message.fields[message.field_index(name).expect(name)]
}

/// A file with one message `M` that has these fields.
pub(super) fn file_of(fields: Vec<RawField<'_>>) -> RawFile<'_> {
    let message = RawMessage { name: "M", fields, ..RawMessage::default() };
    RawFile { name: "test.proto", messages: vec![message], ..RawFile::default() }
}

pub(super) fn raw(name: &str, number: i32, type_number: i32) -> RawField<'_> {
    RawField { name, number, type_number: Some(type_number), ..RawField::default() }
}

pub(super) fn typed<'a>(name: &'a str, number: i32, type_number: i32, type_name: &'a str) -> RawField<'a> {
    RawField { type_name: Some(type_name), ..raw(name, number, type_number) }
}

pub(super) fn repeated(field: RawField<'_>) -> RawField<'_> {
    RawField { label: Some(LABEL_REPEATED), ..field }
}

pub(super) fn map_entry<'a>(key: RawField<'a>, value: RawField<'a>) -> RawMessage<'a> {
    RawMessage { name: "Entry", fields: vec![key, value], is_map_entry: true, ..RawMessage::default() }
}

pub(super) fn enumeration<'a>(name: &'a str, values: &[(&'a str, i32)]) -> RawEnum<'a> {
    RawEnum { name, values: values.to_vec(), ..RawEnum::default() }
}

pub(super) fn error_of(file: RawFile<'_>) -> String {
    match link(&[file]) {
        Ok(schema) => panic!("accepted: {schema:?}"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
pub(super) fn assert_refused(file: RawFile<'_>, expected: &str) {
    let error = error_of(file);
    assert!(error.contains(expected), "{error:?} does not contain {expected:?}");
    assert!(error.starts_with("test.proto: "), "{error:?} names no file");
}

#[test]
fn presence_follows_syntax_oneofs_and_optional() {
    let proto3 = schema_of(
        "syntax = 'proto3'; message M { int32 plain = 1; optional int32 optional = 2; repeated int32 many = 3;
         M message = 4; oneof choice { int32 member = 5; string text = 6; } map<string, M> map = 7; }",
    );
    let presence = |name| field(&proto3, "M", name).has_presence;
    let names = ["plain", "optional", "many", "message", "member", "map"];
    assert_eq!(names.map(presence), [false, true, false, true, true, false]);
    let proto2 =
        schema_of("syntax = 'proto2'; message M { optional int32 a = 1; required int32 b = 2; repeated M c = 3; }");
    let facts = |name| (field(&proto2, "M", name).has_presence, field(&proto2, "M", name).is_required);
    assert_eq!(["a", "b", "c"].map(facts), [(true, false), (true, true), (false, false)]);
}

#[test]
fn the_oneofs_of_proto3_optional_are_dropped() {
    let schema = schema_of(
        "syntax = 'proto3';
         message M { optional int32 a = 1; oneof choice { int32 b = 2; M c = 3; } optional M d = 4; }",
    );
    let message = &schema.messages[0];
    let [Oneof { name, fields }] = &message.oneofs[..] else { panic!("{:?}", message.oneofs) };
    assert_eq!((name.as_str(), &fields[..]), ("choice", &[1, 2][..]));
    assert_eq!(message.fields.iter().map(|field| field.oneof).collect::<Vec<_>>(), [None, Some(0), Some(0), None]);
}

#[test]
fn packing_follows_syntax_and_option() {
    let text = "message M { repeated int32 plain = 1; repeated int32 yes = 2 [packed = true];
                repeated int32 no = 3 [packed = false]; repeated string text = 4; }";
    let names = ["plain", "yes", "no", "text"];
    let proto2 = schema_of(&format!("syntax = 'proto2'; {text}"));
    assert_eq!(names.map(|name| field(&proto2, "M", name).is_packed), [false, true, false, false]);
    let proto3 = schema_of(&format!("syntax = 'proto3'; {text}"));
    assert_eq!(names.map(|name| field(&proto3, "M", name).is_packed), [true, true, false, false]);
}

#[test]
fn strings_are_checked_in_proto3_alone() {
    let kind = |syntax| {
        field(
            &schema_of(&format!("syntax = '{syntax}'; message M {{ map<string, string> map = 1; }}")),
            "M.MapEntry",
            "key",
        )
        .kind
    };
    assert_eq!(["proto2", "proto3"].map(kind), [false, true].map(|is_checked| Kind::String { is_checked }));
}

#[test]
fn defaults_are_values_not_text() {
    let schema = schema_of(
        r#"syntax = 'proto2'; enum E { A = 3; B = -1; } message M {
        optional sint32 int = 1 [default = -2]; optional float float = 2 [default = inf];
        optional bool bool = 3 [default = true]; optional E named = 4 [default = B]; optional E first = 5;
        optional string string = 6 [default = "\n\303\251"]; optional bytes bytes = 7 [default = "a\000\377\""];
        optional int32 none = 8; repeated E many = 9; }"#,
    );
    let default = |name| field(&schema, "M", name).default.clone();
    assert_eq!(default("int"), Some(Default::Bits(0xffff_fffe)));
    assert_eq!(default("float"), Some(Default::Bits(0x7f80_0000)));
    assert_eq!(default("bool"), Some(Default::Bits(1)));
    assert_eq!(default("named"), Some(Default::Bits(0xffff_ffff)));
    assert_eq!(default("first"), Some(Default::Bits(3)));
    assert_eq!(default("string"), Some(Default::Bytes("\n\u{e9}".into())));
    assert_eq!(default("bytes"), Some(Default::Bytes(b"a\0\xff\"".to_vec())));
    assert_eq!((default("none"), default("many")), (None, None));
}

#[test]
fn extensions_follow_the_fields_by_number() {
    let schema = schema_of(
        "syntax = 'proto2'; package p; message M { extensions 100 to max; optional int32 a = 1;
         extend M { repeated int32 late = 300; } } extend M { optional M early = 200; }",
    );
    let message = &schema.messages[0];
    let names: Vec<_> = message.fields.iter().map(|field| (field.name.as_str(), field.number)).collect();
    assert_eq!(names, [("a", 1), ("[p.early]", 200), ("[p.M.late]", 300)]);
    assert!(message.fields[1].has_presence && message.fields[2].is_repeated);
}

#[test]
fn message_sets_hold_extensions_of_any_int32_number() {
    let extension = |number| RawField { extendee: Some(".M"), ..typed("e", number, TYPE_MESSAGE, ".M") };
    let file = |fields, extension| {
        let mut file = RawFile { extensions: vec![extension], ..file_of(fields) };
        file.messages[0].is_message_set = true;
        file
    };
    let schema = link(&[file(vec![], extension(i32::MAX))]).unwrap();
    assert_eq!(schema.messages[0].fields[0].number, 0x7fff_ffff);
    let rule = "message M: a message set holds";
    assert_refused(file(vec![], RawField { type_number: Some(INT32), type_name: None, ..extension(5) }), rule);
    assert_refused(file(vec![], repeated(extension(5))), rule);
    assert_refused(file(vec![raw("a", 1, INT32)], extension(5)), rule);
}

#[test]
fn editions_features_are_inherited_lexically() {
    let delimited = RawFeatures { message_encoding: Some(2), ..RawFeatures::default() };
    let prefixed = RawFeatures { message_encoding: Some(1), ..RawFeatures::default() };
    let implicit = RawFeatures { field_presence: Some(2), ..RawFeatures::default() };
    let unchecked = RawFeatures { utf8_validation: Some(3), ..RawFeatures::default() };
    let required = RawFeatures { field_presence: Some(3), ..RawFeatures::default() };
    let fields = vec![
        typed("inherited", 1, TYPE_MESSAGE, ".M"),
        RawField { features: prefixed, ..typed("own", 2, TYPE_MESSAGE, ".M") },
        RawField { features: required, ..raw("required", 3, INT32) },
        RawField { features: implicit, ..raw("implicit", 4, INT32) },
        RawField { oneof_index: Some(0), ..raw("member", 5, STRING) },
        repeated(typed("map", 6, TYPE_MESSAGE, ".M.Entry")),
    ];
    let entry = map_entry(raw("key", 1, STRING), typed("value", 2, TYPE_MESSAGE, ".M"));
    let message = RawMessage {
        name: "M",
        fields,
        oneofs: vec![RawOneof { name: "choice", features: unchecked }],
        messages: vec![entry],
        features: delimited,
        ..RawMessage::default()
    };
    let file = RawFile {
        name: "test.proto",
        syntax: "editions",
        edition: Some(1000),
        messages: vec![message],
        ..RawFile::default()
    };
    let schema = link(&[file]).unwrap();
    let kind = |name| field(&schema, "M", name).kind;
    assert_eq!(kind("inherited"), Kind::Group(MessageId(0)));
    assert_eq!(kind("own"), Kind::Message(MessageId(0)));
    assert!(field(&schema, "M", "required").is_required);
    assert!(!field(&schema, "M", "implicit").has_presence);
    assert_eq!(kind("member"), Kind::String { is_checked: false });
    assert_eq!(kind("map"), Kind::Message(MessageId(1)), "maps are never delimited");
    assert_eq!(field(&schema, "M.Entry", "value").kind, Kind::Message(MessageId(0)), "nor are their values");
    assert_eq!(field(&schema, "M.Entry", "key").kind, Kind::String { is_checked: true });
}

#[test]
fn an_enum_is_closed_as_its_own_file_says() {
    let proto2 = RawFile { name: "old.proto", enums: vec![enumeration("Old", &[("A", 1)])], ..RawFile::default() };
    let user = RawFile { syntax: "proto3", ..file_of(vec![repeated(typed("a", 1, TYPE_ENUM, ".Old"))]) };
    let schema = link(&[user, proto2]).unwrap();
    assert!(schema.enums[0].is_closed);
}

#[test]
fn relative_and_untyped_names_are_resolved_from_the_inside_out() {
    let inner = RawMessage { name: "T", ..RawMessage::default() };
    let fields = vec![
        RawField { type_number: None, ..typed("inner", 1, 0, "T") },
        typed("outer", 2, TYPE_MESSAGE, ".p.T"),
        RawField { type_number: None, ..typed("number", 3, 0, "E") },
        typed("qualified", 4, TYPE_MESSAGE, "p.M.T"),
    ];
    let message = RawMessage { name: "M", fields, messages: vec![inner], ..RawMessage::default() };
    let file = RawFile {
        name: "test.proto",
        package: "p",
        messages: vec![message, RawMessage { name: "T", ..RawMessage::default() }],
        enums: vec![enumeration("E", &[("A", 0)])],
        ..RawFile::default()
    };
    let schema = link(&[file]).unwrap();
    let kinds: Vec<_> = schema.messages[0].fields.iter().map(|field| field.kind).collect();
    let message = |id| Kind::Message(MessageId(id));
    assert_eq!(kinds, [message(1), message(2), Kind::Enum(EnumId(0)), message(1)]);
}

#[test]
fn types_may_refer_to_each_other_in_a_circle() {
    let schema = schema_of(
        "syntax = 'proto2'; message A { optional B b = 1; optional group G = 2 { optional A a = 1; } }
         message B { optional A a = 1; }",
    );
    assert_eq!(schema.messages().map(|(_, message)| message.full_name.as_str()).collect::<Vec<_>>(), ["A", "A.G", "B"]);
    assert_eq!(field(&schema, "A", "g").kind, Kind::Group(MessageId(1)));
}

/// Schemas from real life and from the conformance suite, where this checkout has them.
#[test]
fn shared_descriptor_sets_link_and_equal_what_the_compiler_makes() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let Ok(directory) = std::fs::read_dir(shared.join("realdata/descriptors")) else {
        eprintln!("skipped: {} is not there", shared.display());
        return;
    };
    link_file(&shared.join("conformance/descriptors.binpb"));
    for path in directory.map(|entry| entry.unwrap().path()) {
        let include = shared.join("realdata/schemas").join(path.file_stem().unwrap());
        let compiled = super::super::compile_files(&proto_files(&include), &[include]).unwrap();
        let compiled = Schema::from_descriptor_set(&compiled).unwrap();
        assert_eq!(describe(&compiled), describe(&link_file(&path)), "{}", path.display());
    }
}

#[test]
fn a_message_knows_its_place_in_its_file() {
    let schema = schema_of(
        "syntax = \"proto3\"; message A { map<string, int32> m = 1; message B {} } message C { message D {} }",
    );
    let path = |name| &schema.message(schema.message_id(name).unwrap()).path[..];
    let paths = ["A", "A.MEntry", "A.B", "C", "C.D"].map(path);
    assert_eq!(paths, [&[0][..], &[0, 0], &[0, 1], &[1], &[1, 0]]);
}

fn link_file(path: &Path) -> Schema {
    Schema::from_descriptor_set(&std::fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn proto_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(proto_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files
}

/// Every message as text that does not depend on the order of the files.
fn describe(schema: &Schema) -> Vec<String> {
    let mut lines: Vec<_> = schema.messages().map(|(_, message)| describe_message(schema, message)).collect();
    lines.sort();
    lines
}

fn describe_message(schema: &Schema, message: &Message) -> String {
    let mut text = format!("{} in {}: {:?}", message.full_name, message.file, message.oneofs);
    for field in &message.fields {
        let named = match field.kind {
            Kind::Message(id) | Kind::Group(id) => schema.message(id).full_name.clone(),
            Kind::Enum(id) => format!("{:?}", schema.enumeration(id)),
            _ => format!("{:?}", field.kind),
        };
        let is_group = matches!(field.kind, Kind::Group(_));
        let facts = (field.number, field.is_repeated, field.has_presence, field.is_required, field.is_packed, is_group);
        text.push_str(&format!("\n{} {facts:?} {:?} {:?} {named}", field.name, field.default, field.oneof));
    }
    text
}

//! Descriptors that no compiler writes, each with the refusal that it meets.

use super::super::descriptor::RawOneof;
use super::tests::{
    INT32, STRING, TYPE_ENUM, TYPE_GROUP, TYPE_MESSAGE, assert_refused, enumeration, error_of, file_of, map_entry, raw,
    repeated, typed,
};
use super::*;

#[test]
fn missing_types_name_the_missing_import() {
    let file = || file_of(vec![typed("a", 1, TYPE_MESSAGE, ".q.T")]);
    assert_refused(file(), "field M.a: the type q.T is not declared in this file or its imports");
    let importing = RawFile { dependencies: vec!["q.proto"], ..file() };
    assert_refused(importing, "the type q.T is missing, and so is q.proto, which this file imports");
    let extension = RawField { extendee: Some(".q.T"), ..raw("e", 1, INT32) };
    let extending = RawFile { dependencies: vec!["q.proto"], extensions: vec![extension], ..file_of(vec![]) };
    assert_refused(extending, "field e: the type q.T is missing, and so is q.proto");
}

#[test]
fn a_file_may_be_there_twice_if_nothing_differs() {
    let file = |bytes| RawFile { bytes, ..file_of(vec![]) };
    assert_eq!(link(&[file(b"same"), file(b"same")]).unwrap().messages.len(), 1);
    let error = link(&[file(b"one"), file(b"other")]).unwrap_err();
    assert_eq!(error.to_string(), "test.proto: two different files of this name are in the descriptor set");
    let other = RawFile { name: "other.proto", ..file_of(vec![]) };
    assert_eq!(link(&[file(b"one"), other]).unwrap_err().to_string(), "other.proto: M is declared twice");
}

#[test]
fn names_that_are_none_are_refused() {
    for name in ["", "a.b", "a\0", "1a", "\u{e9}", "a b", "[a]"] {
        assert_refused(file_of(vec![raw(name, 1, INT32)]), "name");
        let message = RawMessage { name, ..RawMessage::default() };
        assert_refused(RawFile { name: "test.proto", messages: vec![message], ..RawFile::default() }, "name");
        let file = RawFile { name: "test.proto", enums: vec![enumeration("E", &[(name, 0)])], ..RawFile::default() };
        assert_refused(file, "enum E: ");
    }
    assert_refused(RawFile { package: "a..b", ..file_of(vec![]) }, "something has no name");
    assert!(error_of(RawFile { name: "", ..file_of(vec![]) }).contains("has no name"));
    assert!(error_of(RawFile { name: "a\0b", ..file_of(vec![]) }).contains("is not a file name"));
    let long = "a".repeat(1100);
    assert_refused(RawFile { package: &long, ..file_of(vec![]) }, "longer than 1024 bytes");
}

#[test]
fn numbers_outside_the_tag_are_refused() {
    for number in [0, -1, i32::MIN, 1 << 29, i32::MAX] {
        assert_refused(file_of(vec![raw("a", number, INT32)]), &format!("message M: field a has number {number}, not"));
    }
    assert!(link(&[file_of(vec![raw("a", (1 << 29) - 1, INT32), raw("b", 19_000, INT32)])]).is_ok());
}

#[test]
fn fields_that_cannot_be_told_apart_are_refused() {
    assert_refused(file_of(vec![raw("a", 1, INT32), raw("b", 1, INT32)]), "fields a and b have the same number, 1");
    assert_refused(file_of(vec![raw("a", 1, INT32), raw("a", 2, INT32)]), "message M: it has two fields a");
    let extension = RawField { extendee: Some(".M"), ..raw("e", 1, INT32) };
    let file = RawFile { extensions: vec![extension], ..file_of(vec![raw("a", 1, INT32)]) };
    assert_refused(file, "message M: fields a and [e] have the same number, 1");
}

#[test]
fn a_message_has_at_most_65535_fields() {
    let names: Vec<_> = (0..65_536).map(|number| format!("f{number}")).collect();
    let fields = |count| names[..count].iter().zip(1..).map(|(name, number)| raw(name, number, INT32)).collect();
    assert!(link(&[file_of(fields(65_535))]).is_ok());
    assert_refused(file_of(fields(65_536)), "message M: it has 65536 fields");
}

#[test]
fn oneofs_that_cannot_be_are_refused() {
    let member = |index| RawField { oneof_index: Some(index), ..raw("a", 1, INT32) };
    for index in [-1, 1, i32::MIN, i32::MAX] {
        assert_refused(
            file_with_oneof(vec![member(index)]),
            &format!("field M.a: oneof_index is {index}, and there are 1"),
        );
    }
    assert_refused(file_with_oneof(vec![repeated(member(0))]), "neither repeated nor required");
    let optional = RawField { is_proto3_optional: true, ..member(0) };
    let second = RawField { name: "b", number: 2, ..member(0) };
    assert_refused(file_with_oneof(vec![optional, second]), "oneof choice holds a proto3 optional field and others");
    let extension = RawField { extendee: Some(".M"), ..member(0) };
    assert_refused(
        RawFile { extensions: vec![extension], ..file_with_oneof(vec![]) },
        "an extension cannot be a member",
    );
}

fn file_with_oneof(fields: Vec<RawField<'_>>) -> RawFile<'_> {
    let mut file = file_of(fields);
    file.messages[0].oneofs = vec![RawOneof { name: "choice", ..RawOneof::default() }];
    file
}

#[test]
fn types_and_labels_that_do_not_exist_are_refused() {
    assert_refused(file_of(vec![raw("a", 1, 0)]), "field M.a: type number 0 does not exist");
    assert_refused(file_of(vec![raw("a", 1, 19)]), "field M.a: type number 19 does not exist");
    assert_refused(file_of(vec![raw("a", 1, TYPE_MESSAGE)]), "field M.a: it has no type");
    assert_refused(file_of(vec![RawField { type_number: None, ..raw("a", 1, 0) }]), "field M.a: it has no type");
    assert_refused(file_of(vec![RawField { label: Some(4), ..raw("a", 1, INT32) }]), "label number 4 does not exist");
    assert_refused(file_of(vec![typed("a", 1, INT32, ".M")]), "field M.a: its type is neither message nor enum");
    assert_refused(file_of(vec![typed("a", 1, TYPE_ENUM, ".M")]), "has to be an enum, and .M is a message");
    for kind in [TYPE_MESSAGE, TYPE_GROUP] {
        let file = file_of(vec![typed("a", 1, kind, ".E")]);
        let enums = vec![enumeration("E", &[("A", 0)])];
        assert_refused(RawFile { enums, ..file }, "has to be a message, and .E is an enum");
    }
}

#[test]
fn defaults_that_do_not_fit_are_refused() {
    let with = |field| file_of(vec![RawField { default: Some("x"), ..field }]);
    assert_refused(with(raw("a", 1, INT32)), "field M.a: the default \"x\" is not of type int32");
    assert_refused(with(repeated(raw("a", 1, STRING))), "field M.a: only a singular field");
    assert_refused(with(typed("a", 1, TYPE_MESSAGE, ".M")), "field M.a: only a singular field");
    assert_refused(RawFile { syntax: "proto3", ..with(raw("a", 1, STRING)) }, "field M.a: only a singular field");
    let enums = vec![enumeration("E", &[("A", 0)])];
    assert_refused(RawFile { enums, ..with(typed("a", 1, TYPE_ENUM, ".E")) }, "the default \"x\" is not a value of E");
}

#[test]
fn enums_that_have_no_zero_where_they_need_one_are_refused() {
    let with = |values: &[(&'static str, i32)]| RawFile { enums: vec![enumeration("E", values)], ..file_of(vec![]) };
    assert_refused(with(&[]), "enum E: it has no values");
    assert_refused(with(&[("A", 0), ("A", 1)]), "enum E: it has two values A");
    assert_refused(RawFile { syntax: "proto3", ..with(&[("A", 1)]) }, "enum E: the first value of an open enum");
    assert!(link(&[with(&[("A", 1), ("B", 1)])]).is_ok(), "aliases");
    let old = RawFile { name: "old.proto", ..with(&[("A", 0)]) };
    let old = RawFile { messages: vec![], ..old };
    let user = RawFile { syntax: "proto3", ..file_of(vec![typed("a", 1, TYPE_ENUM, ".E")]) };
    let error = link(&[old, user]).unwrap_err().to_string();
    assert_eq!(error, "test.proto: field M.a: it has no presence, so its enum has to be open, and E is closed");
}

#[test]
fn map_entries_that_are_none_are_refused() {
    let file = |field, entry| {
        let mut file = file_of(vec![field]);
        file.messages[0].messages = vec![entry];
        file
    };
    let map = || repeated(typed("map", 1, TYPE_MESSAGE, ".M.Entry"));
    let (key, value) = (|| raw("key", 1, STRING), || raw("value", 2, INT32));
    assert!(link(&[file(map(), map_entry(key(), value()))]).is_ok());

    let shape = "message M.Entry: a map entry has to have exactly";
    assert_refused(file(map(), map_entry(value(), key())), shape);
    assert_refused(file(map(), map_entry(raw("key", 3, STRING), value())), shape);
    assert_refused(file(map(), map_entry(key(), raw("val", 2, INT32))), shape);
    assert_refused(file(map(), map_entry(key(), repeated(value()))), shape);
    let mut three = map_entry(key(), value());
    three.fields.push(raw("more", 3, INT32));
    assert_refused(file(map(), three), shape);

    assert_refused(file(map(), map_entry(raw("key", 1, 1), value())), "the key of a map cannot be floating point");
    assert_refused(file(map(), map_entry(raw("key", 1, 12), value())), "the key of a map has to be");
    assert_refused(file(map(), map_entry(typed("key", 1, TYPE_MESSAGE, ".M"), value())), "the key of a map has to be");

    let singular = typed("map", 1, TYPE_MESSAGE, ".M.Entry");
    assert_refused(file(singular, map_entry(key(), value())), "field M.map: M.Entry is an entry of a map");
    let group = repeated(typed("map", 1, TYPE_GROUP, ".M.Entry"));
    assert_refused(file(group, map_entry(key(), value())), "a map cannot hold a group");
    let extension = RawField { extendee: Some(".M"), ..repeated(typed("e", 2, TYPE_MESSAGE, ".M.Entry")) };
    let extending = RawFile { extensions: vec![extension], ..file(map(), map_entry(key(), value())) };
    assert_refused(extending, "field e: M.Entry is an entry of a map");
}

use std::sync::Arc;

use crate::column::Data;
use crate::decode::{Decoder, Options, Views, batch, decode};
use crate::plan::Plan;
use crate::schema::{Schema, compile_source};

const TEXT: &str = r#"
    syntax = "proto2";
    enum E { ONE = 1; }
    message M {
      oneof o {
        M a = 2; int64 b = 3; string c = 4; M d = 7; E e = 8; int64 f = 5000;
        group G = 9 { optional int64 n = 1; optional string s = 2; optional M m = 3; optional group H = 4 { repeated bytes x = 1; } }
      }
      optional int64 n = 5;
      repeated M r = 6;
      oneof p { int64 i = 10; string j = 11; }
      optional L l = 12;
    }
    message L { oneof q { M x = 1; int64 y = 2; } }
"#;

/// b: 1, c: "", four times: columns of both and of the oneof are made, and from then on the decoder looks ahead.
fn often() -> Vec<u8> {
    b"\x18\x01\x22\x00".repeat(4)
}

fn plan() -> Plan {
    plan_of(TEXT)
}

fn plan_of(text: &str) -> Plan {
    let schema = Schema::from_descriptor_set(&compile_source("m.proto", text, &[]).unwrap()).unwrap();
    let message = schema.message_id("M").unwrap();
    Plan::new(Arc::new(schema), message)
}

/// The columns that a batch has made of fields behind members in turn, beside the three that those make.
fn columns_of(plan: &Plan, fields: &[&[u8]]) -> usize {
    let (message, options) = ([often(), fields.concat()].concat(), Options::DEFAULT);
    let mut decoder = Decoder::new(plan, options, batch(plan, options, Vec::new()));
    decoder.push_all(std::iter::once((message.as_slice().into(), 0..message.len())), message.len()).unwrap();
    decoder.into_batch().0.columns_made() - 3
}

const A: &[u8] = b"\x12\x02\x28\x01";
const B: &[u8] = b"\x18\x01";
const N: &[u8] = b"\x28\x01";

#[test]
fn members_that_are_replaced_are_not_written_once_that_has_happened_often() {
    let plan = plan();
    assert_eq!(columns_of(&plan, &[]), 0);
    assert_eq!(columns_of(&plan, &[A]), 2, "the last one is written");
    assert_eq!(columns_of(&plan, &[A, A]), 2, "another of the same field is merged with it");
    assert_eq!(columns_of(&plan, &[A, B]), 0);
    assert_eq!(columns_of(&plan, &[A, N, A, N, B]), 1, "all before the other one are passed, whatever is between them");
    assert_eq!(columns_of(&plan, &[A, &N.repeat(1000), B]), 1, "and however far away it is");
    assert_eq!(columns_of(&plan, &[A, &N.repeat(1 << 10), B]), 3, "as far as the look goes");
    assert_eq!(columns_of(&plan, &[&N.repeat(1 << 11), A, B]), 1, "which starts where the first member is");
    assert_eq!(columns_of(&plan, &[b"\xc0\xb8\x02\x01", B]), 0, "with a tag of three bytes");
    assert_eq!(columns_of(&plan, &[A, b"\xc0\xb8\x02\x01"]), 1);
}

#[test]
fn no_one_looks_any_more_once_that_has_been_in_vain_for_long() {
    let plan = plan();
    // r { i: 1 n: 1 }, of which nothing is replaced, and r { a { n: 1 } b: 1 }.
    let vain = |times| b"\x32\x04\x50\x01\x28\x01".repeat(times);
    let (in_turn, more) =
        ([b"\x32\x06", A, B].concat(), b"\x32\x0c\x18\x01\x22\x00\x18\x01\x22\x00\x18\x01\x22\x00".repeat(2));
    // The lists of rows, what they have set of two oneofs, the numbers of both, and n.
    assert_eq!(columns_of(&plan, &[&vain(63), &in_turn]), 6);
    assert_eq!(columns_of(&plan, &[&vain(64), &in_turn]), 8, "and the message that is replaced, and its number");
    assert_eq!(columns_of(&plan, &[&vain(63), &in_turn, &vain(2), &in_turn]), 6, "one makes up for some in vain");
    assert_eq!(columns_of(&plan, &[&vain(63), &in_turn, &vain(3), &in_turn]), 8);
    assert_eq!(columns_of(&plan, &[&vain(64), &more, &vain(63), &in_turn]), 7, "but until as many are replaced again");
}

#[test]
fn the_last_field_of_a_message_is_not_looked_behind() {
    let plan = plan();
    let in_turn = [b"\x32\x06", A, B].concat();
    // r { i: 1 }, r { j: "" }, and r { g { } }, of which the end is not known.
    assert_eq!(columns_of(&plan, &[&b"\x32\x02\x50\x01".repeat(100), &in_turn]), 5);
    assert_eq!(columns_of(&plan, &[&b"\x32\x02\x5a\x00".repeat(100), &in_turn]), 5);
    assert_eq!(columns_of(&plan, &[&b"\x32\x02\x4b\x4c".repeat(100), &in_turn]), 6, "looks in vain");
}

#[test]
fn what_was_written_while_no_one_looked_is_forgotten_all_the_same() {
    let plan = plan();
    let (vain, more) = (b"\x32\x04\x50\x01\x28\x01".repeat(64), [b"\x32\x10".as_slice(), &often()].concat());
    let message = [&often(), vain.as_slice(), A, &more, B, b"\x12\x00"].concat();
    let member = |message: &[u8]| {
        let table = decode(&plan, message.into(), Options::DEFAULT).unwrap();
        let Data::Table(member) = &table.column(0).data else { panic!("a message") };
        Arc::clone(member)
    };
    assert_eq!(member(&message), member(b"\x12\x00"));
    assert_ne!(member(A), member(b"\x12\x00"));
}

#[test]
fn each_oneof_is_looked_at_by_itself() {
    let plan = plan();
    let (i, j) = (b"\x50\x01".as_slice(), b"\x5a\x00".as_slice());
    assert_eq!(columns_of(&plan, &[A, i]), 4);
    assert_eq!(columns_of(&plan, &[A, i, B]), 2);
    assert_eq!(columns_of(&plan, &[i, A, j, B]), 2, "the column of the other oneof, and that of its last member");
}

#[test]
fn a_number_that_a_closed_enum_does_not_know_replaces_nothing() {
    let plan = plan();
    assert_eq!(columns_of(&plan, &[A, b"\x40\x01"]), 1);
    assert_eq!(columns_of(&plan, &[A, b"\x40\x02"]), 2);
    assert_eq!(columns_of(&plan, &[b"\x40\x02", B]), 0);
}

#[test]
fn a_member_that_is_not_selected_replaces_others_when_it_comes() {
    let plan = plan().select(["a", "b", "c", "n"]).unwrap();
    assert_eq!(columns_of(&plan, &[A, b"\x3a\x00"]), 2);
    assert_eq!(columns_of(&plan, &[A, b"\x3a\x00", B]), 0);
    let table = decode(&plan, [&often(), A, b"\x3a\x00"].concat().as_slice().into(), Options::DEFAULT).unwrap();
    assert_eq!(table.oneof(0).values.as_slice::<u32>(), [7]);
}

#[test]
fn groups_that_are_replaced_are_not_written_whatever_they_hold() {
    let plan = plan();
    let groups: [&[u8]; 4] = [
        b"\x4b\x4c",
        b"\x4b\x08\x01\x12\x01x\x4c",
        b"\x4b\x1a\x02\x28\x01\x4c",
        b"\x4b\x08\x01\x23\x0a\x01\xff\x24\x1a\x00\x4c",
    ];
    for group in groups {
        assert_eq!(columns_of(&plan, &[group, B]), 0, "{group:02x?}");
        assert_ne!(columns_of(&plan, &[group]), 0, "{group:02x?}");
    }
}

#[test]
fn no_more_is_looked_at_of_groups_than_has_been_read_but_for_a_constant() {
    let plan = plan();
    // g { m {} n: 1 n: 1 ... }: numbers alone need no allowance.
    let long = [b"\x4b\x1a\x00".as_slice(), &b"\x08\x01".repeat(300), b"\x4c"].concat();
    assert_eq!(columns_of(&plan, &[&long, B]), 3);
    assert_eq!(columns_of(&plan, &[&N.repeat(300), &long, B]), 1);
}

/// The error of a message behind members in turn: its kind, how far behind those it is, and its path.
fn refuse(plan: &Plan, options: Options, message: &[u8]) -> (&'static str, usize, String) {
    let often = often();
    let bytes = [&often, message].concat();
    let mut decoder = Decoder::new(plan, options, batch(plan, options, Vec::new()));
    let error = decoder.push_all(std::iter::once((bytes.as_slice().into(), 0..bytes.len())), 0).unwrap_err();
    (error.kind().name(), error.offset() - often.len(), error.path().to_owned())
}

#[test]
fn what_is_replaced_is_checked_as_all_else_is() {
    // c: "\xff" b: 1
    let text = plan_of("syntax = \"proto3\"; message M { oneof o { int64 b = 3; string c = 4; } }");
    assert_eq!(refuse(&text, Options::DEFAULT, b"\x22\x01\xff\x18\x01"), ("invalid utf-8", 2, "c".into()));
    let plan = plan();
    let refuse = |message: &[u8]| refuse(&plan, Options::DEFAULT, message);
    // r {} r { a { r {} r { r { n: broken } } } b: 1 }
    let nested = b"\x32\x00\x32\x0d\x12\x09\x32\x00\x32\x05\x32\x03\x28\xff\xff\x18\x01";
    assert_eq!(refuse(nested), ("truncated", 13, "r[1].a.r[1].r[0].n".into()));
    assert_eq!(refuse(&[&often()[..8], nested].concat()).2, "r[1].a.r[1].r[0].n");
    // l { x { n: broken } y: 1 }
    assert_eq!(refuse(b"\x62\x07\x0a\x03\x28\xff\xff\x10\x01"), ("truncated", 5, "l.x.n".into()));
    // What is merged counts together: a { r {} } n: 1 a { r {} r { n: broken } } b: 1, and a { r {} } b: 1 before.
    let merged = b"\x12\x02\x32\x00\x28\x01\x12\x07\x32\x00\x32\x03\x28\xff\xff\x18\x01";
    assert_eq!(refuse(merged), ("truncated", 13, "a.r[2].n".into()));
    assert_eq!(refuse(&[b"\x12\x02\x32\x00\x18\x01", merged.as_slice()].concat()).2, "a.r[2].n");
    // The same a millennium of numbers behind the first of them, which another look goes over.
    let far = [b"\x12\x02\x32\x00", N.repeat(1023).as_slice(), &merged[6..]].concat();
    assert_eq!(refuse(&far), ("truncated", 2057, "a.r[2].n".into()));
    // g { m { n: broken } } b: 1, and a group that does not end.
    assert_eq!(refuse(b"\x4b\x1a\x03\x28\xff\xff\x4c\x18\x01"), ("truncated", 4, "g.m.n".into()));
    assert_eq!(refuse(b"\x4b\x08\x01\x18\x01").0, "unclosed group");
    // a { g { n: 1 b: 1, which ends where a does.
    assert_eq!(refuse(b"\x12\x03\x4b\x08\x01\x18\x01"), ("unclosed group", 5, "a.g".into()));
}

#[test]
fn what_is_replaced_may_be_as_deep_as_all_else() {
    let plan = plan();
    // a { d { n: 1 } } b: 1
    let (message, flat) = (b"\x12\x04\x3a\x02\x28\x01\x18\x01".as_slice(), b"\x12\x00\x18\x01".as_slice());
    let of_limit = |depth_limit| Options { depth_limit, ..Options::DEFAULT };
    let count = |options| {
        let message = [&often(), message].concat();
        let mut decoder = Decoder::new(&plan, options, batch(&plan, options, Vec::new()));
        decoder.push_all(std::iter::once((message.as_slice().into(), 0..message.len())), 0).unwrap();
        decoder.into_batch().0.columns_made()
    };
    assert_eq!(count(of_limit(2)), 3, "it is not read once more for that");
    assert_eq!(refuse(&plan, of_limit(1), message), ("too deep", 2, "a.d".into()));
    assert_eq!(refuse(&plan, of_limit(0), flat), ("too deep", 0, "a".into()));
    assert_eq!(refuse(&plan, of_limit(0), b"\x4b\x4c\x18\x01"), ("too deep", 0, "g".into()));
}

#[test]
fn that_a_view_cannot_be_had_is_said_of_what_is_replaced_too() {
    let bytes = [&b"\x12\x00\x3a\x00".repeat(5)[..], b"\x12\x02\x28\x01\x3a\x00"].concat();
    let (plan, options) = (plan(), Options { views: Views::Always, ..Options::DEFAULT });
    let mut decoder = Decoder::new(&plan, options, batch(&plan, options, Vec::new()));
    let messages = std::iter::once((bytes.as_slice().into(), 0..bytes.len()));
    assert_eq!(decoder.push_all(messages, 0).unwrap_err().kind().name(), "no view");
}

use std::sync::Arc;

use super::*;
use crate::column::{Data, Texts};
use crate::decode::{Decoder, batch, decode};
use crate::schema::{Schema, compile_source};

fn plan() -> Plan {
    const TEXT: &str = r#"
        syntax = "proto3";
        message M { M m = 1; oneof o { M a = 2; int64 b = 3; string c = 4; M d = 7; } int64 n = 5; repeated M r = 6; }
    "#;
    plan_of(TEXT)
}

fn plan_of(text: &str) -> Plan {
    let schema = Schema::from_descriptor_set(&compile_source("m.proto", text, &[]).unwrap()).unwrap();
    let message = schema.message_id("M").unwrap();
    Plan::new(Arc::new(schema), message)
}

fn table(bytes: &[u8], most_tables: usize) -> Table {
    decode(&plan(), bytes.into(), Options { most_tables, ..Options::DEFAULT }).unwrap()
}

#[test]
fn messages_are_kept_unread_once_there_are_as_many_tables_as_there_may_be() {
    // m { m { n: 7 } } r { } r { n: 7 }
    let bytes = b"\x0a\x04\x0a\x02\x28\x07\x32\x00\x32\x02\x28\x07";
    let read = table(bytes, 4);
    assert!(!Data::Table(Arc::new(table(bytes, 4))).holds_unread());
    for (most_tables, height) in [(1, 2), (2, 2), (3, 2)] {
        let unread = Arc::new(table(bytes, most_tables));
        assert!(Data::Table(Arc::clone(&unread)).holds_unread(), "{most_tables}");
        assert!(unread.has_column(0) && unread.has_column(6) && !unread.has_column(1));
        assert_eq!((unread.height(), &*unread), (height, &read), "{most_tables}");
    }
}

#[test]
fn the_path_of_an_error_has_the_numbers_up_to_a_message_that_is_kept_unread() {
    // r {} r { r {} r { n: broken } }
    let bytes = b"\x32\x00\x32\x08\x32\x00\x32\x04\x28\xff\xff\xff";
    for (most_tables, path) in [(1, "r[1].r.n"), (2, "r[1].r[1].n"), (3, "r[1].r[1].n")] {
        let error = decode(&plan(), bytes.as_slice().into(), Options { most_tables, ..Options::DEFAULT }).unwrap_err();
        assert_eq!((error.path(), error.offset()), (path, 9), "{most_tables}");
    }
}

#[test]
fn what_was_changed_since_it_was_checked_stands_for_an_empty_message() {
    let mut messages = Texts::default();
    for message in [b"\x28\x07".as_slice(), b"\x28", b"\x28\x08", b"\x28\x01\x0a\x05", b"\x28\x09"] {
        messages.push(message, 5);
    }
    let later = Later { plan: plan(), options: Options::DEFAULT };
    let table = later.decode(0, &messages.into_column(false), Validity::All);
    let Data::Numbers(numbers) = &table.column(5).data else { panic!("numbers") };
    assert_eq!(numbers.values.as_slice::<i64>(), [7, 0, 8, 0, 9]);
}

#[test]
fn what_is_replaced_is_checked_as_all_else_is() {
    let plan = plan();
    let often = b"\x18\x01\x22\x00".repeat(4);
    let refuse = |options: Options, message: &[u8]| {
        let bytes = [&often, message].concat();
        let mut decoder = Decoder::new(&plan, options, batch(&plan, options, Vec::new()));
        let error = decoder.push_all(std::iter::once((bytes.as_slice().into(), 0..bytes.len())), 0).unwrap_err();
        (error.kind().name(), error.offset() - often.len(), error.path().to_owned())
    };
    // a {} d {}, no level of which may be open.
    let shallow = Options { depth_limit: 0, ..Options::DEFAULT };
    assert_eq!(refuse(shallow, b"\x12\x00\x3a\x00"), ("too deep", 0, "a".into()));
    // c: "\xff" b: 1, and r {} r { a { r {} r { r { n: broken } } } b: 1 }.
    assert_eq!(refuse(Options::DEFAULT, b"\x22\x01\xff\x18\x01"), ("invalid utf-8", 2, "c".into()));
    let nested = b"\x32\x00\x32\x0d\x12\x09\x32\x00\x32\x05\x32\x03\x28\xff\xff\x18\x01";
    assert_eq!(refuse(Options::DEFAULT, nested), ("truncated", 13, "r[1].a.r[1].r[0].n".into()));
    assert_eq!(
        refuse(Options::DEFAULT, &[&b"\x18\x01\x22\x00".repeat(2), nested.as_slice()].concat()).2,
        "r[1].a.r[1].r[0].n"
    );
}

#[test]
fn that_a_view_cannot_be_had_is_said_of_what_is_replaced_too() {
    let (plan, options) = (plan(), Options { views: Views::Always, ..Options::DEFAULT });
    let bytes = [&b"\x12\x00\x3a\x00".repeat(5)[..], b"\x12\x02\x28\x01\x3a\x00"].concat();
    let mut decoder = Decoder::new(&plan, options, batch(&plan, options, Vec::new()));
    let messages = std::iter::once((bytes.as_slice().into(), 0..bytes.len()));
    assert_eq!(decoder.push_all(messages, 0).unwrap_err().kind().name(), "no view");
}

/// How many columns a batch has made of a message.
fn columns_made(plan: &Plan, message: &[u8]) -> usize {
    let options = Options::DEFAULT;
    let mut decoder = Decoder::new(plan, options, batch(plan, options, Vec::new()));
    decoder.push_all(std::iter::once((message.into(), 0..message.len())), message.len()).unwrap();
    decoder.into_batch().0.columns_made()
}

#[test]
fn members_that_are_replaced_are_not_written_once_that_has_happened_often() {
    // b: 1, c: "", four times, which makes columns of both and of the oneof.
    let often = b"\x18\x01\x22\x00".repeat(4);
    let plan = plan();
    assert_eq!(columns_made(&plan, &often), 3);
    let behind = |members: &[u8]| columns_made(&plan, &[&often, members].concat());
    // a { n: 1 } right before another member, and before one behind other fields: those of n and b are known.
    assert_eq!(behind(b"\x12\x02\x28\x01\x18\x01"), 3);
    let long = [b"\x12\x0a".as_slice(), &b"\x28\x01".repeat(5)].concat();
    assert_eq!(behind(&[&long, b"\x28\x01\x28\x01\x18\x01".as_slice()].concat()), 4);
    // The last one is written, and so is one whose follower is of the same field, or too far away.
    assert_eq!(behind(b"\x12\x02\x28\x01"), 5);
    assert_eq!(behind(&[&long, long.as_slice()].concat()), 5);
    assert_eq!(behind(&[&long, &b"\x28\x01".repeat(20)[..], b"\x18\x01"].concat()), 6);
}

#[test]
fn groups_that_are_replaced_are_not_written_where_they_hold_numbers_and_strings() {
    let plan = plan_of(
        r#"
        syntax = "proto2";
        message M {
          oneof o { int64 b = 3; string c = 4; group G = 8 { optional int64 n = 1; repeated string s = 2; optional M m = 3; } }
        }
        "#,
    );
    let often = b"\x18\x01\x22\x00".repeat(4);
    let behind = |members: &[u8]| columns_made(&plan, &[&often, members].concat());
    // g { n: 1 s: "x" } b: 1
    assert_eq!(behind(b"\x43\x08\x01\x12\x01x\x44\x18\x01"), 3);
    // With a message in it, and as the last member.
    assert_eq!(behind(b"\x43\x08\x01\x1a\x00\x44\x18\x01"), 6);
    assert_eq!(behind(b"\x43\x08\x01\x44"), 5);
}

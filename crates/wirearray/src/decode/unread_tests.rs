use std::sync::Arc;

use super::*;
use crate::column::{Data, Texts};
use crate::decode::decode;
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

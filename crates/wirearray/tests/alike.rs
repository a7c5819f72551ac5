//! Messages that look alike are read in blocks; a fault in one of them is found as if it had been read alone.

use std::sync::Arc;

use wirearray::column::Table;
use wirearray::decode::{self, Input, Options};
use wirearray::plan::Plan;
use wirearray::{DecodeError, schema};

const ROWS: &str = "syntax = \"proto3\"; message Rows { repeated Row rows = 1; } message Row { int64 id = 1; \
     repeated sint32 steps = 2; repeated double levels = 3; string name = 40; bool flag = 5; fixed32 key = 6; }";

/// More than two blocks.
const COUNT: usize = 200;

fn plan(message: &str) -> Plan {
    let schema = schema::Schema::from_descriptor_set(&schema::compile_source("m.proto", ROWS, &[]).unwrap()).unwrap();
    let message = schema.message_id(message).unwrap();
    Plan::new(Arc::new(schema), message)
}

/// The fields of a row.
type Parts = [Vec<u8>; 6];

/// What makes a row another one.
type Change = fn(&mut Parts);

/// A row, whose parts are as `change` leaves them.
fn row(number: usize, change: impl Fn(&mut Parts)) -> Vec<u8> {
    let steps: Vec<u8> = (0..number % 40).flat_map(|step| [0x80 | step as u8, 1]).collect();
    let mut parts = [
        vec![0x08, 0x80 | number as u8, 0x01],
        [vec![0x12, steps.len() as u8], steps].concat(),
        [vec![0x1a, 16], vec![number as u8; 16]].concat(),
        [vec![0xc2, 0x02, 4], b"name".to_vec()].concat(),
        vec![0x28, 1],
        vec![0x35, 1, 2, 3, 4],
    ];
    change(&mut parts);
    parts.concat()
}

fn decode_rows(rows: &[Vec<u8>]) -> Result<Table, DecodeError> {
    let total_len = rows.iter().map(Vec::len).sum();
    let inputs = rows.iter().map(|row| (Input::from(row.as_slice()), 0..row.len()));
    decode::decode_many(&plan("Row"), inputs, total_len, Options::DEFAULT)
}

#[test]
fn a_fault_in_any_of_them_is_found_in_its_row_and_at_its_byte() {
    let faults: [(&str, Change); 7] = [
        ("a varint that is too long", |parts| parts[0] = [vec![0x08], vec![0xff; 11]].concat()),
        ("one within a packed run", |parts| parts[1] = [vec![0x12, 15], vec![0xff; 14], vec![1]].concat()),
        ("a packed run that ends within a varint", |parts| parts[1] = vec![0x12, 3, 1, 1, 0x80]),
        ("a packed run of half a number", |parts| parts[2] = [vec![0x1a, 12], vec![0; 12]].concat()),
        ("text that is none", |parts| parts[3] = vec![0xc2, 0x02, 3, b'a', 0xff, b'b']),
        ("a value that is cut", |parts| parts[5] = vec![0x35, 1, 2]),
        ("a tag that is none", |parts| parts[4] = vec![0x07]),
    ];
    let plan = plan("Row");
    for (name, fault) in faults {
        for place in [0, 1, 2, 3, 62, 63, 64, 65, 66, 127, 128, 129, 130, COUNT - 1] {
            let rows: Vec<Vec<u8>> = (0..COUNT)
                .map(|number| if number == place { row(number, fault) } else { row(number, |_| ()) })
                .collect();
            let found = decode_rows(&rows).unwrap_err();
            let alone = decode::decode(&plan, rows[place].as_slice().into(), Options::DEFAULT).unwrap_err();
            assert_eq!(found.row(), Some(place), "{name}");
            assert_eq!((found.kind(), found.offset()), (alone.kind(), alone.offset()), "{name} in row {place}");
            assert_eq!(found.path(), alone.path(), "{name} in row {place}");
        }
    }
}

#[test]
fn rows_within_a_message_are_those_of_many_messages() {
    // Others among them, with a field twice, in another order, one less, or an empty run.
    let others: [Change; 5] = [
        |parts| parts[4] = vec![0x28, 1, 0x28, 0],
        |parts| parts.swap(0, 5),
        |parts| parts[3] = vec![],
        |parts| parts[1] = vec![0x12, 0],
        |parts| parts[1] = vec![0x12, 0, 0x12, 1, 8],
    ];
    for (number, other) in others.into_iter().enumerate() {
        let rows: Vec<Vec<u8>> = (0..COUNT)
            .map(
                |row_number| {
                    if row_number % 71 == 5 + number { row(row_number, other) } else { row(row_number, |_| ()) }
                },
            )
            .collect();
        let message: Vec<u8> =
            rows.iter().flat_map(|row| [vec![0x0a, row.len() as u8], row.clone()].concat()).collect();
        assert!(rows.iter().all(|row| row.len() < 128), "lengths take one byte");
        let within = decode::decode(&plan("Rows"), message.as_slice().into(), Options::DEFAULT).unwrap();
        let wirearray::column::Data::List(list) = &within.column(0).data else { panic!("a list") };
        let wirearray::column::Data::Table(inner) = &list.values else { panic!("a table") };
        let many = decode_rows(&rows).unwrap();
        for column in 0..6 {
            assert_eq!(inner.column(column).data, many.column(column).data, "column {column}, kind {number}");
        }
        assert_eq!(list.offsets.as_slice(), [0, COUNT as i64]);
    }
}

//! What is handed out comes back, whatever way a consumer holds it meanwhile.

use std::sync::Arc;

use super::*;
use crate::column::{Column, Data, Dtype, Memory, NumberColumn, Table, Validity};
use crate::decode;
use crate::plan::Plan;
use crate::schema::{self, Schema};

fn plan(text: &str, message: &str) -> Plan {
    let descriptors = schema::compile_source("test.proto", text, &[]).unwrap();
    let schema = Arc::new(Schema::from_descriptor_set(&descriptors).unwrap());
    let message = schema.message_id(message).unwrap();
    Plan::new(schema, message)
}

fn sample() -> (Plan, Table) {
    let plan = plan(
        r#"syntax = "proto3"; message Row { int32 a = 1; optional string b = 2; repeated bool c = 3; repeated Row d = 4; }"#,
        "Row",
    );
    let messages = [b"\x08\x05\x12\x01x".as_slice(), b"", b"\x1a\x03\x01\x00\x01\x22\x02\x08\x07"];
    let total_len = messages.iter().map(|message| message.len()).sum();
    let inputs = messages.iter().map(|&message| (message.into(), 0..message.len()));
    let table = decode::decode_many(&plan, inputs, total_len, decode::Options::default()).unwrap();
    (plan, table)
}

fn round_trip((field, array): (Field, Array)) -> Imported {
    import(&field.into(), array.into()).unwrap()
}

fn columns(imported: Imported) -> Vec<(String, Imported)> {
    let Values::Struct(columns) = imported.values else { panic!("a table is a struct") };
    columns
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let (plan, table) = sample();
    let columns = columns(round_trip(export_table(&plan, &table, Options::default(), Rows::Batch).unwrap()));
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    let Values::Numbers(Scalar::Int32, values) = &columns[0].1.values else { panic!("a is int32") };
    assert_eq!(values.as_slice::<u32>(), [5, 0, 0]);
    let Values::Strings(strings) = columns[1].1.values.clone() else { panic!("b is text") };
    let strings = strings.into_column(&columns[1].1.validity, true);
    assert_eq!((strings.get(0), strings.get(1)), (Some(&b"x"[..]), Some(&b""[..])));
    assert_eq!(columns[1].1.validity.flags(0..3).as_bytes(), [1, 0, 0]);
    let Values::List(offsets, bools) = &columns[2].1.values else { panic!("c is repeated") };
    assert_eq!(offsets.as_slice(), [0, 0, 0, 3]);
    let Values::Numbers(Scalar::Bool, bools) = &bools.values else { panic!("c is of bools") };
    assert_eq!(bools.as_bytes(), [1, 0, 1]);
}

#[test]
fn numbers_stay_where_they_are() {
    let (plan, table) = sample();
    let Data::Numbers(numbers) = &table.column(0).data else { panic!("a is numbers") };
    let columns = columns(round_trip(export_table(&plan, &table, Options::default(), Rows::Batch).unwrap()));
    let Values::Numbers(_, values) = &columns[0].1.values else { panic!("a is numbers") };
    assert_eq!(values.as_bytes().as_ptr(), numbers.values.as_bytes().as_ptr());
}

#[test]
fn a_stream_gives_its_array_and_ends() {
    let (plan, table) = sample();
    let (field, array) = export_table(&plan, &table, Options::default(), Rows::Batch).unwrap();
    let mut stream = ArrowArrayStream::of_one(field, array);
    assert!(stream.schema().is_ok());
    assert!(stream.next_array().unwrap().is_some());
    assert!(stream.next_array().unwrap().is_none());
    let (field, array) = export_table(&plan, &table, Options::default(), Rows::Batch).unwrap();
    assert_eq!(ArrowArrayStream::of_one(field, array).read().unwrap()[0].len, 3);
}

#[test]
fn a_stream_makes_arrays_as_they_are_asked_for_and_ends_behind_an_error() {
    let (plan, table) = sample();
    let (field, array) = export_table(&plan, &table, Options::default(), Rows::Batch).unwrap();
    let (_, behind) = export_table(&plan, &table, Options::default(), Rows::Batch).unwrap();
    let error = GiveError { number: 22, text: "no more\0of this".to_owned() };
    let given = vec![Ok(array), Err(error), Ok(behind)];
    let mut stream = ArrowArrayStream::of(field, Box::new(given.into_iter()));
    assert!(stream.next_array().unwrap().is_some());
    assert_eq!(stream.next_array().err().as_deref(), Some("no more of this"));
    assert!(stream.next_array().unwrap().is_none());
}

#[test]
fn a_panic_does_not_reach_the_consumer() {
    let (plan, table) = sample();
    let (field, _) = export_table(&plan, &table, Options::default(), Rows::Batch).unwrap();
    let arrays = std::iter::from_fn(|| panic!("a fault of the producer's"));
    let mut stream = ArrowArrayStream::of(field, Box::new(arrays));
    assert_eq!(stream.next_array().err().as_deref(), Some("a fault of the producer's"));
    assert!(stream.next_array().unwrap().is_none());
}

#[test]
fn tables_of_one_type_refuse_messages_deeper_than_it() {
    let (plan, table) = sample();
    let options = Options { depth: Depth::OfType, ..Options::default() };
    let refused = export_table(&plan, &table, options, Rows::Batch).unwrap_err();
    assert_eq!(refused, ExportError::Deeper { path: "d".to_owned() });
    let (field, array) = export_table(&plan, &table.slice(0..2), options, Rows::Batch).unwrap();
    assert_eq!(field, message_field(&plan, options).unwrap());
    let names: Vec<String> = columns(round_trip((field, array))).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn memory_is_released_with_the_last_that_shows_it() {
    let owner: crate::column::Owner = Arc::new(vec![0u8; 16]);
    let numbers = |memory| Data::Numbers(NumberColumn { dtype: Dtype::Int64, values: memory });
    let data = numbers(Memory::lent(Arc::clone(&owner)));
    let (plan, _) = sample();
    let imported = round_trip(export_column(&plan, &data, Options::default()).unwrap());
    drop(data);
    assert_eq!(Arc::strong_count(&owner), 2);
    drop(imported);
    assert_eq!(Arc::strong_count(&owner), 1);
    let (field, array) = export_column(&plan, &numbers(Memory::lent(Arc::clone(&owner))), Options::default()).unwrap();
    let stream = ArrowArrayStream::of_one(field, array);
    assert_eq!(Arc::strong_count(&owner), 2);
    drop(stream);
    assert_eq!(Arc::strong_count(&owner), 1);
}

#[test]
fn rows_that_are_no_message_are_nulls_of_the_struct_or_of_its_columns() {
    let (plan, _) = sample();
    let validity = || Validity::Flags([1u8, 0].into_iter().collect::<crate::column::Buffer<u8>>().freeze());
    let values = [7u32, 8].into_iter().collect::<crate::column::Buffer<u32>>().freeze();
    let column = Column { data: Data::Numbers(NumberColumn { dtype: Dtype::Int32, values }), validity: Validity::All };
    let table = plan.assemble(0, 2, validity(), vec![Some(column), None, None, None]).unwrap();
    let as_struct = round_trip(export_table(&plan, &table, Options::default(), Rows::Struct).unwrap());
    assert_eq!(as_struct.validity.flags(0..2).as_bytes(), [1, 0]);
    let as_batch = round_trip(export_table(&plan, &table, Options::default(), Rows::Batch).unwrap());
    assert!(matches!(as_batch.validity, Validity::All));
    assert_eq!(columns(as_batch)[0].1.validity.flags(0..2).as_bytes(), [1, 0]);
}

#[test]
fn columns_are_joined_in_their_order() {
    let (plan, table) = sample();
    let part = |rows: std::ops::Range<usize>| {
        round_trip(export_table(&plan, &table.slice(rows), Options::default(), Rows::Batch).unwrap())
    };
    // The types go as deep as the data, so parts of other rows have other columns.
    let joined = Imported::join(vec![part(0..1), part(1..2), part(0..2)]).unwrap().unwrap();
    assert_eq!(joined.len, 4);
    let columns = columns(joined);
    let Values::Numbers(_, values) = &columns[0].1.values else { panic!("a is numbers") };
    assert_eq!(values.as_slice::<u32>(), [5, 0, 5, 0]);
    assert_eq!(columns[1].1.validity.flags(0..4).as_bytes(), [1, 0, 1, 0]);
    assert!(Imported::join(Vec::new()).unwrap().is_none());
}

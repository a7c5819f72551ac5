//! A decoded row as the value that a case file would write for it: the fields that are set, and nothing else.
//!
//! A number that TOML cannot hold becomes text: minus zero, the bits of a NaN, integers from 2^63 on. So do bytes, as
//! `hex:00ff`. The unknown fields of a row, where they were kept, stand under a name that no field has.

use toml::{Table as Shown, Value};
use wirearray::column::{Cardinality, Column, Data, Dtype, NumberColumn, StringColumn, Table};
use wirearray::plan::Plan;

/// The name under which unknown fields are shown.
pub(crate) const UNKNOWN: &str = "?";

/// The fields that `row` has set.
pub(crate) fn show_row(plan: &Plan, table: &Table, row: usize) -> Shown {
    let message = plan.message(table.number());
    let layouts = &plan.layout().tables[table.number()].columns;
    let mut shown = Shown::new();
    for (index, layout) in layouts.iter().enumerate() {
        // An entry of a map has both of its parts, whether or not they came.
        let column = match table.column_if_made(index) {
            None if !message.is_map_entry => continue,
            _ => table.column(index),
        };
        if message.is_map_entry || is_set(column, layout.cardinality, row) {
            shown.insert(plan.column_name(table.number(), index).to_owned(), show_entry(plan, column, row));
        }
    }
    check_oneofs(plan, table, row, &shown);
    let unknown = table.unknown().map_or(&[][..], |unknown| unknown.get(row).unwrap());
    if !unknown.is_empty() {
        shown.insert(UNKNOWN.to_owned(), show_bytes(unknown));
    }
    shown
}

/// What a column holds in `row`, set or not.
pub(crate) fn show_entry(plan: &Plan, column: &Column, row: usize) -> Value {
    show_value(plan, &column.data, row)
}

fn is_set(column: &Column, cardinality: Cardinality, row: usize) -> bool {
    match (cardinality, &column.data) {
        (Cardinality::Explicit, _) => column.validity.is_set(row),
        (_, Data::List(list)) => !list.offsets.range(row).unwrap().is_empty(),
        (_, Data::Numbers(numbers)) => numbers.get(row).unwrap().iter().any(|&byte| byte != 0),
        (_, Data::Strings(strings)) => !strings.get(row).unwrap().is_empty(),
        (_, Data::Table(_)) => unreachable!("only an entry of a map has a message without presence"),
    }
}

fn show_value(plan: &Plan, data: &Data, entry: usize) -> Value {
    match data {
        Data::Numbers(numbers) => show_number(numbers, entry),
        Data::Strings(strings) => show_string(strings, entry),
        Data::Table(table) => Value::Table(show_row(plan, table, entry)),
        Data::List(list) => {
            let entries = list.offsets.range(entry).unwrap();
            Value::Array(entries.map(|entry| show_value(plan, &list.values, entry)).collect())
        }
    }
}

fn show_number(numbers: &NumberColumn, entry: usize) -> Value {
    let bytes = numbers.get(entry).unwrap();
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let bits = u64::from_le_bytes(wide);
    match numbers.dtype {
        Dtype::Bool if bits <= 1 => Value::Boolean(bits == 1),
        Dtype::Bool => panic!("a bool of {bits}, which no array may hold"),
        Dtype::Int32 => Value::Integer(i64::from((bits as u32).cast_signed())),
        Dtype::Uint32 => Value::Integer(i64::from(bits as u32)),
        Dtype::Int64 => Value::Integer(bits.cast_signed()),
        Dtype::Uint64 => i64::try_from(bits).map_or_else(|_| Value::String(format!("{bits:#018x}")), Value::Integer),
        Dtype::Float32 => show_float(f64::from(f32::from_bits(bits as u32)), format!("bits:{bits:#010x}")),
        Dtype::Float64 => show_float(f64::from_bits(bits), format!("bits:{bits:#018x}")),
    }
}

fn show_float(value: f64, bits: String) -> Value {
    match value {
        _ if value.is_nan() => Value::String(bits),
        0.0 if value.is_sign_negative() => Value::String("-0.0".to_owned()),
        _ => Value::Float(value),
    }
}

/// Text that is not UTF-8, which proto2 lets pass, is shown as bytes.
fn show_string(strings: &StringColumn, entry: usize) -> Value {
    let bytes = strings.get(entry).unwrap();
    match std::str::from_utf8(bytes) {
        Ok(text) if strings.is_text => Value::String(text.to_owned()),
        _ => show_bytes(bytes),
    }
}

fn show_bytes(bytes: &[u8]) -> Value {
    Value::String(bytes.iter().fold("hex:".to_owned(), |text, byte| format!("{text}{byte:02x}")))
}

/// Of the members of a oneof, the one that its number names is set, and no other.
fn check_oneofs(plan: &Plan, table: &Table, row: usize, shown: &Shown) {
    let message = plan.message(table.number());
    for (place, &oneof) in message.oneofs.iter().enumerate() {
        let numbers = table.oneof(place);
        let set = numbers.get(row).map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().unwrap()));
        let members = &plan.schema().message(message.message).oneofs[oneof].fields;
        for (column, field) in message.fields.iter().enumerate().filter(|(_, field)| members.contains(&field.field)) {
            let name = plan.column_name(table.number(), column);
            assert_eq!(shown.contains_key(name), set == field.number, "oneof {place} names field {set}, and {name}?");
        }
    }
}

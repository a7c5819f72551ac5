//! A tree of values to columns, one column after the other.

use std::sync::Arc;

use super::{Message, Unknown, Value};
use crate::column::{
    Buffer, Cardinality, Column, Data, Dtype, Item, List, Memory, NumberColumn, Offsets, StringColumn, Table, Validity,
};
use crate::plan::{MessagePlan, Plan};

/// The table in number `number` of the plan's layout, a row for each message.
pub(super) fn table(plan: &Plan, number: usize, rows: &[Option<&Message>], keep_unknown: bool) -> Table {
    let message = plan.message(number);
    let columns = message.fields.iter().zip(&plan.layout().tables[number].columns).map(|(field, column)| {
        let values: Vec<&[Value]> = rows.iter().map(|row| values_of(*row, field.number)).collect();
        if values.iter().all(|values| values.is_empty()) {
            return None;
        }
        if column.cardinality.is_repeated() {
            let all = values.iter().flat_map(|values| values.iter().map(Some)).collect();
            let offsets = Offsets::of_lens(values.iter().map(|values| values.len()));
            let list = List { offsets, values: data(plan, &column.item, all, keep_unknown) };
            return Some(Column { data: Data::List(Arc::new(list)), validity: Validity::All });
        }
        let first: Vec<Option<&Value>> = values.iter().map(|values| values.first()).collect();
        if column.cardinality == Cardinality::Explicit {
            let validity = validity(first.iter().map(Option::is_some));
            return Some(Column { data: data(plan, &column.item, first, keep_unknown), validity });
        }
        // A message that an entry of a map lacks is not absent but empty.
        let empty = Value::Message(Message::default());
        let filled = match column.item {
            Item::Table(_) => first.into_iter().map(|value| value.or(Some(&empty))).collect(),
            _ => first,
        };
        Some(Column { data: data(plan, &column.item, filled, keep_unknown), validity: Validity::All })
    });
    let schema = plan.schema().message(message.message);
    let oneofs = message.oneofs.iter().map(|&oneof| {
        let members = || schema.oneofs[oneof].fields.iter().map(|&field| schema.fields[field].number);
        let set = |row: &Option<&Message>| members().find(|&number| !values_of(*row, number).is_empty());
        rows.iter().map(|row| set(row).unwrap_or(0)).collect::<Buffer<u32>>().freeze()
    });
    let validity = validity(rows.iter().map(Option::is_some));
    let columns = columns.enumerate().filter_map(|(place, column)| Some((place, column?)));
    let table = Table::new(plan.layout().clone(), number, rows.len(), validity, columns, oneofs.enumerate().collect());
    table.with_unknown(keep_unknown.then(|| unknown(message, rows)))
}

/// The bytes that belong to no value, of each row. Those that would be the value of a field are kept with that field.
fn unknown(plan: &MessagePlan, rows: &[Option<&Message>]) -> StringColumn {
    let is_kept = |unknown: &&Unknown| unknown.of.is_none_or(|of| plan.fields.iter().any(|field| field.number == of));
    let all = |row: &Message| row.unknown.iter().filter(is_kept).flat_map(|unknown| unknown.bytes.clone()).collect();
    strings(false, &rows.iter().map(|row| row.map_or(Vec::new(), all)).collect::<Vec<_>>())
}

fn values_of(row: Option<&Message>, number: u32) -> &[Value] {
    row.and_then(|message| message.fields.get(&number)).map_or(&[], Vec::as_slice)
}

fn validity(flags: impl Iterator<Item = bool>) -> Validity {
    Validity::Flags(flags.map(u8::from).collect::<Buffer<u8>>().freeze())
}

/// The values of a column; `None` stands for the default.
fn data(plan: &Plan, item: &Item, values: Vec<Option<&Value>>, keep_unknown: bool) -> Data {
    match item {
        Item::Number { dtype, default } => {
            let bits = values.into_iter().map(|value| match value {
                Some(Value::Bits(bits)) => *bits,
                _ => *default,
            });
            Data::Numbers(NumberColumn { dtype: *dtype, values: numbers(*dtype, bits) })
        }
        Item::String { is_text, default } => {
            let values = values.into_iter().map(|value| match value {
                Some(Value::Bytes(bytes)) => bytes.clone(),
                _ => default.to_vec(),
            });
            Data::Strings(strings(*is_text, &values.collect::<Vec<_>>()))
        }
        Item::Table(number) => {
            let rows: Vec<Option<&Message>> = values
                .into_iter()
                .map(|value| match value {
                    Some(Value::Message(message)) => Some(message),
                    _ => None,
                })
                .collect();
            Data::Table(Arc::new(table(plan, *number, &rows, keep_unknown)))
        }
    }
}

fn strings(is_text: bool, strings: &[Vec<u8>]) -> StringColumn {
    let offsets = Offsets::of_lens(strings.iter().map(Vec::len));
    let data = strings.concat().into_iter().collect::<Buffer<u8>>().freeze();
    StringColumn { is_text, data, offsets }
}

fn numbers(dtype: Dtype, bits: impl Iterator<Item = u64>) -> Memory {
    match dtype.size() {
        8 => bits.collect::<Buffer<u64>>().freeze(),
        4 => bits.map(|bits| bits as u32).collect::<Buffer<u32>>().freeze(),
        _ => bits.map(|bits| bits as u8).collect::<Buffer<u8>>().freeze(),
    }
}

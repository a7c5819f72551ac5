//! Columns to take rows of, for tests.

use std::sync::Arc;

use super::{Buffer, Column, Data, List, NumberColumn, Offsets, StringColumn, Table, Validity};
use super::{Cardinality, ColumnLayout, Dtype, Item, Layout, TableLayout};

pub(super) fn numbers(values: &[u32]) -> Data {
    let values = values.iter().copied().collect::<Buffer<u32>>().freeze();
    Data::Numbers(NumberColumn { dtype: Dtype::Int32, values })
}

pub(super) fn strings(values: &[&str]) -> Data {
    let data = values.concat().bytes().collect::<Buffer<u8>>().freeze();
    let offsets = Offsets::of_lens(values.iter().map(|value| value.len()));
    Data::Strings(StringColumn { is_text: true, data, offsets })
}

pub(super) fn list(lens: &[usize], values: Data) -> List {
    List { offsets: Offsets::of_lens(lens.iter().copied()), values }
}

pub(super) fn entries(keys: Data, values: Data) -> Data {
    let item = Item::Number { dtype: Dtype::Int32, default: 0 };
    let column = || ColumnLayout { item: item.clone(), cardinality: Cardinality::Implicit };
    let layout =
        Layout { tables: vec![TableLayout { columns: vec![column(), column()], oneofs: 0, is_read_at_once: false }] };
    let rows = keys.len();
    let columns = [keys, values].map(|data| Column { data, validity: Validity::All });
    let columns = columns.into_iter().enumerate();
    Data::Table(Arc::new(Table::new(Arc::new(layout), 0, rows, Validity::All, columns, vec![])))
}

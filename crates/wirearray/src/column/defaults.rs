//! Columns whose field never came, full of defaults: made when someone asks for them.

use std::sync::Arc;

use super::buffer::{Buffer, Element};
use super::layout::{Cardinality, ColumnLayout, Dtype, Item, Layout};
use super::memory::Memory;
use super::offsets::Offsets;
use super::presence::Validity;
use super::table::{Column, Data, NumberColumn, StringColumn, Table};

impl Table {
    /// A table without any value: every row holds the defaults.
    fn of_defaults(layout: &Arc<Layout>, number: usize, rows: usize, validity: Validity) -> Self {
        Self::new(Arc::clone(layout), number, rows, validity, [], Vec::new())
    }
}

impl Column {
    pub(super) fn of_defaults(layout: &Arc<Layout>, column: &ColumnLayout, rows: usize) -> Self {
        let validity = match column.cardinality {
            Cardinality::Repeated | Cardinality::Map => {
                return Self::list(zeros((rows + 1) * size_of::<i64>()), Data::empty(layout, &column.item));
            }
            Cardinality::Explicit => Validity::Nothing,
            Cardinality::Implicit => Validity::All,
        };
        Self { data: Data::of_defaults(layout, &column.item, rows, validity.clone()), validity }
    }
}

impl Column {
    /// Unread messages of a column that has none.
    pub(super) fn of_no_messages(column: &ColumnLayout, rows: usize) -> Self {
        Self::of_defaults(&Arc::default(), &ColumnLayout::of_bytes(column.cardinality), rows)
    }
}

impl Data {
    /// No entry of that sort.
    pub fn empty(layout: &Arc<Layout>, item: &Item) -> Self {
        Self::of_defaults(layout, item, 0, Validity::All)
    }

    fn of_defaults(layout: &Arc<Layout>, item: &Item, rows: usize, validity: Validity) -> Self {
        match item {
            Item::Number { dtype, default } => {
                Self::Numbers(NumberColumn { dtype: *dtype, values: filled(*dtype, *default, rows) })
            }
            Item::String { is_text, default } => Self::Strings(StringColumn::filled(*is_text, default, rows)),
            Item::Table(number) => Self::Table(Arc::new(Table::of_defaults(layout, *number, rows, validity))),
        }
    }
}

impl StringColumn {
    /// Bytes of which each entry is empty.
    pub fn of_empty_bytes(entries: usize) -> Self {
        Self::filled(false, &[], entries)
    }

    fn filled(is_text: bool, default: &[u8], rows: usize) -> Self {
        let data: Buffer<u8> = default.iter().copied().cycle().take(default.len() * rows).collect();
        let offsets = Offsets::of_lens((0..rows).map(|_| default.len()));
        Self { is_text, data: data.freeze(), offsets }
    }
}

fn filled(dtype: Dtype, default: u64, rows: usize) -> Memory {
    fn of<T: Element>(value: T, rows: usize) -> Memory {
        let mut buffer = Buffer::default();
        buffer.fill_to(rows, value, rows);
        buffer.freeze()
    }
    match dtype.size() {
        8 => of(default, rows),
        4 => of(default as u32, rows),
        _ => of(default as u8, rows),
    }
}

pub(super) fn zeros(len: usize) -> Memory {
    let mut buffer = Buffer::<u8>::default();
    buffer.fill_to(len, 0, len);
    buffer.freeze()
}

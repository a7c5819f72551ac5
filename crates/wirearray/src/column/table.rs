//! Finished columns: immutable, cheap to clone, shared by everything that shows them.
//!
//! A column whose field never came is not there until someone asks for it; it is made then, full of defaults.

use std::sync::{Arc, OnceLock};

use super::budget::Taken;
use super::buffer::Buffer;
use super::columns::Columns;
use super::defaults::zeros;
use super::layout::{ColumnLayout, Dtype, Item, Layout, TableLayout};
use super::memory::Memory;
use super::offsets::Offsets;
use super::presence::Validity;
use crate::stack::deeper;

/// A batch of rows: one column a field.
#[derive(Debug)]
pub struct Table {
    layout: Arc<Layout>,
    number: usize,
    rows: usize,
    validity: Validity,
    pub(super) columns: Columns,
    /// For each oneof the field number that each row has set, 0 for none; nothing where no row has set any.
    oneofs: Box<[(usize, Memory)]>,
    /// The fields of each row that the schema does not know, as they were written, where any were kept.
    unknown: Option<Box<StringColumn>>,
    /// The numbers that its rows are shown as, once they have been asked for.
    shown: OnceLock<Box<NumberColumn>>,
    /// Levels of tables within it that it was made with.
    pub(super) height: u32,
    /// True where messages in it, or in tables within it, came unread.
    pub(super) holds_unread: bool,
    /// What it and all tables within it have taken from a budget, but for their values, where it was the outermost of a batch.
    taken: Option<Box<Taken>>,
}

/// A field's values, one entry a row.
#[derive(Debug, Clone)]
pub struct Column {
    /// The values.
    pub data: Data,
    /// Which rows have a value of their own.
    pub validity: Validity,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// One number an entry.
    Numbers(NumberColumn),
    /// One string an entry.
    Strings(StringColumn),
    /// One row of a table an entry.
    Table(Arc<Table>),
    /// Any number of values an entry.
    List(Arc<List>),
}

/// Numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberColumn {
    /// The type of each.
    pub dtype: Dtype,
    /// Their bytes in native order.
    pub values: Memory,
}

/// Strings: entry `i` is `data[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct StringColumn {
    /// True for text, false for bytes.
    pub is_text: bool,
    /// The strings, one after the other.
    pub data: Memory,
    /// Where each starts and ends.
    pub offsets: Offsets,
}

/// Values of which entry `i` has numbers `offsets[i]..offsets[i + 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// Where each entry's values start and end.
    pub offsets: Offsets,
    /// The values of all entries.
    pub values: Data,
}

impl Table {
    /// A table of the columns that came, each with its place, in the order of their places, and of the oneofs' numbers, of
    /// which there are none where no row has set any.
    pub(crate) fn new(
        layout: Arc<Layout>,
        number: usize,
        rows: usize,
        validity: Validity,
        columns: impl IntoIterator<Item = (usize, Column)>,
        oneofs: Vec<(usize, Memory)>,
    ) -> Self {
        let columns = Columns::new(layout.tables[number].columns.len(), columns);
        let height = columns.came_read().filter_map(|(_, column)| Some(column.data.table()?.height + 1)).max();
        let (oneofs, height) = (oneofs.into(), height.unwrap_or(0));
        let holds_unread =
            columns.came_read().any(|(_, column)| column.data.table().is_some_and(|table| table.holds_unread));
        let shown = OnceLock::new();
        let (unknown, taken) = (None, None);
        Self { layout, number, rows, validity, columns, oneofs, unknown, shown, height, holds_unread, taken }
    }

    /// The same table, for which so much was taken from a budget as long as it is there.
    #[must_use]
    pub(super) fn with_taken(mut self, taken: Taken) -> Self {
        self.taken = Some(Box::new(taken));
        self
    }

    /// The same table with the fields of each row that the schema does not know.
    #[must_use]
    pub(crate) fn with_unknown(mut self, unknown: Option<StringColumn>) -> Self {
        // Rows that had some may be gone again. A table of which nothing was kept is the same however that came about.
        self.unknown = unknown.filter(|unknown| !unknown.data.as_bytes().is_empty()).map(Box::new);
        self
    }

    /// The same table with other numbers of the members of oneofs that are set, as many as there are rows.
    #[must_use]
    pub(crate) fn with_oneofs(mut self, oneofs: Vec<(usize, Memory)>) -> Self {
        self.oneofs = oneofs.into();
        self
    }

    /// The table's number in its layout.
    pub fn number(&self) -> usize {
        self.number
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Levels of tables within it. Those of defaults alone, which are made when they are asked for, do not count.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Which rows stand for a message that was there.
    pub fn validity(&self) -> &Validity {
        &self.validity
    }

    /// The column in place `index`.
    ///
    /// # Panics
    ///
    /// Panics where the layout has no such column.
    pub fn column(&self, index: usize) -> &Column {
        let make = || Column::of_defaults(&self.layout, &self.layout().columns[index], self.rows);
        self.columns.get_or_make(index, make)
    }

    /// The numbers that the places of columns lead to from this table on, with all that repeated fields on the way hold.
    pub fn numbers_at(&self, places: &[u16]) -> Option<&NumberColumn> {
        let (&place, rest) = places.split_first()?;
        let mut data = &self.column(usize::from(place)).data;
        loop {
            match data {
                Data::List(list) => data = &list.values,
                Data::Table(table) => return table.numbers_at(rest),
                Data::Numbers(numbers) => return Some(numbers),
                Data::Strings(_) => return None,
            }
        }
    }

    /// The numbers that its rows are shown as, one each, which `make` makes of its columns where they have not been made.
    pub fn shown_numbers<E>(&self, make: impl FnOnce() -> Result<NumberColumn, E>) -> Result<&NumberColumn, E> {
        if let Some(shown) = self.shown.get() {
            return Ok(shown);
        }
        let made = Box::new(make()?);
        Ok(self.shown.get_or_init(|| made))
    }

    /// The column in place `index`, if it has been made: because a value of it came, or because it was asked for. Messages that are
    /// kept unread are read for it.
    pub fn column_if_made(&self, index: usize) -> Option<&Column> {
        self.columns.get(index)
    }

    /// The places of the columns that have been made, or that came as messages which are kept unread, in no order.
    pub fn places_made(&self) -> impl Iterator<Item = usize> {
        self.columns.places()
    }

    /// The columns that came, with their places, but for those that hold no message and no value. Messages that are kept unread
    /// are read for it.
    pub fn columns_with_values(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.came().filter(|(_, column)| column.has_values())
    }

    /// The same but for messages that came unread.
    pub(super) fn read_columns_with_values(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.came_read().filter(|(_, column)| column.has_values())
    }

    /// For the oneof in place `index` the field number that each row has set, as `i32`; 0 for none.
    pub fn oneof(&self, index: usize) -> NumberColumn {
        let found = self.oneofs.binary_search_by_key(&index, |oneof| oneof.0);
        let values = found.map_or_else(|_| zeros(self.rows * size_of::<u32>()), |place| self.oneofs[place].1.clone());
        NumberColumn { dtype: Dtype::Int32, values }
    }

    /// The same for all oneofs, each changed in the same way; none where no row has set any.
    pub(super) fn map_oneofs(&self, change: impl Fn(NumberColumn) -> NumberColumn) -> Vec<(usize, Memory)> {
        self.oneofs_set().map(|index| (index, change(self.oneof(index)).values)).collect()
    }

    /// The places of the oneofs of which some row has, or had, a member set.
    pub(super) fn oneofs_set(&self) -> impl Iterator<Item = usize> {
        self.oneofs.iter().map(|oneof| oneof.0)
    }

    /// The fields of each row that the schema does not know, as they were written, one after the other; nothing where none
    /// were kept.
    pub fn unknown(&self) -> Option<&StringColumn> {
        self.unknown.as_deref()
    }

    pub(super) fn layout(&self) -> &TableLayout {
        &self.layout.tables[self.number]
    }

    pub(super) fn shared_layout(&self) -> &Arc<Layout> {
        &self.layout
    }
}

/// Tables within tables are taken apart in a list, not on the call stack: asking a recursive type for the column of its own
/// type, over and over, nests them as deeply as one likes.
impl Drop for Table {
    fn drop(&mut self) {
        let mut open = Vec::new();
        take_tables(&mut self.columns, &mut open);
        while let Some(table) = open.pop() {
            // A table that someone else still shows is taken apart by them.
            if let Some(mut table) = Arc::into_inner(table) {
                take_tables(&mut table.columns, &mut open);
            }
        }
    }
}

fn take_tables(columns: &mut Columns, open: &mut Vec<Arc<Table>>) {
    let data = columns.take().map(|column| column.data);
    // The values of a list are no list themselves: the language has no repeated repeated fields.
    let values = data.filter_map(|data| match data {
        Data::List(list) => Arc::into_inner(list).map(|list| list.values),
        other => Some(other),
    });
    open.extend(values.filter_map(|data| match data {
        Data::Table(table) => Some(table),
        _ => None,
    }));
}

/// Tables are equal where every row has the same values, bit for bit, whether or not a value came for a default.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        let same_validity = |a: &Validity, b: &Validity| (0..self.rows).all(|row| a.is_set(row) == b.is_set(row));
        let same_column = |index| {
            let (mine, others): (&Column, &Column) = (self.column(index), other.column(index));
            deeper(|| mine.data == others.data) && same_validity(&mine.validity, &others.validity)
        };
        // A column that came to neither table is the same in both, and for a recursive type has no end.
        let others = other.columns.came().filter(|(index, _)| self.columns.find(*index).is_none());
        let came = self.columns.came().chain(others);
        self.number == other.number
            && self.rows == other.rows
            && same_validity(&self.validity, &other.validity)
            && self.oneofs_set().chain(other.oneofs_set()).all(|index| self.oneof(index) == other.oneof(index))
            && self.unknown == other.unknown
            && came.map(|(index, _)| index).all(same_column)
    }
}

impl Column {
    pub(super) fn list(offsets: Memory, values: Data) -> Self {
        Self { data: Data::List(Arc::new(List::new(offsets, values))), validity: Validity::All }
    }

    /// False where it holds no message and no value at all. Such a column is not walked into: those of a recursive type
    /// can be nested as deeply as someone has looked.
    pub fn has_values(&self) -> bool {
        match (&self.data, &self.validity) {
            (_, Validity::Nothing) => false,
            (Data::List(list), _) => !list.values.is_empty(),
            _ => true,
        }
    }
}

impl Data {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.values.len() / numbers.dtype.size(),
            Self::Strings(strings) => strings.offsets.len(),
            Self::Table(table) => table.rows(),
            Self::List(list) => list.offsets.len(),
        }
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The table that the values are rows of, also those of a list.
    fn table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            Self::List(list) => list.values.table(),
            _ => None,
        }
    }

    /// True where messages in it came unread, so that they may have to be decoded for who asks for them.
    pub fn holds_unread(&self) -> bool {
        self.table().is_some_and(|table| table.holds_unread)
    }

    /// The same values; numbers as a view, which is not written to.
    #[must_use]
    pub fn read_only(self) -> Self {
        match self {
            Self::Numbers(NumberColumn { dtype, values }) => {
                let len = values.len();
                Self::Numbers(NumberColumn { dtype, values: Memory::view(Arc::new(values), 0..len) })
            }
            other => other,
        }
    }

    /// True where every value is zero or empty.
    pub fn is_default(&self) -> bool {
        match self {
            Self::Numbers(numbers) => numbers.values.as_bytes().iter().all(|&byte| byte == 0),
            Self::Strings(strings) => strings.data.as_bytes().is_empty(),
            Self::Table(_) => false,
            Self::List(list) => list.values.is_empty(),
        }
    }
}

impl NumberColumn {
    pub(super) fn new(values: Memory, layout: &ColumnLayout) -> Self {
        match layout.item {
            Item::Number { dtype, .. } => Self { dtype, values },
            _ => unreachable!("a column of numbers is made for a number only"),
        }
    }

    /// The bytes of number `index`, if there are that many.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_mul(self.dtype.size())?;
        self.values.as_bytes().get(start..start.checked_add(self.dtype.size())?)
    }
}

impl StringColumn {
    pub(super) fn new(data: Memory, offsets: Memory, layout: &ColumnLayout) -> Self {
        match layout.item {
            Item::String { is_text, .. } => Self { is_text, data, offsets: Offsets::new(offsets) },
            _ => unreachable!("a column of strings is made for a string only"),
        }
    }

    /// String number `index`, if there are that many.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.data.as_bytes().get(self.offsets.range(index)?)
    }

    /// A flag for each string: whether it has these bytes.
    pub fn equal_to(&self, bytes: &[u8]) -> Memory {
        (0..self.offsets.len()).map(|entry| u8::from(self.get(entry) == Some(bytes))).collect::<Buffer<u8>>().freeze()
    }
}

impl List {
    pub(super) fn new(offsets: Memory, values: Data) -> Self {
        Self { offsets: Offsets::new(offsets), values }
    }
}

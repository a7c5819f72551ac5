//! Successive rows of finished columns, without a copy of their values.

use std::ops::Range;
use std::sync::Arc;

use super::offsets::Offsets;
use super::presence::Validity;
use super::table::{Column, Data, List, NumberColumn, StringColumn, Table};
use crate::stack::deeper;

impl Table {
    /// A table of successive rows.
    ///
    /// # Panics
    ///
    /// Panics where there are not that many.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows(), "the rows are in the table");
        let columns = self.read_columns_with_values().map(|(index, column)| (index, column.slice(rows.clone())));
        let unread = self.map_unread(|messages| messages.slice(rows.clone()));
        let oneofs = self.map_oneofs(|oneof| oneof.slice(rows.clone()));
        let (layout, validity) = (Arc::clone(self.shared_layout()), self.validity().slice(rows.clone()));
        Self::new(layout, self.number(), rows.len(), validity, columns, oneofs)
            .with_unread(unread)
            .with_unknown(self.unknown().map(|unknown| unknown.slice(rows)))
    }
}

impl Column {
    fn slice(&self, rows: Range<usize>) -> Self {
        Self { data: self.data.slice(rows.clone()), validity: self.validity.slice(rows) }
    }
}

impl Data {
    /// Successive entries.
    ///
    /// # Panics
    ///
    /// Panics where there are not that many.
    #[must_use]
    pub fn slice(&self, entries: Range<usize>) -> Self {
        if entries == (0..self.len()) {
            return self.clone();
        }
        match self {
            Self::Numbers(numbers) => Self::Numbers(numbers.slice(entries)),
            Self::Strings(strings) => Self::Strings(strings.slice(entries)),
            Self::Table(table) => Self::Table(Arc::new(deeper(|| table.slice(entries)))),
            Self::List(list) => Self::List(Arc::new(list.slice(entries))),
        }
    }
}

impl NumberColumn {
    fn slice(&self, entries: Range<usize>) -> Self {
        let size = self.dtype.size();
        Self { dtype: self.dtype, values: self.values.slice(entries.start * size..entries.end * size) }
    }
}

impl StringColumn {
    /// Successive strings.
    ///
    /// # Panics
    ///
    /// Panics where there are not that many.
    #[must_use]
    pub fn slice(&self, entries: Range<usize>) -> Self {
        let data = self.data.slice(range_of(&self.offsets, entries.clone()));
        Self { is_text: self.is_text, data, offsets: self.offsets.slice(entries) }
    }
}

impl List {
    fn slice(&self, entries: Range<usize>) -> Self {
        let values = self.values.slice(range_of(&self.offsets, entries.clone()));
        Self { offsets: self.offsets.slice(entries), values }
    }
}

impl Validity {
    fn slice(&self, rows: Range<usize>) -> Self {
        match self {
            Self::Flags(flags) => Self::Flags(flags.slice(rows)),
            other => other.clone(),
        }
    }
}

fn range_of(offsets: &Offsets, entries: Range<usize>) -> Range<usize> {
    offsets.range_of_all(entries).expect("the entries are in the column")
}

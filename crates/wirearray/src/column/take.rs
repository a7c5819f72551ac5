//! Some of the rows of finished columns, in any order.

use std::sync::Arc;

use super::buffer::{Buffer, Element};
use super::memory::Memory;
use super::offsets::Offsets;
use super::presence::Validity;
use super::table::{Column, Data, List, NumberColumn, StringColumn, Table};
use crate::stack::deeper;

impl Table {
    /// A table of the given rows.
    ///
    /// # Panics
    ///
    /// Panics where a row's number is not less than the number of rows.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let columns = self.read_columns_with_values().map(|(index, column)| (index, column.take(rows)));
        let oneofs = self.map_oneofs(|oneof| oneof.take(rows));
        let layout = Arc::clone(self.shared_layout());
        let taken = Self::new(layout, self.number(), rows.len(), self.validity().take(rows), columns, oneofs);
        taken
            .with_unread(self.map_unread(|messages| messages.take(rows)))
            .with_unknown(self.unknown().map(|unknown| unknown.take(rows)))
    }
}

impl Column {
    fn take(&self, rows: &[usize]) -> Self {
        Self { data: self.data.take(rows), validity: self.validity.take(rows) }
    }
}

impl Data {
    /// The given entries.
    ///
    /// # Panics
    ///
    /// Panics where an entry's number is not less than the number of entries.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numbers(numbers) => Self::Numbers(numbers.take(rows)),
            Self::Strings(strings) => Self::Strings(strings.take(rows)),
            Self::Table(table) => Self::Table(Arc::new(deeper(|| table.take(rows)))),
            Self::List(list) => Self::List(Arc::new(list.take(rows))),
        }
    }
}

impl NumberColumn {
    fn take(&self, rows: &[usize]) -> Self {
        let values = match self.dtype.size() {
            8 => take_elements::<u64>(&self.values, rows),
            4 => take_elements::<u32>(&self.values, rows),
            _ => take_elements::<u8>(&self.values, rows),
        };
        Self { dtype: self.dtype, values }
    }
}

impl StringColumn {
    fn take(&self, rows: &[usize]) -> Self {
        let strings = || rows.iter().map(|&row| self.get(row).expect("the row exists"));
        let offsets = Offsets::of_lens(strings().map(<[u8]>::len));
        let mut data = Buffer::<u8>::default();
        let mut len_left = offsets.as_slice().last().map_or(0, |&end| end.cast_unsigned() as usize);
        for string in strings() {
            data.extend_from_le_bytes(string, len_left);
            len_left -= string.len();
        }
        Self { is_text: self.is_text, data: data.freeze(), offsets }
    }
}

impl List {
    /// The given entries.
    ///
    /// # Panics
    ///
    /// Panics where an entry's number is not less than the number of entries.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let ranges = || rows.iter().map(|&row| self.offsets.range(row).expect("the row exists"));
        let values: Vec<usize> = ranges().flatten().collect();
        Self { offsets: Offsets::of_lens(ranges().map(|range| range.len())), values: self.values.take(&values) }
    }
}

impl Validity {
    fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Flags(flags) => Self::Flags(take_elements::<u8>(flags, rows)),
            other => other.clone(),
        }
    }
}

fn take_elements<T: Element>(values: &Memory, rows: &[usize]) -> Memory {
    let (bytes, size) = (values.as_bytes(), size_of::<T>());
    let mut rows = rows.iter();
    let mut taken = Buffer::default();
    taken.extend(rows.len(), rows.len(), || {
        let row = rows.next().copied().unwrap_or_default();
        // A view may be unaligned.
        bytemuck::pod_read_unaligned::<T>(&bytes[row * size..][..size])
    });
    taken.freeze()
}

#[cfg(test)]
#[path = "take_tests.rs"]
mod tests;

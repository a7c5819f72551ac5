//! Columns while rows are still coming.
//!
//! A column is written only where a row has a value. It catches up when the next value comes, filling the rows between
//! with the default, and once more when the batch is finished. So a row is never opened or closed, a field that does
//! not occur costs nothing, and undoing a row is cutting its columns back to the row before.

use std::ops::Range;

use super::batch::TableId;
use super::buffer::{Buffer, Element};
use super::memory::Memory;
use super::presence::{Presence, Validity};
use super::storage::LentMemory;

/// What is known of the room that a column may need: how many elements can still come, at the most.
pub type AtMost = usize;

/// Numbers, one a row.
#[derive(Debug)]
pub struct Numbers<T> {
    pub(super) values: Buffer<T>,
    pub(super) presence: Presence,
    pub(super) default: T,
}

impl<T: Element> Numbers<T> {
    pub(super) fn new(default: T, presence: Presence) -> Self {
        Self { values: Buffer::default(), presence, default }
    }

    /// Has the values written to memory that someone has lent; false where elements would not be aligned there.
    pub(super) fn lend(&mut self, memory: LentMemory) -> bool {
        Buffer::lent(memory).map(|values| self.values = values).is_some()
    }

    /// Sets the value of `row`, which is the last row or a later one.
    #[inline(always)]
    pub fn set(&mut self, row: usize, value: T, at_most: AtMost) {
        if row == self.values.len() && self.presence.is_gapless() {
            self.values.push(value, at_most);
        } else {
            self.set_elsewhere(row, value, at_most);
        }
    }

    /// Sets the values of successive rows from `row` on, each the image of one of `items`.
    #[inline]
    pub fn set_all<U>(&mut self, row: usize, items: &[U], image: impl Fn(&U) -> T, at_most: AtMost) {
        if row == self.values.len() && self.presence.is_gapless() {
            self.values.extend_with(items, image, at_most);
        } else {
            items.iter().zip(row..).for_each(|(item, row)| self.set_elsewhere(row, image(item), at_most));
        }
    }

    #[inline(never)]
    fn set_elsewhere(&mut self, row: usize, value: T, at_most: AtMost) {
        let len = self.values.len();
        if row < len {
            self.values.as_mut_slice()[row] = value;
        } else {
            self.presence.mark(len, row);
            self.values.fill_to(row, self.default, at_most.saturating_add(row - len));
            self.values.push(value, at_most);
        }
    }

    /// Sets the value of `row` as [`Numbers::set`] does; returns what that row had, where it had been reached.
    #[inline]
    pub(super) fn replace(&mut self, row: usize, value: T, at_most: AtMost) -> Option<T> {
        let former = self.values.as_mut_slice().get_mut(row).map(|former| std::mem::replace(former, value));
        if former.is_none() {
            self.set(row, value, at_most);
        }
        former
    }

    /// Forgets all rows from number `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.presence.truncate(rows);
    }

    /// The values of all `rows`, and which of them came.
    pub(super) fn finish(mut self, rows: usize) -> (Memory, Validity) {
        let validity = self.presence.finish(self.values.len(), rows);
        self.values.fill_to(rows, self.default, 0);
        (self.values.freeze(), validity)
    }
}

/// Where the values of each row start, in a column of many values a row.
#[derive(Debug, Default)]
pub struct Starts(pub(super) Buffer<i64>);

impl Starts {
    /// Makes `row` the last row; it starts at value number `len` unless values of it came before.
    #[inline(always)]
    pub(super) fn open(&mut self, row: usize, len: usize, at_most: AtMost) {
        if row == self.0.len() {
            self.0.push(len.cast_signed() as i64, at_most);
        } else if row > self.0.len() {
            self.fill_to(row + 1, len, at_most);
        }
    }

    #[inline(never)]
    fn fill_to(&mut self, rows: usize, len: usize, at_most: AtMost) {
        self.0.fill_to(rows, len.cast_signed() as i64, at_most);
    }

    /// The number of the first value of `row`, where that row has been reached.
    pub fn of(&self, row: usize) -> Option<usize> {
        self.0.as_slice().get(row).map(|&start| start.cast_unsigned() as usize)
    }

    /// Forgets all rows from number `rows` on; returns where their values start, if there are any.
    pub(super) fn truncate(&mut self, rows: usize) -> Option<usize> {
        let start = self.of(rows);
        self.0.truncate(rows);
        start
    }

    /// The offsets of `rows` rows with `len` values: one more than rows.
    pub(super) fn finish(mut self, rows: usize, len: usize) -> Memory {
        self.fill_to(rows, len, 1);
        self.0.push(len.cast_signed() as i64, 1);
        self.0.freeze()
    }
}

/// Numbers, any number of them a row.
#[derive(Debug)]
pub struct NumberLists<T> {
    pub(super) starts: Starts,
    pub(super) values: Buffer<T>,
    /// The bytes of the input that stand for the values, as long as there are no others.
    view: Option<Box<View>>,
}

/// A run of values that lies in the input.
#[derive(Clone)]
pub struct View {
    /// What keeps the input alive.
    pub owner: super::Owner,
    /// The bytes of the input.
    pub range: Range<usize>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bytes {:?} of the input", self.range)
    }
}

impl<T: Element> NumberLists<T> {
    pub(super) fn new() -> Self {
        Self { starts: Starts::default(), values: Buffer::default(), view: None }
    }

    /// Has the values written to memory that someone has lent; false where elements would not be aligned there.
    pub(super) fn lend(&mut self, memory: LentMemory) -> bool {
        Buffer::lent(memory).map(|values| self.values = values).is_some()
    }

    /// The values of `row`, to append to.
    #[inline(always)]
    pub fn open(&mut self, row: usize, at_most: AtMost) -> &mut Buffer<T> {
        if self.view.is_some() {
            self.copy_view(at_most);
        }
        self.starts.open(row, self.values.len(), at_most);
        &mut self.values
    }

    /// The values of the last row, to append to.
    pub fn values_mut(&mut self) -> &mut Buffer<T> {
        &mut self.values
    }

    /// Makes `row` the last row, of which the first value comes behind `ahead` others that are not there yet.
    #[inline(always)]
    pub fn open_ahead(&mut self, row: usize, ahead: usize, at_most: AtMost) {
        self.starts.open(row, self.values.len() + ahead, at_most);
    }

    /// Takes a run of the input in place of a copy, where it is the first; false where values have come before.
    pub fn try_view(&mut self, row: usize, view: View) -> bool {
        let is_first = self.values.is_empty() && self.view.is_none();
        if is_first {
            self.starts.open(row, 0, 1);
            self.view = Some(Box::new(view));
        }
        is_first
    }

    #[cold]
    fn copy_view(&mut self, at_most: AtMost) {
        if let Some(view) = self.view.take() {
            let bytes = Memory::view(view.owner, view.range);
            self.values.extend_from_le_bytes(bytes.as_bytes(), at_most);
        }
    }

    /// Forgets all rows from number `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        if let Some(start) = self.starts.truncate(rows) {
            self.values.truncate(start);
            // A view is the only run and its row the last, so it goes with that row.
            self.view = None;
        }
    }

    pub(super) fn finish(self, rows: usize) -> (Memory, Memory) {
        let (values, len) = match self.view {
            Some(view) => {
                let len = view.range.len() / size_of::<T>();
                (Memory::view(view.owner, view.range), len)
            }
            None => {
                let len = self.values.len();
                (self.values.freeze(), len)
            }
        };
        (self.starts.finish(rows, len), values)
    }
}

/// The rows of a table that belong to the rows of another: one each, or none.
#[derive(Debug)]
pub struct Rows {
    /// The table.
    pub table: TableId,
    pub(super) presence: Presence,
    pub(super) len: usize,
}

impl Rows {
    pub(super) fn new(table: TableId, presence: Presence) -> Self {
        Self { table, presence, len: 0 }
    }

    /// Notes that `row` has a row in the table.
    #[inline(always)]
    pub fn set(&mut self, row: usize) {
        if row >= self.len {
            self.presence.mark(self.len, row);
            self.len = row + 1;
        }
    }

    /// Forgets all rows from number `rows` on; true where there were any, without which the table has none either.
    pub(super) fn truncate(&mut self, rows: usize) -> bool {
        let has_more = self.len > rows;
        self.presence.truncate(rows);
        self.len = self.len.min(rows);
        has_more
    }

    pub(super) fn finish(self, rows: usize) -> Validity {
        self.presence.finish(self.len, rows)
    }
}

/// The rows of a table that belong to the rows of another: any number of them.
#[derive(Debug)]
pub struct RowLists {
    /// The table.
    pub table: TableId,
    /// Where the rows of each row start.
    pub starts: Starts,
    /// The rows that the table has.
    pub(super) rows: usize,
}

impl RowLists {
    pub(super) fn new(table: TableId) -> Self {
        Self { table, starts: Starts::default(), rows: 0 }
    }

    /// Adds a row to the table, which belongs to `row`; returns its number.
    #[inline(always)]
    pub(super) fn open(&mut self, row: usize, at_most: AtMost) -> usize {
        self.starts.open(row, self.rows, at_most);
        self.add(1)
    }

    /// Adds rows to the table, which belong to the last row; returns the number of the first.
    #[inline(always)]
    pub(super) fn add(&mut self, count: usize) -> usize {
        let new = self.rows;
        self.rows = new + count;
        new
    }

    pub(super) fn truncate(&mut self, rows: usize) -> Option<usize> {
        let start = self.starts.truncate(rows)?;
        self.rows = start;
        Some(start)
    }
}

#[cfg(test)]
#[path = "growing_tests.rs"]
mod tests;

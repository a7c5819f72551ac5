//! Columns while rows are still coming.
//!
//! A column is written only where a row has a value. It catches up when the next value comes, filling the rows between
//! with the default, and once more when the batch is finished; where those are many, they stay a gap. So a row is never
//! opened or closed, a field that does not occur costs nothing, and undoing a row is cutting its columns back to the row
//! before.

use std::ops::Range;

use super::batch::TableId;
use super::buffer::{Buffer, Element};
use super::gaps::{Gaps, Passed};
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
    pub(super) gaps: Gaps,
    /// True where they are written to memory that someone has lent, which shows every row.
    pub(super) are_lent: bool,
}

impl<T: Element> Numbers<T> {
    pub(super) fn new(default: T, presence: Presence) -> Self {
        Self { values: Buffer::default(), presence, default, gaps: Gaps::default(), are_lent: false }
    }

    /// Has the values written to memory that someone has lent; false where elements would not be aligned there.
    pub(super) fn lend(&mut self, memory: LentMemory) -> bool {
        self.are_lent = true;
        Buffer::lent(memory).map(|values| self.values = values).is_some()
    }

    /// Sets the value of `row`, which is the last row or a later one.
    #[inline(always)]
    pub fn set(&mut self, row: usize, value: T, at_most: AtMost) {
        if self.gaps.entry_of(row) == self.values.len() && self.presence.is_without_flags() {
            self.values.push(value, at_most);
        } else {
            self.set_elsewhere(row, value, at_most);
        }
    }

    /// Sets the values of successive rows from `row` on, each the image of one of `items`.
    #[inline]
    pub fn set_all<U>(&mut self, row: usize, items: &[U], image: impl Fn(&U) -> T, at_most: AtMost) {
        if self.gaps.entry_of(row) == self.values.len() && self.presence.is_without_flags() {
            self.values.extend_with(items, image, at_most);
        } else {
            items.iter().zip(row..).for_each(|(item, row)| self.set_elsewhere(row, image(item), at_most));
        }
    }

    #[inline(never)]
    fn set_elsewhere(&mut self, row: usize, value: T, at_most: AtMost) {
        if let Some(former) = self.values.as_mut_slice().get_mut(self.gaps.entry_of(row)) {
            *former = value;
        } else {
            let len = self.values.len();
            let entry = self.reach(row, at_most);
            // Flags first: where memory runs short, a default without one would be a value. Flags of none are cut with the row.
            self.presence.mark(len, entry);
            self.fill_to(entry, at_most);
            self.values.push(value, at_most);
        }
    }

    /// Makes `row`, which is behind all entries, the one that the next value belongs to; returns the number of its entry, up to which
    /// there are to be defaults.
    #[inline]
    pub(super) fn reach(&mut self, row: usize, at_most: AtMost) -> usize {
        if self.are_lent { row } else { self.gaps.reach(row, self.values.len(), self.size(), at_most) }
    }

    #[inline]
    pub(super) fn fill_to(&mut self, entries: usize, at_most: AtMost) {
        let missing = entries.saturating_sub(self.values.len());
        if missing > 0 {
            self.values.fill_to(entries, self.default, at_most.saturating_add(missing));
        }
    }

    /// What a default takes, with its flag.
    fn size(&self) -> usize {
        size_of::<T>() + usize::from(self.presence.is_tracked)
    }

    /// Sets the value of `row` as [`Numbers::set`] does; returns what that row had, where it had been reached.
    #[inline]
    pub(super) fn replace(&mut self, row: usize, value: T, at_most: AtMost) -> Option<T> {
        let entry = self.gaps.entry_of(row);
        let former = self.values.as_mut_slice().get_mut(entry).map(|former| std::mem::replace(former, value));
        if former.is_none() {
            self.set(row, value, at_most);
        }
        former
    }

    /// Forgets all rows from number `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        let entries = self.gaps.truncate(rows, self.values.len());
        self.values.truncate(entries);
        self.presence.truncate(entries);
    }

    /// Ends the column after so many rows; returns how many entries it is to have, and its gaps.
    pub(super) fn end(&mut self, rows: usize) -> (usize, Option<Passed>) {
        if self.are_lent { (rows, None) } else { self.gaps.end(rows, self.values.len(), self.size()) }
    }

    /// The values of all `entries`, and which of them came.
    pub(super) fn finish(mut self, entries: usize) -> (Memory, Validity) {
        let validity = self.presence.finish(self.values.len(), entries);
        self.values.fill_to(entries, self.default, 0);
        (self.values.freeze(), validity)
    }
}

/// Where the values of each row start, in a column of many values a row.
#[derive(Debug, Default)]
pub struct Starts {
    pub(super) starts: Buffer<i64>,
    pub(super) gaps: Gaps,
}

impl Starts {
    /// Makes `row` the last row; it starts at value number `len` unless values of it came before.
    #[inline(always)]
    pub(super) fn open(&mut self, row: usize, len: usize, at_most: AtMost) {
        let entry = self.gaps.entry_of(row);
        if entry == self.starts.len() {
            self.starts.push(len.cast_signed() as i64, at_most);
        } else if entry > self.starts.len() {
            self.open_behind(row, len, at_most);
        }
    }

    #[inline(never)]
    fn open_behind(&mut self, row: usize, len: usize, at_most: AtMost) {
        self.reach(row, len, at_most);
        self.starts.push(len.cast_signed() as i64, at_most);
    }

    /// Makes `row`, which is behind all entries, the one that the next start belongs to.
    #[inline]
    pub(super) fn reach(&mut self, row: usize, len: usize, at_most: AtMost) {
        let entry = self.gaps.reach(row, self.starts.len(), size_of::<i64>(), at_most);
        if entry > self.starts.len() {
            self.starts.fill_to(entry, len.cast_signed() as i64, at_most.saturating_add(entry));
        }
    }

    /// The number of the first value of `row`, the last row that was reached, or of one behind it that has none.
    pub fn of(&self, row: usize) -> Option<usize> {
        let start = self.starts.as_slice().get(self.gaps.entry_of(row));
        start.map(|&start| start.cast_unsigned() as usize)
    }

    /// Forgets all rows from number `rows` on; returns where their values start, if there are any.
    pub(super) fn truncate(&mut self, rows: usize) -> Option<usize> {
        let entries = self.gaps.truncate(rows, self.starts.len());
        let start = self.starts.as_slice().get(entries).map(|&start| start.cast_unsigned() as usize);
        self.starts.truncate(entries);
        start
    }

    /// Ends the column after so many rows; returns how many entries it is to have, and its gaps.
    pub(super) fn end(&mut self, rows: usize) -> (usize, Option<Passed>) {
        self.gaps.end(rows, self.starts.len(), size_of::<i64>())
    }

    /// The offsets of `entries` entries with `len` values: one more than entries.
    pub(super) fn finish(mut self, entries: usize, len: usize) -> Memory {
        let end = len.cast_signed() as i64;
        self.starts.fill_to(entries, end, 1);
        self.starts.push(end, 1);
        self.starts.freeze()
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
    /// Entries, each of which has a flag, if any has.
    pub(super) len: usize,
    pub(super) gaps: Gaps,
}

impl Rows {
    pub(super) fn new(table: TableId, presence: Presence) -> Self {
        Self { table, presence, len: 0, gaps: Gaps::default() }
    }

    /// Notes that `row` has a row in the table.
    #[inline(always)]
    pub fn set(&mut self, row: usize, at_most: AtMost) {
        if self.gaps.entry_of(row) >= self.len {
            let entry = self.reach(row, at_most);
            self.presence.mark(self.len, entry);
            self.len = entry + 1;
        }
    }

    /// The number of the entry of `row`, which is behind all entries.
    #[inline(always)]
    pub(super) fn reach(&mut self, row: usize, at_most: AtMost) -> usize {
        let entry = self.gaps.entry_of(row);
        if entry == self.len || !self.presence.is_tracked {
            return entry;
        }
        self.gaps.reach(row, self.len, size_of::<u8>(), at_most)
    }

    /// Forgets all rows from number `rows` on; true where there were any, without which the table has none either.
    pub(super) fn truncate(&mut self, rows: usize) -> bool {
        let entries = self.gaps.truncate(rows, self.len);
        self.presence.truncate(entries);
        std::mem::replace(&mut self.len, entries) > entries
    }

    /// Ends the column after so many rows; returns how many entries it is to have, and its gaps.
    pub(super) fn end(&mut self, rows: usize) -> (usize, Option<Passed>) {
        if self.presence.is_tracked { self.gaps.end(rows, self.len, size_of::<u8>()) } else { (rows, None) }
    }

    pub(super) fn finish(self, entries: usize) -> Validity {
        self.presence.finish(self.len, entries)
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

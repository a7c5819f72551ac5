//! Columns of strings while rows are still coming.

use super::buffer::Buffer;
use super::gaps::{Gaps, Passed};
use super::growing::{AtMost, Starts};
use super::layout::ColumnLayout;
use super::memory::Memory;
use super::offsets::Offsets;
use super::presence::{Presence, Validity};
use super::table::{Column, Data, StringColumn};

/// Strings, one after the other.
#[derive(Debug, Default)]
pub struct Texts {
    pub(super) data: Buffer<u8>,
    /// Where each string starts; the last one ends where the data end.
    pub(super) starts: Buffer<i64>,
}

impl Texts {
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Appends a string.
    #[inline]
    pub fn push(&mut self, bytes: &[u8], at_most: AtMost) {
        self.starts.push(self.data.len().cast_signed() as i64, at_most);
        self.extend_last(bytes, at_most);
    }

    /// Makes the last string longer.
    #[inline]
    fn extend_last(&mut self, bytes: &[u8], at_most: AtMost) {
        // A string that can still come takes two bytes at least, so there are at most twice as many bytes.
        self.data.extend_from_le_bytes(bytes, at_most.saturating_mul(2).max(bytes.len()));
    }

    pub(super) fn truncate(&mut self, len: usize) {
        if let Some(&start) = self.starts.as_slice().get(len) {
            self.data.truncate(start.cast_unsigned() as usize);
            self.starts.truncate(len);
        }
    }

    /// The strings as a column.
    pub fn into_column(self, is_text: bool) -> StringColumn {
        let (data, offsets) = self.finish();
        StringColumn { is_text, data, offsets: Offsets::new(offsets) }
    }

    pub(super) fn finish(mut self) -> (Memory, Memory) {
        self.starts.push(self.data.len().cast_signed() as i64, 1);
        (self.data.freeze(), self.starts.freeze())
    }
}

/// Strings, one a row.
#[derive(Debug)]
pub struct Strings {
    pub(super) texts: Texts,
    pub(super) presence: Presence,
    default: Box<[u8]>,
    pub(super) gaps: Gaps,
}

impl Strings {
    pub(super) fn new(default: Box<[u8]>, presence: Presence) -> Self {
        Self { texts: Texts::default(), presence, default, gaps: Gaps::default() }
    }

    /// Sets the string of `row`, which is the last row or a later one.
    #[inline]
    pub fn set(&mut self, row: usize, bytes: &[u8], at_most: AtMost) {
        if self.gaps.entry_of(row) != self.texts.len() || !self.presence.is_without_flags() {
            self.go_to(row, at_most);
        }
        self.texts.push(bytes, at_most);
    }

    /// True where `row`, which is the last row or a later one, has a string.
    pub(super) fn has_reached(&self, row: usize) -> bool {
        self.gaps.entry_of(row) + 1 == self.texts.len()
    }

    /// Makes the string of `row`, which is the last row or a later one, longer.
    pub(super) fn append(&mut self, row: usize, bytes: &[u8], at_most: AtMost) {
        if self.has_reached(row) {
            self.texts.extend_last(bytes, at_most);
        } else {
            self.set(row, bytes, at_most);
        }
    }

    /// Makes `row` the one that the next string belongs to.
    #[inline(never)]
    fn go_to(&mut self, row: usize, at_most: AtMost) {
        let (entry, len) = (self.gaps.entry_of(row), self.texts.len());
        if entry < len {
            self.texts.truncate(entry);
        } else {
            let entry = self.reach(row, at_most);
            // Flags first: where memory runs short, a default without one would be a value. Flags of none are cut with the row.
            self.presence.mark(len, entry);
            self.fill_to(entry, at_most);
        }
    }

    /// Makes `row`, which is behind all entries, the one that the next string belongs to; returns the number of its entry, up to
    /// which there are to be defaults.
    pub(super) fn reach(&mut self, row: usize, at_most: AtMost) -> usize {
        self.gaps.reach(row, self.texts.len(), self.size(), at_most)
    }

    /// What a default takes, with its offset and its flag.
    fn size(&self) -> usize {
        size_of::<i64>() + self.default.len() + usize::from(self.presence.is_tracked)
    }

    pub(super) fn fill_to(&mut self, entries: usize, at_most: AtMost) {
        while self.texts.len() < entries {
            let part = Part { before: self.texts.len(), texts: &mut self.texts };
            part.texts.push(&self.default, at_most.saturating_add(entries - part.before));
            // All of it is there.
            std::mem::forget(part);
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        let entries = self.gaps.truncate(rows, self.texts.len());
        self.texts.truncate(entries);
        self.presence.truncate(entries);
    }

    /// Ends the column after so many rows; returns how many entries it is to have, and its gaps.
    pub(super) fn end(&mut self, rows: usize) -> (usize, Option<Passed>) {
        self.gaps.end(rows, self.texts.len(), self.size())
    }

    pub(super) fn finish(mut self, entries: usize) -> (Memory, Memory, Validity) {
        let len = self.texts.len();
        self.fill_to(entries, 0);
        let validity = self.presence.finish(len, entries);
        let (data, offsets) = self.texts.finish();
        (data, offsets, validity)
    }

    /// The column of all `entries`.
    pub(super) fn finish_column(self, entries: usize, layout: &ColumnLayout) -> Column {
        let (data, offsets, validity) = self.finish(entries);
        Column { data: Data::Strings(StringColumn::new(data, offsets, layout)), validity }
    }
}

/// A default that is being written for a row which stays, also where memory runs short in the middle of it: no part of it may.
struct Part<'t> {
    texts: &'t mut Texts,
    /// The strings before it.
    before: usize,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        self.texts.truncate(self.before);
    }
}

/// Strings, any number of them a row.
#[derive(Debug, Default)]
pub struct StringLists {
    pub(super) starts: Starts,
    pub(super) texts: Texts,
}

impl StringLists {
    /// The strings of `row`, to append to.
    #[inline]
    pub fn open(&mut self, row: usize, at_most: AtMost) -> &mut Texts {
        self.starts.open(row, self.texts.len(), at_most);
        &mut self.texts
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        if let Some(start) = self.starts.truncate(rows) {
            self.texts.truncate(start);
        }
    }

    pub(super) fn finish(mut self, entries: usize) -> (Memory, Memory, Memory) {
        let len = self.texts.len();
        let starts = std::mem::take(&mut self.starts).finish(entries, len);
        let (data, offsets) = self.texts.finish();
        (starts, data, offsets)
    }

    /// The column of all `entries`.
    pub(super) fn finish_column(self, entries: usize, layout: &ColumnLayout) -> Column {
        let (starts, data, offsets) = self.finish(entries);
        Column::list(starts, Data::Strings(StringColumn::new(data, offsets, layout)))
    }
}

//! Columns of a batch behind those of another: how the pieces come together that several threads have decoded.
//!
//! What comes out is what one batch would have become that had taken all values in turn. So gaps are filled up as they are for
//! a single value, and a column that one of the two lacks is made, or left alone. Gaps that are noted stay gaps.

use super::batch::{Batch, TableId};
use super::buffer::Element;
use super::growing::{AtMost, NumberLists, Numbers, RowLists, Rows, Starts};
use super::growing_column::{Growing, wrong_column};
use super::growing_strings::{StringLists, Strings, Texts};
use super::presence::Presence;

impl Batch {
    /// Appends the rows of another batch of the same layout, from `row` on, and empties it. `at_most` is how many rows can still
    /// come, those of the other among them. Neither keeps messages unread.
    pub fn append(&mut self, row: usize, other: &mut Self, at_most: AtMost) {
        other.settle();
        // What the other has read has to become columns here, too.
        let most_tables = std::mem::replace(&mut self.most_tables, usize::MAX);
        // The tables that are appended stand in a list, not on the call stack: data can be nested deeply.
        let mut open = vec![(TableId::OUTERMOST, TableId::OUTERMOST, row)];
        while let Some((to, from, row)) = open.pop() {
            self.append_own(to, other, from, row, at_most);
            let made: Vec<_> = other.made_columns(from).collect();
            for (place, from) in made {
                let number = self.column_to_write(to, place);
                open.extend(self.column(number).append(row, other.column(from), at_most));
            }
        }
        self.most_tables = most_tables;
        other.truncate(0);
    }
}

impl Growing {
    /// Appends the values of another column of the same sort to rows from `row` on; returns the tables of both, where there are
    /// some whose rows have to follow, and from which row on.
    fn append(&mut self, row: usize, other: &Self, at_most: AtMost) -> Option<(TableId, TableId, usize)> {
        match (self, other) {
            (Self::Wide(to), Self::Wide(from)) => to.append(row, from, at_most),
            (Self::Narrow(to), Self::Narrow(from)) => to.append(row, from, at_most),
            (Self::Byte(to), Self::Byte(from)) => to.append(row, from, at_most),
            (Self::WideLists(to), Self::WideLists(from)) => to.append(row, from, at_most),
            (Self::NarrowLists(to), Self::NarrowLists(from)) => to.append(row, from, at_most),
            (Self::ByteLists(to), Self::ByteLists(from)) => to.append(row, from, at_most),
            (Self::Strings(to), Self::Strings(from)) => to.append_all(row, from, at_most),
            (Self::StringLists(to), Self::StringLists(from)) => to.append(row, from, at_most),
            (Self::Rows(to), Self::Rows(from)) => {
                to.append(row, from, at_most);
                return Some((to.table, from.table, row));
            }
            (Self::RowLists(to), Self::RowLists(from)) => {
                let start = to.append(row, from, at_most);
                return Some((to.table, from.table, start));
            }
            _ => wrong_column(),
        }
        None
    }
}

impl<T: Element> Numbers<T> {
    pub(super) fn append(&mut self, row: usize, other: &Self, at_most: AtMost) {
        let (len, more) = (self.values.len(), other.values.as_slice());
        if self.are_lent && other.gaps.has_any() {
            self.append_filled(row, other, at_most);
        } else if !more.is_empty() {
            let entry = self.reach(row, at_most);
            self.presence.append(len, entry, &other.presence, more.len());
            self.fill_to(entry, at_most);
            self.gaps.append(entry, &other.gaps, at_most);
            self.values.extend_with(more, |&value| value, at_most);
        }
    }

    /// The same where the rows of gaps are to have entries, too.
    fn append_filled(&mut self, mut row: usize, other: &Self, at_most: AtMost) {
        for (entries, passed) in other.gaps.runs(other.values.len()) {
            for entry in entries {
                if other.presence.has(entry) {
                    self.set(row, other.values.as_slice()[entry], at_most);
                }
                row += 1;
            }
            row += passed;
        }
    }
}

impl Presence {
    /// Notes that a column `len` rows long gets `count` more from `row` on, with the flags of another.
    fn append(&mut self, len: usize, row: usize, other: &Self, count: usize) {
        match (&mut self.flags, &other.flags) {
            _ if !self.is_tracked => {}
            (None, None) if row == len => {}
            (flags, more) => {
                let flags = flags.get_or_insert_default();
                flags.fill_to(len, 1, row);
                flags.fill_to(row, 0, row);
                if let Some(more) = more {
                    flags.extend_with(&more.as_slice()[..more.len().min(count)], |&flag| flag, count);
                }
                // Where the other has no flag, it has a value.
                flags.fill_to(row + count, 1, count);
            }
        }
    }
}

impl Starts {
    /// Appends where the values of rows start that come from `row` on, behind `len` values that there are.
    fn append(&mut self, row: usize, len: usize, other: &Self, at_most: AtMost) {
        let more = other.starts.as_slice();
        if !more.is_empty() {
            let shift = len.cast_signed() as i64;
            self.reach(row, len, at_most);
            self.gaps.append(self.starts.len(), &other.gaps, at_most);
            self.starts.extend_with(more, |&start| start + shift, at_most);
        }
    }
}

impl<T: Element> NumberLists<T> {
    fn append(&mut self, row: usize, other: &Self, at_most: AtMost) {
        let more = other.values.as_slice();
        self.starts.append(row, self.values.len(), &other.starts, at_most);
        // Each of the bytes that can still come, two for a row, may hold a value.
        self.values.extend_with(more, |&value| value, at_most.saturating_mul(2).max(more.len()));
    }
}

impl Texts {
    fn append(&mut self, other: &Self, at_most: AtMost) {
        let (shift, data) = (self.data.len().cast_signed() as i64, other.data.as_slice());
        self.starts.extend_with(other.starts.as_slice(), |&start| start + shift, at_most);
        self.data.extend_from_le_bytes(data, at_most.saturating_mul(2).max(data.len()));
    }
}

impl Strings {
    pub(super) fn append_all(&mut self, row: usize, other: &Self, at_most: AtMost) {
        if other.texts.len() > 0 {
            let len = self.texts.len();
            let entry = self.reach(row, at_most);
            self.presence.append(len, entry, &other.presence, other.texts.len());
            self.fill_to(entry, at_most);
            self.gaps.append(entry, &other.gaps, at_most);
            self.texts.append(&other.texts, at_most);
        }
    }
}

impl StringLists {
    fn append(&mut self, row: usize, other: &Self, at_most: AtMost) {
        self.starts.append(row, self.texts.len(), &other.starts, at_most);
        self.texts.append(&other.texts, at_most);
    }
}

impl Rows {
    fn append(&mut self, row: usize, other: &Self, at_most: AtMost) {
        if other.len > 0 {
            let entry = self.reach(row, at_most);
            self.presence.append(self.len, entry, &other.presence, other.len);
            self.gaps.append(entry, &other.gaps, at_most);
            self.len = entry + other.len;
        }
    }
}

impl RowLists {
    /// Returns the number of the first row that the other's rows become.
    fn append(&mut self, row: usize, other: &Self, at_most: AtMost) -> usize {
        self.starts.append(row, self.rows, &other.starts, at_most);
        self.add(other.rows)
    }
}

//! Rows that a column passes over while rows are still coming.
//!
//! A column catches up when its next value comes. Where few rows have one, that would cost more than all that comes: of messages
//! with hundreds of fields each may set another one. So a column notes a gap in place of many defaults, and from then on its entries
//! stand closer together than its rows. What becomes of it is memory that is made for all rows when someone looks at it (`spread`).

use std::ops::Range;

use super::buffer::Buffer;
use super::growing::AtMost;
use super::memory::Memory;

/// What a gap takes.
const GAP: usize = size_of::<u64>();

/// A gap of which defaults take no more than so many bytes is filled up: that costs about as much as noting it.
const SHORT: usize = 8 * GAP;

/// Longer ones are where they have come to no more than a quarter of all that is not in them, and this: what nearly all rows have
/// needs no gaps for a hole or two, nor for rows at its start.
const AT_FIRST: usize = 16 * GAP;

/// The rows without an entry of a column.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// How many there are.
    passed: usize,
    /// How many entries are defaults that long gaps were filled up with.
    fillers: usize,
    list: Option<Box<List>>,
}

/// Each gap.
#[derive(Debug, Default)]
struct List {
    gaps: Buffer<u64>,
    /// How many entries are before the last of them.
    before_last: usize,
}

/// A gap in 64 bits, since there can be one for every few bytes: in the upper half how many entries are between it and the one
/// before, in the lower half how many rows it has. What does not fit becomes several, some of which have no rows.
#[derive(Clone, Copy)]
struct Gap {
    entries: u32,
    rows: u32,
}

impl Gap {
    fn of_bits(bits: u64) -> Self {
        Self { entries: (bits >> 32) as u32, rows: bits as u32 }
    }

    fn bits(self) -> u64 {
        u64::from(self.entries) << 32 | u64::from(self.rows)
    }
}

impl List {
    /// Adds a gap of so many rows behind the first so many entries, and counts its rows.
    fn push(&mut self, before: usize, rows: usize, passed: &mut usize, at_most: AtMost) {
        let (mut entries_left, mut rows_left) = (before - self.before_last, rows);
        while entries_left > 0 || rows_left > 0 {
            let entries = u32::try_from(entries_left).unwrap_or(u32::MAX);
            entries_left -= entries as usize;
            // Rows come behind all entries.
            let rows = if entries_left == 0 { u32::try_from(rows_left).unwrap_or(u32::MAX) } else { 0 };
            rows_left -= rows as usize;
            self.push_one(Gap { entries, rows }, passed, at_most);
        }
    }

    #[inline(always)]
    fn push_one(&mut self, gap: Gap, passed: &mut usize, at_most: AtMost) {
        // Counted only once it is there: memory may run short here.
        self.gaps.push(gap.bits(), at_most);
        self.before_last += gap.entries as usize;
        *passed += gap.rows as usize;
    }

    fn last(&self) -> Option<Gap> {
        self.gaps.as_slice().last().map(|&bits| Gap::of_bits(bits))
    }

    fn pop(&mut self) {
        self.before_last -= self.last().map_or(0, |gap| gap.entries as usize);
        self.gaps.truncate(self.gaps.len() - 1);
    }
}

impl Gaps {
    /// True where there is one.
    pub(super) fn has_any(&self) -> bool {
        self.passed > 0
    }

    /// The number of the entry of `row`, the last row that the column has reached or one behind it.
    #[inline(always)]
    pub(super) fn entry_of(&self, row: usize) -> usize {
        row.wrapping_sub(self.passed)
    }

    /// The number of the entry of `row`, which is behind all `len` entries: so many are to be filled up with defaults, or there is a
    /// gap now. A default takes `size` bytes; at the most so many rows can still come.
    #[inline(always)]
    pub(super) fn reach(&mut self, row: usize, len: usize, size: usize, at_most: AtMost) -> usize {
        let entry = self.entry_of(row);
        let missing = entry - len;
        if missing.saturating_mul(size) <= SHORT {
            return entry;
        }
        // Where memory ran short there may be fewer entries than were to be filled up.
        let (fillers, others) = (self.fillers + missing, len.saturating_sub(self.fillers));
        if fillers.saturating_mul(size) <= AT_FIRST + others.saturating_mul(size) / 4 {
            self.fillers = fillers;
            return entry;
        }
        let (list, rows) = (self.list.get_or_insert_default(), missing);
        // Nearly every gap fits, and so it is written here.
        if let (Ok(entries), Ok(rows)) = (u32::try_from(len - list.before_last), u32::try_from(rows)) {
            list.push_one(Gap { entries, rows }, &mut self.passed, at_most);
        } else {
            list.push(len, rows, &mut self.passed, at_most);
        }
        len
    }

    /// Forgets all rows from number `rows` on in a column of `len` entries; returns how many are left.
    pub(super) fn truncate(&mut self, rows: usize, len: usize) -> usize {
        let mut entries = usize::MAX;
        if let Some(list) = &mut self.list {
            // A gap is none where nothing is left behind it; there may be several, one right behind the other.
            let is_last = |before: usize, passed: usize, entries| before == entries || rows <= before + passed;
            while let Some(gap) = list.last().filter(|_| is_last(list.before_last, self.passed, entries)) {
                self.passed -= gap.rows as usize;
                entries = list.before_last;
                list.pop();
            }
        }
        entries = entries.min(self.entry_of(rows)).min(len);
        self.fillers = self.fillers.min(entries);
        entries
    }

    /// Takes over the gaps of another column, the entries of which come behind the first `entries`.
    pub(super) fn append(&mut self, entries: usize, other: &Self, at_most: AtMost) {
        if let Some(more) = &other.list {
            let list = self.list.get_or_insert_default();
            for (run, rows) in runs(more.gaps.as_slice(), more.before_last) {
                list.push(entries + run.end, rows, &mut self.passed, at_most);
            }
        }
        self.fillers += other.fillers;
    }

    /// Ends a column of `len` entries after so many rows: returns how many entries it is to have, and its gaps, if there are any.
    pub(super) fn end(&mut self, rows: usize, len: usize, size: usize) -> (usize, Option<Passed>) {
        let entries = self.reach(rows, len, size, 1);
        let Self { passed, list, .. } = std::mem::take(self);
        let list = list.filter(|_| passed > 0);
        (entries, list.map(|list| Passed(list.gaps.freeze())))
    }

    /// For each gap and the end the entries since the gap before, and the rows that it has; the end has none.
    pub(super) fn runs(&self, entries: usize) -> impl Iterator<Item = (Range<usize>, usize)> {
        runs(self.list.as_ref().map_or(&[], |list| list.gaps.as_slice()), entries)
    }

    /// True where entries of two columns that have the same number belong to the same row, from number `entry` on: as many rows are
    /// passed over in all, and the same ones behind there.
    pub(super) fn are_alike_from(&self, entry: usize, other: &Self) -> bool {
        self.passed == other.passed && self.behind(entry).eq(other.behind(entry))
    }

    /// The gaps that have more than so many entries before them, the last first: entries before each, and rows.
    fn behind(&self, entry: usize) -> impl Iterator<Item = (usize, u32)> {
        let mut before = self.list.as_ref().map_or(0, |list| list.before_last);
        let gaps = self.list.iter().flat_map(|list| list.gaps.as_slice()).rev().map(|&bits| Gap::of_bits(bits));
        let gaps = gaps.map(move |gap| {
            let before_this = before;
            before -= gap.entries as usize;
            (before_this, gap.rows)
        });
        gaps.take_while(move |&(before, _)| before > entry)
    }
}

/// The gaps of a finished column.
#[derive(Debug, Clone)]
pub(super) struct Passed(Memory);

impl Passed {
    /// The same as [`Gaps::runs`].
    pub(super) fn runs(&self, entries: usize) -> impl Iterator<Item = (Range<usize>, usize)> {
        runs(self.0.as_slice(), entries)
    }
}

fn runs(gaps: &[u64], entries: usize) -> impl Iterator<Item = (Range<usize>, usize)> {
    let mut end = 0;
    let gaps = gaps.iter().map(move |&bits| {
        let (gap, start) = (Gap::of_bits(bits), end);
        end += gap.entries as usize;
        (start..end, gap.rows as usize)
    });
    let mut start = 0;
    gaps.map(Some).chain([None]).map(move |run| {
        let (run, rows) = run.unwrap_or((start..entries, 0));
        start = run.end;
        (run, rows)
    })
}

#[cfg(test)]
#[path = "gaps_tests.rs"]
mod tests;

//! Which rows have a value of their own: flags while rows are coming, and what they become.
//!
//! Most columns have a value in every row or are not asked, so no flag is kept until a row is left out.

use std::ops::Range;

use super::buffer::Buffer;
use super::memory::Memory;

/// Whether rows have a value: a flag a row, kept only once a row without one came between others.
#[derive(Debug)]
pub(super) struct Presence {
    pub(super) is_tracked: bool,
    /// Boxed, because few columns have any.
    pub(super) flags: Option<Box<Buffer<u8>>>,
}

impl Presence {
    pub(super) fn new(is_tracked: bool) -> Self {
        Self { is_tracked, flags: None }
    }

    /// True as long as no flag is needed.
    #[inline(always)]
    pub(super) fn is_without_flags(&self) -> bool {
        self.flags.is_none()
    }

    /// True where `row`, which is in the column, has a value of its own, or it is not tracked.
    pub(super) fn has(&self, row: usize) -> bool {
        self.flags.as_ref().and_then(|flags| flags.as_slice().get(row)).is_none_or(|&flag| flag != 0)
    }

    /// Notes that the column, `len` rows long, gets its next value in `row`.
    #[inline(always)]
    pub(super) fn mark(&mut self, len: usize, row: usize) {
        if self.is_tracked && (row > len || self.flags.is_some()) {
            self.mark_flags(len, row);
        }
    }

    #[inline(never)]
    fn mark_flags(&mut self, len: usize, row: usize) {
        let flags = self.flags.get_or_insert_default();
        flags.fill_to(len, 1, row);
        flags.fill_to(row, 0, row);
        flags.push(1, row);
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        if let Some(flags) = &mut self.flags {
            flags.truncate(rows);
        }
    }

    pub(super) fn finish(mut self, len: usize, rows: usize) -> Validity {
        if !self.is_tracked || (len == rows && self.flags.is_none()) {
            return Validity::All;
        }
        let mut flags = self.flags.take().unwrap_or_default();
        debug_assert!(flags.len() <= rows, "a flag for each entry at the most");
        flags.fill_to(len, 1, 0);
        flags.fill_to(rows, 0, 0);
        Validity::Flags(flags.freeze())
    }
}

/// Which rows of a finished column have a value of their own.
#[derive(Debug, Clone)]
pub enum Validity {
    /// Every row, or it is not remembered.
    All,
    /// No row.
    Nothing,
    /// A byte a row, 1 where it has one.
    Flags(Memory),
}

impl Validity {
    /// That of the rows whose flag is not 0.
    pub fn of_flags(flags: &[u8]) -> Self {
        let flags: Buffer<u8> = flags.iter().map(|&flag| u8::from(flag != 0)).collect();
        Self::Flags(flags.freeze())
    }

    /// The memory of the flags, if there are any.
    pub(super) fn memory(&self) -> Option<&Memory> {
        if let Self::Flags(flags) = self { Some(flags) } else { None }
    }

    /// A byte for each of the given rows, 1 where it has a value of its own.
    pub fn flags(&self, rows: Range<usize>) -> Memory {
        let (count, mut flags) = (rows.len(), Buffer::<u8>::default());
        match self {
            Self::All => flags.fill_to(count, 1, count),
            Self::Nothing => flags.fill_to(count, 0, count),
            Self::Flags(found) => {
                let found = found.as_bytes().get(rows).unwrap_or_default();
                flags.extend_with(found, |&flag| u8::from(flag == 1), count);
                flags.fill_to(count, 0, count);
            }
        }
        flags.freeze()
    }

    /// True where any of the given rows has a value of its own.
    pub fn is_set_in(&self, rows: Range<usize>) -> bool {
        match self {
            Self::All => !rows.is_empty(),
            Self::Nothing => false,
            Self::Flags(flags) => flags.as_bytes().get(rows).is_some_and(|flags| flags.contains(&1)),
        }
    }

    /// True where `row` has a value of its own.
    pub fn is_set(&self, row: usize) -> bool {
        match self {
            Self::All => true,
            Self::Nothing => false,
            Self::Flags(flags) => flags.as_bytes().get(row) == Some(&1),
        }
    }
}

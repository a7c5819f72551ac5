//! Messages that lie in memory, as a source.

use std::ops::Range;

use super::source::{Fault, Piece, Source, Wanted};
use crate::column::Budget;
use crate::decode::Input;
use crate::error::DecodeError;

/// Messages that lie in memory, by number.
pub trait Messages: Sync {
    /// How many there are.
    fn len(&self) -> usize;
    /// True without any.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Some of them: of each its input, and where it lies there.
    fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone;
    /// The bytes of them all, which bound what columns reserve.
    fn total_len(&self) -> usize;
}

/// Messages of which some have been taken.
pub(super) struct Listed<'m, M> {
    pub(super) messages: &'m M,
    /// How many have been taken.
    pub(super) row: usize,
    len_left: usize,
    taken_len: u64,
}

impl<'m, M: Messages> Listed<'m, M> {
    pub(super) fn new(messages: &'m M) -> Self {
        Self { messages, row: 0, len_left: messages.total_len(), taken_len: 0 }
    }

    /// Takes the messages in front of `end`, which are `len` bytes long.
    pub(super) fn take(&mut self, end: usize, len: usize) {
        Budget::current().feed(len);
        self.row = end;
        self.taken_len += len as u64;
        // Lengths are those of the caller's buffers, which others may have changed.
        self.len_left = self.len_left.saturating_sub(len);
    }
}

impl<'m, M: Messages> Source for Listed<'m, M> {
    type Piece = Rows<'m, M>;

    fn next_piece(&mut self, wanted: Wanted) -> Result<Option<Rows<'m, M>>, Fault> {
        let start = self.row;
        if start == self.messages.len() || wanted.is_met() {
            return Ok(None);
        }
        let most = self.messages.len().min(start.saturating_add(wanted.messages));
        let (mut end, mut len) = (start, 0);
        for (_, range) in self.messages.rows(start..most) {
            len += range.len();
            end += 1;
            if len >= wanted.len {
                break;
            }
        }
        self.take(end, len);
        Ok(Some(Rows { messages: self.messages, rows: start..end, len }))
    }

    fn next_messages(
        &mut self,
        wanted: Wanted,
    ) -> Result<Option<impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone>, Fault> {
        let rows = self.row..self.messages.len().min(self.row.saturating_add(wanted.messages));
        if rows.is_empty() || wanted.is_met() {
            return Ok(None);
        }
        self.take(rows.end, self.len_left);
        Ok(Some(self.messages.rows(rows)))
    }

    /// Offsets count from the start of each message's buffer.
    fn place(&self, _: &mut DecodeError) {}

    fn taken_len(&self) -> u64 {
        self.taken_len
    }

    fn len_left(&self) -> Option<usize> {
        Some(self.len_left)
    }
}

pub(super) struct Rows<'m, M> {
    messages: &'m M,
    rows: Range<usize>,
    len: usize,
}

impl<M: Messages> Piece for Rows<'_, M> {
    fn messages(&self) -> impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone {
        self.messages.rows(self.rows.clone())
    }

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn bytes_len(&self) -> usize {
        self.len
    }

    /// Offsets count from the start of each message's buffer.
    fn place(&self, _: &mut DecodeError) {}
}

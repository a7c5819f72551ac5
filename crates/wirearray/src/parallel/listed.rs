//! Messages that lie in memory, as a source.

use std::ops::Range;

use super::source::{Fault, Piece, Source, Wanted};
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
    fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = (Input<'_>, Range<usize>)>;
    /// The bytes of them all, which bound what columns reserve.
    fn total_len(&self) -> usize;
}

/// Messages of which some have been taken.
pub(super) struct Listed<'m, M> {
    messages: &'m M,
    row: usize,
    len_left: usize,
}

impl<'m, M: Messages> Listed<'m, M> {
    pub(super) fn new(messages: &'m M) -> Self {
        Self { messages, row: 0, len_left: messages.total_len() }
    }
}

impl<'m, M: Messages> Source for Listed<'m, M> {
    type Piece = Rows<'m, M>;

    fn next_piece(&mut self, wanted: Wanted) -> Result<Option<Rows<'m, M>>, Fault> {
        let start = self.row;
        let most = self.messages.len() - start;
        if most == 0 || wanted.is_met() {
            return Ok(None);
        }
        let (mut end, mut len) = (start + most.min(wanted.messages), self.len_left);
        if len > wanted.len || most > wanted.messages {
            len = 0;
            let rows = self.messages.rows(start..end);
            end = start;
            for (_, range) in rows {
                len += range.len();
                end += 1;
                if len >= wanted.len {
                    break;
                }
            }
        }
        self.row = end;
        // Lengths are those of the caller's buffers, which others may have changed.
        self.len_left = self.len_left.saturating_sub(len);
        Ok(Some(Rows { messages: self.messages, rows: start..end, len }))
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
    fn messages(&self) -> impl Iterator<Item = (Input<'_>, Range<usize>)> {
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

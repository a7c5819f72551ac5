//! Messages in one stretch of a stream that is in memory.

use std::ops::Range;
use std::sync::Arc;

use crate::column::Owner;
use crate::decode::Input;
use crate::error::{DecodeError, WireError};
use crate::framing::{Frames, Framing};
use crate::parallel::Piece;

/// Messages that follow each other.
pub struct Chunk {
    pub(super) bytes: Owner,
    pub(super) range: Range<usize>,
    pub(super) framing: Framing,
    pub(super) count: usize,
    pub(super) origin: Origin,
}

/// Where bytes in memory come from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The stream's name, where it has one.
    pub(super) name: Option<Arc<str>>,
    /// The byte of the stream that is the first of them.
    pub(super) start: u64,
}

impl Origin {
    pub(super) fn place(&self, error: &mut DecodeError) {
        error.shift(usize::try_from(self.start).unwrap_or(usize::MAX));
        error.set_file(self.name.as_ref());
    }

    /// The error of a frame.
    pub(super) fn error(&self, error: WireError) -> DecodeError {
        let mut error = DecodeError::new(error, String::new());
        self.place(&mut error);
        error
    }
}

impl Piece for Chunk {
    fn messages(&self) -> impl Iterator<Item = (Input<'_>, Range<usize>)> {
        let input = Input { bytes: (*self.bytes).as_ref(), owner: None };
        Frames::new(self.framing, input.bytes, self.range.clone()).map(move |range| (input, range))
    }

    fn count(&self) -> usize {
        self.count
    }

    fn bytes_len(&self) -> usize {
        self.range.len()
    }

    fn place(&self, error: &mut DecodeError) {
        self.origin.place(error);
    }
}

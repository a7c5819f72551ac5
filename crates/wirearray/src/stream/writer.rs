//! Messages written to a stream, each in its frame.

use std::io::{self, Write};
use std::ops::Range;

use crate::encode::Measured;
use crate::error::EncodeError;
use crate::framing::{Framing, TooLong};
use crate::stream::mcap::TopicsFault;

/// The bytes of messages that are encoded, framed and written at a time. What is written in large pieces is cached in large
/// pages, which take less time to map: a million rows are read in 42 ms, of 128 KiB a piece in 47.
pub(super) const PIECE: u64 = 1 << 20;

/// Writes messages one after the other.
pub struct FrameWriter<W: Write> {
    writer: W,
    framing: Framing,
    framed: Vec<u8>,
}

/// Why messages could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// They are none.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// One is too long for its frame.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// They are about more topics than a file has channels, or a topic's name is too long.
    #[error(transparent)]
    Topics(#[from] TopicsFault),
    /// They cannot be put where they should go.
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl<W: Write> FrameWriter<W> {
    /// A writer of messages to another writer.
    pub fn new(writer: W, framing: Framing) -> Self {
        Self { writer, framing, framed: Vec::new() }
    }

    /// Writes messages. Those that are too long for their frames are found before any is written.
    pub fn write(&mut self, messages: &Measured<'_>) -> Result<(), WriteError> {
        let mut scratch = Vec::new();
        for len in messages.lens() {
            let len = usize::try_from(*len).unwrap_or(usize::MAX);
            self.framing.put_header(len, &mut scratch)?;
            scratch.clear();
        }
        let mut rows = 0..0;
        while rows.end < messages.lens().len() {
            rows = next_piece(messages.lens(), rows.end);
            let encoded = messages.to_strings_of(rows.clone())?;
            self.framed.clear();
            for entry in 0..rows.len() {
                let message = encoded.get(entry).unwrap_or_default();
                self.framing.put_header(message.len(), &mut self.framed)?;
                self.framed.extend_from_slice(message);
                self.framing.put_footer(message, &mut self.framed);
            }
            self.writer.write_all(&self.framed)?;
        }
        Ok(())
    }

    /// The writer behind it.
    pub fn into_inner(self) -> W {
        self.writer
    }
}

/// The rows from `start` on that make up a piece.
pub(super) fn next_piece(lens: &[u64], start: usize) -> Range<usize> {
    let mut len = 0;
    let mut end = start;
    while end < lens.len() && (end == start || len + lens[end] <= PIECE) {
        len += lens[end];
        end += 1;
    }
    start..end
}

//! Where messages come from, one piece after the other.

use std::io;
use std::ops::Range;

use crate::decode::Input;
use crate::error::DecodeError;

/// Messages that come one after the other.
pub trait Source: Send {
    /// Some of them.
    type Piece: Piece;
    /// The next messages, no more than are wanted; nothing behind the last one. After a bad message the next call goes on
    /// behind it, after any other fault there is nothing more.
    fn next_piece(&mut self, wanted: Wanted) -> Result<Option<Self::Piece>, Fault>;
    /// The same for one thread alone, which need not know how many they are before it has decoded them: only those that were
    /// taken from the iterator, or from a clone of it, are gone.
    fn next_messages(
        &mut self,
        wanted: Wanted,
    ) -> Result<Option<impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone>, Fault>;
    /// Says where in the source an error is that counts bytes of the input of the messages that came last.
    fn place(&self, error: &mut DecodeError);
    /// The byte of the source at which the frame of a message starts, by its number among those that came last; nothing where
    /// there are no frames.
    fn frame_of(&self, _message: usize) -> Option<u64> {
        None
    }
    /// The bytes of the source that have been taken.
    fn taken_len(&self) -> u64;
    /// How many bytes can still come, where that is known.
    fn len_left(&self) -> Option<usize>;
}

/// Successive messages.
pub trait Piece: Send {
    /// Of each its input, and where it lies there.
    fn messages(&self) -> impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone;
    /// How many there are.
    fn count(&self) -> usize;
    /// The bytes that they take in their source.
    fn bytes_len(&self) -> usize;
    /// Says where in their source an error is, which counts bytes of its input.
    fn place(&self, error: &mut DecodeError);
    /// The byte of their source at which the frame of one starts, by its number; nothing where there are no frames.
    fn frame_of(&self, _message: usize) -> Option<u64> {
        None
    }
}

/// How much of a source is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The most messages.
    pub messages: usize,
    /// The bytes with which there is enough.
    pub len: usize,
}

impl Wanted {
    /// All that there is.
    pub const ALL: Self = Self { messages: usize::MAX, len: usize::MAX };

    /// True where there is enough.
    pub fn is_met(&self) -> bool {
        self.messages == 0 || self.len == 0
    }

    /// What is wanted beside a piece.
    pub(super) fn subtract(&mut self, piece: &impl Piece) {
        self.messages = self.messages.saturating_sub(piece.count());
        self.len = self.len.saturating_sub(piece.bytes_len());
    }
}

/// Why a source does not go on as it should.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// One message is bad; others come behind it.
    #[error(transparent)]
    Message(DecodeError),
    /// It cannot be told where the next message is.
    #[error(transparent)]
    Frame(DecodeError),
    /// The source itself fails.
    #[error(transparent)]
    Source(io::Error),
}

//! Messages in one stretch of a stream that is in memory.

use std::ops::Range;
use std::sync::Arc;

use super::Format;
use crate::column::Owner;
use crate::decode::Input;
use crate::error::{DecodeError, DecodeErrorKind, WireError};
use crate::framing::{Frames, Framing, Stop, Walk};
use crate::parallel::{Fault, Piece, Wanted};

/// Messages that follow each other.
pub struct Chunk {
    bytes: Owner,
    range: Range<usize>,
    framing: Framing,
    count: usize,
    origin: Origin,
}

/// Where the bytes of a chunk come from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The stream's name, where it has one.
    pub(super) name: Option<Arc<str>>,
    /// The byte of the stream that is the first of them.
    pub(super) start: u64,
}

impl Origin {
    fn place(&self, error: &mut DecodeError) {
        error.shift(usize::try_from(self.start).unwrap_or(usize::MAX));
        error.set_file(self.name.as_ref());
    }

    /// The error of a frame.
    pub(super) fn error(&self, error: WireError) -> DecodeError {
        let mut error = DecodeError::new(error, String::new());
        self.place(&mut error);
        error
    }

    /// The error of a stream that ends in the middle of the frame at byte `at`.
    pub(super) fn truncated(&self, at: usize) -> Fault {
        Fault::Frame(self.error(WireError::new(DecodeErrorKind::TruncatedFrame, at)))
    }
}

/// What there is at some byte.
pub(super) enum Found {
    /// Messages.
    Chunk(Chunk),
    /// No whole frame.
    Nothing,
}

/// The most bytes of a chunk that are walked through before they are decoded: as many as stay in the second cache.
pub(super) const CHUNK: usize = 256 << 10;

/// Takes messages from byte `at` on, which moves behind them.
pub(super) fn take(
    bytes: &Owner,
    at: &mut usize,
    format: Format,
    wanted: Wanted,
    origin: &Origin,
) -> Result<Found, Fault> {
    let mut walk = Walk::new(format.framing, format.verify, *at);
    let all = (**bytes).as_ref();
    let walked = walk.go(all, wanted.messages, at.saturating_add(wanted.len.min(CHUNK)));
    if walk.count > 0 {
        // What stopped the walk is found again by the next one.
        let range = *at..walk.end;
        *at = walk.end;
        let (bytes, origin) = (Owner::clone(bytes), origin.clone());
        return Ok(Found::Chunk(Chunk { bytes, range, framing: format.framing, count: walk.count, origin }));
    }
    match walked {
        Ok(Stop::BadMessage(error, end)) => {
            *at = end;
            Err(Fault::Message(origin.error(error)))
        }
        Ok(Stop::Done | Stop::Incomplete) => Ok(Found::Nothing),
        Err(error) => Err(Fault::Frame(origin.error(error))),
    }
}

impl Chunk {
    /// One message that is all of the bytes.
    pub(super) fn single(bytes: Owner, start: usize, origin: Origin) -> Self {
        let range = start..(*bytes).as_ref().len();
        Self { bytes, range, framing: Framing::Single, count: 1, origin }
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

//! Messages in one stretch of a stream that is in memory.

use std::ops::Range;
use std::slice;
use std::sync::Arc;

use crate::column::Owner;
use crate::decode::Input;
use crate::error::{DecodeError, WireError};
use crate::framing::{Frames, Framing, Walk};
use crate::parallel::Piece;

/// Messages that follow each other.
pub struct Chunk {
    bytes: Owner,
    places: Places,
    count: usize,
    len: usize,
    origin: Origin,
}

/// Where messages lie.
enum Places {
    /// In frames, one behind the other.
    Framed(Framing, Range<usize>),
    /// Each somewhere.
    Listed(Vec<Range<usize>>),
}

/// Where bytes in memory come from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The stream's name, where it has one.
    pub(super) name: Option<Arc<str>>,
    /// The byte of the stream that is the first of them.
    pub(super) start: u64,
    /// True where they were decompressed from what starts there: then that is as much as can be said of where an error is.
    pub(super) is_unpacked: bool,
}

impl Origin {
    pub(super) fn place(&self, error: &mut DecodeError) {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        if self.is_unpacked {
            error.unpacked_from(start);
        } else {
            error.shift(start);
        }
        error.set_file(self.name.as_ref());
    }

    /// The byte of the stream at which the frame of a message starts, by its number among those from byte `start` on.
    pub(super) fn frame_of(&self, message: usize, framing: Framing, bytes: &[u8], start: usize) -> u64 {
        let mut walk = Walk::new(framing, false, start);
        // Frames that were whole before: if others have changed them since, the walk ends early, in front of them.
        let _ = walk.go(bytes, message, usize::MAX);
        self.start.saturating_add(walk.end as u64)
    }

    /// The error of a frame.
    pub(super) fn error(&self, error: WireError) -> DecodeError {
        let mut error = DecodeError::new(error, String::new());
        self.place(&mut error);
        error
    }
}

impl Chunk {
    /// As many messages in a range of frames.
    pub(super) fn framed(bytes: Owner, framing: Framing, range: Range<usize>, count: usize, origin: Origin) -> Self {
        Self { bytes, len: range.len(), places: Places::Framed(framing, range), count, origin }
    }

    /// Messages of which each has a place of its own.
    pub(super) fn listed(bytes: Owner, messages: Vec<Range<usize>>, origin: Origin) -> Self {
        let (count, len) = (messages.len(), messages.iter().map(Range::len).sum());
        Self { bytes, count, places: Places::Listed(messages), len, origin }
    }

    /// The messages of which each has a place of its own, and what they lie in.
    pub(super) fn listed_messages(&self) -> (Input<'_>, &[Range<usize>]) {
        let messages = match &self.places {
            Places::Framed(..) => &[],
            Places::Listed(messages) => messages.as_slice(),
        };
        (Input { bytes: (*self.bytes).as_ref(), owner: None }, messages)
    }
}

impl Piece for Chunk {
    fn messages(&self) -> impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone {
        let input = Input { bytes: (*self.bytes).as_ref(), owner: None };
        let ranges = match &self.places {
            Places::Framed(framing, range) => Ranges::Framed(Frames::new(*framing, input.bytes, range.clone())),
            Places::Listed(messages) => Ranges::Listed(messages.iter()),
        };
        ranges.map(move |range| (input, range))
    }

    fn count(&self) -> usize {
        self.count
    }

    fn bytes_len(&self) -> usize {
        self.len
    }

    fn place(&self, error: &mut DecodeError) {
        self.origin.place(error);
    }

    fn frame_of(&self, message: usize) -> Option<u64> {
        match &self.places {
            Places::Framed(framing, range) => {
                Some(self.origin.frame_of(message, *framing, &(*self.bytes).as_ref()[..range.end], range.start))
            }
            Places::Listed(_) => None,
        }
    }
}

/// Where messages lie, one after the other.
#[derive(Clone)]
enum Ranges<'a> {
    Framed(Frames<'a>),
    Listed(slice::Iter<'a, Range<usize>>),
}

impl Iterator for Ranges<'_> {
    type Item = Range<usize>;

    #[inline(always)]
    fn next(&mut self) -> Option<Range<usize>> {
        match self {
            Self::Framed(frames) => frames.next(),
            Self::Listed(ranges) => ranges.next().cloned(),
        }
    }
}

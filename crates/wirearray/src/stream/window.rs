//! The stretch of a stream that is in memory, and how far it has been read.

use std::cell::Cell;
use std::ops::Range;
use std::slice;

use super::Format;
use super::chunk::{Chunk, Origin};
use crate::column::Owner;
use crate::decode::Input;
use crate::error::{DecodeErrorKind, WireError};
use crate::framing::{Ahead, Framing, Walk};
use crate::parallel::{Fault, Wanted};

/// The most bytes of a chunk, which are walked through before they are decoded: as many as stay in the second cache.
pub(super) const CHUNK: usize = 256 << 10;

/// The bytes that are followed before someone looks up who may be interrupted: they take a few milliseconds.
const FOLLOWED: usize = 8 << 20;

pub(super) struct Window {
    pub(super) bytes: Owner,
    /// The first byte that has not been read.
    pub(super) at: usize,
    /// The byte behind the last one that counts.
    pub(super) end: usize,
    pub(super) origin: Origin,
    format: Format,
    /// The first byte of the messages that are followed.
    followed: usize,
    /// True once the message has been taken that the whole stream is.
    is_taken: bool,
}

impl Window {
    /// The bytes in `range`, of which the stream's own begin with the first of all.
    pub(super) fn new(bytes: Owner, range: Range<usize>, format: Format, origin: Origin) -> Self {
        Self { bytes, at: range.start, end: range.end, origin, format, followed: range.start, is_taken: false }
    }

    /// Whether a message lies ahead as a whole. A bad one is left behind.
    pub(super) fn find(&mut self) -> Result<bool, Fault> {
        if self.format.framing == Framing::Single {
            return Ok(!self.is_taken);
        }
        let fault = |error| self.origin.error(error);
        match self.walk().step(self.bytes()) {
            Ok(Ahead::Message(_)) => Ok(true),
            Ok(Ahead::Nothing) => Ok(false),
            Ok(Ahead::BadMessage(error, end)) => {
                let mut fault = fault(error);
                fault.set_frame(Some(self.position()));
                self.at = end;
                Err(Fault::Message(fault))
            }
            Err(error) => Err(Fault::Frame(fault(error))),
        }
    }

    /// The error of a stream that ends in the middle of a frame.
    pub(super) fn truncated(&self) -> Fault {
        Fault::Frame(self.origin.error(WireError::new(DecodeErrorKind::TruncatedFrame, self.at)))
    }

    /// Takes messages where one lies ahead. What stops them is found again by [`Window::find`].
    pub(super) fn take(&mut self, wanted: Wanted) -> Chunk {
        let start = self.at;
        let count = if self.format.framing == Framing::Single {
            (self.at, self.is_taken) = (self.end, true);
            1
        } else {
            let mut walk = self.walk();
            let until = start.saturating_add(wanted.len.min(CHUNK));
            let _ = walk.go(self.bytes(), wanted.messages, until);
            self.at = walk.end;
            walk.count
        };
        let (bytes, origin) = (Owner::clone(&self.bytes), self.origin.clone());
        Chunk::framed(bytes, self.format.framing, start..self.at, count, origin)
    }

    /// The same, one after the other.
    pub(super) fn follow(&mut self, wanted: Wanted) -> Following<'_> {
        self.followed = self.at;
        let (walk, bytes) = (self.walk(), &(*self.bytes).as_ref()[..self.end]);
        if self.format.framing == Framing::Single {
            let message = self.at..self.end;
            (self.at, self.is_taken) = (self.end, true);
            return Following::Single(Some((Input { bytes, owner: None }, message)));
        }
        let until = self.at.saturating_add(wanted.len.min(FOLLOWED));
        Following::Framed { walk, bytes, at: Cell::from_mut(&mut self.at), most: wanted.messages, until }
    }

    /// The byte of the stream behind the last message.
    pub(super) fn position(&self) -> u64 {
        self.origin.start.saturating_add(self.at as u64)
    }

    /// The byte of the stream at which the frame of a message starts, by its number among those that were followed last.
    pub(super) fn frame_of(&self, message: usize) -> u64 {
        self.origin.frame_of(message, self.format.framing, self.bytes(), self.followed)
    }

    pub(super) fn len_left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    fn bytes(&self) -> &[u8] {
        &(*self.bytes).as_ref()[..self.end]
    }

    fn walk(&self) -> Walk {
        Walk::new(self.format.framing, self.format.verify, self.at)
    }
}

/// Messages that are found as they are taken.
#[derive(Clone)]
pub(super) enum Following<'w> {
    /// In frames; `at` is behind the one that was taken last, from whichever clone.
    Framed { walk: Walk, bytes: &'w [u8], at: &'w Cell<usize>, most: usize, until: usize },
    /// The one that the whole stream is.
    Single(Option<(Input<'w>, Range<usize>)>),
    /// Where it is known already.
    Listed(Input<'w>, slice::Iter<'w, Range<usize>>),
}

impl<'w> Iterator for Following<'w> {
    type Item = (Input<'w>, Range<usize>);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Framed { walk, bytes, at, most, until } => {
                if walk.count == *most || walk.end >= *until {
                    return None;
                }
                let Ok(Ahead::Message(payload)) = walk.step(bytes) else { return None };
                at.set(walk.end);
                Some((Input { bytes, owner: None }, payload))
            }
            Self::Single(message) => message.take(),
            Self::Listed(input, ranges) => Some((*input, ranges.next()?.clone())),
        }
    }
}

//! The frames of a stretch of bytes, one after the other.

use std::ops::Range;

use super::{Frame, Framing};
use crate::error::{WireError, WireResult};
use crate::simd;

/// The messages of whole frames.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    framing: Framing,
    bytes: &'a [u8],
    rest: Option<Range<usize>>,
}

impl<'a> Frames<'a> {
    /// The messages in `range` of the bytes, where [`Walk`] has found whole frames; of a stream that is one message, that.
    /// Should the bytes have become others since, there may be fewer.
    pub fn new(framing: Framing, bytes: &'a [u8], range: Range<usize>) -> Self {
        let end = range.end.min(bytes.len());
        Self { framing, bytes: &bytes[..end], rest: Some(range.start.min(end)..end) }
    }
}

impl Iterator for Frames<'_> {
    type Item = Range<usize>;

    #[inline(always)]
    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.rest.as_mut()?;
        if self.framing == Framing::Single {
            return self.rest.take();
        }
        let Frame { payload, end } = self.framing.find(self.bytes, rest.start).ok()??;
        rest.start = end;
        Some(payload)
    }
}

/// Goes from frame to frame, to find how many there are and where the last one ends.
#[derive(Debug)]
pub struct Walk {
    framing: Framing,
    is_verified: bool,
    /// The byte behind the last frame.
    pub end: usize,
    /// How many frames there were.
    pub count: usize,
}

/// Where a walk came to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// At as many frames or bytes as were wanted, or where the bytes end.
    Done,
    /// In front of a frame that is not there as a whole.
    Incomplete,
    /// In front of a frame that is whole and whose message is bad, with the byte behind it.
    BadMessage(WireError, usize),
}

impl Walk {
    /// A walk from byte `start` on, which takes time for checksums of data where it is to verify them.
    pub fn new(framing: Framing, verify: bool, start: usize) -> Self {
        let is_verified = match framing {
            Framing::TfRecord => verify,
            Framing::Grpc => true,
            _ => false,
        };
        Self { framing, is_verified, end: start, count: 0 }
    }

    /// Goes on until `most` frames have been found, or the last of them ends at byte `until` or behind it. An error is that of
    /// a frame without which no other can be found.
    pub fn go(&mut self, bytes: &[u8], most: usize, until: usize) -> WireResult<Stop> {
        while self.count < most && self.end < until.min(bytes.len()) {
            let start = self.end;
            let Some(frame) = self.framing.find(bytes, start)? else { return Ok(Stop::Incomplete) };
            // Each length says where the next one is: the processor cannot see that far.
            simd::prefetch_behind(&bytes[start..frame.end]);
            if self.is_verified
                && let Err(error) = self.framing.check(bytes, start, &frame)
            {
                return Ok(Stop::BadMessage(error, frame.end));
            }
            self.end = frame.end;
            self.count += 1;
        }
        Ok(Stop::Done)
    }
}

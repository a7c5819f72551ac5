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

/// Goes from frame to frame.
#[derive(Debug, Clone)]
pub struct Walk {
    framing: Framing,
    is_verified: bool,
    /// The byte behind the last frame.
    pub end: usize,
    /// How many frames there were.
    pub count: usize,
}

/// What lies ahead of a walk.
#[derive(Debug, PartialEq, Eq)]
pub enum Ahead {
    /// A message, in a frame that is left behind now.
    Message(Range<usize>),
    /// The end of the bytes, or a frame that is not there as a whole.
    Nothing,
    /// A frame that is there as a whole and whose message is bad, with the byte behind it.
    BadMessage(WireError, usize),
}

impl Walk {
    /// A walk from byte `start` on. Checksums of data, which take time, are looked at where it is to `verify` them.
    pub fn new(framing: Framing, verify: bool, start: usize) -> Self {
        let is_verified = match framing {
            Framing::TfRecord => verify,
            Framing::Grpc => true,
            _ => false,
        };
        Self { framing, is_verified, end: start, count: 0 }
    }

    /// Goes on to the end of the next frame. An error is that of a frame without which no other can be found.
    #[inline(always)]
    pub fn step(&mut self, bytes: &[u8]) -> WireResult<Ahead> {
        let start = self.end;
        let Some(frame) = self.framing.find(bytes, start)? else { return Ok(Ahead::Nothing) };
        if self.is_verified
            && let Err(error) = self.framing.check(bytes, start, &frame)
        {
            return Ok(Ahead::BadMessage(error, frame.end));
        }
        self.end = frame.end;
        self.count += 1;
        Ok(Ahead::Message(frame.payload))
    }

    /// Goes on until `most` frames have been found, or the last of them ends at byte `until` or behind it; returns what lies
    /// ahead where that is not a message.
    pub fn go(&mut self, bytes: &[u8], most: usize, until: usize) -> WireResult<Ahead> {
        let mut ahead = Ahead::Nothing;
        while self.count < most && self.end < until.min(bytes.len()) {
            ahead = self.step(bytes)?;
            let Ahead::Message(payload) = &ahead else { return Ok(ahead) };
            // Each length says where the next one is: the processor cannot see that far.
            simd::prefetch_behind(&bytes[payload.clone()]);
        }
        Ok(ahead)
    }
}

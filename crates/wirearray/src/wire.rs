//! Tags, wire types, a bounds-checked cursor over wire data, and a bounds-checked writer of it.
//!
//! Knows how fields are told apart and skipped, and no schema: what a field means is the caller's affair.
//! Every length comes from the input, so none is added to anything before it has been compared with what is left.

#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod writer;

use crate::error::{DecodeErrorKind, WireError, WireResult};
use crate::varint;
pub use writer::{Sink, WriteError, WriteResult, Writer};

/// Levels of messages and groups within the outermost message that the official parsers read.
pub const DEPTH_LIMIT: u32 = 100;

/// How a field's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum WireType {
    /// A varint.
    Varint = 0,
    /// Eight bytes, little-endian.
    Fixed64 = 1,
    /// A length, then that many bytes.
    Delimited = 2,
    /// The start of a group.
    StartGroup = 3,
    /// The end of a group.
    EndGroup = 4,
    /// Four bytes, little-endian.
    Fixed32 = 5,
}

/// A field number and a wire type, in the one integer that precedes each field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(u32);

impl Tag {
    /// The highest field number that a tag can hold.
    pub const MAX_NUMBER: u32 = (1 << 29) - 1;

    /// The tag of field `number` written as `wire_type`.
    pub const fn new(number: u32, wire_type: WireType) -> Self {
        Self(number << 3 | wire_type as u32)
    }

    /// Checks what was read where a tag has to stand.
    pub fn from_raw(raw: u32) -> Result<Self, DecodeErrorKind> {
        match raw {
            0..=7 => Err(DecodeErrorKind::IllegalFieldNumber),
            _ if raw & 7 > 5 => Err(DecodeErrorKind::IllegalWireType((raw & 7) as u8)),
            _ => Ok(Self(raw)),
        }
    }

    /// The tag as it is written.
    #[inline(always)]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// The field's number, from 1 to 2^29 - 1.
    #[inline(always)]
    pub const fn number(self) -> u32 {
        self.0 >> 3
    }

    /// How the value that follows is written.
    #[inline(always)]
    pub const fn wire_type(self) -> WireType {
        match self.0 & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Delimited,
            3 => WireType::StartGroup,
            4 => WireType::EndGroup,
            // `from_raw` lets no 6 or 7 through.
            _ => WireType::Fixed32,
        }
    }
}

/// A place in wire data and the end of the message being read there; nothing is ever read past that end.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    /// The input up to the end of the current message.
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the first byte of `bytes`, which end at the end of a message.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The byte that is read next.
    #[inline(always)]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The bytes between the position and the end.
    #[inline(always)]
    pub fn remaining(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// The byte that is read next, if there is one.
    #[inline(always)]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    /// True where the current message has been read to its end.
    #[inline(always)]
    pub fn is_at_end(&self) -> bool {
        self.position >= self.bytes.len()
    }

    /// Moves past `len` bytes, which the caller has seen in [`Cursor::remaining`].
    #[inline(always)]
    pub fn advance(&mut self, len: usize) {
        debug_assert!(len <= self.remaining().len());
        // Past the end, which no caller goes, nothing could be read.
        self.position = self.position.wrapping_add(len);
    }

    /// Moves to byte `position` of the whole input. `input` is that, cut where the current message ends.
    #[inline(always)]
    pub fn enter(&mut self, input: &'a [u8], position: usize) {
        self.bytes = input;
        self.position = position;
    }

    /// An error of `kind` at the current position.
    #[cold]
    pub fn fault(&self, kind: DecodeErrorKind) -> WireError {
        WireError::new(kind, self.position)
    }

    /// Reads a varint.
    #[inline(always)]
    pub fn read_varint(&mut self) -> WireResult<u64> {
        match varint::decode(self.remaining()) {
            Ok((value, len)) => {
                self.advance(len);
                Ok(value)
            }
            Err(kind) => Err(self.fault(kind)),
        }
    }

    /// Reads four bytes.
    #[inline(always)]
    pub fn read_fixed32(&mut self) -> WireResult<u32> {
        self.read_array().map(u32::from_le_bytes)
    }

    /// Reads eight bytes.
    #[inline(always)]
    pub fn read_fixed64(&mut self) -> WireResult<u64> {
        self.read_array().map(u64::from_le_bytes)
    }

    #[inline(always)]
    fn read_array<const N: usize>(&mut self) -> WireResult<[u8; N]> {
        match self.remaining().first_chunk::<N>() {
            Some(&bytes) => {
                self.advance(N);
                Ok(bytes)
            }
            None => Err(self.fault(DecodeErrorKind::Truncated)),
        }
    }

    /// Reads a length that does not go past the end of the message.
    #[inline(always)]
    pub fn read_len(&mut self) -> WireResult<usize> {
        let start = self.position;
        let length = self.read_varint()?;
        let available = self.remaining().len();
        match usize::try_from(length) {
            Ok(len) if len <= available => Ok(len),
            _ => Err(past_end(length, available, start)),
        }
    }

    /// Reads a length and the bytes that it covers.
    #[inline(always)]
    pub fn read_delimited(&mut self) -> WireResult<&'a [u8]> {
        let len = self.read_len()?;
        let payload = self.remaining().get(..len).unwrap_or_default();
        self.advance(len);
        Ok(payload)
    }

    /// Reads a tag. Padding up to five bytes is legal, a longer tag is not.
    #[inline(always)]
    pub fn read_tag(&mut self) -> WireResult<Tag> {
        let start = self.position;
        let raw = self.read_varint()?;
        let len = self.position.wrapping_sub(start);
        let tag = match u32::try_from(raw) {
            Ok(raw) if len <= 5 => Tag::from_raw(raw),
            _ => Err(DecodeErrorKind::OverlongTag),
        };
        tag.map_err(|kind| WireError::new(kind, start))
    }

    /// Moves past the value of a field with `tag`, which has just been read. `depth` is how many more levels of
    /// groups may open and `limit` the number to report if that is exceeded.
    pub fn skip_value(&mut self, tag: Tag, depth: u32, limit: u32) -> WireResult<()> {
        match tag.wire_type() {
            WireType::Varint => self.read_varint().map(drop),
            WireType::Fixed64 => self.read_fixed64().map(drop),
            WireType::Fixed32 => self.read_fixed32().map(drop),
            WireType::Delimited => self.read_delimited().map(drop),
            WireType::StartGroup => self.skip_group(tag.number(), depth, limit, &mut { usize::MAX }),
            WireType::EndGroup => Err(self.fault(DecodeErrorKind::UnmatchedEndGroup(tag.number()))),
        }
    }

    /// Moves past the rest of group `number`, as [`Cursor::skip_value`] does. `tags` is how many there may be in it, and is counted
    /// down: where there are more, it is too deep as well.
    ///
    /// The groups around the innermost one stand in a list, not on the call stack, so that hostile nesting costs four bytes a level
    /// and stops at the limit.
    #[inline(always)]
    pub fn skip_group(&mut self, number: u32, depth: u32, limit: u32, tags: &mut usize) -> WireResult<()> {
        let (mut around, mut innermost) = (Vec::new(), number);
        loop {
            if around.len() >= depth as usize || *tags == 0 {
                return Err(self.fault(DecodeErrorKind::TooDeep(limit)));
            }
            *tags = tags.saturating_sub(1);
            if self.is_at_end() {
                return Err(self.fault(DecodeErrorKind::UnclosedGroup(innermost)));
            }
            let start = self.position;
            let tag = self.read_tag()?;
            match tag.wire_type() {
                WireType::StartGroup => around.push(std::mem::replace(&mut innermost, tag.number())),
                WireType::EndGroup if tag.number() == innermost => match around.pop() {
                    Some(number) => innermost = number,
                    None => return Ok(()),
                },
                WireType::EndGroup => {
                    return Err(WireError::new(DecodeErrorKind::UnmatchedEndGroup(tag.number()), start));
                }
                _ => self.skip_value(tag, 0, limit)?,
            }
        }
    }
}

#[cold]
fn past_end(length: u64, available: usize, offset: usize) -> WireError {
    WireError::new(DecodeErrorKind::LengthPastEnd { length, available: available as u64 }, offset)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;

//! Many messages in one stream: where each lies, and what is written around it.
//!
//! Knows lengths, flags and checksums, no messages. A length from the stream is compared with the bytes that are there; it
//! decides nothing else. Where the stream ends inside a frame is for the caller to judge: more may be coming.

pub mod mcap;
mod frames;
mod prefix;
mod registry;
mod tfrecord;

use std::ops::Range;

pub use frames::{Ahead, Frames, Walk};
pub use registry::{RegistryHeader, SchemaId};

use crate::error::{DecodeErrorKind, WireError, WireResult};

/// How messages are set off from one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Not at all: the stream is one message.
    Single,
    /// By their lengths as varints: `writeDelimitedTo` of Java and C++, `serialize_length_prefixed` of Python, `protodelim` of Go.
    Delimited,
    /// By their lengths as four bytes, the highest first.
    U32Be,
    /// By their lengths as four bytes, the lowest first.
    U32Le,
    /// By their lengths as eight bytes, the highest first.
    U64Be,
    /// By their lengths as eight bytes, the lowest first.
    U64Le,
    /// As the records of TensorFlow: by their lengths as eight bytes, the lowest first, with checksums of length and data.
    TfRecord,
    /// As gRPC has them on the wire: a flag, and the length as four bytes, the highest first.
    Grpc,
}

/// A message in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The bytes of the message.
    pub payload: Range<usize>,
    /// The byte behind all that belongs to it.
    pub end: usize,
}

impl Framing {
    /// All of them, by the names that users give.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("delimited", Self::Delimited),
        ("tfrecord", Self::TfRecord),
        ("u32be", Self::U32Be),
        ("u32le", Self::U32Le),
        ("u64be", Self::U64Be),
        ("u64le", Self::U64Le),
        ("grpc", Self::Grpc),
        ("single", Self::Single),
    ];

    /// The framing of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find_map(|(known, framing)| (known == name).then_some(framing))
    }

    /// The name that users give.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find_map(|(name, framing)| (framing == self).then_some(name)).unwrap_or_default()
    }

    /// Finds the frame that starts at byte `at`; nothing where the bytes end before it does. Of a stream that is one message,
    /// only its reader knows the end.
    #[inline(always)]
    pub fn find(self, bytes: &[u8], at: usize) -> WireResult<Option<Frame>> {
        let fault = |kind| WireError::new(kind, at);
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((start, len)) = prefix::read(self, rest).map_err(fault)? else { return Ok(None) };
        let Ok(len) = usize::try_from(len) else { return Err(fault(DecodeErrorKind::IllegalFrameLength)) };
        let footer = if self == Self::TfRecord { tfrecord::CHECKSUM_LEN } else { 0 };
        let frame_len = len.checked_add(start).and_then(|len| len.checked_add(footer));
        let Some(frame_len) = frame_len else { return Err(fault(DecodeErrorKind::IllegalFrameLength)) };
        // What is left is at least as long as the frame, so no sum goes past the end of the bytes.
        Ok((frame_len <= rest.len()).then(|| Frame { payload: at + start..at + start + len, end: at + frame_len }))
    }

    /// Checks what a frame says of its own message: a checksum, a flag. `at` is where the frame starts.
    pub fn check(self, bytes: &[u8], at: usize, frame: &Frame) -> WireResult<()> {
        let header = bytes.get(at..frame.payload.start).unwrap_or_default();
        let payload = bytes.get(frame.payload.clone()).unwrap_or_default();
        let footer = bytes.get(frame.payload.end..frame.end).unwrap_or_default();
        let checked = match self {
            Self::TfRecord => tfrecord::check_data(payload, footer),
            Self::Grpc if header.first() == Some(&1) => Err(DecodeErrorKind::CompressedFrame),
            _ => Ok(()),
        };
        checked.map_err(|kind| WireError::new(kind, at))
    }

    /// Appends what stands in front of a message of `len` bytes. Fails where its length has no room there.
    pub fn put_header(self, len: usize, out: &mut Vec<u8>) -> Result<(), TooLong> {
        prefix::put(self, len, out)
    }

    /// Appends what stands behind a message.
    pub fn put_footer(self, payload: &[u8], out: &mut Vec<u8>) {
        if self == Self::TfRecord {
            out.extend(tfrecord::masked_checksum(payload).to_le_bytes());
        }
    }
}

/// A message that is too long for the length in its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of {0} bytes is too long for its frame, whose length has four bytes; use framing=\"delimited\"")]
pub struct TooLong(pub usize);

#[cfg(test)]
mod tests;

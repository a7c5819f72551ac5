//! The records of MCAP, the files in which robots log: messages with their times, and the channels and schemas that say what
//! they are. The layout is documented at <https://mcap.dev/spec>.
//!
//! Every record has a byte that says what it is, and a length. What is not needed to find messages is written, but not read:
//! indexes, statistics. Attachments and metadata are neither.

#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod put;

pub use put::{
    CHUNK_INDEX, ChunkIndex, ChunkStart, STATISTICS, Span, Statistics, put_data_end, put_footer_start, put_header,
    put_message_index, put_summary_offset,
};

use std::ops::Range;

use crate::error::McapFault;

/// What an MCAP file begins and ends with.
pub const MAGIC: [u8; 8] = *b"\x89MCAP0\r\n";

/// The bytes in front of a record's content.
pub const HEADER_LEN: usize = 9;

/// The record at the end of a file.
pub const FOOTER: u8 = 0x02;
/// A schema.
pub const SCHEMA: u8 = 0x03;
/// A channel.
pub const CHANNEL: u8 = 0x04;
/// A message.
pub const MESSAGE: u8 = 0x05;
/// Schemas, channels and messages, which may be compressed together.
pub const CHUNK: u8 = 0x06;
/// The record behind the last message.
pub const DATA_END: u8 = 0x0f;

/// The longest text, and the longest descriptor set: their lengths have four bytes.
pub const MAX_TEXT_LEN: u32 = u32::MAX;

/// The encoding of schemas and messages that are protobuf.
pub const PROTOBUF: &str = "protobuf";

/// What stands in front of a record's content.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// What it is.
    pub opcode: u8,
    /// The bytes of its content.
    pub len: u64,
}

impl From<[u8; HEADER_LEN]> for Header {
    fn from([opcode, len @ ..]: [u8; HEADER_LEN]) -> Self {
        Self { opcode, len: u64::from_le_bytes(len) }
    }
}

impl From<Header> for [u8; HEADER_LEN] {
    fn from(header: Header) -> Self {
        let [a, b, c, d, e, f, g, h] = header.len.to_le_bytes();
        [header.opcode, a, b, c, d, e, f, g, h]
    }
}

/// A record among others.
#[derive(Debug)]
pub struct Record<'a> {
    /// What it is.
    pub opcode: u8,
    /// Its content.
    pub content: &'a [u8],
    /// The byte at which its content starts.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
}

/// The record at byte `at`; nothing at the end.
pub fn record_at(bytes: &[u8], at: usize) -> Result<Option<Record<'_>>, McapFault> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(None);
    }
    let (header, behind) = rest.split_first_chunk::<HEADER_LEN>().ok_or(McapFault::Record)?;
    let Header { opcode, len } = Header::from(*header);
    let len = usize::try_from(len).map_err(|_| McapFault::Record)?;
    let content = behind.get(..len).ok_or(McapFault::Record)?;
    // What is left is at least as long as the record, so no sum goes past the end of the bytes.
    let start = at.saturating_add(HEADER_LEN);
    Ok(Some(Record { opcode, content, start, end: start.saturating_add(len) }))
}

/// What the messages of a channel are.
#[derive(Debug)]
pub struct Schema<'a> {
    /// Its number in the file.
    pub id: u16,
    /// Of protobuf: the full name of the message type.
    pub name: &'a str,
    /// How it is written.
    pub encoding: &'a str,
    /// Of protobuf: a `FileDescriptorSet`.
    pub data: &'a [u8],
}

impl<'a> Schema<'a> {
    /// Reads a record's content.
    pub fn read(content: &'a [u8]) -> Result<Self, McapFault> {
        let mut fields = Fields(content);
        let id = fields.read_u16()?;
        let (name, encoding) = (fields.read_text()?, fields.read_text()?);
        Ok(Self { id, name, encoding, data: fields.read_bytes()? })
    }
}

/// Messages of one topic and type.
#[derive(Debug)]
pub struct Channel<'a> {
    /// Its number in the file.
    pub id: u16,
    /// The number of its schema; 0 for none.
    pub schema: u16,
    /// What its messages are about.
    pub topic: &'a str,
    /// How its messages are written.
    pub encoding: &'a str,
}

impl<'a> Channel<'a> {
    /// Reads a record's content.
    pub fn read(content: &'a [u8]) -> Result<Self, McapFault> {
        let mut fields = Fields(content);
        let (id, schema) = (fields.read_u16()?, fields.read_u16()?);
        Ok(Self { id, schema, topic: fields.read_text()?, encoding: fields.read_text()? })
    }
}

/// What stands in front of a message.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The number of its channel.
    pub channel: u16,
    /// Its number in the channel.
    pub sequence: u32,
    /// When it was recorded, in nanoseconds.
    pub log_time: u64,
    /// When it was published, in nanoseconds.
    pub publish_time: u64,
}

impl Stamp {
    /// The bytes that it takes.
    pub const LEN: usize = 22;

    /// Reads the start of a record's content.
    pub fn read(content: &[u8]) -> Result<Self, McapFault> {
        let mut fields = Fields(content);
        let (channel, sequence) = (fields.read_u16()?, fields.read_u32()?);
        Ok(Self { channel, sequence, log_time: fields.read_u64()?, publish_time: fields.read_u64()? })
    }
}

/// What a chunk says of the records in it.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// The bytes that they take when they are not compressed.
    pub len: u64,
    /// The CRC-32 of these; 0 where there is none.
    pub checksum: u32,
    /// How they are compressed; empty where they are not.
    pub compression: &'a str,
    /// Where they lie in the content.
    pub records: Range<usize>,
}

impl<'a> Chunk<'a> {
    /// Reads a record's content.
    pub fn read(content: &'a [u8]) -> Result<Self, McapFault> {
        let mut fields = Fields(content);
        let _times = (fields.read_u64()?, fields.read_u64()?);
        let (len, checksum) = (fields.read_u64()?, fields.read_u32()?);
        let compression = fields.read_text()?;
        let records_len = usize::try_from(fields.read_u64()?).map_err(|_| McapFault::Record)?;
        let start = content.len().saturating_sub(fields.0.len());
        fields.take(records_len)?;
        Ok(Self { len, checksum, compression, records: start..start.saturating_add(records_len) })
    }
}

/// Reads the checksum of all that stands in front of the record behind the last message; 0 where there is none.
pub fn read_data_end(content: &[u8]) -> Result<u32, McapFault> {
    Fields(content).read_u32()
}

/// Reads where the summary starts, from the record at the end of a file; 0 where there is none.
pub fn read_footer(content: &[u8]) -> Result<u64, McapFault> {
    Fields(content).read_u64()
}

/// The fields of a record that have not been read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], McapFault> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(McapFault::Record)?;
        self.0 = rest;
        Ok(taken)
    }

    fn read<const LEN: usize>(&mut self) -> Result<[u8; LEN], McapFault> {
        let (read, rest) = self.0.split_first_chunk().ok_or(McapFault::Record)?;
        self.0 = rest;
        Ok(*read)
    }

    fn read_u16(&mut self) -> Result<u16, McapFault> {
        self.read().map(u16::from_le_bytes)
    }

    fn read_u32(&mut self) -> Result<u32, McapFault> {
        self.read().map(u32::from_le_bytes)
    }

    fn read_u64(&mut self) -> Result<u64, McapFault> {
        self.read().map(u64::from_le_bytes)
    }

    fn read_bytes(&mut self) -> Result<&'a [u8], McapFault> {
        let len = self.read_u32()?;
        self.take(usize::try_from(len).map_err(|_| McapFault::Record)?)
    }

    fn read_text(&mut self) -> Result<&'a str, McapFault> {
        str::from_utf8(self.read_bytes()?).map_err(|_| McapFault::Record)
    }
}

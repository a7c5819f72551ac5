//! Messages of one type written as an MCAP file: in chunks, behind the schema and their channels, and with indexes.
//!
//! Schema and channels stand outside of chunks, so that none is lost with a damaged one. In memory are one chunk, and for each
//! chunk before it what the summary says of it. Nothing is appended to a file that is complete: its summary is its end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;

use flate2::Crc;

use super::records::checksum_of;
use super::stamps::Stamps;
use super::summary::{Channel, SCHEMA_ID, Summary};
use crate::encode::Measured;
use crate::framing::mcap::{self, ChunkIndex, ChunkStart, Schema, Span, Stamp};
use crate::stream::writer::{PIECE, WriteError, next_piece};
use crate::stream::{Compression, Compressor};

/// Writes an MCAP file.
pub struct McapWriter<W: Write> {
    out: Checked<W>,
    compression: Option<Compression>,
    summary: Summary,
    /// Which of the channels each topic has.
    numbers: HashMap<Arc<str>, usize>,
    chunk: Chunk,
}

/// Why topics cannot have channels in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicsFault {
    /// There are too many.
    #[error("there are {0} topics, and an MCAP file has room for 65535; write the others to another file")]
    TooMany(usize),
    /// A name is too long.
    #[error("a topic's name has {0} bytes, and MCAP has room for 4294967295")]
    TooLong(usize),
}

impl<W: Write> McapWriter<W> {
    /// A writer of messages of one type, with its full name and descriptor set, to another writer. Chunks are compressed by
    /// Zstandard, as LZ4 frames or not at all: MCAP knows no other way.
    ///
    /// # Panics
    ///
    /// Panics where the descriptor set is longer than [`mcap::MAX_TEXT_LEN`].
    pub fn new(writer: W, message: &str, descriptor_set: &[u8], compression: Option<Compression>) -> Self {
        let schema = Schema { id: SCHEMA_ID, name: message, encoding: mcap::PROTOBUF, data: descriptor_set };
        let mut schema_record = Vec::new();
        schema.put(&mut schema_record);
        let mut start = mcap::MAGIC.to_vec();
        mcap::put_header(concat!("wirearray ", env!("CARGO_PKG_VERSION")), &mut start);
        start.extend_from_slice(&schema_record);
        let out = Checked { writer, start, len: 0, checksum: Crc::new() };
        let summary = Summary::new(schema_record);
        Self { out, compression, summary, numbers: HashMap::new(), chunk: Chunk::default() }
    }

    /// Writes messages, with what is to be said of each. Topics that have no room are found before any is written.
    ///
    /// # Panics
    ///
    /// Panics where not as much is said as there are messages.
    pub fn write(&mut self, messages: &Measured<'_>, stamps: &Stamps) -> Result<(), WriteError> {
        let count = messages.lens().len();
        let Stamps { log_times, publish_times, sequences, topics, .. } = stamps;
        let is_whole = [log_times.len(), publish_times.len(), topics.len()] == [count; 3];
        assert!(is_whole && (sequences.is_empty() || sequences.len() == count), "there is a stamp for each message");
        let channels = self.declare(stamps)?;
        let mut rows = 0..0;
        while rows.end < count {
            rows = next_piece(messages.lens(), rows.end);
            let encoded = messages.to_strings_of(rows.clone())?;
            for (entry, row) in rows.clone().enumerate() {
                let number = channels[topics[row] as usize];
                let channel = &mut self.summary.channels[number];
                let sequence = sequences.get(row).copied().unwrap_or(channel.messages as u32);
                channel.messages += 1;
                let (log_time, publish_time) = (log_times[row], publish_times[row]);
                let stamp = Stamp { channel: channel.id, sequence, log_time, publish_time };
                self.put(&stamp, encoded.get(entry).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// Writes what ends the file, and returns the writer behind it.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.begin()?;
        self.write_chunk()?;
        let mut end = Vec::new();
        mcap::put_data_end(self.out.checksum.sum(), &mut end);
        self.out.write_all(&end)?;
        let mut end = self.summary.records(self.out.len);
        let checksum = checksum_of(&end);
        end.extend(checksum.to_le_bytes());
        end.extend(mcap::MAGIC);
        self.out.write_all(&end)?;
        Ok(self.out.writer)
    }

    /// Declares channels for the topics of messages that have none, and says which channel each of the topics has.
    fn declare(&mut self, stamps: &Stamps) -> Result<Vec<usize>, WriteError> {
        let names = &stamps.topic_names;
        let mut is_used = vec![false; names.len()];
        stamps.topics.iter().for_each(|&topic| is_used[topic as usize] = true);
        let used = || (0..names.len()).filter(|&topic| is_used[topic]);
        if let Some(len) = used().map(|topic| names[topic].len()).find(|&len| len > mcap::MAX_TEXT_LEN as usize) {
            return Err(TopicsFault::TooLong(len).into());
        }
        let fresh: HashSet<&str> =
            used().map(|topic| &*names[topic]).filter(|name| !self.numbers.contains_key(*name)).collect();
        let count = self.numbers.len() + fresh.len();
        if count > usize::from(u16::MAX) {
            return Err(TopicsFault::TooMany(count).into());
        }
        let mut channels = vec![usize::MAX; names.len()];
        for topic in used() {
            channels[topic] = match self.numbers.get(&names[topic]) {
                Some(number) => *number,
                None => self.declare_channel(&names[topic])?,
            };
        }
        Ok(channels)
    }

    fn declare_channel(&mut self, topic: &Arc<str>) -> io::Result<usize> {
        let number = self.summary.channels.len();
        let id = u16::try_from(number + 1).expect("they have been counted");
        let channel = Channel { id, topic: Arc::clone(topic), messages: 0 };
        let mut record = Vec::new();
        channel.put(&mut record);
        self.out.write_all(&record)?;
        self.summary.channels.push(channel);
        self.numbers.insert(Arc::clone(topic), number);
        Ok(number)
    }

    fn put(&mut self, stamp: &Stamp, message: &[u8]) -> io::Result<()> {
        let len = self.chunk.records.len() + mcap::HEADER_LEN + Stamp::LEN + message.len();
        if len as u64 > PIECE {
            self.write_chunk()?;
        }
        self.chunk.push(stamp, message);
        Ok(())
    }

    /// Writes the chunk, if anything is in it, and begins another.
    fn write_chunk(&mut self) -> io::Result<()> {
        if self.chunk.records.is_empty() {
            return Ok(());
        }
        let records = &self.chunk.records;
        let start = ChunkStart {
            span: self.chunk.span,
            len: records.len() as u64,
            checksum: checksum_of(records),
            compression: self.compression.map_or("", Compression::name),
        };
        let mut compressor = Compressor::new(Vec::new(), self.compression)?;
        compressor.write_all(records)?;
        let compressed = compressor.finish()?;
        let mut out = Vec::with_capacity(compressed.len() + (64 << 10));
        start.put(&compressed, &mut out);
        let record_len = out.len() as u64;
        let mut indexes = Vec::with_capacity(self.chunk.indexes.len());
        for (channel, messages) in &mut self.chunk.indexes {
            indexes.push((*channel, self.out.len + out.len() as u64));
            // Readers that want the order of time may take it from here; what has the same time stays as it came.
            messages.sort_by_key(|&(time, _)| time);
            mcap::put_message_index(*channel, messages, &mut out);
        }
        self.summary.push(ChunkIndex {
            chunk: start,
            start: self.out.len,
            record_len,
            compressed_len: compressed.len() as u64,
            indexes,
            indexes_len: out.len() as u64 - record_len,
        });
        self.chunk.clear();
        self.out.write_all(&out)
    }
}

/// Messages that are written together.
#[derive(Default)]
struct Chunk {
    records: Vec<u8>,
    span: Span,
    /// The time of each message of a channel, and its place among the records.
    indexes: BTreeMap<u16, Vec<(u64, u64)>>,
}

impl Chunk {
    fn push(&mut self, stamp: &Stamp, message: &[u8]) {
        let time = stamp.log_time;
        self.span = match self.records.is_empty() {
            true => Span { start: time, end: time },
            false => self.span.with(Span { start: time, end: time }),
        };
        self.indexes.entry(stamp.channel).or_default().push((time, self.records.len() as u64));
        stamp.put(message, &mut self.records);
    }

    fn clear(&mut self) {
        self.records.clear();
        self.indexes.clear();
    }
}

/// A writer that counts and sums up what goes through it.
struct Checked<W> {
    writer: W,
    /// What is written before all else, and not before there is something else: messages may turn out to be none.
    start: Vec<u8>,
    len: u64,
    checksum: Crc,
}

impl<W: Write> Checked<W> {
    fn begin(&mut self) -> io::Result<()> {
        match &*std::mem::take(&mut self.start) {
            [] => Ok(()),
            start => self.write_all(start),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.begin()?;
        self.writer.write_all(bytes)?;
        self.len += bytes.len() as u64;
        self.checksum.update(bytes);
        Ok(())
    }
}

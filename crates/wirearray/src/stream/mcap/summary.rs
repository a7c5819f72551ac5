//! What stands behind the messages of an MCAP file, for those who want to know what is in it, or to read only some of it.

use std::sync::Arc;

use crate::framing::mcap::{self, ChunkIndex, Span, Statistics};

/// The number of the one schema; 0 would be none.
pub(super) const SCHEMA_ID: u16 = 1;

/// Messages of one topic.
pub(super) struct Channel {
    pub(super) id: u16,
    pub(super) topic: Arc<str>,
    /// How many there are.
    pub(super) messages: u64,
}

impl Channel {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        mcap::Channel { id: self.id, schema: SCHEMA_ID, topic: &self.topic, encoding: mcap::PROTOBUF }.put(out);
    }
}

/// What has been written so far.
pub(super) struct Summary {
    /// The record of the one schema.
    schema: Vec<u8>,
    pub(super) channels: Vec<Channel>,
    chunks: Vec<ChunkIndex>,
}

impl Summary {
    pub(super) fn new(schema: Vec<u8>) -> Self {
        Self { schema, channels: Vec::new(), chunks: Vec::new() }
    }

    pub(super) fn push(&mut self, chunk: ChunkIndex) {
        self.chunks.push(chunk);
    }

    /// The records of a summary that starts at that byte of the file, and of the footer all but the checksum, which is that of
    /// these bytes.
    pub(super) fn records(&self, start: u64) -> Vec<u8> {
        let (mut out, mut groups) = (Vec::new(), Vec::new());
        let mut group = |opcode, out: &mut Vec<u8>, put: &dyn Fn(&mut Vec<u8>)| {
            let before = out.len();
            put(out);
            // Readers take an offset for the promise that something is there.
            if out.len() > before {
                groups.push((opcode, start + before as u64, (out.len() - before) as u64));
            }
        };
        group(mcap::SCHEMA, &mut out, &|out| out.extend_from_slice(&self.schema));
        group(mcap::CHANNEL, &mut out, &|out| self.channels.iter().for_each(|channel| channel.put(out)));
        group(mcap::STATISTICS, &mut out, &|out| self.put_statistics(out));
        group(mcap::CHUNK_INDEX, &mut out, &|out| self.chunks.iter().for_each(|chunk| chunk.put(out)));
        let offsets = start + out.len() as u64;
        for (opcode, start, len) in groups {
            mcap::put_summary_offset(opcode, start, len, &mut out);
        }
        mcap::put_footer_start(start, offsets, &mut out);
        out
    }

    fn put_statistics(&self, out: &mut Vec<u8>) {
        let spans = self.chunks.iter().map(|index| index.chunk.span);
        let messages: Vec<_> = self.channels.iter().map(|channel| (channel.id, channel.messages)).collect();
        let statistics = Statistics {
            schemas: 1,
            // Four billion chunks of a mebibyte are more than a disk holds.
            chunks: u32::try_from(self.chunks.len()).unwrap_or(u32::MAX),
            span: spans.reduce(Span::with).unwrap_or_default(),
            messages: &messages,
        };
        statistics.put(out);
    }
}

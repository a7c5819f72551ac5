//! The records of MCAP as they are written: those that are read, and the indexes, statistics and offsets that others look for.

use super::{CHANNEL, CHUNK, Channel, DATA_END, FOOTER, HEADER_LEN, Header, MESSAGE, SCHEMA, Stamp};

/// The record at the start of a file.
const HEADER: u8 = 0x01;
/// Where the messages of a channel lie in a chunk.
const MESSAGE_INDEX: u8 = 0x07;
/// Where a chunk lies in a file.
pub const CHUNK_INDEX: u8 = 0x08;
/// How much is in a file.
pub const STATISTICS: u8 = 0x0b;
/// Where records of one sort lie in the summary.
const SUMMARY_OFFSET: u8 = 0x0e;

/// The bytes of the checksum that ends the footer.
const SUMMARY_CHECKSUM_LEN: usize = 4;

/// Appends the record at the start of a file: it follows no profile, and was written by this library.
pub fn put_header(library: &str, out: &mut Vec<u8>) {
    put_record(HEADER, out, |content| {
        put_text("", content);
        put_text(library, content);
    });
}

impl super::Schema<'_> {
    /// Appends the record.
    ///
    /// # Panics
    ///
    /// Panics where text or data is longer than [`super::MAX_TEXT_LEN`].
    pub fn put(&self, out: &mut Vec<u8>) {
        put_record(SCHEMA, out, |content| {
            content.extend(self.id.to_le_bytes());
            put_text(self.name, content);
            put_text(self.encoding, content);
            put_bytes(self.data, content);
        });
    }
}

impl Channel<'_> {
    /// Appends the record, without metadata.
    ///
    /// # Panics
    ///
    /// Panics where text is longer than [`super::MAX_TEXT_LEN`].
    pub fn put(&self, out: &mut Vec<u8>) {
        put_record(CHANNEL, out, |content| {
            content.extend(self.id.to_le_bytes());
            content.extend(self.schema.to_le_bytes());
            put_text(self.topic, content);
            put_text(self.encoding, content);
            put_bytes(b"", content);
        });
    }
}

impl Stamp {
    /// Appends the record of a message.
    pub fn put(&self, message: &[u8], out: &mut Vec<u8>) {
        put_record_header(MESSAGE, Self::LEN.saturating_add(message.len()), out);
        out.extend(self.channel.to_le_bytes());
        out.extend(self.sequence.to_le_bytes());
        out.extend(self.log_time.to_le_bytes());
        out.extend(self.publish_time.to_le_bytes());
        out.extend_from_slice(message);
    }
}

/// The first and the last time at which messages were recorded; zero twice where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub start: u64,
    /// The last.
    pub end: u64,
}

impl Span {
    /// The one of both.
    pub fn with(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend(self.start.to_le_bytes());
        out.extend(self.end.to_le_bytes());
    }
}

/// What is said of a chunk in front of its records.
#[derive(Debug, Clone, Copy)]
pub struct ChunkStart {
    /// When its messages were recorded.
    pub span: Span,
    /// The bytes of its records when they are not compressed.
    pub len: u64,
    /// The CRC-32 of these.
    pub checksum: u32,
    /// How they are compressed; empty where they are not.
    pub compression: &'static str,
}

impl ChunkStart {
    /// Appends the record of a chunk with these records, which may be compressed.
    pub fn put(&self, records: &[u8], out: &mut Vec<u8>) {
        // Four numbers of eight bytes and one of four stand beside the name.
        let rest = [8, 8, 8, 4, 4, self.compression.len(), 8];
        let len = rest.into_iter().fold(records.len(), usize::saturating_add);
        put_record_header(CHUNK, len, out);
        self.span.put(out);
        out.extend(self.len.to_le_bytes());
        out.extend(self.checksum.to_le_bytes());
        put_text(self.compression, out);
        out.extend((records.len() as u64).to_le_bytes());
        out.extend_from_slice(records);
    }
}

/// Appends where the messages of a channel lie in the chunk before: the time of each, and its place among the records.
///
/// # Panics
///
/// Panics where they are so many that their index is longer than [`super::MAX_TEXT_LEN`].
pub fn put_message_index(channel: u16, messages: &[(u64, u64)], out: &mut Vec<u8>) {
    put_record(MESSAGE_INDEX, out, |content| {
        content.extend(channel.to_le_bytes());
        put_map(messages, u64::to_le_bytes, content);
    });
}

/// Where a chunk lies in a file, and what is in it.
#[derive(Debug)]
pub struct ChunkIndex {
    /// What stands in front of its records.
    pub chunk: ChunkStart,
    /// The byte at which its record starts.
    pub start: u64,
    /// The bytes of its record.
    pub record_len: u64,
    /// The bytes of its records as they lie in it.
    pub compressed_len: u64,
    /// The byte at which the message index of each of its channels starts.
    pub indexes: Vec<(u16, u64)>,
    /// The bytes of all of these.
    pub indexes_len: u64,
}

impl ChunkIndex {
    /// Appends the record.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_record(CHUNK_INDEX, out, |content| {
            self.chunk.span.put(content);
            content.extend(self.start.to_le_bytes());
            content.extend(self.record_len.to_le_bytes());
            put_map(&self.indexes, u16::to_le_bytes, content);
            content.extend(self.indexes_len.to_le_bytes());
            put_text(self.chunk.compression, content);
            content.extend(self.compressed_len.to_le_bytes());
            content.extend(self.chunk.len.to_le_bytes());
        });
    }
}

/// How much is in a file.
#[derive(Debug)]
pub struct Statistics<'a> {
    /// How many schemas.
    pub schemas: u16,
    /// How many chunks.
    pub chunks: u32,
    /// When messages were recorded.
    pub span: Span,
    /// How many messages there are in each channel.
    pub messages: &'a [(u16, u64)],
}

impl Statistics<'_> {
    /// Appends the record: there are neither attachments nor metadata.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_record(STATISTICS, out, |content| {
            let messages: u64 = self.messages.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count));
            content.extend(messages.to_le_bytes());
            content.extend(self.schemas.to_le_bytes());
            put_len(self.messages.len(), content);
            content.extend([0; 8]);
            content.extend(self.chunks.to_le_bytes());
            self.span.put(content);
            put_map(self.messages, u16::to_le_bytes, content);
        });
    }
}

/// Appends the record behind the last message, with the CRC-32 of all in front of it.
pub fn put_data_end(checksum: u32, out: &mut Vec<u8>) {
    put_record(DATA_END, out, |content| content.extend(checksum.to_le_bytes()));
}

/// Appends where the records of one sort lie in the summary.
pub fn put_summary_offset(opcode: u8, start: u64, len: u64, out: &mut Vec<u8>) {
    put_record(SUMMARY_OFFSET, out, |content| {
        content.push(opcode);
        content.extend(start.to_le_bytes());
        content.extend(len.to_le_bytes());
    });
}

/// Appends the record at the end of a file, but for the checksum that ends it: where the summary starts, and where its offsets
/// do. The CRC-32 is that of the summary and of what is appended here.
pub fn put_footer_start(summary: u64, offsets: u64, out: &mut Vec<u8>) {
    put_record_header(FOOTER, SUMMARY_CHECKSUM_LEN.saturating_add(16), out);
    out.extend(summary.to_le_bytes());
    out.extend(offsets.to_le_bytes());
}

fn put_record(opcode: u8, out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    put(&mut content);
    put_record_header(opcode, content.len(), out);
    out.append(&mut content);
}

fn put_record_header(opcode: u8, len: usize, out: &mut Vec<u8>) {
    out.extend(<[u8; HEADER_LEN]>::from(Header { opcode, len: len as u64 }));
}

/// Pairs of a key and eight bytes.
fn put_map<K: Copy, const LEN: usize>(pairs: &[(K, u64)], key: impl Fn(K) -> [u8; LEN], out: &mut Vec<u8>) {
    put_len(pairs.len().saturating_mul(LEN.saturating_add(8)), out);
    for &(each, value) in pairs {
        out.extend(key(each));
        out.extend(value.to_le_bytes());
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put_bytes(text.as_bytes(), out);
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_len(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn put_len(len: usize, out: &mut Vec<u8>) {
    out.extend(u32::try_from(len).expect("what is longer is refused before").to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(opcode: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        [&[opcode][..], &(content.len() as u64).to_le_bytes(), &content].concat()
    }

    fn written(put: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out);
        out
    }

    /// Numbers of eight bytes, one after the other.
    fn wide<const LEN: usize>(numbers: [u64; LEN]) -> Vec<u8> {
        numbers.into_iter().flat_map(u64::to_le_bytes).collect()
    }

    #[test]
    fn records_are_as_the_specification_has_them() {
        let header = written(|out| put_header("lib", out));
        assert_eq!(header, record(0x01, &[&[0; 4], &[3, 0, 0, 0], b"lib"]));

        let index = written(|out| put_message_index(5, &[(10, 0), (11, 40)], out));
        assert_eq!(index, record(0x07, &[&[5, 0], &[32, 0, 0, 0], &wide([10, 0, 11, 40])]));

        let span = Span { start: 4, end: 4 }.with(Span { start: 3, end: 1 });
        let chunk = ChunkStart { span, len: 100, checksum: 9, compression: "lz4" };
        let index = ChunkIndex {
            chunk,
            start: 20,
            record_len: 70,
            compressed_len: 50,
            indexes: vec![(5, 90)],
            indexes_len: 30,
        };
        let map = [&[10, 0, 0, 0, 5, 0][..], &wide([90])].concat();
        let sizes = [&wide([30])[..], &[3, 0, 0, 0], b"lz4", &wide([50, 100])].concat();
        assert_eq!(written(|out| index.put(out)), record(0x08, &[&wide([3, 4, 20, 70]), &map, &sizes]));

        let statistics = Statistics { schemas: 1, chunks: 2, span, messages: &[(5, 6), (7, 8)] };
        // One schema, two channels, neither attachments nor metadata, two chunks.
        let counts = [&wide([14])[..], &[1, 0], &[2, 0, 0, 0], &[0; 8], &[2, 0, 0, 0]].concat();
        let map = [&[20, 0, 0, 0, 5, 0][..], &wide([6]), &[7, 0], &wide([8])].concat();
        assert_eq!(written(|out| statistics.put(out)), record(0x0b, &[&counts, &wide([3, 4]), &map]));
    }

    #[test]
    fn the_end_of_a_file_says_where_its_summary_starts() {
        let footer = written(|out| put_footer_start(77, 88, out));
        // The checksum comes behind it.
        assert_eq!([&footer[..], &[0; 4]].concat(), record(0x02, &[&wide([77, 88]), &[0; 4]]));
        let content = footer.get(HEADER_LEN..).unwrap();
        assert_eq!(super::super::read_footer(content), Ok(77));
        assert!(super::super::read_footer(content.get(..7).unwrap()).is_err());
    }
}

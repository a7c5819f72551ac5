//! The records of an MCAP file that say of messages what and where they are: a chunk of them at a time, or as many as stand
//! together outside of chunks. All others are passed over.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;

use flate2::Crc;

use crate::column::{Owner, Taken};
use crate::error::{Checked, DecodeErrorKind, McapFault, WireError};
use crate::framing::mcap::{self, Chunk, Header};
use crate::parallel::Fault;
use crate::stream::chunk::Origin;
use crate::stream::window::CHUNK;
use crate::stream::{Compression, decompressed};

/// Bytes that are set aside for what a chunk says it holds, before it is known to: more than usual ones do. What a chunk has
/// beyond them counts as memory that decoding takes.
const ROOM: u64 = 16 << 20;

/// Schemas, channels and messages.
pub(super) struct Block {
    pub(super) bytes: Owner,
    /// The byte at which the next of them starts.
    pub(super) at: usize,
    pub(super) origin: Origin,
}

/// Bytes that were read, and what was taken from the budget for them.
#[derive(Default)]
struct Counted {
    bytes: Vec<u8>,
    taken: Taken,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Counted {
    /// Appends so many bytes, or as many as there are; says how many they were.
    fn read(&mut self, mut reader: impl Read, len: u64) -> io::Result<u64> {
        let (mut left, mut room) = (len, ROOM.saturating_sub(self.bytes.len() as u64).max(1));
        while left > 0 {
            let read = (&mut reader).take(left.min(room)).read_to_end(&mut self.bytes)? as u64;
            left -= read;
            if left == 0 || read < room {
                break;
            }
            // What a length says is not believed, so memory is taken as bytes come, as much again as there are.
            self.taken.add(self.bytes.len());
            room = self.bytes.len() as u64;
        }
        Ok(len - left)
    }
}

pub(super) struct Records {
    reader: BufReader<Box<dyn Read + Send>>,
    name: Option<Arc<str>>,
    is_verified: bool,
    /// The byte of the file at which the next record starts.
    position: u64,
    /// Its header, where that has been read already.
    header: Option<Header>,
    /// Of all records in front of it.
    checksum: Crc,
    is_over: bool,
    /// What happened behind the records that were given out last.
    fault: Option<Fault>,
}

impl Records {
    /// The records of an MCAP file.
    pub(super) fn new(reader: Box<dyn Read + Send>, name: Option<Arc<str>>, verify: bool) -> Self {
        Self {
            reader: BufReader::with_capacity(CHUNK, reader),
            name,
            is_verified: verify,
            position: 0,
            header: None,
            checksum: Crc::new(),
            is_over: false,
            fault: None,
        }
    }

    /// The next of them; nothing behind the last message. After a chunk that is bad, the next call goes on behind it.
    pub(super) fn next_block(&mut self) -> Result<Option<Block>, Fault> {
        let block = match self.fault.take() {
            Some(fault) => Err(fault),
            None => self.find_block(),
        };
        self.is_over |= matches!(block, Err(Fault::Frame(_) | Fault::Source(_)));
        block
    }

    /// The byte of the file behind all that has been read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    fn find_block(&mut self) -> Result<Option<Block>, Fault> {
        if self.position == 0 {
            self.read_magic()?;
        }
        while !self.is_over {
            let header = self.peek()?;
            match header.opcode {
                mcap::CHUNK => return self.read_chunk(header).map(Some),
                mcap::DATA_END => self.read_end(header)?,
                _ if is_loose(header) => return self.read_loose().map(Some),
                _ => self.skip(header)?,
            }
        }
        Ok(None)
    }

    fn read_magic(&mut self) -> Result<(), Fault> {
        let magic = self.read_few(mcap::MAGIC.len())?;
        if magic != mcap::MAGIC {
            return Err(Fault::Frame(self.origin().error(WireError::new(DecodeErrorKind::Mcap(McapFault::Magic), 0))));
        }
        self.checksum.update(&magic);
        self.position = magic.len() as u64;
        Ok(())
    }

    /// Records outside of chunks: as many as stand together, or as are worth it.
    fn read_loose(&mut self) -> Result<Block, Fault> {
        let origin = self.origin();
        let mut records = Counted::default();
        while records.bytes.len() < CHUNK {
            let taken = self.peek().and_then(|header| match is_loose(header) {
                true => self.take(header, &mut records).map(|()| true),
                false => Ok(false),
            });
            match taken {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) if records.bytes.is_empty() => return Err(fault),
                Err(fault) => {
                    self.fault = Some(fault);
                    break;
                }
            }
        }
        Ok(Block { bytes: Arc::new(records), at: 0, origin })
    }

    fn read_chunk(&mut self, header: Header) -> Result<Block, Fault> {
        let (origin, mut record) = (self.origin(), Counted::default());
        self.take(header, &mut record)?;
        let bad = |kind| Fault::Message(origin.error(WireError::new(kind, 0)));
        let Chunk { len, checksum, compression, records } =
            Chunk::read(&record.bytes[mcap::HEADER_LEN..]).map_err(|fault| bad(DecodeErrorKind::Mcap(fault)))?;
        let compression = match compression {
            "" => None,
            name => Some(Compression::of_name(name).ok_or(bad(DecodeErrorKind::Mcap(McapFault::Compression)))?),
        };
        record.bytes.truncate(mcap::HEADER_LEN + records.end);
        let at = mcap::HEADER_LEN + records.start;
        let (contents, at) = match compression {
            None => (record, at),
            Some(compression) => {
                let unpacked = unpacked(record, at, compression, len);
                (unpacked.ok_or_else(|| bad(DecodeErrorKind::Mcap(McapFault::Chunk)))?, 0)
            }
        };
        if self.is_verified && checksum != 0 && checksum_of(&contents.bytes[at..]) != checksum {
            return Err(bad(DecodeErrorKind::FrameChecksum(Checked::Data)));
        }
        Ok(Block { bytes: Arc::new(contents), at, origin: Origin { is_unpacked: compression.is_some(), ..origin } })
    }

    /// Reads the record behind the last message, which may have a checksum of all in front of it.
    fn read_end(&mut self, header: Header) -> Result<(), Fault> {
        let (origin, found, mut record) = (self.origin(), self.checksum.sum(), Counted::default());
        self.take(header, &mut record)?;
        self.is_over = true;
        let bad = |kind| Fault::Frame(origin.error(WireError::new(kind, 0)));
        let checksum = mcap::read_data_end(&record.bytes[mcap::HEADER_LEN..]);
        let checksum = checksum.map_err(|fault| bad(DecodeErrorKind::Mcap(fault)))?;
        if self.is_verified && checksum != 0 && checksum != found {
            return Err(bad(DecodeErrorKind::FrameChecksum(Checked::Data)));
        }
        Ok(())
    }

    /// The header of the next record.
    fn peek(&mut self) -> Result<Header, Fault> {
        if let Some(header) = self.header {
            return Ok(header);
        }
        let bytes = self.read_few(mcap::HEADER_LEN)?;
        let bytes: [u8; mcap::HEADER_LEN] = bytes.try_into().expect("as many were read");
        Ok(*self.header.insert(bytes.into()))
    }

    /// Appends the next record as it lies in the file; nothing where it is cut short.
    fn take(&mut self, header: Header, out: &mut Counted) -> Result<(), Fault> {
        let start = out.bytes.len();
        out.bytes.extend(<[u8; mcap::HEADER_LEN]>::from(header));
        let read = self.read(header.len, out);
        if read.is_err() {
            out.bytes.truncate(start);
            return read;
        }
        self.update_checksum(&out.bytes[start..]);
        self.go_on_behind(header);
        Ok(())
    }

    fn skip(&mut self, header: Header) -> Result<(), Fault> {
        self.update_checksum(&<[u8; mcap::HEADER_LEN]>::from(header));
        let mut left = header.len;
        while left > 0 {
            let bytes = self.read_few(left.min(CHUNK as u64) as usize)?;
            self.update_checksum(&bytes);
            left -= bytes.len() as u64;
        }
        self.go_on_behind(header);
        Ok(())
    }

    fn go_on_behind(&mut self, header: Header) {
        self.position = self.position.saturating_add(mcap::HEADER_LEN as u64).saturating_add(header.len);
        self.header = None;
    }

    fn update_checksum(&mut self, bytes: &[u8]) {
        if self.is_verified {
            self.checksum.update(bytes);
        }
    }

    /// Appends so many bytes of the next record. What its length says decides nothing: bytes that are not there are not waited
    /// for.
    fn read(&mut self, len: u64, out: &mut Counted) -> Result<(), Fault> {
        let read = out.read(&mut self.reader, len).map_err(Fault::Source)?;
        if read < len {
            let error = WireError::new(DecodeErrorKind::Mcap(McapFault::Truncated), 0);
            return Err(Fault::Frame(self.origin().error(error)));
        }
        Ok(())
    }

    /// No more bytes than a block has.
    fn read_few(&mut self, len: usize) -> Result<Vec<u8>, Fault> {
        let mut few = Counted::default();
        self.read(len as u64, &mut few).map(|()| few.bytes)
    }

    /// Where the next record comes from.
    fn origin(&self) -> Origin {
        Origin { name: self.name.clone(), start: self.position, is_unpacked: false }
    }
}

/// True for records that are wanted, in chunks or not.
fn is_loose(header: Header) -> bool {
    matches!(header.opcode, mcap::SCHEMA | mcap::CHANNEL | mcap::MESSAGE)
}

/// What was compressed, from byte `at` on; nothing where that is something else, or has another length.
fn unpacked(packed: Counted, at: usize, compression: Compression, len: u64) -> Option<Counted> {
    let mut reader = Cursor::new(packed);
    reader.set_position(at as u64);
    let bytes = Vec::with_capacity(usize::try_from(len.min(ROOM)).unwrap_or_default());
    let mut unpacked = Counted { bytes, taken: Taken::default() };
    let reader = decompressed(reader, compression).ok()?;
    (unpacked.read(reader, len.saturating_add(1)).ok()? == len).then_some(unpacked)
}

/// The CRC-32, as all records have it.
pub(super) fn checksum_of(bytes: &[u8]) -> u32 {
    let mut checksum = Crc::new();
    checksum.update(bytes);
    checksum.sum()
}

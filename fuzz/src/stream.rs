//! How the fuzzer's bytes become a stream, and the ways of reading it.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::NamedTempFile;
use wirearray::cores::Cores;
use wirearray::decode::{OnError, Options};
use wirearray::framing::Framing;
use wirearray::parallel::{Decoded, Wanted, decode_source};
use wirearray::plan::Plan;
use wirearray::stream::{Chain, Format, Opener, Part};

/// No stream is longer once it is decompressed.
const LONGEST: u64 = 1 << 20;

/// A stream and how it is to be read.
pub struct Stream {
    /// The bytes.
    pub bytes: Vec<u8>,
    format: Format,
    on_error: OnError,
    /// Whether it may be compressed.
    is_packed: bool,
    /// The most bytes that its reader gives at a time.
    chunk: usize,
}

impl Stream {
    /// From flags, the most bytes that are read at a time, and the stream itself, or messages that it is made of.
    pub fn new(flags: u8, data: &[u8]) -> Option<Self> {
        let (_, framing) = Framing::NAMES[usize::from(flags % 8)];
        let (&chunk, rest) = data.split_first()?;
        let bytes = if flags & 8 == 0 { rest.to_vec() } else { framed(framing, pieces(rest)) };
        let on_error = if flags & 16 == 0 { OnError::Raise } else { OnError::Skip };
        let format = Format { framing, verify: flags & 32 != 0 };
        Some(Self { bytes, format, on_error, is_packed: flags & 64 != 0, chunk: 1 + usize::from(chunk) })
    }

    /// Decodes all of it, from a file that is mapped or from a reader.
    pub fn decode(&self, plan: &Plan, is_mapped: bool, threads: usize) -> Decoded {
        self.decode_next(plan, &mut self.chain(is_mapped), Wanted::ALL, threads)
    }

    /// Decodes some of what a chain has.
    pub fn decode_next(&self, plan: &Plan, chain: &mut Chain, wanted: Wanted, threads: usize) -> Decoded {
        let cores = Cores { threads: Some(threads), least_len: 1 };
        let options = Options { cores, on_error: self.on_error, ..Options::DEFAULT };
        decode_source(plan, chain, wanted, options)
    }

    /// The stream, opened.
    pub fn chain(&self, is_mapped: bool) -> Chain {
        let opener = if is_mapped {
            std::fs::write(file(), &self.bytes).unwrap();
            Opener::Path(file())
        } else {
            let reader = Slow { bytes: self.bytes.clone(), read: 0, chunk: self.chunk };
            Opener::Reader(Box::new(move || Ok(Box::new(reader) as Box<dyn Read + Send>)))
        };
        let compression = if self.is_packed { None } else { Some(None) };
        let part = Part { name: None, opener, compression, extent: 0..LONGEST };
        let mut chain = Chain::new([part], self.format, is_mapped);
        chain.prepare();
        chain
    }
}

/// Messages in frames.
pub fn framed<'a>(framing: Framing, messages: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        framing.put_header(message.len(), &mut bytes).unwrap();
        bytes.extend(message);
        framing.put_footer(message, &mut bytes);
    }
    bytes
}

/// Pieces of some bytes, each behind its length.
fn pieces(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&len, behind) = rest.split_first()?;
        let (piece, left) = behind.split_at(behind.len().min(usize::from(len)));
        rest = left;
        Some(piece)
    })
}

/// The file that streams are written to: in memory where there is a place for that.
fn file() -> PathBuf {
    static FILE: OnceLock<NamedTempFile> = OnceLock::new();
    let make = || NamedTempFile::new_in("/dev/shm").or_else(|_| NamedTempFile::new()).unwrap();
    FILE.get_or_init(make).path().to_owned()
}

/// A reader that gives less than it is asked for.
struct Slow {
    bytes: Vec<u8>,
    read: usize,
    chunk: usize,
}

impl Read for Slow {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.read..];
        let len = rest.len().min(out.len()).min(self.chunk);
        out[..len].copy_from_slice(&rest[..len]);
        self.read += len;
        Ok(len)
    }
}

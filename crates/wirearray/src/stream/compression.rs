//! Compressed streams: known by their first bytes, or by the end of a file's name.

use std::io::{self, BufRead, BufReader, Read, Write};

use lz4_flex::frame::FrameInfo;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// By gzip.
    Gzip,
    /// By Zstandard.
    Zstd,
    /// As an LZ4 frame.
    Lz4,
}

impl Compression {
    /// All of them, with the names that users give, and the ends of files' names.
    const NAMES: [(&'static str, &'static str, Self); 3] =
        [("gzip", "gz", Self::Gzip), ("zstd", "zst", Self::Zstd), ("lz4", "lz4", Self::Lz4)];

    /// The compression of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find_map(|(known, _, compression)| (known == name).then_some(compression))
    }

    /// The name that users give.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find_map(|(name, _, known)| (known == self).then_some(name)).unwrap_or_default()
    }

    /// The compression of files whose names end so.
    pub fn of_suffix(suffix: &str) -> Option<Self> {
        Self::NAMES.into_iter().find_map(|(_, known, compression)| (known == suffix).then_some(compression))
    }

    /// The compression that a stream begins with, if it is one.
    pub fn of_start(start: &[u8]) -> Option<Self> {
        match start {
            // The third byte is the only method that there is.
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            _ => None,
        }
    }

    /// The bytes that [`Compression::of_start`] wants to see.
    pub const START_LEN: usize = 4;
}

/// The reader of what a compressed one holds: all streams in it, one after the other, as the tools of each format read them.
pub fn decompressed(reader: impl Read + Send + 'static, compression: Compression) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        Compression::Gzip => Box::new(Inflated(flate2::read::MultiGzDecoder::new(reader))),
        Compression::Zstd => Box::new(zstd::Decoder::new(reader)?),
        Compression::Lz4 => Box::new(Lz4Frames::new(reader)),
    })
}

/// Deflate, whose decoder calls damaged data a wrong argument.
struct Inflated<R>(R);

impl<R: Read> Read for Inflated<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => io::Error::new(io::ErrorKind::InvalidData, error),
            _ => error,
        })
    }
}

/// LZ4 frames, one after the other. The decoder says that it is at an end after each, and wherever its input ends between blocks
/// or in a header; so whether another frame follows, and whether one was cut short, only its reader knows.
struct Lz4Frames<R: Read> {
    decoder: lz4_flex::frame::FrameDecoder<Ending<BufReader<R>>>,
    is_in_frame: bool,
    is_over: bool,
}

impl<R: Read> Lz4Frames<R> {
    fn new(reader: R) -> Self {
        let reader = Ending { reader: BufReader::new(reader), has_ended: false };
        let decoder = lz4_flex::frame::FrameDecoder::new(reader);
        Self { decoder, is_in_frame: false, is_over: false }
    }
}

impl<R: Read> Read for Lz4Frames<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        while !self.is_over {
            if !self.is_in_frame && self.decoder.get_mut().reader.fill_buf()?.is_empty() {
                self.is_over = true;
                break;
            }
            self.is_in_frame = true;
            let len = self.decoder.read(bytes)?;
            if len > 0 {
                return Ok(len);
            }
            // A frame that is whole ends before its input does.
            if self.decoder.get_ref().has_ended {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the LZ4 frame was cut short"));
            }
            self.is_in_frame = false;
        }
        Ok(0)
    }
}

/// A reader that knows whether more was asked of it than it had.
struct Ending<R> {
    reader: R,
    has_ended: bool,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(bytes)?;
        self.has_ended |= len == 0 && !bytes.is_empty();
        Ok(len)
    }
}

/// A writer that compresses, or not.
pub enum Compressor<W: Write> {
    /// Not at all.
    Plain(W),
    /// By gzip.
    Gzip(flate2::write::GzEncoder<W>),
    /// By Zstandard.
    Zstd(zstd::Encoder<'static, W>),
    /// As an LZ4 frame.
    Lz4(lz4_flex::frame::FrameEncoder<W>),
}

impl<W: Write> Compressor<W> {
    /// A writer to another, at the format's usual level, with a checksum of what is compressed.
    pub fn new(writer: W, compression: Option<Compression>) -> io::Result<Self> {
        Ok(match compression {
            None => Self::Plain(writer),
            Some(Compression::Gzip) => {
                Self::Gzip(flate2::write::GzEncoder::new(writer, flate2::Compression::default()))
            }
            // Gzip has a checksum in any case; the command-line tools of the others write one too.
            Some(Compression::Zstd) => {
                let mut encoder = zstd::Encoder::new(writer, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
            Some(Compression::Lz4) => {
                let checked = FrameInfo::new().content_checksum(true);
                Self::Lz4(lz4_flex::frame::FrameEncoder::with_frame_info(checked, writer))
            }
        })
    }

    /// Writes what ends the stream, and returns the writer behind it.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(writer) => Ok(writer),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Lz4(encoder) => encoder.finish().map_err(io::Error::other),
        }
    }

    fn inner(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(writer) => writer,
            Self::Gzip(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
            Self::Lz4(encoder) => encoder,
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner().flush()
    }
}

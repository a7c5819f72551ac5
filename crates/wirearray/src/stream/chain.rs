//! Streams that follow one another as one: opened when their turn comes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::blocks::Blocks;
use super::chunk::{Chunk, Origin};
use super::mapped::Mapped;
use super::progress::{Counted, Progress, cancelled};
use super::{Compression, Extent, Format, decompressed};
use crate::input;
use crate::parallel::{Fault, Source, Wanted};

/// A stream that has not been opened.
pub struct Part {
    /// Its name in errors.
    pub name: Option<Arc<str>>,
    /// Where it comes from.
    pub opener: Opener,
    /// How it is compressed: nothing where its first bytes say so, or that it is not.
    pub compression: Option<Option<Compression>>,
    /// Which bytes of it are read.
    pub extent: Extent,
}

/// Where a stream comes from.
pub enum Opener {
    /// A file.
    Path(PathBuf),
    /// Something else that can be read, once it is open.
    Reader(Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>),
}

/// Where reading stands: behind the last message that was taken.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The name of the stream.
    pub name: Option<Arc<str>>,
    /// The byte of it, of what is compressed as it is decompressed.
    pub offset: u64,
}

/// Streams, one after the other.
pub struct Chain {
    parts: VecDeque<Part>,
    format: Format,
    /// Whether files are mapped that are not compressed. Otherwise only a few blocks of them are in memory.
    may_map: bool,
    open: Option<Open>,
    /// Why the next stream could not be opened.
    failure: Option<io::Error>,
    place: Arc<Mutex<Place>>,
    progress: Arc<Progress>,
}

enum Open {
    Mapped(Mapped),
    Blocks(Blocks),
}

impl Chain {
    /// The messages of some streams.
    pub fn new(parts: impl IntoIterator<Item = Part>, format: Format, may_map: bool) -> Self {
        let (place, progress) = (Arc::default(), Arc::default());
        Self { parts: parts.into_iter().collect(), format, may_map, open: None, failure: None, place, progress }
    }

    /// Opens the next stream, if none is, so that one can know how long it is. An error comes with the next messages.
    pub fn prepare(&mut self) {
        self.failure = self.open_next().err();
    }

    /// How far it has been read.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the next stream, if none is; returns whether one is open.
    fn open_next(&mut self) -> io::Result<bool> {
        if self.open.is_none() {
            let Some(part) = self.parts.pop_front() else { return Ok(false) };
            let place = Place { name: part.name.clone(), offset: part.extent.start };
            *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
            self.open = Some(self.open(part)?);
        }
        Ok(true)
    }

    fn open(&self, part: Part) -> io::Result<Open> {
        let Part { name, opener, compression, extent } = part;
        let origin = Origin { name, start: 0 };
        let (mut reader, file) = match opener {
            Opener::Path(path) => {
                let file = File::open(&path)?;
                (Box::new(file.try_clone()?) as Box<dyn Read + Send>, Some((path, file)))
            }
            Opener::Reader(open) => (open()?, None),
        };
        let mut start = Vec::new();
        if compression.is_none() {
            (&mut reader).take(Compression::START_LEN as u64).read_to_end(&mut start)?;
        }
        let compression = compression.unwrap_or_else(|| Compression::of_start(&start));
        if let (None, Some((path, mut file))) = (compression, file)
            && file.metadata()?.is_file()
        {
            if self.may_map {
                return Ok(Open::Mapped(Mapped::new(input::open(&path)?, &extent, self.format, origin)));
            }
            file.seek(SeekFrom::Start(extent.start))?;
            let reader = Box::new(Counted { reader: file, progress: Arc::clone(&self.progress) });
            return Ok(Open::Blocks(Blocks::new(reader, &extent, self.format, origin)));
        }
        self.progress.add(start.len() as u64);
        let reader = Counted { reader, progress: Arc::clone(&self.progress) };
        let reader = io::Cursor::new(start).chain(reader);
        let mut reader = match compression {
            Some(compression) => decompressed(reader, compression)?,
            None => Box::new(reader),
        };
        io::copy(&mut (&mut reader).take(extent.start), &mut io::sink())?;
        Ok(Open::Blocks(Blocks::new(reader, &extent, self.format, origin)))
    }

    fn note_place(&self) {
        let Some(open) = &self.open else { return };
        let offset = match open {
            Open::Mapped(mapped) => mapped.position(),
            Open::Blocks(blocks) => blocks.position(),
        };
        self.place.lock().unwrap_or_else(PoisonError::into_inner).offset = offset;
    }
}

impl Source for Chain {
    type Piece = Chunk;

    fn next_piece(&mut self, wanted: Wanted) -> Result<Option<Chunk>, Fault> {
        if wanted.is_met() {
            return Ok(None);
        }
        loop {
            if self.progress.is_cancelled() {
                return Err(Fault::Source(cancelled()));
            }
            let opened = self.failure.take().map_or_else(|| self.open_next(), Err);
            if !opened.map_err(Fault::Source)? {
                return Ok(None);
            }
            let chunk = match &mut self.open {
                Some(Open::Mapped(mapped)) => {
                    let before = mapped.position();
                    let chunk = mapped.next_chunk(wanted);
                    self.progress.add(mapped.position() - before);
                    chunk
                }
                Some(Open::Blocks(blocks)) => blocks.next_chunk(wanted),
                None => Ok(None),
            };
            self.note_place();
            match chunk {
                Ok(None) => self.open = None,
                Ok(Some(chunk)) => return Ok(Some(chunk)),
                Err(Fault::Message(error)) => return Err(Fault::Message(error)),
                Err(fault) => {
                    // Nothing comes behind it, not even other streams.
                    (self.open, self.parts) = (None, VecDeque::new());
                    return Err(fault);
                }
            }
        }
    }

    fn len_left(&self) -> Option<usize> {
        match &self.open {
            _ if !self.parts.is_empty() => None,
            None => Some(0),
            Some(Open::Mapped(mapped)) => Some(mapped.len_left()),
            Some(Open::Blocks(blocks)) => blocks.len_left(),
        }
    }
}

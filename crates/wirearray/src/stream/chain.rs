//! Streams that follow one another as one: opened when their turn comes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::blocks::Blocks;
use super::chunk::{Chunk, Origin};
use super::mcap::{Mcap, McapSelection, Reading, Stamps};
use super::progress::{Counted, Progress, cancelled};
use super::window::{Following, Window};
use super::{Compression, Extent, Format, decompressed};
use crate::column::Budget;
use crate::decode::Input;
use crate::error::DecodeError;
use crate::input;
use crate::parallel::{Decoded, Fault, Source, Wanted};

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
    layout: Layout,
    /// Whether files are mapped that are not compressed. Otherwise only a few blocks of them are in memory.
    may_map: bool,
    open: Option<Open>,
    /// Why the next stream could not be opened.
    failure: Option<io::Error>,
    /// Where the last stream stood that was open.
    place: Place,
    /// The byte at which the open stream was begun, and the one up to which its progress has been told.
    start: u64,
    told: u64,
    /// The bytes that were taken of all streams that were open before.
    taken_len: u64,
    /// The bytes for which memory was granted, of all streams.
    fed: u64,
    progress: Arc<Progress>,
}

/// How messages lie in the streams.
enum Layout {
    Framed(Format),
    Mcap(Box<Reading>),
}

/// A stream that is open.
enum Open {
    /// As a whole in memory.
    Mapped(Window),
    /// Block by block.
    Blocks(Blocks),
    /// Chunk by chunk.
    Mcap(Box<Mcap>),
}

impl Chain {
    /// The messages of some streams.
    pub fn new(parts: impl IntoIterator<Item = Part>, format: Format, may_map: bool) -> Self {
        Self::of_layout(parts, Layout::Framed(format), may_map)
    }

    /// The messages of some MCAP files.
    pub fn of_mcap(parts: impl IntoIterator<Item = Part>, selection: McapSelection) -> Self {
        Self::of_layout(parts, Layout::Mcap(Box::new(Reading::new(selection))), false)
    }

    fn of_layout(parts: impl IntoIterator<Item = Part>, layout: Layout, may_map: bool) -> Self {
        let parts: VecDeque<Part> = parts.into_iter().collect();
        // Where nothing comes, reading stands where it began.
        let place = parts.front().map(|part| Place { name: part.name.clone(), offset: part.extent.start });
        let (place, progress) = (place.unwrap_or_default(), Arc::default());
        let (open, failure) = (None, None);
        Self { parts, layout, may_map, open, failure, place, start: 0, told: 0, taken_len: 0, fed: 0, progress }
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
        match &self.open {
            Some(open) => Place { name: self.place.name.clone(), offset: open.position() },
            None => self.place.clone(),
        }
    }

    /// What MCAP files say of the messages that became rows: of all that were taken since this was asked last.
    pub fn stamps(&mut self, decoded: &Decoded) -> Option<Stamps> {
        match &mut self.layout {
            Layout::Framed(_) => None,
            Layout::Mcap(reading) => Some(reading.stamps_of(decoded)),
        }
    }

    /// Opens the next stream, if none is; returns whether one is open.
    fn open_next(&mut self) -> io::Result<bool> {
        if self.open.is_none() {
            let Some(part) = self.parts.pop_front() else {
                return match &mut self.layout {
                    Layout::Framed(_) => Ok(false),
                    Layout::Mcap(reading) => {
                        reading.explain_nothing().map_or(Ok(false), |why| Err(io::Error::other(why)))
                    }
                };
            };
            self.place = Place { name: part.name.clone(), offset: part.extent.start };
            (self.start, self.told) = (part.extent.start, part.extent.start);
            let opened = {
                let _reading = self.progress.enter_reader();
                self.open(part)
            };
            self.open = Some(opened?);
        }
        Ok(true)
    }

    fn open(&self, part: Part) -> io::Result<Open> {
        let Part { name, opener, compression, extent } = part;
        let origin = Origin { name, start: 0, is_unpacked: false };
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
            if let (true, Layout::Framed(format)) = (self.may_map, &self.layout) {
                let bytes = input::open(&path)?;
                let len = (*bytes).as_ref().len();
                let within = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX).min(len);
                let range = within(extent.start)..within(extent.end);
                return Ok(Open::Mapped(Window::new(bytes, range, *format, origin)));
            }
            // What is appended meanwhile is for another time: so one knows how much can come.
            let extent = extent.start..extent.end.min(file.metadata()?.len().max(extent.start));
            file.seek(SeekFrom::Start(extent.start))?;
            let reader = Box::new(Counted { reader: file, progress: Arc::clone(&self.progress) });
            return Ok(self.read(reader, &extent, origin));
        }
        self.progress.add(start.len() as u64);
        let reader = Counted { reader, progress: Arc::clone(&self.progress) };
        let reader = io::Cursor::new(start).chain(reader);
        let mut reader = match compression {
            Some(compression) => decompressed(reader, compression)?,
            None => Box::new(reader),
        };
        io::copy(&mut (&mut reader).take(extent.start), &mut io::sink())?;
        Ok(self.read(reader, &extent, origin))
    }

    fn read(&self, reader: Box<dyn Read + Send>, extent: &Extent, origin: Origin) -> Open {
        match &self.layout {
            Layout::Framed(format) => Open::Blocks(Blocks::new(reader, extent, *format, origin)),
            Layout::Mcap(reading) => Open::Mcap(Box::new(Mcap::new(reader, extent, origin, reading.is_verified()))),
        }
    }

    /// Whether a message lies ahead; opens the next stream where there is none.
    fn find(&mut self) -> Result<bool, Fault> {
        loop {
            self.tell();
            if self.progress.is_cancelled() {
                return Err(Fault::Source(cancelled()));
            }
            let opened = self.failure.take().map_or_else(|| self.open_next(), Err);
            if !opened.map_err(Fault::Source)? {
                return Ok(false);
            }
            let found = match (&mut self.open, &mut self.layout) {
                (Some(Open::Mapped(window)), _) => match window.find() {
                    Ok(false) if window.len_left() > 0 => Err(window.truncated()),
                    found => found,
                },
                (Some(Open::Blocks(blocks)), _) => blocks.find(),
                (Some(Open::Mcap(mcap)), Layout::Mcap(reading)) => mcap.find(reading),
                _ => Ok(false),
            };
            match found {
                Ok(false) => self.close(),
                Ok(true) | Err(Fault::Message(_)) => return found,
                Err(_) => {
                    // Nothing comes behind it, not even other streams.
                    self.close();
                    self.parts.clear();
                    return found;
                }
            }
        }
    }

    /// Grants what comes next the memory that bytes at hand may take, those that were not granted any before.
    fn feed(&mut self) {
        let until = self.taken_len() + self.open.as_ref().map_or(0, Open::len_at_hand) as u64;
        let more = until.saturating_sub(self.fed.max(self.taken_len()));
        self.fed = self.fed.max(until);
        Budget::current().feed(usize::try_from(more).unwrap_or(usize::MAX));
    }

    fn close(&mut self) {
        self.place = self.place();
        if let Some(open) = self.open.take() {
            self.taken_len += open.taken_len(self.start);
        }
    }

    /// Tells how much of a mapped file has been taken; readers tell it themselves.
    fn tell(&mut self) {
        if let Some(Open::Mapped(window)) = &self.open {
            let told = std::mem::replace(&mut self.told, window.position());
            self.progress.add(self.told.saturating_sub(told));
        }
    }
}

impl Open {
    /// The byte of the stream behind the last message.
    fn position(&self) -> u64 {
        match self {
            Self::Mapped(window) | Self::Blocks(Blocks { window, .. }) => window.position(),
            Self::Mcap(mcap) => mcap.position(),
        }
    }

    /// The bytes that were taken from byte `start` on.
    fn taken_len(&self, start: u64) -> u64 {
        match self {
            Self::Mapped(_) | Self::Blocks(_) => self.position().saturating_sub(start),
            Self::Mcap(mcap) => mcap.taken_len(),
        }
    }

    /// The bytes that are in memory and have not been taken.
    fn len_at_hand(&self) -> usize {
        match self {
            Self::Mapped(window) | Self::Blocks(Blocks { window, .. }) => window.len_left(),
            Self::Mcap(mcap) => mcap.len_at_hand(),
        }
    }

    /// Takes messages where one lies ahead.
    fn take(&mut self, wanted: Wanted, layout: &mut Layout) -> Option<Chunk> {
        match (self, layout) {
            (Self::Mapped(window) | Self::Blocks(Blocks { window, .. }), _) => Some(window.take(wanted)),
            (Self::Mcap(mcap), Layout::Mcap(reading)) => mcap.take(wanted, reading),
            (Self::Mcap(_), Layout::Framed(_)) => None,
        }
    }

    /// The same, one after the other.
    fn follow(&mut self, wanted: Wanted, layout: &mut Layout) -> Option<Following<'_>> {
        match (self, layout) {
            (Self::Mapped(window) | Self::Blocks(Blocks { window, .. }), _) => Some(window.follow(wanted)),
            (Self::Mcap(mcap), Layout::Mcap(reading)) => mcap.follow(wanted, reading),
            (Self::Mcap(_), Layout::Framed(_)) => None,
        }
    }

    /// Where the bytes are from in which the last messages lie.
    fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Mapped(window) | Self::Blocks(Blocks { window, .. }) => Some(&window.origin),
            Self::Mcap(mcap) => mcap.origin(),
        }
    }
}

impl Source for Chain {
    type Piece = Chunk;

    fn next_piece(&mut self, wanted: Wanted) -> Result<Option<Chunk>, Fault> {
        if wanted.is_met() || !self.find()? {
            return Ok(None);
        }
        self.feed();
        Ok(self.open.as_mut().and_then(|open| open.take(wanted, &mut self.layout)))
    }

    fn next_messages(
        &mut self,
        wanted: Wanted,
    ) -> Result<Option<impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone>, Fault> {
        let is_ahead = !wanted.is_met() && self.find()?;
        if is_ahead {
            self.feed();
        }
        let open = self.open.as_mut().filter(|_| is_ahead);
        Ok(open.and_then(|open| open.follow(wanted, &mut self.layout)))
    }

    fn place(&self, error: &mut DecodeError) {
        if let Some(origin) = self.open.as_ref().and_then(Open::origin) {
            origin.place(error);
        }
    }

    fn frame_of(&self, message: usize) -> Option<u64> {
        match self.open.as_ref()? {
            Open::Mapped(window) | Open::Blocks(Blocks { window, .. }) => Some(window.frame_of(message)),
            Open::Mcap(_) => None,
        }
    }

    fn taken_len(&self) -> u64 {
        self.taken_len + self.open.as_ref().map_or(0, |open| open.taken_len(self.start))
    }

    fn len_left(&self) -> Option<usize> {
        match &self.open {
            _ if !self.parts.is_empty() => None,
            None => Some(0),
            Some(Open::Mapped(window)) => Some(window.len_left()),
            Some(Open::Blocks(blocks)) => blocks.len_left(),
            Some(Open::Mcap(mcap)) => mcap.len_left(),
        }
    }
}

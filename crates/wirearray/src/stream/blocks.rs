//! A stream that comes from a reader: a block of it at a time is in memory, and what it ends in the middle of begins the next.

use std::io::{self, Read};
use std::sync::Arc;

use super::chunk::Origin;
use super::window::{CHUNK, Window};
use super::{Extent, Format};
use crate::column::{Budget, Owner};
use crate::framing::Framing;
use crate::parallel::Fault;

pub(super) struct Blocks {
    reader: Box<dyn Read + Send>,
    /// The bytes that may still be read into blocks.
    unread: u64,
    pub(super) window: Window,
    /// The block that the window shows.
    block: Arc<Vec<u8>>,
    /// Blocks that came before, some of which may still be decoded.
    former: Vec<Arc<Vec<u8>>>,
    /// What happened behind the last byte that could be read.
    failure: Option<io::Error>,
    is_single: bool,
}

impl Blocks {
    /// The stream of a reader, which stands at the first byte of the extent.
    pub(super) fn new(reader: Box<dyn Read + Send>, extent: &Extent, format: Format, origin: Origin) -> Self {
        let block = Arc::default();
        let origin = Origin { start: extent.start, ..origin };
        let window = Window::new(Arc::clone(&block) as Owner, 0..0, format, origin);
        let unread = extent.end.saturating_sub(extent.start);
        let is_single = format.framing == Framing::Single;
        let mut blocks = Self { reader, unread, window, block, former: Vec::new(), failure: None, is_single };
        // Whether there is more behind the first block tells how many threads are worth it.
        blocks.read_block();
        blocks
    }

    /// Whether a message lies ahead as a whole; reads on where there is none.
    pub(super) fn find(&mut self) -> Result<bool, Fault> {
        while self.unread > 0 && (self.is_single || !self.window.find()?) {
            self.read_block();
        }
        // What came before a failure is whole, unless it is one message.
        let is_whole = !self.is_single || self.failure.is_none();
        if is_whole && self.window.find()? {
            return Ok(true);
        }
        match self.failure.take() {
            Some(failure) => Err(Fault::Source(failure)),
            None if self.window.len_left() > 0 => Err(self.window.truncated()),
            None => Ok(false),
        }
    }

    /// The bytes that can still come, where that is known.
    pub(super) fn len_left(&self) -> Option<usize> {
        // A stream without a length has an extent without an end.
        let unread = usize::try_from(self.unread).ok().filter(|&unread| unread < usize::MAX / 2)?;
        unread.checked_add(self.window.len_left())
    }

    /// Goes on to the next block, which begins with what is left of this one.
    fn read_block(&mut self) {
        let mut next = self.free_block();
        let rest = &self.block[self.window.at..];
        // What is longer than a block is waited for in blocks that double: what a length says is not believed.
        let more = rest.len().max(CHUNK);
        let block = Arc::get_mut(&mut next).expect("a free block is no one else's");
        block.clear();
        let grown = (rest.len() + more).saturating_sub(block.capacity());
        if more > CHUNK {
            // A message that is longer than a block counts as memory that decoding takes, even before it is there as a whole.
            Budget::current().take(grown);
        }
        block.reserve(rest.len() + more);
        block.extend_from_slice(rest);
        self.read(more as u64, block);
        self.window.origin.start += self.window.at as u64;
        (self.window.at, self.window.end) = (0, next.len());
        self.window.bytes = Arc::clone(&next) as Owner;
        self.former.push(std::mem::replace(&mut self.block, next));
    }

    /// A block that no one decodes any more, whose memory is warm.
    fn free_block(&mut self) -> Arc<Vec<u8>> {
        let free = self.former.iter_mut().position(|block| Arc::get_mut(block).is_some());
        free.map(|index| self.former.swap_remove(index)).unwrap_or_default()
    }

    /// Reads so many bytes, or as many as there are. What came before a failure counts.
    fn read(&mut self, most: u64, block: &mut Vec<u8>) {
        let before = block.len();
        let most = most.min(self.unread);
        self.failure = (&mut self.reader).take(most).read_to_end(block).err();
        let read = (block.len() - before) as u64;
        let is_at_end = read < most;
        self.unread = if is_at_end { 0 } else { self.unread - read };
    }
}

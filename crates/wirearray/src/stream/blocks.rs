//! A stream that comes from a reader: a block of it at a time is in memory, and what it ends in the middle of begins the next.

use std::io::{self, Read};
use std::sync::Arc;

use super::chunk::{CHUNK, Chunk, Found, Origin, take};
use super::{Extent, Format};
use crate::column::Owner;
use crate::framing::Framing;
use crate::parallel::{Fault, Wanted};

pub(super) struct Blocks {
    reader: Box<dyn Read + Send>,
    format: Format,
    block: Owner,
    at: usize,
    /// The byte of the stream that is the first of the block.
    origin: Origin,
    /// The bytes of the stream that may still be read into blocks.
    len_left: u64,
    is_at_end: bool,
    is_over: bool,
    /// What happened behind the last byte that could be read.
    failure: Option<io::Error>,
}

impl Blocks {
    /// The stream of a reader, which stands at the first byte of the extent.
    pub(super) fn new(reader: Box<dyn Read + Send>, extent: &Extent, format: Format, origin: Origin) -> Self {
        let len_left = extent.end.saturating_sub(extent.start);
        let origin = Origin { start: extent.start, ..origin };
        let block = Arc::new([]);
        let mut blocks =
            Self { reader, format, block, at: 0, origin, len_left, is_at_end: false, is_over: false, failure: None };
        if format.framing != Framing::Single {
            // Whether there is more tells how many threads are worth it.
            blocks.read_block();
        }
        blocks
    }

    pub(super) fn next_chunk(&mut self, wanted: Wanted) -> Result<Option<Chunk>, Fault> {
        if self.is_over {
            return Ok(None);
        }
        if self.format.framing == Framing::Single {
            return self.single().map(Some);
        }
        loop {
            match take(&self.block, &mut self.at, self.format, wanted, &self.origin) {
                Ok(Found::Chunk(chunk)) => return Ok(Some(chunk)),
                Ok(Found::Nothing) if self.is_at_end => {
                    self.is_over = true;
                    if let Some(failure) = self.failure.take() {
                        return Err(Fault::Source(failure));
                    }
                    let is_whole = self.at == self.block_len();
                    return if is_whole { Ok(None) } else { Err(self.origin.truncated(self.at)) };
                }
                Ok(Found::Nothing) => self.read_block(),
                Err(fault) => return Err(fault),
            }
        }
    }

    pub(super) fn len_left(&self) -> Option<usize> {
        self.is_at_end.then(|| self.block_len() - self.at)
    }

    pub(super) fn position(&self) -> u64 {
        self.origin.start + self.at as u64
    }

    fn block_len(&self) -> usize {
        (*self.block).as_ref().len()
    }

    fn single(&mut self) -> Result<Chunk, Fault> {
        self.is_over = true;
        let mut block = Vec::new();
        self.read(u64::MAX, &mut block);
        if let Some(failure) = self.failure.take() {
            return Err(Fault::Source(failure));
        }
        self.at = block.len();
        self.block = Arc::new(block);
        Ok(Chunk::single(Owner::clone(&self.block), 0, self.origin.clone()))
    }

    /// Goes on to the next block, which begins with what is left of this one.
    fn read_block(&mut self) {
        let rest = &(*self.block).as_ref()[self.at..];
        // A frame longer than a block is waited for in blocks that double: what its length says is not believed.
        let more = rest.len().max(CHUNK);
        let mut block = Vec::with_capacity(rest.len() + more);
        block.extend_from_slice(rest);
        self.read(more as u64, &mut block);
        self.origin.start += self.at as u64;
        self.at = 0;
        self.block = Arc::new(block);
    }

    /// Reads so many bytes, or as many as there are. What came before a failure counts.
    fn read(&mut self, most: u64, block: &mut Vec<u8>) {
        let before = block.len();
        let most = most.min(self.len_left);
        self.failure = (&mut self.reader).take(most).read_to_end(block).err();
        let read = (block.len() - before) as u64;
        self.len_left -= read;
        self.is_at_end = read < most || self.len_left == 0;
    }
}

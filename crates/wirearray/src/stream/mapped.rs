//! A stream that lies in memory as a whole, as a mapped file does.

use super::chunk::{Chunk, Found, Origin, take};
use super::{Extent, Format};
use crate::column::Owner;
use crate::framing::Framing;
use crate::parallel::{Fault, Wanted};

pub(super) struct Mapped {
    bytes: Owner,
    at: usize,
    end: usize,
    format: Format,
    origin: Origin,
    is_over: bool,
}

impl Mapped {
    pub(super) fn new(bytes: Owner, extent: &Extent, format: Format, origin: Origin) -> Self {
        let len = (*bytes).as_ref().len();
        let within = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX).min(len);
        Self { at: within(extent.start), end: within(extent.end), bytes, format, origin, is_over: false }
    }

    pub(super) fn next_chunk(&mut self, wanted: Wanted) -> Result<Option<Chunk>, Fault> {
        if self.is_over {
            return Ok(None);
        }
        if self.format.framing == Framing::Single {
            self.is_over = true;
            let start = std::mem::replace(&mut self.at, self.end);
            return Ok(Some(Chunk::single(Owner::clone(&self.bytes), start, self.origin.clone())));
        }
        let wanted = Wanted { len: wanted.len.min(self.end - self.at), ..wanted };
        if self.at >= self.end {
            self.is_over = true;
            return Ok(None);
        }
        match take(&self.bytes, &mut self.at, self.format, wanted, &self.origin)? {
            Found::Chunk(chunk) => Ok(Some(chunk)),
            Found::Nothing => {
                self.is_over = true;
                Err(self.origin.truncated(self.at))
            }
        }
    }

    pub(super) fn len_left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    pub(super) fn position(&self) -> u64 {
        self.origin.start + self.at as u64
    }
}

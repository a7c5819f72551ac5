//! Messages behind the headers of a schema registry, as a source: the header is looked at before the message is decoded.

use std::ops::Range;

use super::listed::{Listed, Messages};
use super::source::{Fault, Piece, Source, Wanted};
use crate::decode::Input;
use crate::error::{DecodeError, DecodeErrorKind, RegistryFault, WireError};
use crate::framing::{RegistryHeader, SchemaId};

/// The schema that each of some messages names. An error has the row of its message.
///
/// # Panics
///
/// Panics where a range goes past its input.
pub fn schema_ids(messages: &impl Messages) -> impl Iterator<Item = Result<SchemaId, DecodeError>> {
    messages.rows(0..messages.len()).enumerate().map(|(row, (input, range))| {
        let header = RegistryHeader::read(&input.bytes[range.clone()]);
        header.map(|header| header.schema).map_err(|fault| refused(fault, range.start).in_row(row))
    })
}

/// Messages of which some have been taken.
pub(super) struct Registered<'m, M> {
    listed: Listed<'m, M>,
    /// The place of their type in its file.
    path: &'m [u32],
    /// The messages that are being decoded by the one thread that there is.
    followed: Option<Rows<'m, M>>,
}

impl<'m, M: Messages> Registered<'m, M> {
    pub(super) fn new(messages: &'m M, path: &'m [u32]) -> Self {
        Self { listed: Listed::new(messages), path, followed: None }
    }

    fn header_len(&self, message: &[u8]) -> Result<usize, RegistryFault> {
        RegistryHeader::read(message)?.len_for(message, self.path)
    }
}

impl<'m, M: Messages> Source for Registered<'m, M> {
    type Piece = Rows<'m, M>;

    fn next_piece(&mut self, wanted: Wanted) -> Result<Option<Rows<'m, M>>, Fault> {
        let Listed { messages, row: first, .. } = self.listed;
        let most = (messages.len() - first).min(wanted.messages);
        if most == 0 || wanted.is_met() {
            return Ok(None);
        }
        let mut piece = Rows { messages, first, header_lens: Vec::new(), len: 0 };
        for (input, range) in messages.rows(first..first + most) {
            match self.header_len(&input.bytes[range.clone()]) {
                Ok(header_len) => piece.header_lens.push(header_len),
                // It is found again by the next call, which begins with it.
                Err(_) if piece.count() > 0 => break,
                Err(fault) => {
                    self.listed.take(first + 1, range.len());
                    return Err(Fault::Message(refused(fault, range.start)));
                }
            }
            piece.len += range.len();
            if piece.len >= wanted.len {
                break;
            }
        }
        self.listed.take(first + piece.count(), piece.len);
        Ok(Some(piece))
    }

    fn next_messages(
        &mut self,
        wanted: Wanted,
    ) -> Result<Option<impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone>, Fault> {
        self.followed = self.next_piece(wanted)?;
        Ok(self.followed.as_ref().map(Piece::messages))
    }

    /// Offsets count from the start of each message's buffer, the header included.
    fn place(&self, _: &mut DecodeError) {}

    fn taken_len(&self) -> u64 {
        self.listed.taken_len()
    }

    fn len_left(&self) -> Option<usize> {
        self.listed.len_left()
    }
}

/// Successive messages whose headers are good.
pub(super) struct Rows<'m, M> {
    messages: &'m M,
    first: usize,
    /// The bytes of each that stand in front of the message: they may become others meanwhile, their number does not.
    header_lens: Vec<usize>,
    len: usize,
}

impl<M: Messages> Piece for Rows<'_, M> {
    fn messages(&self) -> impl Iterator<Item = (Input<'_>, Range<usize>)> + Clone {
        let rows = self.messages.rows(self.first..self.first + self.count());
        rows.zip(&self.header_lens).map(|((input, range), header_len)| (input, range.start + header_len..range.end))
    }

    fn count(&self) -> usize {
        self.header_lens.len()
    }

    fn bytes_len(&self) -> usize {
        self.len
    }

    /// Offsets count from the start of each message's buffer, the header included.
    fn place(&self, _: &mut DecodeError) {}
}

#[cold]
fn refused(fault: RegistryFault, offset: usize) -> DecodeError {
    DecodeError::new(WireError::new(DecodeErrorKind::RegistryHeader(fault), offset), String::new())
}

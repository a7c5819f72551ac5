//! Columns to bytes, in two passes: exact lengths, then every byte in its place.
//!
//! The first pass binds a plan to a table, checks what can be wrong, and adds up what each row takes, column by column.
//! The second writes row by row into memory of exactly that size, or piece by piece to somewhere else. Fields stand in the
//! order of their numbers, then those that the schema does not know. Knows no files and no threads.

mod align;
mod check;
mod measure;
mod message;
mod number;
mod write;

use crate::slots::{Slot, slots};
use std::ops::Range;

use crate::column::{Memory, Offsets, StringColumn, Table};
use crate::error::{EncodeError, EncodeErrorKind};
use crate::plan::Plan;
use crate::stack::for_levels;
use crate::wire::{DEPTH_LIMIT, Sink, WriteError, Writer};
pub(crate) use check::first_not_text;
use measure::Measure;
use message::Message;

/// The longest message that the official parsers read.
pub const MAX_LEN: u64 = i32::MAX as u64;

/// How to encode.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Where the payload of a packed field of fixed-width numbers starts: at a multiple of so many bytes, a power of two,
    /// from the start of the outermost message.
    pub align: Option<usize>,
    /// Whether a message may be longer than [`MAX_LEN`].
    pub allow_large: bool,
}

/// Messages whose lengths are known.
pub struct Measured<'a> {
    message: Message<'a>,
    len: usize,
}

/// Measures the message in one row of a table of `plan`.
pub fn measure<'a>(
    plan: &'a Plan,
    table: &'a Table,
    row: usize,
    options: Options,
) -> Result<Measured<'a>, EncodeError> {
    measure_many(plan, table, row..row + 1, options).map_err(EncodeError::in_only_row)
}

/// Measures the messages in some rows of a table of `plan`.
///
/// # Panics
///
/// Panics where the table has no such rows, or is not one of the plan's.
pub fn measure_many<'a>(
    plan: &'a Plan,
    table: &'a Table,
    rows: Range<usize>,
    options: Options,
) -> Result<Measured<'a>, EncodeError> {
    assert!(rows.start <= rows.end && rows.end <= table.rows(), "the rows are in the table");
    let first = rows.start;
    if let Some(row) = rows.clone().find(|&row| !table.validity().is_set(row)) {
        return Err(EncodeError::new(EncodeErrorKind::Absent).in_row(row - first));
    }
    let measure = || Measure { plan, options }.message(table, rows.clone(), 0);
    let message = for_levels(DEPTH_LIMIT, measure);
    let mut message = message.map_err(|error| match error.row() {
        Some(row) => error.in_row(row - first),
        None => error,
    })?;
    if message.is_aligned {
        for_levels(DEPTH_LIMIT, || rows.for_each(|row| _ = message.place(row, 0)));
    }
    let lens = message.lens.as_slice();
    if let Some(row) = lens.iter().position(|&len| len > MAX_LEN && !options.allow_large) {
        return Err(EncodeError::new(EncodeErrorKind::TooLarge(lens[row])).in_row(row));
    }
    let len = lens.iter().sum::<u64>();
    let len = usize::try_from(len).expect("what lies in memory can be counted");
    Ok(Measured { message, len })
}

impl Measured<'_> {
    /// The bytes that each message takes.
    pub fn lens(&self) -> &[u64] {
        self.message.lens.as_slice()
    }

    /// The bytes that all messages take together.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where they take no bytes, as empty messages do.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes the messages, one after the other, to memory of exactly their size.
    pub fn write<'m>(&self, memory: &'m mut [Slot<u8>]) -> Result<&'m mut [u8], EncodeError> {
        self.write_rows_to(self.message.rows.clone(), b"", memory)
    }

    /// Writes the messages, one after the other, piece by piece to a sink. An error may also mean that the sink wants no
    /// more; it knows.
    pub fn write_to(&self, sink: &mut dyn Sink) -> Result<(), EncodeError> {
        /// Small enough to stay in cache, large enough to make calls of the system rare.
        const PIECE: usize = 256 << 10;
        let mut memory = slots(PIECE.min(self.len));
        let mut out = Writer::with_sink(&mut memory, sink);
        let written = self.write_rows(self.message.rows.clone(), b"", &mut out).and_then(|()| out.flush());
        let is_whole = written.is_ok() && out.written() == self.len as u64;
        if is_whole { Ok(()) } else { Err(EncodeError::new(EncodeErrorKind::Changed)) }
    }

    /// Writes the messages to memory of the engine's own: an entry for each.
    pub fn to_strings(&self) -> Result<StringColumn, EncodeError> {
        self.to_strings_behind(b"")
    }

    /// The same with a header in front of each.
    pub fn to_strings_behind(&self, header: &[u8]) -> Result<StringColumn, EncodeError> {
        self.strings(0..self.lens().len(), header)
    }

    /// Writes some of the messages to memory of the engine's own: an entry for each.
    ///
    /// # Panics
    ///
    /// Panics where there are not that many.
    pub fn to_strings_of(&self, messages: Range<usize>) -> Result<StringColumn, EncodeError> {
        self.strings(messages, b"")
    }

    fn strings(&self, messages: Range<usize>, header: &[u8]) -> Result<StringColumn, EncodeError> {
        let lens = self.lens()[messages.clone()].iter().map(|&len| header.len() + len as usize);
        let len = lens.clone().sum();
        let offsets = Offsets::of_lens(lens);
        let first = self.message.rows.start;
        let rows = first + messages.start..first + messages.end;
        let data = Memory::filled(len, |memory| self.write_rows_to(rows, header, memory))?;
        Ok(StringColumn { is_text: false, data, offsets })
    }

    fn write_rows_to<'m>(
        &self,
        rows: Range<usize>,
        header: &[u8],
        memory: &'m mut [Slot<u8>],
    ) -> Result<&'m mut [u8], EncodeError> {
        let mut out = Writer::new(memory);
        let written = self.write_rows(rows, header, &mut out).and_then(|()| out.finish());
        // Memory of the right size is full too early or too late only where lengths are no longer what they were.
        written.map_err(|WriteError| EncodeError::new(EncodeErrorKind::Changed))
    }

    fn write_rows(&self, rows: Range<usize>, header: &[u8], out: &mut Writer<'_>) -> Result<(), WriteError> {
        let mut write_row = |row| {
            out.put_slice(header)?;
            let start = out.written();
            self.message.write(row, out, start)?;
            if out.written() - start == self.message.len_of(row) { Ok(()) } else { Err(WriteError) }
        };
        for_levels(DEPTH_LIMIT, || rows.into_iter().try_for_each(&mut write_row))
    }
}

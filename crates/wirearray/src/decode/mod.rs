//! A plan over bytes: messages in, columns out.
//!
//! One loop reads every message at every depth; what is open stands in a list of frames, not on the call stack. At each
//! tag the plan says what to do, and the value goes straight to its column. Knows no files, and of threads only how many may
//! work at a long run of numbers.

mod closed_enum;
mod fields;
mod frame;
mod joined;
mod lane;
mod lookahead;
mod moments;
mod numbers;
mod options;
mod packed;
mod pieces;
mod replaced;
mod run;
mod trail;
mod unknown;
mod unpacked;
mod unread;

use std::ops::Range;

use crate::column::{Batch, Budget, Growing, LentMemory, Owner, Shortage, Table, TableId};
use crate::error::{DecodeError, DecodeErrorKind, WireError};
use crate::plan::{MessagePlan, Plan};
use frame::{AtEnd, Frame};
use lookahead::Lookahead;
use trail::{Message, Patience, Source};
use unread::Checked;

pub use options::{MOST_DEPTH_LIMIT, OnError, Options, Views};

/// Bytes to decode from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The bytes; errors count their offsets from the first.
    pub bytes: &'a [u8],
    /// What keeps them alive, where views of them may be taken.
    pub owner: Option<&'a Owner>,
}

impl<'a> From<&'a [u8]> for Input<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, owner: None }
    }
}

impl<'a> From<&'a Owner> for Input<'a> {
    fn from(owner: &'a Owner) -> Self {
        Self { bytes: (**owner).as_ref(), owner: Some(owner) }
    }
}

/// Memory of a caller's own for the values of a column, which its places lead to from the outermost table on. What has no
/// room there goes elsewhere.
pub struct Destination {
    /// The places of columns, as [`Plan::number_places`] finds them.
    pub places: Vec<u16>,
    /// Where the values go.
    pub memory: LentMemory,
}

/// Decodes one message to a table of one row.
pub fn decode(plan: &Plan, input: Input<'_>, options: Options) -> Result<Table, DecodeError> {
    decode_into(plan, input, options, Vec::new())
}

/// Decodes one message to a table of one row, some of its columns into memory of a caller's own.
pub fn decode_into(
    plan: &Plan,
    input: Input<'_>,
    options: Options,
    destinations: Vec<Destination>,
) -> Result<Table, DecodeError> {
    let len = input.bytes.len();
    options.within_budget_of(plan, len, || {
        let mut decoder = Decoder::new(plan, options, batch(plan, options, destinations));
        decoder.is_single = true;
        let pushed = Budget::current().spend(|| decoder.push(input, 0..len));
        pushed.unwrap_or_else(|shortage| Err(decoder.place_shortage(shortage)))?;
        if decoder.has_no_moment_fault() {
            return Ok(decoder.finish());
        }
        let table = decoder.finish();
        match plan.moment_faults(&table).into_iter().next() {
            Some(fault) => Err(fault.error(0)),
            None => Ok(table),
        }
    })?
}

/// Decodes messages, each in a range of its input, to a table of as many rows. `total_len` is how many bytes they have
/// together; it bounds what columns reserve.
///
/// # Panics
///
/// Panics where a range goes past its input.
pub fn decode_many<'a>(
    plan: &Plan,
    messages: impl Iterator<Item = (Input<'a>, Range<usize>)> + Clone,
    total_len: usize,
    options: Options,
) -> Result<Table, DecodeError> {
    options.within_budget_of(plan, total_len, || {
        let mut decoder = Decoder::new(plan, options, batch(plan, options, Vec::new()));
        decoder.push_all(messages, total_len)?;
        Ok(decoder.finish())
    })?
}

/// A batch without rows for a decoder with these options, some of whose values go to a caller's own memory.
pub fn batch(plan: &Plan, options: Options, destinations: Vec<Destination>) -> Batch {
    let mut batch = Batch::new(plan.layout().clone());
    // Columns that lead to such memory are there before there is any reason to keep their messages unread.
    for Destination { places, memory } in destinations {
        batch.lend(&places, memory);
    }
    unread::read_later(plan, options, &mut batch);
    batch
}

/// Messages that become the rows of a batch.
struct Rows<'a, I: Iterator<Item = (Input<'a>, Range<usize>)>> {
    messages: I,
    /// Those that were taken from there and not yet from here, the next one last.
    ahead: Vec<(Input<'a>, Range<usize>)>,
    /// The bytes of those that have not been taken.
    len_left: usize,
}

impl<'a, I: Iterator<Item = (Input<'a>, Range<usize>)>> Iterator for Rows<'a, I> {
    type Item = (Input<'a>, Range<usize>);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let (input, range) = self.ahead.pop().or_else(|| self.messages.next())?;
        self.len_left = self.len_left.saturating_sub(range.len());
        Some((input, range))
    }
}

impl<'a, I: Iterator<Item = (Input<'a>, Range<usize>)>> Source<'a> for Rows<'a, I> {
    #[inline(always)]
    fn next(&mut self) -> Option<Message<'a>> {
        let (input, range) = Iterator::next(self)?;
        let Some(bytes) = input.bytes.get(..range.end) else {
            // A range that is wrong is left to whoever decodes it alone.
            self.ahead.push((input, range));
            return None;
        };
        Some(Message { input: Input { bytes, ..input }, start: range.start, tag_start: range.start })
    }

    fn put_back(&mut self, messages: &[Message<'a>]) {
        for &Message { input, start, .. } in messages.iter().rev() {
            self.len_left += input.bytes.len().saturating_sub(start);
            self.ahead.push((input, start..input.bytes.len()));
        }
    }

    #[inline(always)]
    fn len_left(&self) -> usize {
        self.len_left
    }
}

/// A batch being decoded.
pub struct Decoder<'p> {
    plan: &'p Plan,
    options: Options,
    /// How the messages are decoded that become the batch's rows.
    outermost: &'p MessagePlan,
    batch: Batch,
    /// Messages in the batch.
    rows: usize,
    /// Those of them that were there before.
    rows_before: usize,
    /// The errors of those that were left out.
    faults: Vec<DecodeError>,
    /// Bytes of the messages that come after the current one.
    len_ahead: usize,
    /// True where the batch is one message, whose singular values are scalars and not arrays.
    is_single: bool,
    /// Where the message starts that was begun last.
    start: usize,
    /// The messages and groups that are open, outermost first; the last is the one being read.
    open: Vec<Frame<'p>>,
    /// How many of them are no level: the outermost, and members that are checked because others replace them.
    frames_of_no_level: usize,
    patience: Patience,
    checked: Checked,
    /// True where times may be out of range in messages that are kept unread.
    has_doubtful_times: bool,
    /// True while times are looked at, whichever message they are of.
    is_checking_times: bool,
    lookahead: Lookahead,
}

impl<'p> Decoder<'p> {
    /// A decoder into a batch, which is empty and was made for the plan and the options.
    pub fn new(plan: &'p Plan, mut options: Options, batch: Batch) -> Self {
        options.depth_limit = options.depth_limit.min(MOST_DEPTH_LIMIT);
        Self {
            plan,
            options,
            outermost: plan.message(batch.outermost_table()),
            batch,
            rows: 0,
            rows_before: 0,
            faults: Vec::new(),
            len_ahead: 0,
            is_single: false,
            start: 0,
            open: Vec::new(),
            frames_of_no_level: 1,
            patience: Patience::default(),
            checked: Checked::default(),
            has_doubtful_times: false,
            is_checking_times: false,
            lookahead: Lookahead::default(),
        }
    }

    /// The same into a batch that has rows already. They do not count among the messages.
    pub fn behind(plan: &'p Plan, options: Options, batch: Batch, rows: usize) -> Self {
        Self { rows, rows_before: rows, ..Self::new(plan, options, batch) }
    }

    /// Decodes messages, each in a range of its input, into the next rows. `len_left` is how many bytes they have together, and
    /// all that may still come after them; it bounds what columns reserve.
    ///
    /// After an error, the messages before the one that is bad are in the batch. Where a time is out of range, clones of the
    /// messages are decoded once more.
    ///
    /// # Panics
    ///
    /// Panics where a range goes past its input.
    pub fn push_all<'a>(
        &mut self,
        messages: impl Iterator<Item = (Input<'a>, Range<usize>)> + Clone,
        len_left: usize,
    ) -> Result<(), DecodeError> {
        let pushed = Budget::current().spend(|| match self.plan.has_moments() {
            true => self.push_checked(messages, len_left),
            false => self.push_unchecked(messages, len_left),
        });
        pushed.unwrap_or_else(|shortage| {
            let error = self.place_shortage(shortage);
            // Rows of messages before it stay.
            self.batch.truncate(self.rows);
            // Times are looked at once all messages have been read.
            Err(if self.is_checking_times { error } else { error.in_row(self.messages()) })
        })
    }

    /// The same, whatever times there are.
    fn push_unchecked<'a>(
        &mut self,
        messages: impl Iterator<Item = (Input<'a>, Range<usize>)>,
        len_left: usize,
    ) -> Result<(), DecodeError> {
        let mut rows = Rows { messages, ahead: Vec::new(), len_left };
        while let Some((input, range)) = Iterator::next(&mut rows) {
            self.len_ahead = rows.len_left;
            if let Err(error) = self.push(input, range) {
                self.batch.truncate(self.rows);
                self.leave_out(error)?;
            }
            if self.patience.is_over() {
                self.rows += self.follow(&mut rows, self.outermost, TableId::OUTERMOST, self.rows);
            }
        }
        Ok(())
    }

    /// Goes on without the next message, which is bad, or ends there, as the options say.
    #[cold]
    pub fn leave_out(&mut self, error: DecodeError) -> Result<(), DecodeError> {
        let error = error.in_row(self.messages());
        // That a view cannot be had is no fault of the message.
        let is_bad = !matches!(error.kind(), DecodeErrorKind::NoView(_));
        match self.options.on_error {
            OnError::Skip if is_bad => {
                Budget::current().take(error.size());
                self.faults.push(error);
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// How many messages there were, those that were left out among them.
    pub fn messages(&self) -> usize {
        self.rows - self.rows_before + self.faults.len()
    }

    /// The errors of the messages that were left out; the row of each is its number among all messages.
    pub fn faults(&mut self) -> &mut Vec<DecodeError> {
        &mut self.faults
    }

    /// The batch, and how many rows it has.
    pub fn into_batch(self) -> (Batch, usize) {
        (self.batch, self.rows)
    }

    /// Decodes the message in `range` of the input into the next row.
    fn push(&mut self, input: Input<'_>, range: Range<usize>) -> Result<(), DecodeError> {
        assert!(range.start <= range.end && range.end <= input.bytes.len(), "a message lies in its input");
        self.start = range.start;
        let frame = Frame::outermost(self.outermost, self.rows, range.end);
        let mut pushed = self.run(input, range.start, frame);
        if let Err(error) = &pushed
            && self.is_in_replaced()
        {
            // Once more, to say where it is: in what is only checked, the values of repeated fields are not counted.
            self.lookahead.set_fault(Some(error.offset()));
            self.batch.truncate(self.rows);
            pushed = self.run(input, range.start, frame);
            self.lookahead.set_fault(None);
        }
        pushed?;
        self.rows += 1;
        Ok(())
    }

    fn finish(self) -> Table {
        self.batch.finish(self.rows)
    }

    /// The error where memory ran short, in the innermost message that was open.
    #[cold]
    fn place_shortage(&mut self, shortage: Shortage) -> DecodeError {
        let offset = self.open.last().map_or(0, |frame| frame.tag_start).max(self.start);
        self.place(WireError::new(self.options.shortage(shortage), offset), None)
    }

    /// Places an error: the path leads from the outermost message to the field in place `column` of the innermost one.
    #[cold]
    fn place(&mut self, error: WireError, column: Option<u16>) -> DecodeError {
        let mut path = String::new();
        if self.is_in_replaced() {
            // The frame of what is replaced is no message, and stands in no field.
            return DecodeError::new(error, path);
        }
        let frames = std::mem::take(&mut self.open);
        for (around, inner) in frames.iter().zip(frames.iter().skip(1)) {
            self.push_name(&mut path, around, inner.column);
            if let Some(index) = self.index_in_list(around, inner) {
                path.push_str(&format!("[{index}]"));
            }
        }
        if let (Some(column), Some(innermost)) = (column, frames.last()) {
            self.push_name(&mut path, innermost, column);
        }
        DecodeError::new(error, path)
    }

    /// True where what is open is, or stands in, a member of a oneof that another one replaces.
    fn is_in_replaced(&self) -> bool {
        self.open.iter().any(|frame| frame.at_end == AtEnd::Replaced)
    }

    fn push_name(&self, path: &mut String, frame: &Frame<'_>, column: u16) {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(self.plan.field_name(frame.plan, usize::from(column)));
    }

    /// Which of the messages of a repeated field a frame stands for; nothing where the field is singular.
    fn index_in_list(&mut self, around: &Frame<'_>, inner: &Frame<'_>) -> Option<usize> {
        let column = self.batch.made_column(around.table, inner.column)?;
        match self.batch.column(column) {
            Growing::RowLists(lists) => inner.row.checked_sub(lists.starts.of(around.row)?),
            Growing::Unread(unread) => unread.count_in(around.row),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

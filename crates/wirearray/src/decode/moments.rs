//! Points in time, and spans of it, that are out of range: found in columns, a piece of the messages at a time.
//!
//! A time has two fields, which may come in any order and again, and an entry of a map can be replaced, so what counts is what is
//! there at the end. But the columns of many messages are looked at while others are still to come, and then as they are: what
//! is far from any fault there is right. Everything else, which hardly ever comes, is decoded a second time to a table of its
//! own, and a third time without the messages that are bad.

use std::ops::Range;

use super::{Decoder, Input, OnError, Options, Views};
use crate::column::{Batch, TableId};
use crate::error::DecodeError;
use crate::plan::{MomentFault, Plan, WellKnown, are_far_from_faults};

/// Messages whose times are looked at together, while the columns are still in the cache; they are kept until then.
const TOGETHER: usize = 1024;

/// How far a batch was filled.
struct Mark {
    rows: usize,
    faults: usize,
    /// For each table of the batch how many bytes of seconds and nanoseconds it had.
    lens: Vec<(usize, usize)>,
}

impl Decoder<'_> {
    /// Decodes messages into the next rows, as [`Decoder::push_all`] does, and looks at the times in them.
    pub(super) fn push_checked<'a>(
        &mut self,
        mut messages: impl Iterator<Item = (Input<'a>, Range<usize>)>,
        mut len_left: usize,
    ) -> Result<(), DecodeError> {
        let mut taken = Vec::new();
        loop {
            let start = self.mark();
            let some = messages.by_ref().take(TOGETHER).inspect(|message| taken.push(message.clone()));
            let pushed = self.push_unchecked(some, len_left);
            let faults = if self.is_far_from_faults(&start) { Vec::new() } else { self.moment_faults(&taken) };
            if faults.is_empty() {
                pushed?;
            } else {
                self.push_again_without(faults, start, &taken, len_left)?;
            }
            if taken.len() < TOGETHER {
                return Ok(());
            }
            let len: usize = taken.iter().map(|(_, range)| range.len()).sum();
            len_left = len_left.saturating_sub(len);
            taken.clear();
        }
    }

    /// Where the batch ends now.
    fn mark(&self) -> Mark {
        let lens = self.batch.tables().map(|(number, table)| {
            let parts = moments(self.plan, &self.batch, number, table);
            parts.map_or((0, 0), |(seconds, nanos, _)| (seconds.len(), nanos.len()))
        });
        Mark { rows: self.rows, faults: self.faults.len(), lens: lens.collect() }
    }

    /// True only where no time behind the mark is out of range.
    fn is_far_from_faults(&self, start: &Mark) -> bool {
        let lens = start.lens.iter().copied().chain(std::iter::repeat((0, 0)));
        self.batch.tables().zip(lens).all(|((number, table), (seconds_len, nanos_len))| {
            let Some((seconds, nanos, well_known)) = moments(self.plan, &self.batch, number, table) else {
                return true;
            };
            // From the first row on of which either is new.
            let row = (seconds_len / size_of::<i64>()).min(nanos_len / size_of::<i32>());
            let seconds = seconds.get(row * size_of::<i64>()..).unwrap_or_default();
            let nanos = nanos.get(row * size_of::<i32>()..).unwrap_or_default();
            are_far_from_faults(seconds, nanos, well_known)
        })
    }

    /// Decodes messages once more from the mark on, without those that have a time out of range, or up to the first of them.
    #[cold]
    fn push_again_without(
        &mut self,
        faults: Vec<(usize, MomentFault)>,
        start: Mark,
        messages: &[(Input<'_>, Range<usize>)],
        len_left: usize,
    ) -> Result<(), DecodeError> {
        self.batch.truncate(start.rows);
        self.rows = start.rows;
        self.faults.truncate(start.faults);
        let mut next = 0;
        for (message, fault) in faults {
            self.push_unchecked(messages[next..message].iter().cloned(), len_left)?;
            // Where the time stood is no longer known.
            self.leave_out(fault.error(messages[message].1.start))?;
            next = message + 1;
        }
        self.push_unchecked(messages[next..].iter().cloned(), len_left)
    }

    /// The numbers of the messages that have a time out of range, each with its fault.
    #[cold]
    fn moment_faults(&self, messages: &[(Input<'_>, Range<usize>)]) -> Vec<(usize, MomentFault)> {
        let options = Options { views: Views::Never, on_error: OnError::Skip, keep_unknown: false, ..self.options };
        let mut decoder = Decoder::new(self.plan, options, Batch::new(self.plan.layout().clone()));
        let pushed = decoder.push_unchecked(messages.iter().cloned(), 0);
        debug_assert!(pushed.is_ok(), "bad messages are left out");
        let left_out = std::mem::take(decoder.faults());
        let mut left_out = left_out.iter().filter_map(DecodeError::row).peekable();
        let faults = self.plan.moment_faults(&decoder.finish());
        let mut before = 0;
        // Rows are numbered without the messages that were left out.
        let place = |fault: MomentFault| {
            while left_out.next_if(|&message| message <= fault.row + before).is_some() {
                before += 1;
            }
            (fault.row + before, fault)
        };
        faults.into_iter().map(place).collect()
    }
}

/// The bytes of the seconds and nanoseconds that have come to a table, where it is one of times.
fn moments<'b>(
    plan: &Plan,
    batch: &'b Batch,
    number: usize,
    table: TableId,
) -> Option<(&'b [u8], &'b [u8], WellKnown)> {
    let well_known = plan.shown_as(number).filter(|well_known| well_known.is_moment())?;
    Some((batch.number_bytes(table, 0), batch.number_bytes(table, 1), well_known))
}

//! Points in time, and spans of it, that are out of range: found in columns, a piece of the messages at a time.
//!
//! A time has two fields, which may come in any order and again, and an entry of a map can be replaced, so what counts is what is
//! there at the end. But the columns of many messages are looked at while others are still to come, and then as they are: what
//! is far from any fault there is right. Everything else, which hardly ever comes, is decoded a second time to a table of its
//! own, and a third time without the messages that are bad.

use std::ops::Range;

use super::{Decoder, Input, OnError, Options, Views, batch};
use crate::column::{Batch, TableId};
use crate::error::DecodeError;
use crate::plan::{MomentFault, MomentParts, Plan, WellKnown, are_far_from_faults};

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
        messages: impl Iterator<Item = (Input<'a>, Range<usize>)> + Clone,
        len_left: usize,
    ) -> Result<(), DecodeError> {
        let start = self.mark();
        let pushed = self.push_unchecked(messages.clone(), len_left);
        if self.is_far_from_faults(&start) {
            return pushed;
        }
        self.is_checking_times = true;
        let faults = self.moment_faults(messages.clone());
        self.is_checking_times = false;
        if faults.is_empty() { pushed } else { self.push_again_without(faults, start, messages, len_left) }
    }

    /// True only where no time in the batch is out of range, which needs no look at finished columns.
    pub(super) fn has_no_moment_fault(&mut self) -> bool {
        if !self.plan.has_moments() {
            return true;
        }
        self.batch.settle();
        self.is_far_from_faults(&Mark { rows: 0, faults: 0, lens: Vec::new() })
    }

    /// Where the batch ends now.
    fn mark(&mut self) -> Mark {
        // What is behind the mark is new only where nothing before it is still to be cut.
        self.batch.settle();
        self.has_doubtful_times = false;
        let lens = self.batch.tables().map(|(number, table)| {
            let parts = moments(self.plan, &self.batch, number, table);
            parts.map_or((0, 0), |(seconds, nanos, _)| (seconds.len(), nanos.len()))
        });
        Mark { rows: self.rows, faults: self.faults.len(), lens: lens.collect() }
    }

    /// True only where no time behind the mark is out of range.
    fn is_far_from_faults(&self, start: &Mark) -> bool {
        let lens = start.lens.iter().copied().chain(std::iter::repeat((0, 0)));
        !self.has_doubtful_times
            && self.batch.tables().zip(lens).all(|((number, table), (seconds_len, nanos_len))| {
                let Some((seconds, nanos, well_known)) = moments(self.plan, &self.batch, number, table) else {
                    return true;
                };
                // From the first row on of which either is new.
                let (seconds_from, nanos_from) = (seconds_len / size_of::<i64>(), nanos_len / size_of::<i32>());
                let first = seconds_from.min(nanos_from);
                let are_paired = self.batch.are_side_by_side(table, [0, 1], first);
                let from = if are_paired { (first, first) } else { (seconds_from, nanos_from) };
                are_far_from_faults(MomentParts { seconds, nanos, are_paired }.behind(from), well_known)
            })
    }

    /// Decodes messages once more from the mark on, without those that have a time out of range, or up to the first of them.
    #[cold]
    fn push_again_without<'a>(
        &mut self,
        faults: Vec<(usize, MomentFault)>,
        start: Mark,
        mut messages: impl Iterator<Item = (Input<'a>, Range<usize>)>,
        len_left: usize,
    ) -> Result<(), DecodeError> {
        self.batch.truncate(start.rows);
        self.rows = start.rows;
        self.faults.truncate(start.faults);
        let mut next = 0;
        for (message, fault) in faults {
            self.push_unchecked(messages.by_ref().take(message - next), len_left)?;
            // Where the time stood is no longer known.
            let offset = messages.next().map_or(0, |(_, range)| range.start);
            self.leave_out(fault.error(offset))?;
            next = message + 1;
        }
        self.push_unchecked(messages, len_left)
    }

    /// The numbers of the messages that have a time out of range, each with its fault.
    #[cold]
    fn moment_faults<'a>(
        &self,
        messages: impl Iterator<Item = (Input<'a>, Range<usize>)>,
    ) -> Vec<(usize, MomentFault)> {
        let options = Options { views: Views::Never, on_error: OnError::Skip, keep_unknown: false, ..self.options };
        let mut decoder = Decoder::new(self.plan, options, batch(self.plan, options, Vec::new()));
        let pushed = decoder.push_unchecked(messages, 0);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::column::Data;
    use crate::schema::{Schema, compile_source};

    const TEXT: &str = r#"
        syntax = "proto3";
        import "google/protobuf/timestamp.proto";
        message M { google.protobuf.Timestamp at = 1; repeated google.protobuf.Timestamp times = 2; int32 id = 3; }
    "#;

    // A time of 7 s, one of -1 ns within a list, a varint that does not end, and an empty message.
    const GOOD: &[u8] = b"\x0a\x02\x08\x07\x18\x01";
    const BAD: &[u8] = b"\x12\x00\x12\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    const BROKEN: &[u8] = b"\x18\xff";

    #[test]
    fn messages_with_a_time_out_of_range_are_left_out_in_their_order_among_other_bad_ones() {
        let plan = plan();
        let pieces: [&[&[u8]]; 4] = [
            &[GOOD, BAD, BROKEN, GOOD],
            &[b"", GOOD],
            &[BROKEN, BAD, BAD, BROKEN, GOOD, BAD, GOOD],
            &[GOOD, BROKEN, BAD],
        ];
        let mut decoder = decoder(&plan, OnError::Skip);
        for piece in pieces {
            assert_eq!(decoder.push_all(messages(piece), 0), Ok(()));
        }
        let found: Vec<_> = decoder.faults().iter().map(|error| (error.row().unwrap(), error.path())).collect();
        let time = "times[1]";
        assert_eq!(
            found,
            [(1, time), (2, "id"), (6, "id"), (7, time), (8, time), (9, "id"), (11, time), (14, "id"), (15, time)]
        );
        assert_eq!(decoder.messages(), 16);
        let table = decoder.finish();
        let Data::Numbers(numbers) = &table.column(2).data else { panic!("numbers") };
        assert_eq!(numbers.values.as_slice::<u32>(), [1, 1, 0, 1, 1, 1, 1]);
    }

    #[test]
    fn the_first_bad_message_ends_it_and_those_before_it_stay() {
        let plan = plan();
        for (piece, row, path) in [([GOOD, BAD, BROKEN], 1, "times[1]"), ([GOOD, BROKEN, BAD], 1, "id")] {
            let mut decoder = decoder(&plan, OnError::Raise);
            let error = decoder.push_all(messages(&piece), 0).unwrap_err();
            assert_eq!((error.row(), error.path()), (Some(row), path));
            assert_eq!(decoder.finish().rows(), 1);
        }
    }

    #[test]
    fn times_that_are_not_shown_are_not_looked_at() {
        let plan = Arc::new(plan()).showing(false);
        let mut decoder = decoder(&plan, OnError::Raise);
        assert_eq!(decoder.push_all(messages(&[GOOD, BAD]), 0), Ok(()));
        assert_eq!(decoder.finish().rows(), 2);
    }

    fn plan() -> Plan {
        let schema = Schema::from_descriptor_set(&compile_source("m.proto", TEXT, &[]).unwrap()).unwrap();
        let message = schema.message_id("M").unwrap();
        Plan::new(Arc::new(schema), message)
    }

    fn decoder(plan: &Plan, on_error: OnError) -> Decoder<'_> {
        let options = Options { on_error, ..Options::DEFAULT };
        Decoder::new(plan, options, batch(plan, options, Vec::new()))
    }

    fn messages<'a>(piece: &'a [&'a [u8]]) -> impl Iterator<Item = (Input<'a>, Range<usize>)> + Clone {
        piece.iter().map(|&message| (Input::from(message), 0..message.len()))
    }
}

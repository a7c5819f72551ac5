//! Messages that are kept unread: their fields are checked as they come, and decoded when someone asks for them.
//!
//! They go through the same loop as all others, in frames whose table is [`TableId::NOWHERE`]. So whatever is wrong with them is
//! an error then, of the same kind at the same byte; but nobody counts there which values of repeated fields have come, so that
//! its path names no numbers within them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::fields::Place;
use super::frame::{AtEnd, Frame, Reader};
use super::packed::{Varints, check_length};
use super::run::next_step;
use super::{Decoder, Input, OnError, Options, Views};
use crate::column::{Batch, DecodeLater, Known, StringColumn, Table, TableId, Validity};
use crate::cores::Cores;
use crate::error::WireResult;
use crate::plan::{Doubt, MessagePlan, Number, Op, Plan, Step};
use crate::wire::Cursor;

/// The outermost message that is being checked, to be kept.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The number of its column.
    column: usize,
    /// The byte at which its fields start.
    start: usize,
    /// Messages and groups that are open around it, within the outermost of all.
    depth: u32,
    /// What is known of it so far.
    known: Known,
    /// The signs of the spans of time in it.
    signs: Signs,
    /// True where singular messages in it may be merged.
    merges: bool,
}

/// Which signs there are: bits.
type Signs = usize;

const ABOVE_ZERO: Signs = 1;
const BELOW_ZERO: Signs = 2;
const BOTH: Signs = ABOVE_ZERO | BELOW_ZERO;

impl<'p> Frame<'p> {
    /// True where the message is only checked: it is kept unread, or replaced.
    #[inline(always)]
    pub(super) fn is_unread(&self) -> bool {
        self.table == TableId::NOWHERE
    }
}

impl<'p> Decoder<'p> {
    /// Begins to check a message, the fields of which start at byte `start`, to keep it unread in a column.
    pub(super) fn begin_unread(&mut self, column: usize, start: usize) -> Place {
        self.checked = Checked { column, start, depth: self.depth(), ..Checked::default() };
        Place::unread()
    }

    /// Notes that another message within it begins.
    #[inline(always)]
    pub(super) fn begin_within_unread(&mut self, around: &MessagePlan, step: Step) {
        self.checked.known.height = self.checked.known.height.max(self.depth() - self.checked.depth);
        if around.holds_moments() && matches!(step.op, Op::Merge | Op::MergeGroup) {
            self.note_singular(step.column);
        }
    }

    /// Notes that the message which is open has another in a singular field, of which it may have had one before.
    #[inline(never)]
    fn note_singular(&mut self, column: u16) {
        if let Some(frame) = self.open.last_mut() {
            // The last bit is shared by all that have none of their own.
            let bit = 1usize << u32::from(column).min(usize::BITS - 1);
            self.checked.merges |= frame.row & bit != 0;
            frame.row |= bit;
        }
    }

    /// Keeps the message within the current one that has been checked, whose fields end at byte `end`, where it is to be kept.
    pub(super) fn keep_unread(&mut self, reader: &Reader<'_, 'p>, end: usize) {
        let Checked { column, start, mut known, signs, merges, .. } = self.checked;
        let message = reader.input.bytes.get(start..end).unwrap_or_default();
        known.is_doubtful |= merges && signs == BOTH;
        known.is_doubtful_if_merged = signs != 0;
        if let Some(unread) = self.batch.column(column).unread() {
            let known = unread.add(reader.frame.row, message, known, reader.rows_left());
            self.has_doubtful_times |= known.is_doubtful;
        }
    }

    /// Moves past numbers, and goes into messages and out of them, with the place in the input in registers. Anything else is left
    /// to the loop over fields, which finds the cursor before it.
    #[inline(always)]
    pub(super) fn check_run(&mut self, reader: &mut Reader<'_, 'p>) {
        let (mut plan, mut cursor) = (reader.frame.plan, reader.cursor);
        loop {
            while let Some((step, mut ahead)) = next_step(plan, cursor) {
                match step.op {
                    Op::Set(number) if plan.moment().is_none() && check_number(&mut ahead, number).is_ok() => {}
                    Op::Append(number) if check_number(&mut ahead, number).is_ok() => {}
                    Op::Merge | Op::AppendMessage if self.depth() < self.options.depth_limit => {
                        let Ok(len) = ahead.read_len() else { break };
                        self.begin_within_unread(plan, step);
                        if len > 0 {
                            // The length has been compared with what is left, so the sum is at most the input's length.
                            let end = ahead.position().wrapping_add(len);
                            let frame = Frame::of(self.plan_of(plan, step), step.column, cursor.position(), end);
                            plan = frame.plan;
                            self.open.push(frame);
                            ahead.enter(reader.input.bytes.get(..frame.end).unwrap_or_default(), ahead.position());
                        }
                    }
                    Op::MergeGroup | Op::AppendGroup if self.depth() < self.options.depth_limit => {
                        self.begin_within_unread(plan, step);
                        let group = plan.fields[usize::from(step.column)].number;
                        let end = self.open.last().map_or(0, |around| around.end);
                        let frame = Frame::of(self.plan_of(plan, step), step.column, cursor.position(), end);
                        let frame = Frame { group, ..frame };
                        plan = frame.plan;
                        self.open.push(frame);
                    }
                    Op::EndGroup => match self.open.as_slice() {
                        [.., around, left] if left.at_end == AtEnd::Nothing && left.ends_at(cursor) => {
                            plan = around.plan;
                            self.open.pop();
                        }
                        _ => break,
                    },
                    _ => break,
                }
                cursor = ahead;
            }
            match self.open.as_slice() {
                [.., around, left] if cursor.is_at_end() && left.group == 0 && left.at_end == AtEnd::Nothing => {
                    plan = around.plan;
                    cursor.enter(reader.input.bytes.get(..around.end).unwrap_or_default(), left.resume);
                    self.open.pop();
                }
                _ => break,
            }
        }
        reader.frame = self.open.last().copied().unwrap_or(reader.frame);
        reader.cursor = cursor;
    }

    /// Moves past a number. Those of a time are looked at: it is beyond doubt where it is right whatever the other one is, and where
    /// both have one sign. Where messages are merged, they need not be the two that stand together.
    #[inline(never)]
    pub(super) fn check_set(&mut self, reader: &mut Reader<'_, 'p>, step: Step, number: Number) -> WireResult<()> {
        let Some(moment) = reader.frame.plan.moment() else { return check_number(&mut reader.cursor, number) };
        match moment.doubt(step.column, reader.cursor.read_varint()?) {
            Doubt::None => {}
            Doubt::OfRange => self.checked.known.is_doubtful = true,
            Doubt::OfSign(is_below_zero) => {
                let sign = if is_below_zero { BELOW_ZERO } else { ABOVE_ZERO };
                self.checked.signs |= sign;
                if let Some(span) = self.open.last_mut() {
                    span.row |= sign;
                    self.checked.known.is_doubtful |= span.row == BOTH;
                }
            }
        }
        Ok(())
    }

    /// Moves past a packed run.
    #[inline(never)]
    pub(super) fn check_packed(reader: &mut Reader<'_, 'p>, number: Number) -> WireResult<()> {
        let length_start = reader.cursor.position();
        let run = reader.cursor.read_delimited()?;
        match number.fixed_width() {
            Some(width) => check_length(run, width, length_start),
            None => Varints::new(reader, run)?.check(),
        }
    }
}

/// Moves past a number.
#[inline(always)]
pub(super) fn check_number(cursor: &mut Cursor<'_>, number: Number) -> WireResult<()> {
    match number.fixed_width() {
        Some(8) => cursor.read_fixed64().map(drop),
        Some(_) => cursor.read_fixed32().map(drop),
        None => cursor.read_varint().map(drop),
    }
}

/// What decodes the messages of a plan that were kept unread.
struct Later {
    plan: Plan,
    options: Options,
}

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Plans are long.
        f.debug_struct("Later").finish_non_exhaustive()
    }
}

/// Has a batch keep messages unread that would make too many tables.
pub(super) fn read_later(plan: &Plan, options: Options, batch: &mut Batch) {
    // Views are of the input, and messages that are decoded later no longer lie there.
    if options.views == Views::Always || !plan.may_have_more_tables_than(options.most_tables) {
        return;
    }
    let later = Options {
        views: Views::Never,
        cores: Cores::ONE,
        on_error: OnError::Raise,
        // With as many each time, bytes that keep all that is left for the last table would be copied with each level of messages.
        most_tables: options.most_tables.saturating_mul(2),
        ..options
    };
    batch.read_later(options.most_tables, Arc::new(Later { plan: plan.clone(), options: later }));
}

impl DecodeLater for Later {
    fn decode(&self, number: usize, messages: &StringColumn, validity: Validity) -> Table {
        let (count, bytes) = (messages.offsets.len(), messages.data.as_bytes());
        let message = |row| -> (Input<'_>, Range<usize>) {
            (Input::from(bytes), messages.offsets.range(row).unwrap_or_default())
        };
        let mut batch = Batch::of_table(self.plan.layout().clone(), number);
        read_later(&self.plan, self.options, &mut batch);
        let mut decoder = Decoder::new(&self.plan, self.options, batch);
        // Only bytes that changed between their check and their copy, as those of a lent buffer may, can be bad here. Then they stand
        // for an empty message.
        while decoder.push_unchecked((decoder.rows..count).map(message), bytes.len()).is_err() {
            decoder.rows += 1;
        }
        decoder.batch.finish_with(count, validity)
    }
}

#[cfg(test)]
#[path = "unread_tests.rs"]
mod tests;

//! Messages that are kept unread: their fields are checked as they come, and decoded when someone asks for them.
//!
//! They go through the same loop as all others, in frames whose table is [`TableId::NOWHERE`]. So whatever is wrong with them is
//! an error then, of the same kind at the same byte; but nobody counts there which values of repeated fields have come, so that
//! its path names no numbers within them.

use std::ops::Range;
use std::sync::Arc;

use super::frame::{Frame, Reader};
use super::packed::{Varints, check_length};
use super::{Decoder, Input, OnError, Options, Views};
use crate::column::{Batch, Budget, DecodeLater, StringColumn, Table, TableId, Validity};
use crate::cores::Cores;
use crate::error::WireResult;
use crate::plan::{Number, Plan};

/// The outermost message that is being checked.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The number of its column.
    column: usize,
    /// The byte at which its fields start.
    start: usize,
    /// Messages and groups that are open around it, within the outermost of all.
    depth: u32,
    /// Levels of messages within it, so far.
    height: u32,
}

impl<'p> Frame<'p> {
    /// True where the message is checked, and kept unread.
    #[inline(always)]
    pub(super) fn is_unread(&self) -> bool {
        self.table == TableId::NOWHERE
    }
}

impl<'p> Decoder<'p> {
    /// Begins to check a message of a column whose messages are kept unread, the fields of which start at byte `start`.
    pub(super) fn begin_unread(&mut self, column: usize, start: usize) {
        self.checked = Checked { column, start, depth: self.depth(), height: 0 };
    }

    /// Notes that another message within it begins.
    #[inline(always)]
    pub(super) fn begin_within_unread(&mut self) {
        self.checked.height = self.checked.height.max(self.depth() - self.checked.depth);
    }

    /// Keeps the message of the current one that has been checked, whose fields end at byte `end`.
    pub(super) fn keep_unread(&mut self, reader: &Reader<'_, 'p>, end: usize) {
        let Checked { column, start, height, .. } = self.checked;
        let message = reader.input.bytes.get(start..end).unwrap_or_default();
        if let Some(unread) = self.batch.column(column).unread() {
            unread.add(reader.frame.row, message, height, reader.rows_left());
        }
    }

    /// Moves past a number.
    #[inline(always)]
    pub(super) fn check_number(reader: &mut Reader<'_, 'p>, number: Number) -> WireResult<()> {
        match number.fixed_width() {
            Some(8) => reader.cursor.read_fixed64().map(drop),
            Some(_) => reader.cursor.read_fixed32().map(drop),
            None => reader.cursor.read_varint().map(drop),
        }
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

/// What decodes the messages of a plan that were kept unread.
#[derive(Debug)]
pub(super) struct Later {
    plan: Plan,
    options: Options,
}

/// Has a batch keep messages unread that would make too many tables.
pub(super) fn read_later(plan: &Plan, options: Options, batch: &mut Batch) {
    // Views are of the input, and messages that are decoded later no longer lie there.
    if options.views == Views::Always || !plan.can_have_more_tables_than(options.most_tables) {
        return;
    }
    let options =
        Options { views: Views::Never, cores: Cores::ONE, on_error: OnError::Raise, max_bytes: None, ..options };
    batch.read_later(options.most_tables, Arc::new(Later { plan: plan.clone(), options }));
}

impl DecodeLater for Later {
    fn decode(&self, number: usize, messages: &StringColumn, validity: Validity) -> Table {
        let (count, bytes) = (messages.offsets.len(), messages.data.as_bytes());
        let message = |row| -> (Input<'_>, Range<usize>) {
            (Input::from(bytes), messages.offsets.range(row).unwrap_or_default())
        };
        Budget::current().within(|| {
            let mut batch = Batch::of_table(self.plan.layout().clone(), number);
            read_later(&self.plan, self.options, &mut batch);
            let mut decoder = Decoder::new(&self.plan, self.options, batch);
            // Only bytes that changed between their check and their copy, as those of a lent buffer may, can be bad here. Then they
            // stand for an empty message.
            while decoder.push_unchecked((decoder.rows..count).map(message), bytes.len()).is_err() {
                decoder.rows += 1;
            }
            decoder.batch.finish_with(count, validity)
        })
    }
}

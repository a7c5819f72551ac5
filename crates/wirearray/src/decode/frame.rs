//! Where the decoder stands: the message being read, and the cursor in it.

use super::Input;
use crate::wire::Cursor;

/// A message or group that is open: where its values go and where it ends.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The number of its message plan.
    pub(super) message: usize,
    /// The number of its table in the batch.
    pub(super) table: usize,
    /// Where the table's column numbers start.
    pub(super) first_slot: usize,
    /// The table's row that it is read into.
    pub(super) row: usize,
    /// The byte at which it ends; of a group, the byte at which the message around it ends.
    pub(super) end: usize,
    /// The byte at which the message around it goes on. Not `end` where an old message set wraps it once more.
    pub(super) resume: usize,
    /// The field number of the group that it is, 0 for a message.
    pub(super) group: u32,
    /// The place of its field in the message around it.
    pub(super) column: u16,
    /// True for an entry of a map whose value is unknown to a closed enum: it is dropped at its end.
    pub(super) is_dropped: bool,
}

impl Frame {
    /// The frame of a message that ends at byte `end` and goes to `row` of the outermost table.
    pub(super) fn outermost(row: usize, end: usize) -> Self {
        Self { message: 0, table: 0, first_slot: 0, row, end, resume: end, group: 0, column: 0, is_dropped: false }
    }
}

/// The input, the place in it, and the message that is being read there.
pub(super) struct Reader<'a> {
    pub(super) input: Input<'a>,
    pub(super) cursor: Cursor<'a>,
    /// The innermost message that is open.
    pub(super) frame: Frame,
    /// The byte at which the current field's tag starts.
    pub(super) field_start: usize,
    /// The byte at which the outermost message ends.
    outermost_end: usize,
}

impl<'a> Reader<'a> {
    /// A reader at byte `start` of the input, where the message of `frame` starts.
    pub(super) fn new(input: Input<'a>, start: usize, frame: Frame) -> Self {
        let outermost_end = frame.end;
        let mut reader = Self { input, cursor: Cursor::new(&[]), frame, field_start: start, outermost_end };
        reader.seek(start);
        reader
    }

    /// Goes to byte `position` of the current message, which may have become another one.
    #[inline(always)]
    pub(super) fn seek(&mut self, position: usize) {
        let message = self.input.bytes.get(..self.frame.end).unwrap_or(self.input.bytes);
        self.cursor.enter(message, position);
    }

    /// The current field's tag, as it was written.
    #[inline(always)]
    pub(super) fn tag_bytes(&self) -> &'a [u8] {
        self.input.bytes.get(self.field_start..self.cursor.position()).unwrap_or_default()
    }

    /// Bytes left of the outermost message.
    #[inline(always)]
    pub(super) fn len_left(&self) -> usize {
        self.outermost_end.saturating_sub(self.cursor.position())
    }
}

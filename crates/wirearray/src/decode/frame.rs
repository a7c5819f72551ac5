//! Where the decoder stands: the message being read, and the cursor in it.

use super::Input;
use crate::column::TableId;
use crate::plan::{FieldPlan, MessagePlan, Step};
use crate::wire::{Cursor, Tag, WireType};

/// A message or group that is open: where its values go and where it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'p> {
    /// How its type is decoded.
    pub(super) plan: &'p MessagePlan,
    /// The table that its values go to.
    pub(super) table: TableId,
    /// The table's row that it is read into. Of a message that is only checked, bits: which singular messages with times it has had,
    /// or, where it is a span of time, which signs.
    pub(super) row: usize,
    /// The byte at which its tag starts.
    pub(super) tag_start: usize,
    /// The byte at which it ends; of a group, the byte at which the message around it ends.
    pub(super) end: usize,
    /// The byte at which the message around it goes on. Not `end` where an old message set wraps it once more.
    pub(super) resume: usize,
    /// The field number of the group that it is, 0 for a message.
    pub(super) group: u32,
    /// How to go on to the next message of the same repeated field, where this is one with a tag of one byte.
    pub(super) run: Option<Run>,
    /// The place of its field in the message around it.
    pub(super) column: u16,
    /// What is to be done with it at its end.
    pub(super) at_end: AtEnd,
}

/// What becomes of a message once it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtEnd {
    /// Nothing more: its values are where they belong.
    Nothing,
    /// It is an entry of a map whose value is unknown to a closed enum, and is dropped.
    Drop,
    /// It was only checked, and is kept unread.
    Keep,
    /// It was only checked, and is no message: members of oneofs that another one replaces.
    Replaced,
}

/// What messages that follow each other in a repeated field have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// The byte at which the message around them ends.
    pub(super) around_end: usize,
    /// The number of their column in the batch.
    pub(super) column: u32,
    /// Their tag.
    pub(super) tag: u8,
}

impl<'p> Frame<'p> {
    /// The frame of a message in the field in place `column` that ends at byte `end` and goes nowhere.
    #[inline(always)]
    pub(super) fn of(plan: &'p MessagePlan, column: u16, tag_start: usize, end: usize) -> Self {
        let (table, at_end) = (TableId::NOWHERE, AtEnd::Nothing);
        Self { plan, table, row: 0, tag_start, end, resume: end, group: 0, run: None, column, at_end }
    }

    /// The frame of a message that ends at byte `end` and goes to `row` of the outermost table.
    pub(super) fn outermost(plan: &'p MessagePlan, row: usize, end: usize) -> Self {
        Self { table: TableId::OUTERMOST, row, ..Self::of(plan, 0, 0, end) }
    }

    /// True where it is a group, and the tag at the cursor ends it.
    #[inline(always)]
    pub(super) fn ends_at(&self, mut cursor: Cursor<'_>) -> bool {
        self.group != 0 && cursor.read_tag() == Ok(Tag::new(self.group, WireType::EndGroup))
    }

    /// The field that `step` belongs to.
    #[inline(always)]
    pub(super) fn field(&self, step: Step) -> &'p FieldPlan {
        &self.plan.fields[usize::from(step.column)]
    }
}

/// The input, the place in it, and the message that is being read there.
pub(super) struct Reader<'a, 'p> {
    pub(super) input: Input<'a>,
    pub(super) cursor: Cursor<'a>,
    /// The innermost message that is open.
    pub(super) frame: Frame<'p>,
    /// The byte at which the current field's tag starts.
    pub(super) field_start: usize,
    /// The current field's tag, where its step needs it: of fields that are not decoded.
    pub(super) tag: Tag,
    /// The byte at which all messages would end, if those after the outermost one lay behind it.
    pub(super) all_end: usize,
}

impl<'a, 'p> Reader<'a, 'p> {
    /// A reader at byte `start` of the input, where the outermost message starts. `len_ahead` is how many bytes come
    /// after it.
    pub(super) fn new(input: Input<'a>, start: usize, frame: Frame<'p>, len_ahead: usize) -> Self {
        let all_end = frame.end.saturating_add(len_ahead);
        let (cursor, tag) = (Cursor::new(&[]), Tag::new(1, WireType::Varint));
        let mut reader = Self { input, cursor, frame, field_start: start, tag, all_end };
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

    /// Bytes that can still come: of this message and of those after it.
    #[inline(always)]
    pub(super) fn len_left(&self) -> usize {
        self.all_end.wrapping_sub(self.cursor.position())
    }

    /// Rows that can still come to a table, this one included.
    #[inline(always)]
    pub(super) fn rows_left(&self) -> usize {
        rows_left(self.len_left())
    }
}

/// Rows that can still come in so many bytes, the current one included: each takes a tag and a length at least.
#[inline(always)]
pub(super) fn rows_left(len_left: usize) -> usize {
    len_left / 2 + 1
}

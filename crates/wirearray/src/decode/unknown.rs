//! Fields that are not decoded: skipped, or kept as they were written.

use super::Decoder;
use super::frame::{Frame, Reader, rows_left};
use crate::error::WireResult;
use crate::plan::{Op, Step};
use crate::wire::Tag;

impl<'p> Decoder<'p> {
    /// Moves past a field that the schema does not know.
    pub(super) fn skip(&mut self, reader: &mut Reader<'_, 'p>) -> WireResult<()> {
        loop {
            self.skip_value(reader, reader.tag)?;
            self.keep(reader, reader.field_start);
            // Unknown fields come together: the next one need not take the way through the loop over fields.
            let is_unknown = |byte| byte < 0x80 && reader.frame.plan.step_of_byte(byte).op == Op::Skip;
            if !reader.cursor.peek().is_some_and(is_unknown) {
                return Ok(());
            }
            reader.field_start = reader.cursor.position();
            reader.tag = reader.cursor.read_tag()?;
        }
    }

    /// Moves past a field that is not selected; forgets what the oneof had set that it is a member of. A number that its
    /// closed enum does not know leaves the oneof alone, as if it were decoded.
    pub(super) fn notice(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        if !step.is_in_oneof && !reader.frame.plan.is_map_entry {
            // Nothing depends on most fields that are left out.
            return self.skip_value(reader, reader.tag);
        }
        let field = &reader.frame.plan.unselected[usize::from(step.column)];
        if field.known.is_empty() {
            self.skip_value(reader, reader.tag)?;
        } else if !field.knows(reader.cursor.read_varint()? as u32) {
            self.drop_entry(reader);
            return Ok(());
        }
        self.choose(reader, field);
        Ok(())
    }

    /// Moves past the value behind `tag`, which does not end a group.
    #[inline]
    pub(super) fn skip_value(&self, reader: &mut Reader<'_, 'p>, tag: Tag) -> WireResult<()> {
        let limit = self.options.depth_limit;
        reader.cursor.skip_value(tag, limit.saturating_sub(self.depth()), limit)
    }

    /// Keeps what was read of the current message from byte `start` on, where unknown fields are wanted.
    #[inline(always)]
    pub(super) fn keep(&mut self, reader: &Reader<'_, 'p>, start: usize) {
        if self.options.keep_unknown && !reader.frame.is_unread() {
            self.keep_bytes(reader, start);
        }
    }

    #[inline(never)]
    fn keep_bytes(&mut self, reader: &Reader<'_, 'p>, start: usize) {
        let Frame { table, row, .. } = reader.frame;
        let bytes = reader.input.bytes.get(start..reader.cursor.position()).unwrap_or_default();
        self.batch.keep_unknown(table, row, bytes, rows_left(reader.all_end.wrapping_sub(start)));
    }

    /// Forgets the entry of a map that has just been left, and keeps all of it as a field of the message around it: from
    /// its tag at byte `start` on.
    #[cold]
    pub(super) fn leave_dropped(&mut self, reader: &Reader<'_, 'p>, column: u16, start: usize) {
        if let Some(entries) = self.batch.made_column(reader.frame.table, column) {
            self.batch.drop_row(entries);
        }
        self.keep(reader, start);
    }
}

//! The tightest loop: singular numbers one after the other, in messages one after the other.
//!
//! Most fields of most messages are singular numbers whose column is there already. Here they are read with the place in
//! the input in registers. Anything else, be it a first value, a member of a oneof or an error, is left to the loop
//! around this one, which finds the cursor before it.

use super::Decoder;
use super::frame::{Frame, Reader, rows_left};
use super::numbers::Fixed;
use crate::column::Width;
use crate::error::WireResult;
use crate::plan::{Number, Op};
use crate::varint::{Bool, Kind, Varint32, Varint64, Zigzag32, Zigzag64};
use crate::wire::Cursor;

impl<'p> Decoder<'p> {
    /// Reads singular numbers, and goes on to the next message of the same repeated field where a message ends with them.
    #[inline(always)]
    pub(super) fn read_run(&mut self, reader: &mut Reader<'_, 'p>) {
        let mut cursor = reader.cursor;
        loop {
            let Frame { plan, table, row, .. } = reader.frame;
            while let Some(byte) = cursor.peek() {
                let step = plan.step_of_byte(byte);
                let Op::Set(number) = step.op else { break };
                let Some(column) = self.batch.column_number(table, step.column).filter(|_| !step.is_in_oneof) else {
                    break;
                };
                let mut ahead = cursor;
                ahead.advance(1);
                let Ok(true) = self.read_next(&mut ahead, column, row, number, reader.all_end) else { break };
                cursor = ahead;
            }
            if !cursor.is_at_end() || !self.enter_next(reader, &mut cursor) {
                break;
            }
        }
        reader.cursor = cursor;
    }

    /// Reads a number into a column; false where it may not be one.
    #[inline(always)]
    fn read_next(
        &mut self,
        cursor: &mut Cursor<'_>,
        column: usize,
        row: usize,
        number: Number,
        all_end: usize,
    ) -> WireResult<bool> {
        match number {
            Number::Varint64 => self.put(column, row, Varint64::of(cursor.read_varint()?), cursor, all_end),
            Number::Varint32 => self.put(column, row, Varint32::of(cursor.read_varint()?), cursor, all_end),
            Number::Zigzag64 => self.put(column, row, Zigzag64::of(cursor.read_varint()?), cursor, all_end),
            Number::Zigzag32 => self.put(column, row, Zigzag32::of(cursor.read_varint()?), cursor, all_end),
            Number::Bool => self.put(column, row, Bool::of(cursor.read_varint()?), cursor, all_end),
            Number::Fixed64 => self.put(column, row, u64::read(cursor)?, cursor, all_end),
            Number::Fixed32 => self.put(column, row, u32::read(cursor)?, cursor, all_end),
            Number::ClosedEnum => return Ok(false),
        }
        Ok(true)
    }

    #[inline(always)]
    fn put<T: Width>(&mut self, column: usize, row: usize, value: T, cursor: &Cursor<'_>, all_end: usize) {
        let at_most = rows_left(all_end, cursor.position());
        T::numbers(self.batch.column(column)).set(row, value, at_most);
    }

    /// Goes from the end of a message to the start of the next, where it is the next value of the same field.
    #[inline(always)]
    fn enter_next<'a>(&mut self, reader: &mut Reader<'a, 'p>, cursor: &mut Cursor<'a>) -> bool {
        let frame = &mut reader.frame;
        let (Some(run), Some(open)) = (frame.run, self.open.last_mut()) else { return false };
        let around = reader.input.bytes.get(..run.around_end).unwrap_or_default();
        let mut ahead = Cursor::new(around);
        ahead.enter(around, frame.end);
        if open.is_dropped || ahead.peek() != Some(run.tag) {
            return false;
        }
        ahead.advance(1);
        let Ok(len) = ahead.read_len() else { return false };
        let (tag_start, start) = (frame.end, ahead.position());
        // `read_len` has compared the length with what is left, so the sum is at most the input's length.
        let end = start.wrapping_add(len);
        frame.row = self.batch.add_row(run.column as usize);
        (frame.end, frame.resume) = (end, end);
        // Of a tag's start only the list is asked, once the message is closed.
        (open.row, open.tag_start, open.end, open.resume) = (frame.row, tag_start, end, end);
        *cursor = ahead;
        cursor.enter(around.get(..end).unwrap_or(around), start);
        true
    }
}

//! The tightest loop: singular numbers and strings one after the other, in messages one after the other or within each other.
//!
//! Most fields of most messages are singular, and their column is there already. Here they are read with the place in the input in
//! registers, and without what the loop around this one has to ask. Anything else, be it a first value, a closed enum in a oneof or
//! an error, is left to that loop, which finds the cursor before it.

use super::frame::{AtEnd, Frame, Reader, rows_left};
use super::numbers::{Fixed, with_number};
use super::trail::{Message, Source};
use super::{Decoder, Input};
use crate::column::Width;
use crate::error::WireResult;
use crate::plan::{MessagePlan, Number, Op, Step};
use crate::varint::Kind;
use crate::wire::Cursor;

impl<'p> Decoder<'p> {
    /// Reads singular numbers and strings, and goes into singular messages and groups, out of them, and on to the next message of the
    /// same repeated field.
    #[inline(always)]
    pub(super) fn read_run(&mut self, reader: &mut Reader<'_, 'p>) {
        let mut cursor = reader.cursor;
        loop {
            while let Some((step, mut ahead)) = next_step(reader.frame.plan, cursor) {
                let tag_start = cursor.position();
                let is_read = match step.op {
                    Op::Set(number) => self.set_at_once(reader, step, number, tag_start, &mut ahead),
                    Op::Merge | Op::MergeGroup | Op::AppendGroup => {
                        self.enter_at_once(reader, step, tag_start, &mut ahead)
                    }
                    Op::SetString | Op::SetText => self.set_string_at_once(reader, step, tag_start, &mut ahead),
                    Op::EndGroup if reader.frame.ends_at(cursor) => {
                        self.leave_to(reader, ahead.position(), &mut ahead);
                        true
                    }
                    _ => false,
                };
                if !is_read {
                    break;
                }
                cursor = ahead;
            }
            if !cursor.is_at_end() {
                break;
            }
            if !self.enter_next(reader, &mut cursor) {
                if reader.frame.group != 0 || self.open.len() <= 1 {
                    break;
                }
                self.leave_to(reader, reader.frame.resume, &mut cursor);
            }
        }
        reader.cursor = cursor;
    }

    /// Reads a number, the tag of which starts at byte `tag_start`, into a column that is there; false where it may not be one.
    #[inline(always)]
    fn set_at_once(
        &mut self,
        reader: &Reader<'_, 'p>,
        step: Step,
        number: Number,
        tag_start: usize,
        cursor: &mut Cursor<'_>,
    ) -> bool {
        let Frame { table, row, .. } = reader.frame;
        let Some(column) = self.batch.column_number(table, step.column) else { return false };
        // Whether its number is one of its enum's is not known yet.
        // A number has a byte, and where there is no more it is the last field.
        let end = cursor.position().saturating_add(1);
        if step.is_in_oneof && (number == Number::ClosedEnum || !self.choose_at_once(reader, step, tag_start, end)) {
            return false;
        }
        self.read_next(cursor, column, row, number, reader.all_end) == Ok(true)
    }

    /// Reads a string into a column that is there; false where that takes more.
    #[inline(always)]
    fn set_string_at_once(
        &mut self,
        reader: &Reader<'_, 'p>,
        step: Step,
        tag_start: usize,
        cursor: &mut Cursor<'_>,
    ) -> bool {
        let Frame { table, row, .. } = reader.frame;
        let Some(column) = self.batch.column_number(table, step.column) else { return false };
        let Ok(bytes) = cursor.read_delimited() else { return false };
        if step.op == Op::SetText && !bytes.is_ascii() && simdutf8::basic::from_utf8(bytes).is_err() {
            return false;
        }
        if step.is_in_oneof && !self.choose_at_once(reader, step, tag_start, cursor.position()) {
            return false;
        }
        let at_most = rows_left(reader.all_end.wrapping_sub(cursor.position()));
        self.batch.column(column).strings().set(row, bytes, at_most);
        true
    }

    /// Opens a singular message, or a group, the tag of which starts at byte `tag_start`: what [`Decoder::enter`] does where all that
    /// it needs is there and nothing is wrong. False where that is not so.
    #[inline(always)]
    fn enter_at_once<'a>(
        &mut self,
        reader: &mut Reader<'a, 'p>,
        step: Step,
        tag_start: usize,
        cursor: &mut Cursor<'a>,
    ) -> bool {
        let around = reader.frame;
        let Some(column) = self.batch.column_number(around.table, step.column) else { return false };
        if self.depth() >= self.options.depth_limit {
            return false;
        }
        let (group, end) = match step.op {
            Op::Merge => match cursor.read_len() {
                // The length has been compared with what is left, so the sum is at most the input's length.
                Ok(len) => (0, cursor.position().wrapping_add(len)),
                Err(_) => return false,
            },
            _ => (around.field(step).number, around.end),
        };
        let start = cursor.position();
        // Where a group ends is not known.
        let least_end = if group == 0 { end } else { start };
        if step.is_in_oneof && !self.choose_at_once(reader, step, tag_start, least_end) {
            return false;
        }
        let at_most = rows_left(reader.all_end.wrapping_sub(start));
        let Some((table, row)) = self.batch.open_row(column, around.row, at_most) else { return false };
        if start < end || group != 0 {
            let plan = self.plan_of(around.plan, step);
            let frame = Frame { table, row, group, ..Frame::of(plan, step.column, tag_start, end) };
            self.open.push(frame);
            reader.frame = frame;
            cursor.enter(reader.input.bytes.get(..end).unwrap_or_default(), start);
        }
        true
    }

    /// Notes that a member of a oneof is set, which ends at byte `end` or later; false where it may be replaced.
    #[inline(always)]
    fn choose_at_once(&mut self, reader: &Reader<'_, 'p>, step: Step, tag_start: usize, end: usize) -> bool {
        // Nothing replaces the last field of a message.
        let is_last = end >= reader.frame.end && reader.frame.group == 0;
        let is_certain = is_last || !self.may_be_replaced(tag_start);
        if is_certain {
            self.choose(reader, reader.frame.field(step));
        }
        is_certain
    }

    /// Goes on at byte `resume` of the message around the current one.
    #[inline(always)]
    fn leave_to<'a>(&mut self, reader: &mut Reader<'a, 'p>, resume: usize, cursor: &mut Cursor<'a>) {
        self.leave(reader, resume);
        *cursor = reader.cursor;
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
        with_number!(
            number,
            V => self.put(column, row, V::of(cursor.read_varint()?), cursor, all_end),
            T => self.put(column, row, T::read(cursor)?, cursor, all_end),
            closed enum => return Ok(false)
        );
        Ok(true)
    }

    #[inline(always)]
    fn put<T: Width>(&mut self, column: usize, row: usize, value: T, cursor: &Cursor<'_>, all_end: usize) {
        let at_most = rows_left(all_end.wrapping_sub(cursor.position()));
        T::numbers(self.batch.column(column)).set(row, value, at_most);
    }

    /// Goes from the end of a message to the start of the next, where it is the next value of the same field; reads those in
    /// between that look alike.
    #[inline(always)]
    fn enter_next<'a>(&mut self, reader: &mut Reader<'a, 'p>, cursor: &mut Cursor<'a>) -> bool {
        let Frame { plan, table, row, end, run, .. } = reader.frame;
        let stays = self.open.last().is_some_and(|open| open.at_end == AtEnd::Nothing);
        let (Some(run), true) = (run, stays) else { return false };
        let around = reader.input.bytes.get(..run.around_end).unwrap_or_default();
        let mut siblings = Siblings { around, tag: run.tag, all_end: reader.all_end, position: end };
        if self.patience.is_over() {
            let count = self.follow(&mut siblings, plan, table, row + 1);
            self.batch.add_rows(run.column as usize, count);
            self.move_frame(reader, siblings.position, siblings.position);
            *cursor = Cursor::new(around.get(..siblings.position).unwrap_or(around));
            cursor.advance(siblings.position);
        }
        let Some(Message { input: Input { bytes, .. }, start, tag_start }) = siblings.next() else { return false };
        reader.frame.row = self.batch.add_rows(run.column as usize, 1);
        self.move_frame(reader, tag_start, bytes.len());
        cursor.enter(bytes, start);
        true
    }

    /// Makes the current message one of the same field that ends elsewhere.
    #[inline(always)]
    fn move_frame(&mut self, reader: &mut Reader<'_, 'p>, tag_start: usize, end: usize) {
        let frame = &mut reader.frame;
        (frame.end, frame.resume) = (end, end);
        // Of a tag's start only the list is asked, once the message is closed.
        if let Some(open) = self.open.last_mut() {
            (open.row, open.tag_start, open.end, open.resume) = (frame.row, tag_start, end, end);
        }
    }
}

/// The step of the tag that comes next, where that has one byte or two, and the cursor behind it.
#[inline(always)]
pub(super) fn next_step<'a>(plan: &MessagePlan, cursor: Cursor<'a>) -> Option<(Step, Cursor<'a>)> {
    let mut behind = cursor;
    let first = behind.peek()?;
    behind.advance(1);
    if first < 0x80 {
        return Some((plan.step_of_byte(first), behind));
    }
    let second = behind.peek().filter(|&second| second < 0x80)?;
    behind.advance(1);
    Some((plan.step_of_two([first, second]), behind))
}

/// Messages of one repeated field that follow each other.
struct Siblings<'a> {
    /// The input up to the end of the message around them.
    around: &'a [u8],
    /// The tag of one byte in front of each.
    tag: u8,
    /// The byte at which all messages would end, if those after the outermost one lay behind it.
    all_end: usize,
    /// The byte at which the next message's tag has to be.
    position: usize,
}

impl<'a> Source<'a> for Siblings<'a> {
    #[inline(always)]
    fn next(&mut self) -> Option<Message<'a>> {
        let mut cursor = Cursor::new(self.around);
        cursor.enter(self.around, self.position);
        if cursor.peek() != Some(self.tag) {
            return None;
        }
        cursor.advance(1);
        let len = cursor.read_len().ok()?;
        // `read_len` has compared the length with what is left, so the sum is at most the input's length.
        let end = cursor.position().wrapping_add(len);
        let tag_start = std::mem::replace(&mut self.position, end);
        Some(Message { input: self.around.get(..end)?.into(), start: cursor.position(), tag_start })
    }

    fn put_back(&mut self, messages: &[Message<'a>]) {
        self.position = messages.first().map_or(self.position, |message| message.tag_start);
    }

    #[inline(always)]
    fn len_left(&self) -> usize {
        self.all_end.wrapping_sub(self.position)
    }
}

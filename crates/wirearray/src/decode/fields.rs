//! The loop over fields: find the step of a tag and take it.

use super::frame::{Frame, Reader};
use super::numbers::no_view;
use super::{Decoder, Input, Views};
use crate::column::Growing;
use crate::error::{DecodeError, DecodeErrorKind, NoView, WireError, WireResult};
use crate::plan::{FieldPlan, Op, Step};
use crate::wire::{Tag, WireType};

impl Decoder<'_> {
    /// Reads the message of `frame`, which starts at byte `start`, and everything in it.
    pub(super) fn run(&mut self, input: Input<'_>, start: usize, frame: Frame) -> Result<(), DecodeError> {
        let mut reader = Reader::new(input, start, frame);
        loop {
            if reader.cursor.is_at_end() {
                if reader.frame.group != 0 {
                    let error = reader.cursor.fault(DecodeErrorKind::UnclosedGroup(reader.frame.group));
                    return Err(self.place(error, &reader.frame, None));
                }
                let resume = reader.frame.resume;
                if self.leave(&mut reader, resume) {
                    return Ok(());
                }
                continue;
            }
            reader.field_start = reader.cursor.position();
            let (tag, step) = match self.read_step(&mut reader) {
                Ok(found) => found,
                Err(error) => return Err(self.place(error, &reader.frame, None)),
            };
            if let Err(error) = self.take(&mut reader, tag, step) {
                return Err(self.place(error, &reader.frame, step.named_column()));
            }
        }
    }

    /// Reads a tag and finds what to do at it.
    #[inline(always)]
    fn read_step(&self, reader: &mut Reader<'_>) -> WireResult<(Tag, Step)> {
        let plan = self.plan.message(reader.frame.message);
        if let Some(byte @ ..0x80) = reader.cursor.peek() {
            let step = plan.step_of_byte(byte);
            // A tag that has a step is legal; any other is checked below.
            if step.op != Op::Skip {
                reader.cursor.advance(1);
                return Ok((Tag::known(u32::from(byte)), step));
            }
        }
        let tag = reader.cursor.read_tag()?;
        Ok((tag, plan.step(tag)))
    }

    #[inline(always)]
    fn take(&mut self, reader: &mut Reader<'_>, tag: Tag, step: Step) -> WireResult<()> {
        match step.op {
            Op::Set(number) => self.set_number(reader, step, number),
            Op::Append(number) => self.append_number(reader, step, number),
            Op::AppendPacked(number) => self.append_packed(reader, step, number),
            Op::SetText | Op::SetString => self.set_string(reader, step),
            Op::AppendText | Op::AppendString => self.append_string(reader, step),
            Op::Merge | Op::AppendMessage => {
                let len = reader.cursor.read_len()?;
                let start = reader.cursor.position();
                // `read_len` has compared the length with what is left, so the sum is at most the input's length.
                let end = start.saturating_add(len);
                self.enter(reader, step, Extent { start, end, resume: end, group: 0 })
            }
            Op::MergeGroup | Op::AppendGroup => {
                let (start, end) = (reader.cursor.position(), reader.frame.end);
                self.enter(reader, step, Extent { start, end, resume: end, group: tag.number() })
            }
            Op::MessageSetItem => self.read_message_set_item(reader),
            Op::Clear => self.clear_oneof(reader, tag, step),
            Op::Skip => self.skip(reader, tag),
        }
    }

    /// Opens the message or group behind the tag that was just read.
    #[inline(always)]
    fn enter(&mut self, reader: &mut Reader<'_>, step: Step, extent: Extent) -> WireResult<()> {
        if self.open.len() >= self.options.depth_limit as usize {
            return Err(WireError::new(DecodeErrorKind::TooDeep(self.options.depth_limit), reader.field_start));
        }
        if step.is_in_oneof {
            self.choose(reader, step);
        }
        let at_most = self.rows_left(reader);
        let column = self.column_number(reader, step)?;
        let (table, row) = self.batch.open_row(column, reader.frame.row, at_most);
        let message = self.field(reader, step).message.unwrap_or_default();
        let Extent { start, end, resume, group } = extent;
        let first_slot = self.batch.first_slot(table);
        let inner =
            Frame { message, table, first_slot, row, end, resume, group, column: step.column, is_dropped: false };
        self.open.push(std::mem::replace(&mut reader.frame, inner));
        reader.seek(start);
        Ok(())
    }

    /// Closes the current message or group and goes on at byte `resume` of the one around it; true where there is none.
    #[inline(always)]
    fn leave(&mut self, reader: &mut Reader<'_>, resume: usize) -> bool {
        let Some(around) = self.open.pop() else { return true };
        if reader.frame.is_dropped {
            self.batch.truncate(reader.frame.table, reader.frame.row);
        }
        reader.frame = around;
        reader.seek(resume);
        false
    }

    fn set_string(&mut self, reader: &mut Reader<'_>, step: Step) -> WireResult<()> {
        let bytes = read_string(reader, step.op == Op::SetText)?;
        if step.is_in_oneof {
            self.choose(reader, step);
        }
        let at_most = self.rows_left(reader);
        let row = reader.frame.row;
        self.column(reader, step)?.strings().set(row, bytes, at_most);
        Ok(())
    }

    fn append_string(&mut self, reader: &mut Reader<'_>, step: Step) -> WireResult<()> {
        let bytes = read_string(reader, step.op == Op::AppendText)?;
        let at_most = self.rows_left(reader);
        let row = reader.frame.row;
        self.column(reader, step)?.string_lists().open(row, at_most).push(bytes, at_most);
        Ok(())
    }

    /// Moves past a field that is not decoded; the end of a group closes it.
    fn skip(&mut self, reader: &mut Reader<'_>, tag: Tag) -> WireResult<()> {
        if tag.wire_type() != WireType::EndGroup {
            let limit = self.options.depth_limit;
            return reader.cursor.skip_value(tag, limit.saturating_sub(self.open.len() as u32), limit);
        }
        if tag.number() != reader.frame.group {
            return Err(WireError::new(DecodeErrorKind::UnmatchedEndGroup(tag.number()), reader.field_start));
        }
        let resume = reader.cursor.position();
        self.leave(reader, resume);
        Ok(())
    }

    /// Moves past a member of a oneof that is not decoded, and forgets what the oneof had set.
    fn clear_oneof(&mut self, reader: &mut Reader<'_>, tag: Tag, step: Step) -> WireResult<()> {
        let member = &self.plan.message(reader.frame.message).unselected[usize::from(step.column)];
        if !member.known.is_empty() && !member.knows(reader.cursor.read_varint()? as u32) {
            return Ok(());
        }
        if member.known.is_empty() {
            self.skip(reader, tag)?;
        }
        let Frame { table, row, .. } = reader.frame;
        if let Some(oneof) = member.oneof {
            self.batch.choose(table, oneof, row, member.number, None);
        }
        Ok(())
    }

    /// Reads an item of an old message set: a group of the number of an extension and its message, in either order.
    fn read_message_set_item(&mut self, reader: &mut Reader<'_>) -> WireResult<()> {
        const ITEM: u32 = 1;
        let (mut number, mut payload) = (None, None);
        loop {
            if reader.cursor.is_at_end() {
                return Err(reader.cursor.fault(DecodeErrorKind::UnclosedGroup(ITEM)));
            }
            let start = reader.cursor.position();
            let tag = reader.cursor.read_tag()?;
            match (tag.number(), tag.wire_type()) {
                (ITEM, WireType::EndGroup) => break,
                (_, WireType::EndGroup) => {
                    return Err(WireError::new(DecodeErrorKind::UnmatchedEndGroup(tag.number()), start));
                }
                (2, WireType::Varint) if number.is_none() => number = Some(reader.cursor.read_varint()? as u32),
                (3, WireType::Delimited) if payload.is_none() => {
                    let len = reader.cursor.read_delimited()?.len();
                    payload = Some((reader.cursor.position().saturating_sub(len), reader.cursor.position()));
                }
                _ => self.skip(reader, tag)?,
            }
        }
        let column = number.and_then(|number| self.plan.message(reader.frame.message).field_index(number));
        let (Some(column), Some((start, end))) = (column, payload) else { return Ok(()) };
        let step = Step { op: Op::Merge, is_in_oneof: false, column };
        let resume = reader.cursor.position();
        self.enter(reader, step, Extent { start, end, resume, group: 0 })
    }

    /// Notes that the current row has set the member of a oneof that `step` belongs to.
    #[inline(never)]
    pub(super) fn choose(&mut self, reader: &Reader<'_>, step: Step) {
        let field = self.field(reader, step);
        if let Some(oneof) = field.oneof {
            self.batch.choose(reader.frame.table, oneof, reader.frame.row, field.number, Some(step.column));
        }
    }

    /// The field that `step` belongs to.
    #[inline(always)]
    pub(super) fn field(&self, reader: &Reader<'_>, step: Step) -> &FieldPlan {
        &self.plan.message(reader.frame.message).fields[usize::from(step.column)]
    }

    /// The column that `step` writes to.
    #[inline(always)]
    pub(super) fn column(&mut self, reader: &Reader<'_>, step: Step) -> WireResult<&mut Growing> {
        let number = self.column_number(reader, step)?;
        Ok(self.batch.column(number))
    }

    #[inline(always)]
    fn column_number(&mut self, reader: &Reader<'_>, step: Step) -> WireResult<usize> {
        match self.batch.column_number(reader.frame.first_slot, step.column) {
            Some(number) => Ok(number),
            None => self.add_column(reader, step),
        }
    }

    /// Makes a column at its first value, unless views were demanded and this one would be an array of copies.
    #[cold]
    fn add_column(&mut self, reader: &Reader<'_>, step: Step) -> WireResult<usize> {
        let Frame { table, .. } = reader.frame;
        if self.options.views == Views::Always {
            let is_scalar = self.is_single && self.batch.table(table).is_outermost;
            let is_fine = match step.op {
                Op::AppendPacked(number) => number.fixed_width().is_some(),
                Op::Set(_) | Op::SetString | Op::SetText => is_scalar,
                Op::Append(_) | Op::AppendString | Op::AppendText => false,
                _ => true,
            };
            if !is_fine {
                return Err(no_view(reader, NoView::NotPackedFixedWidth));
            }
        }
        Ok(self.batch.add_column(table, step.column))
    }

    /// Bytes that can still come: of this message and of those after it.
    #[inline(always)]
    pub(super) fn len_left(&self, reader: &Reader<'_>) -> usize {
        self.len_ahead.saturating_add(reader.len_left())
    }

    /// Rows that can still come to a table, this one included: each takes a tag and a length at least.
    #[inline(always)]
    pub(super) fn rows_left(&self, reader: &Reader<'_>) -> usize {
        self.len_left(reader) / 2 + 1
    }
}

/// Where a message or group lies in the input.
struct Extent {
    start: usize,
    end: usize,
    resume: usize,
    group: u32,
}

impl Step {
    /// The column whose field an error is about, where there is one.
    fn named_column(self) -> Option<u16> {
        let is_field = !matches!(self.op, Op::Skip | Op::Clear | Op::MessageSetItem);
        is_field.then_some(self.column)
    }
}

#[inline(always)]
fn read_string<'a>(reader: &mut Reader<'a>, is_text: bool) -> WireResult<&'a [u8]> {
    let bytes = reader.cursor.read_delimited()?;
    if is_text && !bytes.is_ascii() {
        check_utf8(reader, bytes)?;
    }
    Ok(bytes)
}

#[inline(never)]
fn check_utf8(reader: &Reader<'_>, bytes: &[u8]) -> WireResult<()> {
    let start = reader.cursor.position().saturating_sub(bytes.len());
    let is_utf8 = simdutf8::compat::from_utf8(bytes);
    is_utf8
        .map(drop)
        .map_err(|error| WireError::new(DecodeErrorKind::InvalidUtf8, start.saturating_add(error.valid_up_to())))
}

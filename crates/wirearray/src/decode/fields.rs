//! The loop over fields: find the step of a tag and take it.

use super::frame::{AtEnd, Frame, Reader, Run};
use super::packed::no_view;
use super::run::next_step;
use super::unread::check_number;
use super::{Decoder, Input, Views};
use crate::column::{Growing, TableId};
use crate::error::{DecodeError, DecodeErrorKind, NoView, WireError, WireResult};
use crate::plan::{FieldPlan, MessagePlan, Op, Step};
use crate::varint::is_tagged;
use crate::wire::{Cursor, Tag, WireType};

impl<'p> Decoder<'p> {
    /// Reads the message of `frame`, which starts at byte `start`, and everything in it.
    pub(super) fn run(&mut self, input: Input<'_>, start: usize, frame: Frame<'p>) -> Result<(), DecodeError> {
        let mut reader = Reader::new(input, start, frame, self.len_ahead);
        self.open.clear();
        self.open.push(frame);
        self.frames_of_no_level = 1;
        self.lookahead.begin_message(start);
        loop {
            // Neither of the two runs goes from what is read to what is only checked, or back.
            let is_unread = reader.frame.is_unread();
            if is_unread {
                self.check_run(&mut reader);
            } else {
                self.read_run(&mut reader);
            }
            if reader.cursor.is_at_end() {
                match self.end_message(&mut reader) {
                    Ok(true) => return Ok(()),
                    Ok(false) => continue,
                    Err(error) => return Err(self.place(error, None)),
                }
            }
            reader.field_start = reader.cursor.position();
            let step = match next_step(reader.frame.plan, reader.cursor) {
                Some((step, behind)) if !matches!(step.op, Op::Skip | Op::Notice) => {
                    reader.cursor = behind;
                    step
                }
                // A field of a longer tag, or one that is not decoded.
                _ => match read_step(&mut reader) {
                    Ok(found) => found,
                    Err(error) => return Err(self.place(error, None)),
                },
            };
            let may_be_replaced = step.is_in_oneof && !is_unread && self.may_be_replaced(reader.field_start);
            if may_be_replaced && self.pass_replaced(&mut reader) {
                continue;
            }
            let taken = if is_unread { self.check(&mut reader, step) } else { self.take(&mut reader, step) };
            if let Err(error) = taken {
                return Err(self.place(error, step.named_column()));
            }
        }
    }

    #[inline(always)]
    fn take(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        match step.op {
            Op::Set(number) => self.set_number(reader, step, number),
            Op::Append(number) => self.append_number(reader, step, number),
            Op::AppendPacked(number) => self.append_packed(reader, step, number),
            Op::SetText | Op::SetString => self.set_string(reader, step),
            Op::AppendText | Op::AppendString => self.append_string(reader, step),
            Op::Merge | Op::AppendMessage => self.read_message(reader, step, false),
            Op::MergeGroup | Op::AppendGroup => self.read_group(reader, step, false),
            Op::MessageSetItem => self.read_message_set_item(reader),
            Op::EndGroup => self.end_group(reader),
            Op::Notice => self.notice(reader, step),
            Op::Skip => self.skip(reader),
        }
    }

    /// The same in a message that is kept unread: nothing is written.
    #[inline(never)]
    fn check(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        match step.op {
            Op::Set(number) => self.check_set(reader, step, number),
            Op::Append(number) => check_number(&mut reader.cursor, number),
            Op::AppendPacked(number) => Self::check_packed(reader, number),
            Op::SetText | Op::AppendText => read_string(reader, true).map(drop),
            Op::SetString | Op::AppendString => read_string(reader, false).map(drop),
            Op::Merge | Op::AppendMessage => self.read_message(reader, step, true),
            Op::MergeGroup | Op::AppendGroup => self.read_group(reader, step, true),
            Op::MessageSetItem => self.read_message_set_item(reader),
            Op::EndGroup => self.end_group(reader),
            Op::Notice => self.skip_value(reader, reader.tag),
            Op::Skip => self.skip(reader),
        }
    }

    #[inline(always)]
    fn read_message(&mut self, reader: &mut Reader<'_, 'p>, step: Step, is_unread: bool) -> WireResult<()> {
        let len = reader.cursor.read_len()?;
        let start = reader.cursor.position();
        // `read_len` has compared the length with what is left, so the sum is at most the input's length.
        let end = start.wrapping_add(len);
        self.enter(reader, step, Extent { start, end, resume: end, group: 0 }, is_unread)
    }

    #[inline(always)]
    fn read_group(&mut self, reader: &mut Reader<'_, 'p>, step: Step, is_unread: bool) -> WireResult<()> {
        let (start, end) = (reader.cursor.position(), reader.frame.end);
        let group = reader.frame.field(step).number;
        self.enter(reader, step, Extent { start, end, resume: end, group }, is_unread)
    }

    /// Opens the message or group behind the tag that was just read; `is_unread` where the one around it is kept unread.
    #[inline(always)]
    fn enter(&mut self, reader: &mut Reader<'_, 'p>, step: Step, extent: Extent, is_unread: bool) -> WireResult<()> {
        if self.depth() >= self.options.depth_limit {
            return Err(WireError::new(DecodeErrorKind::TooDeep(self.options.depth_limit), reader.field_start));
        }
        let Place { table, row, column, at_end } = if is_unread {
            self.begin_within_unread(reader.frame.plan, step);
            Place::within_unread()
        } else {
            self.open_row(reader, step, &extent)?
        };
        if step.op == Op::Merge && extent.start == extent.end {
            // Nothing in it, so there is nothing to read it with: the cursor stands behind it already.
            if at_end == AtEnd::Keep {
                self.keep_unread(reader, extent.end);
            }
            return Ok(());
        }
        let plan = self.plan_of(reader.frame.plan, step);
        let Extent { start, end, resume, group } = extent;
        let run = match (step.op, reader.input.bytes.get(reader.field_start), column) {
            (Op::AppendMessage, Some(&tag @ ..0x80), Some(column)) => {
                Some(Run { around_end: reader.frame.end, column, tag })
            }
            _ => None,
        };
        let frame = Frame::of(plan, step.column, reader.field_start, end);
        let frame = Frame { table, row, resume, group, run, at_end, ..frame };
        reader.frame = frame;
        self.open.push(frame);
        reader.seek(start);
        Ok(())
    }

    /// How the message or group of a field is decoded.
    #[inline(always)]
    pub(super) fn plan_of(&self, around: &MessagePlan, step: Step) -> &'p MessagePlan {
        self.plan.message(around.fields[usize::from(step.column)].message.unwrap_or_default())
    }

    /// Where a message or group goes that is not within one that is kept unread.
    #[inline(always)]
    fn open_row(&mut self, reader: &mut Reader<'_, 'p>, step: Step, extent: &Extent) -> WireResult<Place> {
        if step.is_in_oneof {
            self.choose(reader, reader.frame.field(step));
        }
        let at_most = reader.rows_left();
        let column = self.column_number(reader, step)?;
        let Some((table, row)) = self.batch.open_row(column, reader.frame.row, at_most) else {
            return Ok(self.begin_unread(column, extent.start));
        };
        Ok(Place { table, row, column: u32::try_from(column).ok(), at_end: AtEnd::Nothing })
    }

    /// Messages and groups that are open within the outermost message.
    #[inline(always)]
    pub(super) fn depth(&self) -> u32 {
        // The limit is a `u32`, so there are never more.
        (self.open.len() - self.frames_of_no_level) as u32
    }

    /// Closes the current message at its end; true where it was the outermost.
    #[inline(always)]
    fn end_message(&mut self, reader: &mut Reader<'_, 'p>) -> WireResult<bool> {
        if reader.frame.group != 0 {
            return Err(reader.cursor.fault(DecodeErrorKind::UnclosedGroup(reader.frame.group)));
        }
        let resume = reader.frame.resume;
        Ok(self.leave(reader, resume))
    }

    /// Closes the current group behind the tag that ends one.
    #[inline(always)]
    fn end_group(&mut self, reader: &mut Reader<'_, 'p>) -> WireResult<()> {
        let mut tag = Cursor::new(reader.tag_bytes());
        if !reader.frame.ends_at(tag) {
            let number = tag.read_tag().map_or(0, Tag::number);
            return Err(WireError::new(DecodeErrorKind::UnmatchedEndGroup(number), reader.field_start));
        }
        let resume = reader.cursor.position();
        self.leave(reader, resume);
        Ok(())
    }

    /// Closes the current message or group and goes on at byte `resume` of the one around it; true where there is none.
    #[inline(always)]
    pub(super) fn leave(&mut self, reader: &mut Reader<'_, 'p>, resume: usize) -> bool {
        let Some(left) = self.open.pop() else { return true };
        let Some(around) = self.open.last() else { return true };
        reader.frame = *around;
        reader.seek(resume);
        match left.at_end {
            AtEnd::Nothing => {}
            AtEnd::Drop => self.leave_dropped(reader, left.column, left.tag_start),
            AtEnd::Replaced => self.frames_of_no_level -= 1,
            // A group ends where the tag begins that ends it.
            AtEnd::Keep => self.keep_unread(reader, if left.group == 0 { left.end } else { reader.field_start }),
        }
        false
    }

    fn set_string(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        let bytes = read_string(reader, step.op == Op::SetText)?;
        if step.is_in_oneof {
            self.choose(reader, reader.frame.field(step));
        }
        let at_most = reader.rows_left();
        let row = reader.frame.row;
        self.column(reader, step)?.strings().set(row, bytes, at_most);
        Ok(())
    }

    fn append_string(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        let tag = reader.tag_bytes();
        let mut bytes = read_string(reader, step.op == Op::AppendText)?;
        let at_most = reader.rows_left();
        let strings = self.column(reader, step)?.string_lists().open(reader.frame.row, at_most);
        loop {
            strings.push(bytes, at_most);
            // They come together: the next one need not take the way through the loop over fields.
            if !is_tagged(reader.cursor.remaining(), tag) {
                return Ok(());
            }
            reader.field_start = reader.cursor.position();
            reader.cursor.advance(tag.len());
            bytes = read_string(reader, step.op == Op::AppendText)?;
        }
    }

    /// Reads an item of an old message set: a group of the number of an extension and its message, in either order.
    fn read_message_set_item(&mut self, reader: &mut Reader<'_, 'p>) -> WireResult<()> {
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
                _ => self.skip_value(reader, tag)?,
            }
        }
        // An item that lacks its number or its message says nothing: the official parsers forget it.
        let (Some(number), Some((start, end))) = (number, payload) else { return Ok(()) };
        let Some(column) = reader.frame.plan.field_index(number) else {
            if !reader.frame.plan.knows(number) {
                self.keep(reader, reader.field_start);
            }
            return Ok(());
        };
        let step = Step { op: Op::Merge, is_in_oneof: false, column };
        let resume = reader.cursor.position();
        self.enter(reader, step, Extent { start, end, resume, group: 0 }, reader.frame.is_unread())
    }

    /// Notes that the current row has set a field, where that is a member of a oneof, and forgets what it had set of another.
    #[inline(never)]
    pub(super) fn choose(&mut self, reader: &Reader<'_, 'p>, field: &FieldPlan) {
        let Some(oneof) = field.oneof else { return };
        self.choose_member(reader, oneof, field.number);
    }

    /// The same of the member of a oneof that has field `number`; of none, where that is 0.
    #[inline(always)]
    pub(super) fn choose_member(&mut self, reader: &Reader<'_, 'p>, oneof: u16, number: u32) {
        let Frame { plan, table, row, .. } = reader.frame;
        if let Some(former) = self.batch.choose(table, oneof, row, number) {
            self.lookahead.note_replaced();
            if let Some(column) = plan.field_index(former) {
                self.batch.forget(table, column, row);
            }
        }
    }

    /// The column that `step` writes to.
    #[inline(always)]
    pub(super) fn column(&mut self, reader: &Reader<'_, 'p>, step: Step) -> WireResult<&mut Growing> {
        let number = self.column_number(reader, step)?;
        Ok(self.batch.column(number))
    }

    #[inline(always)]
    fn column_number(&mut self, reader: &Reader<'_, 'p>, step: Step) -> WireResult<usize> {
        match self.batch.column_number(reader.frame.table, step.column) {
            Some(number) => Ok(number),
            None => self.add_column(reader, step),
        }
    }

    /// Makes a column at its first value, unless views were demanded and this one would be an array of copies.
    #[cold]
    fn add_column(&mut self, reader: &Reader<'_, 'p>, step: Step) -> WireResult<usize> {
        let Frame { table, .. } = reader.frame;
        if self.options.views == Views::Always {
            let is_scalar = self.is_single && self.batch.has_rows_of_batch(table);
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
}

/// Where a message or group lies in the input.
struct Extent {
    start: usize,
    end: usize,
    resume: usize,
    group: u32,
}

/// Where the values of a message or group go.
pub(super) struct Place {
    table: TableId,
    row: usize,
    /// The number of its column in the batch, where the next message of the same field may follow it there.
    column: Option<u32>,
    at_end: AtEnd,
}

impl Place {
    /// That of a message that is kept unread.
    pub(super) fn unread() -> Self {
        Self { at_end: AtEnd::Keep, ..Self::within_unread() }
    }

    /// That of a message within one that is kept unread.
    fn within_unread() -> Self {
        Self { table: TableId::NOWHERE, row: 0, column: None, at_end: AtEnd::Nothing }
    }
}

impl Step {
    /// The column whose field an error is about, where there is one.
    fn named_column(self) -> Option<u16> {
        let is_field = !matches!(self.op, Op::Skip | Op::Notice | Op::MessageSetItem | Op::EndGroup);
        is_field.then_some(self.column)
    }
}

/// Reads a tag of any length and finds what to do at it.
#[inline(never)]
fn read_step(reader: &mut Reader<'_, '_>) -> WireResult<Step> {
    reader.tag = reader.cursor.read_tag()?;
    Ok(reader.frame.plan.step(reader.tag))
}

#[inline(always)]
fn read_string<'a>(reader: &mut Reader<'a, '_>, is_text: bool) -> WireResult<&'a [u8]> {
    let bytes = reader.cursor.read_delimited()?;
    if is_text && !bytes.is_ascii() {
        check_utf8(reader, bytes)?;
    }
    Ok(bytes)
}

#[inline(never)]
fn check_utf8(reader: &Reader<'_, '_>, bytes: &[u8]) -> WireResult<()> {
    if simdutf8::basic::from_utf8(bytes).is_ok() {
        return Ok(());
    }
    // The place is found in a second look, for which lent bytes may have become others: `simdutf8::compat` relies on them.
    let start = reader.cursor.position().saturating_sub(bytes.len());
    let is_utf8 = std::str::from_utf8(bytes);
    is_utf8
        .map(drop)
        .map_err(|error| WireError::new(DecodeErrorKind::InvalidUtf8, start.saturating_add(error.valid_up_to())))
}

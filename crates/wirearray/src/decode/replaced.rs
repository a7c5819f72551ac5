//! Members of oneofs that another one replaces further on in the same message.
//!
//! Writers set one member, so what a oneof forgets is nothing, nearly always. Bytes that have been made to do harm set one after the
//! other, and to write a member and take it back costs ten times what reading it does. So once members have been replaced often,
//! the decoder looks ahead at all fields of a message with oneofs, each once: of a member that will be replaced it checks the bytes,
//! and writes nothing.

use super::fields::Place;
use super::frame::{Frame, Reader};
use super::run::next_step;
use super::unread::check_number;
use super::{Decoder, Views};
use crate::plan::{MessagePlan, Number, Op, Step};
use crate::wire::{Cursor, Tag, WireType};

/// So many members are replaced before anyone looks ahead.
const OFTEN: usize = 4;

/// After so many looks in vain no one looks until as many have been replaced again: data may be fine but for some.
const IN_VAIN: usize = 64;

/// A look goes over so many fields at the least, and over so many for each oneof of the message: what the last members replace that
/// are in sight is not seen, and those should be few of all.
const LEAST_AHEAD: usize = 1 << 10;
const AHEAD_OF_EACH: usize = 16;

/// It goes no further, to take no more than a few MiB.
const MOST_AHEAD: usize = 1 << 16;

/// Messages of no more bytes are checked in the look itself, where there are only numbers and strings in them.
const SMALL: usize = 32;

impl<'p> Decoder<'p> {
    /// True where it is not certain that a member of a oneof is to be written whose tag starts at that byte of the current message.
    #[inline(always)]
    pub(super) fn may_be_replaced(&self, start: usize) -> bool {
        // Of views it is said which of them cannot be had, also in what is replaced.
        self.replaced >= OFTEN && !self.lookahead.is_clear(self.depth(), start) && self.options.views != Views::Always
    }

    /// Moves past the members of oneofs from the current field on that others will replace, or opens them to be checked; false where
    /// that is none.
    #[inline(never)]
    pub(super) fn pass_replaced(&mut self, reader: &mut Reader<'_, 'p>) -> bool {
        let (depth, start) = (self.depth(), reader.field_start);
        if !self.lookahead.has_seen(depth, start) {
            self.look_ahead(reader);
        }
        let Some(span) = self.lookahead.span_at(depth, start) else { return false };
        if span.is_checked {
            reader.seek(span.end);
            return true;
        }
        // They are checked as a message of their own, which adds no level.
        let Place { table, row, at_end, .. } = self.begin_unread(None, start);
        let end = span.end;
        let frame =
            Frame { table, row, tag_start: start, end, resume: end, group: 0, run: None, at_end, ..reader.frame };
        self.open.push(frame);
        self.frames_of_no_level += 1;
        reader.frame = frame;
        reader.seek(start);
        true
    }

    /// Looks at the fields of the current message from the current one on.
    fn look_ahead(&mut self, reader: &Reader<'_, 'p>) {
        let Frame { plan, end, .. } = reader.frame;
        let message = reader.input.bytes.get(..end).unwrap_or_default();
        let mut cursor = Cursor::new(&[]);
        cursor.enter(message, reader.field_start);
        self.lookahead.begin(cursor.position(), plan.oneofs.len());
        for _ in 0..(AHEAD_OF_EACH * plan.oneofs.len()).clamp(LEAST_AHEAD, MOST_AHEAD) {
            let behind = match next_step(plan, cursor) {
                Some((step, value)) => self.look_at(reader, step, cursor, value),
                None => self.look_at_longer(reader, cursor),
            };
            let Some(behind) = behind else { break };
            cursor.enter(message, behind);
        }
        self.lookahead.end(self.depth(), cursor.position());
        if self.lookahead.looks_in_vain >= IN_VAIN {
            (self.replaced, self.lookahead.looks_in_vain) = (0, 0);
            self.lookahead.forget();
        }
    }

    /// The byte behind the field at `tag`, which may be longer than two bytes.
    #[cold]
    fn look_at_longer(&mut self, reader: &Reader<'_, 'p>, tag: Cursor<'_>) -> Option<usize> {
        let mut value = tag;
        let step = reader.frame.plan.step(value.read_tag().ok()?);
        self.look_at(reader, step, tag, value)
    }

    /// The byte behind a field, whose value is at `value`; nothing where that takes long to find, or something is wrong.
    #[inline(always)]
    fn look_at(
        &mut self,
        reader: &Reader<'_, 'p>,
        step: Step,
        mut tag: Cursor<'_>,
        mut value: Cursor<'_>,
    ) -> Option<usize> {
        let (plan, start) = (reader.frame.plan, tag.position());
        let mut is_member = step.is_in_oneof && step.op != Op::Notice;
        // Of a member, whether nothing is wrong with it.
        let is_checked = match step.op {
            Op::Set(Number::ClosedEnum) => {
                let number = value.read_varint().ok()? as u32;
                is_member = is_member && plan.fields[usize::from(step.column)].knows(number);
                true
            }
            Op::Set(number) | Op::Append(number) => check_number(&mut value, number).is_ok().then_some(true)?,
            Op::Skip | Op::Notice => {
                let tag = tag.read_tag().ok()?;
                value.skip_value(tag, 0, 0).is_ok().then_some(true)?
            }
            Op::MergeGroup | Op::AppendGroup | Op::MessageSetItem => {
                let number = tag.read_tag().ok()?.number();
                let inner = (step.op == Op::MergeGroup).then(|| self.plan_of(plan, step));
                let (behind, is_checked) = self.look_behind_group(reader, number, inner, value.position())?;
                value.advance(behind - value.position());
                is_checked
            }
            Op::EndGroup => return None,
            Op::Merge if self.depth() >= self.options.depth_limit => return None,
            Op::Merge => {
                let message = value.read_delimited().ok()?;
                message.is_empty() || message.len() <= SMALL && has_only_scalars(self.plan_of(plan, step), message)
            }
            Op::SetText => simdutf8::basic::from_utf8(value.read_delimited().ok()?).is_ok(),
            _ => value.read_delimited().is_ok().then_some(true)?,
        };
        if is_member
            && let Some(oneof) = plan.fields[usize::from(step.column)].oneof
            && self.lookahead.note(oneof, step.column, start..value.position(), is_checked)
        {
            // Members of it that are replaced are not written, so what it had before is forgotten here, once for all of them.
            self.choose_member(reader, oneof, 0);
        }
        Some(value.position())
    }

    /// The byte behind a group that starts at byte `start`, and whether nothing is wrong with it; nothing where that is not worth it.
    #[inline(never)]
    fn look_behind_group(
        &mut self,
        reader: &Reader<'_, 'p>,
        number: u32,
        plan: Option<&MessagePlan>,
        start: usize,
    ) -> Option<(usize, bool)> {
        let depth_left = self.options.depth_limit.saturating_sub(self.depth());
        let group_up_to = |end: usize| {
            let mut cursor = Cursor::new(&[]);
            cursor.enter(reader.input.bytes.get(..end).unwrap_or_default(), start);
            cursor
        };
        let mut cursor = group_up_to(reader.frame.end);
        if let Some(plan) = plan.filter(|_| depth_left > 0) {
            pass_scalars(plan, &mut cursor);
            if cursor.read_tag() == Ok(Tag::new(number, WireType::EndGroup)) {
                return Some((cursor.position(), true));
            }
        }
        let mut cursor = group_up_to(reader.frame.end.min(start.saturating_add(self.lookahead.allowance)));
        let passed = cursor.skip_value(Tag::new(number, WireType::StartGroup), depth_left, 0);
        self.lookahead.allowance = self.lookahead.allowance.saturating_sub(cursor.position() - start);
        passed.ok().map(|()| (cursor.position(), false))
    }
}

/// True where there is nothing in a message but numbers and strings, and nothing wrong with them.
#[inline(never)]
fn has_only_scalars(plan: &MessagePlan, message: &[u8]) -> bool {
    let mut fields = Cursor::new(message);
    pass_scalars(plan, &mut fields);
    fields.is_at_end()
}

/// Moves past numbers and strings, as long as there are some and nothing is wrong with them.
#[inline]
fn pass_scalars(plan: &MessagePlan, cursor: &mut Cursor<'_>) {
    while let Some((step, mut value)) = next_step(plan, *cursor) {
        let is_passed = match step.op {
            Op::Set(number) | Op::Append(number) => check_number(&mut value, number).is_ok(),
            Op::SetString | Op::AppendString => value.read_delimited().is_ok(),
            Op::SetText | Op::AppendText => {
                value.read_delimited().is_ok_and(|text| simdutf8::basic::from_utf8(text).is_ok())
            }
            _ => false,
        };
        if !is_passed {
            break;
        }
        *cursor = value;
    }
}

#[cfg(test)]
#[path = "replaced_tests.rs"]
mod tests;

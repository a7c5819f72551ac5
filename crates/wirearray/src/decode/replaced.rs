//! Members of oneofs that another one replaces further on in the same message.
//!
//! Writers set one member, so what a oneof forgets is nothing, nearly always. Bytes that have been made to do harm set one after the
//! other, and to write a member and take it back costs ten times what reading it does. So once members have been replaced often,
//! the decoder looks ahead at all fields of a message with oneofs, each once: of a member that will be replaced it checks the bytes,
//! and writes nothing.

use super::frame::{AtEnd, Frame, Reader};
use super::run::next_step;
use super::unread::{Checked, check_number};
use super::{Decoder, Views};
use crate::plan::{MessagePlan, Number, Op, Step};
use crate::wire::{Cursor, Tag, WireType};

/// Messages of no more bytes are checked in the look itself, where there are only numbers and strings in them.
const SMALL: usize = 32;

/// What a look has seen of a field.
enum Seen {
    /// Nothing is wrong with it.
    Right,
    /// What is in it is still to be checked.
    Unchecked,
    /// A number that its closed enum does not know, which is an unknown field.
    Unknown,
}

impl<'p> Decoder<'p> {
    /// True where it is not certain that a member of a oneof is to be written whose tag starts at that byte of the current message.
    #[inline(always)]
    pub(super) fn may_be_replaced(&self, start: usize) -> bool {
        // Of views it is said which of them cannot be had, also in what is replaced.
        self.lookahead.is_due(self.depth(), start) && self.options.views != Views::Always
    }

    /// Moves past the members of oneofs from the current field on that others will replace, or opens them to be checked; false where
    /// that is none.
    #[inline(never)]
    pub(super) fn pass_replaced(&mut self, reader: &mut Reader<'_, 'p>) -> bool {
        let (depth, start) = (self.depth(), reader.field_start);
        if !self.lookahead.has_seen(depth, start) {
            if !self.lookahead.is_worth_it(depth, start, reader.frame.end) {
                return false;
            }
            self.look_ahead(reader);
        }
        let Some(span) = self.lookahead.span_at(depth, start) else { return false };
        if span.is_checked {
            reader.seek(span.end);
            return true;
        }
        // They are checked as a message of their own, which adds no level.
        self.checked = Checked::default();
        self.frames_of_no_level += 1;
        let frame = Frame { at_end: AtEnd::Replaced, ..Frame::of(reader.frame.plan, 0, start, span.end) };
        self.open.push(frame);
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
        for _ in 0..self.lookahead.begin(cursor.position(), plan.oneofs.len()) {
            let behind = match next_step(plan, cursor) {
                Some((step, value)) => self.look_at(reader, step, cursor, value),
                None => self.look_at_longer(reader, cursor),
            };
            let Some(behind) = behind else { break };
            cursor.enter(message, behind);
        }
        self.lookahead.end(self.depth(), cursor.position());
    }

    /// The byte behind the field at `tag`, which may be longer than two bytes.
    #[cold]
    fn look_at_longer(&mut self, reader: &Reader<'_, 'p>, tag: Cursor<'_>) -> Option<usize> {
        let mut value = tag;
        let step = reader.frame.plan.step(value.read_tag().ok()?);
        self.look_at(reader, step, tag, value)
    }

    /// The byte behind a field, whose value is at `value`; nothing where that takes long to find, or something is wrong. Notes it,
    /// where it is a member of a oneof that is decoded.
    #[inline(always)]
    fn look_at(
        &mut self,
        reader: &Reader<'_, 'p>,
        step: Step,
        tag: Cursor<'_>,
        mut value: Cursor<'_>,
    ) -> Option<usize> {
        let seen = self.pass_value(reader, step, tag, &mut value)?;
        if step.is_in_oneof
            && !matches!((step.op, &seen), (Op::Notice, _) | (_, Seen::Unknown))
            && let Some(oneof) = reader.frame.field(step).oneof
        {
            let range = tag.position()..value.position();
            if self.lookahead.note(oneof, step.column, range, matches!(seen, Seen::Right)) {
                // Members of it that are replaced are not written, so what it had before is forgotten here, once for all of them.
                self.choose_member(reader, oneof, 0);
            }
        }
        Some(value.position())
    }

    /// Moves past a value; nothing where that takes long, or something is wrong.
    #[inline(always)]
    fn pass_value(
        &mut self,
        reader: &Reader<'_, 'p>,
        step: Step,
        mut tag: Cursor<'_>,
        value: &mut Cursor<'_>,
    ) -> Option<Seen> {
        let plan = reader.frame.plan;
        let is_right = match step.op {
            Op::Set(Number::ClosedEnum) => {
                let number = value.read_varint().ok()? as u32;
                return Some(if reader.frame.field(step).knows(number) { Seen::Right } else { Seen::Unknown });
            }
            Op::Set(number) | Op::Append(number) => {
                check_number(value, number).ok()?;
                true
            }
            Op::MergeGroup => {
                let (number, inner) = (reader.frame.field(step).number, Some(self.plan_of(plan, step)));
                self.pass_group(number, inner, value)?
            }
            Op::Skip | Op::Notice | Op::AppendGroup | Op::MessageSetItem => {
                let tag = tag.read_tag().ok()?;
                if tag.wire_type() == WireType::StartGroup {
                    self.pass_group(tag.number(), None, value)?
                } else {
                    value.skip_value(tag, 0, 0).ok()?;
                    true
                }
            }
            Op::EndGroup => return None,
            Op::Merge if self.depth() >= self.options.depth_limit => return None,
            Op::Merge => {
                let message = value.read_delimited().ok()?;
                let is_small = step.is_in_oneof && message.len() <= SMALL;
                message.is_empty() || is_small && has_only_scalars(self.plan_of(plan, step), message)
            }
            Op::SetText => simdutf8::basic::from_utf8(value.read_delimited().ok()?).is_ok(),
            _ => {
                value.read_delimited().ok()?;
                true
            }
        };
        Some(if is_right { Seen::Right } else { Seen::Unchecked })
    }

    /// Moves past a group; whether nothing is wrong with it, or nothing where that is not worth it.
    #[inline(never)]
    fn pass_group(&mut self, number: u32, plan: Option<&MessagePlan>, cursor: &mut Cursor<'_>) -> Option<bool> {
        let depth_left = self.options.depth_limit.saturating_sub(self.depth());
        if let Some(plan) = plan.filter(|_| depth_left > 0) {
            // What is passed here has no group, so that no other look goes over it, and it needs no allowance.
            let mut scalars = *cursor;
            pass_scalars(plan, &mut scalars);
            if scalars.read_tag() == Ok(Tag::new(number, WireType::EndGroup)) {
                *cursor = scalars;
                return Some(true);
            }
        }
        cursor.skip_group(number, depth_left, 0, &mut self.lookahead.allowance).ok()?;
        Some(false)
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

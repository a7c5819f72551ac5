//! Members of oneofs that another one replaces further on in the same message.
//!
//! Writers set one member, so what a oneof forgets is nothing, nearly always. Bytes that have been made to do harm set one after the
//! other, and to write a member and take it back costs ten times what reading it does. So once members have been replaced often,
//! the decoder looks ahead: of one that will be replaced it checks the bytes, and writes nothing.

use super::frame::Reader;
use super::run::next_step;
use super::unread::check_number;
use super::{Decoder, Views};
use crate::plan::{MessagePlan, Number, Op, Step};
use crate::wire::{Cursor, Tag, WireType};

/// So many members are replaced before anyone looks ahead.
const OFTEN: usize = 4;

/// Whether it is worth to look ahead.
#[derive(Debug, Default)]
pub(super) struct Lookahead {
    /// How often a member has been replaced.
    pub(super) replaced: usize,
    /// True where the last error stands in a member that is replaced.
    pub(super) is_in_replaced: bool,
    is_stopped: bool,
}

impl Lookahead {
    /// Stops it where the last error stands in a member that is replaced; true where it does.
    pub(super) fn stop_in_replaced(&mut self) -> bool {
        self.is_stopped = self.is_in_replaced;
        self.is_stopped
    }

    pub(super) fn go_on(&mut self) {
        self.is_stopped = false;
    }
}

impl<'p> Decoder<'p> {
    /// True once members have been replaced often.
    #[inline(always)]
    pub(super) fn looks_ahead(&self) -> bool {
        // Of views it is said which of them cannot be had, also in what is replaced.
        let Lookahead { replaced, is_stopped, .. } = self.lookahead;
        replaced >= OFTEN && !is_stopped && self.options.views != Views::Always
    }

    /// Moves past small members as long as there is another one right behind each, which replaces it.
    #[inline(never)]
    pub(super) fn pass_replaced(&mut self, reader: &mut Reader<'_, 'p>) {
        let plan = reader.frame.plan;
        // What the row had set before is forgotten with the first of them, or with the second, where it is of the same member as the
        // first. Nothing is written of them, so there is nothing more to forget.
        let mut left_to_choose = 2;
        while let Some((step, mut ahead)) = next_step(plan, reader.cursor) {
            let is_passed = step.is_in_oneof && self.pass_small(plan, step, &mut ahead);
            if !is_passed || !is_replaced_next(plan, step, ahead) {
                break;
            }
            if left_to_choose > 0 {
                self.choose(reader, reader.frame.field(step));
                left_to_choose -= 1;
            }
            reader.cursor = ahead;
        }
    }

    /// True where [`Decoder::pass_replaced`] moves past the field whose value the cursor is at.
    #[inline(always)]
    pub(super) fn is_replaced_at_once(&self, plan: &MessagePlan, step: Step, cursor: Cursor<'_>) -> bool {
        self.looks_ahead() && self.is_small_and_replaced(plan, step, cursor)
    }

    #[inline(never)]
    fn is_small_and_replaced(&self, plan: &MessagePlan, step: Step, mut cursor: Cursor<'_>) -> bool {
        self.pass_small(plan, step, &mut cursor) && is_replaced_next(plan, step, cursor)
    }

    /// Moves past the value of a field, where that is small and nothing is wrong with it: a number, a string, or a message or group
    /// of those.
    #[inline(always)]
    fn pass_small(&self, plan: &MessagePlan, step: Step, cursor: &mut Cursor<'_>) -> bool {
        match step.op {
            Op::Set(Number::ClosedEnum) => pass_known(plan, step, cursor),
            Op::Merge if self.depth() < self.options.depth_limit => {
                let inner = self.plan_of(plan, step);
                cursor.read_delimited().is_ok_and(|message| has_only_scalars(inner, message))
            }
            Op::MergeGroup if self.depth() < self.options.depth_limit => {
                let behind =
                    behind_group(self.plan_of(plan, step), plan.fields[usize::from(step.column)].number, *cursor);
                behind.map(|behind| *cursor = behind).is_some()
            }
            op => pass_scalar(op, cursor),
        }
    }

    /// True where the message that was just chosen as the member of a oneof is sure to be replaced by another member in the fields
    /// behind it: it starts at the current field and ends at byte `end`. False where that would take long to find.
    #[inline(always)]
    pub(super) fn is_replaced(&self, reader: &Reader<'_, 'p>, step: Step, end: usize) -> bool {
        self.looks_ahead() && find_replacement(reader, step, end)
    }
}

/// True where the next field replaces a member.
#[inline(always)]
fn is_replaced_next(plan: &MessagePlan, member: Step, cursor: Cursor<'_>) -> bool {
    next_step(plan, cursor).is_some_and(|(next, behind)| replaces(plan, next, behind, member))
}

#[inline(never)]
fn find_replacement(reader: &Reader<'_, '_>, step: Step, end: usize) -> bool {
    let plan = reader.frame.plan;
    let mut cursor = Cursor::new(&[]);
    cursor.enter(reader.input.bytes.get(..reader.frame.end).unwrap_or_default(), end);
    // As many fields as it has bytes: to hide the other member behind more takes more bytes than the look takes time.
    for _ in 0..end - reader.field_start {
        let Some((next, mut behind)) = next_step(plan, cursor) else { return false };
        if replaces(plan, next, behind, step) {
            return true;
        }
        let is_passed = match next.op {
            // What merges with it looks ahead itself.
            _ if next == step => false,
            Op::Set(number) | Op::Append(number) => check_number(&mut behind, number).is_ok(),
            Op::Skip | Op::Notice => {
                behind = cursor;
                behind.read_tag().is_ok_and(|tag| behind.skip_value(tag, 0, 0).is_ok())
            }
            Op::MergeGroup | Op::AppendGroup | Op::MessageSetItem => false,
            _ => behind.read_delimited().is_ok(),
        };
        if !is_passed {
            return false;
        }
        cursor = behind;
    }
    false
}

/// True where the field of the step `next`, whose value the cursor is at, is sure to take the place of a member.
#[inline(always)]
fn replaces(plan: &MessagePlan, next: Step, cursor: Cursor<'_>, member: Step) -> bool {
    // Fields that are not decoded have a place among others.
    let is_member = next.is_in_oneof && next.op != Op::Notice;
    let oneof_of = |step: Step| plan.fields[usize::from(step.column)].oneof;
    let is_other = is_member && next.column != member.column && oneof_of(next) == oneof_of(member);
    is_other && (next.op != Op::Set(Number::ClosedEnum) || pass_known(plan, next, &mut { cursor }))
}

/// Moves past a number of a closed enum; false where the enum does not know it, so that it is an unknown field.
#[inline(always)]
fn pass_known(plan: &MessagePlan, step: Step, cursor: &mut Cursor<'_>) -> bool {
    cursor.read_varint().is_ok_and(|varint| plan.fields[usize::from(step.column)].knows(varint as u32))
}

#[inline(never)]
fn has_only_scalars(plan: &MessagePlan, message: &[u8]) -> bool {
    let mut fields = Cursor::new(message);
    pass_scalars(plan, &mut fields);
    fields.is_at_end()
}

/// The cursor behind a group of that number; nothing where there is more in it than numbers and strings.
#[inline(never)]
fn behind_group<'a>(plan: &MessagePlan, number: u32, mut cursor: Cursor<'a>) -> Option<Cursor<'a>> {
    pass_scalars(plan, &mut cursor);
    (cursor.read_tag() == Ok(Tag::new(number, WireType::EndGroup))).then_some(cursor)
}

/// Moves past numbers and strings, as long as there are some and nothing is wrong with them.
#[inline]
fn pass_scalars(plan: &MessagePlan, cursor: &mut Cursor<'_>) {
    while let Some((step, mut ahead)) = next_step(plan, *cursor) {
        if !pass_scalar(step.op, &mut ahead) {
            break;
        }
        *cursor = ahead;
    }
}

/// Moves past a number or a string; false where it is something else, or something is wrong with it.
#[inline(always)]
fn pass_scalar(op: Op, cursor: &mut Cursor<'_>) -> bool {
    match op {
        Op::Set(number) | Op::Append(number) => check_number(cursor, number).is_ok(),
        Op::SetString | Op::AppendString => cursor.read_delimited().is_ok(),
        Op::SetText | Op::AppendText => {
            cursor.read_delimited().is_ok_and(|text| simdutf8::basic::from_utf8(text).is_ok())
        }
        _ => false,
    }
}

//! The decoder's instructions, and finding the one for a tag.

use crate::wire::{Tag, WireType};

/// What to do with the value behind a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Step {
    /// What to do.
    pub op: Op,
    /// True where the field is a member of a oneof, so that setting it forgets the others.
    pub is_in_oneof: bool,
    /// The place of its column in the table; for [`Op::Notice`] the place in
    /// `MessagePlan::unselected`.
    pub column: u16,
}

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Op {
    /// Skip the value, or keep it as it is written: the field is unknown, or written as another wire type than its own.
    #[default]
    Skip,
    /// Skip the value of a field that is not selected, but forget the other members of its oneof, or drop the entry of a
    /// map where its closed enum does not know it.
    Notice,
    /// Set the row's number.
    Set(Number),
    /// Append one number to the row's.
    Append(Number),
    /// Append a packed run of numbers.
    AppendPacked(Number),
    /// Set the row's string.
    SetString,
    /// The same, once it has been checked to be UTF-8.
    SetText,
    /// Append a string to the row's.
    AppendString,
    /// The same, once it has been checked to be UTF-8.
    AppendText,
    /// Read a message into the row of an inner table that goes with this row.
    Merge,
    /// Read a message into a new row of an inner table.
    AppendMessage,
    /// As `Merge`, up to an end-group tag.
    MergeGroup,
    /// As `AppendMessage`, up to an end-group tag.
    AppendGroup,
    /// Read a group that holds the number and the bytes of an extension: the old message set.
    MessageSetItem,
    /// End the group.
    EndGroup,
}

/// How a number is written, and how wide it is in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// A varint of 64 bits: int64, uint64.
    Varint64,
    /// A varint cut to 32 bits: int32, uint32, open enums.
    Varint32,
    /// A zigzag varint of 64 bits: sint64.
    Zigzag64,
    /// A zigzag varint cut to 32 bits: sint32.
    Zigzag32,
    /// A varint that is false only for 0.
    Bool,
    /// A varint cut to 32 bits that is an unknown field unless the enum knows it.
    ClosedEnum,
    /// Eight bytes: double, fixed64, sfixed64.
    Fixed64,
    /// Four bytes: float, fixed32, sfixed32.
    Fixed32,
}

impl Number {
    /// The bytes of a value where that does not depend on it.
    pub fn fixed_width(self) -> Option<usize> {
        match self {
            Self::Fixed64 => Some(8),
            Self::Fixed32 => Some(4),
            _ => None,
        }
    }
}

/// The step of every tag that a message knows.
#[derive(Debug)]
pub(super) struct Steps {
    /// Of tags of one byte, field numbers 1 to 15, by the byte; a longer tag's first byte has no step here.
    one_byte: [Step; 256],
    /// Of tags of two bytes, by the tag: field numbers up to 2047, as far as there are any.
    two_bytes: Box<[Step]>,
    /// Of longer tags, ascending.
    longer: Box<[(Tag, Step)]>,
}

/// The first tag that takes two bytes.
const TWO_BYTES_FROM: u32 = 1 << 7;

/// The first tag that takes three bytes.
const THREE_BYTES_FROM: u32 = 1 << 14;

impl Steps {
    pub(super) fn new(mut steps: Vec<(Tag, Step)>) -> Self {
        steps.sort_by_key(|&(tag, _)| tag);
        let longer_from = steps.partition_point(|(tag, _)| tag.raw() < THREE_BYTES_FROM);
        let longer = steps.split_off(longer_from).into();
        let mut one_byte = [Step::default(); 256];
        // The last field's end-group tag may come behind its own.
        let two_bytes_len = steps.last().map_or(0, |(tag, _)| (tag.raw() | 7) as usize + 1);
        let mut two_bytes = vec![Step::default(); two_bytes_len];
        for (raw, step) in (0..).zip(&mut two_bytes) {
            *step = Step::without_field(raw);
        }
        for (tag, step) in steps {
            two_bytes[tag.raw() as usize] = step;
        }
        for (raw, step) in (0..TWO_BYTES_FROM).zip(&mut one_byte) {
            *step = two_bytes.get(raw as usize).copied().unwrap_or_else(|| Step::without_field(raw));
        }
        Self { one_byte, two_bytes: two_bytes.into(), longer }
    }

    #[inline(always)]
    pub(super) fn of_byte(&self, byte: u8) -> Step {
        self.one_byte[usize::from(byte)]
    }

    #[inline(always)]
    pub(super) fn of_two(&self, [first, second]: [u8; 2]) -> Step {
        let raw = usize::from(first & 0x7f) | usize::from(second) << 7;
        self.two_bytes.get(raw).copied().unwrap_or_default()
    }

    #[inline]
    pub(super) fn of_tag(&self, tag: Tag) -> Step {
        let without_field = || Step::without_field(tag.raw());
        if tag.raw() < THREE_BYTES_FROM {
            return self.two_bytes.get(tag.raw() as usize).copied().unwrap_or_else(without_field);
        }
        let place = self.longer.binary_search_by_key(&tag, |&(tag, _)| tag);
        place.map_or_else(|_| without_field(), |place| self.longer[place].1)
    }
}

impl Step {
    /// That of a tag that no field has.
    fn without_field(raw: u32) -> Self {
        let ends_group = Tag::from_raw(raw).is_ok_and(|tag| tag.wire_type() == WireType::EndGroup);
        Self { op: if ends_group { Op::EndGroup } else { Op::Skip }, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_of_tag_finds_its_step() {
        let numbers = [1, 15, 16, 2047, 2048, 536_870_911];
        let step = |column| Step { op: Op::SetString, is_in_oneof: false, column };
        let tag = |number| Tag::new(number, WireType::Delimited);
        let steps = Steps::new(numbers.iter().zip(0..).map(|(&number, column)| (tag(number), step(column))).collect());
        for (&number, column) in numbers.iter().zip(0..) {
            assert_eq!(steps.of_tag(tag(number)), step(column), "field {number}");
            assert_eq!(steps.of_tag(Tag::new(number, WireType::Varint)), Step::default(), "field {number}");
        }
        assert_eq!(steps.of_byte(0x0a), step(0));
        assert_eq!(steps.of_byte(0x7a), step(1));
        assert_eq!(steps.of_byte(0x12), Step::default());
        assert_eq!(steps.of_byte(0x82), Step::default());
        assert_eq!(steps.of_tag(tag(17)), Step::default());
        assert_eq!(steps.of_tag(tag(536_870_910)), Step::default());
    }
}

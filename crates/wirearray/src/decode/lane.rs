//! The values of one field in a block of messages: as they stand in the input, and on the way to their column.

use super::joined::Joined;
use super::numbers::{Fixed, Varint, with_number};
use super::trail::BLOCK;
use crate::column::{Growing, Width};
use crate::plan::Op;
use crate::varint;
use crate::wire::WireType;

/// Values in the order of their messages.
pub(super) enum Lane<'a> {
    Varint(Box<[u64; BLOCK]>),
    Fixed64(Box<[u64; BLOCK]>),
    Fixed32(Box<[u32; BLOCK]>),
    Delimited(Box<[&'a [u8]; BLOCK]>),
}

/// Puts values of a lane into the rows of a column from `row` on, the first `count` of them; returns how many were right,
/// which is all of them except where text is not UTF-8 or a packed run has a fault. `at_most` is how many rows can still come.
pub(super) type Land = fn(column: &mut Growing, lane: &Lane<'_>, row: usize, count: usize, at_most: usize) -> usize;

impl<'a> Lane<'a> {
    /// A lane for values of that wire type, unless they are groups.
    pub(super) fn new(wire_type: WireType) -> Option<Self> {
        Some(match wire_type {
            WireType::Varint => Self::Varint(Box::new([0; BLOCK])),
            WireType::Fixed64 => Self::Fixed64(Box::new([0; BLOCK])),
            WireType::Fixed32 => Self::Fixed32(Box::new([0; BLOCK])),
            WireType::Delimited => Self::Delimited(Box::new([&[]; BLOCK])),
            WireType::StartGroup | WireType::EndGroup => return None,
        })
    }

    /// Takes the value at the start of `bytes`, which end with the message, as that of message `index`; returns what is behind
    /// it.
    #[inline(always)]
    pub(super) fn gather(&mut self, bytes: &'a [u8], index: usize) -> Option<&'a [u8]> {
        match self {
            Self::Varint(values) => {
                let (varint, len) = varint::decode(bytes).ok()?;
                values[index] = varint;
                bytes.get(len..)
            }
            Self::Fixed64(values) => {
                let (value, behind) = bytes.split_first_chunk()?;
                values[index] = u64::from_le_bytes(*value);
                Some(behind)
            }
            Self::Fixed32(values) => {
                let (value, behind) = bytes.split_first_chunk()?;
                values[index] = u32::from_le_bytes(*value);
                Some(behind)
            }
            Self::Delimited(values) => {
                let (payload_len, len) = varint::decode(bytes).ok()?;
                let (payload, behind) = bytes.get(len..)?.split_at_checked(usize::try_from(payload_len).ok()?)?;
                values[index] = payload;
                Some(behind)
            }
        }
    }
}

/// How the values of a step are put into its column; nothing where they may have to go elsewhere.
pub(super) fn land_of(op: Op) -> Option<Land> {
    Some(match op {
        Op::Set(number) => {
            with_number!(number, V => land_varints::<V>, T => land_fixed::<T>, closed enum => return None)
        }
        Op::AppendPacked(number) => {
            with_number!(number, V => land_runs::<V>, T => land_fixed_runs::<T>, closed enum => return None)
        }
        Op::SetString => land_strings::<false>,
        Op::SetText => land_strings::<true>,
        _ => return None,
    })
}

fn land_varints<V: Varint>(column: &mut Growing, lane: &Lane<'_>, row: usize, count: usize, at_most: usize) -> usize {
    let Lane::Varint(varints) = lane else { other_lane() };
    V::Element::numbers(column).set_all(row, &varints[..count], |&varint| V::of(varint), at_most);
    count
}

fn land_fixed<T: Fixed>(column: &mut Growing, lane: &Lane<'_>, row: usize, count: usize, at_most: usize) -> usize {
    let values = T::of_lane(lane).unwrap_or_else(|| other_lane());
    T::numbers(column).set_all(row, &values[..count], |&value| value, at_most);
    count
}

fn land_fixed_runs<T: Fixed>(column: &mut Growing, lane: &Lane<'_>, row: usize, count: usize, at_most: usize) -> usize {
    let width = size_of::<T>();
    let runs = runs(lane, count);
    let lists = T::lists(column);
    for (index, run) in runs.iter().enumerate() {
        if !run.len().is_multiple_of(width) {
            return index;
        }
        if !run.is_empty() {
            // What can still come are two bytes for each row, in which as many numbers find room.
            lists.open(row + index, at_most).extend_from_le_bytes(run, at_most.saturating_mul(2) / width + 1);
        }
    }
    count
}

fn land_runs<V: Varint>(column: &mut Growing, lane: &Lane<'_>, row: usize, count: usize, at_most: usize) -> usize {
    let mut joined = Joined::new(V::Element::lists(column), row, at_most);
    for (index, run) in runs(lane, count).iter().enumerate() {
        if joined.land::<V>(index, run).is_none() {
            return joined.land_whole_ones::<V>(runs(lane, count));
        }
    }
    if joined.flush::<V>().is_some() { count } else { joined.land_whole_ones::<V>(runs(lane, count)) }
}

fn land_strings<const IS_TEXT: bool>(
    column: &mut Growing,
    lane: &Lane<'_>,
    row: usize,
    count: usize,
    at_most: usize,
) -> usize {
    let strings = column.strings();
    for (index, string) in runs(lane, count).iter().enumerate() {
        if IS_TEXT && !string.is_ascii() && simdutf8::basic::from_utf8(string).is_err() {
            return index;
        }
        strings.set(row + index, string, at_most);
    }
    count
}

fn runs<'l, 'a>(lane: &'l Lane<'a>, count: usize) -> &'l [&'a [u8]] {
    let Lane::Delimited(values) = lane else { other_lane() };
    &values[..count]
}

#[cold]
fn other_lane() -> ! {
    unreachable!("a lane is made for the wire type that its step has")
}

//! Which rows of which table say how the bytes of a group move.

use super::Instructions;
use crate::simd::kernel::GROUP;
use crate::varint::MAX_LEN;

/// The lanes that the varints of a group are moved to: as wide as the longest needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lanes {
    Two,
    Four,
    Eight,
    Sixteen,
}

/// The rows of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    pub(super) lanes: Lanes,
    /// Numbers of rows: one in each of the first eight bytes where lanes have two, and one in each fourth, each second or each
    /// byte where they have four, eight or sixteen.
    pub(super) keys: [u8; GROUP],
}

impl Rows {
    /// Those of the group whose start and ends these are; none where a varint is longer than any may be.
    #[inline(always)]
    pub(super) fn of<I: Instructions>(instructions: I, ends: &[u16; 1 + GROUP]) -> Option<Self> {
        let lens = instructions.lens(ends);
        let is_longer_than = |len| instructions.any_above(lens, len);
        if !is_longer_than(2) {
            let mut keys = [0; GROUP];
            keys[..8].copy_from_slice(&instructions.above(lens, 1).to_le_bytes());
            Some(Self { lanes: Lanes::Two, keys })
        } else if !is_longer_than(4) {
            Some(Self { lanes: Lanes::Four, keys: instructions.keys_of_four(lens) })
        } else if !is_longer_than(8) {
            Some(Self { lanes: Lanes::Eight, keys: instructions.keys_of_two(lens) })
        } else if !is_longer_than(MAX_LEN as u8) {
            Some(Self { lanes: Lanes::Sixteen, keys: instructions.keys_of_one(lens) })
        } else {
            None
        }
    }
}

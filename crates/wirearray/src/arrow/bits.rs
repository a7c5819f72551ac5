//! Bits, of which Arrow makes bools and validity, and bytes, which they are here.

use std::ops::Range;

use crate::column::{Buffer, Memory};

/// A bit for each byte, set unless it is zero, the lowest first; and how many are not set.
pub(super) fn pack(bytes: &[u8]) -> (Memory, usize) {
    let count = bytes.len().div_ceil(8);
    let (mut bits, mut set) = (Buffer::<u8>::default(), 0);
    let mut groups = bytes.chunks(8);
    bits.extend(count, count, || {
        let group = groups.next().unwrap_or_default();
        let byte = group.iter().rev().fold(0, |byte, &flag| byte << 1 | u8::from(flag != 0));
        set += byte.count_ones() as usize;
        byte
    });
    (bits.freeze(), bytes.len() - set)
}

/// A byte, 0 or 1, for each of the bits of those numbers.
pub(super) fn unpack(bits: &[u8], mut numbers: Range<usize>) -> Memory {
    let (count, mut bytes) = (numbers.len(), Buffer::<u8>::default());
    bytes.extend(count, count, || numbers.next().map_or(0, |number| bits[number / 8] >> (number % 8) & 1));
    bytes.freeze()
}

/// The flags that are set in both.
pub(super) fn both(one: &[u8], other: &[u8]) -> Memory {
    one.iter().zip(other).map(|(one, other)| one & other).collect::<Buffer<u8>>().freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_the_lowest_bit() {
        let (bits, unset) = pack(&[1, 0, 0, 2, 0, 0, 0, 255, 0, 1]);
        assert_eq!((bits.as_bytes(), unset), (&[0b1000_1001, 0b10][..], 6));
        assert_eq!(pack(&[]).1, 0);
        assert_eq!(unpack(bits.as_bytes(), 2..10).as_bytes(), [0, 1, 0, 0, 0, 1, 0, 1]);
    }
}

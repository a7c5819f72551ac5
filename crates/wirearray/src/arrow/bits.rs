//! Bits, of which Arrow makes bools and validity, and bytes, which they are here.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_the_lowest_bit() {
        let (bits, unset) = pack(&[1, 0, 0, 2, 0, 0, 0, 255, 0, 1]);
        assert_eq!((bits.as_bytes(), unset), (&[0b1000_1001, 0b10][..], 6));
        assert_eq!(pack(&[]).1, 0);
    }
}

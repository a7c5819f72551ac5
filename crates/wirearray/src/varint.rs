//! Integers of one to ten bytes: the base-128 varints of the wire format, and the zigzag mapping.
//!
//! This module knows bytes and integers, no fields. Faults are reported without a place: the caller knows it.
//! A tenth byte above 1 carries bits that do not fit in 64; they are dropped, as the C++ and C parsers do.

use crate::error::DecodeErrorKind;

/// The longest varint: ten groups of seven bits hold 64.
pub const MAX_LEN: usize = 10;

/// Reads the varint at the start of `bytes`: its value and its length.
#[inline(always)]
pub fn read(bytes: &[u8]) -> Result<(u64, usize), DecodeErrorKind> {
    match bytes.first() {
        Some(&byte) if byte < 0x80 => Ok((u64::from(byte), 1)),
        _ => read_long(bytes),
    }
}

/// Reads a varint that is probably longer than one byte.
#[inline]
fn read_long(bytes: &[u8]) -> Result<(u64, usize), DecodeErrorKind> {
    if let Some(window) = bytes.first_chunk::<MAX_LEN>() {
        return read_window(window);
    }
    read_bytewise(bytes)
}

/// Ten readable bytes need no check of the end.
#[inline]
fn read_window(window: &[u8; MAX_LEN]) -> Result<(u64, usize), DecodeErrorKind> {
    let mut value = u64::from(window[0] & 0x7f);
    let mut index = 1;
    while index < MAX_LEN {
        let byte = window[index];
        value |= u64::from(byte & 0x7f) << (7 * index);
        index += 1;
        if byte < 0x80 {
            return Ok((value, index));
        }
    }
    Err(DecodeErrorKind::OverlongVarint)
}

#[cold]
fn read_bytewise(bytes: &[u8]) -> Result<(u64, usize), DecodeErrorKind> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(MAX_LEN).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(if bytes.len() < MAX_LEN { DecodeErrorKind::Truncated } else { DecodeErrorKind::OverlongVarint })
}

/// The number of varints that end in `bytes`: one for each byte whose top bit is clear.
pub fn count(bytes: &[u8]) -> usize {
    // Sums of at most 255 ones fit in a byte, so the compiler keeps the inner loop in byte lanes.
    bytes.chunks(255).map(|chunk| usize::from(chunk.iter().map(|&byte| u8::from(byte < 0x80)).sum::<u8>())).sum()
}

/// Maps 0, 1, 2, 3 … back to 0, -1, 1, -2 …, as `sint32` is written.
#[inline(always)]
pub fn unzigzag32(value: u32) -> u32 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

/// Maps 0, 1, 2, 3 … back to 0, -1, 1, -2 …, as `sint64` is written.
#[inline(always)]
pub fn unzigzag64(value: u64) -> u64 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_read_with_and_without_room_behind_it() {
        for len in 1..=MAX_LEN {
            let mut bytes = vec![0xff; len - 1];
            bytes.push(0x01);
            let expected = if len == MAX_LEN { u64::MAX } else { (1u64 << (7 * (len - 1))) | low_bits(7 * (len - 1)) };
            assert_eq!(read(&bytes), Ok((expected, len)), "length {len}, flush with the end");
            bytes.resize(len + MAX_LEN, 0xff);
            assert_eq!(read(&bytes), Ok((expected, len)), "length {len}, bytes behind it");
        }
    }

    fn low_bits(bits: usize) -> u64 {
        (1u64 << bits) - 1
    }

    #[test]
    fn a_cut_varint_is_truncated_and_an_eleven_byte_one_is_overlong() {
        for len in 0..MAX_LEN {
            assert_eq!(read(&vec![0x80; len]), Err(DecodeErrorKind::Truncated), "{len} bytes");
        }
        assert_eq!(read(&[0x80; 10]), Err(DecodeErrorKind::OverlongVarint));
        assert_eq!(read(&[0x80; 20]), Err(DecodeErrorKind::OverlongVarint));
    }

    #[test]
    fn padding_changes_no_value() {
        assert_eq!(read(&[0x81, 0x80, 0x80, 0x00]), Ok((1, 4)));
    }

    #[test]
    fn counting_finds_the_last_bytes() {
        let bytes: Vec<u8> = (0..1000u32).map(|i| if i % 3 == 0 { 0x7f } else { 0x80 }).collect();
        assert_eq!(count(&bytes), 334);
        assert_eq!(count(&[]), 0);
    }

    #[test]
    fn zigzag_alternates_around_zero() {
        assert_eq!([0, 1, 2, 3, u32::MAX].map(|v| unzigzag32(v).cast_signed()), [0, -1, 1, -2, i32::MIN]);
        assert_eq!([0, 1, 2, 3, u64::MAX].map(|v| unzigzag64(v).cast_signed()), [0, -1, 1, -2, i64::MIN]);
    }
}

//! Integers of one to ten bytes: the base-128 varints of the wire format, and the zigzag mapping.
//!
//! This module knows bytes and integers, no fields. Faults are reported without a place: the caller knows it.
//! A tenth byte above 1 carries bits that do not fit in 64; they are dropped, as the C++ and C parsers do.

use crate::error::DecodeErrorKind;

/// The longest varint: ten groups of seven bits hold 64.
pub const MAX_LEN: usize = 10;

/// What the varint of a field stands for: how many of its bits count, and what they mean.
pub trait Kind: Copy + 'static {
    /// Its values: `u64`, `u32`, or `u8` for flags.
    type Element: bytemuck::Pod + PartialEq + std::fmt::Debug;
    /// True where even numbers are positive and odd ones negative.
    const IS_ZIGZAG: bool;
    /// True where values of 32 bits are written with 64, by their sign.
    const IS_EXTENDED: bool = false;
    /// The value of a varint.
    fn of(varint: u64) -> Self::Element;
    /// The varint of a value.
    fn varint(value: Self::Element) -> u64;
}

/// int64 and uint64.
#[derive(Debug, Clone, Copy)]
pub struct Varint64;

/// uint32. What is read as int32 or as an enum is the same 32 bits.
#[derive(Debug, Clone, Copy)]
pub struct Varint32;

/// int32 and enums as they are written: a negative one takes ten bytes, so that it can be read as int64 too.
#[derive(Debug, Clone, Copy)]
pub struct Signed32;

/// sint64.
#[derive(Debug, Clone, Copy)]
pub struct Zigzag64;

/// sint32.
#[derive(Debug, Clone, Copy)]
pub struct Zigzag32;

/// bool.
#[derive(Debug, Clone, Copy)]
pub struct Bool;

impl Kind for Varint64 {
    type Element = u64;
    const IS_ZIGZAG: bool = false;
    #[inline(always)]
    fn of(varint: u64) -> u64 {
        varint
    }
    #[inline(always)]
    fn varint(value: u64) -> u64 {
        value
    }
}

impl Kind for Varint32 {
    type Element = u32;
    const IS_ZIGZAG: bool = false;
    /// The specification keeps the low 32 bits of a longer number.
    #[inline(always)]
    fn of(varint: u64) -> u32 {
        varint as u32
    }
    #[inline(always)]
    fn varint(value: u32) -> u64 {
        u64::from(value)
    }
}

impl Kind for Signed32 {
    type Element = u32;
    const IS_ZIGZAG: bool = false;
    const IS_EXTENDED: bool = true;
    #[inline(always)]
    fn of(varint: u64) -> u32 {
        Varint32::of(varint)
    }
    #[inline(always)]
    fn varint(value: u32) -> u64 {
        i64::from(value.cast_signed()).cast_unsigned()
    }
}

impl Kind for Zigzag64 {
    type Element = u64;
    const IS_ZIGZAG: bool = true;
    #[inline(always)]
    fn of(varint: u64) -> u64 {
        unzigzag64(varint)
    }
    #[inline(always)]
    fn varint(value: u64) -> u64 {
        zigzag64(value)
    }
}

impl Kind for Zigzag32 {
    type Element = u32;
    const IS_ZIGZAG: bool = true;
    #[inline(always)]
    fn of(varint: u64) -> u32 {
        unzigzag32(varint as u32)
    }
    #[inline(always)]
    fn varint(value: u32) -> u64 {
        u64::from(zigzag32(value))
    }
}

impl Kind for Bool {
    type Element = u8;
    const IS_ZIGZAG: bool = false;
    /// Every number but 0 is true, also one whose low 32 bits are 0.
    #[inline(always)]
    fn of(varint: u64) -> u8 {
        u8::from(varint != 0)
    }
    /// A lent array of bool can hold any byte; every one but 0 is true.
    #[inline(always)]
    fn varint(value: u8) -> u64 {
        u64::from(value != 0)
    }
}

/// Appends the varint of a value.
pub fn put(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        // The seven lowest bits, and one that says that more follow.
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads the varint at the start of `bytes`: its value and its length.
#[inline(always)]
pub fn decode(bytes: &[u8]) -> Result<(u64, usize), DecodeErrorKind> {
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

/// The same, of fewer bytes than the longest varint has.
#[cold]
fn read_bytewise(bytes: &[u8]) -> Result<(u64, usize), DecodeErrorKind> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(DecodeErrorKind::Truncated)
}

/// True where the bytes of a tag, which is a varint as well, come next. Most often the first of them tells, and most tags have no
/// other.
#[inline(always)]
pub fn is_tagged(rest: &[u8], tag: &[u8]) -> bool {
    rest.first() == tag.first() && (tag.len() == 1 || rest.starts_with(tag))
}

/// The number of varints that end in `bytes`: one for each byte whose top bit is clear.
pub fn count(bytes: &[u8]) -> usize {
    /// Below so many bytes it does not pay to add up the lanes.
    const FEW: usize = 1024;
    if bytes.len() < FEW {
        // Sums of at most 255 ones fit in a byte, so the compiler keeps the inner loop in byte lanes.
        return bytes.chunks(255).map(|chunk| usize::from(chunk.iter().map(ends).sum::<u8>())).sum();
    }
    bytes.chunks(LANES * 255).map(count_in_lanes).sum()
}

/// As many lanes as make the compiler keep all of them in vectors, and as few as it has registers for.
const LANES: usize = 64;

/// Counts in each of many lanes at first, in which up to 255 ones fit: twice as fast as adding them up every 255 bytes.
fn count_in_lanes(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<LANES>();
    let mut counts = [0u8; LANES];
    for block in blocks {
        counts.iter_mut().zip(block).for_each(|(count, byte)| *count += ends(byte));
    }
    counts.into_iter().chain(rest.iter().map(ends)).map(usize::from).sum()
}

/// One for the last byte of a varint, otherwise nothing.
#[inline(always)]
fn ends(byte: &u8) -> u8 {
    u8::from(*byte < 0x80)
}

/// The bytes that `value` takes.
#[inline(always)]
pub const fn len(value: u64) -> usize {
    // One byte for each seven bits, counted without a division: 9/64 is a little less than 1/7.
    ((64 - (value | 1).leading_zeros() as usize) * 9 + 64) / 64
}

/// The bytes of `value`, the first one lowest, and how many there are.
#[inline(always)]
pub const fn encode(value: u64) -> (u128, usize) {
    if let Some((bytes, len)) = encode_short(value) {
        return (bytes as u128, len);
    }
    let len = len(value);
    let (low, high) = (spread(value & ((1 << 56) - 1)), value >> 56);
    let marks = 0x8080_8080_8080_8080;
    // The ninth byte has seven more bits, the tenth one.
    let high = if len == 10 { high & 0x7f | 0x80 | 0x100 } else { high };
    ((low | marks) as u128 | (high as u128) << 64, len)
}

/// The same, of a value that takes at most eight bytes.
#[inline(always)]
pub const fn encode_short(value: u64) -> Option<(u64, usize)> {
    if value < 0x80 {
        return Some((value, 1));
    }
    if value >= 1 << 56 {
        return None;
    }
    Some(encode_56(value))
}

/// The same, of the lower 56 bits of a value, without a branch: for those whose lengths no one can guess.
#[inline(always)]
pub const fn encode_56(value: u64) -> (u64, usize) {
    let value = value & ((1 << 56) - 1);
    // Seven bits into each of eight bytes, then the mark of every byte but the last.
    let len = len(value);
    let marks = 0x0080_8080_8080_8080 >> (8 * (8 - len));
    (spread(value) | marks, len)
}

/// Moves each group of seven of the lower 56 bits to a byte of its own.
#[inline(always)]
const fn spread(value: u64) -> u64 {
    let value = (value & 0x0fff_ffff) | (value & 0x00ff_ffff_f000_0000) << 4;
    let value = (value & 0x0000_3fff_0000_3fff) | (value & 0x0fff_c000_0fff_c000) << 2;
    (value & 0x007f_007f_007f_007f) | (value & 0x3f80_3f80_3f80_3f80) << 1
}

/// Maps 0, -1, 1, -2 … to 0, 1, 2, 3 …, as `sint32` is written.
#[inline(always)]
pub const fn zigzag32(value: u32) -> u32 {
    (value << 1) ^ (value.cast_signed() >> 31).cast_unsigned()
}

/// Maps 0, -1, 1, -2 … to 0, 1, 2, 3 …, as `sint64` is written.
#[inline(always)]
pub const fn zigzag64(value: u64) -> u64 {
    (value << 1) ^ (value.cast_signed() >> 63).cast_unsigned()
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
            assert_eq!(decode(&bytes), Ok((expected, len)), "length {len}, flush with the end");
            bytes.resize(len + MAX_LEN, 0xff);
            assert_eq!(decode(&bytes), Ok((expected, len)), "length {len}, bytes behind it");
        }
    }

    fn low_bits(bits: usize) -> u64 {
        (1u64 << bits) - 1
    }

    #[test]
    fn a_cut_varint_is_truncated_and_an_eleven_byte_one_is_overlong() {
        for len in 0..MAX_LEN {
            assert_eq!(decode(&vec![0x80; len]), Err(DecodeErrorKind::Truncated), "{len} bytes");
        }
        assert_eq!(decode(&[0x80; 10]), Err(DecodeErrorKind::OverlongVarint));
        assert_eq!(decode(&[0x80; 20]), Err(DecodeErrorKind::OverlongVarint));
    }

    #[test]
    fn padding_changes_no_value() {
        assert_eq!(decode(&[0x81, 0x80, 0x80, 0x00]), Ok((1, 4)));
    }

    #[test]
    fn a_tag_comes_next_only_where_all_of_it_does() {
        assert!(is_tagged(&[0x82, 0x01], &[0x82, 0x01]) && is_tagged(&[0x08, 0x00], &[0x08]));
        assert!(!is_tagged(&[0x82, 0x01], &[0x82, 0x02]) && !is_tagged(&[0x82, 0x01], &[0x82, 0x01, 0x00]));
        assert!(!is_tagged(&[], &[0x08]) && !is_tagged(&[0x10], &[0x08]) && !is_tagged(&[0x82], &[0x82, 0x01]));
    }

    #[test]
    fn counting_finds_the_last_bytes() {
        let bytes: Vec<u8> = (0..100_000).map(|i| if i % 3 == 0 { 0x7f } else { 0x80 }).collect();
        for len in (0..2000).chain([16_319, 16_320, 16_321, 32_641, 99_999, 100_000]) {
            assert_eq!(count(&bytes[..len]), len.div_ceil(3), "{len} bytes");
        }
        assert_eq!(count(&[0; 50_000]), 50_000);
    }

    #[test]
    fn what_is_encoded_reads_back_in_as_many_bytes_as_were_counted() {
        let borders = (0..64).flat_map(|bits| [1u64 << bits, (1 << bits) - 1, !(1 << bits), u64::MAX >> bits]);
        for value in borders.chain([0, 300, 0x0123_4567_89ab_cdef, u64::MAX]) {
            let (bytes, len) = encode(value);
            assert_eq!(len, self::len(value), "{value:#x}");
            assert_eq!(decode(&bytes.to_le_bytes()[..len]), Ok((value, len)), "{value:#x}");
            assert!(len == 1 || value >> (7 * (len - 1)) != 0, "{value:#x} takes no more bytes than it has to");
        }
    }

    #[test]
    fn zigzag_undoes_itself() {
        for value in [0, 1, -1, 2, i64::MIN, i64::MAX, -64, 63] {
            assert_eq!(unzigzag64(zigzag64(value.cast_unsigned())), value.cast_unsigned());
            let narrow = value as u32;
            assert_eq!(unzigzag32(zigzag32(narrow)), narrow);
        }
    }

    #[test]
    fn zigzag_alternates_around_zero() {
        assert_eq!([0, 1, 2, 3, u32::MAX].map(|v| unzigzag32(v).cast_signed()), [0, -1, 1, -2, i32::MIN]);
        assert_eq!([0, 1, 2, 3, u64::MAX].map(|v| unzigzag64(v).cast_signed()), [0, -1, 1, -2, i64::MIN]);
    }
}

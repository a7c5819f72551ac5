//! Tables of how bytes move to lanes, by the lengths of varints.

/// An order of bytes, for a shuffle; it lies in one line of the cache.
#[repr(align(16))]
pub(super) struct Row(pub(super) [u8; 16]);

/// What an order says for a zero, to SSE's shuffles as to NEON's.
const ZERO: u8 = 0x80;

/// Moves eight varints of up to two bytes to lanes of two; a length less one takes a bit of the row's number.
pub(super) static TO_2: [Row; 256] = rows(2, 1);

/// Moves four varints of up to four bytes to lanes of four; a length less one takes two bits.
pub(super) static TO_4: [Row; 256] = rows(4, 2);

/// Moves two varints of up to eight bytes to lanes of eight; a length less one takes four bits, so that any byte is the number
/// of a row, though only 64 of them are used.
pub(super) static TO_8: [Row; 256] = rows(8, 4);

/// Keeps a varint of up to sixteen bytes; its number is its length less one.
pub(super) static TO_16: [Row; 256] = rows(16, 8);

/// Rows that move varints, which lie one behind the other, to lanes of `width` bytes, with zeros behind them.
const fn rows(width: usize, bits_of_len: usize) -> [Row; 256] {
    let mut rows = [const { Row([ZERO; 16]) }; 256];
    let mut number = 0;
    while number < 256 {
        let (mut lane, mut from) = (0, 0);
        while lane < 16 / width {
            let len = (number >> (bits_of_len * lane) & ((1 << bits_of_len) - 1)) + 1;
            let mut byte = 0;
            while byte < len && byte < width {
                rows[number].0[width * lane + byte] = from;
                from += 1;
                byte += 1;
            }
            lane += 1;
        }
        number += 1;
    }
    rows
}

//! Packed varints in ordinary registers: a map of where varints end in 64 bytes, then eight bytes at a time.
//!
//! The map is what breaks the chain of a byte loop, in which each varint's place depends on the length of the one before. The
//! groups of seven bits are squeezed together in three steps, without a branch on the length.

use std::mem::MaybeUninit;

use super::kernel::{GROUP, Progress, SLACK};
use crate::varint::{self, Kind};

/// The top bit of each of eight bytes.
const MARKS: u64 = 0x8080_8080_8080_8080;

/// As [`Progress`] says; a block of 64 bytes is what it calls a group.
pub(super) fn decode<K: Kind>(source: &[u8], limit: usize, destination: &mut [MaybeUninit<K::Element>]) -> Progress {
    debug_assert!(limit + SLACK <= source.len());
    let mut done = Progress { read: 0, written: 0 };
    for (number, block) in source[..limit + SLACK].as_chunks::<64>().0.iter().enumerate() {
        let room = destination.get_mut(done.written..).and_then(<[_]>::first_chunk_mut::<GROUP>);
        let Some(room) = room.filter(|_| done.read < limit) else { break };
        let ends = ends_in(block);
        let before = done.written;
        if ends == !0 && done.read == number * 64 {
            room.iter_mut().zip(block).for_each(|(slot, &byte)| _ = slot.write(K::of(u64::from(byte))));
            done = Progress { read: done.read + 64, written: before + 64 };
            continue;
        }
        decode_block::<K>(source, number * 64, ends, room, &mut done);
        if done.written - before < ends.count_ones() as usize {
            break;
        }
    }
    done
}

/// Decodes the varints that end in the block at byte `start`; it ends in front of one that is too long.
#[inline(always)]
fn decode_block<K: Kind>(
    source: &[u8],
    start: usize,
    mut ends: u64,
    room: &mut [MaybeUninit<K::Element>; GROUP],
    done: &mut Progress,
) {
    // There are at most as many ends as slots.
    for slot in room.iter_mut().take(ends.count_ones() as usize) {
        let end = start + ends.trailing_zeros() as usize + 1;
        ends &= ends.wrapping_sub(1);
        let value = match (source.get(done.read..).and_then(<[u8]>::first_chunk), end - done.read) {
            (Some(&bytes), len @ 1..=8) => squeeze(u64::from_le_bytes(bytes), len),
            (_, 9..=varint::MAX_LEN) => varint::read(&source[done.read..end]).map_or(0, |(value, _)| value),
            _ => return,
        };
        slot.write(K::of(value));
        *done = Progress { read: end, written: done.written + 1 };
    }
}

/// A bit for each byte in which a varint ends, the first one lowest.
#[inline(always)]
fn ends_in(block: &[u8; 64]) -> u64 {
    block.as_chunks::<8>().0.iter().rev().fold(0, |ends, bytes| {
        let clear = !u64::from_le_bytes(*bytes) & MARKS;
        // The multiplication moves the eight marks, seven bits apart each, side by side into the highest byte.
        ends << 8 | (clear >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// The value of the varint of `len` bytes, at most eight, at the start of a word.
#[inline(always)]
fn squeeze(word: u64, len: usize) -> u64 {
    let spare = (64 - 8 * len) as u32;
    let groups = (word << spare) >> spare & !MARKS;
    let pairs = (groups & 0x007f_007f_007f_007f) | (groups & 0x7f00_7f00_7f00_7f00) >> 1;
    let fours = (pairs & 0x0000_3fff_0000_3fff) | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    (fours & 0x0fff_ffff) | (fours & 0x0fff_ffff_0000_0000) >> 4
}

//! Packed varints with shuffles of sixteen bytes, for every set of instructions that has them: list where each varint ends,
//! then move the bytes of several at a time to lanes of their own.
//!
//! No varint waits for the length of the one before, and no step for what the step before it has just worked out: each goes
//! over a whole chunk. Where varints end is listed eight bytes at a time, by a table. Lengths are differences of neighbours in
//! that list, and those of a few varints are the number of a row in another table, which says how their bytes move.

#![allow(unsafe_code, reason = "loads bytes that were listed")]

mod instructions;
mod list;
mod room;
mod rows;
mod tables;

use std::mem::MaybeUninit;

use self::list::List;
use self::room::Room;
use self::rows::{Lanes, Rows};
use self::tables::{Row, TO_2, TO_4, TO_8, TO_16};
use super::kernel::{CHUNK, GROUP, Progress, SLACK};
use crate::varint::Kind;

pub(super) use self::instructions::{Instructions, implement_instructions};

/// The values of a group.
type Group<K> = [MaybeUninit<<K as Kind>::Element>; GROUP];

/// As [`Progress`] says.
#[inline(always)]
pub(super) fn decode<I: Instructions, K: Kind>(
    instructions: I,
    source: &[u8],
    limit: usize,
    destination: &mut [MaybeUninit<K::Element>],
) -> Progress {
    assert!(limit + SLACK <= source.len(), "the source goes on behind the limit");
    let (mut list, mut rows) = (List::new(), Room::<Rows, { list::MOST / GROUP }>::new());
    let mut done = Progress { read: 0, written: 0 };
    while done.read < limit {
        let chunk = &source[done.read..];
        let blocks = (limit - done.read).min(CHUNK).div_ceil(64);
        let blocks = &chunk.as_chunks().0[..blocks];
        let groups = destination[done.written..].as_chunks_mut().0;
        let mut progress = widen::<I, K>(instructions, blocks, groups);
        // Hardly anyone writes flags as anything but single bytes.
        if progress.written == 0 && size_of::<K::Element>() > 1 {
            let ends = list.fill(instructions, blocks);
            let rows = rows.fill((0..groups.len()).map_while(|group| {
                let ends = ends.get(group * GROUP..).and_then(<[_]>::first_chunk)?;
                Rows::of(instructions, ends)
            }));
            progress = move_groups::<I, K>(instructions, chunk, ends, rows, groups);
        }
        if progress.written == 0 {
            break;
        }
        done.add(progress);
    }
    done
}

/// Decodes single bytes, up to the first block with a longer varint.
#[inline(always)]
fn widen<I: Instructions, K: Kind>(instructions: I, blocks: &[[u8; GROUP]], groups: &mut [Group<K>]) -> Progress {
    let mut count = 0;
    for (block, group) in blocks.iter().zip(groups) {
        if instructions.any_above(instructions.load_block(block), 0x7f) {
            break;
        }
        for (slot, &byte) in group.iter_mut().zip(block) {
            slot.write(K::of(u64::from(byte)));
        }
        count += GROUP;
    }
    Progress { read: count, written: count }
}

/// Decodes the groups that have rows.
#[inline(always)]
fn move_groups<I: Instructions, K: Kind>(
    instructions: I,
    chunk: &[u8],
    ends: &[u16],
    rows: &[Rows],
    groups: &mut [Group<K>],
) -> Progress {
    for ((starts, rows), group) in ends.as_chunks().0.iter().zip(rows).zip(groups) {
        move_group::<I, K>(instructions, chunk, starts, rows, group);
    }
    let written = rows.len() * GROUP;
    Progress { read: usize::from(ends[written]), written }
}

/// Decodes a group whose varints start where `starts` says.
#[inline(always)]
fn move_group<I: Instructions, K: Kind>(
    instructions: I,
    chunk: &[u8],
    starts: &[u16; GROUP],
    rows: &Rows,
    group: &mut Group<K>,
) {
    let (eight_starts, four_starts) = (starts.as_chunks::<8>().0, starts.as_chunks::<4>().0);
    let (eight_keys, four_keys) = (rows.keys.as_chunks::<8>().0, rows.keys.as_chunks::<4>().0);
    match rows.lanes {
        Lanes::Two => {
            let parts = group.as_chunks_mut::<8>().0.iter_mut().zip(eight_starts).zip(&rows.keys);
            for ((slots, starts), &key) in parts {
                let bytes = move_bytes(instructions, chunk, starts[0], &TO_2, key);
                instructions.store_2::<K>(slots, instructions.join_2(bytes));
            }
        }
        Lanes::Four => {
            let parts = group.as_chunks_mut::<8>().0.iter_mut().zip(eight_starts).zip(eight_keys);
            for ((slots, starts), keys) in parts {
                let first = move_bytes(instructions, chunk, starts[0], &TO_4, keys[0]);
                let second = move_bytes(instructions, chunk, starts[4], &TO_4, keys[4]);
                instructions.store_4::<K>(slots, instructions.join_4([first, second]));
            }
        }
        Lanes::Eight => {
            let parts = group.as_chunks_mut::<4>().0.iter_mut().zip(four_starts).zip(four_keys);
            for ((slots, starts), keys) in parts {
                let first = move_bytes(instructions, chunk, starts[0], &TO_8, keys[0]);
                let second = move_bytes(instructions, chunk, starts[2], &TO_8, keys[2]);
                instructions.store_8::<K>(slots, instructions.join_8([first, second]));
            }
        }
        Lanes::Sixteen => {
            let parts = group.as_chunks_mut::<4>().0.iter_mut().zip(four_starts).zip(four_keys);
            for ((slots, starts), keys) in parts {
                let first = move_bytes(instructions, chunk, starts[0], &TO_16, keys[0]);
                let second = move_bytes(instructions, chunk, starts[1], &TO_16, keys[1]);
                let third = move_bytes(instructions, chunk, starts[2], &TO_16, keys[2]);
                let fourth = move_bytes(instructions, chunk, starts[3], &TO_16, keys[3]);
                instructions.store_8::<K>(slots, instructions.join_10([first, second, third, fourth]));
            }
        }
    }
}

/// Moves the bytes of the varints from `start` on as a row says.
#[inline(always)]
fn move_bytes<I: Instructions>(instructions: I, chunk: &[u8], start: u16, rows: &[Row; 256], key: u8) -> I::Vector {
    let start = usize::from(start);
    debug_assert!(start + 16 <= chunk.len());
    // SAFETY: every start was listed, so it lies in a block that begins before the limit, behind which `decode` asserts that `SLACK`
    // bytes lie.
    let bytes = unsafe { chunk.as_ptr().add(start) };
    // SAFETY: as above, so sixteen bytes may be read.
    let bytes = unsafe { &*bytes.cast() };
    instructions.shuffle(instructions.load(bytes), &rows[usize::from(key)].0)
}

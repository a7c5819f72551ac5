//! The list of where varints end.

#![allow(unsafe_code, reason = "keeps a list that it fills")]

use std::mem::MaybeUninit;

use super::Instructions;
use super::room::Room;
use crate::simd::kernel::GROUP;
use crate::simd::places::PLACES;

/// Blocks whose bytes are looked at before the ends in any of them are listed.
const STEP: usize = 16;

/// After a step that comes to so many varints no other is taken. With fewer, more of what is listed would be listed again
/// with the next chunk, as what does not fill a group is; with more, memory waits for longer while ends are listed: 10 million
/// varints of one or two bytes took 6.7 ms by 4 KiB of them at a time, and take 4.9 so (AVX2 on Zen 4, November 2026).
const ENOUGH: usize = 8 * GROUP;

/// The most varints that are listed.
pub(super) const MOST: usize = ENOUGH + 64 * STEP;

/// Where the varints of a chunk end, counted from its start. In front of the ends stands the start of the first.
pub(super) struct List {
    /// A bit for each byte of a step that is the last of a varint.
    patterns: Room<[u8; 8], STEP>,
    ends: [MaybeUninit<u16>; 1 + MOST],
}

impl List {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self { patterns: Room::new(), ends: [const { MaybeUninit::uninit() }; _] }
    }

    /// Lists the ends in a chunk, as far as there is room.
    #[inline(always)]
    pub(super) fn fill<I: Instructions>(&mut self, instructions: I, blocks: &[[u8; 64]]) -> &[u16] {
        let pattern_of = |block| !instructions.above(instructions.load_block(block), 0x7f);
        let mut start = instructions.splat_16(0);
        self.ends[0].write(0);
        let mut count = 1;
        for blocks in blocks.chunks(STEP) {
            let patterns = self.patterns.fill(blocks.iter().map(|block| pattern_of(block).to_le_bytes()));
            // A loop within a loop is what the compiler unrolls.
            for patterns in patterns {
                for &pattern in patterns {
                    debug_assert!(count + 8 <= self.ends.len());
                    // SAFETY: at most `ENOUGH` ends were listed before this step, and at most eight with each of its patterns,
                    // of which there are eight for each of `STEP` blocks.
                    let slots = unsafe { self.ends.as_mut_ptr().add(count) };
                    // SAFETY: as above, so there is room for those of this pattern.
                    let slots = unsafe { &mut *slots.cast() };
                    instructions.store_places(slots, &PLACES[usize::from(pattern)], start);
                    start = instructions.add_16(start, instructions.splat_16(8));
                    count += pattern.count_ones() as usize;
                }
            }
            if count > ENOUGH {
                break;
            }
        }
        // SAFETY: with each pattern at least as many entries were written as were counted.
        unsafe { self.ends[..count].assume_init_ref() }
    }
}

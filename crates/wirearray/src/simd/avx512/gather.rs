//! Strided records: 64 bytes of numbers out of two loads, whose bytes one permutation picks.

#![allow(unsafe_code, reason = "loads from records that were counted to be there")]

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::lanes::{load, load_from, store};
use crate::simd::gather::Word;

/// Moves numbers out of records with the given tag, in groups that fill 64 bytes; stops in front of a group that lacks one,
/// or is not wholly there, or for which there is no room. Returns how many.
#[target_feature(enable = "avx512bw,avx512vbmi")]
pub(super) fn gather<W: Word, const TAG: usize>(
    source: &[u8],
    tag: [u8; TAG],
    destination: &mut [MaybeUninit<W>],
) -> usize {
    let shape = const { Shape::of(TAG, size_of::<W>()) };
    let (low_tags, high_tags) = (load_from(&shape.low.tags(tag)), load_from(&shape.high.tags(tag)));
    let bytes = load_from(&shape.bytes);
    let groups = source.len() / shape.span;
    let mut count = 0;
    for (number, group) in destination.chunks_exact_mut(64 / size_of::<W>()).take(groups).enumerate() {
        let start = number * shape.span;
        // SAFETY: the group's `span` bytes, 64 or more, lie in the source, which has as many groups.
        let low = unsafe { load(source, start) };
        // SAFETY: as above; these are the last 64 of them.
        let high = unsafe { load(source, start + shape.span - 64) };
        let differ = _mm512_mask_cmpneq_epi8_mask(shape.low.is_tag, low, low_tags)
            | _mm512_mask_cmpneq_epi8_mask(shape.high.is_tag, high, high_tags);
        if differ != 0 {
            break;
        }
        store(group, 0, _mm512_permutex2var_epi8(low, bytes, high));
        count += group.len();
    }
    count
}

/// Where tags and numbers lie in a group of records, of which 64 bytes are loaded from the start and 64 up to the end.
struct Shape {
    /// The bytes of the group.
    span: usize,
    low: Part,
    high: Part,
    /// For each byte of the numbers its place in the 128 bytes loaded.
    bytes: [u8; 64],
}

/// One of the two loads.
struct Part {
    /// A bit for each byte of a tag.
    is_tag: u64,
    /// Which byte of its tag it is.
    byte_of_tag: [u8; 64],
}

impl Shape {
    const fn of(tag: usize, width: usize) -> Self {
        let stride = tag + width;
        let span = 64 / width * stride;
        let mut bytes = [0; 64];
        let mut byte = 0;
        while byte < 64 {
            let place = byte / width * stride + tag + byte % width;
            bytes[byte] = if place < 64 { place as u8 } else { (place - (span - 64) + 64) as u8 };
            byte += 1;
        }
        Self { span, low: Part::of(0, tag, stride), high: Part::of(span - 64, tag, stride), bytes }
    }
}

impl Part {
    const fn of(start: usize, tag: usize, stride: usize) -> Self {
        let (mut is_tag, mut byte_of_tag) = (0, [0; 64]);
        let mut byte = 0;
        while byte < 64 {
            let place = (start + byte) % stride;
            if place < tag {
                is_tag |= 1 << byte;
                byte_of_tag[byte] = place as u8;
            }
            byte += 1;
        }
        Self { is_tag, byte_of_tag }
    }

    fn tags<const TAG: usize>(&self, tag: [u8; TAG]) -> [u8; 64] {
        self.byte_of_tag.map(|byte| tag[usize::from(byte)])
    }
}

//! Packed varints: list where each ends, then spread the bytes of several at a time over lanes.
//!
//! No step waits for the length of the varint before. The ends of a chunk are listed first, 64 bytes at a time, with one
//! compress; lengths are differences of neighbours in that list, and become masks by which one expand puts the bytes of
//! each varint into a lane of its own.

#![allow(unsafe_code, reason = "loads bytes that were checked to be there, and keeps a list that it fills")]

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::lanes::{
    compress, counting, expand, groups_of, join_16, join_32, join_64, load, load_from, store, store_8, store_16,
    store_32, store_64, words_of,
};
use crate::simd::kernel::{CHUNK, GROUP, Progress, SLACK};
use crate::varint::{Kind, MAX_LEN};

/// The ends of a group of varints, and first its start; of each place the lowest eight bits.
type Ends = [u8; 1 + GROUP];

/// As [`Progress`] says.
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,popcnt")]
pub(super) fn decode<K: Kind>(source: &[u8], limit: usize, destination: &mut [MaybeUninit<K::Element>]) -> Progress {
    assert!(limit + SLACK <= source.len(), "the source goes on behind the limit");
    if size_of::<K::Element>() == 1 {
        return decode_bools::<K>(source, limit, destination);
    }
    let mut list = List::new();
    let mut done = Progress { read: 0, written: 0 };
    while done.read < limit {
        let (ends, are_bytes) = list.fill(source, done.read, (limit - done.read).min(CHUNK));
        let before = done.written;
        for (number, group) in destination[before..].chunks_exact_mut(GROUP).enumerate() {
            let Some(ends) = ends.get(number * GROUP..).and_then(<[u8]>::first_chunk) else { break };
            let next = if are_bytes {
                Some(widen_group::<K>(source, done.read, group))
            } else {
                decode_group::<K>(source, done.read, ends, group)
            };
            let Some(next) = next else { return done };
            done = Progress { read: next, written: done.written + GROUP };
        }
        if done.written == before {
            break;
        }
    }
    done
}

/// Room for the ends of a chunk's varints.
struct List([MaybeUninit<u8>; 1 + CHUNK]);

impl List {
    fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; _])
    }

    /// Lists the ends in `len` bytes of `source` from `start` on, rounded up to whole blocks of 64. It ends in front of a
    /// block in which no varint does: that is part of one that is too long. So neighbours are less than 256 bytes apart.
    /// Returns true, too, where all varints are single bytes.
    #[inline]
    #[target_feature(enable = "avx512bw,avx512vbmi2,popcnt")]
    fn fill(&mut self, source: &[u8], start: usize, len: usize) -> (&[u8], bool) {
        let mut place_after = _mm512_add_epi8(load_from(&counting()), _mm512_set1_epi8(1));
        let mut any_more = 0;
        let mut count = 1;
        self.0[0].write(0);
        for block in (0..len).step_by(64) {
            // SAFETY: `decode` asserts that `SLACK` bytes lie behind the limit, and `start + len` is at most that; so the block begins
            // before the limit, and its 64 bytes end before the source does.
            let more = _mm512_movepi8_mask(unsafe { load(source, start + block) });
            if more == !0 {
                break;
            }
            store(&mut self.0, count, compress(!more, place_after));
            count += (!more).count_ones() as usize;
            any_more |= more;
            place_after = _mm512_add_epi8(place_after, _mm512_set1_epi8(64));
        }
        // SAFETY: each block has written as many entries as it was counted for, and 64 - which overlap - behind those.
        let ends = unsafe { self.0[..count].assume_init_ref() };
        (ends, any_more == 0)
    }
}

/// Decodes a group of single bytes; returns where it ends.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl")]
fn widen_group<K: Kind>(source: &[u8], position: usize, group: &mut [MaybeUninit<K::Element>]) -> usize {
    // SAFETY: `decode` calls this where as many single bytes were listed from here on, and only bytes of the source are.
    store_8::<K>(group, unsafe { load(source, position) });
    position + GROUP
}

/// Decodes a group that starts at `position`; returns where it ends, or nothing where a varint is too long.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2")]
fn decode_group<K: Kind>(
    source: &[u8],
    position: usize,
    ends: &Ends,
    group: &mut [MaybeUninit<K::Element>],
) -> Option<usize> {
    let [starts, next] = [0, 1].map(|from| load_from(ends[from..].first_chunk().expect("64 of 65 entries")));
    let lens = _mm512_sub_epi8(next, starts);
    let is_longer_than = |len: i8| _mm512_cmpgt_epu8_mask(lens, _mm512_set1_epi8(len)) != 0;
    if !is_longer_than(2) {
        Some(decode_to_2::<K>(source, position, ends, lens, group))
    } else if !is_longer_than(4) {
        Some(decode_to_4::<K>(source, position, ends, lens, group))
    } else if !is_longer_than(8) {
        Some(decode_to_8::<K>(source, position, ends, lens, group))
    } else if !is_longer_than(MAX_LEN as i8) {
        Some(decode_to_10::<K>(source, position, ends, lens, group))
    } else {
        None
    }
}

/// How many bytes lie between two ends of a group, which are less than 256 apart.
#[inline(always)]
fn between(ends: &Ends, from: usize, to: usize) -> usize {
    usize::from(ends[to].wrapping_sub(ends[from]))
}

/// Varints of up to two bytes: 32 at a time.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi2")]
fn decode_to_2<K: Kind>(
    source: &[u8],
    mut position: usize,
    ends: &Ends,
    lens: __m512i,
    group: &mut [MaybeUninit<K::Element>],
) -> usize {
    // One bit for a length of 1, two for 2; then those of two lengths to four bits, and of four to a byte.
    let ones = _mm512_sub_epi8(_mm512_add_epi8(lens, lens), _mm512_set1_epi8(1));
    let of_two = _mm512_maddubs_epi16(_mm512_set1_epi16(0x0401), ones);
    let of_four = _mm512_cvtepi32_epi8(_mm512_madd_epi16(of_two, _mm512_set1_epi32(0x0010_0001)));
    let masks = [_mm_cvtsi128_si64(of_four), _mm_extract_epi64::<1>(of_four)];
    for (number, mask) in masks.into_iter().enumerate() {
        // SAFETY: the position is where a listed varint starts. It lies in a block that begins before the limit, so within 64 bytes of
        // it, and `decode` asserts that `SLACK` bytes lie behind the limit: 128 more than that.
        let bytes = unsafe { load(source, position) };
        store_16::<K>(group, 32 * number, join_16(expand(mask.cast_unsigned(), groups_of(bytes))));
        position += between(ends, 32 * number, 32 * number + 32);
    }
    position
}

/// Varints of up to four bytes: 16 at a time.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi2")]
fn decode_to_4<K: Kind>(
    source: &[u8],
    mut position: usize,
    ends: &Ends,
    lens: __m512i,
    group: &mut [MaybeUninit<K::Element>],
) -> usize {
    // As many bits as the length says; then those of two lengths to a byte.
    let of_two = _mm512_maddubs_epi16(_mm512_set1_epi16(0x1001), ones(lens));
    let masks = words_of(_mm512_castsi256_si512(_mm512_cvtepi16_epi8(of_two)));
    for (number, mask) in masks.into_iter().take(4).enumerate() {
        // SAFETY: as in `decode_to_2`.
        let bytes = unsafe { load(source, position) };
        store_32::<K>(group, 16 * number, join_32(expand(mask, groups_of(bytes))));
        position += between(ends, 16 * number, 16 * number + 16);
    }
    position
}

/// Varints of up to eight bytes: eight at a time.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi2")]
fn decode_to_8<K: Kind>(
    source: &[u8],
    mut position: usize,
    ends: &Ends,
    lens: __m512i,
    group: &mut [MaybeUninit<K::Element>],
) -> usize {
    for (number, mask) in words_of(ones(lens)).into_iter().enumerate() {
        // SAFETY: as in `decode_to_2`.
        let bytes = unsafe { load(source, position) };
        store_64::<K>(group, 8 * number, join_64(expand(mask, groups_of(bytes))));
        position += between(ends, 8 * number, 8 * number + 8);
    }
    position
}

/// In each byte as many ones, from the lowest bit on, as the byte said; it said at most 8.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq")]
fn ones(lens: __m512i) -> __m512i {
    let table = _mm_setr_epi8(0, 1, 3, 7, 15, 31, 63, 127, -1, -1, -1, -1, -1, -1, -1, -1);
    _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), lens)
}

/// Varints of up to ten bytes: eight at a time, each in a lane of sixteen bytes first.
#[inline]
#[target_feature(enable = "avx512bw,avx512dq,avx512vl,avx512vbmi2")]
fn decode_to_10<K: Kind>(
    source: &[u8],
    mut position: usize,
    ends: &Ends,
    lens: __m512i,
    group: &mut [MaybeUninit<K::Element>],
) -> usize {
    let even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    let odd = _mm512_add_epi64(even, _mm512_set1_epi64(1));
    let halves = [_mm512_castsi512_si256(lens), _mm512_extracti64x4_epi64::<1>(lens)];
    let masks = halves.map(|half| words_of(wide_ones(half)));
    for (number, &[low_mask, high_mask]) in masks.as_flattened().as_chunks().0.iter().enumerate() {
        let middle = position + between(ends, 8 * number, 8 * number + 4);
        // SAFETY: as in `decode_to_2`.
        let low = unsafe { load(source, position) };
        // SAFETY: as in `decode_to_2`.
        let high = unsafe { load(source, middle) };
        let [low, high] = [expand(low_mask, groups_of(low)), expand(high_mask, groups_of(high))];
        let first_eight = _mm512_permutex2var_epi64(low, even, high);
        let last_two = _mm512_permutex2var_epi64(low, odd, high);
        // Of the tenth byte but one bit counts; the shift drops the others.
        let top = _mm512_slli_epi64::<56>(join_16(last_two));
        store_64::<K>(group, 8 * number, _mm512_or_si512(join_64(first_eight), top));
        position = middle + between(ends, 8 * number + 4, 8 * number + 8);
    }
    position
}

/// In each 16-bit lane as many ones, from the lowest bit on, as a byte said.
#[inline]
#[target_feature(enable = "avx512bw")]
fn wide_ones(lens: __m256i) -> __m512i {
    let one = _mm512_set1_epi16(1);
    _mm512_sub_epi16(_mm512_sllv_epi16(one, _mm512_cvtepu8_epi16(lens)), one)
}

/// Decodes single bytes to flags, up to the first block with a longer varint, which hardly anyone writes.
#[target_feature(enable = "avx512bw")]
fn decode_bools<K: Kind>(source: &[u8], limit: usize, destination: &mut [MaybeUninit<K::Element>]) -> Progress {
    let mut read = 0;
    for group in destination.chunks_exact_mut(GROUP) {
        if read >= limit {
            break;
        }
        // SAFETY: the block begins before the limit, behind which `SLACK` bytes lie.
        let bytes = unsafe { load(source, read) };
        if _mm512_movepi8_mask(bytes) != 0 {
            break;
        }
        store(group, 0, _mm512_min_epu8(bytes, _mm512_set1_epi8(1)));
        read += GROUP;
    }
    Progress { read, written: read }
}

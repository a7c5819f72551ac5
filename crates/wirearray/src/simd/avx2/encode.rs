//! Packed varints on their way out, eight at a time: groups of seven bits put into bytes of their own, in lanes of 32 bits or
//! of 64, and marked without a branch on the length. Short ones are then moved together by a shuffle, others stored one over
//! the end of the other.

#![allow(unsafe_code, reason = "stores through a pointer")]

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::{load, load_block};
use crate::simd::encode::{ROOM_FOR_EIGHT, store_varint, sum_of_lens, varints_of};
use crate::simd::kernel::Progress;
use crate::varint::Kind;

type Room = [MaybeUninit<u8>; ROOM_FOR_EIGHT];

/// Encodes elements, as many eights as there are and as there is room for.
#[target_feature(enable = "avx2,popcnt")]
pub(super) fn encode<K: Kind>(elements: &[u8], destination: &mut [MaybeUninit<u8>]) -> Progress {
    let mut done = Progress { read: 0, written: 0 };
    for eight in elements.chunks_exact(8 * size_of::<K::Element>()) {
        let Some(room) = destination[done.written..].first_chunk_mut() else { break };
        done.add(Progress { read: eight.len(), written: encode_eight::<K>(eight, room) });
    }
    done
}

/// Encodes eight elements; returns how many bytes they take.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn encode_eight<K: Kind>(elements: &[u8], room: &mut Room) -> usize {
    let varints = Eight::load::<K>(elements);
    if !varints.exceed::<K>(28) {
        let varints = varints.narrow::<K>();
        if _mm256_testz_si256(varints, _mm256_set1_epi32(-1 << 7)) != 0 {
            return put_to_1(varints, room);
        }
        return put_to_4(varints, room);
    }
    if !varints.exceed::<K>(56) {
        let [low, high] = varints.wide::<K>();
        let end = put_to_8(low, room, 0);
        return end + put_to_8(high, room, end);
    }
    let mut end = 0;
    for varint in varints_of::<K>(elements) {
        end += store_varint(&mut room[end..], varint);
    }
    end
}

/// The bytes that the varints of elements take.
#[target_feature(enable = "avx2,lzcnt,popcnt")]
pub(super) fn len_of_varints<K: Kind>(elements: &[u8]) -> u64 {
    let mut eights = elements.chunks_exact(8 * size_of::<K::Element>());
    let mut sum = 0;
    for eight in &mut eights {
        sum += len_of_eight::<K>(eight);
    }
    sum + sum_of_lens::<K>(eights.remainder())
}

#[inline]
#[target_feature(enable = "avx2,lzcnt,popcnt")]
fn len_of_eight<K: Kind>(elements: &[u8]) -> u64 {
    let varints = Eight::load::<K>(elements);
    if varints.exceed::<K>(28) {
        return sum_of_lens::<K>(elements);
    }
    let [second, third, fourth] = bytes_behind_the_first(varints.narrow::<K>());
    let pairs = [_mm256_packs_epi32(second, third), _mm256_packs_epi32(fourth, _mm256_setzero_si256())];
    let all = _mm256_movemask_epi8(_mm256_packs_epi16(pairs[0], pairs[1]));
    8 + u64::from(all.count_ones())
}

/// Which of eight varints of up to four bytes have a second, a third, a fourth: -1 where they do.
#[inline]
#[target_feature(enable = "avx2")]
fn bytes_behind_the_first(varints: __m256i) -> [__m256i; 3] {
    [7, 14, 21].map(|bits| _mm256_cmpgt_epi32(varints, _mm256_set1_epi32((1 << bits) - 1)))
}

/// Eight varints in lanes of the size of their elements: two registers, or half as much. Signs are not extended yet.
#[derive(Clone, Copy)]
struct Eight([__m256i; 2]);

impl Eight {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn load<K: Kind>(elements: &[u8]) -> Self {
        if size_of::<K::Element>() == 8 {
            let [low, high] = load_block(elements.first_chunk().expect("eight elements of eight bytes"));
            return Self(if K::IS_ZIGZAG { [zigzag_64(low), zigzag_64(high)] } else { [low, high] });
        }
        let [low, high] =
            [0, 16].map(|from| load(elements[from..].first_chunk().expect("eight elements of four bytes")));
        let varints = _mm256_set_m128i(high, low);
        Self([if K::IS_ZIGZAG { zigzag_32(varints) } else { varints }, _mm256_setzero_si256()])
    }

    /// True where one has more than so many bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn exceed<K: Kind>(self, bits: u32) -> bool {
        let any = _mm256_or_si256(self.0[0], self.0[1]);
        if size_of::<K::Element>() == 8 {
            _mm256_testz_si256(any, _mm256_set1_epi64x(-1 << bits)) == 0
        } else if bits < 32 {
            _mm256_testz_si256(any, _mm256_set1_epi32(-1 << bits)) == 0
        } else {
            // Only a sign that is extended.
            K::IS_EXTENDED && _mm256_testz_si256(any, _mm256_set1_epi32(i32::MIN)) == 0
        }
    }

    /// The lower 32 bits of each.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn narrow<K: Kind>(self) -> __m256i {
        let [low, high] = self.0;
        if size_of::<K::Element>() == 4 {
            return low;
        }
        // The upper halves are 0. Two lanes of the one and two of the other follow in turn.
        let both = _mm256_or_si256(low, _mm256_slli_epi64::<32>(high));
        _mm256_permutevar8x32_epi32(both, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7))
    }

    /// All 64 bits of each, unless a sign is to be extended.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn wide<K: Kind>(self) -> [__m256i; 2] {
        if size_of::<K::Element>() == 8 {
            return self.0;
        }
        let (low, high) = (_mm256_castsi256_si128(self.0[0]), _mm256_extracti128_si256::<1>(self.0[0]));
        [_mm256_cvtepu32_epi64(low), _mm256_cvtepu32_epi64(high)]
    }
}

/// Puts eight varints of one byte. This and those below return how many bytes they take.
#[inline]
#[target_feature(enable = "avx2")]
fn put_to_1(varints: __m256i, room: &mut Room) -> usize {
    let pairs = _mm_packs_epi32(_mm256_castsi256_si128(varints), _mm256_extracti128_si256::<1>(varints));
    put_word(_mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs)), room, 0);
    8
}

/// Puts eight varints of up to four bytes, in lanes of 32 bits.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn put_to_4(varints: __m256i, room: &mut Room) -> usize {
    let [second, third, fourth] = bytes_behind_the_first(varints);
    let more = _mm256_abs_epi32(_mm256_add_epi32(_mm256_add_epi32(second, third), fourth));
    let spare = _mm256_sub_epi32(_mm256_set1_epi32(24), _mm256_slli_epi32::<3>(more));
    let marks = _mm256_srlv_epi32(_mm256_set1_epi32(0x0080_8080), spare);
    let marked = _mm256_or_si256(groups_of_16(groups_of_32(varints)), marks);
    // Two bits for each length; those of four make the number of an order.
    let keys = _mm256_sllv_epi32(more, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
    let keys = _mm256_or_si256(keys, _mm256_shuffle_epi32::<0b10_11_00_01>(keys));
    let keys = _mm256_or_si256(keys, _mm256_shuffle_epi32::<0b01_00_11_10>(keys));
    let [low_key, high_key] = [_mm256_extract_epi8::<0>(keys), _mm256_extract_epi8::<16>(keys)];
    let marks = _mm256_movemask_epi8(marked);
    let end = 4 + (marks & 0xffff).count_ones() as usize;
    put_in_order(_mm256_castsi256_si128(marked), low_key, room, 0);
    put_in_order(_mm256_extracti128_si256::<1>(marked), high_key, room, end);
    8 + marks.count_ones() as usize
}

/// Puts four varints of up to eight bytes, in lanes of 64 bits.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn put_to_8(varints: __m256i, room: &mut Room, at: usize) -> usize {
    let groups = groups_of_16(groups_of_32(groups_of_64(varints)));
    // The top bit of each byte up to the last that is not 0; what comes into other bits does not matter.
    let used = _mm256_add_epi8(groups, _mm256_set1_epi8(0x7f));
    let used = _mm256_or_si256(used, _mm256_srli_epi64::<8>(used));
    let used = _mm256_or_si256(used, _mm256_srli_epi64::<16>(used));
    let used = _mm256_or_si256(used, _mm256_srli_epi64::<32>(used));
    let marks = _mm256_and_si256(_mm256_srli_epi64::<8>(used), _mm256_set1_epi8(i8::MIN));
    let marked = _mm256_or_si256(groups, marks);
    let (low, high) = (_mm256_castsi256_si128(marked), _mm256_extracti128_si256::<1>(marked));
    let words =
        [_mm_cvtsi128_si64(low), _mm_extract_epi64::<1>(low), _mm_cvtsi128_si64(high), _mm_extract_epi64::<1>(high)];
    let marks = _mm256_movemask_epi8(marked).to_le_bytes();
    let mut end = at;
    for (word, marks) in words.into_iter().zip(marks) {
        put_word(word, room, end);
        end += 1 + marks.count_ones() as usize;
    }
    end - at
}

#[inline(always)]
fn put_word(word: i64, room: &mut Room, at: usize) {
    room[at..at + 8].write_copy_of_slice(&word.to_le_bytes());
}

/// Puts four varints that stand four bytes apart.
#[inline]
#[target_feature(enable = "avx2")]
fn put_in_order(varints: __m128i, key: i32, room: &mut Room, at: usize) {
    let room = &mut room[at..at + 16];
    let bytes = _mm_shuffle_epi8(varints, load(&ORDERS[key as usize]));
    // SAFETY: the slice above has 16 bytes, and `MaybeUninit` takes any.
    unsafe { _mm_storeu_si128(room.as_mut_ptr().cast(), bytes) };
}

/// For each four lengths of 1 to 4 the bytes that count of four lanes of 32 bits. The number of a row has the lengths less
/// one, of two bits each, the first one lowest.
static ORDERS: [[u8; 16]; 256] = {
    let mut orders = [[0; 16]; 256];
    let mut key = 0;
    while key < 256 {
        let (mut byte, mut end) = (0, 0);
        while byte < 16 {
            if byte % 4 <= key >> (byte / 4 * 2) & 3 {
                orders[key][end] = byte as u8;
                end += 1;
            }
            byte += 1;
        }
        key += 1;
    }
    orders
};

/// Moves the second of two groups of 28 bits to the upper half of each 64-bit lane.
#[inline]
#[target_feature(enable = "avx2")]
fn groups_of_64(varints: __m256i) -> __m256i {
    let low = _mm256_and_si256(varints, _mm256_set1_epi64x(0x0fff_ffff));
    let high = _mm256_and_si256(_mm256_slli_epi64::<4>(varints), _mm256_set1_epi64x(0x0fff_ffff << 32));
    _mm256_or_si256(low, high)
}

/// Moves the second of two groups of 14 bits to the upper half of each 32-bit lane.
#[inline]
#[target_feature(enable = "avx2")]
fn groups_of_32(groups: __m256i) -> __m256i {
    let low = _mm256_and_si256(groups, _mm256_set1_epi32(0x3fff));
    let high = _mm256_and_si256(_mm256_slli_epi32::<2>(groups), _mm256_set1_epi32(0x3fff << 16));
    _mm256_or_si256(low, high)
}

/// Moves the second of two groups of seven bits to the upper half of each 16-bit lane.
#[inline]
#[target_feature(enable = "avx2")]
fn groups_of_16(groups: __m256i) -> __m256i {
    let low = _mm256_and_si256(groups, _mm256_set1_epi16(0x7f));
    let high = _mm256_and_si256(_mm256_slli_epi16::<1>(groups), _mm256_set1_epi16(0x7f << 8));
    _mm256_or_si256(low, high)
}

#[inline]
#[target_feature(enable = "avx2")]
fn zigzag_64(values: __m256i) -> __m256i {
    let sign = _mm256_cmpgt_epi64(_mm256_setzero_si256(), values);
    _mm256_xor_si256(_mm256_slli_epi64::<1>(values), sign)
}

#[inline]
#[target_feature(enable = "avx2")]
fn zigzag_32(values: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_slli_epi32::<1>(values), _mm256_srai_epi32::<31>(values))
}

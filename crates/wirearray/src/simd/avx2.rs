//! AVX2: shuffles of sixteen bytes, and stores of 32.

#![allow(unsafe_code, reason = "calls functions that are compiled for AVX2, and loads and stores arrays")]

mod encode;

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::gather::{Word, gather_by_eight};
use super::kernel::{GROUP, Progress};
use super::shuffle::{self, implement_instructions};
use crate::varint::Kind;

/// Proof that this processor has AVX2: [`Avx2::detect`] alone makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        let has_all =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("lzcnt") && is_x86_feature_detected!("popcnt");
        has_all.then_some(Self(()))
    }

    pub(super) fn decode<K: Kind>(
        self,
        source: &[u8],
        limit: usize,
        destination: &mut [MaybeUninit<K::Element>],
    ) -> Progress {
        #[target_feature(enable = "avx2,popcnt")]
        fn compiled<K: Kind>(
            proof: Avx2,
            source: &[u8],
            limit: usize,
            destination: &mut [MaybeUninit<K::Element>],
        ) -> Progress {
            shuffle::decode::<Avx2, K>(proof, source, limit, destination)
        }
        // SAFETY: `self` exists, so `detect` has found every feature that the function is compiled for.
        unsafe { compiled::<K>(self, source, limit, destination) }
    }

    pub(super) fn encode<K: Kind>(self, elements: &[u8], destination: &mut [MaybeUninit<u8>]) -> Progress {
        // SAFETY: as above.
        unsafe { encode::encode::<K>(elements, destination) }
    }

    pub(super) fn len_of_varints<K: Kind>(self, elements: &[u8]) -> u64 {
        // SAFETY: as above.
        unsafe { encode::len_of_varints::<K>(elements) }
    }

    pub(super) fn gather<W: Word, const TAG: usize>(
        self,
        source: &[u8],
        tag: [u8; TAG],
        destination: &mut [MaybeUninit<W>],
    ) -> usize {
        #[target_feature(enable = "avx2")]
        fn compiled<W: Word, const TAG: usize>(
            source: &[u8],
            tag: [u8; TAG],
            destination: &mut [MaybeUninit<W>],
        ) -> usize {
            gather_by_eight::<W, TAG>(source, tag, destination)
        }
        // SAFETY: as above.
        unsafe { compiled::<W, TAG>(source, tag, destination) }
    }
}

implement_instructions!(Avx2, __m128i, __m256i, [__m256i; 2]);

#[inline]
#[target_feature(enable = "avx2")]
fn load_block(bytes: &[u8; 64]) -> [__m256i; 2] {
    // SAFETY: the array has 64 bytes.
    let low = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
    // SAFETY: as above.
    let high = unsafe { _mm256_loadu_si256(bytes[32..].as_ptr().cast()) };
    [low, high]
}

#[inline]
#[target_feature(enable = "avx2")]
fn above(block: [__m256i; 2], bound: u8) -> u64 {
    let [low, high] = block;
    u64::from(above_in_half(low, bound)) | u64::from(above_in_half(high, bound)) << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn above_in_half(bytes: __m256i, bound: u8) -> u32 {
    let excess = _mm256_subs_epu8(bytes, _mm256_set1_epi8(bound.cast_signed()));
    !_mm256_movemask_epi8(_mm256_cmpeq_epi8(excess, _mm256_setzero_si256())).cast_unsigned()
}

#[inline]
#[target_feature(enable = "avx2")]
fn any_above(block: [__m256i; 2], bound: u8) -> bool {
    let [low, high] = block;
    let excess = _mm256_subs_epu8(_mm256_max_epu8(low, high), _mm256_set1_epi8(bound.cast_signed()));
    _mm256_testz_si256(excess, excess) == 0
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat_16(number: u16) -> __m128i {
    _mm_set1_epi16(number.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_16(left: __m128i, right: __m128i) -> __m128i {
    _mm_add_epi16(left, right)
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_places(slots: &mut [MaybeUninit<u16>; 8], places: &[u8; 8], start: __m128i) {
    let places = _mm_cvtepu8_epi16(_mm_cvtsi64_si128(i64::from_le_bytes(*places)));
    let moved = _mm_add_epi16(places, start);
    // SAFETY: the array has 16 bytes, and `MaybeUninit` takes any.
    unsafe { _mm_storeu_si128(slots.as_mut_ptr().cast(), moved) };
}

#[inline]
#[target_feature(enable = "avx2")]
fn lens(places: &[u16; 1 + GROUP]) -> [__m256i; 2] {
    [lens_of_half(places, 0), lens_of_half(places, 32)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn lens_of_half(places: &[u16; 1 + GROUP], from: usize) -> __m256i {
    let low = _mm256_sub_epi16(load_places(places, from + 1), load_places(places, from));
    let high = _mm256_sub_epi16(load_places(places, from + 17), load_places(places, from + 16));
    // Packing takes eight lanes of the one and eight of the other in turn.
    _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(low, high))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_places(places: &[u16; 1 + GROUP], from: usize) -> __m256i {
    let places: &[u16; 16] = places[from..].first_chunk().expect("16 of 65 places");
    // SAFETY: the array has 32 bytes.
    unsafe { _mm256_loadu_si256(places.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn keys_of_one(lens: [__m256i; 2]) -> [u8; GROUP] {
    let [low, high] = lens;
    bytes_of([less_one(low), less_one(high)])
}

#[inline]
#[target_feature(enable = "avx2")]
fn keys_of_two(lens: [__m256i; 2]) -> [u8; GROUP] {
    let [low, high] = lens;
    bytes_of([pair_up::<4>(less_one(low)), pair_up::<4>(less_one(high))])
}

#[inline]
#[target_feature(enable = "avx2")]
fn keys_of_four(lens: [__m256i; 2]) -> [u8; GROUP] {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn of_half(lens: __m256i) -> __m256i {
        let of_two = pair_up::<6>(less_one(lens));
        _mm256_or_si256(of_two, _mm256_srli_epi32::<12>(of_two))
    }
    let [low, high] = lens;
    bytes_of([of_half(low), of_half(high)])
}

#[inline]
#[target_feature(enable = "avx2")]
fn less_one(lens: __m256i) -> __m256i {
    _mm256_sub_epi8(lens, _mm256_set1_epi8(1))
}

/// Moves the second of two bytes down to the bits that the first one leaves free.
#[inline]
#[target_feature(enable = "avx2")]
fn pair_up<const DOWN: i32>(bytes: __m256i) -> __m256i {
    _mm256_or_si256(bytes, _mm256_srli_epi16::<DOWN>(bytes))
}

#[inline]
#[target_feature(enable = "avx2")]
fn bytes_of(block: [__m256i; 2]) -> [u8; GROUP] {
    let mut bytes = [0; GROUP];
    let [low, high] = block;
    // SAFETY: the array has 64 bytes.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), low) };
    // SAFETY: as above.
    unsafe { _mm256_storeu_si256(bytes[32..].as_mut_ptr().cast(), high) };
    bytes
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the array has 16 bytes.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn shuffle(bytes: __m128i, order: &[u8; 16]) -> __m128i {
    _mm_shuffle_epi8(bytes, load(order))
}

#[inline]
#[target_feature(enable = "avx2")]
fn join_2(bytes: __m128i) -> __m128i {
    _mm256_castsi256_si128(join_2_of_pair(_mm256_castsi128_si256(bytes)))
}

/// Joins two groups of seven bits in each 16-bit lane.
#[inline]
#[target_feature(enable = "avx2")]
fn join_2_of_pair(bytes: __m256i) -> __m256i {
    let groups = _mm256_and_si256(bytes, _mm256_set1_epi8(0x7f));
    // First byte times 1, second times 128.
    _mm256_maddubs_epi16(_mm256_set1_epi16(0x8001_u16.cast_signed()), groups)
}

/// Joins four groups of seven bits in each 32-bit lane.
#[inline]
#[target_feature(enable = "avx2")]
fn join_4_of_pair(bytes: __m256i) -> __m256i {
    // Lower half times 1, upper half times 2^14.
    _mm256_madd_epi16(join_2_of_pair(bytes), _mm256_set1_epi32(0x4000_0001))
}

/// Joins eight groups of seven bits in each 64-bit lane.
#[inline]
#[target_feature(enable = "avx2")]
fn join_8_of_pair(bytes: __m256i) -> __m256i {
    // Four bits are free above each half: those of the lower one are closed first, then both are moved down.
    let joined = _mm256_sllv_epi32(join_4_of_pair(bytes), _mm256_set1_epi64x(4));
    _mm256_srli_epi64::<4>(joined)
}

#[inline]
#[target_feature(enable = "avx2")]
fn join_4(bytes: [__m128i; 2]) -> __m256i {
    let [first, second] = bytes;
    join_4_of_pair(_mm256_set_m128i(second, first))
}

#[inline]
#[target_feature(enable = "avx2")]
fn join_8(bytes: [__m128i; 2]) -> __m256i {
    let [first, second] = bytes;
    join_8_of_pair(_mm256_set_m128i(second, first))
}

#[inline]
#[target_feature(enable = "avx2")]
fn join_10(bytes: [__m128i; 4]) -> __m256i {
    let [first, second, third, fourth] = bytes;
    let (odd, even) = (_mm256_set_m128i(third, first), _mm256_set_m128i(fourth, second));
    let first_eight = join_8_of_pair(_mm256_unpacklo_epi64(odd, even));
    let ninth_on = join_2_of_pair(_mm256_unpackhi_epi64(odd, even));
    _mm256_or_si256(first_eight, _mm256_slli_epi64::<56>(ninth_on))
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_2<K: Kind>(slots: &mut [MaybeUninit<K::Element>; 8], varints: __m128i) {
    let values = if K::IS_ZIGZAG {
        // Of 14 bits, so what comes of a zigzag has its sign here already.
        let sign = _mm_sub_epi16(_mm_setzero_si128(), _mm_and_si128(varints, _mm_set1_epi16(1)));
        _mm_xor_si128(_mm_srli_epi16::<1>(varints), sign)
    } else {
        varints
    };
    if size_of::<K::Element>() == 4 {
        return store(
            slots,
            0,
            if K::IS_ZIGZAG { _mm256_cvtepi16_epi32(values) } else { _mm256_cvtepu16_epi32(values) },
        );
    }
    let widen = |half| if K::IS_ZIGZAG { _mm256_cvtepi16_epi64(half) } else { _mm256_cvtepu16_epi64(half) };
    store(slots, 0, widen(values));
    store(slots, 4, widen(_mm_unpackhi_epi64(values, values)));
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_4<K: Kind>(slots: &mut [MaybeUninit<K::Element>; 8], varints: __m256i) {
    let values = if K::IS_ZIGZAG { unzigzag_32(varints) } else { varints };
    if size_of::<K::Element>() == 4 {
        return store(slots, 0, values);
    }
    let (low, high) = (_mm256_castsi256_si128(values), _mm256_extracti128_si256::<1>(values));
    let widen = |half| if K::IS_ZIGZAG { _mm256_cvtepi32_epi64(half) } else { _mm256_cvtepu32_epi64(half) };
    store(slots, 0, widen(low));
    store(slots, 4, widen(high));
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_8<K: Kind>(slots: &mut [MaybeUninit<K::Element>; 4], varints: __m256i) {
    if size_of::<K::Element>() == 8 {
        return store(slots, 0, if K::IS_ZIGZAG { unzigzag_64(varints) } else { varints });
    }
    let low_halves = _mm256_permutevar8x32_epi32(varints, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
    let values = _mm256_castsi256_si128(if K::IS_ZIGZAG { unzigzag_32(low_halves) } else { low_halves });
    // SAFETY: the array has 16 bytes, and `MaybeUninit` takes any.
    unsafe { _mm_storeu_si128(slots.as_mut_ptr().cast(), values) };
}

/// Stores 32 bytes of values from number `at` on.
#[inline]
#[target_feature(enable = "avx2")]
fn store<T>(slots: &mut [MaybeUninit<T>], at: usize, values: __m256i) {
    let room = &mut slots[at..at + 32 / size_of::<T>()];
    // SAFETY: the slice above has 32 bytes, and `MaybeUninit` takes any.
    unsafe { _mm256_storeu_si256(room.as_mut_ptr().cast(), values) };
}

#[inline]
#[target_feature(enable = "avx2")]
fn unzigzag_32(varints: __m256i) -> __m256i {
    let sign = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_and_si256(varints, _mm256_set1_epi32(1)));
    _mm256_xor_si256(_mm256_srli_epi32::<1>(varints), sign)
}

#[inline]
#[target_feature(enable = "avx2")]
fn unzigzag_64(varints: __m256i) -> __m256i {
    let sign = _mm256_sub_epi64(_mm256_setzero_si256(), _mm256_and_si256(varints, _mm256_set1_epi64x(1)));
    _mm256_xor_si256(_mm256_srli_epi64::<1>(varints), sign)
}

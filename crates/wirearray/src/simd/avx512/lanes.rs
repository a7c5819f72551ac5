//! Moves of 64 bytes: loads, stores, and varints' groups of seven bits joined in lanes of 2, 4 and 8 bytes.

#![allow(unsafe_code, reason = "loads and stores through pointers, and two instructions that intrinsics make slow")]

use std::arch::asm;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use crate::varint::Kind;

/// The numbers from 0 to 63.
pub(super) const fn counting() -> [u8; 64] {
    let mut numbers = [0; 64];
    let mut number = 0;
    while number < 64 {
        numbers[number] = number as u8;
        number += 1;
    }
    numbers
}

/// Loads 64 bytes.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn load_from(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the array has 64 bytes.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Loads 64 bytes of `source` from number `at` on.
///
/// # Safety
///
/// They have to lie in `source`.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) unsafe fn load(source: &[u8], at: usize) -> __m512i {
    debug_assert!(at + 64 <= source.len());
    // SAFETY: the caller's promise.
    unsafe { _mm512_loadu_si512(source.as_ptr().wrapping_add(at).cast()) }
}

/// Loads up to 64 bytes, with zeros behind them.
#[inline]
#[target_feature(enable = "avx512bw,bmi2")]
pub(super) fn load_up_to(bytes: &[u8]) -> __m512i {
    match bytes.first_chunk() {
        Some(bytes) => load_from(bytes),
        None => {
            let mask = _bzhi_u64(!0, bytes.len() as u32);
            // SAFETY: the mask names the bytes of the slice, and others are not touched.
            unsafe { _mm512_maskz_loadu_epi8(mask, bytes.as_ptr().cast()) }
        }
    }
}

/// Stores 64 bytes of values from number `at` on.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn store<T>(group: &mut [MaybeUninit<T>], at: usize, values: __m512i) {
    let room = &mut group[at..at + 64 / size_of::<T>()];
    // SAFETY: the slice above has 64 bytes, and `MaybeUninit` takes any.
    unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), values) };
}

/// Stores 32 bytes of values from number `at` on.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn store_half<T>(group: &mut [MaybeUninit<T>], at: usize, values: __m256i) {
    let room = &mut group[at..at + 32 / size_of::<T>()];
    // SAFETY: the slice above has 32 bytes, and `MaybeUninit` takes any.
    unsafe { _mm256_storeu_si256(room.as_mut_ptr().cast(), values) };
}

/// The bytes that `mask` names, moved to the front; zeros behind them.
///
/// On Zen 4 `vpcompressb` and `vpexpandb` wait for the former value of their destination though they do not use it, five
/// cycles instead of one. Clearing it first breaks that; from the intrinsics LLVM drops the clearing.
#[inline]
#[target_feature(enable = "avx512bw,avx512vbmi2")]
pub(super) fn compress(mask: u64, bytes: __m512i) -> __m512i {
    let packed: __m512i;
    // SAFETY: the instructions touch registers only, and are there in a function compiled for VBMI2.
    unsafe {
        asm!(
            "vpxord {packed}, {packed}, {packed}",
            "vpcompressb {packed}{{{mask}}}{{z}}, {bytes}",
            packed = out(zmm_reg) packed,
            bytes = in(zmm_reg) bytes,
            mask = in(kreg) mask,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    packed
}

/// Bytes from the front, moved to the places that `mask` names; zeros between them.
#[inline]
#[target_feature(enable = "avx512bw,avx512vbmi2")]
pub(super) fn expand(mask: u64, bytes: __m512i) -> __m512i {
    let spread: __m512i;
    // SAFETY: as for `compress`.
    unsafe {
        asm!(
            "vpxord {spread}, {spread}, {spread}",
            "vpexpandb {spread}{{{mask}}}{{z}}, {bytes}",
            spread = out(zmm_reg) spread,
            bytes = in(zmm_reg) bytes,
            mask = in(kreg) mask,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    spread
}

/// The eight 64-bit lanes.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn words_of(lanes: __m512i) -> [u64; 8] {
    let mut words = [0; 8];
    // SAFETY: the array has 64 bytes.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), lanes) };
    words
}

/// The seven bits of each byte that are part of a varint's value.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn groups_of(bytes: __m512i) -> __m512i {
    _mm512_and_si512(bytes, _mm512_set1_epi8(0x7f))
}

/// Joins two groups of seven bits in each 16-bit lane.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn join_16(groups: __m512i) -> __m512i {
    // First byte times 1, second times 128.
    _mm512_maddubs_epi16(_mm512_set1_epi16(0x8001_u16.cast_signed()), groups)
}

/// Joins four groups of seven bits in each 32-bit lane.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn join_32(groups: __m512i) -> __m512i {
    // Lower half times 1, upper half times 2^14.
    _mm512_madd_epi16(join_16(groups), _mm512_set1_epi32(0x4000_0001))
}

/// Joins eight groups of seven bits in each 64-bit lane.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn join_64(groups: __m512i) -> __m512i {
    /// Where the first operand has a bit, the second, elsewhere the third.
    const SELECT: i32 = 0xca;
    let joined = join_32(groups);
    _mm512_ternarylogic_epi64::<SELECT>(_mm512_set1_epi64(0x0fff_ffff), joined, _mm512_srli_epi64::<4>(joined))
}

/// Stores 64 varints of one byte as values.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn store_8<K: Kind>(group: &mut [MaybeUninit<K::Element>], varints: __m512i) {
    store_32::<K>(group, 0, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(varints)));
    store_32::<K>(group, 16, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32::<1>(varints)));
    store_32::<K>(group, 32, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32::<2>(varints)));
    store_32::<K>(group, 48, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32::<3>(varints)));
}

/// Stores 32 varints, which are 16-bit lanes, as values.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn store_16<K: Kind>(group: &mut [MaybeUninit<K::Element>], at: usize, varints: __m512i) {
    let (low, high) = (_mm512_castsi512_si256(varints), _mm512_extracti64x4_epi64::<1>(varints));
    store_32::<K>(group, at, _mm512_cvtepu16_epi32(low));
    store_32::<K>(group, at + 16, _mm512_cvtepu16_epi32(high));
}

/// Stores 16 varints, which are 32-bit lanes, as values.
#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn store_32<K: Kind>(group: &mut [MaybeUninit<K::Element>], at: usize, varints: __m512i) {
    let values = if K::IS_ZIGZAG { unzigzag_32(varints) } else { varints };
    if size_of::<K::Element>() == 4 {
        return store(group, at, values);
    }
    let (low, high) = (_mm512_castsi512_si256(values), _mm512_extracti64x4_epi64::<1>(values));
    // What came of a zigzag has a sign, and that of 32 bits is that of 64.
    let widen = |half| if K::IS_ZIGZAG { _mm512_cvtepi32_epi64(half) } else { _mm512_cvtepu32_epi64(half) };
    store(group, at, widen(low));
    store(group, at + 8, widen(high));
}

/// Stores eight varints, which are 64-bit lanes, as values.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl")]
pub(super) fn store_64<K: Kind>(group: &mut [MaybeUninit<K::Element>], at: usize, varints: __m512i) {
    if size_of::<K::Element>() == 8 {
        return store(group, at, if K::IS_ZIGZAG { unzigzag_64(varints) } else { varints });
    }
    let low = _mm512_cvtepi64_epi32(varints);
    store_half(group, at, if K::IS_ZIGZAG { unzigzag_32_half(low) } else { low });
}

#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn zigzag_64(values: __m512i) -> __m512i {
    _mm512_xor_si512(_mm512_slli_epi64::<1>(values), _mm512_srai_epi64::<63>(values))
}

#[inline]
#[target_feature(enable = "avx512bw")]
pub(super) fn zigzag_32(values: __m512i) -> __m512i {
    _mm512_xor_si512(_mm512_slli_epi32::<1>(values), _mm512_srai_epi32::<31>(values))
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn unzigzag_64(varints: __m512i) -> __m512i {
    let sign = _mm512_sub_epi64(_mm512_setzero_si512(), _mm512_and_si512(varints, _mm512_set1_epi64(1)));
    _mm512_xor_si512(_mm512_srli_epi64::<1>(varints), sign)
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn unzigzag_32(varints: __m512i) -> __m512i {
    let sign = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_and_si512(varints, _mm512_set1_epi32(1)));
    _mm512_xor_si512(_mm512_srli_epi32::<1>(varints), sign)
}

#[inline]
#[target_feature(enable = "avx512bw")]
fn unzigzag_32_half(varints: __m256i) -> __m256i {
    let sign = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_and_si256(varints, _mm256_set1_epi32(1)));
    _mm256_xor_si256(_mm256_srli_epi32::<1>(varints), sign)
}

//! How many bytes the varints of elements take: one for each seven bits, as [`crate::varint::len`] counts them.

use std::arch::x86_64::*;

use super::lanes::{load_from, load_up_to, zigzag_32, zigzag_64};
use crate::varint::Kind;

/// Bytes of elements whose lengths are added up in lanes of 32 bits: even ten times as much fits.
const CHUNK: usize = 1 << 28;

/// The bytes that the varints of elements take.
#[target_feature(enable = "avx512bw,avx512cd,avx512dq,bmi2")]
pub(super) fn len_of_varints<K: Kind>(elements: &[u8]) -> u64 {
    if size_of::<K::Element>() == 8 {
        return sum_64::<K>(elements);
    }
    let mut sum = 0;
    for chunk in elements.chunks(CHUNK) {
        sum += u64::from(sum_32::<K>(chunk));
    }
    sum
}

#[inline]
#[target_feature(enable = "avx512bw,avx512cd,bmi2")]
fn sum_64<K: Kind>(elements: &[u8]) -> u64 {
    let len = |elements| len_64(if K::IS_ZIGZAG { zigzag_64(elements) } else { elements });
    let (vectors, rest) = elements.as_chunks::<64>();
    let mut sum = len(load_up_to(rest));
    for vector in vectors {
        sum = _mm512_add_epi64(sum, len(load_from(vector)));
    }
    // The lanes behind the last element are zeros, of a byte each.
    _mm512_reduce_add_epi64(sum).cast_unsigned() - (8 - rest.len() / 8) as u64
}

#[inline]
#[target_feature(enable = "avx512bw,avx512cd,avx512dq,bmi2")]
fn sum_32<K: Kind>(elements: &[u8]) -> u32 {
    let (vectors, rest) = elements.as_chunks::<64>();
    let mut sum = len_32::<K>(load_up_to(rest));
    for vector in vectors {
        sum = _mm512_add_epi32(sum, len_32::<K>(load_from(vector)));
    }
    _mm512_reduce_add_epi32(sum).cast_unsigned() - (16 - rest.len() / 4) as u32
}

/// The length of each of eight varints.
#[inline]
#[target_feature(enable = "avx512bw,avx512cd")]
pub(super) fn len_64(varints: __m512i) -> __m512i {
    let zeros = _mm512_lzcnt_epi64(varints);
    let nine_times = _mm512_add_epi64(_mm512_slli_epi64::<3>(zeros), zeros);
    _mm512_srli_epi64::<6>(_mm512_sub_epi64(_mm512_set1_epi64(9 * 64 + 64), nine_times))
}

/// The length of the varint of each of sixteen elements.
#[inline]
#[target_feature(enable = "avx512bw,avx512cd,avx512dq")]
fn len_32<K: Kind>(elements: __m512i) -> __m512i {
    let zeros = _mm512_lzcnt_epi32(if K::IS_ZIGZAG { zigzag_32(elements) } else { elements });
    let nine_times = _mm512_add_epi32(_mm512_slli_epi32::<3>(zeros), zeros);
    let lens = _mm512_srli_epi32::<6>(_mm512_sub_epi32(_mm512_set1_epi32(9 * 32 + 64), nine_times));
    if K::IS_EXTENDED {
        // Ten bytes instead of five.
        return _mm512_mask_add_epi32(lens, _mm512_movepi32_mask(elements), lens, _mm512_set1_epi32(5));
    }
    lens
}

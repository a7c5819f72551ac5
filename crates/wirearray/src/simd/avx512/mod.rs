//! AVX-512 with VBMI2: 64 bytes at a time, and bytes spread or gathered by masks.

#![allow(unsafe_code, reason = "calls functions that are compiled for AVX-512, and detects it")]

mod decode;
mod encode;
mod gather;
mod lanes;
mod measure;

use std::mem::MaybeUninit;

use super::gather::Word;
use super::kernel::Progress;
use crate::varint::Kind;

/// Proof that this processor has AVX-512 with VBMI2: [`Avx512::detect`] alone makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx512(());

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        has_all.then_some(Self(()))
    }

    pub(super) fn decode<K: Kind>(
        self,
        source: &[u8],
        limit: usize,
        destination: &mut [MaybeUninit<K::Element>],
    ) -> Progress {
        // SAFETY: `self` exists, so `detect` has found every feature that the function is compiled for.
        unsafe { decode::decode::<K>(source, limit, destination) }
    }

    pub(super) fn encode<K: Kind>(self, elements: &[u8], destination: &mut [MaybeUninit<u8>]) -> Progress {
        // SAFETY: as above.
        unsafe { encode::encode::<K>(elements, destination) }
    }

    pub(super) fn len_of_varints<K: Kind>(self, elements: &[u8]) -> u64 {
        // SAFETY: as above.
        unsafe { measure::len_of_varints::<K>(elements) }
    }

    pub(super) fn gather<W: Word, const TAG: usize>(
        self,
        source: &[u8],
        tag: [u8; TAG],
        destination: &mut [MaybeUninit<W>],
    ) -> usize {
        // SAFETY: as above.
        unsafe { gather::gather::<W, TAG>(source, tag, destination) }
    }
}

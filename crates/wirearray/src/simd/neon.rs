//! NEON: shuffles of sixteen bytes.

#![allow(unsafe_code, reason = "calls functions that are compiled for NEON, and loads and stores arrays")]

use std::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;
use std::mem::MaybeUninit;

use super::kernel::{GROUP, Progress};
use super::shuffle::{self, implement_instructions};
use crate::varint::Kind;

/// Proof that this processor has NEON: [`Neon::detect`] alone makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neon(());

impl Neon {
    pub(super) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    pub(super) fn decode<K: Kind>(
        self,
        source: &[u8],
        limit: usize,
        destination: &mut [MaybeUninit<K::Element>],
    ) -> Progress {
        #[target_feature(enable = "neon")]
        fn compiled<K: Kind>(
            proof: Neon,
            source: &[u8],
            limit: usize,
            destination: &mut [MaybeUninit<K::Element>],
        ) -> Progress {
            shuffle::decode::<Neon, K>(proof, source, limit, destination)
        }
        // SAFETY: `self` exists, so `detect` has found the feature that the function is compiled for.
        unsafe { compiled::<K>(self, source, limit, destination) }
    }
}

implement_instructions!(Neon, uint8x16_t, uint8x16x2_t, uint8x16x4_t);

#[inline]
#[target_feature(enable = "neon")]
fn load_block(bytes: &[u8; 64]) -> uint8x16x4_t {
    // SAFETY: the array has 64 bytes.
    unsafe { vld1q_u8_x4(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn above(block: uint8x16x4_t, bound: u8) -> u64 {
    // One bit in each of eight bytes; three sums of neighbours bring those of eight together.
    let weights = vreinterpretq_u8_u64(vdupq_n_u64(0x8040_2010_0804_0201));
    let is_above = |bytes| vandq_u8(vcgtq_u8(bytes, vdupq_n_u8(bound)), weights);
    let uint8x16x4_t(first, second, third, fourth) = block;
    let low = vpaddq_u8(is_above(first), is_above(second));
    let high = vpaddq_u8(is_above(third), is_above(fourth));
    let of_four = vpaddq_u8(low, high);
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(of_four, of_four)))
}

#[inline]
#[target_feature(enable = "neon")]
fn any_above(block: uint8x16x4_t, bound: u8) -> bool {
    let uint8x16x4_t(first, second, third, fourth) = block;
    vmaxvq_u8(vmaxq_u8(vmaxq_u8(first, second), vmaxq_u8(third, fourth))) > bound
}

#[inline]
#[target_feature(enable = "neon")]
fn splat_16(number: u16) -> uint8x16_t {
    vreinterpretq_u8_u16(vdupq_n_u16(number))
}

#[inline]
#[target_feature(enable = "neon")]
fn add_16(left: uint8x16_t, right: uint8x16_t) -> uint8x16_t {
    vreinterpretq_u8_u16(vaddq_u16(vreinterpretq_u16_u8(left), vreinterpretq_u16_u8(right)))
}

#[inline]
#[target_feature(enable = "neon")]
fn store_places(slots: &mut [MaybeUninit<u16>; 8], places: &[u8; 8], start: uint8x16_t) {
    // SAFETY: the array has eight bytes.
    let places = unsafe { vld1_u8(places.as_ptr()) };
    let moved = vaddw_u8(vreinterpretq_u16_u8(start), places);
    // SAFETY: the array has 16 bytes, and `MaybeUninit` takes any.
    unsafe { vst1q_u16(slots.as_mut_ptr().cast(), moved) };
}

#[inline]
#[target_feature(enable = "neon")]
fn lens(places: &[u16; 1 + GROUP]) -> uint8x16x4_t {
    let [first, second, third, fourth] = [0, 16, 32, 48];
    uint8x16x4_t(
        lens_of_16(places, first),
        lens_of_16(places, second),
        lens_of_16(places, third),
        lens_of_16(places, fourth),
    )
}

#[inline]
#[target_feature(enable = "neon")]
fn lens_of_16(places: &[u16; 1 + GROUP], from: usize) -> uint8x16_t {
    let low = vsubq_u16(load_places(places, from + 1), load_places(places, from));
    let high = vsubq_u16(load_places(places, from + 9), load_places(places, from + 8));
    vqmovn_high_u16(vqmovn_u16(low), high)
}

#[inline]
#[target_feature(enable = "neon")]
fn load_places(places: &[u16; 1 + GROUP], from: usize) -> uint16x8_t {
    let places: &[u16; 8] = places[from..].first_chunk().expect("eight of 65 places");
    // SAFETY: the array has 16 bytes.
    unsafe { vld1q_u16(places.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn keys_of_one(lens: uint8x16x4_t) -> [u8; GROUP] {
    bytes_of(less_one(lens))
}

#[inline]
#[target_feature(enable = "neon")]
fn keys_of_two(lens: uint8x16x4_t) -> [u8; GROUP] {
    let uint8x16x4_t(first, second, third, fourth) = less_one(lens);
    bytes_of(uint8x16x4_t(pair_up::<4>(first), pair_up::<4>(second), pair_up::<4>(third), pair_up::<4>(fourth)))
}

#[inline]
#[target_feature(enable = "neon")]
fn keys_of_four(lens: uint8x16x4_t) -> [u8; GROUP] {
    let of_16 = |lens| {
        let of_two = vreinterpretq_u32_u8(pair_up::<6>(lens));
        vreinterpretq_u8_u32(vsraq_n_u32::<12>(of_two, of_two))
    };
    let uint8x16x4_t(first, second, third, fourth) = less_one(lens);
    bytes_of(uint8x16x4_t(of_16(first), of_16(second), of_16(third), of_16(fourth)))
}

#[inline]
#[target_feature(enable = "neon")]
fn less_one(lens: uint8x16x4_t) -> uint8x16x4_t {
    let uint8x16x4_t(first, second, third, fourth) = lens;
    let one = vdupq_n_u8(1);
    uint8x16x4_t(vsubq_u8(first, one), vsubq_u8(second, one), vsubq_u8(third, one), vsubq_u8(fourth, one))
}

/// Moves the second of two bytes down to the bits that the first one leaves free.
#[inline]
#[target_feature(enable = "neon")]
fn pair_up<const DOWN: i32>(bytes: uint8x16_t) -> uint8x16_t {
    let pairs = vreinterpretq_u16_u8(bytes);
    vreinterpretq_u8_u16(vsraq_n_u16::<DOWN>(pairs, pairs))
}

#[inline]
#[target_feature(enable = "neon")]
fn bytes_of(block: uint8x16x4_t) -> [u8; GROUP] {
    let mut bytes = [0; GROUP];
    // SAFETY: the array has 64 bytes.
    unsafe { vst1q_u8_x4(bytes.as_mut_ptr(), block) };
    bytes
}

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the array has 16 bytes.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn shuffle(bytes: uint8x16_t, order: &[u8; 16]) -> uint8x16_t {
    vqtbl1q_u8(bytes, load(order))
}

#[inline]
#[target_feature(enable = "neon")]
fn join_2(bytes: uint8x16_t) -> uint8x16_t {
    let groups = vreinterpretq_u16_u8(vandq_u8(bytes, vdupq_n_u8(0x7f)));
    // The lower byte as it is, the upper one moved down to its end.
    vreinterpretq_u8_u16(vbslq_u16(vdupq_n_u16(0x7f), groups, vshrq_n_u16::<1>(groups)))
}

/// Joins four groups of seven bits in each 32-bit lane.
#[inline]
#[target_feature(enable = "neon")]
fn join_4_of_one(bytes: uint8x16_t) -> uint8x16_t {
    let pairs = vreinterpretq_u32_u8(join_2(bytes));
    vreinterpretq_u8_u32(vbslq_u32(vdupq_n_u32(0x3fff), pairs, vshrq_n_u32::<2>(pairs)))
}

/// Joins eight groups of seven bits in each 64-bit lane.
#[inline]
#[target_feature(enable = "neon")]
fn join_8_of_one(bytes: uint8x16_t) -> uint8x16_t {
    let fours = vreinterpretq_u64_u8(join_4_of_one(bytes));
    vreinterpretq_u8_u64(vbslq_u64(vdupq_n_u64(0x0fff_ffff), fours, vshrq_n_u64::<4>(fours)))
}

/// Joins ten groups of seven bits in each of two vectors to a 64-bit lane.
#[inline]
#[target_feature(enable = "neon")]
fn join_10_of_two(first: uint8x16_t, second: uint8x16_t) -> uint8x16_t {
    let (first, second) = (vreinterpretq_u64_u8(first), vreinterpretq_u64_u8(second));
    let first_eight = join_8_of_one(vreinterpretq_u8_u64(vzip1q_u64(first, second)));
    let ninth_on = join_2(vreinterpretq_u8_u64(vzip2q_u64(first, second)));
    let (first_eight, ninth_on) = (vreinterpretq_u64_u8(first_eight), vreinterpretq_u64_u8(ninth_on));
    vreinterpretq_u8_u64(vsliq_n_u64::<56>(first_eight, ninth_on))
}

#[inline]
#[target_feature(enable = "neon")]
fn join_4(bytes: [uint8x16_t; 2]) -> uint8x16x2_t {
    let [first, second] = bytes;
    uint8x16x2_t(join_4_of_one(first), join_4_of_one(second))
}

#[inline]
#[target_feature(enable = "neon")]
fn join_8(bytes: [uint8x16_t; 2]) -> uint8x16x2_t {
    let [first, second] = bytes;
    uint8x16x2_t(join_8_of_one(first), join_8_of_one(second))
}

#[inline]
#[target_feature(enable = "neon")]
fn join_10(bytes: [uint8x16_t; 4]) -> uint8x16x2_t {
    let [first, second, third, fourth] = bytes;
    uint8x16x2_t(join_10_of_two(first, second), join_10_of_two(third, fourth))
}

#[inline]
#[target_feature(enable = "neon")]
fn store_2<K: Kind>(slots: &mut [MaybeUninit<K::Element>; 8], varints: uint8x16_t) {
    let varints = vreinterpretq_u16_u8(varints);
    if K::IS_ZIGZAG {
        // Of 14 bits, so what comes of a zigzag has its sign here already.
        let sign = vnegq_s16(vreinterpretq_s16_u16(vandq_u16(varints, vdupq_n_u16(1))));
        let values = veorq_s16(vreinterpretq_s16_u16(vshrq_n_u16::<1>(varints)), sign);
        store_32::<K>(slots, 0, vreinterpretq_u32_s32(vmovl_s16(vget_low_s16(values))));
        store_32::<K>(slots, 4, vreinterpretq_u32_s32(vmovl_high_s16(values)));
    } else {
        store_32::<K>(slots, 0, vmovl_u16(vget_low_u16(varints)));
        store_32::<K>(slots, 4, vmovl_high_u16(varints));
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn store_4<K: Kind>(slots: &mut [MaybeUninit<K::Element>; 8], varints: uint8x16x2_t) {
    let uint8x16x2_t(first, second) = varints;
    let value_of = |varints| if K::IS_ZIGZAG { unzigzag_32(varints) } else { varints };
    store_32::<K>(slots, 0, value_of(vreinterpretq_u32_u8(first)));
    store_32::<K>(slots, 4, value_of(vreinterpretq_u32_u8(second)));
}

#[inline]
#[target_feature(enable = "neon")]
fn store_8<K: Kind>(slots: &mut [MaybeUninit<K::Element>; 4], varints: uint8x16x2_t) {
    let uint8x16x2_t(first, second) = varints;
    if size_of::<K::Element>() == 4 {
        let low_halves = vuzp1q_u32(vreinterpretq_u32_u8(first), vreinterpretq_u32_u8(second));
        let values = if K::IS_ZIGZAG { unzigzag_32(low_halves) } else { low_halves };
        return store(slots, 0, vreinterpretq_u8_u32(values));
    }
    let value_of = |varints| if K::IS_ZIGZAG { unzigzag_64(varints) } else { varints };
    store(slots, 0, value_of(first));
    store(slots, 2, value_of(second));
}

/// Stores four values of 32 bits from number `at` on, widened where values have 64.
#[inline]
#[target_feature(enable = "neon")]
fn store_32<K: Kind>(slots: &mut [MaybeUninit<K::Element>], at: usize, values: uint32x4_t) {
    if size_of::<K::Element>() == 4 {
        store(slots, at, vreinterpretq_u8_u32(values));
    } else if K::IS_ZIGZAG {
        // What came of a zigzag has a sign, and that of 32 bits is that of 64.
        let values = vreinterpretq_s32_u32(values);
        store(slots, at, vreinterpretq_u8_s64(vmovl_s32(vget_low_s32(values))));
        store(slots, at + 2, vreinterpretq_u8_s64(vmovl_high_s32(values)));
    } else {
        store(slots, at, vreinterpretq_u8_u64(vmovl_u32(vget_low_u32(values))));
        store(slots, at + 2, vreinterpretq_u8_u64(vmovl_high_u32(values)));
    }
}

/// Stores 16 bytes of values from number `at` on.
#[inline]
#[target_feature(enable = "neon")]
fn store<T>(slots: &mut [MaybeUninit<T>], at: usize, values: uint8x16_t) {
    let room = &mut slots[at..at + 16 / size_of::<T>()];
    // SAFETY: the slice above has 16 bytes, and `MaybeUninit` takes any.
    unsafe { vst1q_u8(room.as_mut_ptr().cast(), values) };
}

#[inline]
#[target_feature(enable = "neon")]
fn unzigzag_32(varints: uint32x4_t) -> uint32x4_t {
    let sign = vnegq_s32(vreinterpretq_s32_u32(vandq_u32(varints, vdupq_n_u32(1))));
    veorq_u32(vshrq_n_u32::<1>(varints), vreinterpretq_u32_s32(sign))
}

#[inline]
#[target_feature(enable = "neon")]
fn unzigzag_64(varints: uint8x16_t) -> uint8x16_t {
    let varints = vreinterpretq_u64_u8(varints);
    let sign = vnegq_s64(vreinterpretq_s64_u64(vandq_u64(varints, vdupq_n_u64(1))));
    vreinterpretq_u8_u64(veorq_u64(vshrq_n_u64::<1>(varints), vreinterpretq_u64_s64(sign)))
}

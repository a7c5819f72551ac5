//! Packed varints on their way out: groups of seven bits put into bytes of their own, then the bytes that count moved
//! together.
//!
//! A varint gets a slot of 2, 4, 8 or 16 bytes, the smallest that the longest of several fits in, so that one compress moves
//! as many as possible. Of the varint before, nothing but the place of a store depends on its length.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::lanes::{compress, load_from, load_up_to, store, zigzag_32, zigzag_64};
use super::measure::len_64;
use crate::simd::kernel::Progress;
use crate::varint::{Kind, MAX_LEN};

/// Elements that are encoded together: so many slots of two bytes fill a register.
const GROUP: usize = 32;

/// Where a group's varints go, with what the last store writes behind them.
type Room = [MaybeUninit<u8>; GROUP * MAX_LEN + 64];

/// Encodes elements until there is no room for some of them; what it stores behind the varints does not count.
#[target_feature(enable = "avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
pub(super) fn encode<K: Kind>(elements: &[u8], destination: &mut [MaybeUninit<u8>]) -> Progress {
    let mut place: Room = [const { MaybeUninit::uninit() }; _];
    let mut done = Progress { read: 0, written: 0 };
    for group in elements.chunks(GROUP * size_of::<K::Element>()) {
        let rest = &mut destination[done.written..];
        let is_short = rest.len() < size_of::<Room>();
        let room = rest.first_chunk_mut().unwrap_or(&mut place);
        // Each element that a group lacks became a zero, of one byte.
        let lacking = GROUP - group.len() / size_of::<K::Element>();
        let len = encode_group::<K>(group, room) - lacking;
        if is_short {
            let Some(rest) = rest.get_mut(..len) else { break };
            rest.copy_from_slice(&place[..len]);
        }
        done.add(Progress { read: group.len(), written: len });
    }
    done
}

/// Encodes up to 32 elements, and zeros instead of those that lack; returns how many bytes they take.
#[inline]
#[target_feature(enable = "avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
fn encode_group<K: Kind>(elements: &[u8], room: &mut Room) -> usize {
    let (low, high) = elements.split_at(elements.len().min(GROUP / 2 * size_of::<K::Element>()));
    let (low, high) = (Sixteen::load::<K>(low), Sixteen::load::<K>(high));
    let any = _mm512_or_si512(low.any(), high.any());
    if !exceeds::<K>(any, 7) {
        return put_to_1(low.narrow::<K>(), high.narrow::<K>(), room);
    }
    if !exceeds::<K>(any, 14) {
        return put_to_2(low.narrow::<K>(), high.narrow::<K>(), room);
    }
    let mut end = 0;
    if !exceeds::<K>(any, 28) {
        for sixteen in [low, high] {
            end += put_to_4(sixteen.narrow::<K>(), room, end);
        }
        return end;
    }
    let ([first, second], [third, fourth]) = (low.wide::<K>(), high.wide::<K>());
    if !exceeds::<K>(any, 56) {
        for eight in [first, second, third, fourth] {
            end += put_to_8(eight, room, end);
        }
        return end;
    }
    for eight in [first, second, third, fourth] {
        end += put_to_10(_mm512_permutexvar_epi64(_mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3), eight), room, end);
        end += put_to_10(_mm512_permutexvar_epi64(_mm512_setr_epi64(4, 4, 5, 5, 6, 6, 7, 7), eight), room, end);
    }
    end
}

/// True where a varint has more than so many bits; `any` has the bits that any of them has, in lanes of elements.
#[inline]
#[target_feature(enable = "avx512bw")]
fn exceeds<K: Kind>(any: __m512i, bits: u32) -> bool {
    if size_of::<K::Element>() == 8 {
        _mm512_test_epi64_mask(any, _mm512_set1_epi64(-1 << bits)) != 0
    } else if bits < 32 {
        _mm512_test_epi32_mask(any, _mm512_set1_epi32(-1 << bits)) != 0
    } else {
        // Only a sign that is extended.
        K::IS_EXTENDED && _mm512_test_epi32_mask(any, _mm512_set1_epi32(i32::MIN)) != 0
    }
}

/// Sixteen varints in lanes of the size of their elements: two registers of eight bytes each, or one of four. Signs are not
/// extended yet.
#[derive(Clone, Copy)]
struct Sixteen([__m512i; 2]);

impl Sixteen {
    /// Those of up to as many elements; the others are 0.
    #[inline]
    #[target_feature(enable = "avx512bw,bmi2")]
    fn load<K: Kind>(elements: &[u8]) -> Self {
        if size_of::<K::Element>() == 8 {
            let (low, high) = elements.split_at(elements.len().min(64));
            let (low, high) = (load_up_to(low), load_up_to(high));
            Self(if K::IS_ZIGZAG { [zigzag_64(low), zigzag_64(high)] } else { [low, high] })
        } else {
            let varints = load_up_to(elements);
            Self([if K::IS_ZIGZAG { zigzag_32(varints) } else { varints }, _mm512_setzero_si512()])
        }
    }

    /// The bits that any of them has.
    #[inline]
    #[target_feature(enable = "avx512bw")]
    fn any(self) -> __m512i {
        _mm512_or_si512(self.0[0], self.0[1])
    }

    /// The lower 32 bits of each.
    #[inline]
    #[target_feature(enable = "avx512bw")]
    fn narrow<K: Kind>(self) -> __m512i {
        let [low, high] = self.0;
        if size_of::<K::Element>() == 4 {
            return low;
        }
        let lower = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        _mm512_permutex2var_epi32(low, lower, high)
    }

    /// All 64 bits of each.
    #[inline]
    #[target_feature(enable = "avx512bw")]
    fn wide<K: Kind>(self) -> [__m512i; 2] {
        if size_of::<K::Element>() == 8 {
            return self.0;
        }
        let (low, high) = (_mm512_castsi512_si256(self.0[0]), _mm512_extracti64x4_epi64::<1>(self.0[0]));
        if K::IS_EXTENDED {
            [_mm512_cvtepi32_epi64(low), _mm512_cvtepi32_epi64(high)]
        } else {
            [_mm512_cvtepu32_epi64(low), _mm512_cvtepu32_epi64(high)]
        }
    }
}

/// Puts 32 varints of one byte, in two times sixteen lanes of 32 bits.
#[inline]
#[target_feature(enable = "avx512bw,avx512vbmi")]
fn put_to_1(low: __m512i, high: __m512i, room: &mut Room) -> usize {
    store(room, 0, lower_of_32::<1>(low, high));
    GROUP
}

/// Puts 32 varints of up to two bytes, in two times sixteen lanes of 32 bits. This and those below return the length.
#[inline]
#[target_feature(enable = "avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
fn put_to_2(low: __m512i, high: __m512i, room: &mut Room) -> usize {
    let bytes = groups_in_slots::<2>(lower_of_32::<2>(low, high));
    let is_longer = _mm512_test_epi16_mask(bytes, _mm512_set1_epi16(0x7f00));
    let marked = _mm512_mask_add_epi16(bytes, is_longer, bytes, _mm512_set1_epi16(0x80));
    let keep = _mm512_test_epi8_mask(bytes, bytes) | 0x5555_5555_5555_5555;
    put_kept(marked, keep, room, 0)
}

/// Puts sixteen varints of up to four bytes, in lanes of 32 bits.
#[inline]
#[target_feature(enable = "avx512bw,avx512cd,avx512dq,avx512vbmi,avx512vbmi2,popcnt")]
fn put_to_4(varints: __m512i, room: &mut Room, at: usize) -> usize {
    let bytes = groups_in_slots::<4>(varints);
    // Eight for each byte behind the last that is not 0; a shift by 32 leaves nothing.
    let spare = _mm512_and_si512(_mm512_lzcnt_epi32(bytes), _mm512_set1_epi32(0x38));
    let used = _mm512_srlv_epi32(_mm512_set1_epi8(i8::MIN), spare);
    let marked = _mm512_or_si512(bytes, _mm512_srli_epi32::<8>(used));
    put_kept(marked, _mm512_movepi8_mask(used) | 0x1111_1111_1111_1111, room, at)
}

/// Puts eight varints of up to eight bytes, in lanes of 64 bits.
#[inline]
#[target_feature(enable = "avx512bw,avx512cd,avx512dq,avx512vbmi,avx512vbmi2,popcnt")]
fn put_to_8(varints: __m512i, room: &mut Room, at: usize) -> usize {
    let bytes = groups_in_slots::<8>(varints);
    let spare = _mm512_and_si512(_mm512_lzcnt_epi64(bytes), _mm512_set1_epi64(0x78));
    let used = _mm512_srlv_epi64(_mm512_set1_epi8(i8::MIN), spare);
    let marked = _mm512_or_si512(bytes, _mm512_srli_epi64::<8>(used));
    put_kept(marked, _mm512_movepi8_mask(used) | 0x0101_0101_0101_0101, room, at)
}

/// Puts four varints of up to ten bytes, each in both halves of a lane of 128 bits.
#[inline]
#[target_feature(enable = "avx512bw,avx512cd,avx512dq,avx512vbmi,avx512vbmi2,popcnt")]
fn put_to_10(varints: __m512i, room: &mut Room, at: usize) -> usize {
    let shifts = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 0, 0, 0, 0, 0, 0));
    // Of the tenth byte one bit is the varint's.
    let groups = _mm512_broadcast_i32x4(_mm_set_epi64x(0x017f, 0x7f7f_7f7f_7f7f_7f7f));
    let bytes = _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts, varints), groups);
    // Eight for each byte that a half lacks, but not less than none: the second has bytes from the ninth on only.
    let both = _mm512_broadcast_i32x4(_mm_set_epi64x(128, 64));
    let spare = _mm512_subs_epu16(both, _mm512_slli_epi64::<3>(len_64(varints)));
    let used = _mm512_srlv_epi64(_mm512_set1_epi8(i8::MIN), spare);
    let marked = _mm512_or_si512(bytes, _mm512_bsrli_epi128::<1>(used));
    put_kept(marked, _mm512_movepi8_mask(used), room, at)
}

/// Puts those of 64 bytes that `keep` names.
#[inline]
#[target_feature(enable = "avx512bw,avx512vbmi2,popcnt")]
fn put_kept(bytes: __m512i, keep: u64, room: &mut Room, at: usize) -> usize {
    store(room, at, compress(keep, bytes));
    keep.count_ones() as usize
}

/// Each varint's groups of seven bits, in the bytes of its slot.
#[inline]
#[target_feature(enable = "avx512bw,avx512vbmi")]
fn groups_in_slots<const SLOT: usize>(varints: __m512i) -> __m512i {
    let shifts = const { shifts::<SLOT>() };
    _mm512_and_si512(_mm512_multishift_epi64_epi8(_mm512_set1_epi64(shifts), varints), _mm512_set1_epi8(0x7f))
}

/// Where in eight bytes of slots each group of seven bits begins.
const fn shifts<const SLOT: usize>() -> i64 {
    let mut shifts = [0; 8];
    let mut byte = 0;
    while byte < 8 {
        shifts[byte] = (byte / SLOT * 8 * SLOT + byte % SLOT * 7) as u8;
        byte += 1;
    }
    i64::from_le_bytes(shifts)
}

/// The lower `WIDTH` bytes of two times sixteen lanes of 32 bits, side by side.
#[inline]
#[target_feature(enable = "avx512bw,avx512vbmi")]
fn lower_of_32<const WIDTH: usize>(low: __m512i, high: __m512i) -> __m512i {
    let places = const { places_of_lower::<WIDTH>() };
    _mm512_permutex2var_epi8(low, load_from(&places), high)
}

/// Where they are; those that lie behind them do not matter.
const fn places_of_lower<const WIDTH: usize>() -> [u8; 64] {
    let mut places = [0; 64];
    let mut byte = 0;
    while byte < 64 {
        places[byte] = (byte / WIDTH * 4 % 128 + byte % WIDTH) as u8;
        byte += 1;
    }
    places
}

//! Packed varints in ordinary registers: list where each varint ends, then load, cut and squeeze them one by one.
//!
//! The list is what breaks the chain of a byte loop, in which each varint's place depends on the length of the one before. What
//! happens to a varint then is the same whatever its length, so no branch has to be guessed, and the compiler squeezes as many
//! at a time as a vector has room for.

use super::kernel::{GROUP, Progress, SLACK};
use super::places::PLACES;
use crate::slots::{Put, Slot};
use crate::varint::{Kind, MAX_LEN};

/// The top bit of each of eight bytes.
const MARKS: u64 = 0x8080_8080_8080_8080;

/// The lowest bit of each of eight bytes.
const ONES: u64 = MARKS >> 7;

/// Varints that are cut together, and then squeezed together.
const PART: usize = 8;

/// The values of a group.
type Group<K> = [Slot<<K as Kind>::Element>; GROUP];

/// Where the varints of a group end, counted from its start, which stands in front of them. Eight are listed at a time, so
/// there is room for some behind the group's own.
type Ends = [u16; 1 + GROUP + 8];

/// As [`Progress`] says.
pub(super) fn decode<K: Kind>(source: &[u8], limit: usize, destination: &mut [Slot<K::Element>]) -> Progress {
    debug_assert!(limit + SLACK <= source.len());
    let mut ends = [0; _];
    let mut done = Progress { read: 0, written: 0 };
    for group in destination.as_chunks_mut().0 {
        let Some(bytes) = source.get(done.read..).filter(|_| done.read < limit) else { break };
        let read = widen_group::<K>(bytes, group).or_else(|| {
            list_group(bytes, &mut ends)?;
            decode_group::<K>(bytes, &ends, group)
        });
        let Some(read) = read else { break };
        done.add(Progress { read, written: GROUP });
    }
    done
}

/// Decodes a group of single bytes, where it is one; returns its length.
#[inline(always)]
fn widen_group<K: Kind>(bytes: &[u8], group: &mut Group<K>) -> Option<usize> {
    let bytes: &[u8; GROUP] = bytes.first_chunk()?;
    let any = bytes.as_chunks().0.iter().fold(0, |any, &word| any | u64::from_le_bytes(word));
    if any & MARKS != 0 {
        return None;
    }
    group.iter_mut().zip(bytes).for_each(|(slot, &byte)| slot.put(K::of(u64::from(byte))));
    Some(GROUP)
}

/// Lists the ends of a group; nothing where a varint is too long for that, or the source ends.
#[inline(always)]
fn list_group(bytes: &[u8], ends: &mut Ends) -> Option<()> {
    /// No group is longer, so all places fit in 16 bits.
    const LONGEST: usize = GROUP * MAX_LEN;
    let mut count = 1;
    for (word, start) in bytes.as_chunks().0.iter().zip((0..LONGEST as u16).step_by(8)) {
        let last = (!u64::from_le_bytes(*word) & MARKS) >> 7;
        // One multiplication moves the eight bits, a byte apart each, side by side into the highest byte, one adds them up.
        let pattern = last.wrapping_mul(0x0102_0408_1020_4080) >> 56;
        let slots: &mut [u16; 8] = ends[count..].first_chunk_mut()?;
        for (slot, &place) in slots.iter_mut().zip(&PLACES[pattern as usize]) {
            *slot = start + u16::from(place);
        }
        count += (last.wrapping_mul(ONES) >> 56) as usize;
        if count > GROUP {
            return Some(());
        }
    }
    None
}

/// Decodes a group that ends as listed; returns its length, or nothing where a varint is too long.
#[inline(always)]
fn decode_group<K: Kind>(bytes: &[u8], ends: &Ends, group: &mut Group<K>) -> Option<usize> {
    let lens = ends[..GROUP].iter().zip(&ends[1..]).map(|(start, end)| end - start);
    match usize::from(lens.fold(0, u16::max)) {
        0..=8 => squeeze_group::<K, false>(bytes, ends, group)?,
        9..=MAX_LEN => squeeze_group::<K, true>(bytes, ends, group)?,
        _ => return None,
    }
    Some(usize::from(ends[GROUP]))
}

/// Decodes a group whose varints have at most eight bytes, or else at most ten.
#[inline(always)]
fn squeeze_group<K: Kind, const HAS_LONG: bool>(bytes: &[u8], ends: &Ends, group: &mut Group<K>) -> Option<()> {
    let (mut first_eight, mut ninth_on) = ([0; PART], [0; PART]);
    for (number, slots) in group.as_chunks_mut::<PART>().0.iter_mut().enumerate() {
        let (starts, ends) = (&ends[number * PART..][..PART], &ends[number * PART + 1..][..PART]);
        for place in 0..PART {
            let (start, len) = (usize::from(starts[place]), ends[place].wrapping_sub(starts[place]) % 16);
            let window: &[u8; MAX_LEN] = bytes.get(start..start + MAX_LEN)?.first_chunk()?;
            let (first, rest) = window.split_first_chunk()?;
            first_eight[place] = u64::from_le_bytes(*first) & FIRST_EIGHT[usize::from(len)];
            if HAS_LONG {
                ninth_on[place] = u64::from(u16::from_le_bytes(*rest.first_chunk()?) & NINTH_ON[usize::from(len)]);
            }
        }
        for ((slot, &low), &high) in slots.iter_mut().zip(&first_eight).zip(&ninth_on) {
            // Of the tenth one bit has room.
            let high = if HAS_LONG { (high & 0x7f) << 56 | (high >> 8) << 63 } else { 0 };
            slot.put(K::of(squeeze(low) | high));
        }
    }
    Some(())
}

/// The bits that count of a varint's first eight bytes, by its length.
static FIRST_EIGHT: [u64; 16] = {
    let mut masks = [!MARKS; 16];
    let mut len = 0;
    while len < 8 {
        masks[len] &= (1 << (8 * len)) - 1;
        len += 1;
    }
    masks
};

/// The bits that count of its ninth and tenth byte.
static NINTH_ON: [u16; 16] = {
    let mut masks = [0; 16];
    masks[9] = 0x007f;
    masks[10] = 0x7f7f;
    masks
};

/// Joins eight groups of seven bits.
#[inline(always)]
fn squeeze(groups: u64) -> u64 {
    let pairs = (groups & 0x007f_007f_007f_007f) | (groups & 0x7f00_7f00_7f00_7f00) >> 1;
    let fours = (pairs & 0x0000_3fff_0000_3fff) | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    (fours & 0x0fff_ffff) | (fours & 0x0fff_ffff_0000_0000) >> 4
}

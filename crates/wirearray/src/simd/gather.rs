//! Numbers of fixed width with the same tag before each: the tags are checked, the numbers moved together.

#![cfg_attr(not(feature = "safe"), allow(unsafe_code, reason = "tells that values have been written"))]

use super::Backend;
use crate::slots::{Put, Slot, written};

/// A number of fixed width: four or eight bytes.
pub trait Word: bytemuck::Pod {
    /// The number whose little-endian bytes these are, as many as it has.
    fn from_le(bytes: &[u8]) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn from_le(bytes: &[u8]) -> Self {
        bytes.first_chunk().map_or(0, |&bytes| Self::from_le_bytes(bytes))
    }
}

impl Word for u64 {
    #[inline(always)]
    fn from_le(bytes: &[u8]) -> Self {
        bytes.first_chunk().map_or(0, |&bytes| Self::from_le_bytes(bytes))
    }
}

/// Moves numbers from the start of `source`, each behind the same `TAG` bytes, to the start of `destination`, until another
/// tag comes, or the source ends, or the destination is full. Returns them.
pub fn gather<'d, W: Word, const TAG: usize>(
    backend: Backend,
    source: &[u8],
    tag: [u8; TAG],
    destination: &'d mut [Slot<W>],
) -> &'d mut [W] {
    let mut count = match backend {
        #[cfg(kernels = "x86_64")]
        Backend::Avx512(proof) => proof.gather::<W, TAG>(source, tag, destination),
        #[cfg(kernels = "x86_64")]
        Backend::Avx2(proof) => proof.gather::<W, TAG>(source, tag, destination),
        Backend::Plain => 0,
        _ => gather_by_eight::<W, TAG>(source, tag, destination),
    };
    count += gather_one_by_one::<W, TAG>(&source[count * (TAG + size_of::<W>())..], tag, &mut destination[count..]);
    let (values, _) = destination.split_at_mut(count);
    // SAFETY: every function above counts a value only once it is written.
    written!(values)
}

fn gather_one_by_one<W: Word, const TAG: usize>(source: &[u8], tag: [u8; TAG], destination: &mut [Slot<W>]) -> usize {
    let records = source.chunks_exact(TAG + size_of::<W>()).take_while(|record| record[..TAG] == tag);
    records.zip(destination).map(|(record, slot)| slot.put(W::from_le(&record[TAG..]))).count()
}

/// Eight records at a time, with one look at all of their tags.
#[inline(always)]
pub(super) fn gather_by_eight<W: Word, const TAG: usize>(
    source: &[u8],
    tag: [u8; TAG],
    destination: &mut [Slot<W>],
) -> usize {
    let stride = TAG + size_of::<W>();
    let mut count = 0;
    for (records, slots) in source.chunks_exact(8 * stride).zip(destination.as_chunks_mut::<8>().0) {
        let mut are_same = true;
        for (record, slot) in records.chunks_exact(stride).zip(slots) {
            are_same &= record[..TAG] == tag;
            slot.put(W::from_le(&record[TAG..]));
        }
        if !are_same {
            break;
        }
        count += 8;
    }
    count
}

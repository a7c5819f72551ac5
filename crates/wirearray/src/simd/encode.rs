//! Packed varints on their way out: how long they will be, and then their bytes.
//!
//! Elements are given as bytes, because those that others lend need not be aligned. They may change between the two passes
//! too, so nothing here relies on a length that was measured: what is written is bounded by where it goes.

#![cfg_attr(not(feature = "safe"), allow(unsafe_code, reason = "tells that bytes have been written"))]

use super::Backend;
use super::kernel::Progress;
use crate::slots::{Put, PutAll, Slot, written};
use crate::varint::{self, Kind};

/// What came of encoding varints.
#[derive(Debug, PartialEq, Eq)]
pub struct Encoded<'d> {
    /// The bytes of the elements that were taken: whole ones.
    pub read: usize,
    /// Their varints, at the start of the destination.
    pub bytes: &'d mut [u8],
}

/// The bytes that the varints of elements take.
pub fn len_of_varints<K: Kind>(backend: Backend, elements: &[u8]) -> u64 {
    let elements = whole::<K>(elements);
    if is_flag::<K>() {
        return elements.len() as u64;
    }
    match backend {
        #[cfg(kernels = "x86_64")]
        Backend::Avx512(proof) => proof.len_of_varints::<K>(elements),
        #[cfg(kernels = "x86_64")]
        Backend::Avx2(proof) => proof.len_of_varints::<K>(elements),
        _ => sum_of_lens::<K>(elements),
    }
}

/// Encodes elements as varints to the start of `destination`, until it has no room for the next.
pub fn encode_varints<'d, K: Kind>(backend: Backend, elements: &[u8], destination: &'d mut [Slot<u8>]) -> Encoded<'d> {
    let elements = whole::<K>(elements);
    let mut done = run::<K>(backend, elements, destination);
    // What does not fill a group, or has no room for one, follows one by one: fast as long as there is room to spare.
    if backend != Backend::Plain && done.read < elements.len() {
        done.add(encode_by_words::<K>(&elements[done.read..], &mut destination[done.written..]));
    }
    if done.read < elements.len() {
        done.add(encode_plainly::<K>(&elements[done.read..], &mut destination[done.written..]));
    }
    let Progress { read, written } = done;
    let (bytes, _) = destination.split_at_mut(written);
    // SAFETY: every function above counts a byte as written only once it is.
    Encoded { read, bytes: written!(bytes) }
}

/// Without what is less than an element at the end.
#[inline(always)]
fn whole<K: Kind>(elements: &[u8]) -> &[u8] {
    &elements[..elements.len() - elements.len() % size_of::<K::Element>()]
}

/// Runs the backend's kernel, which takes groups of elements as long as it has room for them, or for a little more. In its
/// progress both are bytes: those of the elements that were read, and those of the varints that were written.
#[inline]
fn run<K: Kind>(backend: Backend, elements: &[u8], destination: &mut [Slot<u8>]) -> Progress {
    match backend {
        Backend::Plain => Progress { read: 0, written: 0 },
        _ if is_flag::<K>() => encode_flags::<K>(elements, destination),
        #[cfg(kernels = "x86_64")]
        Backend::Avx512(proof) => proof.encode::<K>(elements, destination),
        #[cfg(kernels = "x86_64")]
        Backend::Avx2(proof) => proof.encode::<K>(elements, destination),
        _ => encode_by_words::<K>(elements, destination),
    }
}

/// True of bool: its elements are bytes, and so are its varints.
const fn is_flag<K: Kind>() -> bool {
    size_of::<K::Element>() == 1
}

/// The bytes that the varints of elements take, counted one by one.
#[inline(always)]
pub(super) fn sum_of_lens<K: Kind>(elements: &[u8]) -> u64 {
    varints_of::<K>(elements).map(|varint| varint::len(varint) as u64).sum()
}

/// The varints of elements.
#[inline(always)]
pub(super) fn varints_of<K: Kind>(elements: &[u8]) -> impl Iterator<Item = u64> {
    elements.chunks_exact(size_of::<K::Element>()).map(|element| K::varint(bytemuck::pod_read_unaligned(element)))
}

/// The compiler keeps this loop in lanes of bytes.
fn encode_flags<K: Kind>(elements: &[u8], destination: &mut [Slot<u8>]) -> Progress {
    let len = elements.len().min(destination.len());
    destination[..len].iter_mut().zip(varints_of::<K>(elements)).for_each(|(slot, flag)| slot.put(flag as u8));
    Progress { read: len, written: len }
}

/// Room for eight of the longest varints, the last of which is stored as sixteen bytes.
pub(super) const ROOM_FOR_EIGHT: usize = 7 * varint::MAX_LEN + 16;

/// Encodes elements in ordinary registers, eight at a time, each stored with what is behind it.
fn encode_by_words<K: Kind>(elements: &[u8], destination: &mut [Slot<u8>]) -> Progress {
    let mut done = Progress { read: 0, written: 0 };
    let mut blocks = elements.chunks_exact(8 * size_of::<K::Element>());
    for block in &mut blocks {
        let Some(room) = destination[done.written..].first_chunk_mut::<ROOM_FOR_EIGHT>() else { return done };
        let mut varints = [0; 8];
        varints.iter_mut().zip(varints_of::<K>(block)).for_each(|(slot, varint)| *slot = varint);
        done.add(Progress { read: block.len(), written: encode_eight(varints, room) });
    }
    for varint in varints_of::<K>(blocks.remainder()) {
        let Some(room) = destination[done.written..].first_chunk_mut::<16>() else { break };
        done.add(Progress { read: size_of::<K::Element>(), written: store_varint(room, varint) });
    }
    done
}

/// Encodes eight varints; returns the bytes that they take.
#[inline(always)]
fn encode_eight(varints: [u64; 8], room: &mut [Slot<u8>]) -> usize {
    let any = varints.iter().fold(0, |any, varint| any | varint);
    let mut len = 0;
    if any < 0x80 {
        room[..8].put_all(&varints.map(|varint| varint as u8));
        return 8;
    }
    if any < 1 << 56 {
        for varint in varints {
            let (bytes, more) = varint::encode_56(varint);
            room[len..][..8].put_all(&bytes.to_le_bytes());
            len += more;
        }
        return len;
    }
    for varint in varints {
        len += store_varint(&mut room[len..], varint);
    }
    len
}

/// Stores a varint, and up to sixteen bytes in all; returns its length.
#[inline(always)]
pub(super) fn store_varint(room: &mut [Slot<u8>], varint: u64) -> usize {
    if let Some((bytes, len)) = varint::encode_short(varint) {
        room[..8].put_all(&bytes.to_le_bytes());
        return len;
    }
    let (bytes, len) = varint::encode(varint);
    room[..16].put_all(&bytes.to_le_bytes());
    len
}

/// Encodes elements one by one.
fn encode_plainly<K: Kind>(elements: &[u8], destination: &mut [Slot<u8>]) -> Progress {
    let mut done = Progress { read: 0, written: 0 };
    for varint in varints_of::<K>(elements) {
        let (bytes, len) = varint::encode(varint);
        let Some(room) = destination[done.written..].get_mut(..len) else { break };
        room.put_all(&bytes.to_le_bytes()[..len]);
        done.add(Progress { read: size_of::<K::Element>(), written: len });
    }
    done
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;

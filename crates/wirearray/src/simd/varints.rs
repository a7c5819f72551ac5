//! Packed varints: the part that all backends share, which is what stands at the ends.

#![cfg_attr(not(feature = "safe"), allow(unsafe_code, reason = "tells that values have been written"))]

use super::Backend;
use super::kernel::{GROUP, Progress, SLACK};
use super::portable;
use crate::slots::{Put, Slot, array_of_slots, written};
use crate::varint::{self, Kind};

/// What came of decoding varints.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded<'d, T> {
    /// The bytes that were read: whole varints.
    pub read: usize,
    /// Their values, at the start of the destination.
    pub values: &'d mut [T],
}

/// Decodes varints from the start of `source` to the start of `destination`, until the one ends or the other is full, or
/// the next varint has a fault: [`varint::decode`] then says which.
pub fn decode_varints<'d, K: Kind>(
    backend: Backend,
    source: &[u8],
    destination: &'d mut [Slot<K::Element>],
) -> Decoded<'d, K::Element> {
    let Progress { read, written } = decode::<K>(backend, source, destination);
    let (values, _) = destination.split_at_mut(written);
    // SAFETY: every function below counts a value as written only once it is.
    Decoded { read, values: written!(values) }
}

fn decode<K: Kind>(backend: Backend, source: &[u8], destination: &mut [Slot<K::Element>]) -> Progress {
    let mut done = Progress { read: 0, written: 0 };
    if backend != Backend::Plain {
        loop {
            let (rest, room) = (&source[done.read..], &mut destination[done.written..]);
            // Without much left, or without room for a group, no kernel does anything.
            let Some(limit) = rest.len().checked_sub(SLACK).filter(|&limit| limit > 0 && room.len() >= GROUP) else {
                break;
            };
            // No further than there can be room for: a kernel looks at more than it decodes.
            let limit = limit.min(room.len().saturating_mul(varint::MAX_LEN));
            done.add(run::<K>(backend, rest, limit, room));
            // What stopped it within a group is decoded plainly, or is a fault.
            let is_stopped =
                source.len() - done.read > SLACK + GROUP * varint::MAX_LEN && destination.len() - done.written >= GROUP;
            if !is_stopped {
                break;
            }
            let group = &mut destination[done.written..][..GROUP];
            let progress = decode_plainly::<K>(&source[done.read..], group);
            done.add(progress);
            if progress.written < GROUP {
                return done;
            }
        }
        done.add(decode_end::<K>(backend, &source[done.read..], &mut destination[done.written..]));
    }
    done.add(decode_plainly::<K>(&source[done.read..], &mut destination[done.written..]));
    done
}

impl Progress {
    pub(super) fn add(&mut self, more: Self) {
        self.read += more.read;
        self.written += more.written;
    }
}

/// Runs the backend's kernel, as [`Progress`] says.
pub(super) fn run<K: Kind>(
    backend: Backend,
    source: &[u8],
    limit: usize,
    destination: &mut [Slot<K::Element>],
) -> Progress {
    debug_assert!(limit + SLACK <= source.len());
    match backend {
        #[cfg(kernels = "x86_64")]
        Backend::Avx512(proof) => proof.decode::<K>(source, limit, destination),
        #[cfg(kernels = "x86_64")]
        Backend::Avx2(proof) => proof.decode::<K>(source, limit, destination),
        #[cfg(kernels = "aarch64")]
        Backend::Neon(proof) => proof.decode::<K>(source, limit, destination),
        Backend::Portable => portable::decode::<K>(source, limit, destination),
        Backend::Plain => Progress { read: 0, written: 0 },
    }
}

/// Decodes the last varints of a run in a place of their own, where there is room to read and write beyond them.
fn decode_end<K: Kind>(backend: Backend, source: &[u8], destination: &mut [Slot<K::Element>]) -> Progress {
    /// The most bytes that are taken to that place: what a kernel leaves, a group of the longest varints and the slack.
    const MOST: usize = GROUP * varint::MAX_LEN + SLACK;
    // Below so many bytes it takes longer to move them, and to decode a whole group, than to decode them one by one.
    let least = if backend == Backend::Portable { 64 } else { 24 };
    let source = &source[..source.len().min(MOST)];
    if source.len() < least || destination.len() < least / 2 {
        return Progress { read: 0, written: 0 };
    }
    // Zeros are varints too: with a group of them behind, the last varint of the run is in a whole group.
    let mut bytes = [0; MOST + GROUP + SLACK];
    bytes[..source.len()].copy_from_slice(source);
    // Counted in the copy: lent bytes may have become others by the time that they are decoded.
    let source = &bytes[..source.len()];
    let count_all = varint::count(source);
    let count = count_all.min(destination.len());
    if count < least / 2 {
        return Progress { read: 0, written: 0 };
    }
    let mut values = array_of_slots::<_, { MOST.next_multiple_of(GROUP) }>();
    let groups = &mut values[..count.next_multiple_of(GROUP)];
    let limit = source.len() + GROUP;
    let progress = run::<K>(backend, &bytes[..limit + SLACK], limit, groups);
    let written = progress.written.min(count);
    destination[..written].copy_from_slice(&values[..written]);
    let read = match source.last() {
        // The usual end: all of the run, and no byte more.
        Some(..0x80) if written == count_all => source.len(),
        _ if written == progress.written => progress.read,
        _ => end_of(source, written),
    };
    Progress { read, written }
}

/// Where varint number `count` of `bytes` ends, of which there are as many.
fn end_of(bytes: &[u8], count: usize) -> usize {
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte < 0x80);
    ends.nth(count.saturating_sub(1)).map_or(0, |(place, _)| place + 1)
}

/// Decodes varints one by one.
pub(super) fn decode_plainly<K: Kind>(source: &[u8], destination: &mut [Slot<K::Element>]) -> Progress {
    let mut done = Progress { read: 0, written: 0 };
    for slot in destination {
        let Ok((varint, len)) = varint::decode(&source[done.read..]) else { break };
        slot.put(K::of(varint));
        done.add(Progress { read: len, written: 1 });
    }
    done
}

//! Varints with the same tag before each: a tag is a varint too, so they are decoded as pairs, and the tags looked at
//! afterwards.

#![cfg_attr(not(feature = "safe"), allow(unsafe_code, reason = "tells that values have been written"))]

use super::Backend;
use super::encode::len_of_varints;
use super::kernel::Progress;
use super::varints::{Decoded, decode_varints};
use crate::slots::{Put, Slot, array_of_slots, written};
use crate::varint::{self, Kind, Varint64, is_tagged};

/// Pairs that are decoded together: enough that few calls are made, and little enough to stay in the first cache. Fewer at the start,
/// so that little is decoded in vain behind a short run.
const MOST_PAIRS: usize = 256;
const FIRST_PAIRS: usize = 32;

/// Runs are read one by one so far: most are short, and the longer ones lose little by it.
const FIRST: usize = 16;

/// Decodes varints, each behind the same tag, from the start of `source` to the start of `destination`, until another tag
/// comes, or the source ends, or the destination is full, or the next varint has a fault. The tag is a varint, which says itself
/// where it ends.
pub fn decode_tagged<'d, K: Kind>(
    backend: Backend,
    source: &[u8],
    tag: &[u8],
    destination: &'d mut [Slot<K::Element>],
) -> Decoded<'d, K::Element> {
    let first = if backend == Backend::Plain { usize::MAX } else { FIRST };
    let mut done = decode_plainly::<K>(source, tag, destination, first);
    let (mut is_whole, mut pairs) = (done.written == first, FIRST_PAIRS);
    while is_whole {
        let (rest, room) = (&source[done.read..], &mut destination[done.written..]);
        let progress = decode_pairs::<K>(backend, rest, tag, room, pairs);
        // Varints that are longer than they need be, which no one writes but the format allows, hide where a pair starts.
        let progress = progress.unwrap_or_else(|| decode_plainly::<K>(rest, tag, room, pairs));
        is_whole = progress.written == pairs;
        pairs = MOST_PAIRS.min(2 * pairs);
        done.add(progress);
    }
    let (values, _) = destination.split_at_mut(done.written);
    // SAFETY: both functions count a value as written only once it is.
    Decoded { read: done.read, values: written!(values) }
}

fn decode_plainly<K: Kind>(source: &[u8], tag: &[u8], destination: &mut [Slot<K::Element>], most: usize) -> Progress {
    let mut done = Progress { read: 0, written: 0 };
    for slot in destination.iter_mut().take(most) {
        let rest = &source[done.read..];
        if !is_tagged(rest, tag) {
            break;
        }
        let Ok((varint, len)) = varint::decode(&rest[tag.len()..]) else { break };
        slot.put(K::of(varint));
        done.add(Progress { read: tag.len() + len, written: 1 });
    }
    done
}

/// Decodes up to so many pairs, or nothing where a varint among them is longer than its value needs.
fn decode_pairs<K: Kind>(
    backend: Backend,
    source: &[u8],
    tag: &[u8],
    destination: &mut [Slot<K::Element>],
    most: usize,
) -> Option<Progress> {
    let (tag, _) = varint::decode(tag).ok()?;
    let mut room = array_of_slots::<_, { 2 * MOST_PAIRS }>();
    let most = 2 * destination.len().min(most);
    let decoded = decode_varints::<Varint64>(backend, source, &mut room[..most]);
    if !are_minimal(backend, &decoded) {
        return None;
    }
    let pairs = decoded.values.as_chunks::<2>().0;
    let mut written = 0;
    for (slot, &[found, value]) in destination.iter_mut().zip(pairs) {
        if found != tag {
            break;
        }
        slot.put(K::of(value));
        written += 1;
    }
    let is_whole = 2 * written == decoded.values.len();
    // At the end of a run the bytes of its own varints are counted once more.
    let read = if is_whole {
        decoded.read
    } else {
        decode_varints::<Varint64>(backend, source, &mut room[..2 * written]).read
    };
    Some(Progress { read, written })
}

/// True where each varint has just the bytes that its value needs: none is padded, and none has lost bits that did not fit, so
/// that a varint equal to a tag is that tag, as everyone writes it.
fn are_minimal(backend: Backend, decoded: &Decoded<'_, u64>) -> bool {
    len_of_varints::<Varint64>(backend, bytemuck::cast_slice(decoded.values)) == decoded.read as u64
}

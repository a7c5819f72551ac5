//! A bounds-checked writer of wire data: into memory of the right size, or piece by piece to somewhere else.

#![cfg_attr(not(feature = "safe"), allow(unsafe_code, reason = "tells that bytes have been written"))]
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use crate::simd::{self, Backend};
use crate::slots::{Put, PutAll, Slot, written};
use crate::varint::{self, Kind};

/// Memory is made ready in pieces of this size, that of a huge page: each is touched at its last byte before it is
/// written, because the kernel then zeroes it ascending, which is twice as fast.
const PAGE: usize = 2 << 20;

/// Memory larger than this is made ready page by page.
const PAGED_FROM: usize = 4 << 20;

/// The most bytes that go past the writer's own memory at a time, so that a sink can look around between two pieces.
const PIECE: usize = 8 << 20;

/// Where a writer leaves its bytes when its memory is full.
pub trait Sink {
    /// Takes the next bytes; [`WriteError`] where it wants no more.
    fn take(&mut self, bytes: &[u8]) -> WriteResult;
}

/// The writer's memory is full, or its sink wants no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteError;

/// The result of writing.
pub type WriteResult = Result<(), WriteError>;

/// A place in memory that is being written from its start.
pub struct Writer<'m> {
    memory: &'m mut [Slot<u8>],
    /// The bytes at the start that may be written by now.
    ready: usize,
    /// The bytes at the start that have been written.
    position: usize,
    /// The bytes that the sink has taken.
    taken: u64,
    sink: Option<&'m mut dyn Sink>,
}

impl<'m> Writer<'m> {
    /// A writer that fills `memory`.
    pub fn new(memory: &'m mut [Slot<u8>]) -> Self {
        let ready = if memory.len() < PAGED_FROM { memory.len() } else { 0 };
        Self { memory, ready, position: 0, taken: 0, sink: None }
    }

    /// A writer that gathers bytes in `memory` and leaves them to `sink`.
    pub fn with_sink(memory: &'m mut [Slot<u8>], sink: &'m mut dyn Sink) -> Self {
        Self { ready: memory.len(), memory, position: 0, taken: 0, sink: Some(sink) }
    }

    /// How many bytes have been written.
    #[inline(always)]
    pub fn written(&self) -> u64 {
        self.taken.wrapping_add(self.position as u64)
    }

    /// The bytes written, where they fill the memory.
    pub fn finish(self) -> Result<&'m mut [u8], WriteError> {
        if self.position != self.memory.len() {
            return Err(WriteError);
        }
        // SAFETY: `position` is the number of bytes at the start that have been written, and there are no more.
        Ok(written!(self.memory))
    }

    /// Leaves what is in memory to the sink.
    pub fn flush(&mut self) -> WriteResult {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let slots = self.memory.get_mut(..self.position).unwrap_or_default();
        // SAFETY: `position` is the number of bytes at the start that have been written.
        sink.take(written!(slots))?;
        self.taken = self.written();
        self.position = 0;
        Ok(())
    }

    /// Writes the lower `len` bytes of `bits`, lowest first: up to 16. A tag and a number fit.
    #[inline(always)]
    pub fn put_bits(&mut self, bits: u128, len: usize) -> WriteResult {
        // All sixteen are stored, in two halves, each from its register; what comes next overwrites those that do not count.
        let room = self.memory.get_mut(self.position..self.ready).and_then(|room| room.first_chunk_mut::<16>());
        let Some((low, high)) = room.and_then(|room| room.split_first_chunk_mut::<8>()) else {
            return self.put_slice(bits.to_le_bytes().get(..len).unwrap_or_default());
        };
        let [low_bits, high_bits] = halves(bits);
        store(low, low_bits);
        if let Some(high) = high.first_chunk_mut() {
            store(high, high_bits);
        }
        self.position = self.position.wrapping_add(len.min(16));
        Ok(())
    }

    /// Writes the lower `label_len` bytes of `label`, up to eight, and then the lower `len` bytes of `value`, up to eight.
    #[inline(always)]
    pub fn put_labelled(&mut self, label: u64, label_len: usize, value: u64, len: usize) -> WriteResult {
        let room = self.memory.get_mut(self.position..self.ready).and_then(|room| room.first_chunk_mut::<16>());
        let Some(room) = room else { return self.put_labelled_slowly(label, label_len, value, len) };
        if let Some(before) = room.first_chunk_mut() {
            store(before, label);
        }
        let label_len = label_len.min(8);
        if let Some(behind) = room.get_mut(label_len..).and_then(<[_]>::first_chunk_mut) {
            store(behind, value);
        }
        self.position = self.position.wrapping_add(label_len.wrapping_add(len.min(8)));
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn put_labelled_slowly(&mut self, label: u64, label_len: usize, value: u64, len: usize) -> WriteResult {
        self.put_slice(label.to_le_bytes().get(..label_len).unwrap_or_default())?;
        self.put_slice(value.to_le_bytes().get(..len).unwrap_or_default())
    }

    /// Writes the first `len` bytes of a window of a few more: copying all of it takes no call.
    #[inline(always)]
    pub fn put_window<const N: usize>(&mut self, window: &[u8; N], len: usize) -> WriteResult {
        let room = self.memory.get_mut(self.position..self.ready).and_then(|room| room.first_chunk_mut::<N>());
        let Some(room) = room else { return self.put_slice(window.get(..len).unwrap_or_default()) };
        room.put_all(window);
        self.position = self.position.wrapping_add(len.min(N));
        Ok(())
    }

    /// Writes a varint.
    #[inline(always)]
    pub fn put_varint(&mut self, value: u64) -> WriteResult {
        let (bits, len) = varint::encode(value);
        self.put_bits(bits, len)
    }

    /// Writes elements, given as their bytes, as varints.
    #[inline(never)]
    pub fn put_varints<K: Kind>(&mut self, backend: Backend, mut elements: &[u8]) -> WriteResult {
        loop {
            let room = self.memory.get_mut(self.position..self.ready).unwrap_or_default();
            let encoded = simd::encode_varints::<K>(backend, elements, room);
            self.position = self.position.wrapping_add(encoded.bytes.len());
            elements = elements.get(encoded.read..).unwrap_or_default();
            let Some((next, rest)) = elements.split_at_checked(size_of::<K::Element>()) else { return Ok(()) };
            // No room for one more: it goes across the border of what is ready.
            self.put_varint(K::varint(bytemuck::pod_read_unaligned(next)))?;
            elements = rest;
        }
    }

    /// Writes `value` as a varint of `len` bytes, which may be more than it needs, up to five.
    pub fn put_padded_varint(&mut self, value: u64, len: usize) -> WriteResult {
        let (bits, least) = varint::encode(value);
        let (mut bytes, len) = (bits.to_le_bytes(), len.max(least));
        // A byte with its top bit set says that more follow; those that pad are zero but for that.
        for byte in bytes.iter_mut().take(len.saturating_sub(1)) {
            *byte |= 0x80;
        }
        self.put_bits(u128::from_le_bytes(bytes), len)
    }

    /// Writes values of `W` bytes each, one after the other, with the same `L` bytes in front of each.
    pub fn put_run<const L: usize, const W: usize>(&mut self, label: [u8; L], values: &[u8]) -> WriteResult {
        let size = const { L.checked_add(W).expect("a label and a value are short") };
        let mut values = values.as_chunks::<W>().0;
        while !values.is_empty() {
            let room = self.memory.get_mut(self.position..self.ready).unwrap_or_default();
            let mut count = 0usize;
            for (slot, value) in room.chunks_exact_mut(size).zip(values) {
                if let Some((before, behind)) = slot.split_first_chunk_mut::<L>() {
                    before.put_all(&label);
                    behind.put_all(value);
                }
                count = count.wrapping_add(1);
            }
            self.position = self.position.wrapping_add(count.wrapping_mul(size));
            let Some((next, rest)) = values.get(count..).and_then(<[_]>::split_first) else { break };
            // No room for one more: it goes across the border of what is ready.
            self.put_slice(&label)?;
            self.put_slice(next)?;
            values = rest;
        }
        Ok(())
    }

    /// Writes any bytes.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) -> WriteResult {
        let room = self.memory.get_mut(self.position..self.ready).and_then(|room| room.get_mut(..bytes.len()));
        match room {
            Some(room) => {
                room.put_all(bytes);
                self.position = self.position.wrapping_add(bytes.len());
                Ok(())
            }
            None => self.put_large(bytes),
        }
    }

    /// Writes bytes for which there is no room yet.
    #[inline(never)]
    fn put_large(&mut self, mut bytes: &[u8]) -> WriteResult {
        while !bytes.is_empty() {
            if self.position == self.ready {
                self.make_room()?;
            }
            if let Some(sink) = self.sink.as_mut().filter(|_| self.position == 0 && bytes.len() >= self.memory.len()) {
                let (now, later) = bytes.split_at(bytes.len().min(PIECE));
                sink.take(now)?;
                self.taken = self.taken.wrapping_add(now.len() as u64);
                bytes = later;
                continue;
            }
            let room = self.memory.get_mut(self.position..self.ready).unwrap_or_default();
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            room.get_mut(..now.len()).unwrap_or_default().put_all(now);
            self.position = self.position.wrapping_add(now.len());
            bytes = later;
        }
        Ok(())
    }

    /// Makes at least one more byte ready.
    #[cold]
    fn make_room(&mut self) -> WriteResult {
        if self.sink.is_some() {
            return self.flush();
        }
        // Pages end at multiples of their size, wherever the memory starts.
        let end = self.memory.as_ptr().addr().wrapping_add(self.ready).wrapping_add(1).next_multiple_of(PAGE);
        let end = end.wrapping_sub(self.memory.as_ptr().addr()).min(self.memory.len());
        let last = end.checked_sub(1).and_then(|last| self.memory.get_mut(last)).filter(|_| end > self.ready);
        let last = last.ok_or(WriteError)?;
        last.put(0);
        std::hint::black_box(last);
        self.ready = end;
        Ok(())
    }
}

/// The lower and the upper half.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "that is what halves are")]
fn halves(bits: u128) -> [u64; 2] {
    [bits as u64, (bits >> 64) as u64]
}

#[inline(always)]
fn store(room: &mut [Slot<u8>; 8], bits: u64) {
    room.put_all(&bits.to_le_bytes());
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;

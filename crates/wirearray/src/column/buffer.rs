//! A growable array of numbers: the one type that column values are written to.
//!
//! Unlike a `Vec` it knows, when it grows, how many elements can still come, lives on huge pages once it is large, and
//! hands its memory on without a copy when it is frozen. Bulk appends run piece by piece over the committed memory, so
//! that a page is filled while it is still in cache from being zeroed. Here are the ways of appending to it, each of which is one
//! that its storage has.

#![cfg_attr(not(feature = "safe"), allow(unsafe_code, reason = "tells that elements have been written"))]

pub use super::storage::{Buffer, copy_le};
use crate::slots::{Put, Slot, written};

/// The element types of buffers: plain bits of 1, 4 or 8 bytes, valid whatever the bits are, for the types below alone.
pub trait Element: bytemuck::Pod + PartialEq + Default + Send + Sync + std::fmt::Debug + 'static {}

impl Element for u8 {}
impl Element for u32 {}
impl Element for u64 {}
impl Element for i64 {}

/// Where a long run of elements may come to so many bytes, they get their address space at once: they need not grow on the
/// heap first, whose small pages cost ten million flags a tenth of their time.
const RESERVE_FROM: usize = 4 << 20;

impl<T: Element> Buffer<T> {
    /// True without elements.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends `count` elements, which `next` makes one after the other.
    #[inline]
    pub fn extend(&mut self, count: usize, at_most: usize, mut next: impl FnMut() -> T) {
        let mut left = count;
        while left > 0 {
            left -= self.append(left, at_most, |room| {
                room.iter_mut().for_each(|slot| slot.put(next()));
                // SAFETY: each has just been written.
                written!(room)
            });
        }
    }

    /// Appends an element for each of `items`.
    #[inline]
    pub fn extend_with<U>(&mut self, mut items: &[U], image: impl Fn(&U) -> T, at_most: usize) {
        while !items.is_empty() {
            let count = self.append(items.len(), at_most, |room| {
                let items = &items[..room.len()];
                room.iter_mut().zip(items).for_each(|(slot, item)| slot.put(image(item)));
                // SAFETY: there are as many items, so each has just been written.
                written!(room)
            });
            items = &items[count..];
        }
    }

    /// Appends what `fill` makes of the start of `source`, which it returns with how many bytes that was; again, where it has
    /// filled all the memory that was there, and `has_more` says so of what is left. Returns what is left.
    #[inline]
    pub fn fill_from<'a>(
        &mut self,
        mut source: &'a [u8],
        at_most: usize,
        has_more: impl Fn(&[u8]) -> bool,
        fill: impl for<'m> Fn(&[u8], &'m mut [Slot<T>]) -> (usize, &'m mut [T]),
    ) -> &'a [u8] {
        while has_more(source) {
            let mut read = 0;
            if self.room() == 0 {
                self.grow(1, at_most);
            }
            self.append(self.room(), at_most, |room| {
                let (len, elements) = fill(source, room);
                read = len;
                elements
            });
            source = &source[read..];
            if self.room() > 0 {
                break;
            }
        }
        source
    }

    /// Makes sure of address space for all elements that can still come, which are `at_most`, where they are so many that it
    /// is an address space of their own; returns that number. Where the system has not so much, `count` says how many come next,
    /// and that is returned.
    pub fn reserve_or_count(&mut self, at_most: usize, count: impl FnOnce() -> usize) -> usize {
        let is_large = at_most.saturating_mul(size_of::<T>()) >= RESERVE_FROM;
        if !is_large || !self.is_fresh() || !self.reserve(at_most, at_most).is_empty() {
            return at_most;
        }
        let count = count();
        self.reserve(count, count);
        count
    }

    /// Appends the elements whose little-endian bytes these are; `bytes` hold a whole number of them.
    #[inline]
    pub fn extend_from_le_bytes(&mut self, mut bytes: &[u8], at_most: usize) {
        debug_assert!(bytes.len().is_multiple_of(size_of::<T>()));
        while bytes.len() >= size_of::<T>() {
            let count = self.append(bytes.len() / size_of::<T>(), at_most, |room| copy_le(bytes, room));
            bytes = &bytes[count * size_of::<T>()..];
        }
    }

    /// Appends copies of `value` until there are `len` elements; `at_most` as for [`Buffer::push`].
    pub fn fill_to(&mut self, len: usize, value: T, at_most: usize) {
        let count = len.saturating_sub(self.len());
        self.extend(count, at_most.max(count), || value);
    }
}

impl<T: Element> FromIterator<T> for Buffer<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let values = values.into_iter();
        let mut buffer = Self::default();
        let expected = values.size_hint().0;
        for value in values {
            buffer.push(value, expected.saturating_sub(buffer.len()).max(1));
        }
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;
    use crate::slots::PutAll;

    #[test]
    fn every_way_of_appending_agrees_with_a_vec_across_page_borders() {
        let count = 3_000_000usize;
        let expected: Vec<u64> = (0..count as u64).collect();
        let mut pushed = Buffer::<u64>::default();
        for (index, &value) in expected.iter().enumerate() {
            pushed.push(value, count - index);
        }
        let mut made = Buffer::<u64>::default();
        let mut next = 0;
        made.extend(count, count, || {
            next += 1;
            next - 1
        });
        let mut copied = Buffer::<u64>::default();
        copied.extend_from_le_bytes(bytemuck::cast_slice(&expected[..1000]), 1000);
        copied.extend_from_le_bytes(bytemuck::cast_slice(&expected[1000..]), count);
        for buffer in [pushed, made, copied] {
            assert_eq!(buffer.as_slice(), expected);
            assert_eq!(buffer.freeze().as_slice::<u64>(), expected);
        }
    }

    #[test]
    fn a_wrong_bound_costs_time_not_elements() {
        let mut buffer = Buffer::<u32>::default();
        for value in 0..3_000_000 {
            buffer.push(value, 1);
        }
        assert!(buffer.as_slice().iter().copied().eq(0..3_000_000));
    }

    #[test]
    fn filled_memory_is_what_was_written() {
        for len in [0, 5, 5 << 20] {
            let memory = Memory::filled(len, |room| {
                let bytes = vec![7; len];
                Ok::<_, ()>(room.put_all(&bytes))
            });
            assert_eq!(memory.unwrap().as_bytes(), vec![7; len]);
        }
        assert!(Memory::filled(5, |_| Err(())).is_err());
    }

    #[test]
    fn truncating_and_filling_keep_what_is_before() {
        let mut buffer: Buffer<u8> = (0..10).collect();
        buffer.truncate(3);
        buffer.fill_to(5, 9, 5);
        buffer.fill_to(2, 7, 5);
        assert_eq!(buffer.as_slice(), [0, 1, 2, 9, 9]);
    }
}

//! A growable array of numbers: the one type that column values are written to.
//!
//! Unlike a `Vec` it knows, when it grows, how many elements can still come, lives on huge pages once it is large, and
//! hands its memory on without a copy when it is frozen. Bulk appends run piece by piece over the committed memory, so
//! that a page is filled while it is still in cache from being zeroed.

#![allow(unsafe_code, reason = "writes to and reads from the raw memory of `Allocation`")]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::allocation::{ALIGNMENT, Allocation, HUGE_FROM, HUGE_PAGE};
use super::lent::LentMemory;
use super::memory::Memory;

/// The element types of buffers: plain bits of 1, 4 or 8 bytes, valid whatever the bits are, for the types below alone.
pub trait Element: bytemuck::Pod + PartialEq + Default + Send + Sync + std::fmt::Debug + 'static {}

impl Element for u8 {}
impl Element for u32 {}
impl Element for u64 {}
impl Element for i64 {}

/// Where a long run of elements may come to so many bytes, they get their address space at once: they need not grow on the
/// heap first, whose small pages cost ten million flags a tenth of their time.
const RESERVE_FROM: usize = HUGE_FROM;

/// A growable array of `T`.
#[derive(Debug)]
pub struct Buffer<T> {
    allocation: Allocation,
    /// Elements that have been written; the first `len` elements of the allocation, always.
    len: usize,
    /// Elements that fit in the committed memory.
    capacity: usize,
    elements: PhantomData<T>,
}

impl<T: Element> Default for Buffer<T> {
    fn default() -> Self {
        Self { allocation: Allocation::none(), len: 0, capacity: 0, elements: PhantomData }
    }
}

impl<T: Element> Buffer<T> {
    /// The number of elements.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without elements.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends one element; `at_most` is how many can still come, this one included.
    #[inline(always)]
    pub fn push(&mut self, value: T, at_most: usize) {
        if self.len == self.capacity {
            self.grow(1, at_most);
        }
        // SAFETY: `len < capacity`, by the comparison above or because `grow` commits at least one element more.
        let end = unsafe { self.start().add(self.len) };
        // SAFETY: the element lies in committed memory, aligned, and `&mut self` excludes other access.
        unsafe { end.write(value) };
        self.len += 1;
    }

    /// Appends `count` elements, which `next` makes one after the other.
    #[inline]
    pub fn extend(&mut self, count: usize, at_most: usize, mut next: impl FnMut() -> T) {
        let mut left = count;
        while left > 0 {
            let piece = self.spare(left, at_most);
            let piece_len = piece.len();
            for slot in piece {
                slot.write(next());
            }
            self.len += piece_len;
            left -= piece_len;
        }
    }

    /// Appends an element for each of `items`.
    #[inline]
    pub fn extend_with<U>(&mut self, mut items: &[U], image: impl Fn(&U) -> T, at_most: usize) {
        while !items.is_empty() {
            let piece = self.spare(items.len(), at_most);
            let (now, later) = items.split_at(piece.len());
            for (slot, item) in piece.iter_mut().zip(now) {
                slot.write(image(item));
            }
            self.len += now.len();
            items = later;
        }
    }

    /// Appends what `fill` writes to the start of the memory that is there, and returns; returns how many elements that are.
    ///
    /// # Panics
    ///
    /// Panics where `fill` returns another slice than the start of the one that it got.
    #[inline]
    fn fill(&mut self, at_most: usize, fill: impl for<'m> FnOnce(&'m mut [MaybeUninit<T>]) -> &'m mut [T]) -> usize {
        if self.len == self.capacity {
            self.grow(1, at_most);
        }
        let room = self.spare(self.capacity - self.len, at_most);
        let (start, most) = (room.as_ptr().cast::<T>(), room.len());
        let filled = fill(room);
        // What is returned as elements has been written, or it could not be elements.
        assert!(filled.len() <= most && std::ptr::eq(filled.as_ptr(), start), "the slice returned is the one given");
        let count = filled.len();
        self.len += count;
        count
    }

    /// Appends what `fill` makes of the start of `source`, which it returns with how many bytes that was; again, where it has
    /// filled all the memory that was there, and `has_more` says so of what is left. Returns what is left.
    #[inline]
    pub fn fill_from<'a>(
        &mut self,
        mut source: &'a [u8],
        at_most: usize,
        has_more: impl Fn(&[u8]) -> bool,
        fill: impl for<'m> Fn(&[u8], &'m mut [MaybeUninit<T>]) -> (usize, &'m mut [T]),
    ) -> &'a [u8] {
        while has_more(source) {
            let mut read = 0;
            self.fill(at_most, |room| {
                let (len, elements) = fill(source, room);
                read = len;
                elements
            });
            source = &source[read..];
            if self.len < self.capacity {
                break;
            }
        }
        source
    }

    /// A buffer in memory that someone has lent; where it has no room for all elements, they move elsewhere. Nothing where
    /// elements would not be aligned there.
    pub(super) fn lent(memory: LentMemory) -> Option<Self> {
        let allocation = Allocation::lent(memory);
        let is_aligned = allocation.start().cast::<T>().is_aligned();
        let capacity = allocation.committed() / size_of::<T>();
        is_aligned.then_some(Self { allocation, len: 0, capacity, elements: PhantomData })
    }

    /// True where the memory is not the caller's, and has not been written to.
    pub(super) fn is_fresh(&self) -> bool {
        !self.allocation.is_lent()
    }

    /// Room for `most` elements, of which nothing has been touched; `at_most` as for [`Buffer::push`]. There is less in lent
    /// memory, and none where there is no address space for so many.
    pub(super) fn reserve(&mut self, most: usize, at_most: usize) -> &mut [MaybeUninit<T>] {
        let size = size_of::<T>();
        let most_len = most.saturating_mul(size);
        let at_most_len = at_most.saturating_mul(size).max(most_len);
        let count = self.allocation.reserve(self.len * size, most_len, at_most_len) / size;
        // SAFETY: `len` elements lie in the allocation, so the pointer stays within it or one behind it.
        let end = unsafe { self.start().add(self.len) };
        // SAFETY: the bytes of `count` elements behind them have just been reserved, which is memory to write to;
        // `MaybeUninit` needs no value there.
        unsafe { std::slice::from_raw_parts_mut(end.cast(), count) }
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

    /// Counts `count` more elements, which have been written to what [`Buffer::reserve`] gave.
    pub(super) fn advance(&mut self, count: usize) {
        self.len += count;
        self.allocation.commit_through(self.len * size_of::<T>());
        self.capacity = self.allocation.committed() / size_of::<T>();
    }

    /// Appends the elements whose little-endian bytes these are; `bytes` hold a whole number of them.
    #[inline]
    pub fn extend_from_le_bytes(&mut self, mut bytes: &[u8], at_most: usize) {
        debug_assert!(bytes.len().is_multiple_of(size_of::<T>()));
        while bytes.len() >= size_of::<T>() {
            let room = self.spare(bytes.len() / size_of::<T>(), at_most);
            let copied = copy_le(bytes, room);
            bytes = &bytes[size_of_val(copied)..];
            self.len += copied.len();
        }
    }

    /// Appends copies of `value` until there are `len` elements; `at_most` as for [`Buffer::push`].
    pub fn fill_to(&mut self, len: usize, value: T, at_most: usize) {
        let count = len.saturating_sub(self.len);
        self.extend(count, at_most.max(count), || value);
    }

    /// Drops all elements from number `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// The elements.
    #[inline(always)]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: the first `len` elements have been written, and live as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start(), self.len) }
    }

    /// The elements, to be changed.
    #[inline(always)]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as for `as_slice`; `&mut self` excludes other access.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.len) }
    }

    /// Gives back the unused memory and turns the rest into memory that can be shared.
    pub fn freeze(mut self) -> Memory {
        let used = self.len * size_of::<T>();
        self.allocation.give_back(used);
        Memory::owned(Frozen { allocation: self.allocation, len: used })
    }

    #[inline(always)]
    fn start(&self) -> *mut T {
        self.allocation.start().as_ptr().cast()
    }

    /// Writable memory behind the elements: `wanted` of them, or as many as the next huge page holds.
    #[inline]
    fn spare(&mut self, wanted: usize, at_most: usize) -> &mut [MaybeUninit<T>] {
        if self.capacity - self.len < wanted && (self.len == self.capacity || !self.allocation.is_huge()) {
            self.grow(wanted, at_most);
        }
        let count = wanted.min(self.capacity - self.len);
        // SAFETY: `len <= capacity`, so the pointer stays within the committed memory or one behind it.
        let end = unsafe { self.start().add(self.len) };
        // SAFETY: `count` elements lie between `len` and `capacity`; `MaybeUninit` needs no value there.
        unsafe { std::slice::from_raw_parts_mut(end.cast(), count) }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, wanted: usize, at_most: usize) {
        const { assert!(align_of::<T>() <= ALIGNMENT && HUGE_PAGE.is_multiple_of(size_of::<T>())) };
        let size = size_of::<T>();
        self.allocation.grow(self.len * size, wanted.saturating_mul(size), at_most.saturating_mul(size));
        self.capacity = self.allocation.committed() / size;
        assert!(self.len < self.capacity, "growing commits at least one element more");
    }
}

/// Fills the room with the elements whose little-endian bytes are those at the start of `bytes`.
///
/// # Panics
///
/// Panics where there are not as many.
#[inline]
pub fn copy_le<'m, T: Element>(bytes: &[u8], room: &'m mut [MaybeUninit<T>]) -> &'m mut [T] {
    const { assert!(cfg!(target_endian = "little"), "columns hold the bytes of the wire, which are little-endian") };
    let now = &bytes[..size_of_val(room)];
    // SAFETY: `now` has the length of `room` by the line above; the input and the room do not overlap, since the one is
    // borrowed shared and the other exclusively.
    unsafe { std::ptr::copy_nonoverlapping(now.as_ptr(), room.as_mut_ptr().cast::<u8>(), now.len()) };
    // SAFETY: every byte of the room has just been written, and elements are plain bits.
    unsafe { room.assume_init_mut() }
}

impl Memory {
    /// Memory of `len` bytes, which `fill` writes and returns.
    ///
    /// # Panics
    ///
    /// Panics where `fill` returns another slice than the one that it got.
    pub fn filled<E>(
        len: usize,
        fill: impl for<'m> FnOnce(&'m mut [MaybeUninit<u8>]) -> Result<&'m mut [u8], E>,
    ) -> Result<Self, E> {
        let allocation = Allocation::of_len(len);
        let start = allocation.start().as_ptr();
        // SAFETY: `of_len` commits `len` bytes, which nothing else refers to; `MaybeUninit` needs no value there.
        let room = unsafe { std::slice::from_raw_parts_mut(start.cast::<MaybeUninit<u8>>(), len) };
        let filled = fill(room)?;
        // What is returned as bytes has been written, or it could not be bytes.
        assert!(filled.len() == len && (len == 0 || filled.as_ptr() == start), "the slice returned is the one given");
        Ok(Self::owned(Frozen { allocation, len }))
    }
}

impl<T: Element> FromIterator<T> for Buffer<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let values = values.into_iter();
        let mut buffer = Self::default();
        let expected = values.size_hint().0;
        for value in values {
            buffer.push(value, expected.saturating_sub(buffer.len).max(1));
        }
        buffer
    }
}

/// Memory that is no longer written to from here.
#[derive(Debug)]
pub(super) struct Frozen {
    allocation: Allocation,
    /// Bytes that were written.
    len: usize,
}

impl Frozen {
    /// Memory that someone has lent, all of which has been written.
    pub(super) fn lent(memory: LentMemory) -> Self {
        let allocation = Allocation::lent(memory);
        Self { len: allocation.committed(), allocation }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        // SAFETY: `freeze` stored the number of bytes that had been written, and `give_back` kept those; of lent memory
        // all bytes are there, as its maker has promised. Whoever was
        // given the memory writable may change values meanwhile; callers bound every access by the slice's length, never
        // by what they read from it, and offsets are given to no one writable.
        unsafe { std::slice::from_raw_parts(self.allocation.start().as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                Ok::<_, ()>(room.write_copy_of_slice(&bytes))
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

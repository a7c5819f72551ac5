//! What of a buffer stands on raw memory: where its elements are, and which of them have been written.
//!
//! Builds without `unsafe` have `safe_storage` in its place.

#![allow(unsafe_code, reason = "writes to and reads from the raw memory of `Allocation`")]

use std::marker::PhantomData;

use super::allocation::{ALIGNMENT, Allocation};
use super::buffer::Element;
pub use super::lent::LentMemory;
use super::memory::Memory;
use crate::slots::Slot;

pub(super) use super::allocation::HUGE_PAGE;
pub use super::allocation::advise_huge_pages;

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

    /// Appends what `fill` writes to the start of the memory that it gets, and returns; returns how many elements that are. The
    /// memory has room for `wanted`, or for as many as come next, which is at least one; `at_most` as for [`Buffer::push`].
    ///
    /// # Panics
    ///
    /// Panics where `fill` returns another slice than the start of the one that it got.
    #[inline(always)]
    pub(super) fn append(
        &mut self,
        wanted: usize,
        at_most: usize,
        fill: impl for<'m> FnOnce(&'m mut [Slot<T>]) -> &'m mut [T],
    ) -> usize {
        let room = self.spare(wanted, at_most);
        let (start, most) = (room.as_ptr().cast::<T>(), room.len());
        let filled = fill(room);
        // What is returned as elements has been written, or it could not be elements.
        assert!(filled.len() <= most && std::ptr::eq(filled.as_ptr(), start), "the slice returned is the one given");
        let count = filled.len();
        self.len += count;
        count
    }

    /// How many elements there is memory for, without growing.
    #[inline(always)]
    pub(super) fn room(&self) -> usize {
        self.capacity - self.len
    }

    /// A buffer in memory that someone has lent; where it has no room for all elements, they move elsewhere. Nothing where
    /// elements would not be aligned there.
    pub(super) fn lent(memory: LentMemory) -> Option<Self> {
        let allocation = Allocation::lent(memory);
        let is_aligned = allocation.start().cast::<T>().is_aligned();
        let capacity = allocation.committed() / size_of::<T>();
        is_aligned.then_some(Self { allocation, len: 0, capacity, elements: PhantomData })
    }

    /// True where memory that is reserved stays untouched until it is written to, which a caller's own is not.
    pub(super) fn is_fresh(&self) -> bool {
        !self.allocation.is_lent()
    }

    /// Room for `most` elements, of which nothing has been touched; `at_most` as for [`Buffer::push`]. There is less in lent
    /// memory, and none where there is no address space for so many.
    pub(super) fn reserve(&mut self, most: usize, at_most: usize) -> &mut [Slot<T>] {
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

    /// Counts `count` more elements, which have been written to what [`Buffer::reserve`] gave.
    pub(super) fn advance(&mut self, count: usize) {
        self.allocation.commit_through((self.len + count) * size_of::<T>());
        self.len += count;
        self.capacity = self.allocation.committed() / size_of::<T>();
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
    fn spare(&mut self, wanted: usize, at_most: usize) -> &mut [Slot<T>] {
        if self.capacity - self.len < wanted && (self.len == self.capacity || !self.allocation.is_huge()) {
            self.grow(wanted, at_most);
        }
        let count = wanted.min(self.capacity - self.len);
        // SAFETY: `len <= capacity`, so the pointer stays within the committed memory or one behind it.
        let end = unsafe { self.start().add(self.len) };
        // SAFETY: `count` elements lie between `len` and `capacity`; `MaybeUninit` needs no value there.
        unsafe { std::slice::from_raw_parts_mut(end.cast(), count) }
    }

    /// Gets memory for `wanted` elements more, or at least for one; `at_most` as for [`Buffer::push`].
    #[cold]
    #[inline(never)]
    pub(super) fn grow(&mut self, wanted: usize, at_most: usize) {
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
pub fn copy_le<'m, T: Element>(bytes: &[u8], room: &'m mut [Slot<T>]) -> &'m mut [T] {
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
        fill: impl for<'m> FnOnce(&'m mut [Slot<u8>]) -> Result<&'m mut [u8], E>,
    ) -> Result<Self, E> {
        let allocation = Allocation::of_len(len);
        let start = allocation.start().as_ptr();
        // SAFETY: `of_len` commits `len` bytes, which nothing else refers to; `MaybeUninit` needs no value there.
        let room = unsafe { std::slice::from_raw_parts_mut(start.cast::<Slot<u8>>(), len) };
        let filled = fill(room)?;
        // What is returned as bytes has been written, or it could not be bytes.
        assert!(filled.len() == len && (len == 0 || filled.as_ptr() == start), "the slice returned is the one given");
        Ok(Self::owned(Frozen { allocation, len }))
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

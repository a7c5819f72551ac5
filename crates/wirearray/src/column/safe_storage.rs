//! What of a buffer stands on memory, in builds with the feature `safe`: a vector of zeros, whose first elements count.
//!
//! It takes the place of `storage`, and behaves as that does but for time and memory: all of it comes from the heap, is written
//! twice, and is not reserved ahead.

use super::budget::{Shortage, Taken};
use super::buffer::Element;
use super::memory::Memory;
use crate::slots::Slot;

/// What several threads share ends with pages; nothing is shared here.
pub(super) const HUGE_PAGE: usize = 2 << 20;

/// A growable array of `T`.
#[derive(Debug)]
pub struct Buffer<T> {
    home: Home<T>,
    /// Elements that have been written: those at the start.
    len: usize,
    capacity: usize,
    taken: Taken,
}

#[derive(Debug)]
enum Home<T> {
    Own(Vec<T>),
    Lent(LentMemory),
}

impl<T: Element> Default for Buffer<T> {
    fn default() -> Self {
        Self { home: Home::Own(Vec::new()), len: 0, capacity: 0, taken: Taken::default() }
    }
}

impl<T: Element> Buffer<T> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Appends one element; `at_most` is how many can still come, this one included.
    #[inline]
    pub fn push(&mut self, value: T, at_most: usize) {
        self.append(1, at_most, |room| {
            room[0] = value;
            room
        });
    }

    /// Appends what `fill` writes to the start of the memory that it gets, and returns; returns how many elements that are. The
    /// memory has room for `wanted`; `at_most` as for [`Buffer::push`].
    ///
    /// # Panics
    ///
    /// Panics where `fill` returns another slice than the start of the one that it got.
    #[inline]
    pub(super) fn append(
        &mut self,
        wanted: usize,
        at_most: usize,
        fill: impl for<'m> FnOnce(&'m mut [Slot<T>]) -> &'m mut [T],
    ) -> usize {
        if self.room() < wanted {
            self.grow(wanted, at_most);
        }
        let start = self.len;
        let room = &mut self.all_mut()[start..start + wanted];
        let place = room.as_ptr();
        let filled = fill(room);
        assert!(std::ptr::eq(filled.as_ptr(), place), "the slice returned is the one given");
        let count = filled.len();
        self.len += count;
        count
    }

    /// How many elements there is memory for, without growing.
    pub(super) fn room(&self) -> usize {
        self.capacity - self.len
    }

    /// A buffer in memory that someone has lent; where it has no room for all elements, they move elsewhere. Nothing where
    /// elements would not be aligned there.
    pub(super) fn lent(mut memory: LentMemory) -> Option<Self> {
        let capacity = elements_of::<T>(&mut memory)?.len();
        Some(Self { home: Home::Lent(memory), len: 0, capacity, taken: Taken::default() })
    }

    /// Never: memory is filled with zeros when it is made.
    pub(super) fn is_fresh(&self) -> bool {
        false
    }

    /// Nothing is reserved ahead, so there is no room.
    pub(super) fn reserve(&mut self, _most: usize, _at_most: usize) -> &mut [Slot<T>] {
        &mut []
    }

    /// Counts `count` more elements, of which there are none where nothing is reserved.
    pub(super) fn advance(&mut self, count: usize) {
        debug_assert_eq!(count, 0);
    }

    /// Drops all elements from number `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        let all = match &self.home {
            Home::Own(elements) => elements,
            Home::Lent(memory) => bytemuck::cast_slice(whole::<T>((*memory.0).as_ref())),
        };
        &all[..self.len]
    }

    /// The elements, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        let len = self.len;
        &mut self.all_mut()[..len]
    }

    /// Gives back the unused memory and turns the rest into memory that can be shared.
    pub fn freeze(self) -> Memory {
        let (len, taken) = (self.len, self.taken);
        match self.home {
            Home::Own(mut elements) => {
                elements.truncate(len);
                elements.shrink_to_fit();
                Memory::owned(Frozen { bytes: Box::new(Elements(elements)), len: len * size_of::<T>(), _taken: taken })
            }
            Home::Lent(memory) => Memory::owned(Frozen { len: len * size_of::<T>(), ..Frozen::lent(memory) }),
        }
    }

    fn all_mut(&mut self) -> &mut [T] {
        match &mut self.home {
            Home::Own(elements) => elements,
            Home::Lent(memory) => elements_of(memory).unwrap_or_default(),
        }
    }

    /// Doubles the memory, bounded by what can still come, and at least to what is wanted now.
    #[cold]
    pub(super) fn grow(&mut self, wanted: usize, at_most: usize) {
        let needed = self.len.checked_add(wanted).expect("no input holds that many values");
        let limit = self.len.saturating_add(at_most.max(wanted)).saturating_add(1);
        let size = self.capacity.saturating_mul(2).min(limit).max(self.capacity + self.capacity / 2).max(needed);
        self.taken.add((size - self.capacity).saturating_mul(size_of::<T>()));
        if let Home::Lent(_) = self.home {
            self.home = Home::Own(self.as_slice().to_vec());
        }
        if let Home::Own(elements) = &mut self.home {
            elements.try_reserve_exact(size - elements.len()).unwrap_or_else(|_| Shortage::System.unwind());
            elements.resize(size, T::zeroed());
        }
        self.capacity = size;
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
    let place = bytemuck::cast_slice_mut::<T, u8>(room);
    place.copy_from_slice(&bytes[..place.len()]);
    room
}

/// The bytes at the start that whole elements take.
fn whole<T>(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len() - bytes.len() % size_of::<T>()]
}

/// The elements that lent memory has room for; nothing where they would not be aligned.
fn elements_of<T: Element>(memory: &mut LentMemory) -> Option<&mut [T]> {
    let bytes = (*memory.0).as_mut();
    let len = whole::<T>(bytes).len();
    bytemuck::try_cast_slice_mut(&mut bytes[..len]).ok()
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
        let mut bytes = Vec::new();
        let mut taken = Taken::default();
        taken.add(len);
        bytes.try_reserve_exact(len).unwrap_or_else(|_| Shortage::System.unwind());
        bytes.resize(len, 0);
        let filled = fill(&mut bytes)?;
        assert_eq!(filled.len(), len, "the slice returned is the one given");
        Ok(Self::owned(Frozen { bytes: Box::new(bytes), len, _taken: taken }))
    }
}

/// Memory to write values to, for as long as its owner lives.
pub struct LentMemory(Box<dyn Lent>);

trait Lent: AsRef<[u8]> + AsMut<[u8]> + Send + Sync {}

impl<T: AsRef<[u8]> + AsMut<[u8]> + Send + Sync> Lent for T {}

impl LentMemory {
    /// The bytes of `owner`.
    pub fn of(owner: impl AsRef<[u8]> + AsMut<[u8]> + Send + Sync + 'static) -> Self {
        Self(Box::new(owner))
    }
}

impl std::fmt::Debug for LentMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lent bytes", (*self.0).as_ref().len())
    }
}

/// Memory that is no longer written to from here.
pub(super) struct Frozen {
    bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
    /// Bytes that were written.
    len: usize,
    _taken: Taken,
}

/// Elements as their bytes.
struct Elements<T>(Vec<T>);

impl<T: Element> AsRef<[u8]> for Elements<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

impl AsRef<[u8]> for LentMemory {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl Frozen {
    /// Memory that someone has lent, all of which has been written.
    pub(super) fn lent(memory: LentMemory) -> Self {
        Self { len: memory.as_ref().len(), bytes: Box::new(memory), _taken: Taken::default() }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        (*self.bytes).as_ref().get(..self.len).unwrap_or_default()
    }
}

/// There are no pages to ask for.
pub fn advise_huge_pages(_memory: &mut [Slot<u8>]) {}

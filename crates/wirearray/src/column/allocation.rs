//! Where column memory comes from: the recycled heap, or huge pages.
//!
//! Measured on a Zen 4 machine in November 2026: fresh memory on 4 KiB pages fills at about 2 GB/s, on 2 MiB pages at 10,
//! and at more than 20 where the last byte of each huge page is touched first, because the kernel then zeroes it ascending.
//! So small allocations come from the heap, which recycles them, and large ones are address space of their own: aligned to
//! 2 MiB, advised for huge pages, reserved for all that may come, and committed page by page as values arrive. What was
//! never touched costs nothing.

#![allow(unsafe_code, reason = "allocates, maps and frees raw memory for `Buffer`")]

use std::alloc::{self, Layout};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use super::budget::{Budget, Shortage};
use super::lent::LentMemory;

/// Columns that may come to this many bytes live on huge pages. NumPy draws the line at the same size.
pub(super) const HUGE_FROM: usize = 4 << 20;

/// Where a column that may grow so large leaves the heap: from here on the faults of small pages, about 1.5 µs for each
/// 4 KiB, cost more than a huge page of which a part stays unused.
const LEAVE_HEAP_AT: usize = 512 << 10;

/// What a huge page may be split at: a multiple of every small page's size that systems use.
const SMALL_PAGE: usize = 64 << 10;

/// The size of a huge page on x86-64 and on AArch64 with 4 KiB granules.
pub(super) const HUGE_PAGE: usize = 2 << 20;

/// What `malloc` guarantees and every array element needs; a larger one would cost `realloc` its growth in place.
pub(super) const ALIGNMENT: usize = 16;

/// The bytes of one element more than can come: offsets end with where the last entry does.
const ONE_MORE: usize = 8;

/// A piece of raw memory, freed when dropped.
#[derive(Debug)]
pub(super) struct Allocation {
    start: NonNull<u8>,
    /// Bytes that belong to this allocation; 0 where there is none.
    reserved: usize,
    /// Bytes at the start that may be written; on huge pages the rest is only address space so far.
    committed: usize,
    home: Home,
    /// What the memory is taken from, once there is some. Address space alone is free.
    budget: Budget,
}

#[derive(Debug)]
enum Home {
    Heap,
    HugePages,
    /// With someone who has lent it. It does not grow: what has no room moves elsewhere.
    Lent {
        _memory: Box<LentMemory>,
    },
}

// SAFETY: an `Allocation` owns its memory like a `Vec<u8>` does, and gives out a pointer only through `&self`.
unsafe impl Send for Allocation {}
// SAFETY: as above; shared access can read the pointer, not the memory.
unsafe impl Sync for Allocation {}

impl Allocation {
    /// No memory yet.
    pub(super) fn none() -> Self {
        // The alignment as an address: never read, but as aligned as a real one.
        let start = NonNull::without_provenance(std::num::NonZeroUsize::new(ALIGNMENT).unwrap());
        Self { start, reserved: 0, committed: 0, home: Home::Heap, budget: Budget::default() }
    }

    /// Memory that someone has lent.
    pub(super) fn lent(memory: LentMemory) -> Self {
        let (start, len) = (memory.start(), memory.len());
        let home = Home::Lent { _memory: Box::new(memory) };
        Self { start, reserved: len, committed: len, home, budget: Budget::default() }
    }

    /// Memory of `len` bytes, all of which may be written.
    pub(super) fn of_len(len: usize) -> Self {
        if len >= HUGE_FROM
            && let Some(mut mapped) = Self::map(len)
        {
            mapped.take(mapped.reserved);
            mapped.committed = mapped.reserved;
            return mapped;
        }
        let mut heap = Self::none();
        if len > 0 {
            heap.reallocate(len);
        }
        heap
    }

    /// The first byte.
    #[inline(always)]
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// The bytes that may be written.
    pub(super) fn committed(&self) -> usize {
        self.committed
    }

    /// True on huge pages, where memory is committed page by page.
    pub(super) fn is_huge(&self) -> bool {
        matches!(self.home, Home::HugePages)
    }

    /// True for memory that someone has lent.
    pub(super) fn is_lent(&self) -> bool {
        matches!(self.home, Home::Lent { .. })
    }

    /// Commits memory behind the first `used` bytes, which are kept: all `wanted` bytes on the heap, at least one on
    /// huge pages. `at_most` is how many bytes can still come; it decides how much address space is reserved, never how
    /// much memory is used.
    #[cold]
    pub(super) fn grow(&mut self, used: usize, wanted: usize, at_most: usize) {
        let needed = used.checked_add(wanted).expect("no input holds that many values");
        if self.is_huge() && used < self.reserved {
            return self.commit(used);
        }
        let mut limit = used.saturating_add(at_most.max(wanted)).saturating_add(ONE_MORE);
        if self.is_huge() {
            // The bound was too low. It must not be so again and again.
            limit = limit.max(self.reserved.saturating_mul(2));
        }
        if limit >= HUGE_FROM && needed >= LEAVE_HEAP_AT {
            // Where address space is limited, twice as much as so far, so that not every page is one more move.
            let twice = self.reserved.saturating_mul(2).max(needed).min(limit);
            if let Some(mapped) = Self::map(limit).or_else(|| Self::map(twice)).or_else(|| Self::map(needed)) {
                return self.move_to(mapped, used);
            }
        }
        self.grow_heap(needed, limit);
    }

    /// Makes sure that `more` bytes behind the first `used` may be written, without touching them; returns how many may be: of
    /// lent memory as many as there are, and none where there is no address space for them. `at_most` as for
    /// [`Allocation::grow`].
    pub(super) fn reserve(&mut self, used: usize, more: usize, at_most: usize) -> usize {
        let Some(needed) = used.checked_add(more) else { return 0 };
        if self.is_lent() {
            return more.min(self.reserved - used);
        }
        if needed > self.reserved {
            let limit = used.saturating_add(at_most.max(more));
            let Some(mapped) = Self::map(limit).or_else(|| Self::map(needed)) else { return 0 };
            self.move_to(mapped, used);
        }
        more
    }

    /// Takes the first `used` bytes, which [`Allocation::reserve`] has made writable, for written: pages that they touch are
    /// committed.
    pub(super) fn commit_through(&mut self, used: usize) {
        debug_assert!(used <= self.reserved);
        let committed = self.committed.max(used.next_multiple_of(HUGE_PAGE)).min(self.reserved);
        self.take(committed - self.committed);
        self.committed = committed;
    }

    /// A heap column starts at what can come, up to 64 KiB, and doubles from there, still bounded by what can come. Where there
    /// are many columns, others start at what is needed. The half more is for bounds that were too low.
    fn grow_heap(&mut self, needed: usize, limit: usize) {
        const FIRST: usize = 64 << 10;
        let first = if self.reserved == 0 { Budget::head_start(FIRST.min(limit)) } else { 0 };
        let bounded = self.reserved.saturating_mul(2).max(first).min(limit);
        let size = bounded.max(needed).max(self.reserved.saturating_add(self.reserved / 2)).max(ALIGNMENT);
        if let Home::Heap = self.home {
            return self.reallocate(size);
        }
        // Of a mapping only where no address space for a larger one could be had.
        let mut heap = Self::none();
        heap.reallocate(size);
        self.move_to(heap, self.reserved);
    }

    /// Takes the place of an allocation that is too small, whose first `used` bytes are kept.
    fn move_to(&mut self, mut new: Self, used: usize) {
        while new.committed < used {
            new.commit(new.committed);
        }
        // SAFETY: `used` bytes are committed in both (the loop above; a column never uses more than it committed), and
        // two live allocations do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(self.start.as_ptr(), new.start.as_ptr(), used) };
        if new.committed == used && new.committed < new.reserved {
            new.commit(used);
        }
        *self = new;
    }

    /// Touches the huge page that holds byte `used`, at its last byte.
    fn commit(&mut self, used: usize) {
        let end = (used / HUGE_PAGE + 1).saturating_mul(HUGE_PAGE).min(self.reserved);
        debug_assert!(end > used);
        self.take(end - self.committed);
        // SAFETY: `end` is at most `reserved` and more than 0, so the byte before it lies in the mapping.
        let last = unsafe { self.start.add(end - 1) };
        // SAFETY: the byte is mapped for writing, and no value lies there: it is behind `committed`.
        unsafe { last.write_volatile(0) };
        self.committed = end;
    }

    /// Notes so many bytes more in use, before they are.
    fn take(&mut self, bytes: usize) {
        if self.committed == 0 {
            self.budget = Budget::current();
        }
        self.budget.take(bytes);
    }

    fn reallocate(&mut self, size: usize) {
        let more = size.saturating_sub(self.committed);
        self.take(more);
        let layout = heap_layout(size);
        let start = if self.reserved == 0 {
            // SAFETY: `size` is not 0: `grow_heap` takes the alignment as its minimum, `give_back` and `of_len` never ask for 0.
            unsafe { alloc::alloc(layout) }
        } else {
            // SAFETY: `start` came from this allocator with the layout of `reserved`, and `size` is not 0.
            unsafe { alloc::realloc(self.start.as_ptr(), heap_layout(self.reserved), size) }
        };
        self.start = NonNull::new(start).unwrap_or_else(|| {
            self.budget.give_back(more);
            Shortage::System.unwind()
        });
        self.budget.give_back(self.committed.saturating_sub(size));
        self.reserved = size;
        self.committed = size;
    }

    /// Gives back what lies behind the first `used` bytes: whole huge pages, or heap where that is worth a call.
    pub(super) fn give_back(&mut self, used: usize) {
        match self.home {
            Home::HugePages => self.unmap_behind(used),
            // Up to a quarter of slack is cheaper kept: a `realloc` of a small block costs more than it frees.
            Home::Heap if used > 0 && self.reserved - used > self.reserved / 4 && self.reserved > 1024 => {
                self.reallocate(used);
            }
            Home::Heap | Home::Lent { .. } => {}
        }
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        match self.home {
            _ if self.reserved == 0 => {}
            Home::Heap => {
                // SAFETY: `start` came from this allocator with the layout of `reserved`.
                unsafe { alloc::dealloc(self.start.as_ptr(), heap_layout(self.reserved)) };
                self.budget.give_back(self.committed);
            }
            Home::HugePages => self.unmap_behind(0),
            Home::Lent { .. } => {}
        }
    }
}

fn heap_layout(size: usize) -> Layout {
    Layout::from_size_align(size, ALIGNMENT).expect("no input holds that many values")
}

#[cfg(target_os = "linux")]
impl Allocation {
    /// Address space for `size` bytes that starts on a huge page, or nothing where the system refuses it.
    fn map(size: usize) -> Option<Self> {
        let reserved = size.checked_next_multiple_of(HUGE_PAGE)?;
        // One huge page more, so that an aligned start lies within the first; what sticks out is unmapped at once.
        let total = reserved.checked_add(HUGE_PAGE)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // Not counted against the commit limit: this is room for the most that can come, not memory in use.
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no memory in use.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), total, protection, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return None;
        }
        let base = base.cast::<u8>();
        let before = base.align_offset(HUGE_PAGE);
        let start = base.wrapping_add(before);
        unmap(base, before);
        unmap(start.wrapping_add(reserved), total - reserved - before);
        // SAFETY: the range is the mapping made above. The advice may be refused; the memory is the same without it.
        unsafe { libc::madvise(start.cast(), reserved, libc::MADV_HUGEPAGE) };
        let (start, home) = (NonNull::new(start)?, Home::HugePages);
        Some(Self { start, reserved, committed: 0, home, budget: Budget::default() })
    }

    fn unmap_behind(&mut self, used: usize) {
        // Splitting a huge page costs the kernel some time, so it is worth it only for columns that turned out small.
        let page = if used < HUGE_FROM { SMALL_PAGE } else { HUGE_PAGE };
        let keep = used.next_multiple_of(page).min(self.reserved);
        unmap(self.start.as_ptr().wrapping_add(keep), self.reserved - keep);
        self.budget.give_back(self.committed.saturating_sub(keep));
        self.reserved = keep;
        self.committed = self.committed.min(keep);
    }
}

/// Asks for huge pages in memory that came from elsewhere and has not been written to.
#[cfg(target_os = "linux")]
pub fn advise_huge_pages(memory: &mut [MaybeUninit<u8>]) {
    let start = memory.as_mut_ptr();
    let before = start.align_offset(HUGE_PAGE);
    if let Some(len) = memory.len().checked_sub(before)
        && len >= HUGE_PAGE
    {
        // SAFETY: the range lies within `memory`, on a page boundary. Advice changes no value, and may be refused.
        unsafe { libc::madvise(start.wrapping_add(before).cast(), len, libc::MADV_HUGEPAGE) };
    }
}

/// Elsewhere there is nothing to ask.
#[cfg(not(target_os = "linux"))]
pub fn advise_huge_pages(_memory: &mut [MaybeUninit<u8>]) {}

#[cfg(target_os = "linux")]
fn unmap(start: *mut u8, size: usize) {
    if size > 0 {
        // SAFETY: callers pass a part of a mapping of their own, on page boundaries, that nothing refers to.
        let status = unsafe { libc::munmap(start.cast(), size) };
        // It fails only where the kernel has no room to split a mapping; the address space is then lost, and no value.
        debug_assert_eq!(status, 0);
    }
}

#[cfg(not(target_os = "linux"))]
impl Allocation {
    /// Elsewhere the heap serves every size.
    fn map(_size: usize) -> Option<Self> {
        None
    }

    fn unmap_behind(&mut self, _used: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_memory_is_heap_and_bounded_by_what_can_come() {
        let mut allocation = Allocation::none();
        allocation.grow(0, 8, 100);
        assert_eq!((allocation.committed(), allocation.is_huge()), (100 + ONE_MORE, false));
    }

    #[test]
    fn large_memory_is_aligned_to_a_huge_page_and_committed_page_by_page() {
        let mut allocation = Allocation::none();
        allocation.grow(0, HUGE_FROM, 10 * HUGE_FROM);
        assert!(allocation.start().as_ptr().addr().is_multiple_of(HUGE_PAGE));
        assert_eq!(allocation.committed(), HUGE_PAGE);
        assert_eq!(allocation.reserved, 10 * HUGE_FROM + HUGE_PAGE, "for one more");
        allocation.grow(HUGE_PAGE, 1, 1);
        assert_eq!(allocation.committed(), 2 * HUGE_PAGE);
        allocation.give_back(HUGE_PAGE + 1);
        assert_eq!(allocation.reserved, HUGE_PAGE + SMALL_PAGE);
    }

    #[test]
    fn what_is_written_ahead_is_taken_from_the_budget_before_it_counts() {
        let (mut allocation, budget) = (Allocation::none(), Budget::of(HUGE_FROM));
        assert_eq!(budget.spend(|| allocation.reserve(0, HUGE_FROM, HUGE_FROM)), Ok(HUGE_FROM));
        assert_eq!(budget.spend(|| Budget::current().take(HUGE_PAGE + 1)), Err(Shortage::Budget));
        assert_eq!(budget.spend(|| Budget::current().take(HUGE_PAGE)), Ok(()));
        assert_eq!(budget.spend(|| allocation.commit_through(HUGE_FROM)), Err(Shortage::Budget));
        assert_eq!(allocation.committed(), HUGE_PAGE);
    }

    #[test]
    fn growing_from_the_heap_to_huge_pages_keeps_the_bytes() {
        let mut allocation = Allocation::none();
        allocation.grow(0, 3 << 20, 3 << 20);
        // SAFETY: three MiB were just committed.
        unsafe { allocation.start().as_ptr().write_bytes(0xa5, 3 << 20) };
        allocation.grow(3 << 20, 2 << 20, 9 << 20);
        assert!(allocation.committed() > 3 << 20);
        // SAFETY: the first three MiB were written above and moved.
        let bytes = unsafe { std::slice::from_raw_parts(allocation.start().as_ptr(), 3 << 20) };
        assert!(bytes.iter().all(|&byte| byte == 0xa5));
    }
}

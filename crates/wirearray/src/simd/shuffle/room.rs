//! Room for entries on the stack, which costs nothing until it is used.

#![allow(unsafe_code, reason = "tells that entries have been written")]

use std::mem::MaybeUninit;

pub(super) struct Room<T, const N: usize>([MaybeUninit<T>; N]);

impl<T: Copy, const N: usize> Room<T, N> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; N])
    }

    /// Takes entries for as long as there is room; returns them.
    #[inline(always)]
    pub(super) fn fill(&mut self, entries: impl Iterator<Item = T>) -> &[T] {
        let mut count = 0;
        for (slot, entry) in self.0.iter_mut().zip(entries) {
            slot.write(entry);
            count += 1;
        }
        // SAFETY: so many have been written.
        unsafe { self.0[..count].assume_init_ref() }
    }
}

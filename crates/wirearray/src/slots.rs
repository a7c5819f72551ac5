//! Room for values that are yet to be written.
//!
//! It costs nothing to make, because nothing is in it; whoever writes to some of it gives it back as values, which is how the
//! next one knows. In builds without `unsafe` (feature `safe`) it is zeros, and so values from the start.

#![cfg_attr(not(feature = "safe"), allow(unsafe_code, reason = "tells that values have been written"))]

#[cfg(not(feature = "safe"))]
use std::mem::MaybeUninit;

/// Room for one value.
#[cfg(not(feature = "safe"))]
pub type Slot<T> = MaybeUninit<T>;
/// Room for one value.
#[cfg(feature = "safe")]
pub type Slot<T> = T;

/// Room for many values in memory of its own.
pub fn slots<T: bytemuck::Pod>(len: usize) -> Vec<Slot<T>> {
    vec![slot(); len]
}

/// Room for a few values.
#[inline(always)]
pub fn array_of_slots<T: bytemuck::Pod, const N: usize>() -> [Slot<T>; N] {
    [slot(); N]
}

#[cfg(not(feature = "safe"))]
#[inline(always)]
const fn slot<T>() -> Slot<T> {
    MaybeUninit::uninit()
}

#[cfg(feature = "safe")]
#[inline(always)]
fn slot<T: bytemuck::Pod>() -> Slot<T> {
    T::zeroed()
}

/// Writes to a slot.
pub trait Put<T> {
    /// Writes a value.
    fn put(&mut self, value: T);
}

impl<T> Put<T> for Slot<T> {
    #[inline(always)]
    #[cfg(not(feature = "safe"))]
    fn put(&mut self, value: T) {
        self.write(value);
    }

    #[inline(always)]
    #[cfg(feature = "safe")]
    fn put(&mut self, value: T) {
        *self = value;
    }
}

/// Writes to slots.
pub trait PutAll<T> {
    /// Writes as many values as there are slots, and returns them.
    ///
    /// # Panics
    ///
    /// Panics where there are not as many.
    fn put_all(&mut self, values: &[T]) -> &mut [T];
}

impl<T: Copy> PutAll<T> for [Slot<T>] {
    #[inline(always)]
    #[cfg(not(feature = "safe"))]
    fn put_all(&mut self, values: &[T]) -> &mut [T] {
        self.write_copy_of_slice(values)
    }

    #[inline(always)]
    #[cfg(feature = "safe")]
    fn put_all(&mut self, values: &[T]) -> &mut [T] {
        self.copy_from_slice(values);
        self
    }
}

/// The values in slots, each of which has been written. It expands to an `unsafe` block, so each use has a `SAFETY` comment of its
/// own, which says why they have been.
#[cfg(not(feature = "safe"))]
macro_rules! written {
    ($slots:expr) => {{
        let slots: &mut [crate::slots::Slot<_>] = $slots;
        // SAFETY: said where it is used.
        unsafe { slots.assume_init_mut() }
    }};
}

/// The values in slots, which have been some from the start.
#[cfg(feature = "safe")]
macro_rules! written {
    ($slots:expr) => {{
        let values: &mut [_] = $slots;
        values
    }};
}

pub(crate) use written;

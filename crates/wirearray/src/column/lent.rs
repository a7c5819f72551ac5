//! Memory that a caller has and wants a column's values in.

#![allow(unsafe_code, reason = "promises of callers about the memory that they lend")]

use std::any::Any;
use std::ptr::NonNull;

/// Memory to write values to, for as long as its owner lives.
pub struct LentMemory {
    start: NonNull<u8>,
    len: usize,
    /// Held, not looked at.
    _owner: Box<dyn Any + Send + Sync>,
}

// SAFETY: whoever made it has promised that no one else relies on the memory, on whichever thread.
unsafe impl Send for LentMemory {}
// SAFETY: as above; shared access gives out the pointer only.
unsafe impl Sync for LentMemory {}

impl LentMemory {
    /// Memory of `len` bytes that `owner` keeps.
    ///
    /// # Safety
    ///
    /// As long as `owner` lives, the bytes have to be there for reading and writing, and no reference of Rust's to them may be
    /// in use while values are decoded to them.
    pub unsafe fn new(start: NonNull<u8>, len: usize, owner: impl Any + Send + Sync) -> Self {
        Self { start, len, _owner: Box::new(owner) }
    }

    /// The first byte.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl std::fmt::Debug for LentMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lent bytes", self.len)
    }
}

//! Buffers that Python lends, to be decoded or encoded, and for as long as a view of them lives.

#![allow(unsafe_code, reason = "reads through the pointers of Python's buffer protocol")]

use std::ptr::NonNull;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wirearray::column::LentMemory;

use crate::gil::Share;

/// The bytes of a Python object, which cannot go away or be resized while this is held.
///
/// Another thread can still change the values of a `bytearray` or array while they are read without the GIL. The result is
/// then of mixed values, or an error; decoder and encoder bound every access by the lengths of slices, never by what they
/// read before.
pub(crate) struct Lent(Share<Holder>);

enum Holder {
    /// The commonest, spared the buffer protocol.
    Bytes(LentBytes),
    Buffer(PyUntypedBuffer),
}

/// A bytes object and where its bytes are.
struct LentBytes {
    _object: Py<PyBytes>,
    start: *const u8,
    len: usize,
}

// SAFETY: the pointer is only read through, and the object that it points into is immutable and kept alive.
unsafe impl Send for LentBytes {}
// SAFETY: as above.
unsafe impl Sync for LentBytes {}

impl Lent {
    /// Borrows what `object` holds; `argument` names it in errors.
    pub(crate) fn new(object: &Bound<'_, PyAny>, argument: impl std::fmt::Display) -> PyResult<Self> {
        if let Ok(bytes) = object.cast_exact::<PyBytes>() {
            let (start, len) = (bytes.as_bytes().as_ptr(), bytes.as_bytes().len());
            let holder = Holder::Bytes(LentBytes { _object: bytes.clone().unbind(), start, len });
            return Ok(Self(Share::new(holder)));
        }
        // A buffer of objects holds pointers, which are nobody's bytes.
        let buffer = match PyUntypedBuffer::get(object) {
            Ok(buffer) => Some(buffer).filter(|buffer| !buffer.format().to_bytes().contains(&b'O')),
            // A memoryview that has been released says so.
            Err(error) if error.is_instance_of::<PyValueError>(object.py()) => {
                return Err(PyValueError::new_err(format!("{argument}: {}", error.value(object.py()))));
            }
            Err(_) => None,
        };
        let Some(buffer) = buffer else {
            let found = object.get_type().name()?;
            let message = format!("{argument}: expected bytes, bytearray, memoryview or another buffer, got {found}");
            return Err(PyTypeError::new_err(message));
        };
        if !buffer.is_c_contiguous() {
            return Err(PyValueError::new_err(format!("{argument}: the buffer is not contiguous; pass a copy of it")));
        }
        Ok(Self(Share::new(Holder::Buffer(buffer))))
    }
}

/// The memory of a buffer, to be written to for as long as the engine has it; nothing where it is read-only, has gaps, or
/// elements of `size` bytes would not be aligned there.
pub(crate) fn writable(buffer: PyUntypedBuffer, size: usize) -> Option<LentMemory> {
    let is_fit = !buffer.readonly() && buffer.is_c_contiguous() && buffer.buf_ptr().addr().is_multiple_of(size);
    if !is_fit {
        return None;
    }
    let start = NonNull::new(buffer.buf_ptr().cast::<u8>());
    let len = if start.is_some() { buffer.len_bytes() } else { 0 };
    let start = start.unwrap_or(NonNull::<u64>::dangling().cast());
    #[cfg(feature = "safe")]
    return Some(LentMemory::of(Writable { start, len, _buffer: Share::new(buffer) }));
    // SAFETY: an exporter keeps `len` bytes there, writable by the check above, until the buffer is released, which dropping the
    // owner does; that no one has NumPy move them all the same (`resize(refcheck=False)`) is asked of the caller. Whoever else
    // reads them does so by slices of their own; what others do to them meanwhile changes values only.
    #[cfg(not(feature = "safe"))]
    return Some(unsafe { LentMemory::new(start, len, Share::new(buffer)) });
}

/// The memory of a buffer for an engine that takes no pointers.
#[cfg(feature = "safe")]
struct Writable {
    start: NonNull<u8>,
    len: usize,
    _buffer: Share<PyUntypedBuffer>,
}

// SAFETY: the memory is there until the buffer is released, on whichever thread it is used.
#[cfg(feature = "safe")]
unsafe impl Send for Writable {}
// SAFETY: as above; shared access reads.
#[cfg(feature = "safe")]
unsafe impl Sync for Writable {}

#[cfg(feature = "safe")]
impl AsRef<[u8]> for Writable {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: an exporter keeps `len` bytes there until the buffer is released, which dropping `self` does.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

#[cfg(feature = "safe")]
impl AsMut<[u8]> for Writable {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; `writable` has seen that they may be written to, and that NumPy moves them (`resize(refcheck=False)`)
        // is asked of the caller not to happen.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        match &*self.0 {
            // SAFETY: `new` took both from the bytes object, which is immutable and which `self` keeps alive.
            &Holder::Bytes(LentBytes { start, len, .. }) => unsafe { std::slice::from_raw_parts(start, len) },
            Holder::Buffer(buffer) if buffer.len_bytes() == 0 => &[],
            Holder::Buffer(buffer) => {
                let start = buffer.buf_ptr().cast::<u8>();
                // SAFETY: the exporter guarantees `len_bytes` bytes at `start`, contiguous by the check in `new`, until
                // the buffer is released, which dropping `self` does.
                unsafe { std::slice::from_raw_parts(start, buffer.len_bytes()) }
            }
        }
    }
}

//! Python's `bytes`, written in place.

#![allow(unsafe_code, reason = "writes to a bytes object that is not yet anyone's")]

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wirearray::column::advise_huge_pages;
use wirearray::slots::Slot;

/// A bytes object of `len` bytes, which `fill` writes, without the GIL, and returns.
pub(crate) fn filled<'py, E: Send>(
    py: Python<'py>,
    len: usize,
    fill: impl for<'m> FnOnce(&'m mut [Slot<u8>]) -> Result<&'m mut [u8], E> + Send,
) -> PyResult<Result<Bound<'py, PyBytes>, E>> {
    let size = ffi::Py_ssize_t::try_from(len).unwrap_or(ffi::Py_ssize_t::MAX);
    // SAFETY: without a source the call makes an object of that size with undefined content, or raises.
    let object = unsafe { ffi::PyBytes_FromStringAndSize(std::ptr::null(), size) };
    // SAFETY: the call returns a new reference or null with an exception set, which is what this takes.
    let object = unsafe { Bound::from_owned_ptr_or_err(py, object) }?;
    let bytes = object.cast_into::<PyBytes>()?;
    if len == 0 {
        // The empty object is shared by everyone; there is nothing to write to it.
        return Ok(fill(&mut []).map(|_| bytes));
    }
    // SAFETY: the object is a bytes object; the call gives the place of its bytes, to which its maker may write.
    let start = unsafe { ffi::PyBytes_AsString(bytes.as_ptr()) }.cast::<Slot<u8>>();
    #[cfg(feature = "safe")]
    // SAFETY: the object was made above with `len` bytes; slots are bytes from the start where they have to be.
    unsafe {
        start.write_bytes(0, len);
    }
    // SAFETY: the object was made above with `len` bytes, and no one else has it, so that nothing refers to them.
    let room = unsafe { std::slice::from_raw_parts_mut(start, len) };
    advise_huge_pages(room);
    let place = (room.as_ptr().addr(), len);
    let filled = py.detach(|| fill(room).map(|filled| (filled.as_ptr().addr(), filled.len())));
    Ok(filled.map(|filled| {
        // What is returned as bytes has been written, or it could not be bytes.
        assert_eq!(filled, place, "the slice returned is the one given");
        bytes
    }))
}

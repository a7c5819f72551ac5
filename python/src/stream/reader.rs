//! Python's file objects as readers and writers.

use std::io::{self, BufReader, Read, Write};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Bytes that are asked of a file object at a time: each call takes the GIL.
const BLOCK: usize = 1 << 20;

/// What an object with a method `read` gives.
pub(super) fn reader(object: Py<PyAny>) -> impl Read + Send {
    BufReader::with_capacity(BLOCK, FileObject(object))
}

/// An object with a method `write`.
pub(super) struct FileObject(pub(super) Py<PyAny>);

impl Read for FileObject {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        Python::attach(|py| {
            let read = self.0.bind(py).call_method1("read", (bytes.len(),))?;
            if read.is_none() {
                return Err(PyTypeError::new_err("source: read() gave nothing; pass a blocking file object"));
            }
            let read = read.cast::<PyBytes>().map_err(|_| {
                let found = read.get_type().name().map_or_else(|_| String::new(), |name| name.to_string());
                PyTypeError::new_err(format!("source: read() gave {found}, not bytes; open the file in binary mode"))
            })?;
            let read = read.as_bytes();
            let room = bytes.get_mut(..read.len());
            let room =
                room.ok_or_else(|| PyTypeError::new_err("source: read() gave more bytes than it was asked for"))?;
            room.copy_from_slice(read);
            Ok(read.len())
        })
        .map_err(io::Error::other)
    }
}

impl Write for FileObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Python::attach(|py| {
            let written = self.0.bind(py).call_method1("write", (PyBytes::new(py, bytes),))?;
            // Raw files may write less, and say so; others say nothing of use.
            Ok(written.extract::<usize>().map_or(bytes.len(), |written| written.min(bytes.len())))
        })
        .map_err(|error: PyErr| io::Error::other(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

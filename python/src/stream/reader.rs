//! Python's file objects as readers and writers.

use std::io::{self, BufReader, Read, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyTypeError};
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
        let _reading = Reading::start()?;
        Python::attach(|py| {
            let read = self
                .0
                .bind(py)
                .call_method1("read", (bytes.len(),))
                .map_err(|error| no_end(py, error, "source: read()"))?;
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
            if written.is_none() && is_raw(py, self.0.bind(py))? {
                return Err(PyTypeError::new_err("target: write() took nothing; pass a blocking file object"));
            }
            // Raw files may write less, and say so; others say nothing of use.
            Ok(written.extract::<usize>().map_or(bytes.len(), |written| written.min(bytes.len())))
        })
        .map_err(|error: PyErr| io::Error::other(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// True of files that write as much as they can and say so: none, where they would have to wait.
fn is_raw(py: Python<'_>, object: &Bound<'_, PyAny>) -> PyResult<bool> {
    object.is_instance(&py.import("io")?.getattr("RawIOBase")?)
}

/// An error of what was called, but none that ends the loop over a scan as if all were well.
pub(super) fn no_end(py: Python<'_>, error: PyErr, called: &str) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py) {
        return error;
    }
    let other = PyRuntimeError::new_err(format!("{called} raised StopIteration"));
    other.set_cause(py, Some(error));
    other
}

/// Threads of ours that read from Python. At its end the interpreter ends whichever thread asks for the GIL, in the middle of what it
/// does, and that ends the process; so there must be none by then.
static READING: AtomicUsize = AtomicUsize::new(0);
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Where they are: a process that was forked off has none of them.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// As long as it is there, its thread may be within Python.
pub(super) struct Reading;

impl Reading {
    /// An error once the interpreter ends.
    pub(super) fn start() -> io::Result<Self> {
        PROCESS.get_or_init(std::process::id);
        // Counted first: whoever ends the interpreter sees one of the two.
        READING.fetch_add(1, Ordering::SeqCst);
        let reading = Self;
        if IS_ENDING.load(Ordering::SeqCst) {
            return Err(io::Error::other("the interpreter is shutting down"));
        }
        Ok(reading)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How long the end of the interpreter waits for threads that read. A source that takes longer most likely waits for something that
/// does not come, and then it does not ask for the GIL either.
const MOST_WAIT: Duration = Duration::from_secs(2);

/// Has no thread read from Python any more: called before the interpreter ends.
#[pyfunction]
pub(crate) fn _end_reading(py: Python<'_>) {
    IS_ENDING.store(true, Ordering::SeqCst);
    if PROCESS.get().is_none_or(|&process| process != std::process::id()) {
        return;
    }
    py.detach(|| {
        let start = Instant::now();
        while READING.load(Ordering::SeqCst) > 0 && start.elapsed() < MOST_WAIT {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

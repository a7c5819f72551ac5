//! The GIL, for calls that come from code that is not Python's: from consumers of what is handed out as Arrow's.
//!
//! PyO3 counts for each thread whether it is attached to the interpreter. Where Python code that we have called makes another library
//! release the GIL and call back, that count says what is no longer true. So here it is Python itself that is asked for the GIL.

#![allow(unsafe_code, reason = "asks Python for the GIL, and to raise an exception later")]

use std::ffi::c_long;
use std::ops::Deref;

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use wirearray::arrow;

/// Does some work with the GIL, which a consumer of ours may have released.
pub(crate) fn attached<R>(work: impl FnOnce(Python<'_>) -> R) -> R {
    let _held = Held::take();
    Python::attach(work)
}

/// The GIL, taken from Python itself.
struct Held(pyo3::ffi::PyGILState_STATE);

impl Held {
    fn take() -> Self {
        // SAFETY: there is an interpreter, since it has handed out what is called here; and `attached`, which alone has this made,
        // gives it back on the same thread.
        Self(unsafe { pyo3::ffi::PyGILState_Ensure() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: the state is that of the call in `take`, and is given back once, in the reverse order.
        unsafe { pyo3::ffi::PyGILState_Release(self.0) };
    }
}

/// A share in something of Python's. Where a consumer lets go of it, the GIL is taken for that, as NumPy's arrays in pyarrow do it.
pub(crate) struct Share<T>(Option<T>);

impl<T> Share<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for Share<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> Drop for Share<T> {
    fn drop(&mut self) {
        let Some(value) = self.0.take().filter(|_| arrow::is_releasing()) else { return };
        // SAFETY: this may be called at any time, by any thread.
        if unsafe { pyo3::ffi::Py_IsInitialized() } != 0 {
            attached(|_| drop(value));
        } else {
            // The interpreter has ended, and with it what this is a share in.
            std::mem::forget(value);
        }
    }
}

/// Has `KeyboardInterrupt` raised once more, where this is Python's main thread, as soon as that runs Python code: for consumers that
/// make an error of it as of all others. Other threads are not interrupted by signals, and who waits for what becomes of their work
/// would not hear of an exception that comes behind it.
pub(crate) fn interrupt_later(py: Python<'_>) -> PyResult<()> {
    let this: c_long = py.import("_thread")?.call_method0("get_ident")?.extract()?;
    let main: c_long = py.import("threading")?.call_method0("main_thread")?.getattr("ident")?.extract()?;
    if this == main {
        let interrupt = py.get_type::<PyKeyboardInterrupt>();
        // SAFETY: the GIL is held, and the type is an object of which Python takes a share of its own.
        unsafe { pyo3::ffi::PyThreadState_SetAsyncExc(this, interrupt.as_ptr()) };
    }
    Ok(())
}

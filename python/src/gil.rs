//! The GIL, for calls that come from code that is not Python's: from consumers of what is handed out as Arrow's.
//!
//! PyO3 counts for each thread whether it is attached to the interpreter. Where Python code that we have called makes another library
//! release the GIL and call back, that count says what is no longer true. So Python itself is asked for the GIL here, and what would
//! take it for granted is put off.

#![allow(unsafe_code, reason = "asks Python for the GIL, and to call back")]

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::ops::Deref;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

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

/// A share in something of Python's. Where a consumer lets go of it, perhaps without the GIL, Python is asked to do that itself.
pub(crate) struct Share<T: Send + 'static>(Option<T>);

/// What is let go of as soon as Python runs.
static PUT_OFF: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());

/// True while Python has been asked to call [`let_go`].
static IS_ASKED: AtomicBool = AtomicBool::new(false);

impl<T: Send + 'static> Share<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Send + 'static> Deref for Share<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<T: Send + 'static> Drop for Share<T> {
    fn drop(&mut self) {
        let Some(value) = self.0.take().filter(|_| arrow::is_releasing()) else { return };
        PUT_OFF.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(value));
        // SAFETY: this may be called at any time, by any thread.
        let is_running = unsafe { pyo3::ffi::Py_IsInitialized() } != 0;
        if is_running && !IS_ASKED.swap(true, Ordering::SeqCst) {
            // SAFETY: any thread may call this, with the GIL or without, as long as there is an interpreter, by the check above; the
            // function takes no argument.
            let is_full = unsafe { pyo3::ffi::Py_AddPendingCall(Some(let_go), null_mut()) } != 0;
            if is_full {
                // Whoever lets go next asks again.
                IS_ASKED.store(false, Ordering::SeqCst);
            }
        }
    }
}

/// Lets go of what was put off; Python's main thread calls it.
extern "C" fn let_go(_: *mut c_void) -> c_int {
    Python::attach(|_| {
        IS_ASKED.store(false, Ordering::SeqCst);
        let values = std::mem::take(&mut *PUT_OFF.lock().unwrap_or_else(PoisonError::into_inner));
        drop(values);
    });
    0
}

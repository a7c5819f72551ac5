//! One at a time: threads that call a writer at once take turns, and a call from within a call is an error.
//!
//! No lock is held while Python runs: it may switch to a thread that waits for the lock and has the GIL that its holder waits for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How often a thread that waits looks whether it has been interrupted.
const TICK: Duration = Duration::from_millis(50);

/// Something that one thread has at a time, until it is closed.
pub(super) struct Turn<T> {
    state: Mutex<State<T>>,
    is_free: Condvar,
}

enum State<T> {
    Free(T),
    Held(ThreadId),
    Closed,
}

/// What a thread has while it is its turn. It is given back when this is dropped, unless it has been taken out, or the thread
/// panics: then it is closed.
pub(super) struct Held<'t, T> {
    turn: &'t Turn<T>,
    pub(super) value: Option<T>,
}

impl<T: Send> Turn<T> {
    pub(super) fn new(value: T) -> Self {
        Self { state: Mutex::new(State::Free(value)), is_free: Condvar::new() }
    }

    /// Waits for its turn; nothing once it is closed. An error where this thread has it already, or is interrupted meanwhile.
    pub(super) fn take(&self, py: Python<'_>) -> PyResult<Option<Held<'_, T>>> {
        let this = thread::current().id();
        loop {
            {
                let mut state = self.lock();
                match std::mem::replace(&mut *state, State::Held(this)) {
                    State::Free(value) => return Ok(Some(Held { turn: self, value: Some(value) })),
                    State::Closed => {
                        *state = State::Closed;
                        return Ok(None);
                    }
                    State::Held(by) => *state = State::Held(by),
                }
                if matches!(*state, State::Held(by) if by == this) {
                    let problem = "the writer was called by what it is writing to, or by what it writes";
                    return Err(PyRuntimeError::new_err(problem));
                }
            }
            py.detach(|| {
                let is_held = |state: &mut State<T>| matches!(state, State::Held(_));
                drop(self.is_free.wait_timeout_while(self.lock(), TICK, is_held));
            });
            py.check_signals()?;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        let value = self.value.take().filter(|_| !thread::panicking());
        *self.turn.state.lock().unwrap_or_else(PoisonError::into_inner) = value.map_or(State::Closed, State::Free);
        self.turn.is_free.notify_all();
    }
}

//! How far a stream has been read, for whoever waits.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

/// Bytes read of those that there are; who reads more, and whether more are wanted.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    is_cancelled: AtomicBool,
    /// The thread that is within a reader, which may be anyone's code.
    reading: Mutex<Option<ThreadId>>,
}

impl Progress {
    /// The bytes that have been read of files and readers, as they lie there.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Asks whoever reads to stop at the next block.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// True once that has been asked.
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, len: u64) {
        self.done.fetch_add(len, Ordering::Relaxed);
    }

    /// Notes that this thread runs a reader, which only one does at a time, as long as what is returned is there.
    pub(super) fn enter_reader(&self) -> WithinReader<'_> {
        WithinReader { progress: self, around: self.set_reading(Some(thread::current().id())) }
    }

    /// True where this is called by what is read from: what that waits for here does not come before it has returned.
    pub(super) fn is_within_reader(&self) -> bool {
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        *reading == Some(thread::current().id())
    }

    fn set_reading(&self, thread: Option<ThreadId>) -> Option<ThreadId> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut reading, thread)
    }
}

/// Where a reader runs.
pub(super) struct WithinReader<'p> {
    progress: &'p Progress,
    around: Option<ThreadId>,
}

impl Drop for WithinReader<'_> {
    fn drop(&mut self) {
        self.progress.set_reading(self.around);
    }
}

/// A reader whose bytes are counted.
pub(super) struct Counted<R> {
    pub(super) reader: R,
    pub(super) progress: Arc<Progress>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_cancelled() {
            return Err(cancelled());
        }
        let _reading = self.progress.enter_reader();
        let len = self.reader.read(bytes)?;
        self.progress.add(len as u64);
        Ok(len)
    }
}

pub(super) fn cancelled() -> io::Error {
    io::Error::other("reading was cancelled")
}

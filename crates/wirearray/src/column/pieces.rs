//! Filling one buffer from several threads: pieces whose elements stand one after the other.

use crate::slots::{Put, Slot};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::budget::Budget;
use super::buffer::{Buffer, Element};
use super::storage::HUGE_PAGE;
use crate::cores;

/// Elements that come in pieces, each of which can be counted and made without the others.
pub trait Pieces<T>: Sync {
    /// The number of pieces.
    fn len(&self) -> usize;
    /// True without any.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// How many elements a piece has.
    fn count(&self, piece: usize) -> usize;
    /// Makes the elements of a piece, for which there is just enough room; fewer where the piece has a fault.
    fn fill<'m>(&self, piece: usize, room: &'m mut [Slot<T>]) -> &'m mut [T];
}

impl<T: Element> Buffer<T> {
    /// Appends the elements of all pieces, or of those before the first that has a fault; returns how many pieces. They have
    /// `most` elements at the most, and with all that can still come there are `at_most`. No more are appended than there is
    /// room for, where that is not the buffer's own or the system has no address space for so many.
    pub fn fill_in_pieces(&mut self, threads: usize, pieces: &impl Pieces<T>, most: usize, at_most: usize) -> usize {
        let is_fresh = self.is_fresh();
        let room = self.reserve(most, at_most);
        let (touched, budget) = (if is_fresh { 0 } else { usize::MAX }, Budget::current());
        let work = Work {
            ticket: AtomicUsize::new(0),
            is_stopped: AtomicBool::new(false),
            room: Mutex::new(Room { rest: room, next: 0, carved: 0, touched, budget, taken: 0 }),
            fault: Mutex::new(None),
        };
        cores::in_threads(threads, || work.run(pieces));
        let fault = work.fault.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Room { carved, budget, taken, .. } = work.room.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (whole, len) = fault.unwrap_or((pieces.len(), carved));
        // From here on it is the buffer that has taken it.
        budget.give_back(taken);
        // Each of the pieces before the first fault has been filled to its end, and they lie side by side.
        self.advance(len);
        whole
    }
}

/// What threads that fill a buffer share.
struct Work<'m, T> {
    /// The next piece that no thread has taken.
    ticket: AtomicUsize,
    /// True once no more pieces need be taken.
    is_stopped: AtomicBool,
    room: Mutex<Room<'m, T>>,
    /// The first piece that has a fault, and the number of its first element.
    fault: Mutex<Option<(usize, usize)>>,
}

/// The part of the buffer that no piece has got yet.
struct Room<'m, T> {
    rest: &'m mut [Slot<T>],
    /// The piece whose turn it is.
    next: usize,
    /// How many elements earlier pieces have got.
    carved: usize,
    /// The address up to which memory has been made ready; lent memory is.
    touched: usize,
    /// What the memory is taken from, and how much of it has been.
    budget: Budget,
    taken: usize,
}

impl<'m, T: Element> Work<'m, T> {
    fn run(&self, pieces: &impl Pieces<T>) {
        let _stop = StopOnPanic(&self.is_stopped);
        loop {
            let piece = self.ticket.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces.len() {
                break;
            }
            let count = pieces.count(piece);
            let Some((start, room)) = self.carve(piece, count) else { break };
            if pieces.fill(piece, room).len() < count {
                self.note_fault(piece, start);
            }
        }
    }

    /// The room for a piece, once those before it have theirs; nothing where the work has been stopped.
    fn carve(&self, piece: usize, count: usize) -> Option<(usize, &'m mut [Slot<T>])> {
        loop {
            let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
            if self.is_stopped.load(Ordering::Relaxed) {
                return None;
            }
            if room.next == piece && room.rest.len() < count {
                // More elements than were announced.
                self.note_fault(piece, room.carved);
                return None;
            }
            if room.next == piece {
                return Some(room.carve(count));
            }
            drop(room);
            std::thread::yield_now();
        }
    }

    fn note_fault(&self, piece: usize, start: usize) {
        self.is_stopped.store(true, Ordering::Relaxed);
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        if fault.is_none_or(|(first, _)| piece < first) {
            *fault = Some((piece, start));
        }
    }
}

impl<'m, T: Element> Room<'m, T> {
    fn carve(&mut self, count: usize) -> (usize, &'m mut [Slot<T>]) {
        self.touch(count);
        let (carved, rest) = std::mem::take(&mut self.rest).split_at_mut(count);
        let start = self.carved;
        (self.rest, self.next, self.carved) = (rest, self.next + 1, start + count);
        (start, carved)
    }

    /// Touches the huge pages in which the next `count` elements lie, each at its last byte, as
    /// a buffer that grows does. Done in turn, because of a page that two pieces share only one thread
    /// may do it.
    fn touch(&mut self, count: usize) {
        let size = size_of::<T>();
        let start = self.rest.as_ptr().addr();
        self.touched = self.touched.max(start);
        while self.touched < start + count * size {
            let page_end = (self.touched + 1).next_multiple_of(HUGE_PAGE);
            self.budget.take(HUGE_PAGE);
            self.taken += HUGE_PAGE;
            let last = ((page_end - start) / size).min(self.rest.len()) - 1;
            let last = &mut self.rest[last];
            last.put(T::default());
            std::hint::black_box(last);
            self.touched = page_end;
        }
    }
}

/// Makes the other threads stop where the one that holds it panics: they would wait for its turn for ever.
struct StopOnPanic<'w>(&'w AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

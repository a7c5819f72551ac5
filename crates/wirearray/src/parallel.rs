//! Many messages on several cores: split by bytes, decoded apart, joined in their order.
//!
//! A piece is so small that its columns stay in the cache until they are appended to those of all: beside the result there are
//! but a few of them for each thread, and there is no pass more over it. Whoever hands in the piece whose turn it is appends it, and all that wait
//! behind it; the others go on decoding meanwhile.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::column::{Batch, Table};
use crate::cores::{self, Cores};
use crate::decode::{self, Destination, Input, Options, Views};
use crate::error::DecodeError;
use crate::plan::Plan;

/// The bytes of a piece: as much as fits into the second cache together with the columns that come of it.
const PIECE: usize = 256 << 10;

/// Pieces for each thread that may wait to be appended.
const MOST_WAITING: usize = 1;

/// Messages that lie in memory, by number.
pub trait Messages: Sync {
    /// How many there are.
    fn len(&self) -> usize;
    /// True without any.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Some of them: of each its input, and where it lies there.
    fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = (Input<'_>, Range<usize>)>;
    /// The bytes of them all, which bound what columns reserve.
    fn total_len(&self) -> usize;
}

/// Decodes messages to a table of as many rows, some of its columns into memory of a caller's own.
///
/// # Panics
///
/// Panics where a range goes past its input.
pub fn decode_many(
    plan: &Plan,
    messages: &impl Messages,
    options: Options,
    destinations: Vec<Destination>,
) -> Result<Table, DecodeError> {
    let total_len = messages.total_len();
    let threads = options.cores.for_len(total_len);
    // Views are of one run at the most, which no one has to look for with several threads.
    if threads == 1 || options.views != Views::Never {
        let all = messages.rows(0..messages.len());
        let batch = decode::batch_into(plan, destinations);
        return Ok(decode::decode_batch(plan, all, total_len, options, batch)?.finish(messages.len()));
    }
    let work = Work {
        plan,
        messages,
        options: Options { cores: Cores::ONE, ..options },
        piece_len: (total_len / 16).clamp(1, PIECE),
        most_waiting: MOST_WAITING * threads,
        taken: Mutex::new(Taken { piece: 0, row: 0, len_left: total_len }),
        handed_in: Mutex::new(HandedIn::default()),
        result: Mutex::new(decode::batch_into(plan, destinations)),
    };
    cores::in_threads(threads, || work.run());
    match into_inner(work.handed_in).fault {
        Some((_, error)) => Err(error),
        None => Ok(into_inner(work.result).finish(messages.len())),
    }
}

/// What the threads share.
struct Work<'w, M> {
    plan: &'w Plan,
    messages: &'w M,
    options: Options,
    piece_len: usize,
    most_waiting: usize,
    taken: Mutex<Taken>,
    handed_in: Mutex<HandedIn>,
    /// The rows of all pieces that have been appended.
    result: Mutex<Batch>,
}

/// How far messages have been taken.
struct Taken {
    /// The number of the next piece.
    piece: usize,
    /// The first row of the next piece.
    row: usize,
    /// The bytes of the messages from there on.
    len_left: usize,
}

/// Successive messages that one thread decodes.
struct Piece {
    number: usize,
    rows: Range<usize>,
    len: usize,
    /// The bytes of its messages and of all behind them.
    len_left: usize,
}

/// Pieces that have been decoded.
#[derive(Default)]
struct HandedIn {
    /// Those that have not been appended, by number.
    waiting: BTreeMap<usize, (Piece, Batch)>,
    /// The number of the piece that is appended next.
    next: usize,
    /// True while a thread appends.
    is_appending: bool,
    /// Batches that have been appended, to be filled again.
    spare: Vec<Batch>,
    /// The first piece that has a fault.
    fault: Option<(usize, DecodeError)>,
    /// True where a thread will not hand in its piece, for which the others must not wait.
    has_panicked: bool,
}

impl<M: Messages> Work<'_, M> {
    fn run(&self) {
        let _stop = StopOnPanic(&self.handed_in);
        while let Some(piece) = self.take() {
            let batch = lock(&self.handed_in).spare.pop();
            let batch = batch.unwrap_or_else(|| Batch::new(self.plan.layout().clone()));
            let messages = self.messages.rows(piece.rows.clone());
            match decode::decode_batch(self.plan, messages, piece.len, self.options, batch) {
                Ok(batch) => self.hand_in(piece, batch),
                Err(error) => self.note_fault(&piece, error),
            }
        }
    }

    /// The next messages that no thread has taken; none once a fault has been found.
    fn take(&self) -> Option<Piece> {
        loop {
            let handed_in = lock(&self.handed_in);
            if handed_in.fault.is_some() || handed_in.has_panicked {
                return None;
            }
            if handed_in.waiting.len() <= self.most_waiting {
                break;
            }
            drop(handed_in);
            thread::yield_now();
        }
        let mut taken = lock(&self.taken);
        if taken.row == self.messages.len() {
            return None;
        }
        let (number, start, len_left) = (taken.piece, taken.row, taken.len_left);
        let mut len = 0;
        for (_, range) in self.messages.rows(start..self.messages.len()) {
            len += range.len();
            taken.row += 1;
            if len >= self.piece_len {
                break;
            }
        }
        taken.piece += 1;
        taken.len_left = taken.len_left.saturating_sub(len);
        Some(Piece { number, rows: start..taken.row, len, len_left })
    }

    /// Appends a piece and those behind it, where it is its turn; leaves it to be appended otherwise.
    fn hand_in(&self, piece: Piece, batch: Batch) {
        let mut handed_in = lock(&self.handed_in);
        handed_in.waiting.insert(piece.number, (piece, batch));
        if handed_in.is_appending {
            return;
        }
        handed_in.is_appending = true;
        loop {
            let next = handed_in.next;
            let Some((piece, mut batch)) = handed_in.waiting.remove(&next) else { break };
            drop(handed_in);
            lock(&self.result).append(piece.rows.start, &mut batch, piece.len_left / 2 + 1);
            handed_in = lock(&self.handed_in);
            handed_in.next += 1;
            if handed_in.spare.len() < self.most_waiting {
                handed_in.spare.push(batch);
            }
        }
        handed_in.is_appending = false;
    }

    fn note_fault(&self, piece: &Piece, error: DecodeError) {
        let mut handed_in = lock(&self.handed_in);
        // Pieces are taken in their order, so those before this one are still looked at, and may have an earlier fault.
        if handed_in.fault.as_ref().is_none_or(|(first, _)| piece.number < *first) {
            let row = piece.rows.start + error.row().unwrap_or_default();
            handed_in.fault = Some((piece.number, error.in_row(row)));
        }
    }
}

/// Makes the other threads stop where the one that holds it panics.
struct StopOnPanic<'w>(&'w Mutex<HandedIn>);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(self.0).has_panicked = true;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked ends the whole call, whatever the others do meanwhile.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

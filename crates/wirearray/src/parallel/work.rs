//! What several threads share that decode pieces of one source.
//!
//! Whoever hands in the piece whose turn it is appends it, and all that wait behind it; the others go on decoding meanwhile.
//! Taking a piece can mean to read or to decompress it. One thread does that at a time, and goes on with it until there are enough
//! for the others: what may take longest is not interrupted, and stays in one core's cache.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::source::{Fault, Piece, Source, Wanted};
use super::{Decoded, decode_piece, leave_out};
use crate::column::{Batch, Budget};
use crate::decode::{self, Decoder, Options};
use crate::error::DecodeError;
use crate::plan::Plan;

/// The bytes of a piece: as much as fits into the second cache together with the columns that come of it.
const PIECE: usize = 256 << 10;

/// What the threads share.
pub(super) struct Work<'w, S: Source> {
    plan: &'w Plan,
    options: Options,
    /// What all of them take memory from.
    budget: Budget,
    piece_len: usize,
    /// Pieces that may wait to be decoded, and others that may wait to be appended.
    most_waiting: usize,
    taken: Mutex<Taken<'w, S>>,
    /// There is something new for those that wait for a piece.
    news: Condvar,
    handed_in: Mutex<HandedIn<S::Piece>>,
    result: Mutex<Appended>,
}

/// How far the source has been taken.
struct Taken<'w, S: Source> {
    /// Nothing while a thread takes from it.
    source: Option<&'w mut S>,
    /// Pieces that no thread decodes yet.
    queue: VecDeque<Share<S::Piece>>,
    wanted: Wanted,
    /// The number of the next piece.
    number: usize,
    /// The bytes of all pieces.
    len: usize,
    is_over: bool,
}

/// A piece that one thread decodes, or why there is none.
struct Share<P> {
    number: usize,
    /// The bytes of the source from this piece on, as far as one can know.
    len_left: usize,
    piece: Result<P, Fault>,
}

/// What became of a piece.
struct Done<P> {
    /// The piece itself, unless it is a fault.
    piece: Option<P>,
    batch: Batch,
    rows: usize,
    messages: usize,
    faults: Vec<DecodeError>,
    stop: Option<Fault>,
    len_left: usize,
}

/// Pieces that have been decoded.
struct HandedIn<P> {
    /// Those that have not been appended, by number.
    waiting: BTreeMap<usize, Done<P>>,
    /// The number of the piece that is appended next.
    next: usize,
    /// True while a thread appends.
    is_appending: bool,
    /// Batches that have been appended, to be filled again.
    spare: Vec<Batch>,
    /// True where no more pieces are wanted: after a fault, or where a thread will not hand in its own.
    is_over: bool,
}

/// All pieces that have been appended.
struct Appended {
    batch: Batch,
    rows: usize,
    messages: usize,
    faults: Vec<DecodeError>,
    stop: Option<Fault>,
}

impl<P> HandedIn<P> {
    fn new() -> Self {
        Self { waiting: BTreeMap::new(), next: 0, is_appending: false, spare: Vec::new(), is_over: false }
    }
}

/// Batches of more columns are not filled again: each time they are appended all that were ever made are looked at, and hostile
/// messages can make a column with every few of their bytes.
const MOST_SPARE: usize = 1000;

impl<'w, S: Source> Work<'w, S> {
    pub(super) fn new(
        plan: &'w Plan,
        source: &'w mut S,
        wanted: Wanted,
        options: Options,
        batch: Batch,
        threads: usize,
    ) -> Self {
        let len = source.len_left().unwrap_or(usize::MAX);
        let source = Some(source);
        let queue = VecDeque::new();
        let taken = Taken { source, queue, wanted, number: 0, len: 0, is_over: false };
        let result = Appended { batch, rows: 0, messages: 0, faults: Vec::new(), stop: None };
        Self {
            plan,
            options,
            budget: Budget::current(),
            piece_len: (len / 16).clamp(1, PIECE),
            most_waiting: threads,
            taken: Mutex::new(taken),
            news: Condvar::new(),
            handed_in: Mutex::new(HandedIn::new()),
            result: Mutex::new(result),
        }
    }

    pub(super) fn run(&self) {
        self.budget.within(|| self.decode_pieces());
    }

    fn decode_pieces(&self) {
        let _stop = StopOnPanic(self);
        while let Some(share) = self.take() {
            let batch = lock(&self.handed_in).spare.pop();
            let batch = batch.unwrap_or_else(|| decode::batch(self.plan, self.options, Vec::new()));
            let mut decoder = Decoder::new(self.plan, self.options, batch);
            let (piece, decoded) = match share.piece {
                Ok(piece) => {
                    let decoded = decode_piece(&mut decoder, &piece, piece.bytes_len());
                    (Some(piece), decoded)
                }
                Err(fault) => (None, leave_out(&mut decoder, fault)),
            };
            let (messages, faults) = (decoder.messages(), std::mem::take(decoder.faults()));
            let (batch, rows) = decoder.into_batch();
            let (stop, len_left) = (decoded.err(), share.len_left);
            self.hand_in(share.number, Done { piece, batch, rows, messages, faults, stop, len_left });
        }
    }

    pub(super) fn finish(self) -> Decoded {
        let Appended { batch, rows, messages, faults, stop } = into_inner(self.result);
        Decoded { table: batch.finish(rows), messages, faults, stop }
    }

    /// The next messages that no thread has taken.
    fn take(&self) -> Option<Share<S::Piece>> {
        loop {
            let handed_in = lock(&self.handed_in);
            if handed_in.is_over {
                return None;
            }
            if handed_in.waiting.len() <= self.most_waiting {
                break;
            }
            drop(handed_in);
            thread::yield_now();
        }
        let mut taken = lock(&self.taken);
        loop {
            let is_wanted = !taken.is_over && taken.queue.len() < self.most_waiting;
            if let Some(source) = taken.source.take_if(|_| is_wanted) {
                let wanted = Wanted { len: taken.wanted.len.min(self.piece_len), ..taken.wanted };
                drop(taken);
                let piece = source.next_piece(wanted).transpose();
                let len_left = source.len_left();
                taken = lock(&self.taken);
                taken.source = Some(source);
                taken.note(piece, len_left);
                if taken.is_over { self.news.notify_all() } else { self.news.notify_one() }
            } else if let Some(share) = taken.queue.pop_front() {
                return Some(share);
            } else if taken.is_over {
                return None;
            } else {
                taken = self.news.wait(taken).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Appends a piece and those behind it, where it is its turn; leaves it to be appended otherwise.
    fn hand_in(&self, number: usize, done: Done<S::Piece>) {
        let mut handed_in = lock(&self.handed_in);
        handed_in.waiting.insert(number, done);
        if handed_in.is_appending {
            return;
        }
        handed_in.is_appending = true;
        loop {
            let next = handed_in.next;
            let Some(mut done) = handed_in.waiting.remove(&next) else { break };
            drop(handed_in);
            // A batch in which memory ran short may be one in which columns end wherever they did.
            let is_whole = done.stop.is_none();
            let is_over = lock(&self.result).append(self.plan, self.options, &mut done);
            handed_in = lock(&self.handed_in);
            handed_in.next += 1;
            handed_in.is_over |= is_over;
            let is_small = done.batch.columns_made() <= MOST_SPARE;
            if is_whole && is_small && handed_in.spare.len() < self.most_waiting {
                handed_in.spare.push(done.batch);
            }
        }
        handed_in.is_appending = false;
    }
}

impl<S: Source> Taken<'_, S> {
    /// Notes what the source has given last.
    fn note(&mut self, piece: Option<Result<S::Piece, Fault>>, len_left: Option<usize>) {
        self.is_over |= !matches!(piece, Some(Ok(_) | Err(Fault::Message(_))));
        let Some(piece) = piece else { return };
        match &piece {
            Ok(piece) => {
                self.wanted.subtract(piece);
                self.len += piece.bytes_len();
            }
            Err(_) => self.wanted.messages = self.wanted.messages.saturating_sub(1),
        }
        let number = self.number;
        self.number += 1;
        // Without an end in sight, room for four times as much as there was costs address space alone.
        let len_left = len_left.unwrap_or(4 * self.len).min(self.wanted.len);
        let len_left = len_left.saturating_add(piece.as_ref().map_or(0, Piece::bytes_len));
        self.queue.push_back(Share { number, len_left, piece });
    }
}

impl Appended {
    /// Appends what became of the next piece, unless an earlier one was the end; returns whether there is an end now.
    fn append(&mut self, plan: &Plan, options: Options, done: &mut Done<impl Piece>) -> bool {
        if self.stop.is_none() {
            if self.rows == 0 && self.batch.is_void() {
                // The first piece may be one message that is as long as all.
                std::mem::swap(&mut self.batch, &mut done.batch);
            } else if self.batch.is_full() || done.batch.is_full() {
                // Which messages are kept unread depends on those before, so that columns of one are strings of the other.
                self.decode_again(plan, options, done);
            } else {
                // Each row takes a tag and a length at least.
                self.batch.append(self.rows, &mut done.batch, done.len_left / 2 + 1);
            }
            let messages = self.messages;
            done.faults.iter_mut().for_each(|error| error.shift_row(messages));
            self.faults.append(&mut done.faults);
            self.stop = done.stop.take();
            if let Some(Fault::Message(error) | Fault::Frame(error)) = &mut self.stop {
                error.shift_row(messages);
            }
            self.rows += done.rows;
            self.messages += done.messages;
        }
        self.stop.is_some()
    }

    /// Decodes a piece once more, behind all before it.
    #[cold]
    fn decode_again(&mut self, plan: &Plan, options: Options, done: &mut Done<impl Piece>) {
        done.batch.truncate(0);
        let Some(piece) = &done.piece else { return };
        let batch = std::mem::replace(&mut self.batch, decode::batch(plan, options, Vec::new()));
        let mut decoder = Decoder::behind(plan, options, batch, self.rows);
        done.stop = decode_piece(&mut decoder, piece, done.len_left).err();
        (done.messages, done.faults) = (decoder.messages(), std::mem::take(decoder.faults()));
        let rows;
        (self.batch, rows) = decoder.into_batch();
        done.rows = rows - self.rows;
    }
}

/// Makes the other threads stop where the one that holds it panics.
struct StopOnPanic<'w, 's, S: Source>(&'w Work<'s, S>);

impl<S: Source> Drop for StopOnPanic<'_, '_, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.handed_in).is_over = true;
            lock(&self.0.taken).is_over = true;
            self.0.news.notify_all();
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

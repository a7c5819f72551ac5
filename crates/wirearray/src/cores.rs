//! Several threads for one piece of work.
//!
//! Threads are started for the work at hand and end with it: there is no pool that a fork could lose, and no state. Starting one
//! takes some 25 µs, so work has to be large before a second one helps.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// How many threads may work together, and at what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    /// The most threads, the calling one among them; without a number as many as there are cores.
    pub threads: Option<usize>,
    /// The bytes of input from which on there is a second one.
    pub least_len: usize,
}

impl Cores {
    /// The calling thread alone.
    pub const ONE: Self = Self { threads: Some(1), least_len: Self::LEAST_LEN };

    /// As many threads as this process may use cores, for inputs that are worth it.
    pub const ALL: Self = Self { threads: None, least_len: Self::LEAST_LEN };

    /// Decoding so many bytes takes about half a millisecond, twenty times as long as starting a thread.
    pub const LEAST_LEN: usize = 4 << 20;

    /// Up to so many threads for inputs that are worth it.
    pub fn up_to(threads: usize) -> Self {
        Self { threads: Some(threads), ..Self::ONE }
    }

    /// The threads for an input of `len` bytes.
    pub fn for_len(self, len: usize) -> usize {
        if len < self.least_len || self.threads == Some(1) {
            return 1;
        }
        // To ask the system takes longer than to decode a small input.
        let most = self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
        most.min(len / (self.least_len / 2).max(1)).max(1)
    }
}

/// Does `work` in so many threads at once, one of them the calling one. Where the system refuses to start one, there are fewer,
/// so the work must not rely on their number.
///
/// # Panics
///
/// Panics as the work does, in whichever thread.
pub fn in_threads(threads: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().name("wirearray".to_owned()).spawn_scoped(scope, &work).ok();
        let others: Vec<_> = (1..threads).map_while(start).collect();
        work();
        for other in others {
            // The scope would panic too, but not with what the thread did.
            other.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_inputs_get_one_thread_and_larger_ones_no_more_than_help() {
        let cores = Cores { threads: Some(8), least_len: 100 };
        assert_eq!([0, 99, 100, 199, 1_000_000].map(|len| cores.for_len(len)), [1, 1, 2, 3, 8]);
        assert_eq!(Cores::ONE.for_len(usize::MAX / 2), 1);
    }
}

//! Batches of a stream, of which the next one is decoded while the caller works on the last.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::chain::{Chain, Place};
use super::mcap::Stamps;
use super::progress::Progress;
use crate::decode::Options;
use crate::error::DecodeError;
use crate::parallel::{Decoded, Fault, Wanted, decode_source};
use crate::plan::Plan;

/// Some messages of a stream.
pub struct ScanBatch {
    /// How many batches there were before it.
    pub number: usize,
    /// What became of them. Rows of errors count from the start of the stream.
    pub decoded: Decoded,
    /// Where the stream stands behind them.
    pub place: Place,
    /// What MCAP files say of the rows; nothing of other streams.
    pub stamps: Option<Stamps>,
}

/// A stream that a thread of its own decodes, one batch ahead.
pub struct Ahead {
    // Waiting for a batch must not keep others from asking how far it is.
    batches: Mutex<Receiver<ScanBatch>>,
    progress: Arc<Progress>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Ahead {
    /// Starts to decode batches, each of as much as is wanted.
    pub fn start(plan: Arc<Plan>, mut chain: Chain, wanted: Wanted, options: Options) -> io::Result<Self> {
        let progress = Arc::clone(chain.progress());
        // Without room in between, the thread waits with a batch in its hands until the last one is wanted no more.
        let (sender, batches) = sync_channel(0);
        let work = move || decode_batches(&plan, &mut chain, wanted, options, &sender);
        let thread = thread::Builder::new().name("wirearray".to_owned()).spawn(work)?;
        Ok(Self { batches: Mutex::new(batches), progress, thread: Mutex::new(Some(thread)) })
    }

    /// The next batch; nothing at the end. An error where it takes longer than one would wait for it, or never comes.
    pub fn next(&self, most: Duration) -> Result<Option<ScanBatch>, NoBatch> {
        if self.progress.is_within_reader() {
            return Err(NoBatch::WithinReader);
        }
        let received = self.batches.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(most);
        match received {
            Ok(batch) => Ok(Some(batch)),
            Err(RecvTimeoutError::Timeout) => Err(NoBatch::NotYet),
            Err(RecvTimeoutError::Disconnected) => {
                let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(Err(panic)) = thread.map(JoinHandle::join) {
                    resume_unwind(panic);
                }
                Ok(None)
            }
        }
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }
}

impl Drop for Ahead {
    /// The thread ends by itself, at its next block: to wait for a reader could take long.
    fn drop(&mut self) {
        self.progress.cancel();
    }
}

/// Why there is no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoBatch {
    /// It takes longer than one would wait for it.
    NotYet,
    /// Who waits for it is what the stream reads from, at this moment.
    WithinReader,
}

/// In front of a bad message: whoever goes on there meets it again.
fn place_of(error: &DecodeError) -> Option<Place> {
    error.frame().map(|offset| Place { name: error.file().map(Arc::from), offset })
}

fn decode_batches(plan: &Plan, chain: &mut Chain, wanted: Wanted, options: Options, sender: &SyncSender<ScanBatch>) {
    let mut messages = 0;
    for number in 0.. {
        chain.prepare();
        let mut decoded = decode_source(plan, chain, wanted, options);
        let stamps = chain.stamps(&decoded);
        let is_empty = decoded.messages == 0;
        let is_last = decoded.stop.is_some();
        if is_empty && !is_last {
            return;
        }
        let stop = match &mut decoded.stop {
            Some(Fault::Message(error) | Fault::Frame(error)) => Some(error),
            _ => None,
        };
        decoded.faults.iter_mut().chain(stop).for_each(|error| error.shift_row(messages));
        messages += decoded.messages;
        let place = match &decoded.stop {
            // The source may be far behind the message, even in another stream.
            Some(Fault::Message(error)) => place_of(error).unwrap_or_else(|| chain.place()),
            _ => chain.place(),
        };
        let batch = ScanBatch { number, decoded, place, stamps };
        // Whoever wanted them may be gone.
        if sender.send(batch).is_err() || is_last {
            return;
        }
    }
}

//! Many messages, by one thread or several: taken piece by piece, decoded apart, appended in their order.
//!
//! With several threads a piece is so small that its columns stay in the cache until they are appended to those of all: beside
//! the result there are but a few of them for each thread, and there is no pass more over it.

mod listed;
mod registered;
mod source;
mod work;

pub use listed::Messages;
pub use registered::schema_ids;
pub use source::{Fault, Piece, Source, Wanted};

use crate::DecodeError;
use crate::column::{Batch, Table};
use crate::cores::{self, Cores};
use crate::decode::{self, Decoder, Destination, Options, Views};
use crate::plan::Plan;
use listed::Listed;
use registered::Registered;
use work::Work;

/// What became of messages.
#[derive(Debug)]
pub struct Decoded {
    /// A row for each message that is not bad.
    pub table: Table,
    /// How many messages there were, those that were left out among them.
    pub messages: usize,
    /// The errors of those that were left out; the row of each is its number among all messages.
    pub faults: Vec<DecodeError>,
    /// Why the rest is missing, where something is wrong with it.
    pub stop: Option<Fault>,
}

impl Decoded {
    /// The table, if nothing is missing at its end.
    pub fn whole(self) -> Result<Table, Fault> {
        self.stop.map_or(Ok(self.table), Err)
    }
}

/// Decodes messages that lie in memory to a table, some of its columns into memory of a caller's own.
///
/// # Panics
///
/// Panics where a range goes past its input.
pub fn decode_many(plan: &Plan, messages: &impl Messages, options: Options, destinations: Vec<Destination>) -> Decoded {
    let batch = decode::batch(plan, options, destinations);
    decode_source_into(plan, &mut Listed::new(messages), Wanted::ALL, options, batch)
}

/// The same of messages behind the headers of a schema registry.
///
/// # Panics
///
/// Panics where a range goes past its input.
pub fn decode_registered(
    plan: &Plan,
    messages: &impl Messages,
    options: Options,
    destinations: Vec<Destination>,
) -> Decoded {
    let batch = decode::batch(plan, options, destinations);
    let path = &plan.schema().message(plan.message(0).message).path;
    decode_source_into(plan, &mut Registered::new(messages, path), Wanted::ALL, options, batch)
}

/// Decodes the next messages of a source to a table.
pub fn decode_source(plan: &Plan, source: &mut impl Source, wanted: Wanted, options: Options) -> Decoded {
    decode_source_into(plan, source, wanted, options, decode::batch(plan, options, Vec::new()))
}

fn decode_source_into(
    plan: &Plan,
    source: &mut impl Source,
    wanted: Wanted,
    options: Options,
    batch: Batch,
) -> Decoded {
    options.within_budget(|| decode_together(plan, source, wanted, options, batch)).unwrap_or_else(|shortage| {
        let table = Batch::new(plan.layout().clone()).finish(0);
        Decoded { table, messages: 0, faults: Vec::new(), stop: Some(Fault::Message(shortage)) }
    })
}

fn decode_together(plan: &Plan, source: &mut impl Source, wanted: Wanted, options: Options, batch: Batch) -> Decoded {
    let threads = options.cores.for_len(source.len_left().unwrap_or(usize::MAX).min(wanted.len));
    // Views are of one run at the most, which no one has to look for with several threads.
    if threads == 1 || options.views != Views::Never {
        return decode_alone(plan, source, wanted, options, batch);
    }
    let work = Work::new(plan, source, wanted, Options { cores: Cores::ONE, ..options }, batch, threads);
    cores::in_threads(threads, || work.run());
    work.finish()
}

fn decode_alone(plan: &Plan, source: &mut impl Source, wanted: Wanted, options: Options, batch: Batch) -> Decoded {
    let mut decoder = Decoder::new(plan, options, batch);
    let mut left = wanted;
    let first = source.taken_len();
    let stop = loop {
        let (known, before) = (decoder.faults().len(), source.taken_len());
        let earlier = decoder.messages();
        // Without an end in sight, room for four times as much as there was costs address space alone.
        let len = usize::try_from(before - first).unwrap_or(usize::MAX);
        let len_left = source.len_left().unwrap_or(4 * len).min(left.len);
        let pushed = match source.next_messages(left) {
            Ok(Some(messages)) => Ok(decoder.push_all(messages, len_left)),
            Ok(None) => break None,
            Err(fault) => Err(fault),
        };
        let decoded = match pushed {
            Ok(decoded) => {
                decoder.faults()[known..].iter_mut().for_each(|error| source.place(error));
                decoded.map_err(|mut error| {
                    source.place(&mut error);
                    error.set_frame(error.row().and_then(|row| source.frame_of(row - earlier)));
                    Fault::Message(error)
                })
            }
            Err(fault) => leave_out(&mut decoder, fault),
        };
        if let Err(fault) = decoded {
            break Some(fault);
        }
        let len = usize::try_from(source.taken_len() - first).unwrap_or(usize::MAX);
        left = Wanted {
            messages: wanted.messages.saturating_sub(decoder.messages()),
            len: wanted.len.saturating_sub(len),
        };
    };
    let (messages, faults) = (decoder.messages(), std::mem::take(decoder.faults()));
    let (batch, rows) = decoder.into_batch();
    Decoded { table: batch.finish(rows), messages, faults, stop }
}

/// Goes on without a bad message, or ends there; ends at every other fault.
fn leave_out(decoder: &mut Decoder<'_>, fault: Fault) -> Result<(), Fault> {
    match fault {
        Fault::Message(error) => decoder.leave_out(error).map_err(Fault::Message),
        Fault::Frame(mut error) => {
            error.shift_row(decoder.messages());
            Err(Fault::Frame(error))
        }
        Fault::Source(_) => Err(fault),
    }
}

/// Decodes a piece, behind which there may be more: `len_left` bytes with those of the piece.
fn decode_piece(decoder: &mut Decoder<'_>, piece: &impl Piece, len_left: usize) -> Result<(), Fault> {
    let (known, earlier) = (decoder.faults().len(), decoder.messages());
    let decoded = decoder.push_all(piece.messages(), len_left);
    decoder.faults()[known..].iter_mut().for_each(|error| piece.place(error));
    decoded.map_err(|mut error| {
        piece.place(&mut error);
        error.set_frame(error.row().and_then(|row| piece.frame_of(row - earlier)));
        Fault::Message(error)
    })
}

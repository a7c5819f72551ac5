//! What MCAP says of each message beside the message itself.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::column::{Shortage, Taken};
use crate::error::DecodeError;
use crate::framing::mcap::Stamp;

/// When messages were recorded and published, and what they are about: an entry for each.
#[derive(Debug, Clone, Default)]
pub struct Stamps {
    /// When each was recorded, in nanoseconds.
    pub log_times: Vec<u64>,
    /// When each was published, in nanoseconds.
    pub publish_times: Vec<u64>,
    /// The number of each in its channel; none at all where they are to be written and counted on the way.
    pub sequences: Vec<u32>,
    /// Which of the topics each is about.
    pub topics: Vec<u32>,
    /// The names of the topics, of messages that came before too.
    pub topic_names: Vec<Arc<str>>,
}

impl Stamps {
    /// Those of the given messages, in that order.
    ///
    /// # Panics
    ///
    /// Panics where there are not that many.
    #[must_use]
    pub fn take(&self, messages: &[usize]) -> Self {
        Self {
            log_times: messages.iter().map(|&message| self.log_times[message]).collect(),
            publish_times: messages.iter().map(|&message| self.publish_times[message]).collect(),
            sequences: messages.iter().map(|&message| self.sequences[message]).collect(),
            topics: messages.iter().map(|&message| self.topics[message]).collect(),
            topic_names: self.topic_names.clone(),
        }
    }

    /// Those of the given messages, of which none is left out.
    ///
    /// # Panics
    ///
    /// Panics where there are not that many.
    #[must_use]
    pub fn slice(&self, messages: Range<usize>) -> Self {
        Self {
            log_times: self.log_times[messages.clone()].to_vec(),
            publish_times: self.publish_times[messages.clone()].to_vec(),
            sequences: self.sequences[messages.clone()].to_vec(),
            topics: self.topics[messages].to_vec(),
            topic_names: self.topic_names.clone(),
        }
    }
}

/// Those of messages that are being read, until it is known what was decoded of them.
#[derive(Default)]
pub(super) struct Noted {
    stamps: Stamps,
    /// The numbers of the topics: a file can declare as many as it has bytes for.
    numbers: HashMap<Arc<str>, u32>,
    /// The memory of the entries.
    taken: Taken,
}

/// The bytes of an entry.
const ENTRY: usize = 8 + 8 + 4 + 4;

/// Entries there is room for at first.
const LEAST: usize = 256;

impl Noted {
    pub(super) fn push(&mut self, stamp: &Stamp, topic: u32) {
        let Stamps { log_times, publish_times, sequences, topics, .. } = &mut self.stamps;
        if log_times.len() == log_times.capacity() {
            let more = log_times.len().max(LEAST);
            self.taken.add(more * ENTRY);
            let room = log_times.try_reserve_exact(more).and_then(|()| publish_times.try_reserve_exact(more));
            let room = room.and_then(|()| sequences.try_reserve_exact(more));
            room.and_then(|()| topics.try_reserve_exact(more)).unwrap_or_else(|_| Shortage::System.unwind());
        }
        log_times.push(stamp.log_time);
        publish_times.push(stamp.publish_time);
        sequences.push(stamp.sequence);
        topics.push(topic);
    }

    /// An entry for what is no message, so that others keep their numbers.
    pub(super) fn push_fault(&mut self) {
        self.push(&Stamp { channel: 0, sequence: 0, log_time: 0, publish_time: 0 }, 0);
    }

    /// The number of a topic.
    pub(super) fn topic(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let (name, number) = (Arc::<str>::from(name), self.stamps.topic_names.len());
        let number = u32::try_from(number).expect("memory ends before numbers of topics do");
        self.stamps.topic_names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    /// Those of as many messages as were decoded, without those that were left out; all that were taken are forgotten.
    pub(super) fn of_decoded(&mut self, messages: usize, faults: &[DecodeError]) -> Stamps {
        let topic_names = self.stamps.topic_names.clone();
        let mut decoded = std::mem::replace(&mut self.stamps, Stamps { topic_names, ..Stamps::default() });
        self.taken = Taken::default();
        keep(&mut decoded.log_times, messages, faults);
        keep(&mut decoded.publish_times, messages, faults);
        keep(&mut decoded.sequences, messages, faults);
        keep(&mut decoded.topics, messages, faults);
        decoded
    }
}

/// Leaves the entries of as many messages, without those that have a fault.
fn keep<T>(entries: &mut Vec<T>, messages: usize, faults: &[DecodeError]) {
    entries.truncate(messages);
    let mut faults = faults.iter().filter_map(DecodeError::row).peekable();
    if faults.peek().is_some() {
        let mut rows = 0..;
        entries.retain(|_| rows.next().is_some_and(|row| faults.next_if_eq(&row).is_none()));
    }
}

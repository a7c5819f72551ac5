//! What MCAP says of each message beside the message itself.

use std::ops::Range;
use std::sync::Arc;

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

    pub(super) fn push(&mut self, stamp: &Stamp, topic: u32) {
        self.log_times.push(stamp.log_time);
        self.publish_times.push(stamp.publish_time);
        self.sequences.push(stamp.sequence);
        self.topics.push(topic);
    }

    /// An entry for what is no message, so that others keep their numbers.
    pub(super) fn push_fault(&mut self) {
        self.push(&Stamp { channel: 0, sequence: 0, log_time: 0, publish_time: 0 }, 0);
    }

    /// The number of a topic.
    pub(super) fn topic(&mut self, name: &str) -> u32 {
        let known = self.topic_names.iter().position(|known| **known == *name);
        let index = known.unwrap_or_else(|| {
            self.topic_names.push(name.into());
            self.topic_names.len() - 1
        });
        u32::try_from(index).expect("channels have 16 bits, and files are fewer than that")
    }

    /// Those of as many messages as were decoded, without those that were left out; all that were taken are forgotten.
    pub(super) fn of_decoded(&mut self, messages: usize, faults: &[DecodeError]) -> Self {
        let topic_names = self.topic_names.clone();
        let taken = std::mem::replace(self, Self { topic_names, ..Self::default() });
        let mut faults = faults.iter().filter_map(DecodeError::row).peekable();
        let kept: Vec<usize> = (0..messages).filter(|row| faults.next_if_eq(row).is_none()).collect();
        taken.take(&kept)
    }
}

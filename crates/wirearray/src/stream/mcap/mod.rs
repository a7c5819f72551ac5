//! MCAP files: the messages of one type among all that a robot logs, with their times; and files of such messages.
//!
//! They are read from the front, in the order in which they lie in the file: that needs no index, so a file that is still being
//! written or was cut short is read as any other, and so is what comes through a pipe. In memory are one chunk and what is being
//! decoded of it.

mod contents;
mod records;
mod stamps;
mod summary;
mod writer;

pub use contents::{Contents, Topic, contents};
pub use stamps::Stamps;
pub use writer::{McapWriter, TopicsFault};

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use super::Extent;
use super::chunk::{Chunk, Origin};
use super::window::{CHUNK, Following};
use crate::column::Owner;
use crate::error::{DecodeErrorKind, McapFault, WireError};
use crate::framing::mcap::{self, Channel, Record, Schema, Stamp};
use crate::parallel::{Decoded, Fault, Wanted};
use records::{Block, Records};
use stamps::Noted;

/// Which messages of MCAP files are wanted.
#[derive(Debug, Clone)]
pub struct McapSelection {
    /// Those of this type, by its full name.
    pub message: String,
    /// Those of these topics; of all where nothing is said.
    pub topics: Option<Vec<String>>,
    /// Whether checksums of chunks and files are looked at.
    pub verify: bool,
}

impl McapSelection {
    fn wants(&self, message: &str, topic: &str) -> bool {
        self.message == message && self.topics.as_ref().is_none_or(|topics| topics.iter().any(|known| known == topic))
    }
}

/// No channel of the files has messages that are wanted.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.explain())]
pub struct NoChannel {
    selection: McapSelection,
    topics: Vec<Topic>,
}

impl NoChannel {
    fn explain(&self) -> String {
        let McapSelection { message, topics, .. } = &self.selection;
        let of_topics = topics.as_ref().map_or_else(String::new, |topics| format!(" on {}", topics.join(" or ")));
        let found: Vec<String> =
            self.topics.iter().map(|topic| format!("{} with {}", topic.name, topic.message)).collect();
        format!("no channel has messages of {message}{of_topics}; there are {}", found.join(", "))
    }
}

/// What is read of MCAP files that follow one another.
pub(super) struct Reading {
    selection: McapSelection,
    stamps: Noted,
    /// Channels whose messages are not wanted.
    others: BTreeSet<Topic>,
    has_found: bool,
}

impl Reading {
    pub(super) fn new(selection: McapSelection) -> Self {
        Self { selection, stamps: Noted::default(), others: BTreeSet::new(), has_found: false }
    }

    pub(super) fn is_verified(&self) -> bool {
        self.selection.verify
    }

    /// What is said of the messages that became rows; all that were taken are forgotten.
    pub(super) fn stamps_of(&mut self, decoded: &Decoded) -> Stamps {
        self.stamps.of_decoded(decoded.messages, &decoded.faults)
    }

    /// Why there was nothing to read, at the end of all files: said once.
    pub(super) fn explain_nothing(&mut self) -> Option<NoChannel> {
        let topics: Vec<_> = std::mem::take(&mut self.others).into_iter().collect();
        let selection = self.selection.clone();
        (!self.has_found && !topics.is_empty()).then_some(NoChannel { selection, topics })
    }
}

/// An MCAP file.
pub(super) struct Mcap {
    records: Records,
    block: Option<Block>,
    declared: Declared,
    /// The messages that are being decoded by the one thread that there is.
    followed: Option<Chunk>,
    /// The bytes of the file, where they are known.
    len: Option<u64>,
    taken_len: u64,
}

impl Mcap {
    pub(super) fn new(reader: Box<dyn Read + Send>, extent: &Extent, origin: Origin, verify: bool) -> Self {
        let records = Records::new(reader, origin.name, verify);
        // A stream without a length has an extent without an end.
        let len = (extent.end < u64::MAX).then_some(extent.end);
        Self { records, block: None, declared: Declared::default(), followed: None, len, taken_len: 0 }
    }

    /// Whether a message lies ahead that is wanted. A bad one is left behind, and so is a bad chunk.
    pub(super) fn find(&mut self, reading: &mut Reading) -> Result<bool, Fault> {
        loop {
            let (fault, end) = match self.look(reading) {
                Some(Ahead::Message(..)) => return Ok(true),
                Some(Ahead::Bad(fault, end)) => (fault, end),
                None => match self.records.next_block() {
                    Ok(Some(block)) => {
                        self.block = Some(block);
                        continue;
                    }
                    Ok(None) => return Ok(false),
                    Err(fault) => {
                        if matches!(fault, Fault::Message(_)) {
                            reading.stamps.push_fault();
                        }
                        return Err(fault);
                    }
                },
            };
            if let Some(block) = &mut self.block {
                let error = block.origin.error(WireError::new(DecodeErrorKind::Mcap(fault), block.at));
                block.at = end;
                reading.stamps.push_fault();
                return Err(Fault::Message(error));
            }
        }
    }

    /// Takes messages where one lies ahead. What stops them is found again by [`Mcap::find`].
    pub(super) fn take(&mut self, wanted: Wanted, reading: &mut Reading) -> Option<Chunk> {
        let (mut messages, mut len) = (Vec::new(), 0);
        while messages.len() < wanted.messages && len < wanted.len.min(CHUNK) {
            let Some(Ahead::Message(message, stamp, topic)) = self.look(reading) else { break };
            reading.stamps.push(&stamp, topic);
            // Those of empty messages take memory too.
            len += Stamp::LEN + message.len();
            self.block.as_mut()?.at = message.end;
            messages.push(message);
        }
        self.taken_len += len as u64;
        let block = self.block.as_ref()?;
        Some(Chunk::listed(Owner::clone(&block.bytes), messages, block.origin.clone()))
    }

    /// The same, for the one thread that there is.
    pub(super) fn follow(&mut self, wanted: Wanted, reading: &mut Reading) -> Option<Following<'_>> {
        self.followed = self.take(wanted, reading);
        let (input, messages) = self.followed.as_ref()?.listed_messages();
        Some(Following::Listed(input, messages.iter()))
    }

    /// Where the messages are from that are followed.
    pub(super) fn origin(&self) -> Option<&Origin> {
        self.block.as_ref().map(|block| &block.origin)
    }

    /// Within a chunk there is no place where reading could go on.
    pub(super) fn position(&self) -> u64 {
        self.records.position()
    }

    /// The bytes of the messages that were taken.
    pub(super) fn taken_len(&self) -> u64 {
        self.taken_len
    }

    /// About as many bytes as the file has left: what is compressed becomes more, and other messages are not wanted.
    pub(super) fn len_left(&self) -> Option<usize> {
        let left = usize::try_from(self.len?.saturating_sub(self.records.position())).unwrap_or(usize::MAX);
        Some(left.saturating_add(self.len_at_hand()))
    }

    /// The bytes that are in memory and have not been read.
    pub(super) fn len_at_hand(&self) -> usize {
        self.block.as_ref().map_or(0, |block| (*block.bytes).as_ref().len() - block.at)
    }

    /// What lies ahead in the block, behind all that is not wanted; nothing at its end.
    fn look(&mut self, reading: &mut Reading) -> Option<Ahead> {
        let block = self.block.as_mut()?;
        let bytes = (*block.bytes).as_ref();
        loop {
            let record = match mcap::record_at(bytes, block.at) {
                Ok(record) => record?,
                Err(fault) => return Some(Ahead::Bad(fault, bytes.len())),
            };
            match self.declared.read(&record, reading) {
                Ok(None) => block.at = record.end,
                Ok(Some((stamp, topic))) => {
                    return Some(Ahead::Message(record.start + Stamp::LEN..record.end, stamp, topic));
                }
                Err(fault) => return Some(Ahead::Bad(fault, record.end)),
            }
        }
    }
}

/// What lies ahead.
enum Ahead {
    /// A message that is wanted, and its topic.
    Message(Range<usize>, Stamp, u32),
    /// What is none, with the byte behind it.
    Bad(McapFault, usize),
}

/// What is known of channels.
#[derive(Default)]
struct Declared {
    schemas: Schemas,
    channels: Vec<Option<Messages>>,
}

impl Declared {
    /// Learns what a record declares; says what stands in front of the message in it, if it is wanted, and its topic.
    fn read(&mut self, record: &Record<'_>, reading: &mut Reading) -> Result<Option<(Stamp, u32)>, McapFault> {
        match record.opcode {
            mcap::SCHEMA => self.schemas.declare(&Schema::read(record.content)?),
            mcap::CHANNEL => self.declare(&Channel::read(record.content)?, reading),
            mcap::MESSAGE => {
                let stamp = Stamp::read(record.content)?;
                return match self.channels.get(usize::from(stamp.channel)) {
                    Some(Some(Messages::Wanted(topic))) => Ok(Some((stamp, *topic))),
                    Some(Some(Messages::Unwanted)) => Ok(None),
                    _ => Err(McapFault::Channel(stamp.channel)),
                };
            }
            _ => {}
        }
        Ok(None)
    }

    fn declare(&mut self, channel: &Channel<'_>, reading: &mut Reading) {
        let declared = match self.schemas.message_of(channel) {
            Some(message) if reading.selection.wants(message, channel.topic) => {
                reading.has_found = true;
                Some(Messages::Wanted(reading.stamps.topic(channel.topic)))
            }
            Some(message) => {
                reading.others.insert(Topic { name: channel.topic.into(), message: Arc::clone(message) });
                Some(Messages::Unwanted)
            }
            None if self.schemas.knows_schema_of(channel) => {
                reading.others.insert(Topic { name: channel.topic.into(), message: "no protobuf".into() });
                Some(Messages::Unwanted)
            }
            None => None,
        };
        let id = usize::from(channel.id);
        if self.channels.len() <= id {
            self.channels.resize(id + 1, None);
        }
        self.channels[id] = declared;
    }
}

/// What becomes of the messages of a channel.
#[derive(Debug, Clone, Copy)]
enum Messages {
    /// They are wanted, and about that topic.
    Wanted(u32),
    Unwanted,
}

/// The full names of the message types that schemas define; nothing for those that are not protobuf.
#[derive(Default)]
struct Schemas(HashMap<u16, Option<Arc<str>>>);

impl Schemas {
    fn declare(&mut self, schema: &Schema<'_>) {
        self.0.insert(schema.id, (schema.encoding == mcap::PROTOBUF).then(|| schema.name.into()));
    }

    /// The type of the messages in a channel, where they are protobuf.
    fn message_of(&self, channel: &Channel<'_>) -> Option<&Arc<str>> {
        self.0.get(&channel.schema)?.as_ref().filter(|_| channel.encoding == mcap::PROTOBUF)
    }

    /// False for a channel whose schema was lost.
    fn knows_schema_of(&self, channel: &Channel<'_>) -> bool {
        channel.schema == 0 || self.0.contains_key(&channel.schema)
    }
}

#[cfg(test)]
mod tests;

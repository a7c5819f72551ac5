//! What is in an MCAP file: its topics, and the schemas of their messages.
//!
//! Asked of the summary at the end, where there is one; else the whole file is read for it.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::Schemas;
use super::records::Records;
use crate::error::{DecodeErrorKind, McapFault};
use crate::framing::mcap::{self, Channel, Record, Schema};
use crate::parallel::Fault;

/// A topic, and the type of its messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// The full name of the message type.
    pub message: Arc<str>,
}

/// What is in an MCAP file, as far as it is protobuf.
#[derive(Default)]
pub struct Contents {
    /// The topics, in the order in which they were declared.
    pub topics: Vec<Topic>,
    /// The same, to be looked for.
    known: HashSet<Topic>,
    /// The schema of each.
    topic_schemas: Vec<u16>,
    schemas: Schemas,
    /// The descriptor sets.
    descriptors: HashMap<u16, Vec<u8>>,
}

/// The contents of a file; of one that was cut short, those of what is there.
pub fn contents(path: &Path) -> Result<Contents, Fault> {
    let mut file = File::open(path).map_err(Fault::Source)?;
    if let Some(contents) = summary(&mut file).map_err(Fault::Source)? {
        return Ok(contents);
    }
    let mut contents = Contents::default();
    let mut records = Records::new(Box::new(file), Some(path.to_string_lossy().into()), false);
    loop {
        match records.next_block() {
            Ok(Some(block)) => contents.read_all(&(*block.bytes).as_ref()[block.at..]),
            Ok(None) => return Ok(contents),
            // Chunks behind it may say the same.
            Err(Fault::Message(_)) => {}
            Err(Fault::Frame(error))
                if error.kind() == DecodeErrorKind::Mcap(McapFault::Truncated) && !contents.topics.is_empty() =>
            {
                return Ok(contents);
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// What the summary of a file says, if it says anything. Leaves the file at its start.
fn summary(file: &mut File) -> io::Result<Option<Contents>> {
    const FOOTER_LEN: usize = mcap::HEADER_LEN + 20;
    let mut end = [0; FOOTER_LEN + mcap::MAGIC.len()];
    let len = file.seek(SeekFrom::End(0))?;
    let mut contents = Contents::default();
    if let Some(start_of_end) = len.checked_sub(end.len() as u64) {
        file.seek(SeekFrom::Start(start_of_end))?;
        file.read_exact(&mut end)?;
        let start = match mcap::record_at(&end, 0) {
            Ok(Some(Record { opcode: mcap::FOOTER, content, .. })) if end.ends_with(&mcap::MAGIC) => {
                mcap::read_footer(content).unwrap_or_default()
            }
            _ => 0,
        };
        if start > 0 && start < start_of_end {
            let mut records = Vec::new();
            file.seek(SeekFrom::Start(start))?;
            file.take(start_of_end - start).read_to_end(&mut records)?;
            contents.read_all(&records);
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok((!contents.topics.is_empty()).then_some(contents))
}

impl Contents {
    /// The descriptor sets of some topics, or of all, as one.
    pub fn descriptor_set(&self, topics: Option<&[String]>) -> Vec<u8> {
        let is_wanted = |topic: &Topic| topics.is_none_or(|topics| topics.iter().any(|name| **name == *topic.name));
        let wanted = self.topics.iter().zip(&self.topic_schemas).filter(|(topic, _)| is_wanted(topic));
        let (mut sets, mut known) = (Vec::new(), HashSet::new());
        for set in wanted.filter_map(|(_, schema)| self.descriptors.get(schema)) {
            if known.insert(set) {
                sets.push(set.as_slice());
            }
        }
        // Messages that follow one another merge, and so do their lists of files.
        sets.concat()
    }

    /// Reads what records declare, up to one that is none.
    fn read_all(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Ok(Some(record)) = mcap::record_at(bytes, at) {
            at = record.end;
            if self.read(&record).is_err() {
                break;
            }
        }
    }

    fn read(&mut self, record: &Record<'_>) -> Result<(), McapFault> {
        match record.opcode {
            mcap::SCHEMA => {
                let schema = Schema::read(record.content)?;
                self.schemas.declare(&schema);
                self.descriptors.insert(schema.id, schema.data.to_vec());
            }
            mcap::CHANNEL => {
                let channel = Channel::read(record.content)?;
                if let Some(message) = self.schemas.message_of(&channel) {
                    let topic = Topic { name: channel.topic.into(), message: Arc::clone(message) };
                    if self.known.insert(topic.clone()) {
                        self.topics.push(topic);
                        self.topic_schemas.push(channel.schema);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

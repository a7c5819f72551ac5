//! Files and streams of messages: `read`, `scan`, `partitions`, `write` and `writer`.
//!
//! What a user gives as a source is taken apart in `wirearray/_sources.py`; here it becomes a chain of streams.

mod partitions;
mod read;
mod reader;
mod scan;
mod source;
mod target;
mod turn;
mod write;

pub(crate) use reader::_end_reading;
pub(crate) use scan::Scan;
pub(crate) use source::TopicArgument;
pub(crate) use write::Writer;

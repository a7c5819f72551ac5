//! Framed messages of files and other streams: read batch by batch, and written.
//!
//! A stream is a file that is mapped, or bytes that come from a reader, a block at a time; several follow one another as one.
//! Whatever its length, only a few blocks of it are held. What is compressed is decompressed on the way, by whichever thread
//! takes the next block, while others decode those before.

mod ahead;
mod blocks;
mod chain;
mod chunk;
mod compression;
mod mcap;
mod partition;
mod progress;
mod window;
mod writer;

pub use ahead::{Ahead, NoBatch, ScanBatch};
pub use chain::{Chain, Opener, Part, Place};
pub use compression::{Compression, Compressor, decompressed};
pub use mcap::{Contents, McapSelection, McapWriter, NoChannel, Stamps, Topic, TopicsFault, contents};
pub use partition::{Stretch, partitions};
pub use progress::Progress;
pub use writer::{FrameWriter, WriteError};

use std::ops::Range;

use crate::framing::Framing;

/// How messages lie in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// What sets them off from one another.
    pub framing: Framing,
    /// Whether checksums of their data are looked at.
    pub verify: bool,
}

/// A part of a stream, in bytes; what is compressed counts as it is decompressed.
pub type Extent = Range<u64>;

#[cfg(test)]
mod tests;

//! Bytes that are not a message of the expected type, or not framed as expected.

use std::fmt;
use std::sync::Arc;

/// The result of reading bytes, before it is known which field they belong to.
pub type WireResult<T> = Result<T, WireError>;

/// What is wrong with a piece of wire data, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The byte of the input at which the faulty item begins.
    pub offset: usize,
}

impl WireError {
    /// An error of `kind` at byte `offset`.
    #[cold]
    pub fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }
}

/// The ways in which bytes are not a message of the expected type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The bytes end inside a tag, a number or a fixed-width value.
    #[error("the data ends inside a value; was it cut short, or are several messages framed in it?")]
    Truncated,
    /// A varint goes on past ten bytes.
    #[error("a varint is longer than ten bytes; is this a protobuf message of this type?")]
    OverlongVarint,
    /// A tag is longer than five bytes or does not fit in 32 bits.
    #[error("a tag does not fit in 32 bits; is this a protobuf message of this type?")]
    OverlongTag,
    /// Field number 0, which no field can have.
    #[error("field number 0 is illegal; is this a protobuf message, without a frame around it?")]
    IllegalFieldNumber,
    /// Wire type 6 or 7, which do not exist.
    #[error("wire type {0} does not exist; is this a protobuf message, without a frame around it?")]
    IllegalWireType(u8),
    /// A length goes past the end of the message or field that contains it.
    #[error("a length of {} goes past the end, {} ahead; was the data cut short?", bytes(*length), bytes(*available))]
    LengthPastEnd {
        /// The length that was read.
        length: u64,
        /// The bytes that follow it in the enclosing message.
        available: u64,
    },
    /// An end-group tag that closes no group, or another one than the open one.
    #[error("the end of group {0} does not match an open group; is this a protobuf message of this type?")]
    UnmatchedEndGroup(u32),
    /// A group that is still open where its message ends.
    #[error("group {0} is not closed; was the data cut short?")]
    UnclosedGroup(u32),
    /// A packed run of fixed-width values whose length is not a multiple of their width.
    #[error("a packed field of {} does not hold a whole number of {width}-byte values", bytes(*length))]
    RaggedPackedLength {
        /// The length of the packed run in bytes.
        length: u64,
        /// The width of one value in bytes.
        width: u8,
    },
    /// A string that the schema wants checked is not UTF-8.
    #[error("a string is not valid UTF-8; declare the field as bytes to read it as it is")]
    InvalidUtf8,
    /// Messages or groups nested deeper than the limit.
    #[error("messages are nested deeper than the limit of {0}")]
    TooDeep(u32),
    /// The columns need more memory than they may take.
    #[error(
        "decoding needs more than {}; allow more by max_bytes=, select fewer fields, or scan a stream in smaller batches",
        said_budget(*.0)
    )]
    MemoryBudget(Option<usize>),
    /// The system has no more memory.
    #[error("there is not enough memory; select fewer fields, or scan a stream in smaller batches")]
    OutOfMemory,
    /// A point in time, or a span of it, that is no number of nanoseconds.
    #[error(
        "{seconds} seconds and {nanos} nanoseconds are no {}; well_known_types=False gives both as they are",
        if *is_span { "timedelta64[ns]" } else { "datetime64[ns]" }
    )]
    MomentOutOfRange {
        /// Whole seconds.
        seconds: i64,
        /// Nanoseconds beside them.
        nanos: i32,
        /// True for a span.
        is_span: bool,
    },
    /// The stream ends inside a frame.
    #[error(
        "the stream ends inside a frame: was it cut short, is it framed otherwise, or is it still being written? \
        Reading can go on from this byte"
    )]
    TruncatedFrame,
    /// A frame's length goes on past ten bytes, or does not fit in memory.
    #[error("the length of a frame is longer than ten bytes, or more than any memory; is the stream framed otherwise?")]
    IllegalFrameLength,
    /// A checksum of a frame does not match.
    #[error("the checksum of a frame's {0} does not match: {hint}", hint = .0.hint())]
    FrameChecksum(Checked),
    /// The first byte of a gRPC frame that is neither 0 nor 1.
    #[error("a frame starts with byte {0:#04x} where gRPC has 0; is the stream framed otherwise?")]
    IllegalFrameFlag(u8),
    /// A gRPC frame whose message is compressed, in a way that only the headers of the call know.
    #[error("the message is compressed; have gRPC decompress it")]
    CompressedFrame,
    /// What stands in front of a message is not what a schema registry puts there.
    #[error("the message does not start with the header of a schema registry: {0}")]
    RegistryHeader(RegistryFault),
    /// An MCAP file is not as it should be.
    #[error("the MCAP file is damaged: {0}")]
    Mcap(McapFault),
    /// Views were demanded (`copy=False`), and this field's values do not lie in the input as an array.
    #[error("no view of this field is possible: {0}; pass copy=None to copy where a view is impossible")]
    NoView(NoView),
}

impl DecodeErrorKind {
    /// A short, stable name of the kind, for programs that tell errors apart.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::OverlongVarint => "overlong varint",
            Self::OverlongTag => "overlong tag",
            Self::IllegalFieldNumber => "illegal field number",
            Self::IllegalWireType(_) => "illegal wire type",
            Self::LengthPastEnd { .. } => "length past end",
            Self::UnmatchedEndGroup(_) => "unmatched end group",
            Self::UnclosedGroup(_) => "unclosed group",
            Self::RaggedPackedLength { .. } => "ragged packed length",
            Self::InvalidUtf8 => "invalid utf-8",
            Self::TooDeep(_) => "too deep",
            Self::MemoryBudget(_) => "memory budget",
            Self::OutOfMemory => "out of memory",
            Self::MomentOutOfRange { .. } => "moment out of range",
            Self::TruncatedFrame | Self::Mcap(McapFault::Truncated) => "truncated frame",
            Self::IllegalFrameLength => "illegal frame length",
            Self::FrameChecksum(_) => "frame checksum",
            Self::IllegalFrameFlag(_) => "illegal frame flag",
            Self::CompressedFrame => "compressed frame",
            Self::RegistryHeader(_) => "registry header",
            Self::Mcap(_) => "mcap",
            Self::NoView(_) => "no view",
        }
    }
}

/// What a checksum is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Checked {
    /// The length in front of the message.
    #[error("length")]
    Length,
    /// The message.
    #[error("data")]
    Data,
}

impl Checked {
    /// What to do where the checksum does not match.
    fn hint(self) -> &'static str {
        match self {
            Self::Length => "is it framed otherwise, or damaged?",
            Self::Data => "it is damaged; pass verify=False to read it all the same",
        }
    }
}

/// Why the header of a schema registry is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegistryFault {
    /// It does not begin as one.
    #[error("byte {0:#04x} stands where 0 or 1 is expected")]
    Magic(u8),
    /// It is cut short, or its numbers are none.
    #[error("it is cut short")]
    Truncated,
    /// It speaks of another message of the same file.
    #[error("it is for another message type of the .proto file")]
    OtherMessage,
}

/// What is wrong with an MCAP file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum McapFault {
    /// It does not begin as one.
    #[error("it does not begin as MCAP files do; is the stream framed otherwise?")]
    Magic,
    /// It has no end.
    #[error(
        "it ends in the middle, or without its last record: was it cut short, or is it still being written? \
        What is in front of this byte was read"
    )]
    Truncated,
    /// A record has a length or content that cannot be.
    #[error("a record goes past the end of what holds it, or is too short")]
    Record,
    /// A message is of a channel that has not been declared.
    #[error("a message is of channel {0}, which nothing in front of it declares")]
    Channel(u16),
    /// A chunk is compressed in an unknown way.
    #[error("a chunk is compressed by neither zstd nor lz4")]
    Compression,
    /// What is in a chunk cannot be decompressed.
    #[error("a chunk cannot be decompressed: it is damaged")]
    Chunk,
}

/// Why a field's values cannot be handed out as a view of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoView {
    /// Varints, strings and singular values of many rows are not an array in the input.
    #[error("only a packed field of fixed-width numbers lies in the input as an array")]
    NotPackedFixedWidth,
    /// The input may not outlive the call.
    #[error("the input is not kept alive")]
    NoOwner,
    /// The values came in more than one packed run, or in more than one row.
    #[error("its values lie in more than one run")]
    SeveralRuns,
}

/// Bytes that are not a message of the expected type: kind, byte offset, field path, row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError(Box<DecodeErrorInner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct DecodeErrorInner {
    kind: DecodeErrorKind,
    offset: usize,
    path: String,
    row: Option<usize>,
    file: Option<Arc<str>>,
    frame: Option<u64>,
}

impl DecodeError {
    /// Places a wire error: `path` names the field, as in `series[3].times`.
    #[cold]
    pub(crate) fn new(error: WireError, path: String) -> Self {
        Self(Box::new(DecodeErrorInner {
            kind: error.kind,
            offset: error.offset,
            path,
            row: None,
            file: None,
            frame: None,
        }))
    }

    /// The bytes of memory that it takes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + size_of::<DecodeErrorInner>() + self.0.path.len()
    }

    /// The same error, said of message number `row` of many.
    #[cold]
    #[must_use]
    pub(crate) fn in_row(mut self, row: usize) -> Self {
        self.0.row = Some(row);
        self
    }

    /// Notes that the input's first byte is byte `start` of a longer one.
    #[cold]
    pub(crate) fn shift(&mut self, start: usize) {
        self.0.offset = self.0.offset.saturating_add(start);
    }

    /// Notes that the input was unpacked of what lies at byte `start`.
    #[cold]
    pub(crate) fn unpacked_from(&mut self, start: usize) {
        self.0.offset = start;
    }

    /// Notes that as many messages came before those among which it has its row.
    #[cold]
    pub(crate) fn shift_row(&mut self, messages: usize) {
        self.0.row = Some(self.0.row.unwrap_or_default().saturating_add(messages));
    }

    /// Notes the name of the file or stream that the input is of.
    #[cold]
    pub fn set_file(&mut self, file: Option<&Arc<str>>) {
        self.0.file = file.cloned();
    }

    /// Notes at which byte of its stream the frame of the message starts.
    #[cold]
    pub(crate) fn set_frame(&mut self, start: Option<u64>) {
        self.0.frame = start;
    }

    /// What is wrong.
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }

    /// The byte of the input at which the faulty item begins.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The field being read, from the outermost message inwards; empty where no field was reached.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The message's number, where many were decoded.
    pub fn row(&self) -> Option<usize> {
        self.0.row
    }

    /// The byte of the stream at which the frame of the message starts, where it ended the reading of one: reading that goes on
    /// there meets it again.
    pub fn frame(&self) -> Option<u64> {
        self.0.frame
    }

    /// The name of the file or stream that was read, where it has one.
    pub fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }
}

fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

fn said_budget(max_bytes: Option<usize>) -> String {
    max_bytes.map_or_else(
        || "the one GiB, and 400 bytes for each byte of input, that it may take without max_bytes".to_owned(),
        |limit| format!("max_bytes={limit} bytes of memory"),
    )
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(file) = &inner.file {
            write!(f, "{file}, ")?;
        }
        if let Some(row) = inner.row {
            write!(f, "row {row}, ")?;
        }
        write!(f, "byte {}", inner.offset)?;
        if !inner.path.is_empty() {
            write!(f, ", field {}", inner.path)?;
        }
        write!(f, ": {}", inner.kind)
    }
}

impl std::error::Error for DecodeError {}

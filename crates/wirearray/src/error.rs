//! What went wrong, where: the kind, the byte offset and the field path.
//!
//! Three errors leave the engine. A [`DecodeError`] speaks of bytes, an [`EncodeError`] of columns, a [`SchemaError`] of a
//! `.proto` text or a descriptor. Each is one word wide, so that a `Result` stays in registers; building one is never on
//! the fast path.

use std::fmt;

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
    #[error("a length of {length} bytes goes past the end: only {available} bytes follow; was the data cut short?")]
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
    #[error("a packed field of {length} bytes does not hold a whole number of {width}-byte values")]
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
            Self::NoView(_) => "no view",
        }
    }
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
}

impl DecodeError {
    /// Places a wire error: `path` names the field, as in `series[3].times`.
    #[cold]
    pub(crate) fn new(error: WireError, path: String) -> Self {
        Self(Box::new(DecodeErrorInner { kind: error.kind, offset: error.offset, path, row: None }))
    }

    /// The same error, said of message number `row` of many.
    #[cold]
    #[must_use]
    pub(crate) fn in_row(mut self, row: usize) -> Self {
        self.0.row = Some(row);
        self
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
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
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

/// Columns that cannot be written as messages: what is wrong, field path, row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError(Box<EncodeErrorInner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct EncodeErrorInner {
    kind: EncodeErrorKind,
    path: String,
    row: Option<usize>,
}

/// The ways in which columns are not messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// A row that stands for no message.
    #[error("there is no message here, only an absent one; leave it out")]
    Absent,
    /// A required field without a value.
    #[error("the schema requires a value, and there is none")]
    MissingRequired,
    /// A string that the schema wants checked is not UTF-8.
    #[error("the string is not valid UTF-8; declare the field as bytes to write it as it is")]
    InvalidUtf8,
    /// A number that a closed enum has no name for.
    #[error("{0} is no number of the enum, which is closed: readers would take it for an unknown field")]
    UnknownNumber(i32),
    /// A message that the official parsers refuse.
    #[error(
        "the message would take {0} bytes, and protobuf parsers stop at 2 GiB (2,147,483,647 bytes); split it into several \
        messages, or pass allow_large=True to write it for wirearray alone"
    )]
    TooLarge(u64),
    /// The columns were written to while they were being encoded.
    #[error("the arrays changed while they were being encoded; do not write to them meanwhile")]
    Changed,
    /// Messages nested deeper than the official parsers read.
    #[error("messages are nested deeper than {0} levels, where protobuf parsers stop")]
    TooDeep(u32),
}

impl EncodeError {
    #[cold]
    pub(crate) fn new(kind: EncodeErrorKind) -> Self {
        Self(Box::new(EncodeErrorInner { kind, path: String::new(), row: None }))
    }

    /// The same error, said of `row`.
    #[cold]
    #[must_use]
    pub(crate) fn in_row(mut self, row: usize) -> Self {
        self.0.row = Some(row);
        self
    }

    /// The same error, said of no row: of the one message that there is.
    #[cold]
    #[must_use]
    pub(crate) fn in_only_row(mut self) -> Self {
        self.0.row = None;
        self
    }

    /// The same error, said of what lies in a field: of its value number `index`, where it is repeated.
    #[cold]
    #[must_use]
    pub(crate) fn within(mut self, field: &str, index: Option<usize>) -> Self {
        let index = index.map_or_else(String::new, |index| format!("[{index}]"));
        let dot = if self.0.path.is_empty() { "" } else { "." };
        self.0.path = format!("{field}{index}{dot}{}", self.0.path);
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> EncodeErrorKind {
        self.0.kind
    }

    /// The field, from the outermost message inwards; empty where it is no single one.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The message's row, where it is known.
    pub fn row(&self) -> Option<usize> {
        self.0.row
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        match (inner.path.as_str(), inner.row) {
            ("", None) => write!(f, "{}", inner.kind),
            ("", Some(row)) => write!(f, "row {row}: {}", inner.kind),
            (path, None) => write!(f, "{path}: {}", inner.kind),
            (path, Some(row)) => write!(f, "row {row}, {path}: {}", inner.kind),
        }
    }
}

impl std::error::Error for EncodeError {}

/// A schema that cannot be used: the file, line and column where they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError(Box<SchemaErrorInner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct SchemaErrorInner {
    kind: SchemaErrorKind,
    message: String,
    place: Option<Place>,
}

/// What sort of trouble a schema is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaErrorKind {
    /// The text or the descriptor breaks a rule of the language.
    Invalid,
    /// A file of the schema does not exist.
    FileNotFound,
    /// The text is written in an edition, which the built-in compiler does not read.
    Edition,
}

/// A place in a `.proto` text; line and column count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the schema has it.
    pub file: String,
    /// Line and column, where they are known.
    pub position: Option<(usize, usize)>,
}

impl SchemaError {
    /// An invalid schema, with what is wrong and how to mend it.
    #[cold]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::of_kind(SchemaErrorKind::Invalid, message)
    }

    /// A schema error of any kind, not yet placed.
    #[cold]
    pub fn of_kind(kind: SchemaErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(SchemaErrorInner { kind, message: message.into(), place: None }))
    }

    /// The same error, placed in a file.
    #[cold]
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    /// What sort of trouble it is.
    pub fn kind(&self) -> SchemaErrorKind {
        self.0.kind
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it is wrong, if that is known.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.0.place {
            write!(f, "{}", place.file)?;
            if let Some((line, column)) = place.position {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for SchemaError {}

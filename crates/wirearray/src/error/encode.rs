//! Columns that cannot be written as messages.

use std::fmt;

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
    UnknownEnumNumber(i32),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_as_much_of_its_place_as_it_knows() {
        let error = || EncodeError::new(EncodeErrorKind::UnknownEnumNumber(7));
        let nested = || error().within("kind", Some(2)).within("inner", None);
        let problem = "7 is no number of the enum, which is closed: readers would take it for an unknown field";
        for (error, place, path, row) in [
            (error(), "", "", None),
            (error().in_row(3), "row 3: ", "", Some(3)),
            (nested(), "inner.kind[2]: ", "inner.kind[2]", None),
            (nested().in_row(3), "row 3, inner.kind[2]: ", "inner.kind[2]", Some(3)),
            (error().in_row(3).in_only_row(), "", "", None),
        ] {
            assert_eq!(error.to_string(), format!("{place}{problem}"));
            assert_eq!((error.kind(), error.path(), error.row()), (EncodeErrorKind::UnknownEnumNumber(7), path, row));
        }
    }
}

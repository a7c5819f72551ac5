//! Schemas that cannot be used.

use std::fmt;

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

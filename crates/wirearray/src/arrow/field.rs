//! The types of columns, as Arrow spells them.

use super::abi::NULLABLE;

/// The type of a column, its name, and those of the columns within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub(super) name: String,
    /// The type in the letters of the C data interface.
    pub(super) format: String,
    pub(super) flags: i64,
    /// What the schema says of it that Arrow has no place for.
    pub(super) metadata: Vec<(&'static str, String)>,
    pub(super) children: Vec<Self>,
    /// The type of the values, where the entries are numbers of values.
    pub(super) dictionary: Option<Box<Self>>,
}

impl Field {
    /// A column without nulls.
    pub(super) fn new(name: impl Into<String>, format: impl Into<String>, children: Vec<Self>) -> Self {
        let (name, format) = (name.into(), format.into());
        Self { name, format, flags: 0, metadata: Vec::new(), children, dictionary: None }
    }

    /// The same, with nulls where a row has no value.
    pub(super) fn nullable(mut self, is_nullable: bool) -> Self {
        self.flags = if is_nullable { NULLABLE } else { 0 };
        self
    }

    /// The same, with something more that the schema says.
    pub(super) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }
}

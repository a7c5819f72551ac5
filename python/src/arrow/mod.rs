//! Columns as other libraries take them, and theirs: Arrow's PyCapsule interface.

mod capsule;
mod export;
mod scan;

pub(crate) use capsule::{is_arrow, join, read};
pub(crate) use export::ArrowTable;

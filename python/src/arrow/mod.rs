//! Columns as other libraries take them: Arrow's PyCapsule interface.

mod capsule;
mod export;

pub(crate) use export::ArrowTable;

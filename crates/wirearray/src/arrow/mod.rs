//! Columns as other libraries take them, and theirs as columns: Arrow's layout, and its C data interface.
//!
//! A finished column already lies in memory as Arrow has it, so what is handed out is where its buffers are, and a share in
//! their memory. Made anew are bits alone: of bools, and of which rows have a value. What comes from others is looked
//! through once, since no one has checked its offsets, and shown where it lies. Knows no Python, and of files nothing.

mod abi;
mod array;
mod bits;
mod enum_names;
mod export;
mod field;
mod give;
mod give_stream;
mod import;
mod imported;
mod layouts;
mod members;
mod releasing;
mod types;

pub use abi::{ArrowArray, ArrowArrayStream, ArrowSchema};
pub use array::Array;
pub use export::{Rows, column_field, export_column, export_table, message_field, table_field};
pub use field::Field;
pub use give_stream::{Arrays, GiveError};
pub use import::{ImportError, import};
pub use imported::{Imported, Scalar, Strings, Unit, Values};
pub use releasing::is_releasing;
pub use types::{Depth, Enums, ExportError, Oneofs, Options};

#[cfg(test)]
mod tests;

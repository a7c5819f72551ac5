//! The extension module `wirearray._core`: glue between Python and the engine.
//!
//! Each method parses its arguments, makes one call of the engine with the GIL released where that is worth it, and
//! wraps the result. No value is looked at here, and no Python object is known to the engine.

mod array;
mod bytes;
mod encode;
mod entries;
mod errors;
mod field;
mod intake;
mod key;
mod lent;
mod message_type;
mod messages;
mod offsets;
mod ragged;
mod record;
mod schema;
mod strings;
mod table;
mod values;

#[pyo3::pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::field::Field;
    #[pymodule_export]
    use crate::message_type::MessageType;
    #[pymodule_export]
    use crate::ragged::Ragged;
    #[pymodule_export]
    use crate::record::Record;
    #[pymodule_export]
    use crate::schema::Schema;
    #[pymodule_export]
    use crate::strings::Strings;
    #[pymodule_export]
    use crate::table::Table;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

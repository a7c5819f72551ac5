//! The extension module `wirearray._core`: glue between Python and the engine.
//!
//! Each method parses its arguments, makes one call of the engine with the GIL released where that is worth it, and
//! wraps the result. No value is looked at here, and no Python object is known to the engine.

mod array;
mod arrow;
mod bytes;
mod conversions;
mod decode;
mod encode;
mod entries;
mod errors;
mod field;
mod gil;
mod intake;
mod key;
mod lent;
mod mcap;
mod message_type;
mod messages;
mod notebook;
mod offsets;
mod options;
mod out;
mod pickle;
mod plot;
mod ragged;
mod record;
mod registry;
mod schema;
mod stream;
mod strings;
mod table;
mod values;

#[pyo3::pymodule]
mod _core {
    use std::thread::sleep;
    use std::time::Duration;

    use pyo3::exceptions::PyImportError;
    use pyo3::prelude::*;
    use pyo3::types::IntoPyDict;
    use wirearray::column::{hold_makers, let_makers_go};
    use wirearray::simd::Backend;

    #[pymodule_export]
    use crate::arrow::ArrowTable;
    #[pymodule_export]
    use crate::field::Field;
    #[pymodule_export]
    use crate::mcap::mcap_topics;
    #[pymodule_export]
    use crate::message_type::MessageType;
    #[pymodule_export]
    use crate::ragged::Ragged;
    #[pymodule_export]
    use crate::record::Record;
    #[pymodule_export]
    use crate::registry::schema_ids;
    #[pymodule_export]
    use crate::schema::Schema;
    #[pymodule_export]
    use crate::stream::_end_reading;
    #[pymodule_export]
    use crate::stream::Scan;
    #[pymodule_export]
    use crate::stream::Writer;
    #[pymodule_export]
    use crate::strings::Strings;
    #[pymodule_export]
    use crate::table::Table;

    #[pymodule_export]
    use crate::pickle::{_of_state, _record_of_state};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        if let Err(error) = Backend::of_environment() {
            return Err(PyImportError::new_err(error.to_string()));
        }
        let end_reading = module.getattr("_end_reading")?;
        module.py().import("atexit")?.call_method1("register", (end_reading,))?;
        // Where there are forks.
        if let Ok(register) = module.py().import("os")?.getattr("register_at_fork") {
            let hooks =
                [("before", "_before_fork"), ("after_in_parent", "_after_fork"), ("after_in_child", "_after_fork")];
            let hooks = hooks.map(|(when, name)| Ok::<_, PyErr>((when, module.getattr(name)?)));
            let hooks = hooks.into_iter().collect::<PyResult<Vec<_>>>()?.into_py_dict(module.py())?;
            register.call((), Some(&hooks))?;
        }
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// Waits until no thread makes what others wait for, and keeps them from beginning to: for ``os.register_at_fork``.
    #[pyfunction]
    fn _before_fork(py: Python<'_>) {
        // It is held once this thread has the GIL again, which the others may want. Signals wait for the fork: an exception here would
        // not keep it from being made.
        while !hold_makers() {
            py.detach(|| sleep(Duration::from_millis(1)));
        }
    }

    /// Lets them go on.
    #[pyfunction]
    fn _after_fork() {
        let_makers_go();
    }

    /// Return the name of the instructions in use: str. The environment variable ``WIREARRAY_BACKEND`` names others.
    #[pyfunction]
    fn _backend() -> &'static str {
        Backend::active().name()
    }

    /// Return the names that this processor has instructions for: list of str, the fastest first.
    #[pyfunction]
    fn _backends() -> Vec<&'static str> {
        Backend::available().into_iter().map(Backend::name).collect()
    }

    /// Panics as a bug of the engine would, in one of so many threads, for tests.
    #[cfg(feature = "reference")]
    #[pyfunction]
    fn _panic(py: Python<'_>, threads: usize) {
        py.detach(|| wirearray::cores::in_threads(threads, || panic!("a bug to try")));
    }
}

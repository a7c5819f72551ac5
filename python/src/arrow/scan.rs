//! A scan for whoever takes Arrow's: a stream that decodes a batch when the consumer asks for one.

use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use wirearray::arrow::{self, Array, Depth, GiveError, Options, Rows};

use super::capsule;
use super::export::{ArrowTable, refused};
use crate::gil::{Share, attached, interrupt_later};
use crate::stream::Scan;

/// Batches of a stream have one type, so it is not the data that say how far it goes.
const OPTIONS: Options = Options { enums: arrow::Enums::Numbers, oneofs: arrow::Oneofs::Columns, depth: Depth::OfType };

#[pymethods]
impl Scan {
    /// Return the type that all batches have in Arrow: a capsule, for any library that takes it.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::schema(py, arrow::message_field(self.plan(), OPTIONS).map_err(|error| refused(&error))?)
    }

    /// Return the batches that have not been delivered yet as an Arrow stream: a capsule, for any library that takes it. Each is
    /// decoded when it is asked for.
    #[pyo3(signature = (requested_schema = None))]
    #[expect(unused_variables, reason = "the interface lets it be")]
    fn __arrow_c_stream__<'py>(
        slf: &Bound<'py, Self>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let field = arrow::message_field(slf.get().plan(), OPTIONS).map_err(|error| refused(&error))?;
        let scan = Share::new(slf.clone().unbind());
        // The consumer calls from any thread, and waits for a thread of ours that may call Python.
        let next = move || attached(|py| next_array(py, scan.get()).map_err(|error| told(py, error)).transpose());
        capsule::arrays(slf.py(), field, Box::new(std::iter::from_fn(next)))
    }
}

fn next_array(py: Python<'_>, scan: &Scan) -> PyResult<Option<Array>> {
    let before = scan.reached();
    let Some(table) = scan.next_table(py)? else { return Ok(None) };
    match ArrowTable::of(&table, OPTIONS).export(py, Rows::Batch) {
        Ok((_, array)) => Ok(Some(array)),
        Err(error) => {
            scan.take_back(before);
            Err(error)
        }
    }
}

/// An exception in the terms of the interface, of which consumers make one of their own.
fn told(py: Python<'_>, error: PyErr) -> GiveError {
    /// The system's numbers for a wrong argument, for too little memory, and for all else.
    const EINVAL: i32 = 22;
    const ENOMEM: i32 = 12;
    const EIO: i32 = 5;
    // What is asked for a text may be interrupted, which matters more.
    let error = error.value(py).str().err().unwrap_or(error);
    let number = if error.is_instance_of::<PyMemoryError>(py) {
        ENOMEM
    } else if error.is_instance_of::<PyValueError>(py) {
        EINVAL
    } else {
        EIO
    };
    let (text, is_interrupt) = (error.to_string(), error.is_instance_of::<PyKeyboardInterrupt>(py));
    // What its frames held may run Python code as it goes, which is not to be interrupted.
    drop(error);
    if is_interrupt {
        // That it cannot be would be one error more, of which the consumer makes none.
        let _ = interrupt_later(py);
    }
    GiveError { number, text }
}

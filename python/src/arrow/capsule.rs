//! Arrow's structs in Python's capsules, which release what no one has taken.

use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use wirearray::arrow::{Array, ArrowArray, ArrowArrayStream, ArrowSchema, Field};

/// The type alone.
pub(super) fn schema(py: Python<'_>, field: Field) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, ArrowSchema::from(field), c"arrow_schema")
}

/// The type and one array.
pub(super) fn array(py: Python<'_>, (field, array): (Field, Array)) -> PyResult<Bound<'_, PyTuple>> {
    let array = PyCapsule::new_with_value(py, ArrowArray::from(array), c"arrow_array")?;
    PyTuple::new(py, [schema(py, field)?, array])
}

/// A stream of one array.
pub(super) fn stream(py: Python<'_>, (field, array): (Field, Array)) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, ArrowArrayStream::of_one(field, array), c"arrow_array_stream")
}

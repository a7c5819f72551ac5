//! Arrow's structs in Python's capsules, which release what no one has taken.

#![allow(unsafe_code, reason = "takes structs from where other libraries' capsules have them")]

use std::ffi::CStr;
use std::ptr::NonNull;

use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple, PyType};
use wirearray::arrow::{self, Array, Arrays, ArrowArray, ArrowArrayStream, ArrowSchema, Field, ImportError, Imported};
use wirearray::column::Budget;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// The type alone.
pub(super) fn schema(py: Python<'_>, field: Field) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, ArrowSchema::from(field), SCHEMA)
}

/// The type and one array.
pub(super) fn array(py: Python<'_>, (field, array): (Field, Array)) -> PyResult<Bound<'_, PyTuple>> {
    let array = PyCapsule::new_with_value(py, ArrowArray::from(array), ARRAY)?;
    PyTuple::new(py, [schema(py, field)?, array])
}

/// A stream of one array.
pub(super) fn stream(py: Python<'_>, (field, array): (Field, Array)) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, ArrowArrayStream::of_one(field, array), STREAM)
}

/// A stream of arrays that are made as they are asked for.
pub(super) fn arrays(py: Python<'_>, field: Field, arrays: Arrays) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, ArrowArrayStream::of(field, arrays), STREAM)
}

/// True for what gives its values as Arrow's.
///
/// What pandas has, and those that are like it, is NumPy's, and is taken as such: as Arrow's it would need another package, and
/// every NaN would be a null.
pub(crate) fn is_arrow(object: &Bound<'_, PyAny>) -> bool {
    let has = |name: &str| object.hasattr(name).unwrap_or(false);
    // A class has the methods too, and no values.
    (has("__arrow_c_stream__") || has("__arrow_c_array__")) && !has("iloc") && !object.is_instance_of::<PyType>()
}

/// The arrays that an object gives, each as a column: one at least.
pub(crate) fn read(object: &Bound<'_, PyAny>) -> PyResult<Vec<Imported>> {
    let py = object.py();
    if object.hasattr("__arrow_c_stream__")? {
        let capsule = object.call_method0("__arrow_c_stream__")?;
        let place = place::<ArrowArrayStream>(&capsule, STREAM)?;
        // SAFETY: the interface has a capsule of that name hold such a struct, and the GIL keeps others away from it.
        let stream = unsafe { ArrowArrayStream::take(place.as_ptr()) }.ok_or_else(taken)?;
        return without_gil(py, || stream.read());
    }
    let pair = object.call_method0("__arrow_c_array__")?;
    let (schema, array) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
    let (schema, array) = (place::<ArrowSchema>(&schema, SCHEMA)?, place::<ArrowArray>(&array, ARRAY)?);
    // SAFETY: the interface has a capsule of that name hold such a struct, and the GIL keeps others away from it.
    let schema = unsafe { ArrowSchema::take(schema.as_ptr()) }.ok_or_else(taken)?;
    // SAFETY: as above.
    let array = unsafe { ArrowArray::take(array.as_ptr()) }.ok_or_else(taken)?;
    without_gil(py, || arrow::import(&schema, array)).map(|column| vec![column])
}

/// Arrays of one type as one column; nothing of none.
pub(crate) fn join(py: Python<'_>, parts: Vec<Imported>) -> PyResult<Option<Imported>> {
    without_gil(py, || Imported::join(parts))
}

/// What the engine makes of arrays, some of which show so few values so often that no memory holds what they mean.
fn without_gil<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, ImportError> + Send) -> PyResult<T> {
    match py.detach(|| Budget::default().spend(work)) {
        Ok(done) => done.map_err(|error| refused(&error)),
        Err(_) => Err(PyMemoryError::new_err("there is not enough memory for what the Arrow arrays hold")),
    }
}

/// Where a capsule has its struct.
fn place<T>(capsule: &Bound<'_, PyAny>, name: &CStr) -> PyResult<NonNull<T>> {
    Ok(capsule.cast::<PyCapsule>()?.pointer_checked(Some(name))?.cast())
}

fn taken() -> PyErr {
    PyValueError::new_err("someone else has already taken what the Arrow capsule held")
}

fn refused(error: &ImportError) -> PyErr {
    match error {
        ImportError::Type { .. } => PyTypeError::new_err(error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}

//! Offsets that a caller gives.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use wirearray::column::Offsets;

use crate::errors;
use crate::lent::Lent;

/// Offsets into `values_len` values, from any array-like of integers: they have to ascend.
pub(crate) fn checked(offsets: &Bound<'_, PyAny>, values_len: usize) -> PyResult<Offsets> {
    let lent = int64_values(offsets)?;
    let integers = lent.as_ref().as_chunks().0.iter().map(|&bytes| i64::from_ne_bytes(bytes));
    errors::with_memory(|| {
        Offsets::checked(integers, values_len).map_err(|error| PyValueError::new_err(format!("offsets: {error}")))
    })
}

/// The bytes of an array of `int64` with the integers of any array-like.
fn int64_values(offsets: &Bound<'_, PyAny>) -> PyResult<Lent> {
    let numpy = offsets.py().import("numpy")?;
    let array = numpy.call_method1("asarray", (offsets,))?;
    let kind: char = array.getattr("dtype")?.getattr("kind")?.extract()?;
    let is_flat = array.getattr("ndim")?.extract::<usize>()? == 1;
    if is_flat && array.len()? == 0 {
        // NumPy takes an empty list for floats.
        return Lent::new(&pyo3::types::PyBytes::new(offsets.py(), &[]), "offsets");
    }
    if !matches!(kind, 'i' | 'u') || !is_flat {
        let found = offsets.get_type().name()?;
        let dtype = array.getattr("dtype")?;
        let message = format!("offsets: expected a flat array of integers, got {found} of {dtype}");
        return Err(PyTypeError::new_err(message));
    }
    let array = numpy.call_method1("ascontiguousarray", (array, "int64"))?;
    Lent::new(&array, "offsets")
}

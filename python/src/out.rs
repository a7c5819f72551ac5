//! Arrays of a caller's own that values are decoded into.

use std::ops::Range;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use wirearray::column::{Dtype, LentMemory, Table};
use wirearray::decode::Destination;
use wirearray::plan::Plan;

use crate::array;
use crate::errors;
use crate::lent;

/// The `out` argument: fields and where their values go.
#[derive(Default)]
pub(crate) struct Out(Vec<Field>);

struct Field {
    path: String,
    places: Vec<u16>,
    dtype: Dtype,
    /// The addresses of its array.
    memory: Range<usize>,
}

impl Out {
    /// Checks the arrays, and lends them.
    pub(crate) fn new(plan: &Plan, out: Option<&Bound<'_, PyAny>>) -> PyResult<(Self, Vec<Destination>)> {
        let (mut fields, mut destinations) = (Vec::new(), Vec::new());
        let Some(out) = out else { return Ok((Self(fields), destinations)) };
        let Ok(out) = out.cast::<PyDict>() else {
            let message = format!("out: expected a dict of field names to arrays, got {}", out.get_type().name()?);
            return Err(PyTypeError::new_err(message));
        };
        for (path, array) in out {
            let Ok(path) = path.cast::<PyString>() else {
                return Err(PyTypeError::new_err(format!("out: field names are str, not {}", path.get_type().name()?)));
            };
            let path = path.to_str()?.to_owned();
            let (places, dtype) = plan.number_places(&path).map_err(|error| errors::out_error(&error))?;
            let (memory, lent) = lend(&array, &path, dtype)?;
            destinations.push(Destination { places: places.clone(), memory: lent });
            fields.push(Field { path, places, dtype, memory });
        }
        let out = Self(fields);
        out.check_overlaps()?;
        Ok((out, destinations))
    }

    /// No two arrays may share memory: the values of one field would overwrite the other's.
    fn check_overlaps(&self) -> PyResult<()> {
        for (index, field) in self.0.iter().enumerate() {
            if let Some(other) = self.0[..index].iter().find(|other| overlap(&other.memory, &field.memory)) {
                let (one, two) = (&other.path, &field.path);
                return Err(PyValueError::new_err(format!("out: the arrays for {one:?} and {two:?} share memory")));
            }
        }
        Ok(())
    }

    /// Refuses data that lie in one of the arrays: they would be overwritten while they are read.
    pub(crate) fn check_input(&self, input: &[u8]) -> PyResult<()> {
        let input = input.as_ptr_range();
        let input = input.start.addr()..input.end.addr();
        match self.0.iter().find(|field| overlap(&field.memory, &input)) {
            Some(Field { path, .. }) => {
                Err(PyValueError::new_err(format!("out: the array for {path:?} shares memory with the data")))
            }
            None => Ok(()),
        }
    }

    /// Refuses arrays that were too short.
    pub(crate) fn check(&self, table: &Table) -> PyResult<()> {
        for Field { path, places, dtype, memory } in &self.0 {
            let Some(numbers) = table.numbers_at(places) else { continue };
            let found = numbers.values.as_bytes();
            if found.as_ptr().addr() != memory.start {
                let (count, room) = (found.len() / dtype.size(), memory.len() / dtype.size());
                let message = if count > room {
                    format!("out: {path:?} has {count} values, and the array has room for {room}")
                } else {
                    format!(
                        "out: {path:?} has {count} values, but had more than {room}, for which the array has room, before some \
                         were dropped: by another member of a oneof, or with a bad message; make it larger"
                    )
                };
                return Err(PyValueError::new_err(message));
            }
        }
        Ok(())
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// The memory of an array that numbers of that dtype can be written to: where it is, and for the engine.
fn lend(array: &Bound<'_, PyAny>, path: &str, dtype: Dtype) -> PyResult<(Range<usize>, LentMemory)> {
    let Ok(untyped) = array.cast::<PyUntypedArray>() else {
        let found = array.get_type().name()?;
        return Err(PyTypeError::new_err(format!("out: {path:?}: expected a NumPy array, got {found}")));
    };
    let refuse = |reason: String| Err(PyValueError::new_err(format!("out: {path:?}: {reason}")));
    let expected = array::descriptor(array.py(), dtype);
    if !untyped.dtype().is_equiv_to(&expected) {
        return refuse(format!("expected an array of {expected}, got one of {}", untyped.dtype()));
    }
    if untyped.ndim() != 1 {
        return refuse("the array has to be flat and contiguous".into());
    }
    let buffer = PyUntypedBuffer::get(array)?;
    if !buffer.is_c_contiguous() {
        return refuse("the array has to be flat and contiguous".into());
    }
    let start = buffer.buf_ptr().addr();
    let memory = start..start + buffer.len_bytes();
    match lent::writable(buffer, dtype.size()) {
        Some(lent) => Ok((memory, lent)),
        None => refuse("the array has to be writable and aligned".into()),
    }
}

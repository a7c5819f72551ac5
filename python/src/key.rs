//! Keys that choose rows: an integer, a slice, a mask, or a list of integers.

use std::ops::Range;

use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PySlice};

/// The rows that a key chooses.
pub(crate) enum Rows {
    /// One.
    One(usize),
    /// Successive ones: they can be shown without a copy.
    Range(Range<usize>),
    /// Any.
    List(Vec<usize>),
}

/// The rows that `key` chooses among `rows`.
pub(crate) fn rows(key: &Bound<'_, PyAny>, rows: &Range<usize>) -> PyResult<Rows> {
    if let Ok(slice) = key.cast::<PySlice>() {
        return slice_rows(slice, rows);
    }
    // A comparison that someone took for a mask: as an integer it would choose row 0 or row 1.
    let is_bool = key.is_instance_of::<PyBool>();
    if !is_bool && key.hasattr("__index__")? && !key.hasattr("__len__")? {
        // What no machine word holds is no row either.
        let Ok(index) = key.extract::<isize>() else { return Err(out_of_range(key, rows)) };
        return Ok(Rows::One(wrap(index, rows)?));
    }
    list_rows(key, rows).map(Rows::List)
}

fn slice_rows(slice: &Bound<'_, PySlice>, rows: &Range<usize>) -> PyResult<Rows> {
    let indices = slice.indices(rows.len() as isize)?;
    let count = indices.slicelength;
    if indices.step == 1 {
        let start = rows.start + indices.start as usize;
        return Ok(Rows::Range(start..start + count));
    }
    let at = |number: usize| (indices.start + number as isize * indices.step) as usize;
    Ok(Rows::List((0..count).map(|number| rows.start + at(number)).collect()))
}

/// A mask has an entry for each row; integers choose rows, from the end where they are negative.
fn list_rows(key: &Bound<'_, PyAny>, rows: &Range<usize>) -> PyResult<Vec<usize>> {
    let numpy = key.py().import("numpy")?;
    let array = numpy.call_method1("asarray", (key,))?;
    let kind: char = array.getattr("dtype")?.getattr("kind")?.extract()?;
    let is_flat = array.getattr("ndim")?.extract::<usize>()? == 1;
    let len = if is_flat { array.len()? } else { 0 };
    let indices: Vec<isize> = match kind {
        'b' if is_flat && len == rows.len() => {
            numpy.call_method1("flatnonzero", (array,))?.call_method0("tolist")?.extract()?
        }
        'b' if is_flat => {
            let message = format!("the mask has {len} entries, there are {} rows", rows.len());
            return Err(PyIndexError::new_err(message));
        }
        // What no machine word holds is no row.
        'i' | 'u' if is_flat => {
            array.call_method0("tolist")?.extract().map_err(|_| out_of_range("of 2^63 or more", rows))?
        }
        // NumPy takes an empty list for floats.
        _ if is_flat && len == 0 => Vec::new(),
        'b' => {
            let found = key.get_type();
            let message = format!("rows are chosen by a mask with an entry for each row, not by one {}", found.name()?);
            return Err(PyTypeError::new_err(message));
        }
        _ => {
            let (found, dtype) = (key.get_type().name()?, array.getattr("dtype")?);
            let message =
                format!("rows are chosen by integer, slice, mask or list of integers, not by {found} of {dtype}");
            return Err(PyTypeError::new_err(message));
        }
    };
    indices.into_iter().map(|index| wrap(index, rows)).collect()
}

fn wrap(index: isize, rows: &Range<usize>) -> PyResult<usize> {
    let from_start = if index < 0 { rows.len().checked_sub(index.unsigned_abs()) } else { Some(index.unsigned_abs()) };
    let row = from_start.filter(|&row| row < rows.len());
    row.map(|row| rows.start + row).ok_or_else(|| out_of_range(index, rows))
}

fn out_of_range(index: impl std::fmt::Display, rows: &Range<usize>) -> PyErr {
    PyIndexError::new_err(format!("row {index} is out of range: there are {}", rows.len()))
}

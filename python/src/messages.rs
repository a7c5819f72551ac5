//! Many messages, as Python lends them: each in a buffer of its own, or all in one.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use wirearray::DecodeError;
use wirearray::column::{Offsets, Owner, Table};
use wirearray::decode::{self, Input, Options};
use wirearray::plan::Plan;

use crate::lent::Lent;

/// Messages that Python lends.
pub(crate) enum Messages {
    /// Each in a buffer of its own.
    Buffers(Vec<Owner>),
    /// All in one.
    OneBuffer(Owner, Offsets),
}

impl Messages {
    pub(crate) fn in_buffers(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        if Lent::new(data, "data").is_ok() {
            let message = "data: got one buffer; pass a list of buffers, or offsets= with where each message starts";
            return Err(PyTypeError::new_err(message));
        }
        let items = data.try_iter().map_err(|_| {
            let found = data.get_type().name().map_or_else(|_| String::new(), |name| name.to_string());
            PyTypeError::new_err(format!("data: expected a list of buffers, got {found}"))
        })?;
        let lent = |(row, item): (usize, PyResult<Bound<'_, PyAny>>)| {
            let owner: Owner = Arc::new(Lent::new(&item?, format_args!("data[{row}]"))?);
            Ok(owner)
        };
        items.enumerate().map(lent).collect::<PyResult<_>>().map(Self::Buffers)
    }

    pub(crate) fn in_one_buffer(data: &Bound<'_, PyAny>, offsets: &Bound<'_, PyAny>) -> PyResult<Self> {
        let owner: Owner = Arc::new(Lent::new(data, "data")?);
        let offsets = Offsets::checked(&int64_values(offsets)?, (*owner).as_ref().len());
        let offsets = offsets.map_err(|error| PyValueError::new_err(format!("offsets: {error}")))?;
        Ok(Self::OneBuffer(owner, offsets))
    }

    pub(crate) fn decode(&self, plan: &Plan, options: Options) -> Result<Table, DecodeError> {
        match self {
            Self::Buffers(buffers) => {
                let whole = |owner| {
                    let input = Input::from(owner);
                    (input, 0..input.bytes.len())
                };
                let total_len = buffers.iter().map(|owner| (**owner).as_ref().len()).sum();
                decode::decode_many(plan, buffers.iter().map(whole), total_len, options)
            }
            Self::OneBuffer(owner, offsets) => {
                let input = Input::from(owner);
                let messages = (0..offsets.len()).map(|row| (input, offsets.range(row).unwrap_or_default()));
                decode::decode_many(plan, messages, input.bytes.len(), options)
            }
        }
    }
}

/// Integers of any array-like of them.
fn int64_values(offsets: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    let numpy = offsets.py().import("numpy")?;
    let array = numpy.call_method1("asarray", (offsets,))?;
    let kind: char = array.getattr("dtype")?.getattr("kind")?.extract()?;
    let is_flat = array.getattr("ndim")?.extract::<usize>()? == 1;
    if is_flat && array.len()? == 0 {
        // NumPy takes an empty list for floats.
        return Ok(Vec::new());
    }
    if !matches!(kind, 'i' | 'u') || !is_flat {
        let found = offsets.get_type().name()?;
        let dtype = array.getattr("dtype")?;
        let message = format!("offsets: expected a flat array of integers, got {found} of {dtype}");
        return Err(PyTypeError::new_err(message));
    }
    let array = numpy.call_method1("ascontiguousarray", (array, "int64"))?;
    let lent = Lent::new(&array, "offsets")?;
    Ok(lent.as_ref().as_chunks().0.iter().map(|&bytes| i64::from_ne_bytes(bytes)).collect())
}

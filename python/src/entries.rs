//! Iteration over the entries of a column.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use wirearray::column::Data;
use wirearray::plan::Plan;

use crate::errors;
use crate::values::entry_object;

/// An iterator over entries.
#[pyclass(frozen, module = "wirearray._core", name = "_Entries")]
pub(crate) struct Entries {
    plan: Arc<Plan>,
    data: Data,
    left: Mutex<Range<usize>>,
}

impl Entries {
    pub(crate) fn new(plan: Arc<Plan>, data: Data, entries: Range<usize>) -> Self {
        Self { plan, data, left: Mutex::new(entries) }
    }
}

#[pymethods]
impl Entries {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = self.left.lock().unwrap_or_else(PoisonError::into_inner).next();
        next.map(|entry| errors::with_memory(|| entry_object(py, &self.plan, &self.data, entry))).transpose()
    }

    fn __length_hint__(&self) -> usize {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

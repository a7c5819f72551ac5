//! Repeated fields: any number of values an entry.

use std::ops::Range;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyList;
use wirearray::column::{Data, Dtype, List, Offsets};
use wirearray::plan::Plan;

use crate::array;
use crate::entries::Entries;
use crate::errors;
use crate::key::{self, Rows};
use crate::values::{self, IntoBoundPyAny, column_object, entry_object};

/// The values of a repeated field: any number of them for each entry.
///
/// All values lie in one column, entry after entry: entry ``i`` is ``values[offsets[i]:offsets[i + 1]]``, which is what
/// ``ragged[i]`` gives. ``ragged[2:5]``, ``ragged[mask]`` and ``ragged[[1, 4]]`` are ragged again. Of repeated messages
/// ``ragged["name"]``, or ``ragged.name``, is a field of them, just as ragged.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct Ragged {
    plan: Arc<Plan>,
    list: Arc<List>,
    entries: Range<usize>,
}

impl Ragged {
    pub(crate) fn new(plan: Arc<Plan>, list: Arc<List>, entries: Range<usize>) -> Self {
        Self { plan, list, entries }
    }

    /// The plan, the column and the entries of it that it shows.
    pub(crate) fn parts(&self) -> (&Arc<Plan>, Data, Range<usize>) {
        (&self.plan, self.data(), self.entries.clone())
    }

    /// The offsets of the entries that it shows, from 0.
    pub(crate) fn own_offsets(&self) -> Offsets {
        self.list.offsets.slice(self.entries.clone())
    }

    /// The values of all entries, messages of well-known types as messages.
    pub(crate) fn raw_values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.values_of(py, &self.plan.showing(false))
    }

    fn values_of<'py>(&self, py: Python<'py>, plan: &Arc<Plan>) -> PyResult<Bound<'py, PyAny>> {
        let values = self.list.offsets.range_of_all(self.entries.clone()).unwrap_or_default();
        errors::with_memory(|| column_object(py, plan, &self.list.values, values))
    }

    fn data(&self) -> Data {
        Data::List(self.list.clone())
    }

    fn column<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyAny>> {
        errors::with_memory(|| {
            let all = self.data();
            let data = values::follow(py, &all, || self.plan.follow_within(&all, path))?;
            column_object(py, &self.plan, &data, self.entries.clone())
        })
    }
}

#[pymethods]
impl Ragged {
    /// The values of all entries, one after the other: array, Strings, Table or Ragged.
    #[getter]
    pub(crate) fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.values_of(py, &self.plan)
    }

    /// Where each entry's values start and end: read-only array of int64, shape (entries + 1,), ascending from 0.
    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        errors::with_memory(|| array::offsets(py, &self.own_offsets()))
    }

    /// How many values each entry has: array of int64, shape (entries,).
    #[getter]
    fn lengths<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        errors::with_memory(|| array::fresh(py, &self.list.offsets.lens(self.entries.clone()), Dtype::Int64))
    }

    fn __len__(&self) -> usize {
        self.entries.len()
    }

    fn __iter__(&self) -> Entries {
        Entries::new(self.plan.clone(), self.data(), self.entries.clone())
    }

    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.column(py, name).map_err(|error| values::attribute_error(py, error))
    }

    fn __dir__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        let names = match &this.list.values {
            Data::Table(table) => this.plan.column_names(table.number()).collect(),
            _ => Vec::new(),
        };
        values::dir(slf.as_any(), &names)
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(found) = values::get_named(key, |path| self.column(py, path))? {
            return Ok(found);
        }
        errors::with_memory(|| match key::rows(key, &self.entries)? {
            Rows::One(entry) => entry_object(py, &self.plan, &self.data(), entry),
            Rows::Range(entries) => column_object(py, &self.plan, &self.data(), entries),
            Rows::List(entries) => {
                let list = Arc::new(self.list.take(&entries));
                Self::new(self.plan.clone(), list, 0..entries.len()).into_bound_py_any(py)
            }
        })
    }

    /// Return the entries in a list: of arrays, Strings or Tables.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let data = self.data();
        let entries = self.entries.clone().map(|entry| entry_object(py, &self.plan, &data, entry));
        PyList::new(py, errors::with_memory(|| entries.collect::<PyResult<Vec<_>>>())?)
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::repr(slf.as_any(), "ragged")
    }
}

//! Strings and bytes, in one piece of memory.

use std::ops::Range;
use std::sync::Arc;

use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::PyList;
use wirearray::column::{Data, Dtype, StringColumn};
use wirearray::plan::Plan;

use crate::array;
use crate::entries::Entries;
use crate::errors;
use crate::key::{self, Rows};
use crate::values::{self, column_object, string_object};

/// Strings, or bytes where the field is declared so, in one piece of memory.
///
/// String ``i`` is ``data[offsets[i]:offsets[i + 1]]`` in UTF-8; ``strings[i]`` gives it as ``str`` or ``bytes``.
/// ``strings[2:5]``, ``strings[mask]`` and ``strings[[1, 4]]`` are strings again, and ``strings == "ABC"`` is a mask. Bytes that
/// are not UTF-8, which proto2 lets pass, come as lone surrogates, as ``errors="surrogateescape"`` makes them.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct Strings {
    plan: Arc<Plan>,
    strings: StringColumn,
    entries: Range<usize>,
}

impl Strings {
    pub(crate) fn new(plan: Arc<Plan>, strings: StringColumn, entries: Range<usize>) -> Self {
        Self { plan, strings, entries }
    }

    /// The plan, the column and the entries of it that it shows.
    pub(crate) fn parts(&self) -> (&Arc<Plan>, Data, Range<usize>) {
        (&self.plan, Data::Strings(self.strings.clone()), self.entries.clone())
    }

    /// True for text, false for bytes.
    pub(crate) fn is_text(&self) -> bool {
        self.strings.is_text
    }

    /// The strings that it shows.
    pub(crate) fn column(&self) -> StringColumn {
        self.strings.slice(self.entries.clone())
    }
}

#[pymethods]
impl Strings {
    /// The bytes of all strings, one after the other: read-only array of uint8.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let range = self.strings.offsets.range_of_all(self.entries.clone()).unwrap_or_default();
        array::bytes(py, &self.strings.data, range)
    }

    /// Where each string starts and ends: read-only array of int64, shape (strings + 1,), ascending from 0.
    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        errors::with_memory(|| array::offsets(py, &self.strings.offsets.slice(self.entries.clone())))
    }

    /// The length of each string in bytes: array of int64, shape (strings,).
    #[getter]
    fn lengths<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        errors::with_memory(|| array::fresh(py, &self.strings.offsets.lens(self.entries.clone()), Dtype::Int64))
    }

    /// Which strings are equal to one, or each to its counterpart: a mask, as arrays give it.
    fn __richcmp__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        comparison: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        let wanted = match comparison {
            CompareOp::Eq => true,
            CompareOp::Ne => false,
            _ => return Ok(slf.py().NotImplemented().into_bound(slf.py())),
        };
        values::in_python(slf.py(), "_numpy", "equal_strings", (slf, other, wanted))
    }

    /// Which strings have these bytes: array of bool.
    fn _are<'py>(&self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        errors::with_memory(|| {
            let flags = py.detach(|| self.column().equal_to(bytes));
            array::fresh(py, &flags, Dtype::Bool)
        })
    }

    fn __len__(&self) -> usize {
        self.entries.len()
    }

    fn __iter__(&self) -> Entries {
        Entries::new(self.plan.clone(), Data::Strings(self.strings.clone()), self.entries.clone())
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let data = || Data::Strings(self.strings.clone());
        errors::with_memory(|| match key::rows(key, &self.entries)? {
            Rows::One(entry) => string_object(py, &self.strings, entry),
            Rows::Range(entries) => column_object(py, &self.plan, &data(), entries),
            Rows::List(entries) => column_object(py, &self.plan, &data().take(&entries), 0..entries.len()),
        })
    }

    /// Return the strings in a list: of str or bytes.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let strings = self.entries.clone().map(|entry| string_object(py, &self.strings, entry));
        PyList::new(py, strings.collect::<PyResult<Vec<_>>>()?)
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::repr(slf.as_any(), "strings")
    }
}

//! Tables and columns for whoever takes Arrow's: the methods that the PyCapsule interface asks for.
//!
//! What is requested of a type is not looked at, as the interface allows: consumers convert by themselves.

use std::ops::Range;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyString, PyTuple};
use wirearray::arrow::{self, Array, Enums, ExportError, Field, Oneofs, Options, Rows};
use wirearray::column::{self, Data};
use wirearray::plan::Plan;

use super::capsule;
use crate::errors;
use crate::message_type::MessageType;
use crate::ragged::Ragged;
use crate::strings::Strings;
use crate::table::Table;

#[pymethods]
impl MessageType {
    /// Return the type that tables of these messages have in Arrow: a capsule, for any library that takes it.
    ///
    /// Of a message type that lies within itself the fields that would go on for ever are left out; :meth:`select` chooses how
    /// far it goes.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let field = arrow::message_field(self.plan(), Options::default());
        capsule::schema(py, field.map_err(|error| refused(&error))?)
    }
}

#[pymethods]
impl Table {
    /// Return the table's type in Arrow: a capsule, for any library that takes it.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        ArrowTable::of(self, Options::default()).__arrow_c_schema__(py)
    }

    /// Return the table as an Arrow array of structs, null where a message is absent: two capsules, for any library that takes
    /// them. Numbers, strings and offsets are not copied.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        ArrowTable::of(self, Options::default()).__arrow_c_array__(py, requested_schema)
    }

    /// Return the table as an Arrow stream of one batch of records: a capsule, for any library that takes it. Numbers, strings
    /// and offsets are not copied.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        ArrowTable::of(self, Options::default()).__arrow_c_stream__(py, requested_schema)
    }

    /// Choose what enums and oneofs become in Arrow.
    ///
    /// Without this, any library that speaks Arrow's PyCapsule interface takes the table itself: ``pyarrow.table(table)``.
    ///
    /// Parameters
    /// ----------
    /// enums : {"numbers", "names"}, default "numbers"
    ///     ``"names"`` makes dictionaries of strings; a number that has no name becomes its digits.
    /// oneofs : {"columns", "union"}, default "columns"
    ///     ``"union"`` makes one column of each oneof, a sparse union, of which the member ``(none)`` says that none is set.
    ///     Not all libraries have unions.
    ///
    /// Returns
    /// -------
    /// ArrowTable
    ///     The same table, for any library that takes Arrow's.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If there is no such choice.
    ///
    /// Examples
    /// --------
    /// >>> import pyarrow
    /// >>> import wirearray as wa
    /// >>> text = 'syntax = "proto3"; enum Side { BUY = 0; SELL = 1; } message Order { Side side = 1; }'
    /// >>> table = wa.Schema.from_source(text)["Order"].decode_many([b"", b"\x08\x01"])
    /// >>> pyarrow.table(table.to_arrow(enums="names"))["side"].to_pylist()
    /// ['BUY', 'SELL']
    #[pyo3(
        signature = (*, enums = EnumsArgument(Enums::Numbers), oneofs = OneofsArgument(Oneofs::Columns)),
        text_signature = "($self, *, enums='numbers', oneofs='columns')"
    )]
    fn to_arrow(&self, enums: EnumsArgument, oneofs: OneofsArgument) -> ArrowTable {
        ArrowTable::of(self, Options { enums: enums.0, oneofs: oneofs.0, ..Options::default() })
    }
}

/// A table with what its enums and oneofs become in Arrow, made by :meth:`Table.to_arrow`.
///
/// Any library that speaks Arrow's PyCapsule interface takes it.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct ArrowTable {
    plan: Arc<Plan>,
    table: Arc<column::Table>,
    rows: Range<usize>,
    options: Options,
}

impl ArrowTable {
    pub(super) fn of(table: &Table, options: Options) -> Self {
        let (plan, table, rows) = table.parts();
        Self { plan: plan.clone(), table: table.clone(), rows, options }
    }

    pub(super) fn export(&self, py: Python<'_>, rows: Rows) -> PyResult<(Field, Array)> {
        errors::with_memory(|| {
            let exported = py.detach(|| arrow::export_table(&self.plan, &self.shown(), self.options, rows));
            exported.map_err(|error| refused(&error))
        })
    }

    /// The table of the rows that it shows.
    fn shown(&self) -> Arc<column::Table> {
        let is_whole = self.rows == (0..self.table.rows());
        if is_whole { self.table.clone() } else { Arc::new(self.table.slice(self.rows.clone())) }
    }
}

#[pymethods]
impl ArrowTable {
    /// Return the table's type in Arrow: a capsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        errors::with_memory(|| {
            let field = arrow::table_field(&self.plan, &self.shown(), self.options, Rows::Batch);
            capsule::schema(py, field.map_err(|error| refused(&error))?)
        })
    }

    /// Return the table as an Arrow array of structs, null where a message is absent: two capsules.
    #[pyo3(signature = (requested_schema = None))]
    #[expect(unused_variables, reason = "the interface lets it be")]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        capsule::array(py, self.export(py, Rows::Struct)?)
    }

    /// Return the table as an Arrow stream of one batch of records: a capsule.
    #[pyo3(signature = (requested_schema = None))]
    #[expect(unused_variables, reason = "the interface lets it be")]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::stream(py, self.export(py, Rows::Batch)?)
    }
}

macro_rules! exported_column {
    ($($class:ident),*) => {$(
        #[pymethods]
        impl $class {
            /// Return the column's type in Arrow: a capsule, for any library that takes it.
            fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
                let (plan, data, entries) = self.parts();
                errors::with_memory(|| {
                    let field = arrow::column_field(plan, &data.slice(entries), Options::default());
                    capsule::schema(py, field.map_err(|error| refused(&error))?)
                })
            }

            /// Return the column as an Arrow array: two capsules, for any library that takes them. Numbers and strings are not
            /// copied.
            #[pyo3(signature = (requested_schema = None))]
            #[expect(unused_variables, reason = "the interface lets it be")]
            fn __arrow_c_array__<'py>(
                &self,
                py: Python<'py>,
                requested_schema: Option<&Bound<'py, PyAny>>,
            ) -> PyResult<Bound<'py, PyTuple>> {
                capsule::array(py, export_column(py, self.parts())?)
            }

            /// Return the column as an Arrow stream of one array: a capsule, for any library that takes it. Numbers and strings
            /// are not copied.
            #[pyo3(signature = (requested_schema = None))]
            #[expect(unused_variables, reason = "the interface lets it be")]
            fn __arrow_c_stream__<'py>(
                &self,
                py: Python<'py>,
                requested_schema: Option<&Bound<'py, PyAny>>,
            ) -> PyResult<Bound<'py, PyCapsule>> {
                capsule::stream(py, export_column(py, self.parts())?)
            }
        }
    )*};
}

exported_column!(Ragged, Strings);

fn export_column(py: Python<'_>, (plan, data, entries): (&Arc<Plan>, Data, Range<usize>)) -> PyResult<(Field, Array)> {
    errors::with_memory(|| {
        let exported = py.detach(|| arrow::export_column(plan, &data.slice(entries), Options::default()));
        exported.map_err(|error| refused(&error))
    })
}

pub(super) fn refused(error: &ExportError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The `enums` argument.
struct EnumsArgument(Enums);

/// The `oneofs` argument.
struct OneofsArgument(Oneofs);

impl<'py> FromPyObject<'_, 'py> for EnumsArgument {
    type Error = PyErr;

    fn extract(enums: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        choose(enums, "enums", [("numbers", Enums::Numbers), ("names", Enums::Names)]).map(Self)
    }
}

impl<'py> FromPyObject<'_, 'py> for OneofsArgument {
    type Error = PyErr;

    fn extract(oneofs: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        choose(oneofs, "oneofs", [("columns", Oneofs::Columns), ("union", Oneofs::Union)]).map(Self)
    }
}

fn choose<T: Copy>(given: Borrowed<'_, '_, PyAny>, argument: &str, choices: [(&str, T); 2]) -> PyResult<T> {
    let [(first, _), (second, _)] = choices;
    let expected = format!("{argument}: expected {first:?} or {second:?}, got {}", given.repr()?);
    let Ok(text) = given.cast::<PyString>() else { return Err(PyTypeError::new_err(expected)) };
    let found = choices.into_iter().find(|(name, _)| text.to_str().is_ok_and(|text| text == *name));
    found.map(|(_, choice)| choice).ok_or_else(|| PyValueError::new_err(expected))
}

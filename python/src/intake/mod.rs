//! What a caller gives, as columns: dicts, arrays, lists, records, tables and whatever NumPy takes for an array.
//!
//! A field's values come in one of two ways: as a **column** that has an entry for each row, or as **entries**, one Python
//! object a row. One message is the second way with one row. Both end in the engine's columns; arrays of the right dtype
//! are lent, not copied, and so are those of libraries that speak Arrow. What is rare or slow anyway is done by NumPy, in
//! `wirearray/_intake.py`.

mod arrow;
mod lists;
mod maps;
mod messages;
mod numbers;
mod place;
mod strings;
mod well_known;

use std::collections::HashMap;
use std::sync::Arc;

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use wirearray::column::{self, Column, Data, Item, Validity};
use wirearray::plan::Plan;
use wirearray::schema::EnumId;

use place::Place;

/// A field's values, as the caller gives them.
enum Given<'py> {
    /// All in one object, which has an entry for each row.
    Column(Bound<'py, PyAny>),
    /// An object for each row; nothing where it is absent.
    Entries(Vec<Option<Bound<'py, PyAny>>>),
}

/// The values of a column, and which of its entries have one.
struct Taken {
    data: Data,
    validity: Validity,
}

/// Takes objects in for a plan.
pub(crate) struct Intake<'py> {
    py: Python<'py>,
    plan: Arc<Plan>,
    place: Place,
    depth: u32,
    /// The numbers of enums' names, of those that have been asked for.
    enums: HashMap<EnumId, Bound<'py, PyDict>>,
}

impl<'py> Intake<'py> {
    fn new(py: Python<'py>, plan: &Arc<Plan>, place: Place) -> Self {
        Self { py, plan: plan.clone(), place, depth: 0, enums: HashMap::new() }
    }

    /// One message: a table, and the row of it that it is.
    pub(crate) fn message(
        py: Python<'py>,
        plan: &Arc<Plan>,
        message: &Bound<'py, PyAny>,
    ) -> PyResult<(Arc<column::Table>, usize)> {
        let mut intake = Self::new(py, plan, Place::of_message());
        if let Some(found) = intake.own_record(0, message)? {
            return Ok(found);
        }
        Ok((intake.one_message(0, message)?, 0))
    }

    /// Many messages: a table, and the rows of it that they are.
    pub(crate) fn messages(
        py: Python<'py>,
        plan: &Arc<Plan>,
        messages: &Bound<'py, PyAny>,
    ) -> PyResult<(Arc<column::Table>, std::ops::Range<usize>)> {
        let mut intake = Self::new(py, plan, Place::of_rows());
        if let Some(found) = intake.own_table(0, messages)? {
            return Ok(found);
        }
        let table = intake.table(0, messages)?;
        let rows = 0..table.rows();
        Ok((table, rows))
    }

    /// The rows of a table, with other columns of the fields that a dict names.
    pub(crate) fn changed(
        py: Python<'py>,
        plan: &Arc<Plan>,
        messages: &Bound<'py, PyAny>,
        fields: &Bound<'py, PyDict>,
    ) -> PyResult<Arc<column::Table>> {
        let mut intake = Self::new(py, plan, Place::of_rows());
        let table = intake.table(0, messages)?;
        intake.changed_table(&table, fields)
    }

    /// A field's column; nothing where no row has a value.
    fn field(&mut self, number: usize, index: usize, given: Given<'py>) -> PyResult<Option<Column>> {
        if let Given::Entries(entries) = &given
            && entries.iter().all(Option::is_none)
        {
            return Ok(None);
        }
        let plan = Arc::clone(&self.plan);
        let layout = &plan.layout().tables[number].columns[index];
        if layout.cardinality.is_repeated() {
            let data = self.lists(number, index, given)?;
            return Ok(Some(Column { data, validity: Validity::All }));
        }
        let Taken { data, validity } = match given {
            Given::Column(column) => self.column(number, index, &column)?,
            Given::Entries(entries) => self.entries(number, index, entries)?,
        };
        Ok(Some(Column { data, validity }))
    }

    /// The values of a singular field, or all values of a repeated one, which lie in one object.
    fn column(&mut self, number: usize, index: usize, column: &Bound<'py, PyAny>) -> PyResult<Taken> {
        let plan = Arc::clone(&self.plan);
        let item = &plan.layout().tables[number].columns[index].item;
        if column.is_instance_of::<PyList>() || column.is_instance_of::<PyTuple>() {
            if let Item::String { .. } = item {
                // Many strings are the commonest list, and each an object: they are not gathered first.
                return self.string_sequence(number, index, column);
            }
            return self.entries(number, index, Self::items(column).unwrap_or_default());
        }
        if let Some(column) = self.arrow(column)? {
            return self.arrow_column(number, index, column);
        }
        match item {
            Item::Number { .. } => self.numbers(number, index, column),
            Item::String { .. } => self.strings(number, index, column),
            Item::Table(inner) => self.table(*inner, column).map(of_table),
        }
    }

    /// The same, with an object for each value.
    fn entries(&mut self, number: usize, index: usize, entries: Vec<Option<Bound<'py, PyAny>>>) -> PyResult<Taken> {
        let plan = Arc::clone(&self.plan);
        match &plan.layout().tables[number].columns[index].item {
            Item::Number { .. } => self.number_entries(number, index, &entries),
            Item::String { .. } => self.string_entries(number, index, entries.len(), entries.into_iter().map(Ok)),
            Item::Table(inner) => self.message_entries(*inner, &entries).map(of_table),
        }
    }

    /// A `ValueError` at the current place.
    fn value_error(&self, problem: impl std::fmt::Display) -> PyErr {
        PyValueError::new_err(self.place.describe(problem))
    }

    /// A `TypeError` at the current place: what was expected, and what there is.
    fn type_error(&self, expected: impl std::fmt::Display, found: &Bound<'py, PyAny>) -> PyErr {
        let mut name = found.get_type().name().map_or_else(|_| String::new(), |name| name.to_string());
        if let Ok(array) = found.cast::<PyUntypedArray>() {
            name += &format!(" of {}", array.dtype());
        }
        PyTypeError::new_err(self.place.describe(format_args!("expected {expected}, got {name}")))
    }

    /// The same error, said at the current place; what is none of values, as an interruption, as it is.
    fn at_place(&self, error: PyErr) -> PyErr {
        let is_of_type = error.is_instance_of::<PyTypeError>(self.py);
        if !is_of_type && !error.is_instance_of::<PyValueError>(self.py) {
            return error;
        }
        // What is asked for a text may be interrupted.
        match error.value(self.py).str() {
            Ok(text) if is_of_type => PyTypeError::new_err(self.place.describe(text)),
            Ok(text) => self.value_error(text),
            Err(raised) => raised,
        }
    }

    fn helper(&self, function: &str) -> PyResult<Bound<'py, PyAny>> {
        self.py.import("wirearray._intake")?.getattr(function)
    }
}

fn of_table(table: Arc<column::Table>) -> Taken {
    let validity = table.validity().clone();
    Taken { data: Data::Table(table), validity }
}

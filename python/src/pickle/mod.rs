//! Columns taken apart for pickles, and put together again.
//!
//! A **state** says what columns hold in arrays and Python's own tuples, which every pickler moves, large arrays without a
//! copy. Tables stand in a list, and those within them are referred to by their places in it, so that nothing goes deeper
//! than that, however deeply messages are nested.
//!
//! What a state is called by, and how often a schema is in a pickle, is for `wirearray/_pickle.py` to say.

mod loading;
mod stamps;

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList};
use wirearray::column::{self, Data, Dtype, StringColumn, Validity};
use wirearray::plan::Plan;

use loading::{Loading, damaged};
use stamps::StampsState;

use crate::array;
use crate::errors::{self, LeftOut, Said};
use crate::field::Field;
use crate::message_type::MessageType;
use crate::ragged::Ragged;
use crate::record::Record;
use crate::schema::Schema;
use crate::strings::Strings;
use crate::table::Table;
use crate::values::{self, IntoBoundPyAny, column_object};

#[pymethods]
impl Schema {
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_pickle", "reduce_schema", (slf,))
    }

    fn __copy__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __deepcopy__(this: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        this
    }

    /// A number that two objects share while they show the same schema.
    fn _identity(&self) -> usize {
        Arc::as_ptr(self.schema()).addr()
    }
}

#[pymethods]
impl MessageType {
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_pickle", "reduce_message_type", (slf,))
    }

    fn __copy__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __deepcopy__(this: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        this
    }

    /// A number that two objects share while they stand for the same type of the same schema, made at one time.
    fn _identity(&self) -> usize {
        Arc::as_ptr(self.plan()).addr()
    }

    /// The same type, whose well-known types are shown as messages.
    fn _raw(&self) -> Self {
        Self::new(self.plan().showing(false))
    }

    /// Whether they are: bool.
    fn _is_raw(&self) -> bool {
        !self.plan().shows_well_known_types()
    }

    /// The paths that are decoded: list of str, empty where everything is.
    fn _paths(&self) -> Vec<String> {
        self.plan().selected_paths()
    }
}

#[pymethods]
impl Field {
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_pickle", "reduce_field", (slf,))
    }

    fn __copy__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __deepcopy__(this: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        this
    }

    /// The message type that it is a field of.
    fn _message_type(&self) -> MessageType {
        let (schema, message) = self.parts();
        MessageType::new(Arc::new(Plan::new(schema.clone(), message)))
    }
}

#[pymethods]
impl Table {
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_pickle", "reduce_table", (slf,))
    }

    fn _state<'py>(&self, py: Python<'py>) -> PyResult<State<'py>> {
        let (plan, table, rows) = self.parts();
        state(py, plan, || Data::Table(table.clone()).slice(rows))
    }

    /// What the errors of the messages that were left out are made of.
    fn _errors_state(&self) -> Vec<Said> {
        self.left_out().said()
    }

    /// What MCAP files say of the rows, if they are from there.
    fn _mcap_state<'py>(&self, py: Python<'py>) -> Option<StampsState<'py>> {
        self.stamps().map(|found| stamps::state(py, &found))
    }
}

#[pymethods]
impl Record {
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_pickle", "reduce_record", (slf,))
    }

    fn _state<'py>(&self, py: Python<'py>) -> PyResult<State<'py>> {
        let (plan, table, row) = self.parts();
        state(py, plan, || Data::Table(table.clone()).slice(row..row + 1))
    }
}

#[pymethods]
impl Ragged {
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_pickle", "reduce_ragged", (slf,))
    }

    fn _state<'py>(&self, py: Python<'py>) -> PyResult<State<'py>> {
        let (plan, data, entries) = self.parts();
        state(py, plan, || data.slice(entries))
    }

    /// The type of the messages that the values are, if they are.
    fn _message_type(&self) -> Option<MessageType> {
        let (plan, data, _) = self.parts();
        let mut data = &data;
        while let Data::List(list) = data {
            data = &list.values;
        }
        match data {
            Data::Table(table) => Some(MessageType::of_table(plan, table.number())),
            _ => None,
        }
    }
}

#[pymethods]
impl Strings {
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_pickle", "reduce_strings", (slf,))
    }

    fn _state<'py>(&self, py: Python<'py>) -> PyResult<State<'py>> {
        state(py, Plan::of_no_message(), || Data::Strings(self.column()))
    }
}

/// Return the column of a state; its tables are of `message_type`. With it may come what MCAP files say of a table's rows, and the
/// errors of the messages that it lacks.
#[pyfunction]
#[pyo3(signature = (message_type, root, tables, mcap = None, errors = None))]
pub(crate) fn _of_state<'py>(
    py: Python<'py>,
    message_type: Option<&MessageType>,
    root: &Bound<'py, PyAny>,
    tables: &Bound<'py, PyList>,
    mcap: Option<&Bound<'py, PyAny>>,
    errors: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let plan = message_type.map_or_else(|| Plan::of_no_message(), MessageType::plan);
    match Loading::new(plan, root, tables)?.data(root)? {
        // Whatever its messages are shown as elsewhere, it was a table.
        Data::Table(table) => {
            let rows = 0..table.rows();
            let stamps = mcap.map(|state| stamps::of_state(state, rows.len())).transpose()?;
            let errors = errors.map(values::each::<Said>).transpose();
            let errors = errors.map_err(|_| damaged("the errors of messages are none"))?.unwrap_or_default();
            let errors = LeftOut::Loaded(errors);
            let table = Table::new(plan.clone(), table, rows).with_stamps(stamps);
            table.with_errors(errors).into_bound_py_any(py)
        }
        data => column_object(py, &plan.of_values(), &data, 0..data.len()),
    }
}

/// Return the record of a state: the one row of a table.
#[pyfunction]
pub(crate) fn _record_of_state(
    message_type: &MessageType,
    root: &Bound<'_, PyAny>,
    tables: &Bound<'_, PyList>,
) -> PyResult<Record> {
    match Loading::new(message_type.plan(), root, tables)?.data(root)? {
        Data::Table(table) if table.rows() == 1 && table.validity().is_set(0) => {
            Ok(Record::new(message_type.plan().clone(), table, 0))
        }
        _ => Err(damaged("a record is one message")),
    }
}

/// The column itself, and the tables that it and they refer to.
type State<'py> = (Bound<'py, PyAny>, Bound<'py, PyList>);

fn state<'py>(py: Python<'py>, plan: &Plan, data: impl FnOnce() -> Data) -> PyResult<State<'py>> {
    errors::with_memory(|| {
        let mut open = Vec::new();
        let root = data_state(py, &data(), &mut open)?;
        let tables = PyList::empty(py);
        while let Some(table) = open.get(tables.len()).cloned() {
            tables.append(table_state(py, plan, &table, &mut open)?)?;
        }
        Ok((root, tables))
    })
}

/// Numbers are an array, strings a tuple of three, lists one of two, and a table is its number in the list to be.
fn data_state<'py>(py: Python<'py>, data: &Data, open: &mut Vec<Arc<column::Table>>) -> PyResult<Bound<'py, PyAny>> {
    match data {
        Data::Numbers(numbers) => array::numbers(py, numbers, 0..data.len()),
        Data::Strings(strings) => strings_state(py, strings),
        Data::Table(table) => {
            open.push(table.clone());
            Ok((open.len() - 1).into_pyobject(py)?.into_any())
        }
        Data::List(list) => {
            let offsets = array::offsets(py, &list.offsets)?;
            Ok((offsets, data_state(py, &list.values, open)?).into_pyobject(py)?.into_any())
        }
    }
}

fn strings_state<'py>(py: Python<'py>, strings: &StringColumn) -> PyResult<Bound<'py, PyAny>> {
    let range = strings.offsets.range_of_all(0..strings.offsets.len()).unwrap_or_default();
    let (bytes, offsets) = (array::bytes(py, &strings.data, range)?, array::offsets(py, &strings.offsets)?);
    Ok((strings.is_text, bytes, offsets).into_pyobject(py)?.into_any())
}

fn table_state<'py>(
    py: Python<'py>,
    plan: &Plan,
    table: &column::Table,
    open: &mut Vec<Arc<column::Table>>,
) -> PyResult<Bound<'py, PyAny>> {
    // One that could not be made of its parts again is no pickle.
    Plan::check_depth(table).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let (columns, oneofs) = (PyDict::new(py), PyDict::new(py));
    for (index, name) in plan.column_names(table.number()).enumerate() {
        let Some(column) = table.column_if_made(index).filter(|column| column.has_values()) else { continue };
        let validity = validity_state(py, &column.validity, column.data.len())?;
        columns.set_item(name, (validity, data_state(py, &column.data, open)?))?;
    }
    for (index, name) in plan.oneof_names(table.number()).enumerate() {
        oneofs.set_item(name, array::read_only_numbers(py, &table.oneof(index), 0..table.rows())?)?;
    }
    let validity = validity_state(py, table.validity(), table.rows())?;
    let unknown = table.unknown().map(|unknown| strings_state(py, unknown)).transpose()?;
    Ok((table.rows(), validity, columns, oneofs, unknown).into_pyobject(py)?.into_any())
}

/// `True` for all rows, `False` for none.
fn validity_state<'py>(py: Python<'py>, validity: &Validity, rows: usize) -> PyResult<Bound<'py, PyAny>> {
    match validity {
        Validity::All => Ok(PyBool::new(py, true).to_owned().into_any()),
        Validity::Nothing => Ok(PyBool::new(py, false).to_owned().into_any()),
        Validity::Flags(_) => array::fresh(py, &validity.flags(0..rows), Dtype::Bool),
    }
}

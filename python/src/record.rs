//! One message: a row of a table.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyList, PyString};
use wirearray::column::{self, Cardinality, Data};
use wirearray::plan::{Plan, WellKnown};

use crate::errors;
use crate::message_type::MessageType;
use crate::strings::Strings;
use crate::table::Table;
use crate::values::{self, entry_object};

/// One message: a row of a :class:`Table`.
///
/// ``record["name"]`` is a field's value:
///
/// - of a number, bool or enum a NumPy scalar;
/// - of a string ``str``, of bytes ``bytes``;
/// - of a message a :class:`Record`, or ``None`` where it is absent;
/// - of a ``google.protobuf.Timestamp`` or ``Duration`` ``datetime64[ns]`` or ``timedelta64[ns]``, and of a wrapper as
///   ``DoubleValue`` what it wraps, or ``None``;
/// - of a repeated number an array;
/// - of a repeated string :class:`Strings`;
/// - of a repeated message, or of a map, a :class:`Table`.
///
/// ``record["a.b"]`` is the field ``b`` of the message ``a``, ``record["a", "b"]`` a tuple of values, and ``record.a`` the
/// same as ``record["a"]`` where that is not a name of the record's own. Absent fields have their default.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct Record {
    plan: Arc<Plan>,
    table: Arc<column::Table>,
    row: usize,
}

impl Record {
    pub(crate) fn new(plan: Arc<Plan>, table: Arc<column::Table>, row: usize) -> Self {
        Self { plan, table, row }
    }

    /// The plan, the table and the row of it that it shows.
    pub(crate) fn parts(&self) -> (&Arc<Plan>, &Arc<column::Table>, usize) {
        (&self.plan, &self.table, self.row)
    }

    fn value<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyAny>> {
        errors::with_memory(|| {
            let data = values::follow(py, &Data::Table(self.table.clone()), || self.plan.follow(&self.table, path))?;
            entry_object(py, &self.plan, &data, self.row)
        })
    }
}

#[pymethods]
impl Record {
    /// The type of the message, with the fields that were decoded: MessageType.
    #[getter]
    fn message_type(&self) -> MessageType {
        MessageType::of_table(&self.plan, self.table.number())
    }

    /// The fields that the schema does not know, as they were written: bytes, empty where none came, or where they were not
    /// kept. ``decode(data, keep_unknown=True)`` keeps them, of each message within the message too.
    #[getter]
    fn unknown_fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let unknown = errors::with_memory(|| Ok(self.table.unknown().and_then(|unknown| unknown.get(self.row))))?;
        Ok(PyBytes::new(py, unknown.unwrap_or_default()))
    }

    fn __len__(&self) -> usize {
        self.plan.message(self.table.number()).fields.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.keys())?.try_iter()
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>().is_ok_and(|name| self.plan.column_index(self.table.number(), &name).is_some())
    }

    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.value(py, name).map_err(|error| values::attribute_error(py, error))
    }

    fn __dir__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::dir(slf.as_any(), &slf.get().keys())
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        values::get_named(key, |path| self.value(py, path))?.ok_or_else(|| {
            let found = key.get_type().name().map_or_else(|_| String::new(), |name| name.to_string());
            pyo3::exceptions::PyTypeError::new_err(format!("fields are chosen by name, not by {found}"))
        })
    }

    /// The names of the fields: list of str.
    fn keys(&self) -> Vec<String> {
        self.plan.column_names(self.table.number()).map(str::to_owned).collect()
    }

    fn _ipython_key_completions_(&self) -> Vec<String> {
        self.keys()
    }

    /// Return whether the message has a value of its own for a field.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The field's name, or a path of names joined by dots.
    ///
    /// Returns
    /// -------
    /// bool
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no such field.
    /// ValueError
    ///     If the schema does not tell absent from default for it, or it is repeated.
    fn present(&self, name: &str) -> PyResult<bool> {
        errors::asked(|| Ok(self.plan.presence(&self.table, name)?.is_set(self.row)))
    }

    /// Return the number of the field that is set of a oneof, 0 for none.
    ///
    /// Parameters
    /// ----------
    /// oneof : str
    ///     The oneof's name.
    ///
    /// Returns
    /// -------
    /// int
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no such oneof.
    fn which(&self, oneof: &str) -> PyResult<i32> {
        errors::asked(|| {
            let numbers = self.plan.which(&self.table, oneof)?;
            let bytes = numbers.get(self.row).and_then(|bytes| bytes.try_into().ok());
            Ok(bytes.map_or(0, i32::from_ne_bytes))
        })
    }

    /// Return the member of a oneof that is set.
    ///
    /// Parameters
    /// ----------
    /// oneof : str
    ///     The oneof's name.
    ///
    /// Returns
    /// -------
    /// tuple of str and value, or None
    ///     The name of the field that is set, and its value, ``None`` of one that is not selected; ``None`` alone where no field
    ///     is set.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no such oneof.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> text = 'syntax = "proto3"; message Event { oneof payload { string text = 1; int32 code = 2; } }'
    /// >>> record = wa.Schema.from_source(text)["Event"].decode(b"\x0a\x02hi")
    /// >>> match record.chosen("payload"):
    /// ...     case ("text", text):
    /// ...         print("a text:", text)
    /// ...     case ("code", code):
    /// ...         print("a code:", code)
    /// a text: hi
    fn chosen<'py>(&self, py: Python<'py>, oneof: &str) -> PyResult<Option<(String, Bound<'py, PyAny>)>> {
        let rows = self.row..self.row + 1;
        let names = errors::asked(|| self.plan.chosen(&self.table, oneof, rows))?;
        let name = String::from_utf8_lossy(names.get(0).unwrap_or_default()).into_owned();
        if name.is_empty() {
            return Ok(None);
        }
        let is_selected = self.plan.column_index(self.table.number(), &name).is_some();
        let value = if is_selected { self.value(py, &name)? } else { py.None().into_bound(py) };
        Ok(Some((name, value)))
    }

    /// Return the name of an enum's number.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The field's name, or a path of names joined by dots.
    ///
    /// Returns
    /// -------
    /// str, Strings or Ragged of Strings
    ///     Of a repeated field the names of all its numbers. A number without a name has its digits, as in ProtoJSON; of several
    ///     names of one number the first is taken.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no such field.
    /// ValueError
    ///     If it is not of an enum.
    fn enum_names<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let rows = self.row..self.row + 1;
        let names = errors::asked(|| self.plan.enum_names(&self.table, name, rows))?;
        entry_object(py, &self.plan, &names, 0)
    }

    /// Return the message as Python objects all the way down.
    ///
    /// Returns
    /// -------
    /// dict of str to int, float, bool, str, bytes, datetime64, timedelta64, array, list, dict or None
    ///     Repeated numbers and times stay arrays, repeated messages become lists of dicts, and maps dicts. A field is ``None``
    ///     where the schema tells absent from default, and it is absent. :meth:`MessageType.encode` takes it as it is.
    ///
    /// Raises
    /// ------
    /// RecursionError
    ///     If messages are nested deeper than 100 levels.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        errors::with_memory(|| self.dict(py))
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::repr(slf.as_any(), "record")
    }
}

impl Record {
    fn dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        values::check_depth(&self.table)?;
        let dict = PyDict::new(py);
        for (index, name) in self.plan.column_names(self.table.number()).enumerate() {
            let layout = &self.plan.layout().tables[self.table.number()].columns[index];
            // A column that no one asked for is not made to find that out.
            let validity = self.table.column_if_made(index).map(|column| &column.validity);
            let is_set = validity.is_some_and(|validity| validity.is_set(self.row));
            let is_absent = layout.cardinality == Cardinality::Explicit && !is_set;
            let value = if is_absent { py.None().into_bound(py) } else { self.plain_value(py, index)? };
            dict.set_item(PyString::intern(py, name), value)?;
        }
        Ok(dict)
    }

    /// A field's value for `to_dict`.
    fn plain_value<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyAny>> {
        let data = &self.table.column(index).data;
        let value = entry_object(py, &self.plan, data, self.row)?;
        if let Ok(record) = value.cast::<Self>() {
            return Ok(record.get().dict(py)?.into_any());
        }
        if value.is_instance_of::<Strings>() {
            return value.call_method0("to_list");
        }
        if value.is_instance_of::<Table>() {
            let is_map = self.plan.column_is_map(self.table.number(), index);
            return if is_map { plain_map(py, &value) } else { plain_list(py, &value) };
        }
        if !value.is_none() && self.is_number(data) { value.call_method0("item") } else { Ok(value) }
    }

    /// True for numbers, wrapped ones too, but not for times: Python's own have no nanoseconds.
    fn is_number(&self, data: &Data) -> bool {
        match data {
            Data::Numbers(_) => true,
            Data::Table(table) if self.plan.shown_as(table.number()) == Some(WellKnown::Wrapper) => {
                self.is_number(&table.column(0).data)
            }
            _ => false,
        }
    }
}

fn plain_list<'py>(py: Python<'py>, table: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let records = table.try_iter()?.map(|record| record?.call_method0("to_dict"));
    Ok(PyList::new(py, records.collect::<PyResult<Vec<_>>>()?)?.into_any())
}

fn plain_map<'py>(py: Python<'py>, table: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    for entry in table.try_iter()? {
        let entry = entry?.call_method0("to_dict")?;
        // A selection of the keys alone leaves no values.
        let value = entry.call_method1("get", ("value",))?;
        dict.set_item(entry.get_item("key")?, value)?;
    }
    Ok(dict.into_any())
}

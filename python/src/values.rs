//! Columns and their entries as the Python objects that show them; paths through columns.

use std::ops::Range;
use std::sync::Arc;

use pyo3::exceptions::{PyAttributeError, PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use wirearray::column::{self, Data, List, StringColumn, Validity};
use wirearray::plan::{Plan, split_path};

use crate::array;
use crate::errors::no_field;
use crate::ragged::Ragged;
use crate::record::Record;
use crate::strings::Strings;
use crate::table::Table;

/// Some entries of a column: an array, or one of the column objects.
pub(crate) fn column_object<'py>(
    py: Python<'py>,
    plan: &Arc<Plan>,
    data: &Data,
    entries: Range<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    match data {
        Data::Numbers(numbers) => array::numbers(py, numbers, entries),
        Data::Strings(strings) => Strings::new(plan.clone(), strings.clone(), entries).into_bound_py_any(py),
        Data::Table(table) => Table::new(plan.clone(), table.clone(), entries).into_bound_py_any(py),
        Data::List(list) => Ragged::new(plan.clone(), list.clone(), entries).into_bound_py_any(py),
    }
}

/// One entry of a column: a NumPy scalar, a string, a record or `None`, or all values of a repeated field.
pub(crate) fn entry_object<'py>(
    py: Python<'py>,
    plan: &Arc<Plan>,
    data: &Data,
    entry: usize,
) -> PyResult<Bound<'py, PyAny>> {
    match data {
        Data::Numbers(numbers) => array::scalar(py, numbers.get(entry).unwrap_or_default(), numbers.dtype),
        Data::Strings(strings) => string_object(py, strings, entry),
        Data::Table(table) if !table.validity().is_set(entry) => Ok(py.None().into_bound(py)),
        Data::Table(table) => Record::new(plan.clone(), table.clone(), entry).into_bound_py_any(py),
        Data::List(list) => column_object(py, plan, &list.values, list.offsets.range(entry).unwrap_or_default()),
    }
}

/// A string as `str`, or `bytes` where the field is declared so. Bytes that are not UTF-8, which proto2 lets pass, become
/// lone surrogates, from which `encode("utf-8", "surrogateescape")` makes them again.
pub(crate) fn string_object<'py>(py: Python<'py>, strings: &StringColumn, entry: usize) -> PyResult<Bound<'py, PyAny>> {
    let bytes = strings.get(entry).unwrap_or_default();
    if !strings.is_text {
        return Ok(PyBytes::new(py, bytes).into_any());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(PyString::new(py, text).into_any()),
        Err(_) => PyBytes::new(py, bytes).call_method1("decode", ("utf-8", "surrogateescape")),
    }
}

/// The column that a path leads to: a field's name, or several joined by dots.
pub(crate) fn follow(plan: &Plan, table: &column::Table, path: &str) -> PyResult<Data> {
    let (index, rest) = locate(plan, table, path)?;
    let data = table.column(index).data.clone();
    match rest {
        None => Ok(data),
        Some(rest) => follow_into(plan, &data, rest, path),
    }
}

/// What a path leads to within the entries of a column.
pub(crate) fn follow_into(plan: &Plan, data: &Data, rest: &str, path: &str) -> PyResult<Data> {
    match data {
        Data::Table(table) => follow(plan, table, rest),
        Data::List(list) => {
            let values = follow_into(plan, &list.values, rest, path)?;
            Ok(Data::List(Arc::new(List { offsets: list.offsets.clone(), values })))
        }
        _ => Err(PyKeyError::new_err(format!("no field {rest:?}: what lies before it in {path:?} is not a message"))),
    }
}

/// Which rows have a value of their own in the column that a path leads to.
pub(crate) fn follow_validity(plan: &Plan, table: &column::Table, path: &str) -> PyResult<Validity> {
    let (index, rest) = locate(plan, table, path)?;
    let column = table.column(index);
    match (rest, &column.data) {
        (Some(rest), Data::Table(inner)) => follow_validity(plan, inner, rest),
        (None, Data::List(_)) | (Some(_), _) => Err(untracked(path, "a repeated field is empty or not")),
        (None, _) if !field(plan, table, index).has_presence => {
            Err(untracked(path, "the schema does not tell absent from default there (declare it optional)"))
        }
        (None, _) => Ok(column.validity.clone()),
    }
}

fn untracked(path: &str, reason: &str) -> PyErr {
    PyValueError::new_err(format!("field {path:?} has no presence: {reason}"))
}

fn field<'a>(plan: &'a Plan, table: &column::Table, index: usize) -> &'a wirearray::schema::Field {
    let message = plan.message(table.number());
    &plan.schema().message(message.message).fields[message.fields[index].field]
}

/// The place of the first field of a path in its table, and the rest of the path.
fn locate<'a>(plan: &Plan, table: &column::Table, path: &'a str) -> PyResult<(usize, Option<&'a str>)> {
    let (name, rest) = split_path(path);
    let index = plan.column_index(table.number(), name);
    index.map(|index| (index, rest)).ok_or_else(|| missing(plan, table, name))
}

fn missing(plan: &Plan, table: &column::Table, name: &str) -> PyErr {
    let message = &plan.schema().message(plan.message(table.number()).message).full_name;
    no_field(name, message, &names(plan, table.number()))
}

/// The names of a table's columns.
pub(crate) fn names(plan: &Plan, number: usize) -> Vec<&str> {
    (0..plan.message(number).fields.len()).map(|index| plan.column_name(number, index)).collect()
}

/// The oneof of that name: for each row the number of the field that is set.
pub(crate) fn oneof(plan: &Plan, table: &column::Table, name: &str) -> PyResult<column::NumberColumn> {
    let message = plan.message(table.number());
    let schema = plan.schema().message(message.message);
    let index = message.oneofs.iter().position(|&oneof| schema.oneofs[oneof].name == name);
    let known =
        || message.oneofs.iter().map(|&oneof| schema.oneofs[oneof].name.as_str()).collect::<Vec<_>>().join(", ");
    index.map(|index| table.oneof(index)).ok_or_else(|| {
        let known = if message.oneofs.is_empty() { "it has none".into() } else { format!("it has {}", known()) };
        PyKeyError::new_err(format!("no oneof {name:?} in {}; {known}", schema.full_name))
    })
}

/// `object[name]` for one name, a tuple of objects for a tuple of names.
pub(crate) fn get_named<'py>(
    key: &Bound<'py, PyAny>,
    mut get: impl FnMut(&str) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(name) = key.cast::<PyString>() {
        return get(name.to_str()?).map(Some);
    }
    let Ok(names) = key.cast::<PyTuple>() else { return Ok(None) };
    let found: Vec<_> = names.iter().map(|name| get(name.cast::<PyString>()?.to_str()?)).collect::<PyResult<_>>()?;
    Ok(Some(PyTuple::new(key.py(), found)?.into_any()))
}

/// What `object.name` raises where `object[name]` raises `KeyError`.
pub(crate) fn attribute_error(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyKeyError>(py) {
        return error;
    }
    match error.value(py).getattr("args").and_then(|args| args.get_item(0)) {
        Ok(text) => PyAttributeError::new_err(text.unbind()),
        Err(other) => other,
    }
}

/// Wraps a value of a class of this module.
pub(crate) trait IntoBoundPyAny {
    fn into_bound_py_any(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>>;
}

impl<T: pyo3::PyClass + Into<pyo3::PyClassInitializer<T>>> IntoBoundPyAny for T {
    fn into_bound_py_any(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        Ok(Bound::new(py, self)?.into_any())
    }
}

/// What `dir(object)` lists: the object's own names and its fields'.
pub(crate) fn dir<'py>(object: &Bound<'py, PyAny>, names: &[impl AsRef<str>]) -> PyResult<Bound<'py, PyAny>> {
    let own = object.py().import("builtins")?.getattr("object")?.call_method1("__dir__", (object,))?;
    for name in names {
        own.call_method1("append", (name.as_ref(),))?;
    }
    Ok(own)
}

/// The text that shows an object; the module that makes it is written in Python.
pub(crate) fn repr<'py>(object: &Bound<'py, PyAny>, function: &str) -> PyResult<Bound<'py, PyAny>> {
    object.py().import("wirearray._repr")?.call_method1(function, (object,))
}

/// True where the column in place `index` is a singular message: absent, it has no value of its own to show.
pub(crate) fn is_singular_message(plan: &Plan, number: usize, index: usize) -> bool {
    let message = plan.message(number);
    let field = &plan.schema().message(message.message).fields[message.fields[index].field];
    !field.is_repeated && message.fields[index].message.is_some()
}

/// True where the column in place `index` is a map.
pub(crate) fn is_map(plan: &Plan, number: usize, index: usize) -> bool {
    plan.message(number).fields[index].message.is_some_and(|inner| plan.message(inner).is_map_entry)
}

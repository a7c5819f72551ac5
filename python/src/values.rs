//! Columns and their entries as the Python objects that show them.

use std::ops::Range;
use std::sync::Arc;

use pyo3::call::PyCallArgs;
use pyo3::exceptions::{PyAttributeError, PyKeyError, PyRecursionError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use wirearray::column::{self, Data, StringColumn};
use wirearray::plan::{PathError, Plan, Shown};
use wirearray::wire::DEPTH_LIMIT;

use crate::array;
use crate::errors;
use crate::ragged::Ragged;
use crate::record::Record;
use crate::strings::Strings;
use crate::table::Table;

/// Objects within objects are made, and shown and compared by Python, one call within another.
pub(crate) fn check_depth(table: &column::Table) -> PyResult<()> {
    if table.height() <= DEPTH_LIMIT {
        return Ok(());
    }
    let height = table.height();
    Err(PyRecursionError::new_err(format!(
        "messages are nested {height} levels deep, and dicts hold {DEPTH_LIMIT}; take columns by their paths, or select a part"
    )))
}

/// Some entries of a column: an array, or one of the column objects.
pub(crate) fn column_object<'py>(
    py: Python<'py>,
    plan: &Arc<Plan>,
    data: &Data,
    entries: Range<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    make(py, data)?;
    match data {
        Data::Numbers(numbers) => array::numbers(py, numbers, entries),
        Data::Strings(strings) => Strings::new(plan.clone(), strings.clone(), entries).into_bound_py_any(py),
        Data::Table(table) => match plan.shown(table).map_err(|fault| errors::moment_fault(&fault))? {
            None => Table::new(plan.clone(), table.clone(), entries).into_bound_py_any(py),
            Some(Shown::Timestamps(numbers)) => array::moments(py, &numbers, entries, false),
            Some(Shown::Durations(numbers)) => array::moments(py, &numbers, entries, true),
            Some(Shown::Values(values)) => column_object(py, plan, &values, entries),
        },
        Data::List(list) => Ragged::new(plan.clone(), list.clone(), entries).into_bound_py_any(py),
    }
}

/// One entry of a column: a NumPy scalar, a string, a record, `None` where there is no message, or all values of a repeated field.
pub(crate) fn entry_object<'py>(
    py: Python<'py>,
    plan: &Arc<Plan>,
    data: &Data,
    entry: usize,
) -> PyResult<Bound<'py, PyAny>> {
    make(py, data)?;
    match data {
        Data::Numbers(numbers) => array::scalar(py, numbers.get(entry).unwrap_or_default(), numbers.dtype),
        Data::Strings(strings) => string_object(py, strings, entry),
        Data::Table(table) if !table.validity().is_set(entry) => Ok(py.None().into_bound(py)),
        Data::Table(table) => match plan.shown(table).map_err(|fault| errors::moment_fault(&fault))? {
            None => Record::new(plan.clone(), table.clone(), entry).into_bound_py_any(py),
            Some(Shown::Timestamps(numbers)) => array::moment(py, numbers.get(entry).unwrap_or_default(), false),
            Some(Shown::Durations(numbers)) => array::moment(py, numbers.get(entry).unwrap_or_default(), true),
            Some(Shown::Values(values)) => entry_object(py, plan, &values, entry),
        },
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

/// `object[name]` for one name, a tuple of objects for a tuple of names.
pub(crate) fn get_named<'py>(
    key: &Bound<'py, PyAny>,
    mut get: impl FnMut(&str) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(name) = key.cast::<PyString>() {
        return get(name.to_str()?).map(Some);
    }
    let Ok(names) = key.cast::<PyTuple>() else { return Ok(None) };
    let found: Vec<_> = names
        .iter()
        .map(|name| match name.cast::<PyString>() {
            Ok(name) => get(name.to_str()?),
            Err(_) => {
                Err(PyTypeError::new_err("several columns are chosen by a tuple of names; rows by one key alone"))
            }
        })
        .collect::<PyResult<_>>()?;
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

/// What a path leads to within data. Messages that are kept unread there are decoded for it, while other threads go on.
pub(crate) fn follow(
    py: Python<'_>,
    data: &Data,
    find: impl FnOnce() -> Result<Data, PathError> + Send,
) -> PyResult<Data> {
    let found = if data.holds_unread() { py.detach(find) } else { find() };
    found.map_err(errors::path_error)
}

/// Has the engine make what it has put off of a column.
pub(crate) fn make(py: Python<'_>, data: &Data) -> PyResult<()> {
    data.memory().try_for_each(|memory| array::make(py, memory))
}

/// The names of the columns of a table that have been made.
pub(crate) fn made<'a>(plan: &'a Plan, table: &column::Table) -> Vec<&'a str> {
    let names = plan.column_names(table.number()).enumerate();
    names.filter(|&(index, _)| table.has_column(index)).map(|(_, name)| name).collect()
}

/// The text that shows an object; the module that makes it is written in Python.
pub(crate) fn repr<'py>(object: &Bound<'py, PyAny>, function: &str) -> PyResult<Bound<'py, PyAny>> {
    in_python(object.py(), "_repr", function, (object,))
}

/// What a function in a module of the package returns; the module is written in Python.
pub(crate) fn in_python<'py>(
    py: Python<'py>,
    module: &str,
    function: &str,
    arguments: impl PyCallArgs<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import(format!("wirearray.{module}"))?.call_method1(function, arguments)
}

/// What an iterable holds, one after the other: how many it says that they are is not believed.
pub(crate) fn each<'py, T>(iterable: &Bound<'py, PyAny>) -> PyResult<Vec<T>>
where
    T: FromPyObjectOwned<'py>,
{
    iterable.try_iter()?.map(|item| item?.extract().map_err(Into::into)).collect()
}

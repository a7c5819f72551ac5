//! What notebooks show of each object, and what of it there is to be shown; the package that makes it is written in Python.

use pyo3::prelude::*;

use crate::field::Field;
use crate::message_type::MessageType;
use crate::ragged::Ragged;
use crate::record::Record;
use crate::schema::Schema;
use crate::strings::Strings;
use crate::table::Table;
use crate::values;

#[pymethods]
impl Schema {
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_html", "schema", (slf,))
    }
}

#[pymethods]
impl MessageType {
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_html", "message_type", (slf,))
    }
}

#[pymethods]
impl Field {
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_html", "field", (slf,))
    }
}

#[pymethods]
impl Record {
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_html", "record", (slf,))
    }

    /// The names of the fields of which the table that it is a row of has columns; the others have their defaults.
    fn _made(&self) -> Vec<&str> {
        let (plan, table, _) = self.parts();
        values::made(plan, table)
    }
}

#[pymethods]
impl Table {
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_html", "table", (slf,))
    }

    /// The names of the columns that have been made: the others hold defaults alone, and cost nothing until asked for.
    fn _made(&self) -> Vec<&str> {
        let (plan, table, _) = self.parts();
        values::made(plan, table)
    }
}

#[pymethods]
impl Ragged {
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_html", "ragged", (slf,))
    }
}

#[pymethods]
impl Strings {
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_html", "strings", (slf,))
    }
}

//! A message type with the fields of it that are decoded: what turns bytes into columns.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyMappingProxy, PyString, PyTuple};
use wirearray::plan::Plan;

use crate::field::Field;
use crate::schema::Schema;

/// A message type, with the fields of it that are decoded.
///
/// Got from a :class:`Schema`, by full name. Everything that it decodes becomes arrays: one message a
/// :class:`Record`, many messages a :class:`Table`.
///
/// Examples
/// --------
/// >>> import wirearray as wa
/// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Point { double x = 1; repeated int32 tags = 2; }')
/// >>> Point = schema["Point"]
/// >>> Point
/// MessageType Point
///   double x = 1  float64
///   repeated int32 tags = 2  int32
/// >>> Point.decode(b"\x12\x03\x01\x02\x03")["tags"]
/// array([1, 2, 3], dtype=int32)
#[pyclass(frozen, weakref, module = "wirearray")]
pub(crate) struct MessageType {
    plan: Arc<Plan>,
    fields: PyOnceLock<Py<PyMappingProxy>>,
}

impl MessageType {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        Self { plan, fields: PyOnceLock::new() }
    }

    /// The type of the messages in a table of a plan, with the fields that are decoded there.
    pub(crate) fn of_table(plan: &Arc<Plan>, number: usize) -> Self {
        Self::new(if number == 0 { plan.clone() } else { plan.of_message(number) })
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub(crate) fn message(&self) -> &wirearray::schema::Message {
        self.plan.schema().message(self.plan.message(0).message)
    }
}

#[pymethods]
impl MessageType {
    /// The full name: str.
    #[getter]
    pub(crate) fn name(&self) -> &str {
        &self.message().full_name
    }

    /// The schema that defines it: Schema.
    #[getter]
    fn schema(&self) -> Schema {
        Schema::new(self.plan.schema().clone())
    }

    /// The fields that are decoded, by name: mapping of str to Field.
    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyMappingProxy>> {
        let fields = self.fields.get_or_try_init(py, || {
            let dict = PyDict::new(py);
            for field in &self.plan.message(0).fields {
                let shown_as = field.message.and_then(|number| self.plan.shown_as(number));
                let (schema, message) = (self.plan.schema().clone(), self.plan.message(0).message);
                let field = Field::new(schema, message, field.field, shown_as);
                dict.set_item(PyString::intern(py, field.name()), field)?;
            }
            PyResult::Ok(PyMappingProxy::new(py, dict.as_mapping()).unbind())
        })?;
        Ok(fields.bind(py))
    }

    /// The oneofs of which a member is decoded: mapping of str to the names of the members, a tuple of str.
    #[getter]
    fn oneofs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        let dict = PyDict::new(py);
        for &oneof in &self.plan.message(0).oneofs {
            let oneof = &self.message().oneofs[oneof];
            let members = oneof.fields.iter().map(|&field| self.message().fields[field].name.as_str());
            dict.set_item(&oneof.name, PyTuple::new(py, members.collect::<Vec<_>>())?)?;
        }
        Ok(PyMappingProxy::new(py, dict.as_mapping()))
    }

    /// Return the same type, of which only the fields on the given paths are decoded.
    ///
    /// All others are skipped: they cost no memory, little time, and are not looked into.
    ///
    /// Parameters
    /// ----------
    /// *paths : str
    ///     Names of fields or oneofs, those of nested messages joined by dots, as in ``"series.times"``. A name of a message
    ///     stands for all that is in it.
    ///
    /// Returns
    /// -------
    /// MessageType
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If a path leads to no field, or none is given.
    /// TypeError
    ///     If a path is no str.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Point { double x = 1; double y = 2; }')
    /// >>> list(schema["Point"].select("y").fields)
    /// ['y']
    #[pyo3(signature = (*paths))]
    fn select(&self, paths: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let path = |path: Bound<'_, PyAny>| {
            path.extract::<String>().or_else(|_| {
                let found = path.get_type().name()?;
                let usage = "select(\"a\", \"b.c\"), or select(*paths) for a list";
                Err(PyTypeError::new_err(format!("paths: expected names of fields, got {found}: {usage}")))
            })
        };
        let paths = paths.iter().map(path).collect::<PyResult<Vec<_>>>()?;
        if paths.is_empty() {
            return Err(PyValueError::new_err("paths: name at least one field to select"));
        }
        let plan = self
            .plan
            .select(paths.iter().map(String::as_str))
            .map_err(|error| PyValueError::new_err(format!("paths: {error}")))?;
        Ok(Self::new(Arc::new(plan)))
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::values::repr(slf.as_any(), "message_type")
    }
}

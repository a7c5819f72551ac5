//! What the schema says of a field.

use std::sync::Arc;

use numpy::PyArrayDescr;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMappingProxy, PyString};
use wirearray::plan::{WellKnown, column_dtype};
use wirearray::schema::{self, Kind, MessageId, Schema};

use crate::array;

/// What the schema says of a field of a message type.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct Field {
    schema: Arc<Schema>,
    message: MessageId,
    index: usize,
    /// What its messages are shown as.
    shown_as: Option<WellKnown>,
}

impl Field {
    pub(crate) fn new(schema: Arc<Schema>, message: MessageId, index: usize, shown_as: Option<WellKnown>) -> Self {
        Self { schema, message, index, shown_as }
    }

    /// The schema, and the message that it is a field of.
    pub(crate) fn parts(&self) -> (&Arc<Schema>, MessageId) {
        (&self.schema, self.message)
    }

    fn field(&self) -> &schema::Field {
        &self.schema.message(self.message).fields[self.index]
    }

    fn inner(&self) -> Option<&schema::Message> {
        match self.field().kind {
            Kind::Message(id) | Kind::Group(id) => Some(self.schema.message(id)),
            _ => None,
        }
    }
}

#[pymethods]
impl Field {
    /// The name: str. An extension's is its full name in brackets, ``[package.name]``, as in the text format.
    #[getter]
    pub(crate) fn name(&self) -> &str {
        &self.field().name
    }

    /// The number on the wire: int.
    #[getter]
    fn number(&self) -> u32 {
        self.field().number
    }

    /// The type's name in the ``.proto`` language: str, as ``"double"``, ``"sint32"``, ``"string"``, ``"enum"``,
    /// ``"message"`` or ``"group"``.
    #[getter]
    fn kind(&self) -> &'static str {
        self.field().kind.name()
    }

    /// The dtype of its values: numpy.dtype, or None for strings, bytes and messages. ``Timestamp`` and ``Duration`` have that
    /// of times, wrappers of numbers that of what they wrap.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArrayDescr>> {
        let kind = match self.shown_as {
            Some(WellKnown::Timestamp) => return Some(array::moment_descriptor(py, false)),
            Some(WellKnown::Duration) => return Some(array::moment_descriptor(py, true)),
            Some(WellKnown::Wrapper) => self.inner()?.fields.first()?.kind,
            None => self.field().kind,
        };
        column_dtype(kind).map(|dtype| array::descriptor(py, dtype))
    }

    /// Whether it has any number of values: bool, true for repeated fields and maps.
    #[getter]
    fn repeated(&self) -> bool {
        self.field().is_repeated
    }

    /// Whether it is a map: bool.
    #[getter]
    fn map(&self) -> bool {
        self.field().is_repeated && self.inner().is_some_and(|message| message.is_map_entry)
    }

    /// Whether absent can be told from default: bool.
    #[getter]
    fn presence(&self) -> bool {
        self.field().has_presence
    }

    /// Whether the schema requires a value: bool. A message that lacks it is decoded all the same.
    #[getter]
    fn required(&self) -> bool {
        self.field().is_required
    }

    /// Whether writers pack the values: bool. Both forms are read.
    #[getter]
    fn packed(&self) -> bool {
        self.field().is_packed
    }

    /// What absent stands for: NumPy scalar, str or bytes. The declared default, else zero, the first enum value, or empty;
    /// None for repeated fields and messages.
    #[getter]
    fn default<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let field = self.field();
        if field.is_repeated || self.inner().is_some() {
            return Ok(None);
        }
        if let Some(dtype) = column_dtype(field.kind) {
            let bits = field.default_bits().to_le_bytes();
            return array::scalar(py, &bits[..dtype.size()], dtype).map(Some);
        }
        let bytes = field.default_bytes();
        Ok(Some(match std::str::from_utf8(bytes) {
            Ok(text) if field.kind != Kind::Bytes => PyString::new(py, text).into_any(),
            _ => PyBytes::new(py, bytes).into_any(),
        }))
    }

    /// The name of the oneof that it is a member of: str or None.
    #[getter]
    fn oneof(&self) -> Option<&str> {
        let oneof = self.field().oneof?;
        Some(&self.schema.message(self.message).oneofs[oneof].name)
    }

    /// The numbers of an enum's values: mapping of str to int, or None.
    #[getter]
    fn r#enum<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyMappingProxy>>> {
        let Kind::Enum(id) = self.field().kind else { return Ok(None) };
        let dict = PyDict::new(py);
        for (name, number) in &self.schema.enumeration(id).values {
            dict.set_item(name, number)?;
        }
        Ok(Some(PyMappingProxy::new(py, dict.as_mapping())))
    }

    /// The full name of a message's type: str or None. Of a map it is that of its entries.
    #[getter]
    fn message(&self) -> Option<&str> {
        self.inner().map(|message| message.full_name.as_str())
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::values::repr(slf.as_any(), "field")
    }
}

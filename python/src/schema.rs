//! Schemas: from `.proto` text, descriptor sets, and generated classes.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList, PyTuple};
use wirearray::plan::Plan;
use wirearray::{SchemaErrorKind, schema};

use crate::errors::{self, schema_error};
use crate::lent::Lent;
use crate::message_type::MessageType;

/// A set of message types that refer to each other.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct Schema(Arc<schema::Schema>);

impl Schema {
    pub(crate) fn new(schema: Arc<schema::Schema>) -> Self {
        Self(schema)
    }

    fn read(descriptors: &[u8]) -> PyResult<Self> {
        let schema = schema::Schema::from_descriptor_set(descriptors).map_err(|error| schema_error(&error))?;
        Ok(Self::new(Arc::new(schema)))
    }
}

#[pymethods]
impl Schema {
    /// Compiles `.proto` files.
    #[staticmethod]
    #[pyo3(signature = (*paths, include = None))]
    fn from_files(py: Python<'_>, paths: Vec<PathBuf>, include: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        if paths.is_empty() {
            return Err(PyValueError::new_err("paths: name at least one .proto file"));
        }
        let include = include_paths(include)?;
        match py.detach(|| schema::compile_files(&paths, &include)) {
            Ok(descriptors) => Self::read(&descriptors),
            Err(error) if error.kind() == SchemaErrorKind::Edition => {
                let compiled = protoc(py)?.call_method1("compile_files", (paths, include))?;
                Self::from_protoc(&compiled, &error)
            }
            Err(error) => Err(schema_error(&error)),
        }
    }

    /// Compiles `.proto` text.
    #[staticmethod]
    #[pyo3(signature = (text, *, include = None))]
    fn from_source(py: Python<'_>, text: &str, include: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        const NAME: &str = "source.proto";
        let include = include_paths(include)?;
        match py.detach(|| schema::compile_source(NAME, text, &include)) {
            Ok(descriptors) => Self::read(&descriptors),
            Err(error) if error.kind() == SchemaErrorKind::Edition => {
                let compiled = protoc(py)?.call_method1("compile_source", (NAME, text, include))?;
                Self::from_protoc(&compiled, &error)
            }
            Err(error) => Err(schema_error(&error)),
        }
    }

    /// Reads a serialized `google.protobuf.FileDescriptorSet`.
    #[staticmethod]
    fn from_descriptor_set(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::read(Lent::new(data, "data")?.as_ref())
    }

    /// Takes the schema of a generated class.
    #[staticmethod]
    #[pyo3(signature = (message, *, extensions = None))]
    fn from_message(message: &Bound<'_, PyAny>, extensions: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let descriptors = message.py().import("wirearray._descriptors")?;
        let extensions = extensions.cloned().unwrap_or_else(|| PyTuple::empty(message.py()).into_any());
        let set = descriptors.call_method1("file_descriptor_set", (message, extensions))?;
        Self::read(Lent::new(&set, "message")?.as_ref())
    }

    /// The names of the files that no other file of the schema imports.
    #[getter]
    fn sources<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.sources)
    }

    /// The full names of the messages that the sources declare at their top level.
    #[getter]
    fn roots<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.roots().map(|message| message.full_name.as_str()).collect::<Vec<_>>())
    }

    fn __getitem__(&self, name: &Bound<'_, PyAny>) -> PyResult<MessageType> {
        let Ok(name) = name.extract::<String>() else {
            let found = name.get_type().name()?;
            return Err(PyTypeError::new_err(format!("message types are chosen by full name, not by {found}")));
        };
        let id = self.0.message_id(&name).ok_or_else(|| errors::no_message(&self.0, &name))?;
        Ok(MessageType::new(Arc::new(Plan::new(self.0.clone(), id))))
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>().is_ok_and(|name| self.0.message_id(&name).is_some())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.names())?.try_iter()
    }

    fn __len__(&self) -> usize {
        self.names().len()
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::values::repr(slf.as_any(), "schema")
    }
}

impl Schema {
    /// The full names of all messages but those that stand for entries of maps.
    fn names(&self) -> Vec<&str> {
        let messages = self.0.messages().map(|(_, message)| message);
        messages.filter(|message| !message.is_map_entry).map(|message| message.full_name.as_str()).collect()
    }

    /// What a `protoc` made of a text in an edition, or why the text cannot be read where there is none.
    fn from_protoc(compiled: &Bound<'_, PyAny>, error: &wirearray::SchemaError) -> PyResult<Self> {
        if compiled.is_none() {
            return Err(schema_error(error));
        }
        Self::read(Lent::new(compiled, "protoc")?.as_ref())
    }
}

/// The module that finds and runs a `protoc`.
fn protoc(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("wirearray._protoc")
}

/// One path, or several.
fn include_paths(include: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<PathBuf>> {
    let Some(include) = include else { return Ok(Vec::new()) };
    if let Ok(path) = include.extract::<PathBuf>() {
        return Ok(vec![path]);
    }
    let wrong = || PyTypeError::new_err("include: expected a path or a list of paths");
    include.try_iter().map_err(|_| wrong())?.map(|path| path?.extract().map_err(|_| wrong())).collect()
}

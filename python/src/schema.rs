//! Schemas: from `.proto` text, descriptor sets, and generated classes.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyList, PyTuple};
use wirearray::plan::Plan;
use wirearray::{SchemaErrorKind, schema};

use crate::errors::{self, schema_error};
use crate::lent::Lent;
use crate::mcap;
use crate::message_type::MessageType;
use crate::stream::TopicArgument;

/// A set of message types that refer to each other.
///
/// Made by :meth:`from_files`, :meth:`from_source`, :meth:`from_descriptor_set`, :meth:`from_message` or :meth:`from_mcap`. Works
/// like a read-only mapping from full names to message types.
///
/// Examples
/// --------
/// >>> import wirearray as wa
/// >>> schema = wa.Schema.from_source('syntax = "proto3"; package shop; message Item { string name = 1; }')
/// >>> list(schema)
/// ['shop.Item']
/// >>> "shop.Item" in schema
/// True
/// >>> schema["shop.Item"].name
/// 'shop.Item'
#[pyclass(frozen, weakref, module = "wirearray")]
pub(crate) struct Schema(Arc<schema::Schema>);

impl Schema {
    pub(crate) fn new(schema: Arc<schema::Schema>) -> Self {
        Self(schema)
    }

    pub(crate) fn schema(&self) -> &Arc<schema::Schema> {
        &self.0
    }

    fn read(descriptors: &[u8]) -> PyResult<Self> {
        let schema = schema::Schema::from_descriptor_set(descriptors).map_err(|error| schema_error(&error))?;
        Ok(Self::new(Arc::new(schema)))
    }
}

#[pymethods]
impl Schema {
    #[new]
    #[pyo3(signature = (*_arguments, **_named))]
    fn none(_arguments: &Bound<'_, PyTuple>, _named: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Err(PyTypeError::new_err(
            "a Schema is read from somewhere: Schema.from_files(\"a.proto\"), from_source(text), from_descriptor_set(data), \
            from_message(Class) or from_mcap(path)",
        ))
    }

    /// Compile ``.proto`` files, and what they import.
    ///
    /// proto2 and proto3 are compiled in process. Files in an edition need a ``protoc``, or the package ``grpcio-tools``.
    ///
    /// Parameters
    /// ----------
    /// *paths : path
    ///     The files.
    /// include : path or list of path, optional
    ///     Directories in which imports are looked up. By default those of the files; the well-known types are always
    ///     found.
    ///
    /// Raises
    /// ------
    /// FileNotFoundError
    ///     If a file does not exist.
    /// SchemaError
    ///     If a file is not valid; ``file``, ``line`` and ``column`` say where.
    /// TypeError
    ///     If a path is none, as a list of paths is.
    #[staticmethod]
    #[pyo3(signature = (*paths, include = None))]
    fn from_files(py: Python<'_>, paths: &Bound<'_, PyTuple>, include: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let path = |path: Bound<'_, PyAny>| {
            path.extract::<PathBuf>().or_else(|_| {
                let found = path.get_type().name()?;
                let usage = "from_files(\"a.proto\", \"b.proto\"), or from_files(*paths) for a list";
                Err(PyTypeError::new_err(format!("paths: expected paths, got {found}: {usage}")))
            })
        };
        let paths = paths.iter().map(path).collect::<PyResult<Vec<_>>>()?;
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

    /// Compile ``.proto`` text.
    ///
    /// Parameters
    /// ----------
    /// text : str
    ///     What a ``.proto`` file would hold.
    /// include : path or list of path, optional
    ///     Directories in which imports are looked up.
    ///
    /// Raises
    /// ------
    /// SchemaError
    ///     If the text is not valid.
    /// ValueError
    ///     If it is the path of a file.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> wa.Schema.from_source('syntax = "proto3"; message Point { double x = 1 }')
    /// Traceback (most recent call last):
    ///     ...
    /// wirearray.SchemaError: source.proto:1:49: expected ';' or '[', but found '}'
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
            Err(_) if is_path(text) => {
                Err(PyValueError::new_err(format!("text: {text:?} is a path; from_files(path) reads the file")))
            }
            Err(error) => Err(schema_error(&error)),
        }
    }

    /// Read a serialized ``google.protobuf.FileDescriptorSet``: what ``protoc --descriptor_set_out`` writes.
    ///
    /// Every syntax and edition is read. All imports have to be in it: ``protoc --include_imports``.
    ///
    /// Parameters
    /// ----------
    /// data : bytes-like
    ///
    /// Raises
    /// ------
    /// SchemaError
    ///     If the bytes are not a valid descriptor set.
    #[staticmethod]
    fn from_descriptor_set(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::read(Lent::new(data, "data")?.as_ref())
    }

    /// Take the schemas that an MCAP file holds of its messages.
    ///
    /// Parameters
    /// ----------
    /// path : path
    /// topic : str or list of str, optional
    ///     Only those of the messages of these topics.
    ///
    /// Raises
    /// ------
    /// FileNotFoundError, OSError
    ///     If the file cannot be read.
    /// DecodeError
    ///     If it is no MCAP file.
    /// SchemaError
    ///     If the schemas are not valid, or do not go together: two of them hold different files of one name. Those of one
    ///     `topic` do.
    /// ValueError
    ///     If the file has no protobuf messages, or none of a topic.
    ///
    /// See Also
    /// --------
    /// mcap_topics : The topics of a file, and the types of their messages.
    #[staticmethod]
    #[pyo3(signature = (path, *, topic = None))]
    fn from_mcap(py: Python<'_>, path: PathBuf, topic: Option<TopicArgument>) -> PyResult<Self> {
        let topics = topic.map(|TopicArgument(topics)| topics);
        let descriptors = mcap::descriptor_set(py, &path, topics.as_deref())?;
        let schema = schema::Schema::from_descriptor_set(&descriptors).map_err(|error| {
            let hint = "to leave out other schemas of the file, name a topic";
            let hinted = wirearray::SchemaError::of_kind(error.kind(), format!("{}; {hint}", error.message()));
            schema_error(&error.place().cloned().into_iter().fold(hinted, wirearray::SchemaError::at))
        })?;
        Ok(Self::new(Arc::new(schema)))
    }

    /// Take the schema of a class of the official ``protobuf`` package, and of all that it refers to.
    ///
    /// Parameters
    /// ----------
    /// message : class, message or descriptor
    ///     Of ``protobuf`` 3.20 or later.
    /// extensions : iterable, optional
    ///     Generated modules, classes or messages of which the extensions are wanted too.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If it is not such a class.
    #[staticmethod]
    #[pyo3(signature = (message, *, extensions = None))]
    fn from_message(message: &Bound<'_, PyAny>, extensions: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let descriptors = message.py().import("wirearray._descriptors")?;
        let extensions = extensions.cloned().unwrap_or_else(|| PyTuple::empty(message.py()).into_any());
        let set = descriptors.call_method1("file_descriptor_set", (message, extensions))?;
        Self::read(Lent::new(&set, "message")?.as_ref())
    }

    /// Return what the schema was read from: a serialized ``google.protobuf.FileDescriptorSet``.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     Imports included: :meth:`from_descriptor_set` and the official package read it.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Item { string name = 1; }')
    /// >>> list(wa.Schema.from_descriptor_set(schema.to_descriptor_set()))
    /// ['Item']
    fn to_descriptor_set<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.descriptor_set)
    }

    /// The names of the files that no other file of the schema imports: tuple of str.
    #[getter]
    fn sources<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.sources)
    }

    /// The full names of the messages that the sources declare at their top level: tuple of str.
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

/// True for what someone meant to be read, not compiled.
fn is_path(text: &str) -> bool {
    text.ends_with(".proto") && !text.contains('\n')
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

//! Errors of the engine as Python exceptions.

use std::path::Path;

use pyo3::exceptions::{PyFileNotFoundError, PyKeyError, PyMemoryError, PyOSError, PyValueError};
use pyo3::prelude::*;
use wirearray::column::{Budget, Shortage};
use wirearray::parallel::{Decoded, Fault};
use wirearray::plan::PathError;
use wirearray::stream::{Compression, NoChannel};
use wirearray::{DecodeErrorKind, SchemaErrorKind};

mod python {
    pyo3::import_exception!(wirearray._errors, DecodeError);
    pyo3::import_exception!(wirearray._errors, SchemaError);
}

/// A `DecodeError`; a plain `ValueError` where it was the caller who demanded too much, a `MemoryError` where the system did not
/// give enough.
pub(crate) fn decode_error(error: &wirearray::DecodeError) -> PyErr {
    match error.kind() {
        DecodeErrorKind::NoView(_) => return PyValueError::new_err(format!("copy=False: {error}")),
        DecodeErrorKind::OutOfMemory => return PyMemoryError::new_err(error.to_string()),
        _ => {}
    }
    python_error(error, error.to_string())
}

/// What a `DecodeError` is made of: its message, kind, offset, path, row and file.
pub(crate) type Said = (String, String, usize, String, Option<usize>, Option<String>);

fn said(error: &wirearray::DecodeError, message: String) -> Said {
    let (kind, path, file) = (error.kind().name().to_owned(), error.path().to_owned(), error.file().map(str::to_owned));
    (message, kind, error.offset(), path, error.row(), file)
}

fn python_error(error: &wirearray::DecodeError, message: String) -> PyErr {
    python::DecodeError::new_err(said(error, message))
}

/// The same for the one message that a file holds. What is compressed looks like no message at all.
pub(crate) fn load_error(mut error: wirearray::DecodeError, path: &Path, start: &[u8]) -> PyErr {
    error.set_file(Some(&path.to_string_lossy().into()));
    let Some(compression) = Compression::of_start(start) else { return decode_error(&error) };
    let hint = format!("The file starts as one compressed by {} does", compression.name());
    python_error(&error, format!("{error} {hint}: read(path, framing=\"single\") decompresses it"))
}

/// What ended a stream of that name.
pub(crate) fn fault(py: Python<'_>, fault: Fault, name: Option<&str>) -> PyErr {
    let error = match fault {
        Fault::Message(error) | Fault::Frame(error) => return decode_error(&error),
        Fault::Source(error) => error,
    };
    if let Some(nothing) = error.get_ref().and_then(|inner| inner.downcast_ref::<NoChannel>()) {
        return PyValueError::new_err(format!("source: {nothing}"));
    }
    io_error(py, &error, Path::new(name.unwrap_or("source")))
}

/// The exception for a file, or for what is like one: what Python code raised that was called for it.
pub(crate) fn io_error(py: Python<'_>, error: &std::io::Error, path: &Path) -> PyErr {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<PyErr>()) {
        Some(raised) => raised.clone_ref(py),
        None => file_error(error, path),
    }
}

/// The table of messages of which none is missing.
pub(crate) fn whole(py: Python<'_>, decoded: Decoded) -> PyResult<wirearray::column::Table> {
    decoded.whole().map_err(|error| fault(py, error, None))
}

/// A `ValueError` for a point in time of a caller's own that NumPy cannot hold.
pub(crate) fn moment_fault(fault: &wirearray::plan::MomentFault) -> PyErr {
    PyValueError::new_err(fault.to_string())
}

/// A `ValueError` that names field and row.
pub(crate) fn encode_error(error: &wirearray::EncodeError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A `SchemaError`, or a `FileNotFoundError` where a file of the schema is missing.
pub(crate) fn schema_error(error: &wirearray::SchemaError) -> PyErr {
    if error.kind() == SchemaErrorKind::FileNotFound {
        return PyFileNotFoundError::new_err(error.to_string());
    }
    let file = error.place().map(|place| place.file.clone());
    let (line, column) = error.place().and_then(|place| place.position).unzip();
    python::SchemaError::new_err((error.to_string(), file, line, column))
}

/// A `KeyError` for a path that leads nowhere, a `ValueError` where it leads to what has no presence or no names.
pub(crate) fn path_error(error: PathError) -> PyErr {
    match error {
        PathError::NoPresence { .. } | PathError::NoNumbers { .. } | PathError::NotAnEnum { .. } => {
            PyValueError::new_err(error.to_string())
        }
        _ => PyKeyError::new_err(error.to_string()),
    }
}

/// The same for a path in the `out` argument.
pub(crate) fn out_error(error: &PathError) -> PyErr {
    let message = format!("out: {error}");
    match error {
        PathError::NoNumbers { .. } => PyValueError::new_err(message),
        _ => PyKeyError::new_err(message),
    }
}

/// The exception that Python itself raises for a file that cannot be read or written.
pub(crate) fn file_error(error: &std::io::Error, path: &Path) -> PyErr {
    match error.raw_os_error() {
        // Given the number, the exception picks its subclass: FileNotFoundError, PermissionError and so on.
        Some(number) => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, text, path.as_os_str().to_owned()))
        }
        None if error.kind() == std::io::ErrorKind::InvalidInput => {
            PyValueError::new_err(format!("path: {error}: {}", path.display()))
        }
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}

/// A `KeyError` for a message type that a schema does not have, with those whose names end alike.
pub(crate) fn no_message(schema: &wirearray::schema::Schema, name: &str) -> PyErr {
    let last = name.rsplit('.').next().unwrap_or(name);
    let names = || schema.messages().map(|(_, message)| message.full_name.as_str());
    let alike: Vec<_> = names()
        .filter(|known| known.rsplit('.').next().is_some_and(|known| known.eq_ignore_ascii_case(last)))
        .collect();
    let hint = if alike.is_empty() {
        let more = names().count().saturating_sub(20);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("it has {}{more}", names().take(20).collect::<Vec<_>>().join(", "))
    } else {
        format!("did you mean {}?", alike.join(" or "))
    };
    PyKeyError::new_err(format!("no message type {name:?} in the schema; {hint}"))
}

/// What a plan says of a path, or makes of its columns.
pub(crate) fn asked<R>(ask: impl FnOnce() -> Result<R, PathError>) -> PyResult<R> {
    with_memory(|| ask().map_err(path_error))
}

/// Does some work that makes columns. Where the system has no memory for them, that is a `MemoryError`.
pub(crate) fn with_memory<R>(work: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    let short = |shortage| match shortage {
        Shortage::System => "there is not enough memory for the columns",
        Shortage::Budget => {
            "what is made of columns when they are asked for would take more memory than max_bytes= allows, by default 1 GiB and 400 \
             bytes for each byte of the input; take fewer of them, select fields, or decode again with another max_bytes="
        }
    };
    Budget::default().spend(work).unwrap_or_else(|shortage| Err(PyMemoryError::new_err(short(shortage))))
}

/// The errors of the messages that were left out when a table was decoded. Each look makes exceptions of its own: one that is raised
/// holds what was there when it was, and must not be held by the table.
pub(crate) enum LeftOut {
    /// As they were found.
    Found(Vec<wirearray::DecodeError>),
    /// As a pickle had them.
    Loaded(Vec<Said>),
}

impl Default for LeftOut {
    fn default() -> Self {
        Self::Found(Vec::new())
    }
}

impl LeftOut {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Found(errors) => errors.is_empty(),
            Self::Loaded(errors) => errors.is_empty(),
        }
    }

    /// What all of them are made of.
    pub(crate) fn said(&self) -> Vec<Said> {
        match self {
            Self::Found(errors) => errors.iter().map(|error| said(error, error.to_string())).collect(),
            Self::Loaded(errors) => errors.clone(),
        }
    }

    /// All as exceptions.
    pub(crate) fn objects<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyAny>> {
        let object = |said| python::DecodeError::new_err(said).value(py).clone().into_any();
        self.said().into_iter().map(object).collect()
    }
}

//! What turns columns into bytes: the other half of a message type's methods.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyType};
use wirearray::encode::{self, Measured, Options};
use wirearray::output::Replacement;
use wirearray::wire::{Sink, WriteError, WriteResult};

use crate::bytes;
use crate::errors;
use crate::intake::Intake;
use crate::message_type::MessageType;
use crate::record::Record;
use crate::registry;
use crate::strings::Strings;

#[pymethods]
#[expect(clippy::wrong_self_convention, reason = "the names are those of Python's methods")]
impl MessageType {
    /// Encode one message.
    ///
    /// Parameters
    /// ----------
    /// message : mapping of str to value, or Record
    ///     The fields by name. A singular field takes a number, ``str``, ``bytes``, mapping or :class:`Record`; a repeated one
    ///     an array or list, of messages also a :class:`Table` or a dict of columns; a map a dict. An enum takes numbers or
    ///     names, ``Timestamp`` and ``Duration`` take ``datetime64`` and ``timedelta64``, wrappers what they wrap. ``None`` is
    ///     absent.
    /// align : bool, 8 or 64, default False
    ///     Start every packed field of fixed-width numbers at a multiple of that many bytes from the start of the message, so
    ///     that views of it are aligned; ``True`` is 64. The official parsers read such messages.
    /// allow_large : bool, default False
    ///     Write messages of 2 GiB and more, which the official parsers refuse.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     The fields in the order of their numbers.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If a field is unknown, a required one is missing, a value does not fit its field, text is not UTF-8, two members of
    ///     a oneof are set, or the message is too large. The message names the field.
    /// TypeError
    ///     If a value is of a type that no field of that kind takes.
    ///
    /// Notes
    /// -----
    /// Arrays of the field's own dtype are not copied; others are converted where no value changes. The GIL is released while
    /// bytes are written; do not write to the arrays meanwhile.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Point { double x = 1; repeated int32 tags = 2; }')
    /// >>> schema["Point"].encode({"tags": [1, 2, 3]})
    /// b'\x12\x03\x01\x02\x03'
    #[pyo3(
        signature = (message, *, align = AlignArgument::NONE, allow_large = false),
        text_signature = "($self, message, *, align=False, allow_large=False)"
    )]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        message: &Bound<'py, PyAny>,
        align: AlignArgument,
        allow_large: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        errors::with_memory(|| {
            let (table, row) = Intake::message(py, self.plan(), message)?;
            let options = Options { align: align.0, allow_large };
            let measured = py.detach(|| encode::measure(self.plan(), &table, row, options));
            let measured = measured.map_err(|error| errors::encode_error(&error))?;
            let written = bytes::filled(py, measured.len(), |memory| measured.write(memory))?;
            written.map_err(|error| errors::encode_error(&error))
        })
    }

    /// Encode many messages.
    ///
    /// Parameters
    /// ----------
    /// messages : Table, mapping of str to column, Arrow table, or list of messages
    ///     A column has an entry for each message: an array, a list, :class:`Strings`, a nested :class:`Table` or mapping; of a
    ///     repeated field :class:`Ragged`, a tuple ``(values, offsets)``, an array of two dimensions, or a list with an array
    ///     for each message. Masked entries and ``None`` are absent. Frames of pandas and structured arrays are mappings too.
    ///     Tables, frames and columns of any library that speaks Arrow's PyCapsule interface are taken as they are, nulls as
    ///     absent.
    /// allow_large : bool, default False
    ///     As for :meth:`encode`.
    /// framing : "confluent", optional
    ///     Put the header of a schema registry in front of each message, as Confluent's serializers do.
    /// schema_id : int or uuid.UUID, optional
    ///     With it, the id that the registry gave the schema.
    ///
    /// Returns
    /// -------
    /// Strings
    ///     The messages, each as bytes, in one piece of memory. ``decode_many`` takes it as it is; ``to_list()`` makes a list.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for :meth:`encode`, and if columns differ in length or offsets do not ascend; if only one of `framing` and
    ///     `schema_id` is given, or the id is none.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; string sym = 2; }')
    /// >>> schema["Tick"].encode_many({"price": [5, 7], "sym": ["A", "B"]})
    /// Strings bytes[2]  [b'\x08\x05\x12\x01A', b'\x08\x07\x12\x01B']
    #[pyo3(signature = (messages, *, allow_large = false, framing = None, schema_id = None))]
    fn encode_many<'py>(
        &self,
        py: Python<'py>,
        messages: &Bound<'py, PyAny>,
        allow_large: bool,
        framing: Option<&str>,
        schema_id: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Strings> {
        let header = registry::header(self, framing, schema_id)?;
        errors::with_memory(|| {
            let (table, rows) = Intake::messages(py, self.plan(), messages)?;
            let options = Options { align: None, allow_large };
            let count = rows.len();
            let encoded =
                py.detach(|| encode::measure_many(self.plan(), &table, rows, options)?.to_strings_behind(&header));
            let encoded = encoded.map_err(|error| errors::encode_error(&error))?;
            Ok(Strings::new(Arc::clone(self.plan()), encoded, 0..count))
        })
    }

    /// Encode one message to a file.
    ///
    /// The file is written under another name in the same directory, at its final length, and then renamed: until it is
    /// complete, what was there before stays. Mode and links stay as well.
    ///
    /// Parameters
    /// ----------
    /// path : path
    /// message : mapping of str to value, or Record
    ///     As for :meth:`encode`.
    /// align : bool, 8 or 64, default False
    ///     As for :meth:`encode`. ``load(path, copy=None)`` of such a file gives views in constant time.
    /// allow_large : bool, default False
    ///     As for :meth:`encode`.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     If the file cannot be written, as on a full disk.
    /// ValueError, TypeError
    ///     As for :meth:`encode`.
    #[pyo3(
        signature = (path, message, *, align = AlignArgument::NONE, allow_large = false),
        text_signature = "($self, path, message, *, align=False, allow_large=False)"
    )]
    fn save<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        message: &Bound<'py, PyAny>,
        align: AlignArgument,
        allow_large: bool,
    ) -> PyResult<()> {
        errors::with_memory(|| {
            let (table, row) = Intake::message(py, self.plan(), message)?;
            let options = Options { align: align.0, allow_large };
            py.detach(|| {
                let measured = encode::measure(self.plan(), &table, row, options);
                save(&measured.map_err(|error| errors::encode_error(&error))?, &path)
            })
        })
    }

    /// Take over a message of the official ``protobuf`` package.
    ///
    /// Parameters
    /// ----------
    /// message : message
    ///     Of a class of this message type.
    /// well_known_types : bool, default True
    ///     As for :meth:`decode`.
    ///
    /// Returns
    /// -------
    /// Record
    ///     With what the message has in it, unknown fields too.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If it is no such message.
    #[pyo3(signature = (message, *, well_known_types = true))]
    fn from_protobuf<'py>(
        &self,
        py: Python<'py>,
        message: &Bound<'py, PyAny>,
        well_known_types: bool,
    ) -> PyResult<Record> {
        self.check_protobuf(message, "message")?;
        if message.is_instance_of::<PyType>() {
            let problem = format!("message: expected a message of the class, got the class {}", message.repr()?);
            return Err(PyTypeError::new_err(problem));
        }
        // Without it the order of a map's entries would be anyone's guess.
        let options = PyDict::new(py);
        options.set_item("deterministic", true)?;
        let data = message.call_method("SerializePartialToString", (), Some(&options))?;
        self.decode_bytes(py, &data, well_known_types)
    }

    /// Make a message of the official ``protobuf`` package.
    ///
    /// Parameters
    /// ----------
    /// message : mapping of str to value, or Record
    ///     As for :meth:`encode`.
    /// cls : class
    ///     The generated class of this message type.
    ///
    /// Returns
    /// -------
    /// message
    ///     An instance of `cls`.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `cls` is not such a class.
    /// ValueError
    ///     As for :meth:`encode`.
    fn to_protobuf<'py>(
        &self,
        py: Python<'py>,
        message: &Bound<'py, PyAny>,
        cls: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.check_protobuf(cls, "cls")?;
        if !cls.is_instance_of::<PyType>() {
            let problem = format!("cls: expected the class {}, got a message of it", self.name());
            return Err(PyTypeError::new_err(problem));
        }
        cls.call_method1("FromString", (self.encode(py, message, AlignArgument::NONE, false)?,))
    }
}

impl MessageType {
    /// Refuses what is not of the official package, or of another type.
    fn check_protobuf(&self, found: &Bound<'_, PyAny>, argument: &str) -> PyResult<()> {
        let name = found.getattr("DESCRIPTOR").and_then(|descriptor| descriptor.getattr("full_name"));
        match name.and_then(|name| name.extract::<String>()) {
            Ok(name) if name == self.name() => Ok(()),
            Ok(name) => Err(PyTypeError::new_err(format!("{argument}: expected a {}, got a {name}", self.name()))),
            Err(_) => {
                let found = found.get_type().name()?;
                let expected = format!("{} of the official protobuf package", self.name());
                Err(PyTypeError::new_err(format!("{argument}: expected {expected}, got {found}")))
            }
        }
    }
}

/// The `align` argument.
struct AlignArgument(Option<usize>);

impl AlignArgument {
    const NONE: Self = Self(None);
}

impl<'py> FromPyObject<'_, 'py> for AlignArgument {
    type Error = PyErr;

    fn extract(align: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(align) = align.cast::<PyBool>() {
            return Ok(Self(align.is_true().then_some(64)));
        }
        match align.extract::<Option<usize>>() {
            Ok(Some(align @ (8 | 64))) => Ok(Self(Some(align))),
            Ok(None) => Ok(Self::NONE),
            _ => Err(PyValueError::new_err(format!("align: expected True, False, 8 or 64, got {}", align.repr()?))),
        }
    }
}

/// Writes a file without the GIL.
fn save(measured: &Measured<'_>, path: &std::path::Path) -> PyResult<()> {
    let failed = |error: io::Error| errors::file_error(&error, path);
    let file = Replacement::new(path, measured.len() as u64).map_err(failed)?;
    let mut sink = FileSink { file, fault: None, unchecked: 0 };
    let written = measured.write_to(&mut sink);
    match sink.fault {
        Some(Fault::File(error)) => return Err(failed(error)),
        Some(Fault::Signal(error)) => return Err(error),
        None => written.map_err(|error| errors::encode_error(&error))?,
    }
    sink.file.commit().map_err(failed)
}

/// Takes bytes to a file, and looks now and then whether the user wants to stop.
struct FileSink {
    file: Replacement,
    fault: Option<Fault>,
    /// Bytes written since the last look.
    unchecked: usize,
}

enum Fault {
    File(io::Error),
    Signal(PyErr),
}

impl Sink for FileSink {
    fn take(&mut self, bytes: &[u8]) -> WriteResult {
        /// A disk takes this long for it that no one waits for an answer.
        const CHECK_AFTER: usize = 16 << 20;
        let mut written = self.file.write_all(bytes).map_err(Fault::File);
        self.unchecked += bytes.len();
        if written.is_ok() && self.unchecked >= CHECK_AFTER {
            self.unchecked = 0;
            written = look_around().map_err(Fault::Signal);
        }
        written.map_err(|fault| {
            self.fault = Some(fault);
            WriteError
        })
    }
}

/// Raises what a signal's handler raises: `KeyboardInterrupt`, above all.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is not general enough")]
pub(crate) fn look_around() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}

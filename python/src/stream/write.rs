//! `write` and `writer`: messages to files and streams, each in its frame.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wirearray::encode;
use wirearray::framing::Framing;
use wirearray::output::Replacement;
use wirearray::stream::{Compression, Compressor, FrameWriter, WriteError};

use super::reader::FileObject;
use super::source::{CompressionArgument, framing_of_name};
use crate::encode::look_around;
use crate::errors;
use crate::intake::Intake;
use crate::message_type::MessageType;

#[pymethods]
impl MessageType {
    /// Encode many messages to a file, each in a frame.
    ///
    /// A file is written under another name and renamed once it is complete, as :meth:`save` does it.
    ///
    /// Parameters
    /// ----------
    /// target : path or file object
    ///     Where to; a file object has to be opened in binary mode.
    /// messages : Table, mapping of str to column, or list of messages
    ///     As for :meth:`encode_many`.
    /// framing : str
    ///     As for :meth:`read`. ``"single"`` is for one message.
    /// compression : str or None, default "infer"
    ///     ``"gzip"``, ``"zstd"``, ``"lz4"`` or ``None`` for none; ``"infer"`` goes by the end of the path: ``.gz``, ``.zst``,
    ///     ``.lz4``.
    /// allow_large : bool, default False
    ///     As for :meth:`encode`.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for :meth:`encode_many`; if an argument is none of these, or a message is too long for its frame.
    /// OSError
    ///     If the file cannot be written.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; }')
    /// >>> log = io.BytesIO()
    /// >>> schema["Tick"].write(log, {"price": [5, 7]}, framing="delimited")
    /// >>> log.getvalue()
    /// b'\x02\x08\x05\x02\x08\x07'
    #[pyo3(
        signature = (target, messages, *, framing, compression = CompressionArgument::INFER, allow_large = false),
        text_signature = "($self, target, messages, *, framing, compression='infer', allow_large=False)"
    )]
    fn write<'py>(
        &self,
        target: &Bound<'py, PyAny>,
        messages: &Bound<'py, PyAny>,
        framing: &str,
        compression: CompressionArgument,
        allow_large: bool,
    ) -> PyResult<()> {
        let framing = framing_of_name(framing)?;
        let target = Target::new(target, compression)?;
        let file = match &target.place {
            // How much it will be is known when it is there: only then is it renamed.
            Place::Path(path) => Sink::Replacement(Replacement::new(path, 0).map_err(|error| target.failed(error))?),
            Place::Object(object) => Sink::Object(FileObject(object.clone_ref(messages.py()))),
        };
        let stream = Stream::new(file, &target, framing)?;
        let stream = stream.write(self, messages, allow_large, &target)?;
        messages.py().detach(|| stream.commit()).map_err(|error| target.failed(error))
    }

    /// Open a file to which messages are written little by little.
    ///
    /// Parameters
    /// ----------
    /// target : path or file object
    ///     As for :meth:`write`.
    /// framing : str
    ///     As for :meth:`read`; any but ``"single"``.
    /// append : bool, default True
    ///     Whether what is in the file stays in front of what is written. ``False`` empties it first.
    /// compression : str or None, default "infer"
    ///     As for :meth:`write`. Behind what is compressed already, another compressed stream is begun, as all readers of these
    ///     formats take it.
    /// allow_large : bool, default False
    ///     As for :meth:`encode`.
    ///
    /// Returns
    /// -------
    /// Writer
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If an argument is none of these.
    /// OSError
    ///     If the file cannot be opened.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; }')
    /// >>> log = io.BytesIO()
    /// >>> with schema["Tick"].writer(log, framing="delimited") as writer:
    /// ...     writer.write({"price": [5]})
    /// ...     writer.write([{"price": 7}])
    /// >>> log.getvalue()
    /// b'\x02\x08\x05\x02\x08\x07'
    #[pyo3(
        signature = (target, *, framing, append = true, compression = CompressionArgument::INFER, allow_large = false),
        text_signature = "($self, target, *, framing, append=True, compression='infer', allow_large=False)"
    )]
    fn writer(
        slf: &Bound<'_, Self>,
        target: &Bound<'_, PyAny>,
        framing: &str,
        append: bool,
        compression: CompressionArgument,
        allow_large: bool,
    ) -> PyResult<Writer> {
        let framing = framing_of_name(framing)?;
        if framing == Framing::Single {
            return Err(PyValueError::new_err("framing: \"single\" is for one message; use save or write"));
        }
        let target = Target::new(target, compression)?;
        let file = match &target.place {
            Place::Path(path) => {
                let mut options = OpenOptions::new();
                let options = if append { options.append(true) } else { options.write(true).truncate(true) };
                Sink::File(options.create(true).open(path).map_err(|error| target.failed(error))?)
            }
            Place::Object(object) => Sink::Object(FileObject(object.clone_ref(slf.py()))),
        };
        let stream = Stream::new(file, &target, framing)?;
        Ok(Writer { message_type: slf.clone().unbind(), allow_large, target, stream: Mutex::new(Some(stream)) })
    }
}

/// A file to which messages are written little by little, made by :meth:`MessageType.writer`.
///
/// It is complete once it has been closed, at best by a ``with`` statement.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct Writer {
    message_type: Py<MessageType>,
    allow_large: bool,
    target: Target,
    /// Nothing once it is closed, or an error has left it in the middle of something.
    stream: Mutex<Option<Stream>>,
}

#[pymethods]
impl Writer {
    /// Write messages behind those written before.
    ///
    /// Parameters
    /// ----------
    /// messages : Table, mapping of str to column, or list of messages
    ///     As for :meth:`MessageType.encode_many`.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for :meth:`MessageType.write`; nothing was written then. If the writer is closed.
    /// OSError
    ///     If the file cannot be written. The writer is closed then, and a last message may be cut short.
    fn write(&self, messages: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut open) = stream.take() else { return Err(PyValueError::new_err("the writer is closed")) };
        let message_type = self.message_type.get();
        match open.write_all(message_type, messages, self.allow_large, &self.target) {
            Ok(()) => *stream = Some(open),
            // What can be wrong with messages is found before any is written.
            Err(Failure::Messages(error)) => {
                *stream = Some(open);
                return Err(error);
            }
            Err(Failure::Target(error)) => return Err(error),
        }
        Ok(())
    }

    /// Complete the file and close it.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     If the file cannot be written.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(stream) = stream else { return Ok(()) };
        py.detach(|| stream.commit()).map_err(|error| self.target.failed(error))
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }
}

/// Where messages go.
struct Target {
    place: Place,
    compression: Option<Compression>,
}

enum Place {
    Path(PathBuf),
    Object(Py<PyAny>),
}

impl Target {
    fn new(target: &Bound<'_, PyAny>, compression: CompressionArgument) -> PyResult<Self> {
        if target.hasattr("write")? {
            return Ok(Self { place: Place::Object(target.clone().unbind()), compression: compression.0.flatten() });
        }
        let path: PathBuf = target.extract()?;
        let inferred = || path.extension().and_then(|suffix| Compression::of_suffix(suffix.to_str()?));
        let compression = compression.0.unwrap_or_else(inferred);
        Ok(Self { place: Place::Path(path), compression })
    }

    fn failed(&self, error: io::Error) -> PyErr {
        let path = match &self.place {
            Place::Path(path) => path.as_path(),
            Place::Object(_) => "target".as_ref(),
        };
        Python::attach(|py| errors::io_error(py, &error, path))
    }
}

/// Where bytes go in the end.
enum Sink {
    Replacement(Replacement),
    File(File),
    Object(FileObject),
}

impl Sink {
    fn inner(&mut self) -> &mut dyn Write {
        match self {
            Self::Replacement(file) => file,
            Self::File(file) => file,
            Self::Object(object) => object,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        look_around().map_err(io::Error::other)?;
        self.inner().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner().flush()
    }
}

/// A stream of messages that is being written.
struct Stream {
    writer: FrameWriter<Compressor<Sink>>,
    framing: Framing,
}

/// Why messages were not written.
enum Failure {
    /// They cannot be, and nothing was.
    Messages(PyErr),
    /// Some may have been.
    Target(PyErr),
}

impl Stream {
    fn new(sink: Sink, target: &Target, framing: Framing) -> PyResult<Self> {
        let compressor = Compressor::new(sink, target.compression).map_err(|error| target.failed(error))?;
        Ok(Self { writer: FrameWriter::new(compressor, framing), framing })
    }

    fn write(
        mut self,
        message_type: &MessageType,
        messages: &Bound<'_, PyAny>,
        allow_large: bool,
        target: &Target,
    ) -> PyResult<Self> {
        match self.write_all(message_type, messages, allow_large, target) {
            Ok(()) => Ok(self),
            Err(Failure::Messages(error) | Failure::Target(error)) => Err(error),
        }
    }

    fn write_all(
        &mut self,
        message_type: &MessageType,
        messages: &Bound<'_, PyAny>,
        allow_large: bool,
        target: &Target,
    ) -> Result<(), Failure> {
        let (py, plan) = (messages.py(), message_type.plan());
        let (table, rows) = Intake::messages(py, plan, messages).map_err(Failure::Messages)?;
        if self.framing == Framing::Single && rows.len() != 1 {
            let problem = format!("framing: \"single\" is for one message, and there are {}", rows.len());
            return Err(Failure::Messages(PyValueError::new_err(problem)));
        }
        let options = encode::Options { align: None, allow_large };
        py.detach(|| {
            let measured = encode::measure_many(plan, &table, rows, options);
            let measured = measured.map_err(|error| Failure::Messages(errors::encode_error(&error)))?;
            self.writer.write(&measured).map_err(|error| match error {
                WriteError::TooLong(error) => Failure::Messages(PyValueError::new_err(error.to_string())),
                WriteError::Encode(error) => Failure::Target(errors::encode_error(&error)),
                WriteError::Write(error) => Failure::Target(target.failed(error)),
            })
        })
    }

    fn commit(self) -> io::Result<()> {
        match self.writer.into_inner().finish()? {
            Sink::Replacement(file) => file.commit(),
            mut sink => sink.flush(),
        }
    }
}

//! `write` and `writer`: messages to files and streams, each in its frame.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use wirearray::encode;
use wirearray::framing::Framing;
use wirearray::output::Replacement;
use wirearray::stream::{Compressor, FrameWriter, McapWriter, Stamps, WriteError};

use super::reader::FileObject;
use super::source::{CompressionArgument, MCAP, framing_of_name};
use super::target::{Place, Sink, Target};
use super::turn::Turn;
use crate::errors;
use crate::intake::Intake;
use crate::mcap::StampArguments;
use crate::message_type::MessageType;

#[pymethods]
impl MessageType {
    /// Encode many messages to a file, each in a frame, or to an MCAP file.
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
    /// topic : str, or array or list of str, optional
    ///     MCAP alone: what the messages are about, or what each of them is. Where it is left out, messages that were read from
    ///     MCAP keep theirs, and others have the full name of their type.
    /// log_time, publish_time : array of datetime64 or int, shape (messages,), or one for all, optional
    ///     MCAP alone: when each message was recorded, and when it was published; integers are nanoseconds since 1970. Where
    ///     they are left out, messages that were read from MCAP keep theirs. Others have been recorded now, all at the same
    ///     time, and published when they were recorded: give `log_time` where files are to be the same each time.
    /// sequence : array of int, shape (messages,), optional
    ///     MCAP alone: the number of each message in its topic. Where it is left out, messages that were read from MCAP keep
    ///     theirs, and others are counted from 0.
    /// compression : str or None, default "infer"
    ///     ``"gzip"``, ``"zstd"``, ``"lz4"`` or ``None`` for none; ``"infer"`` goes by the end of the path: ``.gz``, ``.zst``,
    ///     ``.lz4``. Of an MCAP file the chunks are compressed: ``"infer"`` is ``"zstd"``, and ``"gzip"`` is not known there.
    /// allow_large : bool, default False
    ///     As for :meth:`encode`.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for :meth:`encode_many`; if an argument is none of these or means nothing with this framing, or a message is too
    ///     long for its frame.
    /// OSError
    ///     If the file cannot be written.
    ///
    /// Notes
    /// -----
    /// An MCAP file has the schema in it, chunks of about 1 MiB, indexes and statistics. ``table.mcap`` has the names of the
    /// arguments: ``write(path, columns, framing="mcap", **table.mcap)`` gives other messages the times of a table.
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
        signature = (
            target, messages, *, framing, topic = None, log_time = None, publish_time = None, sequence = None,
            compression = CompressionArgument::INFER, allow_large = false
        ),
        text_signature = "($self, target, messages, *, framing, topic=None, log_time=None, publish_time=None, sequence=None, \
            compression='infer', allow_large=False)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are those that the docstring lists")]
    fn write<'py>(
        &self,
        target: &Bound<'py, PyAny>,
        messages: &Bound<'py, PyAny>,
        framing: &str,
        topic: Option<Bound<'py, PyAny>>,
        log_time: Option<Bound<'py, PyAny>>,
        publish_time: Option<Bound<'py, PyAny>>,
        sequence: Option<Bound<'py, PyAny>>,
        compression: CompressionArgument,
        allow_large: bool,
    ) -> PyResult<()> {
        let layout = Layout::of_name(framing)?;
        let stamps = StampArguments { topic, log_time, publish_time, sequence };
        layout.check(&stamps)?;
        let target = layout.target(target, compression)?;
        let file = match &target.place {
            // How much it will be is known when it is there: only then is it renamed.
            Place::Path(path) => Sink::Replacement(Replacement::new(path, 0).map_err(|error| target.failed(error))?),
            Place::Object(object) => Sink::Object(FileObject(object.clone_ref(messages.py()))),
        };
        let mut stream = Stream::new(file, &target, layout, self)?;
        let written = stream.write(self, messages, &stamps, allow_large, &target);
        written.map_err(|(Failure::Messages(error) | Failure::Target(error))| error)?;
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
    ///     Whether what is in the file stays in front of what is written. ``False`` empties it first. Nothing is appended to an
    ///     MCAP file, which ends with a summary: one that is not empty is an error, unless this is ``False``.
    /// topic : str, optional
    ///     MCAP alone: as for :meth:`write`, where :meth:`Writer.write` does not say another.
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
    ///     If an argument is none of these or means nothing with this framing, or an MCAP file is not empty.
    /// OSError
    ///     If the file cannot be opened.
    ///
    /// Notes
    /// -----
    /// An MCAP file that was never closed, as after a crash, has no summary and lacks the messages of its last chunk. ``read``
    /// and ``scan`` take it as any file that was cut short.
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
        signature = (
            target, *, framing, append = true, topic = None, compression = CompressionArgument::INFER, allow_large = false
        ),
        text_signature = "($self, target, *, framing, append=True, topic=None, compression='infer', allow_large=False)"
    )]
    fn writer(
        slf: &Bound<'_, Self>,
        target: &Bound<'_, PyAny>,
        framing: &str,
        append: bool,
        topic: Option<Bound<'_, PyString>>,
        compression: CompressionArgument,
        allow_large: bool,
    ) -> PyResult<Writer> {
        let layout = Layout::of_name(framing)?;
        if matches!(layout, Layout::Framed(Framing::Single)) {
            return Err(PyValueError::new_err("framing: \"single\" is for one message; use save or write"));
        }
        layout.check(&StampArguments { topic: topic.clone().map(Bound::into_any), ..StampArguments::default() })?;
        let target = layout.target(target, compression)?;
        let file = match &target.place {
            Place::Path(path) => {
                layout.check_append(path, append)?;
                let mut options = OpenOptions::new();
                let options = if append { options.append(true) } else { options.write(true).truncate(true) };
                Sink::File(options.create(true).open(path).map_err(|error| target.failed(error))?)
            }
            Place::Object(object) => Sink::Object(FileObject(object.clone_ref(slf.py()))),
        };
        let stream = Turn::new(Stream::new(file, &target, layout, slf.get())?);
        let topic = topic.map(Bound::unbind);
        Ok(Writer { message_type: slf.clone().unbind(), layout, topic, allow_large, target, stream })
    }
}

/// A file to which messages are written little by little, made by :meth:`MessageType.writer`.
///
/// It is complete once it has been closed, at best by a ``with`` statement. Threads can write at once: what one call writes stays
/// together.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct Writer {
    message_type: Py<MessageType>,
    layout: Layout,
    topic: Option<Py<PyString>>,
    allow_large: bool,
    target: Target,
    /// Closed, too, where an error has left it in the middle of something.
    stream: Turn<Stream>,
}

#[pymethods]
impl Writer {
    /// Write messages behind those written before.
    ///
    /// Parameters
    /// ----------
    /// messages : Table, mapping of str to column, or list of messages
    ///     As for :meth:`MessageType.encode_many`.
    /// topic, log_time, publish_time, sequence : optional
    ///     MCAP alone: as for :meth:`MessageType.write`. What is counted goes on counting.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for :meth:`MessageType.write`; nothing was written then. If the writer is closed.
    /// OSError
    ///     If the file cannot be written. The writer is closed then, and a last message may be cut short.
    #[pyo3(signature = (messages, *, topic = None, log_time = None, publish_time = None, sequence = None))]
    fn write<'py>(
        &self,
        messages: &Bound<'py, PyAny>,
        topic: Option<Bound<'py, PyAny>>,
        log_time: Option<Bound<'py, PyAny>>,
        publish_time: Option<Bound<'py, PyAny>>,
        sequence: Option<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = messages.py();
        let Some(mut held) = self.stream.take(py)? else { return Err(PyValueError::new_err("the writer is closed")) };
        let Some(stream) = &mut held.value else { return Ok(()) };
        let topic = topic.or_else(|| self.topic.as_ref().map(|topic| topic.bind(py).clone().into_any()));
        let stamps = StampArguments { topic, log_time, publish_time, sequence };
        let checked = self.layout.check(&stamps).map_err(Failure::Messages);
        let written = checked
            .and_then(|()| stream.write(self.message_type.get(), messages, &stamps, self.allow_large, &self.target));
        match written {
            Ok(()) => Ok(()),
            // What can be wrong with messages is found before any is written.
            Err(Failure::Messages(error)) => Err(error),
            Err(Failure::Target(error)) => {
                held.value = None;
                Err(error)
            }
        }
    }

    /// Complete the file and close it.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     If the file cannot be written.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(mut held) = self.stream.take(py)? else { return Ok(()) };
        let Some(stream) = held.value.take() else { return Ok(()) };
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

/// How messages are written.
#[derive(Clone, Copy)]
enum Layout {
    Framed(Framing),
    Mcap,
}

impl Layout {
    fn of_name(framing: &str) -> PyResult<Self> {
        if framing == MCAP { Ok(Self::Mcap) } else { framing_of_name(framing).map(Self::Framed) }
    }

    /// Refuses what only MCAP files can say.
    fn check(self, stamps: &StampArguments<'_>) -> PyResult<()> {
        match self {
            Self::Mcap => Ok(()),
            Self::Framed(framing) => stamps.refuse(framing.name()),
        }
    }

    fn target(self, target: &Bound<'_, PyAny>, compression: CompressionArgument) -> PyResult<Target> {
        match self {
            Self::Mcap => Target::of_mcap(target, compression),
            Self::Framed(_) => Target::new(target, compression),
        }
    }

    /// Refuses to append to what ends with a summary.
    fn check_append(self, path: &Path, append: bool) -> PyResult<()> {
        let is_empty = || path.metadata().map_or(true, |found| !found.is_file() || found.len() == 0);
        if append && matches!(self, Self::Mcap) && !is_empty() {
            let problem = format!(
                "append: nothing can be appended to an MCAP file, and {} is not empty; append=False replaces it",
                path.display()
            );
            return Err(PyValueError::new_err(problem));
        }
        Ok(())
    }
}

/// A stream of messages that is being written.
enum Stream {
    Framed(FrameWriter<Compressor<Sink>>, Framing),
    Mcap(McapWriter<Sink>),
}

/// Why messages were not written.
enum Failure {
    /// They cannot be, and nothing was.
    Messages(PyErr),
    /// Some may have been.
    Target(PyErr),
}

impl Stream {
    fn new(sink: Sink, target: &Target, layout: Layout, message_type: &MessageType) -> PyResult<Self> {
        match layout {
            Layout::Framed(framing) => {
                let compressor = Compressor::new(sink, target.compression).map_err(|error| target.failed(error))?;
                Ok(Self::Framed(FrameWriter::new(compressor, framing), framing))
            }
            Layout::Mcap => {
                let plan = message_type.plan();
                let descriptors = plan.schema().descriptor_set_of(plan.message(0).message);
                Ok(Self::Mcap(McapWriter::new(sink, message_type.name(), &descriptors, target.compression)))
            }
        }
    }

    fn write(
        &mut self,
        message_type: &MessageType,
        messages: &Bound<'_, PyAny>,
        stamps: &StampArguments<'_>,
        allow_large: bool,
        target: &Target,
    ) -> Result<(), Failure> {
        let (py, plan) = (messages.py(), message_type.plan());
        let (table, rows) = errors::with_memory(|| Intake::messages(py, plan, messages)).map_err(Failure::Messages)?;
        let stamps = match self {
            Self::Framed(_, Framing::Single) if rows.len() != 1 => {
                let problem = format!("framing: \"single\" is for one message, and there are {}", rows.len());
                return Err(Failure::Messages(PyValueError::new_err(problem)));
            }
            Self::Framed(..) => Stamps::default(),
            Self::Mcap(_) => stamps.stamps(message_type.name(), messages, rows.len()).map_err(Failure::Messages)?,
        };
        let options = encode::Options { align: None, allow_large };
        py.detach(|| {
            let measure =
                || encode::measure_many(plan, &table, rows, options).map_err(|error| errors::encode_error(&error));
            let measured = errors::with_memory(measure).map_err(Failure::Messages)?;
            let written = match self {
                Self::Framed(writer, _) => writer.write(&measured),
                Self::Mcap(writer) => writer.write(&measured, &stamps),
            };
            written.map_err(|error| match error {
                WriteError::TooLong(error) => Failure::Messages(PyValueError::new_err(error.to_string())),
                WriteError::Topics(error) => Failure::Messages(PyValueError::new_err(format!("topic: {error}"))),
                WriteError::Encode(error) => Failure::Target(errors::encode_error(&error)),
                WriteError::Write(error) => Failure::Target(target.failed(error)),
            })
        })
    }

    fn commit(self) -> io::Result<()> {
        let sink = match self {
            Self::Framed(writer, _) => writer.into_inner().finish()?,
            Self::Mcap(writer) => writer.finish()?,
        };
        sink.commit()
    }
}

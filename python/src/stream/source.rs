//! What a user gives as a source, as a chain of streams.

use std::io::{self, Read};
use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use wirearray::framing::Framing;
use wirearray::stream::{Chain, Compression, Format, McapSelection, Opener, Part};

use super::reader::{Reading, reader};
use crate::message_type::MessageType;
use crate::values;

/// A stream, as `wirearray/_sources.py` describes it.
#[derive(FromPyObject)]
struct Described {
    name: Option<String>,
    path: Option<PathBuf>,
    open: Py<PyAny>,
    start: u64,
    stop: Option<u64>,
    size: Option<u64>,
}

/// A source that has not been opened yet.
pub(super) struct Sourced {
    pub(super) chain: Chain,
    /// The bytes that will be read, as they lie there, where that is known.
    pub(super) total: Option<u64>,
    pub(super) is_mcap: bool,
}

pub(super) fn chain(
    source: &Bound<'_, PyAny>,
    filesystem: Option<&Bound<'_, PyAny>>,
    layout: Layout,
    compression: CompressionArgument,
    may_map: bool,
    start: u64,
) -> PyResult<Sourced> {
    let py = source.py();
    let described = py.import("wirearray._sources")?.getattr("describe")?.call1((source, filesystem))?;
    let described = described.try_iter()?.map(|each| each?.extract()).collect::<PyResult<Vec<Described>>>()?;
    if start > 0 && described.len() != 1 {
        return Err(PyValueError::new_err("start: with several sources, say which bytes of each by partitions"));
    }
    let total = described.iter().map(|each| each.size).sum();
    let parts: Vec<Part> = described.into_iter().map(|each| part(each, compression, start)).collect();
    let is_mcap = matches!(layout, Layout::Mcap(_));
    let chain = match layout {
        Layout::Framed(format) => Chain::new(parts, format, may_map),
        Layout::Mcap(_) if start > 0 => {
            return Err(PyValueError::new_err("start: an MCAP file is read from its front, where its schemas are"));
        }
        Layout::Mcap(selection) => Chain::of_mcap(parts, selection),
    };
    Ok(Sourced { chain, total, is_mcap })
}

fn part(described: Described, compression: CompressionArgument, start: u64) -> Part {
    let Described { name, path, open, start: first, stop, .. } = described;
    let opener = match path {
        Some(path) => Opener::Path(path),
        None => Opener::Reader(Box::new(move || {
            let _reading = Reading::start()?;
            let object = Python::attach(|py| open.call0(py)).map_err(io::Error::other)?;
            Ok(Box::new(reader(object)) as Box<dyn Read + Send>)
        })),
    };
    let extent = first.saturating_add(start)..stop.unwrap_or(u64::MAX);
    Part { name: name.map(Into::into), opener, compression: compression.0, extent }
}

/// How messages lie in a source.
pub(super) enum Layout {
    Framed(Format),
    Mcap(McapSelection),
}

/// The name that users give for MCAP, which is more than a framing.
pub(super) const MCAP: &str = "mcap";

/// The `framing`, `topic` and `verify` arguments; a source may say its framing itself.
pub(super) fn layout(
    message_type: &MessageType,
    source: &Bound<'_, PyAny>,
    framing: Option<&str>,
    topic: Option<TopicArgument>,
    verify: bool,
) -> PyResult<Layout> {
    let framing = match framing {
        Some(framing) => framing.to_owned(),
        None => source.py().import("wirearray._sources")?.getattr("framing")?.call1((source,))?.extract()?,
    };
    let topics = topic.map(|TopicArgument(topics)| topics);
    if framing == MCAP {
        return Ok(Layout::Mcap(McapSelection { message: message_type.name().to_owned(), topics, verify }));
    }
    let format = Format { framing: framing_of_name(&framing)?, verify };
    match topics {
        None => Ok(Layout::Framed(format)),
        Some(_) => Err(PyValueError::new_err(format!("topic: only MCAP files have topics, framing is {framing:?}"))),
    }
}

/// The `framing` argument of what knows no MCAP.
pub(super) fn framing_of_name(framing: &str) -> PyResult<Framing> {
    Framing::of_name(framing).ok_or_else(|| {
        let known = Framing::NAMES.map(|(name, _)| format!("{name:?}")).join(", ");
        PyValueError::new_err(format!("framing: expected {known} or {MCAP:?}, got {framing:?}"))
    })
}

/// The `topic` argument: one, or several.
pub(crate) struct TopicArgument(pub(crate) Vec<String>);

impl<'py> FromPyObject<'_, 'py> for TopicArgument {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(topic) = given.extract::<String>() {
            return Ok(Self(vec![topic]));
        }
        match values::each(&given) {
            Ok(topics) if !topics.is_empty() => Ok(Self(topics)),
            Ok(_) => Err(PyValueError::new_err("topic: the list is empty; leave it out for all topics")),
            Err(error) if !error.is_instance_of::<PyTypeError>(given.py()) => Err(error),
            Err(_) => {
                let found = given.repr()?;
                Err(PyTypeError::new_err(format!("topic: expected a name or a list of names, got {found}")))
            }
        }
    }
}

/// The `compression` argument: nothing where the stream's first bytes tell.
#[derive(Clone, Copy)]
pub(crate) struct CompressionArgument(pub(super) Option<Option<Compression>>);

impl CompressionArgument {
    pub(crate) const INFER: Self = Self(None);
}

impl<'py> FromPyObject<'_, 'py> for CompressionArgument {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if given.is_none() {
            return Ok(Self(Some(None)));
        }
        let name = given.extract::<String>().unwrap_or_default();
        match Compression::of_name(&name) {
            Some(compression) => Ok(Self(Some(Some(compression)))),
            None if name == "infer" => Ok(Self(None)),
            None => {
                let found = given.repr()?;
                let problem =
                    format!("compression: expected \"infer\", None, \"gzip\", \"zstd\" or \"lz4\", got {found}");
                Err(PyValueError::new_err(problem))
            }
        }
    }
}

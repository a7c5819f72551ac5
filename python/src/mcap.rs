//! MCAP files: what is in them, and what they say of each message, or are to say of it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use numpy::{Element, PyArray1, PyReadonlyArray1};
use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use wirearray::stream::{self, Contents, Stamps};

use crate::errors;
use crate::table::Table;
use crate::values;

/// List the topics of an MCAP file, and the types of their messages.
///
/// Parameters
/// ----------
/// path : path
///
/// Returns
/// -------
/// list of tuple of str
///     The topic, and the full name of the message type, of each whose messages are protobuf; in the order in which the file
///     declares them. A topic with messages of several types is there several times.
///
/// Raises
/// ------
/// DecodeError
///     If it is no MCAP file, or was cut short before anything is in it.
/// FileNotFoundError, OSError
///     If the file cannot be read.
///
/// Notes
/// -----
/// The summary at the end of the file says it. Where there is none, as in a file that was cut short, the whole is read.
#[pyfunction]
pub(crate) fn mcap_topics(py: Python<'_>, path: PathBuf) -> PyResult<Vec<(String, String)>> {
    let topics = contents(py, &path)?.topics;
    Ok(topics.iter().map(|topic| (topic.name.to_string(), topic.message.to_string())).collect())
}

/// The descriptor sets of a file, or of some of its topics, as one.
pub(crate) fn descriptor_set(py: Python<'_>, path: &Path, topics: Option<&[String]>) -> PyResult<Vec<u8>> {
    let contents = contents(py, path)?;
    let is_known = |name: &String| contents.topics.iter().any(|topic| *topic.name == **name);
    let path = path.display();
    if contents.topics.is_empty() {
        return Err(PyValueError::new_err(format!("path: {path} has no topic with protobuf messages")));
    }
    if let Some(missing) = topics.into_iter().flatten().find(|name| !is_known(name)) {
        let names: Vec<&str> = contents.topics.iter().map(|topic| &*topic.name).collect();
        let problem = format!("topic: {path} has no protobuf messages on {missing:?}; it has {}", names.join(", "));
        return Err(PyValueError::new_err(problem));
    }
    Ok(contents.descriptor_set(topics))
}

/// What a file says of some of the rows.
pub(crate) fn columns<'py>(py: Python<'py>, stamps: &Stamps, rows: Range<usize>) -> PyResult<Bound<'py, PyDict>> {
    let times = |times: &[u64]| {
        let times = PyArray1::from_slice(py, &times[rows.clone()]);
        times.call_method1("view", ("datetime64[ns]",))
    };
    let columns = PyDict::new(py);
    columns.set_item("log_time", times(&stamps.log_times)?)?;
    columns.set_item("publish_time", times(&stamps.publish_times)?)?;
    columns.set_item("sequence", PyArray1::from_slice(py, &stamps.sequences[rows.clone()]))?;
    let numpy = py.import("numpy")?;
    let options = PyDict::new(py);
    options.set_item("dtype", numpy.getattr("dtypes")?.getattr("StringDType")?.call0()?)?;
    let names = PyList::new(py, stamps.topic_names.iter().map(|name| &**name))?;
    let names = numpy.call_method("array", (names,), Some(&options))?;
    columns.set_item("topic", names.get_item(PyArray1::from_slice(py, &stamps.topics[rows.clone()]))?)?;
    Ok(columns)
}

/// What a user wants an MCAP file to say of messages.
#[derive(Default)]
pub(crate) struct StampArguments<'py> {
    pub(crate) topic: Option<Bound<'py, PyAny>>,
    pub(crate) log_time: Option<Bound<'py, PyAny>>,
    pub(crate) publish_time: Option<Bound<'py, PyAny>>,
    pub(crate) sequence: Option<Bound<'py, PyAny>>,
}

impl<'py> StampArguments<'py> {
    /// Refuses all of it, where another framing is meant.
    pub(crate) fn refuse(&self, framing: &str) -> PyResult<()> {
        let Self { topic, log_time, publish_time, sequence } = self;
        let given = [
            ("topic", "topics", topic),
            ("log_time", "times", log_time),
            ("publish_time", "times", publish_time),
            ("sequence", "numbers of messages", sequence),
        ];
        match given.into_iter().find(|(_, _, given)| given.is_some()) {
            None => Ok(()),
            Some((name, what, _)) => {
                let problem = format!("{name}: only MCAP files have {what}, framing is {framing:?}");
                Err(PyValueError::new_err(problem))
            }
        }
    }

    /// An entry for each of the messages. Where nothing is given, a table that was read from MCAP knows its own.
    pub(crate) fn stamps(&self, message: &str, messages: &Bound<'py, PyAny>, count: usize) -> PyResult<Stamps> {
        let read = messages.cast::<Table>().ok().and_then(|table| table.get().stamps()).unwrap_or_default();
        // What was read has an entry for each message, and its lists are empty where nothing was.
        let has_read = read.log_times.len() == count;
        let times = |name, given: &Option<Bound<'py, PyAny>>| {
            given.as_ref().map(|given| converted(messages.py(), "times", (given, name, count))).transpose()
        };
        let log_times = times("log_time", &self.log_time)?;
        let publish_times = times("publish_time", &self.publish_time)?;
        let log_times = match log_times {
            Some(times) => times,
            None if has_read => read.log_times,
            None => vec![now(); count],
        };
        let publish_times = match publish_times {
            Some(times) => times,
            None if has_read => read.publish_times,
            None => log_times.clone(),
        };
        let sequences = match &self.sequence {
            Some(given) => converted(messages.py(), "sequences", (given, count))?,
            None => read.sequences,
        };
        let (topics, topic_names) = match &self.topic {
            Some(given) => {
                let found = values::in_python(messages.py(), "_mcap", "topics", (given, count))?;
                let (names, topics): (Vec<String>, PyReadonlyArray1<'_, u32>) = found.extract()?;
                (topics.as_slice()?.to_vec(), names.into_iter().map(Into::into).collect())
            }
            None if has_read => (read.topics, read.topic_names),
            None => (vec![0; count], vec![message.into()]),
        };
        Ok(Stamps { log_times, publish_times, sequences, topics, topic_names })
    }
}

/// What a function of `wirearray/_mcap.py` makes of what was given.
fn converted<'py, T: Element + Copy>(
    py: Python<'py>,
    function: &str,
    arguments: impl PyCallArgs<'py>,
) -> PyResult<Vec<T>> {
    let array = values::in_python(py, "_mcap", function, arguments)?;
    Ok(array.extract::<PyReadonlyArray1<'_, T>>()?.as_slice()?.to_vec())
}

/// Nanoseconds since 1970, which fit until 2554.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn contents(py: Python<'_>, path: &Path) -> PyResult<Contents> {
    let contents = py.detach(|| stream::contents(path));
    contents.map_err(|fault| errors::fault(py, fault, path.to_str()))
}

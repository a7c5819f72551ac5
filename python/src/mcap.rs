//! MCAP files: what is in them, and what they say of each message.

use std::ops::Range;
use std::path::{Path, PathBuf};

use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use wirearray::stream::{self, Contents, Stamps};

use crate::errors;

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

fn contents(py: Python<'_>, path: &Path) -> PyResult<Contents> {
    let contents = py.detach(|| stream::contents(path));
    contents.map_err(|fault| errors::fault(py, fault, path.to_str()))
}

//! What MCAP files say of rows, as a state: four arrays, and the names of the topics.

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use wirearray::stream::Stamps;

use super::loading::{damaged, fields};
use crate::values;

pub(super) type StampsState<'py> = (
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Vec<String>,
);

pub(super) fn state<'py>(py: Python<'py>, stamps: &Stamps) -> StampsState<'py> {
    (
        PyArray1::from_slice(py, &stamps.log_times),
        PyArray1::from_slice(py, &stamps.publish_times),
        PyArray1::from_slice(py, &stamps.sequences),
        PyArray1::from_slice(py, &stamps.topics),
        stamps.topic_names.iter().map(ToString::to_string).collect(),
    )
}

/// Those of a table of so many rows.
pub(super) fn of_state(state: &Bound<'_, PyAny>, rows: usize) -> PyResult<Stamps> {
    type Numbers<'py, T> = PyReadonlyArray1<'py, T>;
    type Arrays<'py> = (Numbers<'py, u64>, Numbers<'py, u64>, Numbers<'py, u32>, Numbers<'py, u32>, Bound<'py, PyAny>);
    let (log_times, publish_times, sequences, topics, names): Arrays<'_> = fields(state)?;
    let names: Vec<String> = values::each(&names).map_err(|_| damaged("the names of topics are none"))?;
    let stamps = Stamps {
        log_times: log_times.as_slice()?.to_vec(),
        publish_times: publish_times.as_slice()?.to_vec(),
        sequences: sequences.as_slice()?.to_vec(),
        topics: topics.as_slice()?.to_vec(),
        topic_names: names.into_iter().map(Into::into).collect(),
    };
    let Stamps { log_times, publish_times, sequences, topics, topic_names } = &stamps;
    if [log_times.len(), publish_times.len(), sequences.len(), topics.len()] != [rows; 4] {
        return Err(damaged("there is not one time for each row"));
    }
    if topics.iter().any(|&topic| topic as usize >= topic_names.len()) {
        return Err(damaged("a row is about a topic without a name"));
    }
    Ok(stamps)
}

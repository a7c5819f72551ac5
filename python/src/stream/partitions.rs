//! `partitions`: where a file of messages can be split.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use wirearray::input;
use wirearray::stream::{Compression, Format, Stretch, partitions};

use super::source::{MCAP, framing_of_name};
use crate::errors;
use crate::message_type::MessageType;

#[pymethods]
impl MessageType {
    /// Split a file of messages into stretches that can be read on their own, by other processes or machines.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     A file that is not compressed: what is, can be read from its start alone.
    /// target_bytes : int, default 64 MiB
    ///     The bytes of each stretch, which goes on to the end of a message.
    /// framing : str
    ///     As for :meth:`read`.
    ///
    /// Returns
    /// -------
    /// list of Partition
    ///     Each with ``path``, ``framing``, ``start``, ``stop`` and ``rows``. They are pickled as they are, and :meth:`read` and
    ///     :meth:`scan` take them as sources.
    ///
    /// Raises
    /// ------
    /// DecodeError
    ///     If a frame is broken or cut short.
    /// FileNotFoundError, OSError
    ///     If the file cannot be read.
    /// ValueError
    ///     If it is compressed, or `target_bytes` is not positive.
    ///
    /// Notes
    /// -----
    /// Lengths alone are read, so it takes far less time than decoding. Messages are not looked at.
    #[pyo3(signature = (path, target_bytes = 67_108_864, *, framing))]
    fn partitions<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        target_bytes: i64,
        framing: &str,
    ) -> PyResult<Bound<'py, PyList>> {
        if framing == MCAP {
            return Err(PyValueError::new_err(
                "framing: an MCAP file is read from its front, as a whole; use read or scan",
            ));
        }
        let format = Format { framing: framing_of_name(framing)?, verify: false };
        let target = usize::try_from(target_bytes).ok().filter(|&target| target > 0);
        let target = target
            .ok_or_else(|| PyValueError::new_err(format!("target_bytes: expected at least 1, got {target_bytes}")))?;
        let owner = py.detach(|| input::open(&path)).map_err(|error| errors::file_error(&error, &path))?;
        let bytes = (*owner).as_ref();
        if Compression::of_start(bytes).is_some() {
            let problem = format!("path: {} is compressed, and cannot be split; decompress it first", path.display());
            return Err(PyValueError::new_err(problem));
        }
        let stretches = py.detach(|| partitions(bytes, format, target));
        let stretches = stretches.map_err(|error| errors::decode_error(&error))?;
        let class = py.import("wirearray._sources")?.getattr("Partition")?;
        let partition =
            |Stretch { extent, messages }: Stretch| class.call1((&path, framing, extent.start, extent.end, messages));
        PyList::new(py, stretches.into_iter().map(partition).collect::<PyResult<Vec<_>>>()?)
    }
}

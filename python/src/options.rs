//! How to decode, as Python says it.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use wirearray::cores::Cores;
use wirearray::decode::{MOST_DEPTH_LIMIT, OnError, Options, Views};
use wirearray::wire::DEPTH_LIMIT;

/// The `copy` argument, with the meaning that NumPy gives it.
pub(crate) struct CopyArgument(Views);

impl CopyArgument {
    pub(crate) const TRUE: Self = Self(Views::Never);

    /// What to do where values lie in the input as an array, with or without arrays of the caller's.
    pub(crate) fn views(&self, has_out: bool) -> PyResult<Views> {
        if has_out && self.0 != Views::Never {
            return Err(PyValueError::new_err("out: values that are decoded into arrays are copies; leave copy=True"));
        }
        Ok(self.0)
    }
}

impl<'py> FromPyObject<'_, 'py> for CopyArgument {
    type Error = PyErr;

    fn extract(copy: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match copy.extract::<Option<bool>>() {
            Ok(Some(true)) => Ok(Self(Views::Never)),
            Ok(None) => Ok(Self(Views::WhereAligned)),
            Ok(Some(false)) => Ok(Self(Views::Always)),
            Err(_) => {
                let found = copy.repr()?;
                Err(PyTypeError::new_err(format!("copy: expected True, None or False, got {found}")))
            }
        }
    }
}

/// The `threads` argument: a number of threads, or `None` for as many as there are cores.
pub(crate) struct ThreadsArgument(Cores);

impl ThreadsArgument {
    pub(crate) const ALL: Self = Self(Cores::ALL);

    pub(crate) fn cores(&self) -> Cores {
        self.0
    }
}

impl<'py> FromPyObject<'_, 'py> for ThreadsArgument {
    type Error = PyErr;

    fn extract(threads: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match number(threads, "threads", "a number of threads or None")? {
            None => Ok(Self::ALL),
            Some(threads) if threads >= 1 => Ok(Self(Cores::up_to(usize::try_from(threads)?))),
            Some(threads) => Err(PyValueError::new_err(format!("threads: expected at least 1, got {threads}"))),
        }
    }
}

/// The `max_bytes` argument: the most memory that columns may take, or `None`.
pub(crate) struct MaxBytesArgument(Option<usize>);

impl MaxBytesArgument {
    pub(crate) const NONE: Self = Self(None);
}

impl<'py> FromPyObject<'_, 'py> for MaxBytesArgument {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match number(given, "max_bytes", "a number of bytes or None")? {
            None => Ok(Self::NONE),
            Some(bytes) if bytes >= 0 => Ok(Self(Some(usize::try_from(bytes)?))),
            Some(bytes) => Err(PyValueError::new_err(format!("max_bytes: expected at least 0, got {bytes}"))),
        }
    }
}

/// The `max_depth` argument: levels of messages within the outermost one.
pub(crate) struct MaxDepthArgument(u32);

impl MaxDepthArgument {
    pub(crate) const DEFAULT: Self = Self(DEPTH_LIMIT);
}

impl<'py> FromPyObject<'_, 'py> for MaxDepthArgument {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let levels = number(given, "max_depth", "a number of levels")?;
        match levels.map(u32::try_from) {
            Some(Ok(levels @ 0..=MOST_DEPTH_LIMIT)) => Ok(Self(levels)),
            _ => {
                let found = given.repr()?;
                Err(PyValueError::new_err(format!("max_depth: expected 0 to {MOST_DEPTH_LIMIT} levels, got {found}")))
            }
        }
    }
}

/// The options that the arguments `max_bytes` and `max_depth` are.
pub(crate) fn limits(max_bytes: &MaxBytesArgument, max_depth: &MaxDepthArgument) -> Options {
    Options { max_bytes: max_bytes.0, depth_limit: max_depth.0, ..Options::DEFAULT }
}

/// The number that an argument is, or `None`.
fn number(given: Borrowed<'_, '_, PyAny>, argument: &str, expected: &str) -> PyResult<Option<i64>> {
    given.extract::<Option<i64>>().or_else(|error| {
        let found = given.repr()?;
        if error.is_instance_of::<PyOverflowError>(given.py()) {
            return Err(PyValueError::new_err(format!("{argument}: {found} is not {expected}")));
        }
        Err(PyTypeError::new_err(format!("{argument}: expected {expected}, got {found}")))
    })
}

/// The `on_error` argument.
pub(crate) struct OnErrorArgument(pub(crate) OnError);

impl OnErrorArgument {
    pub(crate) const RAISE: Self = Self(OnError::Raise);
}

impl<'py> FromPyObject<'_, 'py> for OnErrorArgument {
    type Error = PyErr;

    fn extract(on_error: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match on_error.extract::<String>().as_deref() {
            Ok("raise") => Ok(Self::RAISE),
            Ok("skip") => Ok(Self(OnError::Skip)),
            _ => {
                let found = on_error.repr()?;
                Err(PyValueError::new_err(format!("on_error: expected \"raise\" or \"skip\", got {found}")))
            }
        }
    }
}

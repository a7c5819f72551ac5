//! How to decode, as Python says it.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use wirearray::cores::Cores;
use wirearray::decode::{OnError, Options, Views};

/// The `copy` argument, with the meaning that NumPy gives it.
pub(crate) struct CopyArgument(Views);

impl CopyArgument {
    pub(crate) const TRUE: Self = Self(Views::Never);

    /// The options of a decoding call.
    pub(crate) fn options(&self, keep_unknown: bool, threads: &ThreadsArgument, has_out: bool) -> PyResult<Options> {
        if has_out && self.0 != Views::Never {
            return Err(PyValueError::new_err("out: values that are decoded into arrays are copies; leave copy=True"));
        }
        Ok(Options { views: self.0, keep_unknown, cores: threads.0, ..Options::DEFAULT })
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
        match threads.extract::<Option<i64>>() {
            Ok(None) => Ok(Self::ALL),
            Ok(Some(threads)) if threads >= 1 => Ok(Self(Cores::up_to(usize::try_from(threads)?))),
            Ok(Some(threads)) => Err(PyValueError::new_err(format!("threads: expected at least 1, got {threads}"))),
            Err(error) if error.is_instance_of::<PyOverflowError>(threads.py()) => {
                Err(PyValueError::new_err(format!("threads: {} is no number of threads", threads.repr()?)))
            }
            Err(_) => {
                let found = threads.repr()?;
                Err(PyTypeError::new_err(format!("threads: expected a number of threads or None, got {found}")))
            }
        }
    }
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

//! Where messages are written to: files and Python's file objects, compressed as the user wants it.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wirearray::output::Replacement;
use wirearray::stream::Compression;

use super::reader::FileObject;
use super::source::CompressionArgument;
use crate::encode::look_around;
use crate::errors;

/// Where messages go.
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) compression: Option<Compression>,
}

pub(super) enum Place {
    Path(PathBuf),
    Object(Py<PyAny>),
}

impl Target {
    pub(super) fn new(target: &Bound<'_, PyAny>, compression: CompressionArgument) -> PyResult<Self> {
        if target.hasattr("write")? {
            return Ok(Self { place: Place::Object(target.clone().unbind()), compression: compression.0.flatten() });
        }
        let path: PathBuf = target.extract()?;
        let compression = compression.0.unwrap_or_else(|| compression_of(&path));
        Ok(Self { place: Place::Path(path), compression })
    }

    /// The same for an MCAP file, of which the chunks are compressed.
    pub(super) fn of_mcap(target: &Bound<'_, PyAny>, compression: CompressionArgument) -> PyResult<Self> {
        let Self { place, .. } = Self::new(target, CompressionArgument(Some(None)))?;
        let compression = match (compression.0, &place) {
            (Some(Some(Compression::Gzip)), _) => {
                let problem = "compression: chunks of MCAP files are compressed by \"zstd\", \"lz4\" or not at all";
                return Err(PyValueError::new_err(problem));
            }
            (Some(compression), _) => compression,
            (None, Place::Path(path)) if compression_of(path).is_some() => {
                let path = path.display();
                let problem = format!(
                    "compression: of an MCAP file the chunks are compressed, and {path} is named as if all of it were; leave \
                     the end of the name out"
                );
                return Err(PyValueError::new_err(problem));
            }
            (None, _) => Some(Compression::Zstd),
        };
        Ok(Self { place, compression })
    }

    pub(super) fn failed(&self, error: io::Error) -> PyErr {
        let path = match &self.place {
            Place::Path(path) => path.as_path(),
            Place::Object(_) => "target".as_ref(),
        };
        Python::attach(|py| errors::io_error(py, &error, path))
    }
}

/// The compression that the end of a file's name says.
fn compression_of(path: &Path) -> Option<Compression> {
    path.extension().and_then(|suffix| Compression::of_suffix(suffix.to_str()?))
}

/// Where bytes go in the end.
pub(super) enum Sink {
    Replacement(Replacement),
    File(File),
    Object(FileObject),
}

impl Sink {
    /// Puts what was written in its place.
    pub(super) fn commit(self) -> io::Result<()> {
        match self {
            Self::Replacement(file) => file.commit(),
            mut sink => sink.flush(),
        }
    }

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

//! Messages as serializers for a schema registry write them: `framing="confluent"`, and whose schema each is of.

use numpy::PyArray1;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyList};
use wirearray::decode::OnError;
use wirearray::framing::{RegistryHeader, SchemaId};
use wirearray::parallel;

use crate::errors;
use crate::message_type::MessageType;
use crate::messages::Messages;
use crate::options::OnErrorArgument;

/// Say which schema of a registry each message was written with.
///
/// Parameters
/// ----------
/// data : sequence of bytes-like, or bytes-like
///     Messages with their headers, as for :meth:`MessageType.decode_many` with ``framing="confluent"``.
/// offsets : array of int, shape (N + 1,), optional
///     As there.
/// on_error : {"raise", "skip"}, default "raise"
///     With ``"skip"`` a message without a header has the id -1, or ``None`` among GUIDs.
///
/// Returns
/// -------
/// array of int64, shape (N,)
///     The ids that the registry gave the schemas. Where one is a GUID, an array of ``object``: of ``int`` and ``uuid.UUID``.
///
/// Raises
/// ------
/// DecodeError
///     If a message does not start with a header; ``row`` says which.
/// ValueError, TypeError
///     As for :meth:`MessageType.decode_many`.
///
/// Examples
/// --------
/// Ids change inside a batch where writers do. Rows of one id are decoded together, with the schema that the registry has
/// for it.
///
/// >>> import numpy as np
/// >>> import wirearray as wa
/// >>> payloads = [b"\0\0\0\0\x07\0\x08\x05", b"\0\0\0\0\x09\0\x08\x06", b"\0\0\0\0\x07\0\x08\x07"]
/// >>> ids = wa.schema_ids(payloads)
/// >>> ids
/// array([7, 9, 7])
/// >>> {int(id): np.flatnonzero(ids == id).tolist() for id in np.unique(ids)}
/// {7: [0, 2], 9: [1]}
#[pyfunction]
#[pyo3(
    signature = (data, *, offsets = None, on_error = OnErrorArgument::RAISE),
    text_signature = "(data, *, offsets=None, on_error='raise')"
)]
pub(crate) fn schema_ids<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyAny>,
    offsets: Option<&Bound<'py, PyAny>>,
    on_error: OnErrorArgument,
) -> PyResult<Bound<'py, PyAny>> {
    let messages = Messages::new(data, offsets)?;
    let ids: Result<Vec<_>, _> = py.detach(|| {
        let skip = on_error.0 == OnError::Skip;
        parallel::schema_ids(&messages).map(|id| if skip { Ok(id.ok()) } else { id.map(Some) }).collect()
    });
    let ids = ids.map_err(|error| errors::decode_error(&error))?;
    let number = |id: &Option<SchemaId>| match id {
        Some(SchemaId::Number(number)) => Some(i64::from(*number)),
        Some(SchemaId::Guid(_)) => None,
        None => Some(-1),
    };
    match ids.iter().map(number).collect::<Option<Vec<_>>>() {
        Some(numbers) => Ok(PyArray1::from_vec(py, numbers).into_any()),
        None => objects(py, &ids),
    }
}

fn objects<'py>(py: Python<'py>, ids: &[Option<SchemaId>]) -> PyResult<Bound<'py, PyAny>> {
    let uuid = py.import("uuid")?.getattr("UUID")?;
    let object = |id: &Option<SchemaId>| match id {
        Some(SchemaId::Number(number)) => Ok(number.into_pyobject(py)?.into_any()),
        Some(SchemaId::Guid(bytes)) => {
            let options = PyDict::new(py);
            options.set_item("bytes", PyBytes::new(py, bytes))?;
            uuid.call((), Some(&options))
        }
        None => Ok(py.None().into_bound(py)),
    };
    let list = PyList::new(py, ids.iter().map(object).collect::<PyResult<Vec<_>>>()?)?;
    py.import("numpy")?.call_method1("array", (list, "object"))
}

/// The `framing` argument of calls whose messages lie in memory: whether headers of a registry stand in front of them.
pub(crate) fn is_registered(framing: Option<&str>) -> PyResult<bool> {
    match framing {
        None => Ok(false),
        Some("confluent") => Ok(true),
        Some(other) => {
            let problem =
                format!("framing: expected None or \"confluent\", got {other:?}; read and write take streams");
            Err(PyValueError::new_err(problem))
        }
    }
}

/// What the `framing` and `schema_id` arguments put in front of each message.
pub(crate) fn header(
    message_type: &MessageType,
    framing: Option<&str>,
    schema_id: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<u8>> {
    match (is_registered(framing)?, schema_id) {
        (false, None) => Ok(Vec::new()),
        (true, Some(id)) => {
            Ok(RegistryHeader::bytes(id.extract::<SchemaIdArgument>()?.0, &message_type.message().path))
        }
        (true, None) => Err(PyTypeError::new_err(
            "schema_id: framing=\"confluent\" wants the id that the registry gave the schema: an int or a uuid.UUID",
        )),
        (false, Some(_)) => {
            Err(PyTypeError::new_err("framing: say framing=\"confluent\" for a schema_id to be written"))
        }
    }
}

/// The `schema_id` argument.
struct SchemaIdArgument(SchemaId);

impl<'py> FromPyObject<'_, 'py> for SchemaIdArgument {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let (Ok(number), false) = (given.extract(), given.is_instance_of::<PyBool>()) {
            return Ok(Self(SchemaId::Number(number)));
        }
        if given.is_instance(&given.py().import("uuid")?.getattr("UUID")?)? {
            return Ok(Self(SchemaId::Guid(given.getattr("bytes")?.extract()?)));
        }
        let found = given.repr()?;
        let problem = format!("schema_id: expected an int of 32 bits, from 0 on, or a uuid.UUID, got {found}");
        Err(PyValueError::new_err(problem))
    }
}

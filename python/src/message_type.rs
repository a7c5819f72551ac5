//! A message type with the fields of it that are decoded: what turns bytes into columns.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyMappingProxy, PyString};
use wirearray::column::Owner;
use wirearray::cores::Cores;
use wirearray::decode::{self, Input, Options};
use wirearray::parallel;
use wirearray::plan::Plan;

use crate::errors;
use crate::field::Field;
use crate::lent::Lent;
use crate::messages::Messages;
use crate::options::{CopyArgument, OnErrorArgument, ThreadsArgument};
use crate::out::Out;
use crate::record::Record;
use crate::registry;
use crate::schema::Schema;
use crate::table::Table;

/// A message type, with the fields of it that are decoded.
///
/// Got from a :class:`Schema`, by full name. Everything that it decodes becomes arrays: one message a
/// :class:`Record`, many messages a :class:`Table`.
///
/// Examples
/// --------
/// >>> import wirearray as wa
/// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Point { double x = 1; repeated int32 tags = 2; }')
/// >>> Point = schema["Point"]
/// >>> Point
/// MessageType Point
///   double x = 1  float64
///   repeated int32 tags = 2  int32
/// >>> Point.decode(b"\x12\x03\x01\x02\x03")["tags"]
/// array([1, 2, 3], dtype=int32)
#[pyclass(frozen, weakref, module = "wirearray")]
pub(crate) struct MessageType {
    plan: Arc<Plan>,
    fields: PyOnceLock<Py<PyMappingProxy>>,
}

impl MessageType {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        Self { plan, fields: PyOnceLock::new() }
    }

    /// The type of the messages in a table of a plan, with the fields that are decoded there.
    pub(crate) fn of_table(plan: &Arc<Plan>, number: usize) -> Self {
        Self::new(if number == 0 { plan.clone() } else { plan.of_message(number) })
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Decodes what the official package has written.
    pub(crate) fn decode_bytes(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        well_known_types: bool,
    ) -> PyResult<Record> {
        let options = Options { keep_unknown: true, cores: Cores::ALL, ..Options::DEFAULT };
        decode_owned(py, &self.plan.showing(well_known_types), Arc::new(Lent::new(data, "data")?), options, None)
    }

    pub(crate) fn message(&self) -> &wirearray::schema::Message {
        self.plan.schema().message(self.plan.message(0).message)
    }
}

#[pymethods]
impl MessageType {
    /// The full name: str.
    #[getter]
    pub(crate) fn name(&self) -> &str {
        &self.message().full_name
    }

    /// The schema that defines it: Schema.
    #[getter]
    fn schema(&self) -> Schema {
        Schema::new(self.plan.schema().clone())
    }

    /// The fields that are decoded, by name: mapping of str to Field.
    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyMappingProxy>> {
        let fields = self.fields.get_or_try_init(py, || {
            let dict = PyDict::new(py);
            for field in &self.plan.message(0).fields {
                let shown_as = field.message.and_then(|number| self.plan.shown_as(number));
                let (schema, message) = (self.plan.schema().clone(), self.plan.message(0).message);
                let field = Field::new(schema, message, field.field, shown_as);
                dict.set_item(PyString::intern(py, field.name()), field)?;
            }
            PyResult::Ok(PyMappingProxy::new(py, dict.as_mapping()).unbind())
        })?;
        Ok(fields.bind(py))
    }

    /// The oneofs of which a member is decoded: mapping of str to the names of the members, a tuple of str.
    #[getter]
    fn oneofs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        let dict = PyDict::new(py);
        for &oneof in &self.plan.message(0).oneofs {
            let oneof = &self.message().oneofs[oneof];
            let members = oneof.fields.iter().map(|&field| self.message().fields[field].name.as_str());
            dict.set_item(&oneof.name, pyo3::types::PyTuple::new(py, members.collect::<Vec<_>>())?)?;
        }
        Ok(PyMappingProxy::new(py, dict.as_mapping()))
    }

    /// Return the same type, of which only the fields on the given paths are decoded.
    ///
    /// All others are skipped: they cost no memory, little time, and are not looked into.
    ///
    /// Parameters
    /// ----------
    /// *paths : str
    ///     Names of fields or oneofs, those of nested messages joined by dots, as in ``"series.times"``. A name of a message
    ///     stands for all that is in it.
    ///
    /// Returns
    /// -------
    /// MessageType
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If a path leads to no field.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Point { double x = 1; double y = 2; }')
    /// >>> list(schema["Point"].select("y").fields)
    /// ['y']
    #[pyo3(signature = (*paths))]
    fn select(&self, paths: Vec<String>) -> PyResult<Self> {
        if paths.is_empty() {
            return Err(PyValueError::new_err("paths: name at least one field to select"));
        }
        let plan = self
            .plan
            .select(paths.iter().map(String::as_str))
            .map_err(|error| PyValueError::new_err(format!("paths: {error}")))?;
        Ok(Self::new(Arc::new(plan)))
    }

    /// Decode one message.
    ///
    /// Parameters
    /// ----------
    /// data : bytes-like
    ///     Any contiguous buffer. Bytes that follow the message count as part of it, as the format has it.
    /// copy : bool or None, default True
    ///     ``True`` gives arrays of one's own: aligned, contiguous, writable. ``None`` gives a read-only view of `data` where
    ///     a packed field of fixed-width numbers lies in one aligned run, a copy elsewhere. ``False`` gives views only,
    ///     unaligned ones too. A view keeps `data` alive.
    /// keep_unknown : bool, default False
    ///     Whether the fields that the schema does not know are kept, as they were written: :attr:`Record.unknown_fields`.
    ///     Fields that :meth:`select` leaves out are not among them. They are copies, whatever `copy` is.
    /// threads : int or None, default None
    ///     How many threads may work at it, ``None`` for as many as there are cores. Small inputs never start one. What comes out
    ///     does not depend on it.
    /// out : dict of str to array, optional
    ///     Arrays to decode values into, by field name or path, as in ``{"times": a, "series.values": b}``: flat, contiguous,
    ///     writable, of the field's own dtype, and long enough. The result's array is the front part of the given one, as long
    ///     as there are values; what lies behind them stays as it is. A loop over files that gives the same arrays again and
    ///     again needs no fresh memory, and overwrites earlier results. After an error the arrays hold anything. Do not resize
    ///     them with ``refcheck=False``.
    /// well_known_types : bool, default True
    ///     Whether ``google.protobuf.Timestamp`` and ``Duration`` become ``datetime64[ns]`` and ``timedelta64[ns]``, and wrappers
    ///     as ``DoubleValue`` what they wrap; ``False`` leaves them messages. So does :meth:`select` of a part of them.
    ///
    /// Returns
    /// -------
    /// Record
    ///
    /// Raises
    /// ------
    /// DecodeError
    ///     If the bytes are not a message of this type; ``kind``, ``offset`` and ``path`` say why and where. If a point in time
    ///     or span of it is beyond ``datetime64[ns]``, which holds the years 1678 to 2261; its ``offset`` is that of the message.
    /// ValueError
    ///     If `copy` is ``False`` and a field's values cannot be a view; if an array of `out` has another dtype, is too short,
    ///     cannot be written to, or shares memory with another or with `data`.
    /// KeyError
    ///     If there is no field of a name in `out`.
    /// TypeError
    ///     If `data` is not a buffer.
    ///
    /// Notes
    /// -----
    /// The GIL is released. Messages may be nested 100 deep, as in the official parsers; required fields may be missing. All
    /// else is as the Protocol Buffers encoding specification has it.
    #[pyo3(
        signature = (data, *, copy = CopyArgument::TRUE, keep_unknown = false, threads = ThreadsArgument::ALL, out = None, well_known_types = true),
        text_signature = "($self, data, *, copy=True, keep_unknown=False, threads=None, out=None, well_known_types=True)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are those that the docstring lists")]
    fn decode(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        copy: CopyArgument,
        keep_unknown: bool,
        threads: ThreadsArgument,
        out: Option<&Bound<'_, PyAny>>,
        well_known_types: bool,
    ) -> PyResult<Record> {
        let owner: Owner = Arc::new(Lent::new(data, "data")?);
        let options = copy.options(keep_unknown, &threads, out.is_some())?;
        decode_owned(py, &self.plan.showing(well_known_types), owner, options, out)
    }

    /// Decode the one message that a file holds.
    ///
    /// The file is mapped, so that each value is copied once, from the page cache to its array.
    ///
    /// Parameters
    /// ----------
    /// path : path
    /// copy : bool or None, default True
    ///     As for :meth:`decode`. Views keep the file mapped; do not cut it short meanwhile.
    /// keep_unknown : bool, default False
    ///     As for :meth:`decode`.
    /// threads : int or None, default None
    ///     As for :meth:`decode`.
    /// out : dict of str to array, optional
    ///     As for :meth:`decode`.
    /// well_known_types : bool, default True
    ///     As for :meth:`decode`.
    ///
    /// Returns
    /// -------
    /// Record
    ///
    /// Raises
    /// ------
    /// FileNotFoundError
    ///     If the file does not exist.
    /// DecodeError, ValueError
    ///     As for :meth:`decode`.
    #[pyo3(
        signature = (path, *, copy = CopyArgument::TRUE, keep_unknown = false, threads = ThreadsArgument::ALL, out = None, well_known_types = true),
        text_signature = "($self, path, *, copy=True, keep_unknown=False, threads=None, out=None, well_known_types=True)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are those that the docstring lists")]
    fn load(
        &self,
        py: Python<'_>,
        path: PathBuf,
        copy: CopyArgument,
        keep_unknown: bool,
        threads: ThreadsArgument,
        out: Option<&Bound<'_, PyAny>>,
        well_known_types: bool,
    ) -> PyResult<Record> {
        let owner = py.detach(|| wirearray::input::open(&path));
        let owner = owner.map_err(|error| errors::file_error(&error, &path))?;
        let options = copy.options(keep_unknown, &threads, out.is_some())?;
        decode_owned(py, &self.plan.showing(well_known_types), owner, options, out)
    }

    /// Decode many messages.
    ///
    /// Parameters
    /// ----------
    /// data : sequence of bytes-like, Strings, Arrow array of bytes, or bytes-like
    ///     A buffer for each message, or one for all with `offsets`. Any library's column of bytes that speaks Arrow's PyCapsule
    ///     interface is taken as it is; a null in it is a message without a field.
    /// offsets : array of int, shape (N + 1,), optional
    ///     Where each message starts in the one buffer, and where the last one ends, in bytes.
    /// copy : bool or None, default True
    ///     As for :meth:`decode`.
    /// keep_unknown : bool, default False
    ///     As for :meth:`decode`: :attr:`Table.unknown_fields`.
    /// threads : int or None, default None
    ///     As for :meth:`decode`.
    /// out : dict of str to array, optional
    ///     As for :meth:`decode`, with the values of all messages, one after the other.
    /// on_error : {"raise", "skip"}, default "raise"
    ///     ``"skip"`` leaves bad messages out, and lists them in :attr:`Table.errors`.
    /// framing : "confluent", optional
    ///     In front of each message stands the header of a schema registry, as Confluent's serializers write it. It is
    ///     checked and passed over; which schema it names says :func:`schema_ids`.
    /// well_known_types : bool, default True
    ///     As for :meth:`decode`.
    ///
    /// Returns
    /// -------
    /// Table
    ///     A row for each message.
    ///
    /// Raises
    /// ------
    /// DecodeError
    ///     If one of them is not a message of this type, or its header is of another one's; ``row`` says which. Its offset counts
    ///     from the start of its buffer.
    /// ValueError
    ///     If the offsets do not ascend or go past the end of the buffer; or as for :meth:`decode`.
    /// TypeError
    ///     If `data` is neither.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; }')
    /// >>> schema["Tick"].decode_many([b"\x08\x05", b"", b"\x08\x07"])["price"]
    /// array([5, 0, 7])
    #[pyo3(
        signature = (
            data, *, offsets = None, copy = CopyArgument::TRUE, keep_unknown = false, threads = ThreadsArgument::ALL,
            out = None, on_error = OnErrorArgument::RAISE, framing = None, well_known_types = true
        ),
        text_signature = "($self, data, *, offsets=None, copy=True, keep_unknown=False, threads=None, out=None, \
            on_error='raise', framing=None, well_known_types=True)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are those that the docstring lists")]
    fn decode_many(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        offsets: Option<&Bound<'_, PyAny>>,
        copy: CopyArgument,
        keep_unknown: bool,
        threads: ThreadsArgument,
        out: Option<&Bound<'_, PyAny>>,
        on_error: OnErrorArgument,
        framing: Option<&str>,
        well_known_types: bool,
    ) -> PyResult<Table> {
        let options = Options { on_error: on_error.0, ..copy.options(keep_unknown, &threads, out.is_some())? };
        let is_registered = registry::is_registered(framing)?;
        let messages = Messages::new(data, offsets)?;
        let plan = self.plan.showing(well_known_types);
        let (out, destinations) = Out::new(&plan, out)?;
        messages.inputs().try_for_each(|input| out.check_input(input))?;
        let mut decoded = py.detach(|| match is_registered {
            true => parallel::decode_registered(&plan, &messages, options, destinations),
            false => parallel::decode_many(&plan, &messages, options, destinations),
        });
        let faults = std::mem::take(&mut decoded.faults);
        let table = errors::whole(py, decoded)?;
        out.check(&table)?;
        Ok(Table::of_rows(plan, table).with_errors(faults))
    }

    /// Decodes one message with the reference decoder.
    #[cfg(feature = "reference")]
    #[pyo3(signature = (data, *, keep_unknown = false))]
    fn _decode_reference(&self, py: Python<'_>, data: &Bound<'_, PyAny>, keep_unknown: bool) -> PyResult<Record> {
        let lent = Lent::new(data, "data")?;
        let options = Options { keep_unknown, ..Options::default() };
        let table = py.detach(|| wirearray::reference::decode(&self.plan, lent.as_ref(), options));
        Ok(Record::new(self.plan.clone(), Arc::new(table.map_err(|error| errors::decode_error(&error))?), 0))
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        crate::values::repr(slf.as_any(), "message_type")
    }
}

fn decode_owned(
    py: Python<'_>,
    plan: &Arc<Plan>,
    owner: Owner,
    options: Options,
    out: Option<&Bound<'_, PyAny>>,
) -> PyResult<Record> {
    let (out, destinations) = Out::new(plan, out)?;
    let input = Input::from(&owner);
    out.check_input(input.bytes)?;
    let table = py.detach(|| decode::decode_into(plan, input, options, destinations));
    let table = table.map_err(|error| errors::decode_error(&error))?;
    out.check(&table)?;
    Ok(Record::new(plan.clone(), Arc::new(table), 0))
}

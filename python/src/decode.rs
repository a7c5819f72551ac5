//! `decode`, `load` and `decode_many`: what lies in memory, or in a file as one message.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::prelude::*;
use wirearray::column::Owner;
use wirearray::cores::Cores;
use wirearray::decode::{self, Input, Options};
use wirearray::plan::Plan;
use wirearray::{input, parallel};

use crate::errors::{self, LeftOut};
use crate::lent::Lent;
use crate::message_type::MessageType;
use crate::messages::Messages;
use crate::options::{CopyArgument, MaxBytesArgument, MaxDepthArgument, OnErrorArgument, ThreadsArgument, limits};
use crate::out::Out;
use crate::record::Record;
use crate::registry;
use crate::table::Table;

impl MessageType {
    /// Decodes what the official package has written.
    pub(crate) fn decode_bytes(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        well_known_types: bool,
    ) -> PyResult<Record> {
        let options = Options { keep_unknown: true, cores: Cores::ALL, ..Options::DEFAULT };
        let owner: Owner = Arc::new(Lent::new(data, "data")?);
        decode_owned(py, &self.plan().showing(well_known_types), owner, options, None, None)
    }
}

#[pymethods]
impl MessageType {
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
    ///     does not depend on it; only where a budget of memory ends is found elsewhere.
    /// out : dict of str to array, optional
    ///     Arrays to decode values into, by field name or path, as in ``{"times": a, "series.values": b}``: flat, contiguous,
    ///     writable, of the field's own dtype, and long enough. The result's array is the front part of the given one, as long
    ///     as there are values; what lies behind them stays as it is, unless values came there that were replaced, as those of a
    ///     oneof are. A loop over files that gives the same arrays again and again needs no fresh memory, and overwrites earlier
    ///     results. After an error the arrays hold anything. Do not resize them with ``refcheck=False``.
    /// well_known_types : bool, default True
    ///     Whether ``google.protobuf.Timestamp`` and ``Duration`` become ``datetime64[ns]`` and ``timedelta64[ns]``, and wrappers
    ///     as ``DoubleValue`` what they wrap; ``False`` leaves them messages. So does :meth:`select` of a part of them.
    /// max_bytes : int, optional
    ///     The most memory that the result may take, in bytes. Data that need more are an error before the memory is taken: a few
    ///     bytes from a stranger can stand for many. Without it that is one GiB, and 400 bytes for each byte of the input.
    /// max_depth : int, default 100
    ///     How deep messages may be nested, 10,000 at the most. The official parsers read 100 levels.
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
    ///     If the result needs more memory than `max_bytes`, or messages are nested deeper than `max_depth`.
    /// MemoryError
    ///     If the system has not enough memory.
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
    /// The GIL is released. Required fields may be missing; all else is as the Protocol Buffers encoding specification has it.
    #[pyo3(
        signature = (
            data, *, copy = CopyArgument::TRUE, keep_unknown = false, threads = ThreadsArgument::ALL, out = None,
            well_known_types = true, max_bytes = MaxBytesArgument::NONE, max_depth = MaxDepthArgument::DEFAULT
        ),
        text_signature = "($self, data, *, copy=True, keep_unknown=False, threads=None, out=None, well_known_types=True, \
            max_bytes=None, max_depth=100)"
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
        max_bytes: MaxBytesArgument,
        max_depth: MaxDepthArgument,
    ) -> PyResult<Record> {
        let owner: Owner = Arc::new(Lent::new(data, "data")?);
        let (views, cores) = (copy.views(out.is_some())?, threads.cores());
        let options = Options { views, keep_unknown, cores, ..limits(&max_bytes, &max_depth) };
        decode_owned(py, &self.plan().showing(well_known_types), owner, options, out, None)
    }

    /// Decode the one message that a file holds.
    ///
    /// The file is mapped, so that each value is copied once, from the page cache to its array.
    ///
    /// Parameters
    /// ----------
    /// path : path
    /// copy : bool or None, default True
    ///     As for :meth:`decode`. Views keep the file mapped. A mapped file that is cut short meanwhile ends the process.
    /// keep_unknown : bool, default False
    ///     As for :meth:`decode`.
    /// threads : int or None, default None
    ///     As for :meth:`decode`.
    /// out : dict of str to array, optional
    ///     As for :meth:`decode`.
    /// well_known_types : bool, default True
    ///     As for :meth:`decode`.
    /// max_bytes, max_depth : int
    ///     As for :meth:`decode`.
    /// mmap : bool, default True
    ///     ``False`` reads the file in place of mapping it: for files that others may cut short meanwhile.
    ///
    /// Returns
    /// -------
    /// Record
    ///
    /// Raises
    /// ------
    /// FileNotFoundError, OSError
    ///     If the file does not exist, or cannot be read.
    /// DecodeError, MemoryError, ValueError, KeyError
    ///     As for :meth:`decode`.
    #[pyo3(
        signature = (
            path, *, copy = CopyArgument::TRUE, keep_unknown = false, threads = ThreadsArgument::ALL, out = None,
            well_known_types = true, max_bytes = MaxBytesArgument::NONE, max_depth = MaxDepthArgument::DEFAULT, mmap = true
        ),
        text_signature = "($self, path, *, copy=True, keep_unknown=False, threads=None, out=None, well_known_types=True, \
            max_bytes=None, max_depth=100, mmap=True)"
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
        max_bytes: MaxBytesArgument,
        max_depth: MaxDepthArgument,
        mmap: bool,
    ) -> PyResult<Record> {
        let owner = py.detach(|| if mmap { input::open(&path) } else { input::read(&path) });
        let owner = owner.map_err(|error| errors::file_error(&error, &path))?;
        let (views, cores) = (copy.views(out.is_some())?, threads.cores());
        let options = Options { views, keep_unknown, cores, ..limits(&max_bytes, &max_depth) };
        decode_owned(py, &self.plan().showing(well_known_types), owner, options, out, Some(&path))
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
    /// max_bytes, max_depth : int
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
    /// MemoryError
    ///     If the system has not enough memory.
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
            out = None, on_error = OnErrorArgument::RAISE, framing = None, well_known_types = true,
            max_bytes = MaxBytesArgument::NONE, max_depth = MaxDepthArgument::DEFAULT
        ),
        text_signature = "($self, data, *, offsets=None, copy=True, keep_unknown=False, threads=None, out=None, \
            on_error='raise', framing=None, well_known_types=True, max_bytes=None, max_depth=100)"
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
        max_bytes: MaxBytesArgument,
        max_depth: MaxDepthArgument,
    ) -> PyResult<Table> {
        let (views, cores) = (copy.views(out.is_some())?, threads.cores());
        let options = Options { views, keep_unknown, cores, on_error: on_error.0, ..limits(&max_bytes, &max_depth) };
        let is_registered = registry::is_registered(framing)?;
        let messages = Messages::new(data, offsets)?;
        let plan = self.plan().showing(well_known_types);
        let (out, destinations) = Out::new(&plan, out)?;
        messages.inputs().try_for_each(|input| out.check_input(input))?;
        let mut decoded = py.detach(|| match is_registered {
            true => parallel::decode_registered(&plan, &messages, options, destinations),
            false => parallel::decode_many(&plan, &messages, options, destinations),
        });
        let faults = std::mem::take(&mut decoded.faults);
        let table = errors::whole(py, decoded)?;
        out.check(&table)?;
        Ok(Table::of_rows(plan, table).with_errors(LeftOut::Found(faults)))
    }

    /// Decodes one message with the reference decoder.
    #[cfg(feature = "reference")]
    #[pyo3(signature = (data, *, keep_unknown = false))]
    fn _decode_reference(&self, py: Python<'_>, data: &Bound<'_, PyAny>, keep_unknown: bool) -> PyResult<Record> {
        let lent = Lent::new(data, "data")?;
        let options = Options { keep_unknown, ..Options::default() };
        let table = py.detach(|| wirearray::reference::decode(self.plan(), lent.as_ref(), options));
        Ok(Record::new(self.plan().clone(), Arc::new(table.map_err(|error| errors::decode_error(&error))?), 0))
    }
}

/// One message, of a file or of a caller's.
fn decode_owned(
    py: Python<'_>,
    plan: &Arc<Plan>,
    owner: Owner,
    options: Options,
    out: Option<&Bound<'_, PyAny>>,
    path: Option<&Path>,
) -> PyResult<Record> {
    let (out, destinations) = Out::new(plan, out)?;
    let input = Input::from(&owner);
    out.check_input(input.bytes)?;
    let table = py.detach(|| decode::decode_into(plan, input, options, destinations));
    let table = table.map_err(|error| match path {
        None => errors::decode_error(&error),
        Some(path) => errors::load_error(error, path, input.bytes),
    })?;
    out.check(&table)?;
    Ok(Record::new(plan.clone(), Arc::new(table), 0))
}

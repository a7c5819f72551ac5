//! `scan`: a thread decodes, and the calling one waits, hears of interruptions and tells how far it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use wirearray::decode::{self, OnError, Options};
use wirearray::parallel::{Decoded, Fault, Wanted};
use wirearray::plan::Plan;
use wirearray::stream::{Ahead, NoBatch, Place, Stamps};

use super::reader::no_end;
use super::source::{CompressionArgument, Sourced, TopicArgument, chain, layout};
use crate::errors::{self, LeftOut};
use crate::message_type::MessageType;
use crate::options::{MaxBytesArgument, MaxDepthArgument, OnErrorArgument, ThreadsArgument, limits};
use crate::table::Table;

/// How often the calling thread looks up while it waits.
const TICK: Duration = Duration::from_millis(50);

/// The bytes of messages in a batch, where nothing is said: so few that batches are decoded while others are worked on, and so
/// many that what a batch costs by itself does not count.
const BATCH_LEN: usize = 16 << 20;

#[pymethods]
impl MessageType {
    /// Decode files or streams of any length, a batch of messages at a time.
    ///
    /// While one batch is worked on, the next one is decoded; no more than these two and a few blocks of the stream are held.
    ///
    /// Parameters
    /// ----------
    /// source : path, URL, file object, Partition, or list of these
    ///     As for :meth:`read`.
    /// batch_rows : int, optional
    ///     The most messages in a batch.
    /// batch_bytes : int, optional
    ///     The bytes of messages with which a batch is full; 16 MiB where neither is given.
    /// start : int, default 0
    ///     The byte at which the first frame starts: the ``offset`` of an earlier scan, to go on with what was written since.
    /// framing, topic, compression, verify, on_error, keep_unknown, threads, progress, filesystem, well_known_types, max_depth
    ///     As for :meth:`read`. With ``on_error="raise"`` the messages in front of a bad one are delivered before the error is
    ///     raised.
    /// max_bytes : int, optional
    ///     As for :meth:`read`, of each batch.
    ///
    /// Returns
    /// -------
    /// Scan
    ///     An iterator of tables, with ``offset``: the byte behind the last message that it has delivered. Libraries that speak
    ///     Arrow's PyCapsule interface take it as a stream of batches; what :attr:`Table.errors` and :attr:`Table.mcap` have is
    ///     not in that.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError, FileNotFoundError
    ///     As for :meth:`read`. Whatever is wrong with what is read is raised by the iterator.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; }')
    /// >>> log = io.BytesIO(b"\x02\x08\x05\x00\x02\x08\x07")
    /// >>> [table["price"].sum() for table in schema["Tick"].scan(log, framing="delimited", batch_rows=2)]
    /// [np.int64(5), np.int64(7)]
    #[pyo3(
        signature = (
            source, *, framing = None, topic = None, batch_rows = None, batch_bytes = None, start = 0,
            compression = CompressionArgument::INFER, verify = true, on_error = OnErrorArgument::RAISE, keep_unknown = false,
            threads = ThreadsArgument::ALL, progress = None, filesystem = None, well_known_types = true,
            max_bytes = MaxBytesArgument::NONE, max_depth = MaxDepthArgument::DEFAULT
        ),
        text_signature = "($self, source, *, framing=None, topic=None, batch_rows=None, batch_bytes=None, start=0, \
            compression='infer', verify=True, on_error='raise', keep_unknown=False, threads=None, progress=False, \
            filesystem=None, well_known_types=True, max_bytes=None, max_depth=100)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are those that the docstring lists")]
    fn scan<'py>(
        &self,
        source: &Bound<'py, PyAny>,
        framing: Option<&str>,
        topic: Option<TopicArgument>,
        batch_rows: Option<i64>,
        batch_bytes: Option<i64>,
        start: i64,
        compression: CompressionArgument,
        verify: bool,
        on_error: OnErrorArgument,
        keep_unknown: bool,
        threads: ThreadsArgument,
        progress: Option<&Bound<'py, PyAny>>,
        filesystem: Option<&Bound<'py, PyAny>>,
        well_known_types: bool,
        max_bytes: MaxBytesArgument,
        max_depth: MaxDepthArgument,
    ) -> PyResult<Scan> {
        let layout = layout(self, source, framing, topic, verify)?;
        let unsaid = if batch_rows.is_none() { BATCH_LEN } else { usize::MAX };
        let wanted = Wanted {
            messages: at_least_one(batch_rows, "batch_rows", usize::MAX)?,
            len: at_least_one(batch_bytes, "batch_bytes", unsaid)?,
        };
        let start = u64::try_from(start)
            .map_err(|_| PyValueError::new_err(format!("start: expected at least 0, got {start}")))?;
        let sourced = chain(source, filesystem, layout, compression, false, start)?;
        let options = options(on_error, keep_unknown, &threads, limits(&max_bytes, &max_depth));
        let plan = self.plan().showing(well_known_types);
        Scan::start(source.py(), &plan, sourced, wanted, options, progress)
    }
}

pub(super) fn options(
    on_error: OnErrorArgument,
    keep_unknown: bool,
    threads: &ThreadsArgument,
    limits: Options,
) -> Options {
    Options { on_error: on_error.0, keep_unknown, cores: threads.cores(), ..limits }
}

fn at_least_one(given: Option<i64>, argument: &str, otherwise: usize) -> PyResult<usize> {
    match given {
        None => Ok(otherwise),
        Some(given) if given >= 1 => Ok(usize::try_from(given).unwrap_or(usize::MAX)),
        Some(given) => Err(PyValueError::new_err(format!("{argument}: expected at least 1, got {given}"))),
    }
}

/// Tables of successive messages of a stream: an iterator, made by :meth:`MessageType.scan`.
///
/// It can be left at any time; used in a ``with`` statement, or closed, it lets go of its source at once. Libraries that speak
/// Arrow's PyCapsule interface take it as a stream of batches: ``pyarrow.RecordBatchReader.from_stream(scan)``.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct Scan {
    plan: Arc<Plan>,
    on_error: OnError,
    /// The process whose thread decodes.
    process: u32,
    /// Nothing once it is closed.
    ahead: Mutex<Option<Arc<Ahead>>>,
    state: Mutex<State>,
    total: Option<u64>,
    is_mcap: bool,
    /// Called with the bytes read and the total.
    report: Option<Py<PyAny>>,
}

/// What has been delivered.
#[derive(Default)]
struct State {
    /// How many batches there were up to the furthest of them.
    batches: usize,
    /// Where the stream stands behind that.
    place: Place,
    /// Why there is nothing behind the last batch.
    stop: Option<Fault>,
}

impl Scan {
    pub(super) fn start(
        py: Python<'_>,
        plan: &Arc<Plan>,
        sourced: Sourced,
        wanted: Wanted,
        options: Options,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let Sourced { chain, total, is_mcap } = sourced;
        let report = match progress {
            Some(progress) if !progress.is_none() => {
                let reporter = py.import("wirearray._progress")?.getattr("reporter")?.call1((progress, total))?;
                (!reporter.is_none()).then(|| reporter.unbind())
            }
            _ => None,
        };
        let state = State { place: chain.place(), ..State::default() };
        let plan = plan.clone();
        let ahead = Ahead::start(plan.clone(), chain, wanted, options)?;
        Ok(Self {
            plan,
            on_error: options.on_error,
            process: std::process::id(),
            ahead: Mutex::new(Some(Arc::new(ahead))),
            state: Mutex::new(state),
            total,
            is_mcap,
            report,
        })
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The next batch, or why there is none; nothing at the end.
    pub(crate) fn next_table(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        loop {
            let is_stopped = lock(&self.state).stop.is_some();
            if is_stopped {
                return self.stop(py).map_or(Ok(None), Err);
            }
            match self.next(py)? {
                // What ends a stream can stand behind no message at all.
                Some(table) if table.is_void() => {}
                delivered => return Ok(delivered),
            }
        }
    }

    /// The next batch; nothing at the end. Whatever ends the stream is kept until [`Scan::stop`] is asked.
    pub(super) fn next(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        let Some(ahead) = lock(&self.ahead).clone() else { return Ok(None) };
        if self.process != std::process::id() {
            let problem = "the scan was begun by another process, where its thread is; begin one behind the fork";
            return Err(PyRuntimeError::new_err(problem));
        }
        loop {
            let waited = py.detach(|| ahead.next(TICK));
            // Whoever consumes the scan may be no Python code, which would look for signals between its batches.
            py.check_signals().inspect_err(|_| self.let_go(py))?;
            if !ahead.progress().is_cancelled() {
                self.tell(py, &ahead)?;
            }
            match waited {
                // It was closed meanwhile: by another thread, by what it reads, or by what it reports to.
                _ if ahead.progress().is_cancelled() => return Ok(None),
                Err(NoBatch::NotYet) => {}
                Err(NoBatch::WithinReader) => {
                    let problem =
                        "the scan was asked for a batch by the source that it reads, which it waits for itself";
                    return Err(PyRuntimeError::new_err(problem));
                }
                Ok(None) => {
                    self.finish(py)?;
                    return Ok(None);
                }
                Ok(Some(batch)) => {
                    let Decoded { table, mut faults, stop, .. } = batch.decoded;
                    let mut state = lock(&self.state);
                    // Of several threads one may come by with a batch after another has with the next.
                    if batch.number >= state.batches {
                        (state.batches, state.place) = (batch.number + 1, batch.place);
                    }
                    match stop {
                        Some(Fault::Frame(error)) if self.on_error == OnError::Skip => faults.push(error),
                        Some(fault) => state.stop = Some(fault),
                        None => {}
                    }
                    drop(state);
                    let table = Table::of_rows(self.plan.clone(), table).with_errors(LeftOut::Found(faults));
                    return Ok(Some(table.with_stamps(batch.stamps)));
                }
            }
        }
    }

    /// How far it has been delivered: how many batches, and where the stream stands behind them.
    pub(crate) fn reached(&self) -> (usize, Place) {
        let state = lock(&self.state);
        (state.batches, state.place.clone())
    }

    /// Counts the batch behind that as not delivered, unless another has been since.
    pub(crate) fn take_back(&self, (batches, place): (usize, Place)) {
        let mut state = lock(&self.state);
        if state.batches == batches + 1 {
            (state.batches, state.place) = (batches, place);
        }
    }

    /// Why there is nothing behind the last batch, where that is no good reason.
    pub(super) fn stop(&self, py: Python<'_>) -> Option<PyErr> {
        let (stop, name) = {
            let mut state = lock(&self.state);
            (state.stop.take(), state.place.name.clone())
        };
        let failure = self.finish(py).err();
        stop.map(|fault| errors::fault(py, fault, name.as_deref())).or(failure)
    }

    pub(super) fn no_rows(&self) -> PyResult<Table> {
        let table = decode::decode_many(&self.plan, std::iter::empty(), 0, Options::DEFAULT);
        let table = Table::of_rows(self.plan.clone(), table.map_err(|error| errors::decode_error(&error))?);
        Ok(table.with_stamps(self.is_mcap.then(Stamps::default)))
    }

    fn tell(&self, py: Python<'_>, ahead: &Ahead) -> PyResult<()> {
        let Some(report) = &self.report else { return Ok(()) };
        let told = report.call1(py, (ahead.progress().done(), self.total)).map(drop);
        told.map_err(|error| no_end(py, error, "progress")).inspect_err(|_| self.let_go(py))
    }

    /// Lets go of the source, and ends the report.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let was_open = lock(&self.ahead).take().is_some();
        match &self.report {
            Some(report) if was_open => report.call_method0(py, "close").map(drop),
            _ => Ok(()),
        }
    }

    /// The same before the end is reached. Others may wait for a batch, and keep the source alive meanwhile.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(ahead) = &*lock(&self.ahead) {
            ahead.progress().cancel();
        }
        self.finish(py)
    }

    /// The same behind an error, which says more than one of the report's.
    fn let_go(&self, py: Python<'_>) {
        let _ = self.cancel(py);
    }
}

#[pymethods]
impl Scan {
    /// The byte of the stream behind the last message that was delivered: int. Of a compressed one, as it is decompressed.
    #[getter]
    fn offset(&self) -> u64 {
        lock(&self.state).place.offset
    }

    /// The name of the stream that ``offset`` is of: str or None.
    #[getter]
    fn file(&self) -> Option<String> {
        lock(&self.state).place.name.as_deref().map(str::to_owned)
    }

    fn __repr__(&self) -> String {
        let state = lock(&self.state);
        let of = state.place.name.as_deref().map_or_else(String::new, |name| format!(" of {name}"));
        let closed = if lock(&self.ahead).is_none() { ", closed" } else { "" };
        format!("Scan {}, at byte {}{of}{closed}", self.plan.message_name(0), state.place.offset)
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        self.next_table(py)
    }

    /// Let go of the source. Nothing more is delivered.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        // An exception may run anyone's code as it goes, which must find no lock held.
        let stop = lock(&self.state).stop.take();
        drop(stop);
        self.cancel(py)
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

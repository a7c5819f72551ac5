//! `read`: a scan of one batch.

use pyo3::prelude::*;
use wirearray::parallel::Wanted;

use super::scan::{Scan, options};
use super::source::{CompressionArgument, TopicArgument, chain, layout};
use crate::message_type::MessageType;
use crate::options::{MaxBytesArgument, MaxDepthArgument, OnErrorArgument, ThreadsArgument, limits};
use crate::table::Table;

#[pymethods]
impl MessageType {
    /// Decode all messages of files or streams.
    ///
    /// Parameters
    /// ----------
    /// source : path, URL, file object, Partition, or list of these
    ///     Where the messages are: a path, which may have wildcards, as in ``"logs/*.pb.zst"``; a file object opened in binary
    ///     mode, which is read from where it stands; an URL, as in ``"s3://bucket/ticks.pb"``, for which ``fsspec`` has to be
    ///     installed. Those of a list follow one another.
    /// framing : str
    ///     How messages are set off from one another: ``"delimited"`` by their lengths as varints; ``"tfrecord"`` as the
    ///     records of TensorFlow, with checksums; ``"u32be"``, ``"u32le"``, ``"u64be"``, ``"u64le"`` by their lengths as four or
    ///     eight bytes, big-endian or little-endian; ``"grpc"`` as gRPC has them on the wire; ``"single"`` not at all: each
    ///     source is one message; ``"mcap"`` as MCAP files hold them, beside messages of other types. May be left out where the
    ///     source says it: partitions do, and files whose names end with ``.mcap``.
    /// topic : str or list of str, optional
    ///     Of MCAP files, only messages of these topics; of all where it is left out. They come in the order of the file, which
    ///     is not always that of time: :attr:`Table.mcap` has the times.
    /// compression : str or None, default "infer"
    ///     ``"gzip"``, ``"zstd"``, ``"lz4"`` or ``None`` for none; ``"infer"`` looks at the first bytes.
    /// verify : bool, default True
    ///     Whether checksums of the messages are looked at; those of lengths always are.
    /// on_error : {"raise", "skip"}, default "raise"
    ///     ``"skip"`` leaves bad messages out, and lists them in :attr:`Table.errors`. Where the rest of a stream cannot be
    ///     read, because its frames are broken or it was cut short, the last of the errors says so.
    /// keep_unknown : bool, default False
    ///     As for :meth:`decode_many`.
    /// threads : int or None, default None
    ///     How many threads may decode, ``None`` for as many as there are cores. One of them at a time reads and decompresses.
    /// progress : bool or callable, default False
    ///     ``True`` shows a bar of the bytes read, for which ``tqdm`` has to be installed. A callable gets the bytes read and
    ///     how many there are, ``None`` where that is not known; every now and then, and at the end.
    /// filesystem : object, optional
    ///     Where paths lead: a file system of ``fsspec`` or a store of ``obstore``.
    /// well_known_types : bool, default True
    ///     As for :meth:`decode`.
    /// max_bytes, max_depth : int
    ///     As for :meth:`decode`. A message that is longer than a few blocks of the stream counts as well.
    /// mmap : bool, default True
    ///     Whether files that are not compressed are mapped. A mapped file that is cut short meanwhile ends the process.
    ///
    /// Returns
    /// -------
    /// Table
    ///     A row for each message.
    ///
    /// Raises
    /// ------
    /// DecodeError
    ///     If a message or a frame is bad; ``file``, ``row``, ``offset`` and ``path`` say which. Offsets count from the start
    ///     of the stream, as it is when it is decompressed.
    /// FileNotFoundError, OSError
    ///     If a file is not there, no file matches, or one cannot be read.
    /// MemoryError
    ///     If the system has not enough memory.
    /// ValueError, TypeError
    ///     If an argument is none of these, or `framing` is needed.
    ///
    /// Notes
    /// -----
    /// The GIL is released. Of MCAP files, an error in a compressed chunk has the offset of the chunk, and a chunk that is
    /// damaged counts as one bad message.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; }')
    /// >>> schema["Tick"].read(io.BytesIO(b"\x02\x08\x05\x00\x02\x08\x07"), framing="delimited")["price"]
    /// array([5, 0, 7])
    #[pyo3(
        signature = (
            source, *, framing = None, topic = None, compression = CompressionArgument::INFER, verify = true,
            on_error = OnErrorArgument::RAISE, keep_unknown = false, threads = ThreadsArgument::ALL, progress = None,
            filesystem = None, well_known_types = true, max_bytes = MaxBytesArgument::NONE,
            max_depth = MaxDepthArgument::DEFAULT, mmap = true
        ),
        text_signature = "($self, source, *, framing=None, topic=None, compression='infer', verify=True, \
            on_error='raise', keep_unknown=False, threads=None, progress=False, filesystem=None, well_known_types=True, \
            max_bytes=None, max_depth=100, mmap=True)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are those that the docstring lists")]
    fn read<'py>(
        &self,
        source: &Bound<'py, PyAny>,
        framing: Option<&str>,
        topic: Option<TopicArgument>,
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
        mmap: bool,
    ) -> PyResult<Table> {
        let layout = layout(self, source, framing, topic, verify)?;
        let sourced = chain(source, filesystem, layout, compression, mmap, 0)?;
        let options = options(on_error, keep_unknown, &threads, limits(&max_bytes, &max_depth));
        let plan = self.plan().showing(well_known_types);
        let scan = Scan::start(source.py(), &plan, sourced, Wanted::ALL, options, progress)?;
        match scan.next(source.py())? {
            Some(table) => scan.stop(source.py()).map_or(Ok(table), Err),
            None => scan.no_rows(),
        }
    }
}

//! Columns as arrays of NumPy's and of Awkward's; the modules that make them are written in Python.

use pyo3::prelude::*;

use crate::ragged::Ragged;
use crate::strings::Strings;
use crate::table::Table;
use crate::values;

#[pymethods]
impl Ragged {
    /// Return the values in an array of two dimensions, a row for each entry, filled up behind its values.
    ///
    /// Parameters
    /// ----------
    /// fill : number or str, optional
    ///     What stands where an entry has no more values. By default zero, of strings the empty one, of times ``NaT``.
    /// width : int, optional
    ///     How many values each row has room for. By default as many as the longest entry has.
    ///
    /// Returns
    /// -------
    /// array, shape (entries, width)
    ///     Of the values' own dtype; of text ``StringDType``, of bytes ``object``. It is the caller's own, and writable.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If an entry has more than `width` values, or `fill` does not fit the dtype.
    /// TypeError
    ///     If the values are messages, or are themselves repeated. ``ragged["name"]`` is a field of the messages, and
    ///     :meth:`to_awkward` keeps everything.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Series { repeated int32 steps = 1; }')
    /// >>> table = wa.Table.of(schema["Series"], steps=[[1, 2, 3], [], [4]])
    /// >>> table["steps"].to_padded(-1)
    /// array([[ 1,  2,  3],
    ///        [-1, -1, -1],
    ///        [ 4, -1, -1]], dtype=int32)
    #[pyo3(signature = (fill = None, width = None))]
    fn to_padded<'py>(
        slf: &Bound<'py, Self>,
        fill: Option<Bound<'py, PyAny>>,
        width: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_numpy", "padded", (slf, fill, width))
    }

    /// Return the entries as an array of the package Awkward Array.
    ///
    /// Returns
    /// -------
    /// awkward.Array
    ///     Lists of numbers, strings, or records, over the same memory. What the schema tells absent from default is an option,
    ///     ``None`` where it is absent.
    ///
    /// Raises
    /// ------
    /// ImportError
    ///     If the package is not installed: ``pip install awkward``.
    fn to_awkward<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_awkward", "array", (slf,))
    }

    /// What ``numpy.asarray`` gives: an array of two dimensions, where all entries are equally long.
    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_numpy", "array_of_ragged", (slf, dtype, copy))
    }
}

#[pymethods]
impl Strings {
    /// Return the strings in an array.
    ///
    /// Returns
    /// -------
    /// array, shape (strings,)
    ///     Of NumPy's variable-width ``StringDType``, of bytes ``object``.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If one of them is not UTF-8, which ``StringDType`` cannot hold: ``numpy.asarray(strings, object)`` can.
    pub(crate) fn to_numpy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_numpy", "array_of_strings", (slf, slf.py().None(), slf.py().None()))
    }

    /// Whether they are text: bool.
    fn _is_text(&self) -> bool {
        self.is_text()
    }

    /// What ``numpy.asarray`` gives: the strings as :meth:`to_numpy` has them.
    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_numpy", "array_of_strings", (slf, dtype, copy))
    }
}

#[pymethods]
impl Table {
    /// Return the rows in a structured array: a field of it for each column.
    ///
    /// Returns
    /// -------
    /// array, shape (rows,)
    ///     Numbers have their own dtype, strings and bytes are objects. It is a copy; absent values are defaults.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If a column is repeated, or of messages. The message names the first such; :meth:`MessageType.select` leaves columns
    ///     out, and ``table["name"]`` is that of a message alone.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Point { int32 x = 1; float y = 2; }')
    /// >>> wa.Table.of(schema["Point"], x=[1, 2], y=[0.5, 1.5]).to_structured()
    /// array([(1, 0.5), (2, 1.5)], dtype=[('x', '<i4'), ('y', '<f4')])
    fn to_structured<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_numpy", "structured", (slf,))
    }

    /// Return the rows as an array of records of the package Awkward Array.
    ///
    /// Returns
    /// -------
    /// awkward.Array
    ///     As for :meth:`Ragged.to_awkward`. Messages of a type within itself end where no row has one.
    ///
    /// Raises
    /// ------
    /// ImportError
    ///     If the package is not installed: ``pip install awkward``.
    fn to_awkward<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_awkward", "array", (slf,))
    }

    /// What ``numpy.asarray`` gives: the rows as :meth:`to_structured` has them.
    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_numpy", "array_of_table", (slf, dtype, copy))
    }
}

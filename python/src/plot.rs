//! Plots; the module that draws them is written in Python.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::record::Record;
use crate::table::Table;
use crate::values;

#[pymethods]
impl Table {
    /// Plot columns with Matplotlib, a panel for each.
    ///
    /// Parameters
    /// ----------
    /// *names : str
    ///     Columns of numbers, bools, enums or times, or paths to them. By default the first 12 that have values. Of a repeated
    ///     field each row is a line where there are up to eight rows; of more rows the mean is drawn, within the band from
    ///     the least to the greatest value.
    /// x : str, optional
    ///     The column to plot against, of times too. By default the number of the row.
    /// axes : matplotlib.axes.Axes, or a sequence of them, optional
    ///     What to draw in: one for each column, or one for all. By default a new figure.
    ///
    /// Returns
    /// -------
    /// array of matplotlib.axes.Axes, shape (names,)
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no column of a name.
    /// TypeError
    ///     If a column holds no numbers.
    /// ValueError
    ///     If there is nothing to plot, or another number of axes than of columns.
    /// ImportError
    ///     If Matplotlib is not installed: ``pip install matplotlib``.
    ///
    /// Notes
    /// -----
    /// Long columns are drawn by the first, least, greatest and last value of each pixel, which looks the same. Absent values
    /// are gaps.
    #[pyo3(signature = (*names, x = None, axes = None))]
    fn plot<'py>(
        slf: &Bound<'py, Self>,
        names: &Bound<'py, PyTuple>,
        x: Option<Bound<'py, PyAny>>,
        axes: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_plot", "table", (slf, names, x, axes))
    }
}

#[pymethods]
impl Record {
    /// Plot repeated fields with Matplotlib, a panel for each.
    ///
    /// Parameters
    /// ----------
    /// *names : str
    ///     Repeated fields of numbers, bools, enums or times, or paths to them, as in ``"points.x"``. By default the first 12
    ///     that have values.
    /// x : str, optional
    ///     The repeated field to plot against, of times too. By default the number of the value.
    /// axes : matplotlib.axes.Axes, or a sequence of them, optional
    ///     As for :meth:`Table.plot`.
    ///
    /// Returns
    /// -------
    /// array of matplotlib.axes.Axes, shape (names,)
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no field of a name.
    /// TypeError
    ///     If a field is not repeated, or holds no numbers.
    /// ValueError
    ///     If a field has another number of values than `x`, or as for :meth:`Table.plot`.
    /// ImportError
    ///     As for :meth:`Table.plot`.
    #[pyo3(signature = (*names, x = None, axes = None))]
    fn plot<'py>(
        slf: &Bound<'py, Self>,
        names: &Bound<'py, PyTuple>,
        x: Option<Bound<'py, PyAny>>,
        axes: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        values::in_python(slf.py(), "_plot", "record", (slf, names, x, axes))
    }
}

//! Rows of messages, column by column.

use std::ops::Range;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use wirearray::column::{self, Data, Dtype, StringColumn};
use wirearray::plan::Plan;
use wirearray::stream::Stamps;

use crate::array;
use crate::entries::Entries;
use crate::errors::{self, LeftOut};
use crate::intake::Intake;
use crate::key::{self, Rows};
use crate::mcap;
use crate::message_type::MessageType;
use crate::strings::Strings;
use crate::values::{self, IntoBoundPyAny, column_object, entry_object};

/// Messages of one type, column by column: one row a message.
///
/// ``table["name"]`` is a column, of as many entries as there are rows:
///
/// - of a number, bool or enum an array;
/// - of a string or bytes :class:`Strings`;
/// - of a message a :class:`Table`, with ``present`` rows and absent ones;
/// - of a ``google.protobuf.Timestamp`` or ``Duration`` an array of ``datetime64[ns]`` or ``timedelta64[ns]``, ``NaT`` where it
///   is absent, and of a wrapper as ``DoubleValue`` what it wraps (``well_known_types=False`` leaves them messages);
/// - of anything repeated, maps too, :class:`Ragged`; a map's values are a table of ``key`` and ``value``.
///
/// ``table["a.b"]`` is the column ``b`` within the messages of column ``a``, ``table["a", "b"]`` a tuple of columns, and
/// ``table.a`` the same as ``table["a"]`` where that is not a name of the table's own. ``table[5]`` is a :class:`Record`,
/// ``table[2:5]``, ``table[mask]`` and ``table[[1, 4]]`` are tables; a slice is not copied.
///
/// Rows without a value hold the field's default. Changing an array changes the table's values; the next look at the same
/// column shows them. Arrays that a caller gave are shown read-only; changing them there changes the table as well. Times are
/// read-only too, because they are made of seconds and nanoseconds once, when they are first asked for; so are these,
/// ``table["time.seconds"]``. :meth:`of` makes a table with other times.
#[pyclass(frozen, module = "wirearray")]
pub(crate) struct Table {
    plan: Arc<Plan>,
    table: Arc<column::Table>,
    rows: Range<usize>,
    errors: LeftOut,
    /// What MCAP files say of the rows of the whole table.
    stamps: Option<Arc<Stamps>>,
}

impl Table {
    pub(crate) fn new(plan: Arc<Plan>, table: Arc<column::Table>, rows: Range<usize>) -> Self {
        Self { plan, table, rows, errors: LeftOut::default(), stamps: None }
    }

    /// All rows of a table.
    pub(crate) fn of_rows(plan: Arc<Plan>, table: column::Table) -> Self {
        let rows = 0..table.rows();
        Self::new(plan, Arc::new(table), rows)
    }

    /// The same with the errors of the messages that were left out.
    pub(crate) fn with_errors(self, errors: LeftOut) -> Self {
        Self { errors, ..self }
    }

    /// The same with what MCAP files say of its rows.
    pub(crate) fn with_stamps(self, stamps: Option<Stamps>) -> Self {
        Self { stamps: stamps.map(Arc::new), ..self }
    }

    /// What MCAP files say of its rows.
    pub(crate) fn stamps(&self) -> Option<Stamps> {
        self.stamps.as_ref().map(|stamps| stamps.slice(self.rows.clone()))
    }

    /// The errors of the messages that were left out.
    pub(crate) fn left_out(&self) -> &LeftOut {
        &self.errors
    }

    /// True where there is neither a row nor an error.
    pub(crate) fn is_void(&self) -> bool {
        self.rows.is_empty() && self.errors.is_empty()
    }

    /// The plan, the table and the rows of it that it shows.
    pub(crate) fn parts(&self) -> (&Arc<Plan>, &Arc<column::Table>, Range<usize>) {
        (&self.plan, &self.table, self.rows.clone())
    }

    fn column<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyAny>> {
        errors::with_memory(|| {
            let data = values::follow(py, &self.data(), || self.plan.follow(&self.table, path))?;
            column_object(py, &self.plan, &data, self.rows.clone())
        })
    }

    /// Strings of the rows as an array.
    fn array_of<'py>(&self, py: Python<'py>, strings: StringColumn) -> PyResult<Bound<'py, PyAny>> {
        Strings::to_numpy(&Bound::new(py, Strings::new(self.plan.clone(), strings, 0..self.rows.len()))?)
    }

    fn dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        values::check_depth(&self.table)?;
        let dict = PyDict::new(py);
        for (index, name) in self.plan.column_names(self.table.number()).enumerate() {
            let value = match self.table.column_if_made(index).map(|column| &column.data) {
                Some(data @ Data::Table(inner)) if inner.validity().is_set_in(self.rows.clone()) => {
                    let shown = column_object(py, &self.plan, data, self.rows.clone())?;
                    match shown.cast::<Self>() {
                        Ok(inner) => inner.get().dict(py)?.into_any(),
                        Err(_) => shown,
                    }
                }
                Some(Data::Table(_)) => py.None().into_bound(py),
                None if self.plan.column_is_singular_message(self.table.number(), index) => py.None().into_bound(py),
                _ => column_object(py, &self.plan, &self.table.column(index).data, self.rows.clone())?,
            };
            dict.set_item(PyString::intern(py, name), value)?;
        }
        Ok(dict)
    }

    fn data(&self) -> Data {
        Data::Table(self.table.clone())
    }

    /// A row, or a table of some rows.
    fn some_rows<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match key::rows(key, &self.rows)? {
            Rows::One(row) => entry_object(py, &self.plan, &self.data(), row),
            Rows::Range(rows) => {
                let stamps = self.stamps.clone();
                Self { stamps, ..Self::new(self.plan.clone(), self.table.clone(), rows) }.into_bound_py_any(py)
            }
            Rows::List(rows) => {
                let table = Arc::new(self.table.take(&rows));
                let stamps = self.stamps.as_ref().map(|stamps| stamps.take(&rows));
                Self::new(self.plan.clone(), table, 0..rows.len()).with_stamps(stamps).into_bound_py_any(py)
            }
        }
    }
}

#[pymethods]
impl Table {
    /// Make a table of columns.
    ///
    /// Parameters
    /// ----------
    /// message_type : MessageType
    ///     The type of the messages.
    /// columns : Table, mapping of str to column, or list of messages, optional
    ///     As for :meth:`MessageType.encode_many`.
    /// **fields : column
    ///     The same, by name. Beside a table they take the place of its columns; all else of it stays, also what is absent and
    ///     what the schema does not know. A member of a oneof takes the place of all members.
    ///
    /// Returns
    /// -------
    /// Table
    ///     Arrays of the field's own dtype are shown, read-only, and not copied.
    ///
    /// Raises
    /// ------
    /// ValueError, TypeError
    ///     As for :meth:`MessageType.encode_many`.
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np
    /// >>> import wirearray as wa
    /// >>> schema = wa.Schema.from_source('syntax = "proto3"; message Series { repeated double times = 1; }')
    /// >>> wa.Table.of(schema["Series"], times=(np.array([0.5, 1.5, 2.5]), [0, 1, 3]))
    /// Table Series, 2 rows
    ///   times  2 x float64[3] (1-2 each)
    #[staticmethod]
    #[pyo3(signature = (message_type, columns = None, /, **fields))]
    fn of<'py>(
        py: Python<'py>,
        message_type: &MessageType,
        columns: Option<&Bound<'py, PyAny>>,
        fields: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Self> {
        let stamps = columns.and_then(|columns| columns.cast::<Self>().ok()?.get().stamps());
        let given = match (columns, fields) {
            (Some(columns), None) => columns.clone(),
            (None, fields) => fields.cloned().unwrap_or_else(|| PyDict::new(py)).into_any(),
            (Some(table), Some(fields)) if table.is_instance_of::<Self>() => {
                let table = errors::with_memory(|| Intake::changed(py, message_type.plan(), table, fields))?;
                let rows = 0..table.rows();
                return Ok(Self::new(message_type.plan().clone(), table, rows).with_stamps(stamps));
            }
            (Some(_), Some(_)) => {
                return Err(PyTypeError::new_err("columns: pass them in a mapping or by name, not both"));
            }
        };
        let plan = message_type.plan();
        let (table, rows) = errors::with_memory(|| Intake::messages(py, plan, &given))?;
        Ok(Self::new(plan.clone(), table, rows))
    }

    /// The type of the messages, with the fields that were decoded: MessageType.
    #[getter]
    fn message_type(&self) -> MessageType {
        MessageType::of_table(&self.plan, self.table.number())
    }

    /// The fields of each row that the schema does not know, as they were written: Strings of bytes, empty where none came,
    /// or where they were not kept. ``decode_many(data, keep_unknown=True)`` keeps them, of each table within the table too.
    #[getter]
    fn unknown_fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let none = || (StringColumn::of_empty_bytes(self.rows.len()), 0..self.rows.len());
        errors::with_memory(|| {
            let (unknown, rows) = self.table.unknown().map_or_else(none, |found| (found.clone(), self.rows.clone()));
            column_object(py, &self.plan, &Data::Strings(unknown), rows)
        })
    }

    /// The errors of the messages that were left out: list of DecodeError, each with the ``row`` that its message would have
    /// had, counted from the start of the stream. ``on_error="skip"`` leaves bad messages out; rows that are chosen of a
    /// table come without errors.
    #[getter]
    fn errors<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyAny>> {
        self.errors.objects(py)
    }

    /// What MCAP files say of each row beside the message: dict of str to array, shape (rows,), or None for other sources.
    /// ``log_time`` and ``publish_time`` are ``datetime64[ns]``, ``sequence`` is ``uint32``, ``topic`` a ``StringDType``.
    /// Rows that are chosen of a table bring theirs: ``table[np.argsort(table.mcap["log_time"], kind="stable")]``.
    #[getter]
    fn mcap<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.stamps.as_ref().map(|stamps| mcap::columns(py, stamps, self.rows.clone())).transpose()
    }

    fn __len__(&self) -> usize {
        self.rows.len()
    }

    fn __iter__(&self) -> Entries {
        Entries::new(self.plan.clone(), self.data(), self.rows.clone())
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>().is_ok_and(|name| self.plan.column_index(self.table.number(), &name).is_some())
    }

    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        self.column(py, name).map_err(|error| values::attribute_error(py, error))
    }

    fn __dir__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::dir(slf.as_any(), &slf.get().keys())
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match values::get_named(key, |path| self.column(py, path))? {
            Some(found) => Ok(found),
            None => errors::with_memory(|| self.some_rows(py, key)),
        }
    }

    /// The names of the columns: list of str.
    fn keys(&self) -> Vec<String> {
        self.plan.column_names(self.table.number()).map(str::to_owned).collect()
    }

    fn _ipython_key_completions_(&self) -> Vec<String> {
        self.keys()
    }

    /// Return which rows have a value of their own for a field.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The field's name, or a path of names joined by dots.
    ///
    /// Returns
    /// -------
    /// array of bool, shape (rows,)
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no such field.
    /// ValueError
    ///     If the schema does not tell absent from default for it, or it is repeated.
    fn present<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let flags = || Ok(self.plan.presence(&self.table, name)?.flags(self.rows.clone()));
        array::fresh(py, &errors::asked(|| py.detach(flags))?, Dtype::Bool)
    }

    /// Return which field of a oneof each row has set.
    ///
    /// Parameters
    /// ----------
    /// oneof : str
    ///     The oneof's name.
    ///
    /// Returns
    /// -------
    /// array of int32, shape (rows,), read-only
    ///     The number of the field that is set, 0 where none is.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no such oneof.
    fn which<'py>(&self, py: Python<'py>, oneof: &str) -> PyResult<Bound<'py, PyAny>> {
        array::read_only_numbers(py, &errors::asked(|| self.plan.which(&self.table, oneof))?, self.rows.clone())
    }

    /// Return the name of the member of a oneof that each row has set.
    ///
    /// Parameters
    /// ----------
    /// oneof : str
    ///     The oneof's name.
    ///
    /// Returns
    /// -------
    /// array of StringDType, shape (rows,)
    ///     The name of the field that is set, also of one that is not selected; ``""`` where none is.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no such oneof.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> text = 'syntax = "proto3"; message Event { oneof payload { string text = 1; int32 code = 2; } }'
    /// >>> Event = wa.Schema.from_source(text)["Event"]
    /// >>> table = Event.decode_many([b"\x0a\x02hi", b"\x10\x07", b""])
    /// >>> table.chosen("payload").tolist()
    /// ['text', 'code', '']
    /// >>> table["code"][table.chosen("payload") == "code"]
    /// array([7], dtype=int32)
    fn chosen<'py>(&self, py: Python<'py>, oneof: &str) -> PyResult<Bound<'py, PyAny>> {
        self.array_of(py, errors::asked(|| self.plan.chosen(&self.table, oneof, self.rows.clone()))?)
    }

    /// Return the names of an enum's numbers.
    ///
    /// Parameters
    /// ----------
    /// name : str
    ///     The field's name, or a path of names joined by dots.
    ///
    /// Returns
    /// -------
    /// array of StringDType, shape (rows,), or Ragged of Strings
    ///     An entry for each row; of a repeated field ragged. A number without a name has its digits, as in ProtoJSON; of
    ///     several names of one number the first is taken. Rows without a value have the default's.
    ///
    /// Raises
    /// ------
    /// KeyError
    ///     If there is no such field.
    /// ValueError
    ///     If it is not of an enum.
    ///
    /// Examples
    /// --------
    /// >>> import wirearray as wa
    /// >>> text = 'syntax = "proto3"; enum Side { BUY = 0; SELL = 1; } message Order { Side side = 1; }'
    /// >>> table = wa.Schema.from_source(text)["Order"].decode_many([b"\x08\x01", b"", b"\x08\x07"])
    /// >>> table.enum_names("side").tolist()
    /// ['SELL', 'BUY', '7']
    fn enum_names<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match errors::asked(|| py.detach(|| self.plan.enum_names(&self.table, name, self.rows.clone())))? {
            Data::Strings(names) => self.array_of(py, names),
            names => column_object(py, &self.plan, &names, 0..self.rows.len()),
        }
    }

    /// Return the columns in a dict.
    ///
    /// Returns
    /// -------
    /// dict of str to array, Strings, Ragged, dict or None
    ///     Messages become dicts of their columns, ``None`` where no row has the message. Which rows have a value is not in
    ///     them: to write messages again, pass the table itself, or :meth:`of` with what is to change.
    ///
    /// Raises
    /// ------
    /// RecursionError
    ///     If messages are nested deeper than 100 levels.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        errors::with_memory(|| self.dict(py))
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::repr(slf.as_any(), "table")
    }
}

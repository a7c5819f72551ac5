//! Messages: records and tables as they are, dicts of values, dicts of columns, lists of messages.

use std::ops::Range;
use std::sync::Arc;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use wirearray::column::{self, Buffer, Column, Data, Validity};
use wirearray::wire::DEPTH_LIMIT;

use super::{Given, Intake};
use crate::record::Record;
use crate::table::Table;

impl<'py> Intake<'py> {
    /// The table and row behind a record, where its columns are those of this plan.
    pub(super) fn own_record(
        &self,
        number: usize,
        message: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(Arc<column::Table>, usize)>> {
        let Ok(record) = message.cast::<Record>() else { return Ok(None) };
        let (plan, table, row) = record.get().parts();
        if Arc::ptr_eq(plan.layout(), self.plan.layout()) && table.number() == number {
            return Ok(Some((table.clone(), row)));
        }
        let slice = Arc::new(table.slice(row..row + 1));
        Ok(Some((self.adopt(number, plan, &slice)?, 0)))
    }

    /// The table and rows behind a table, where its columns are those of this plan.
    pub(super) fn own_table(
        &self,
        number: usize,
        messages: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(Arc<column::Table>, Range<usize>)>> {
        let Ok(table) = messages.cast::<Table>() else { return Ok(None) };
        let (plan, table, rows) = table.get().parts();
        Ok(Some((self.adopt(number, plan, table)?, rows)))
    }

    fn adopt(
        &self,
        number: usize,
        from: &Arc<wirearray::plan::Plan>,
        table: &Arc<column::Table>,
    ) -> PyResult<Arc<column::Table>> {
        self.plan.adopt(number, from, table).map_err(|error| self.value_error(error))
    }

    /// One message, as a table of one row.
    pub(super) fn one_message(&mut self, number: usize, message: &Bound<'py, PyAny>) -> PyResult<Arc<column::Table>> {
        if let Some((table, row)) = self.own_record(number, message)? {
            return Ok(if table.rows() == 1 { table } else { Arc::new(table.slice(row..row + 1)) });
        }
        if !self.is_mapping(message)? {
            if let Some(table) = self.well_known(number, Given::Entries(vec![Some(message.clone())]))? {
                return Ok(table);
            }
            return Err(self.no_message(number, message));
        }
        let entries = |value: Bound<'py, PyAny>| Given::Entries(vec![Some(value).filter(|value| !value.is_none())]);
        let columns = self.fields_of(number, &self.as_dict(message)?, entries)?;
        self.assemble(number, 1, Validity::All, columns)
    }

    #[cold]
    fn no_message(&self, number: usize, found: &Bound<'py, PyAny>) -> PyErr {
        let expected = match self.plan.message_name(number) {
            "google.protobuf.Timestamp" => "a datetime64, a datetime, or a dict of seconds and nanos",
            "google.protobuf.Duration" => "a timedelta64, a timedelta, or a dict of seconds and nanos",
            _ if found.hasattr("SerializeToString").unwrap_or(false) => {
                "a message: a dict or a Record; from_protobuf makes one of a message of the official package"
            }
            _ => "a message: a dict or a Record",
        };
        self.type_error(expected, found)
    }

    /// Many messages, which lie in one object: of as many rows as it has.
    pub(super) fn table(&mut self, number: usize, messages: &Bound<'py, PyAny>) -> PyResult<Arc<column::Table>> {
        if let Some((table, rows)) = self.own_table(number, messages)? {
            return Ok(if rows == (0..table.rows()) { table } else { Arc::new(table.slice(rows)) });
        }
        if let Some(column) = self.arrow(messages)? {
            return self.arrow_messages(number, column);
        }
        if let Some(columns) = self.as_columns(messages)? {
            let columns = self.fields_of(number, &columns, Given::Column)?;
            let rows = self.common_len(number, &columns)?;
            return self.assemble(number, rows, Validity::All, columns);
        }
        if let Some(entries) = Self::items(messages) {
            return self.message_entries(number, &entries);
        }
        if let Some(table) = self.well_known(number, Given::Column(messages.clone()))? {
            return Ok(table);
        }
        const EXPECTED: &str = "messages: a Table, a dict of columns, or a list of dicts or Records";
        // Of an array of numbers no element is a message, and each would become an object before that is said.
        let is_of_numbers =
            messages.cast::<PyUntypedArray>().is_ok_and(|array| !array.dtype().has_object() && !array.is_empty());
        if is_of_numbers || messages.is_instance_of::<PyString>() || messages.is_instance_of::<Record>() {
            return Err(self.type_error(EXPECTED, messages));
        }
        let Ok(items) = messages.try_iter() else { return Err(self.type_error(EXPECTED, messages)) };
        let entries = items.map(|item| item.map(|item| Some(item).filter(|item| !item.is_none())));
        let entries = entries.collect::<PyResult<Vec<_>>>()?;
        self.message_entries(number, &entries)
    }

    /// The rows of a table, with other columns of the fields that a dict names.
    pub(super) fn changed_table(
        &mut self,
        table: &Arc<column::Table>,
        fields: &Bound<'py, PyDict>,
    ) -> PyResult<Arc<column::Table>> {
        let columns = self.fields_of(table.number(), fields, Given::Column)?;
        let other = columns.iter().flatten().find(|column| column.data.len() != table.rows());
        if let Some(other) = other {
            let (found, rows) = (other.data.len(), table.rows());
            return Err(self.value_error(format!("a column has {found} entries, and the table {rows} rows")));
        }
        let is_given = |index: usize| fields.contains(self.plan.column_name(table.number(), index)).unwrap_or(false);
        let columns = columns.into_iter().enumerate().filter(|&(index, _)| is_given(index)).collect();
        self.plan.replace(table, columns).map(Arc::new).map_err(|error| self.value_error(error))
    }

    /// Messages that are objects of their own, each for a row.
    pub(super) fn message_entries(
        &mut self,
        number: usize,
        entries: &[Option<Bound<'py, PyAny>>],
    ) -> PyResult<Arc<column::Table>> {
        if let [Some(message)] = entries {
            self.place.set_row(0);
            let table = self.one_message(number, message)?;
            self.place.set_row(None);
            return Ok(table);
        }
        let is_dict = |entry: &Bound<'py, PyAny>| entry.is_instance_of::<PyDict>();
        if !entries.iter().flatten().all(is_dict) {
            if let Some(table) = self.well_known_entries(number, entries)? {
                return Ok(table);
            }
            return self.joined_messages(number, entries);
        }
        let mut columns: Vec<Option<Vec<Option<Bound<'py, PyAny>>>>> = Vec::new();
        columns.resize_with(self.plan.message(number).fields.len(), || None);
        for (row, entry) in entries.iter().enumerate() {
            let Some(entry) = entry else { continue };
            for (name, value) in entry.cast::<PyDict>()? {
                let Some(index) = self.column_index(number, &name) else {
                    self.place.set_row(row);
                    return Err(self.no_field(number, &name));
                };
                let column = columns[index].get_or_insert_with(|| vec![None; entries.len()]);
                column[row] = Some(value).filter(|value| !value.is_none());
            }
        }
        let flags = |entry: &Option<Bound<'py, PyAny>>| u8::from(entry.is_some());
        let validity = if entries.iter().all(Option::is_some) {
            Validity::All
        } else {
            Validity::Flags(entries.iter().map(flags).collect::<Buffer<u8>>().freeze())
        };
        self.go_deeper()?;
        let mut taken = Vec::with_capacity(columns.len());
        for (index, values) in columns.into_iter().enumerate() {
            let Some(values) = values else {
                taken.push(None);
                continue;
            };
            let name = self.plan.column_name(number, index).to_owned();
            self.place.enter(&name);
            taken.push(self.field(number, index, Given::Entries(values))?);
            self.place.leave();
        }
        self.depth -= 1;
        self.assemble(number, entries.len(), validity, taken)
    }

    /// Messages of which some are records: each becomes a table, and all of them one.
    fn joined_messages(
        &mut self,
        number: usize,
        entries: &[Option<Bound<'py, PyAny>>],
    ) -> PyResult<Arc<column::Table>> {
        let mut parts = Vec::with_capacity(entries.len());
        for (row, entry) in entries.iter().enumerate() {
            self.place.set_row(row);
            let before = self.place.enter_message();
            let part = match entry {
                Some(entry) => self.one_message(number, entry)?,
                None => {
                    let columns = vec![None; self.plan.message(number).fields.len()];
                    self.assemble(number, 1, Validity::Nothing, columns)?
                }
            };
            self.place.leave_rows(before);
            parts.push(Data::Table(part));
        }
        self.place.set_row(None);
        match Data::join(&parts) {
            Some(Data::Table(table)) => Ok(table),
            _ => self.assemble(number, 0, Validity::All, vec![None; self.plan.message(number).fields.len()]),
        }
    }

    /// The columns of the fields that a dict names, each in its place.
    pub(super) fn fields_of(
        &mut self,
        number: usize,
        fields: &Bound<'py, PyDict>,
        given: impl Fn(Bound<'py, PyAny>) -> Given<'py>,
    ) -> PyResult<Vec<Option<Column>>> {
        self.go_deeper()?;
        let mut columns = vec![None; self.plan.message(number).fields.len()];
        // A list of its own: converting a value can run anyone's code, and that can change the dict.
        for (name, value) in fields.iter().collect::<Vec<_>>() {
            let Some(index) = self.column_index(number, &name) else { return Err(self.no_field(number, &name)) };
            let name = self.plan.column_name(number, index).to_owned();
            self.place.enter(&name);
            columns[index] = if value.is_none() { None } else { self.field(number, index, given(value))? };
            self.place.leave();
        }
        self.depth -= 1;
        Ok(columns)
    }

    pub(super) fn go_deeper(&mut self) -> PyResult<()> {
        if self.depth > DEPTH_LIMIT {
            let problem = format!("messages are nested deeper than {DEPTH_LIMIT} levels, where protobuf parsers stop");
            return Err(self.value_error(problem));
        }
        self.depth += 1;
        Ok(())
    }

    /// The place of the field of that name; nothing where there is none.
    fn column_index(&self, number: usize, name: &Bound<'py, PyAny>) -> Option<usize> {
        self.plan.column_index(number, name.cast::<PyString>().ok()?.to_str().ok()?)
    }

    #[cold]
    fn no_field(&self, number: usize, name: &Bound<'py, PyAny>) -> PyErr {
        match name.cast::<PyString>() {
            Ok(name) => self.value_error(self.plan.no_field(number, &name.to_string_lossy())),
            Err(_) => self.type_error("names of fields as keys", name),
        }
    }

    /// How many rows all columns have.
    pub(super) fn common_len(&self, number: usize, columns: &[Option<Column>]) -> PyResult<usize> {
        let mut lens =
            columns.iter().enumerate().filter_map(|(index, column)| Some((index, column.as_ref()?.data.len())));
        let Some((first, rows)) = lens.next() else { return Ok(0) };
        match lens.find(|&(_, len)| len != rows) {
            Some((other, len)) => {
                let [first, other] = [first, other].map(|index| self.plan.column_name(number, index));
                let problem =
                    format!("{first} has {rows:?} rows and {other} has {len:?}; every column needs an entry a row");
                Err(self.value_error(problem))
            }
            None => Ok(rows),
        }
    }

    pub(super) fn assemble(
        &self,
        number: usize,
        rows: usize,
        validity: Validity,
        columns: Vec<Option<Column>>,
    ) -> PyResult<Arc<column::Table>> {
        self.plan.assemble(number, rows, validity, columns).map(Arc::new).map_err(|error| self.value_error(error))
    }

    /// True for dicts and other mappings, but not for tables and records.
    pub(super) fn is_mapping(&self, object: &Bound<'py, PyAny>) -> PyResult<bool> {
        if object.is_instance_of::<PyDict>() {
            return Ok(true);
        }
        if object.is_instance_of::<Table>() || object.is_instance_of::<Record>() || !object.hasattr("keys")? {
            return Ok(false);
        }
        // A Series of pandas has keys, and is a column all the same.
        Ok(!object.getattr("ndim").is_ok_and(|ndim| ndim.eq(1).unwrap_or(false)))
    }

    pub(super) fn as_dict(&self, mapping: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        if let Ok(dict) = mapping.cast::<PyDict>() {
            return Ok(dict.clone());
        }
        let dict = PyDict::new(self.py);
        for key in mapping.call_method0("keys")?.try_iter()? {
            let key = key?;
            dict.set_item(&key, mapping.get_item(&key)?)?;
        }
        Ok(dict)
    }

    /// The columns of a mapping, as a frame of pandas is one, or of a structured array.
    fn as_columns(&self, messages: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
        if self.is_mapping(messages)? {
            return self.as_dict(messages).map(Some);
        }
        let names = match messages.cast::<PyUntypedArray>() {
            Ok(array) if array.dtype().has_fields() => array.dtype().getattr("names")?,
            _ => return Ok(None),
        };
        let columns = PyDict::new(self.py);
        for name in names.try_iter()? {
            let name = name?;
            columns.set_item(&name, messages.get_item(&name)?)?;
        }
        Ok(Some(columns))
    }
}

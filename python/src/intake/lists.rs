//! Repeated fields: values with offsets, rows of equal length, or an object for each row.

use std::sync::Arc;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyList, PyString, PyTuple};
use wirearray::column::{Cardinality, Data, Item, List, Offsets, Validity};

use super::{Given, Intake};
use crate::offsets;
use crate::ragged::Ragged;

impl<'py> Intake<'py> {
    /// The values of a repeated field, with offsets.
    pub(super) fn lists(&mut self, number: usize, index: usize, given: Given<'py>) -> PyResult<Data> {
        let list = match given {
            Given::Column(column) => self.list_column(number, index, &column)?,
            Given::Entries(entries) => self.list_entries(number, index, &entries)?,
        };
        Ok(Data::List(Arc::new(list)))
    }

    fn list_column(&mut self, number: usize, index: usize, column: &Bound<'py, PyAny>) -> PyResult<List> {
        if let Ok(ragged) = column.cast::<Ragged>() {
            // Messages are taken as they are, with what their types do not know; other fields get what they stand for.
            let is_message = matches!(self.plan.layout().tables[number].columns[index].item, Item::Table(_));
            let ragged_values =
                if is_message { ragged.get().raw_values(self.py) } else { ragged.get().values(self.py) };
            let values = self.values(number, index, &ragged_values?)?;
            return Ok(List { offsets: ragged.get().own_offsets(), values });
        }
        if let Ok(pair) = column.cast::<PyTuple>()
            && pair.len() == 2
        {
            let values = self.values(number, index, &pair.get_item(0)?)?;
            let offsets = offsets::checked(&pair.get_item(1)?, values.len());
            let offsets = offsets.map_err(|error| self.at_place(error))?;
            return Ok(rebased(&offsets, values));
        }
        if let Ok(array) = column.cast::<PyUntypedArray>()
            && array.ndim() == 2
        {
            let (rows, width) = (array.shape()[0], array.shape()[1]);
            let values = self.values(number, index, &column.call_method1("reshape", (-1,))?)?;
            return Ok(List { offsets: Offsets::of_lens((0..rows).map(|_| width)), values });
        }
        if let Ok(array) = column.cast::<PyUntypedArray>()
            && array.ndim() == 1
            && !array.dtype().is_equiv_to(&numpy::PyArrayDescr::object(self.py))
        {
            return Err(self.flat_error("array", array.len()));
        }
        if let Some(column) = self.arrow(column)? {
            return self.arrow_lists(number, index, column);
        }
        const EXPECTED: &str = "a Ragged, a tuple (values, offsets), or a list with an array for each row";
        if column.is_instance_of::<PyString>() || self.is_mapping(column)? {
            return Err(self.type_error(EXPECTED, column));
        }
        let Ok(items) = column.try_iter() else { return Err(self.type_error(EXPECTED, column)) };
        let entries: Vec<_> =
            items.map(|item| item.map(|item| Some(item).filter(|item| !item.is_none()))).collect::<PyResult<_>>()?;
        let is_value = |item: &Bound<'_, PyAny>| {
            item.is_instance_of::<PyFloat>() || item.is_instance_of::<PyInt>() || item.is_instance_of::<PyString>()
        };
        if entries.iter().flatten().next().is_some_and(is_value) {
            return Err(self.flat_error("list", entries.len()));
        }
        self.list_entries(number, index, &entries)
    }

    /// The error where a column of a repeated field is what one row of it would be.
    fn flat_error(&self, what: &str, len: usize) -> PyErr {
        self.value_error(format!(
            "of a repeated field a column has any number of values a row: pass a tuple (values, offsets), a Ragged, an \
            array of two dimensions, or a list with an array for each row; got one flat {what} of {len}. If this is one \
            message alone, put it in a list: [{{...}}]"
        ))
    }

    fn list_entries(&mut self, number: usize, index: usize, entries: &[Option<Bound<'py, PyAny>>]) -> PyResult<List> {
        if let Some(list) = self.dict_entries(number, index, entries)? {
            return Ok(list);
        }
        let (mut parts, mut lens) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        for (row, entry) in entries.iter().enumerate() {
            let Some(entry) = entry else {
                lens.push(0);
                continue;
            };
            if entries.len() > 1 {
                self.place.set_row(row);
            }
            let part = self.values(number, index, entry)?;
            lens.push(part.len());
            parts.push(part);
        }
        if entries.len() > 1 {
            self.place.set_row(None);
        }
        let layout = self.plan.layout();
        let values = Data::join(&parts);
        let values = values.unwrap_or_else(|| Data::empty(layout, &layout.tables[number].columns[index].item));
        Ok(List { offsets: Offsets::of_lens(lens.into_iter()), values })
    }

    /// All values of a repeated field, which lie in one object.
    fn values(&mut self, number: usize, index: usize, values: &Bound<'py, PyAny>) -> PyResult<Data> {
        let before = self.place.enter_rows();
        let plan = Arc::clone(&self.plan);
        let layout = &plan.layout().tables[number].columns[index];
        let taken = match (layout.cardinality, &layout.item) {
            (Cardinality::Map, Item::Table(inner)) if self.is_mapping(values)? || is_series(values) => {
                super::of_table(self.map_entries(*inner, values)?)
            }
            _ => self.column(number, index, values)?,
        };
        self.place.leave_rows(before);
        let is_absent = |&value: &usize| !taken.validity.is_set(value);
        if !matches!(taken.validity, Validity::All)
            && let Some(absent) = (0..taken.data.len()).find(is_absent)
        {
            self.place.set_index(absent);
            return Err(self.value_error("None is no value of a repeated field; leave it out"));
        }
        Ok(taken.data)
    }

    /// The objects of a list or tuple.
    pub(super) fn items(sequence: &Bound<'py, PyAny>) -> Option<Vec<Option<Bound<'py, PyAny>>>> {
        let present = |item: Bound<'py, PyAny>| Some(item).filter(|item| !item.is_none());
        if let Ok(list) = sequence.cast::<PyList>() {
            return Some(list.iter().map(present).collect());
        }
        sequence.cast::<PyTuple>().ok().map(|tuple| tuple.iter().map(present).collect())
    }
}

/// True for a column of pandas, which has keys as a map has.
fn is_series(values: &Bound<'_, PyAny>) -> bool {
    let is_ours = values.is_instance_of::<crate::table::Table>() || values.is_instance_of::<crate::record::Record>();
    !is_ours && values.hasattr("keys").unwrap_or(false)
}

/// Offsets from 0 up to the last of the values, and no other values.
fn rebased(offsets: &Offsets, values: Data) -> List {
    let all = offsets.range_of_all(0..offsets.len()).unwrap_or_default();
    if all == (0..values.len()) {
        return List { offsets: offsets.clone(), values };
    }
    let lens = (0..offsets.len()).map(|entry| offsets.range(entry).unwrap_or_default().len());
    List { offsets: Offsets::of_lens(lens), values: values.slice(all) }
}

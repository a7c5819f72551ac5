//! Maps given as dicts.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wirearray::column::{self, Cardinality, Data, Item, List, Offsets, Validity};

use super::{Given, Intake};

impl<'py> Intake<'py> {
    /// The entries of a map, whose keys and values are those of a mapping.
    pub(super) fn map_entries(&mut self, number: usize, map: &Bound<'py, PyAny>) -> PyResult<Arc<column::Table>> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        collect(&self.as_dict(map)?, &mut keys, &mut values);
        self.entry_table(number, keys, values)
    }

    /// The maps of many rows, where the field is a map and each is given as a dict: converted together.
    pub(super) fn dict_entries(
        &mut self,
        number: usize,
        index: usize,
        entries: &[Option<Bound<'py, PyAny>>],
    ) -> PyResult<Option<List>> {
        let plan = Arc::clone(&self.plan);
        let layout = &plan.layout().tables[number].columns[index];
        let (Cardinality::Map, Item::Table(inner)) = (layout.cardinality, &layout.item) else { return Ok(None) };
        if !entries.iter().flatten().all(PyAnyMethods::is_instance_of::<PyDict>) {
            return Ok(None);
        }
        let (mut keys, mut values, mut lens) = (Vec::new(), Vec::new(), Vec::with_capacity(entries.len()));
        for entry in entries {
            let before = keys.len();
            if let Some(map) = entry {
                collect(map.cast()?, &mut keys, &mut values);
            }
            lens.push(keys.len() - before);
        }
        let offsets = Offsets::of_lens(lens.into_iter());
        self.place.enter_rows_of_lists(&offsets);
        let table = self.entry_table(*inner, keys, values)?;
        self.place.leave_rows_of_lists();
        Ok(Some(List { offsets, values: Data::Table(table) }))
    }

    fn entry_table(
        &mut self,
        number: usize,
        keys: Vec<Option<Bound<'py, PyAny>>>,
        values: Vec<Option<Bound<'py, PyAny>>>,
    ) -> PyResult<Arc<column::Table>> {
        let rows = keys.len();
        let mut columns = vec![None; self.plan.message(number).fields.len()];
        for (name, entries) in [("key", keys), ("value", values)] {
            let Some(index) = self.plan.column_index(number, name) else { continue };
            self.place.enter(name);
            if let Some(row) = entries.iter().position(Option::is_none) {
                self.place.set_row(row);
                return Err(self.value_error(format_args!("None is no {name} of a map")));
            }
            columns[index] = self.field(number, index, Given::Entries(entries))?;
            self.place.leave();
        }
        self.assemble(number, rows, Validity::All, columns)
    }
}

fn collect<'py>(
    map: &Bound<'py, PyDict>,
    keys: &mut Vec<Option<Bound<'py, PyAny>>>,
    values: &mut Vec<Option<Bound<'py, PyAny>>>,
) {
    for (key, value) in map {
        keys.push(Some(key).filter(|key| !key.is_none()));
        values.push(Some(value).filter(|value| !value.is_none()));
    }
}

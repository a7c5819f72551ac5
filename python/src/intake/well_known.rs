//! Messages of well-known types, given as what they stand for: times, and the numbers and strings that wrappers hold.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use wirearray::column::{self, Column, Validity};
use wirearray::plan::WellKnown;

use super::{Given, Intake, Taken};
use crate::record::Record;

impl<'py> Intake<'py> {
    /// The messages that values stand for; nothing for types that stand for none, and for what is no time.
    pub(super) fn well_known(&mut self, number: usize, given: Given<'py>) -> PyResult<Option<Arc<column::Table>>> {
        match (self.plan.well_known_type(number), given) {
            (None, _) => Ok(None),
            (Some(WellKnown::Wrapper), given) => self.wrapped(number, given).map(Some),
            (Some(_), Given::Column(column)) => self.moments(number, column),
            (Some(_), Given::Entries(entries)) => self.moments(number, PyTuple::new(self.py, entries)?.into_any()),
        }
    }

    /// The same for objects of which none is a message.
    pub(super) fn well_known_entries(
        &mut self,
        number: usize,
        entries: &[Option<Bound<'py, PyAny>>],
    ) -> PyResult<Option<Arc<column::Table>>> {
        if self.plan.well_known_type(number).is_none() {
            return Ok(None);
        }
        for entry in entries.iter().flatten() {
            if entry.is_instance_of::<Record>() || self.is_mapping(entry)? {
                return Ok(None);
            }
        }
        self.well_known(number, Given::Entries(entries.to_vec()))
    }

    /// Wrappers, given as the values that they hold. Their own field has no presence: what is absent is the wrapper.
    fn wrapped(&mut self, number: usize, given: Given<'py>) -> PyResult<Arc<column::Table>> {
        let taken = match given {
            Given::Column(column) => self.column(number, 0, &column)?,
            Given::Entries(entries) => self.entries(number, 0, entries)?,
        };
        self.wrapper_table(number, taken)
    }

    pub(super) fn wrapper_table(&self, number: usize, taken: Taken) -> PyResult<Arc<column::Table>> {
        let Taken { data, validity } = taken;
        let rows = data.len();
        self.assemble(number, rows, validity, vec![Some(Column { data, validity: Validity::All })])
    }

    /// Points in time or spans of it; nothing where the values are neither.
    pub(super) fn moments(&mut self, number: usize, values: Bound<'py, PyAny>) -> PyResult<Option<Arc<column::Table>>> {
        let name = self.plan.message_name(number).to_owned();
        let found = self.helper("moments")?.call1((values, name)).map_err(|error| self.misfit(error, true))?;
        if found.is_none() {
            return Ok(None);
        }
        let found = found.cast_into::<PyTuple>()?;
        let columns = self.fields_of(number, found.get_item(0)?.cast::<PyDict>()?, Given::Column)?;
        let rows = self.common_len(number, &columns)?;
        let validity = self.validity(&found.get_item(1)?)?;
        self.assemble(number, rows, validity, columns).map(Some)
    }
}

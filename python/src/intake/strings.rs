//! Strings and bytes: Python's own, those of a column, and NumPy's.

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use wirearray::column::{Buffer, Data, Offsets, StringColumn, Validity};
use wirearray::schema::Kind;

use super::{Intake, Taken};
use crate::lent::Lent;
use crate::strings::Strings;

impl<'py> Intake<'py> {
    /// The strings in a column of them, or in anything that NumPy takes for an array.
    pub(super) fn strings(&mut self, number: usize, index: usize, column: &Bound<'py, PyAny>) -> PyResult<Taken> {
        if let Ok(strings) = column.cast::<Strings>() {
            let strings = strings.get().column();
            let is_text = self.is_text(number, index);
            return Ok(Taken { data: Data::Strings(StringColumn { is_text, ..strings }), validity: Validity::All });
        }
        if column.is_instance_of::<PyString>() || column.is_instance_of::<PyBytes>() {
            return Err(self.type_error(format_args!("an array or list of {}", self.noun(number, index)), column));
        }
        let listed = self.helper("strings")?.call1((column,)).map_err(|error| self.misfit(error, false))?;
        let mut entries = Vec::new();
        for entry in listed.try_iter()? {
            entries.push(Some(entry?).filter(|entry| !entry.is_none()));
        }
        self.string_entries(number, index, &entries)
    }

    /// Strings that are objects of their own, each for a row.
    pub(super) fn string_entries(
        &mut self,
        number: usize,
        index: usize,
        entries: &[Option<Bound<'py, PyAny>>],
    ) -> PyResult<Taken> {
        let is_text = self.is_text(number, index);
        let mut data = Buffer::<u8>::default();
        let mut lens = Vec::with_capacity(entries.len());
        let mut flags = Vec::new();
        for (row, entry) in entries.iter().enumerate() {
            let before = data.len();
            if !self.push_entry(number, index, row, entry.as_ref(), &mut data, entries.len() - row)? {
                flags.resize(entries.len(), 1u8);
                flags[row] = 0;
                data.extend_from_le_bytes(self.plan.column_field(number, index).default_bytes(), 0);
            }
            lens.push(data.len() - before);
        }
        let data =
            Data::Strings(StringColumn { is_text, data: data.freeze(), offsets: Offsets::of_lens(lens.into_iter()) });
        let flags: Option<Buffer<u8>> = (!flags.is_empty()).then(|| flags.into_iter().collect());
        Ok(Taken { data, validity: flags.map_or(Validity::All, |flags| Validity::Flags(flags.freeze())) })
    }

    /// Appends the string of a row; false where there is none.
    fn push_entry(
        &mut self,
        number: usize,
        index: usize,
        row: usize,
        entry: Option<&Bound<'py, PyAny>>,
        data: &mut Buffer<u8>,
        left: usize,
    ) -> PyResult<bool> {
        let Some(entry) = entry else { return Ok(false) };
        match self.push_string(number, index, entry, data, left) {
            Ok(()) => Ok(true),
            Err(Unfit::Type) if self.helper("is_missing")?.call1((entry,))?.is_truthy()? => Ok(false),
            Err(unfit) => Err(self.unfit_string(number, index, row, entry, unfit)),
        }
    }

    fn push_string(
        &self,
        number: usize,
        index: usize,
        entry: &Bound<'py, PyAny>,
        data: &mut Buffer<u8>,
        left: usize,
    ) -> Result<(), Unfit> {
        let mut push = |bytes: &[u8]| data.extend_from_le_bytes(bytes, bytes.len().saturating_mul(left.min(1 << 20)));
        let kind = self.plan.column_field(number, index).kind;
        if let Ok(text) = entry.cast::<PyString>() {
            if kind == Kind::Bytes {
                return Err(Unfit::Type);
            }
            match text.to_str() {
                Ok(text) => push(text.as_bytes()),
                // What was not UTF-8 came as lone surrogates, and goes back as it was, where the schema does not mind.
                Err(_) if kind == (Kind::String { is_checked: false }) => {
                    let bytes =
                        text.call_method1("encode", ("utf-8", "surrogateescape")).map_err(|_| Unfit::Surrogate)?;
                    push(bytes.cast::<PyBytes>().map_err(|_| Unfit::Surrogate)?.as_bytes());
                }
                Err(_) => return Err(Unfit::Surrogate),
            }
        } else if let Ok(bytes) = entry.cast::<PyBytes>() {
            push(bytes.as_bytes());
        } else if entry.is_instance_of::<PyByteArray>() || entry.is_instance_of::<PyMemoryView>() {
            push(Lent::new(entry, &self.place).map_err(Unfit::Other)?.as_ref());
        } else {
            return Err(Unfit::Type);
        }
        Ok(())
    }

    #[cold]
    fn unfit_string(
        &mut self,
        number: usize,
        index: usize,
        row: usize,
        entry: &Bound<'py, PyAny>,
        unfit: Unfit,
    ) -> PyErr {
        self.place.set_row(row);
        match unfit {
            Unfit::Type => self.type_error(self.noun(number, index), entry),
            Unfit::Surrogate => {
                let shown = entry.repr().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
                self.value_error(format_args!("{shown} has a lone surrogate, which UTF-8 cannot hold"))
            }
            Unfit::Other(error) => error,
        }
    }

    fn is_text(&self, number: usize, index: usize) -> bool {
        self.plan.column_field(number, index).kind != Kind::Bytes
    }

    fn noun(&self, number: usize, index: usize) -> &'static str {
        if self.is_text(number, index) { "str" } else { "bytes" }
    }
}

/// Why an object is no string of a field.
enum Unfit {
    Type,
    Surrogate,
    Other(PyErr),
}

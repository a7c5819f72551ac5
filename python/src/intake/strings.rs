//! Strings and bytes: Python's own, those of a column, and NumPy's.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use wirearray::column::{Buffer, Data, StringColumn, Texts, Validity};
use wirearray::schema::Kind;

use super::{Intake, Taken};
use crate::lent::Lent;
use crate::strings::Strings;

impl<'py> Intake<'py> {
    /// The strings in a column of them, or in anything that NumPy takes for an array.
    pub(super) fn strings(&mut self, number: usize, index: usize, column: &Bound<'py, PyAny>) -> PyResult<Taken> {
        let kind = self.plan.column_field(number, index).kind;
        if let Ok(strings) = column.cast::<Strings>() {
            let (strings, is_text) = (strings.get().column(), kind != Kind::Bytes);
            return Ok(Taken { data: Data::Strings(StringColumn { is_text, ..strings }), validity: Validity::All });
        }
        if column.is_instance_of::<PyString>() || column.is_instance_of::<PyBytes>() {
            return Err(self.type_error(format_args!("an array or list of {}", noun(kind)), column));
        }
        let listed = self.helper("strings")?.call1((column,)).map_err(|error| self.misfit(error, false))?;
        self.string_sequence(number, index, &listed)
    }

    /// The strings of a list or tuple.
    pub(super) fn string_sequence(
        &mut self,
        number: usize,
        index: usize,
        sequence: &Bound<'py, PyAny>,
    ) -> PyResult<Taken> {
        let count = sequence.len()?;
        let entries = sequence.try_iter()?.map(|entry| entry.map(|entry| Some(entry).filter(|entry| !entry.is_none())));
        self.string_entries(number, index, count, entries)
    }

    /// Strings that are objects of their own, each for a row: about `count` of them, since a list can change meanwhile.
    pub(super) fn string_entries(
        &mut self,
        number: usize,
        index: usize,
        count: usize,
        entries: impl Iterator<Item = PyResult<Option<Bound<'py, PyAny>>>>,
    ) -> PyResult<Taken> {
        let plan = Arc::clone(&self.plan);
        let field = plan.column_field(number, index);
        let mut texts = Texts::default();
        let mut flags = Vec::new();
        let mut rows = 0;
        for (row, entry) in entries.enumerate() {
            let at_most = count.saturating_sub(row).max(1);
            let is_present = match entry? {
                Some(entry) => self.push_entry(field.kind, row, &entry, &mut texts, at_most)?,
                None => false,
            };
            if !is_present {
                texts.push(field.default_bytes(), at_most);
                flags.resize(row, 1u8);
                flags.push(0);
            }
            rows = row + 1;
        }
        let validity = if flags.is_empty() {
            Validity::All
        } else {
            flags.resize(rows, 1);
            Validity::Flags(flags.into_iter().collect::<Buffer<u8>>().freeze())
        };
        Ok(Taken { data: Data::Strings(texts.into_column(field.kind != Kind::Bytes)), validity })
    }

    /// Appends the string of a row; false where there is none.
    #[inline]
    fn push_entry(
        &mut self,
        kind: Kind,
        row: usize,
        entry: &Bound<'py, PyAny>,
        texts: &mut Texts,
        at_most: usize,
    ) -> PyResult<bool> {
        match self.push_string(kind, entry, texts, at_most) {
            Ok(()) => Ok(true),
            Err(Unfit::Type) if self.helper("is_missing")?.call1((entry,))?.is_truthy()? => Ok(false),
            Err(unfit) => Err(self.unfit_string(kind, row, entry, unfit)),
        }
    }

    #[inline]
    fn push_string(
        &self,
        kind: Kind,
        entry: &Bound<'py, PyAny>,
        texts: &mut Texts,
        at_most: usize,
    ) -> Result<(), Unfit> {
        // Exactly `str` is told without a call.
        if let Ok(text) = entry.cast_exact::<PyString>().or_else(|_| entry.cast::<PyString>()) {
            if kind == Kind::Bytes {
                return Err(Unfit::Type);
            }
            match text.to_str() {
                Ok(text) => texts.push(text.as_bytes(), at_most),
                // What was not UTF-8 came as lone surrogates, and goes back as it was, where the schema does not mind.
                Err(_) if kind == (Kind::String { is_checked: false }) => {
                    let bytes =
                        text.call_method1("encode", ("utf-8", "surrogateescape")).map_err(|_| Unfit::Surrogate)?;
                    texts.push(bytes.cast::<PyBytes>().map_err(|_| Unfit::Surrogate)?.as_bytes(), at_most);
                }
                Err(_) => return Err(Unfit::Surrogate),
            }
        } else if let Ok(bytes) = entry.cast::<PyBytes>() {
            texts.push(bytes.as_bytes(), at_most);
        } else if entry.is_instance_of::<PyByteArray>() || entry.is_instance_of::<PyMemoryView>() {
            texts.push(Lent::new(entry, &self.place).map_err(Unfit::Other)?.as_ref(), at_most);
        } else if let (Kind::Bytes, Ok(lent)) = (kind, Lent::new(entry, &self.place)) {
            texts.push(lent.as_ref(), at_most);
        } else {
            return Err(Unfit::Type);
        }
        Ok(())
    }

    #[cold]
    fn unfit_string(&mut self, kind: Kind, row: usize, entry: &Bound<'py, PyAny>, unfit: Unfit) -> PyErr {
        self.place.set_row(row);
        match unfit {
            Unfit::Type => self.type_error(noun(kind), entry),
            Unfit::Surrogate => {
                let shown = entry.repr().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
                self.value_error(format_args!("{shown} has a lone surrogate, which UTF-8 cannot hold"))
            }
            Unfit::Other(error) => error,
        }
    }
}

fn noun(kind: Kind) -> &'static str {
    if kind == Kind::Bytes { "bytes" } else { "str" }
}

/// Why an object is no string of a field.
enum Unfit {
    Type,
    Surrogate,
    Other(PyErr),
}

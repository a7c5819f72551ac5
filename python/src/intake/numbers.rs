//! Numbers: arrays of the right dtype as they are, Python's own numbers one by one, anything else through NumPy.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyTuple};
use wirearray::column::{Buffer, Data, Dtype, Element, Memory, NumberColumn, Owner, Validity};
use wirearray::schema::{EnumId, Kind};

use super::{Intake, Taken};
use crate::array;
use crate::lent::Lent;

pyo3::import_exception!(wirearray._intake, Misfit);
pyo3::import_exception!(wirearray._intake, WrongType);

impl<'py> Intake<'py> {
    /// The numbers in an array, or in anything that NumPy takes for one.
    pub(super) fn numbers(&mut self, number: usize, index: usize, array: &Bound<'py, PyAny>) -> PyResult<Taken> {
        let dtype = self.dtype(number, index);
        if let Some(values) = self.lend(array, dtype)? {
            return Ok(taken(dtype, values, Validity::All));
        }
        self.converted(number, index, array).map_err(|error| self.misfit(error, false))
    }

    /// Numbers that are objects of their own, each for a row.
    pub(super) fn number_entries(
        &mut self,
        number: usize,
        index: usize,
        entries: &[Option<Bound<'py, PyAny>>],
    ) -> PyResult<Taken> {
        let dtype = self.dtype(number, index);
        if let Some(values) = plain_numbers(dtype, entries) {
            return Ok(taken(dtype, values, Validity::All));
        }
        let list = PyList::new(self.py, entries)?;
        self.converted(number, index, list.as_any()).map_err(|error| self.misfit(error, true))
    }

    fn dtype(&self, number: usize, index: usize) -> Dtype {
        let kind = self.plan.column_field(number, index).kind;
        wirearray::plan::column_dtype(kind).expect("a column of numbers is made for a number only")
    }

    /// An array of that dtype, lent for as long as the columns live.
    fn lend(&self, array: &Bound<'py, PyAny>, dtype: Dtype) -> PyResult<Option<Memory>> {
        if !array::is_flat(array, dtype) {
            return Ok(None);
        }
        let owner: Owner = Arc::new(Lent::new(array, &self.place)?);
        Ok(Some(Memory::lent(owner)))
    }

    /// Numbers as NumPy converts them, where no value changes.
    pub(super) fn converted(&mut self, number: usize, index: usize, values: &Bound<'py, PyAny>) -> PyResult<Taken> {
        let (dtype, kind) = (self.dtype(number, index), self.plan.column_field(number, index).kind);
        let names = match kind {
            Kind::Enum(id) => Some(self.enum_names(id)?),
            _ => None,
        };
        let default = self.plan.column_field(number, index).default_bits().to_le_bytes();
        let default = array::scalar(self.py, &default[..dtype.size()], dtype)?;
        let arguments = (values, array::descriptor(self.py, dtype), kind.name(), names, default);
        let found = self.helper("numbers")?.call1(arguments)?.cast_into::<PyTuple>()?;
        let owner: Owner = Arc::new(Lent::new(&found.get_item(0)?, &self.place)?);
        let validity = self.validity(&found.get_item(1)?)?;
        Ok(taken(dtype, Memory::lent(owner), validity))
    }

    /// The numbers of an enum's names: some enums have thousands.
    fn enum_names(&mut self, id: EnumId) -> PyResult<Bound<'py, PyDict>> {
        if let Some(names) = self.enums.get(&id) {
            return Ok(names.clone());
        }
        let names = PyDict::new(self.py);
        for (name, number) in &self.plan.schema().enumeration(id).values {
            names.set_item(name, number)?;
        }
        self.enums.insert(id, names.clone());
        Ok(names)
    }

    /// Flags of a byte each, copied; `None` stands for all set.
    pub(super) fn validity(&self, flags: &Bound<'py, PyAny>) -> PyResult<Validity> {
        if flags.is_none() {
            return Ok(Validity::All);
        }
        Ok(Validity::of_flags(Lent::new(flags, &self.place)?.as_ref()))
    }

    /// A misfit that the helper found, as a `ValueError` or `TypeError` at its place.
    pub(super) fn misfit(&mut self, error: PyErr, is_by_row: bool) -> PyErr {
        if !error.is_instance_of::<Misfit>(self.py) {
            return error;
        }
        let Ok((index, problem)) =
            error.value(self.py).getattr("args").and_then(|args| args.extract::<(Option<usize>, String)>())
        else {
            return error;
        };
        match index {
            Some(index) if is_by_row => self.place.set_row(index),
            Some(index) => self.place.set_index(index),
            None => {}
        }
        let text = format!("{}{problem}", self.place);
        if error.is_instance_of::<WrongType>(self.py) {
            PyTypeError::new_err(text)
        } else {
            PyValueError::new_err(text)
        }
    }
}

fn taken(dtype: Dtype, values: Memory, validity: Validity) -> Taken {
    Taken { data: Data::Numbers(NumberColumn { dtype, values }), validity }
}

/// Python's own numbers, where they are that and fit; nothing where anything is out of the ordinary.
fn plain_numbers(dtype: Dtype, entries: &[Option<Bound<'_, PyAny>>]) -> Option<Memory> {
    match dtype {
        Dtype::Float64 => collect(entries, |entry| plain_float(entry).map(f64::to_bits)),
        Dtype::Float32 => collect(entries, |entry| plain_narrow_float(entry).map(f32::to_bits)),
        Dtype::Int32 => collect(entries, |entry| plain_integer::<i32>(entry).map(i32::cast_unsigned)),
        Dtype::Uint32 => collect(entries, plain_integer::<u32>),
        Dtype::Int64 => collect(entries, |entry| plain_integer::<i64>(entry).map(i64::cast_unsigned)),
        Dtype::Uint64 => collect(entries, plain_integer::<u64>),
        Dtype::Bool => collect(entries, |entry| Some(u8::from(entry.cast_exact::<PyBool>().ok()?.is_true()))),
    }
}

fn collect<'a, 'py: 'a, T: Element>(
    entries: &'a [Option<Bound<'py, PyAny>>],
    convert: impl Fn(&'a Bound<'py, PyAny>) -> Option<T>,
) -> Option<Memory> {
    let mut values = Buffer::default();
    for entry in entries {
        values.push(convert(entry.as_ref()?)?, entries.len());
    }
    Some(values.freeze())
}

fn plain_float(entry: &Bound<'_, PyAny>) -> Option<f64> {
    // NumPy's float64 is a subclass, and as wide.
    entry.cast::<PyFloat>().ok().map(PyFloatMethods::value)
}

/// Python's floats have no width of their own: they are rounded, as by NumPy; what is too large is not.
fn plain_narrow_float(entry: &Bound<'_, PyAny>) -> Option<f32> {
    let float = entry.cast::<PyFloat>().ok()?.value();
    let narrow = float as f32;
    (narrow.is_finite() || !float.is_finite()).then_some(narrow)
}

fn plain_integer<'a, 'py: 'a, T: FromPyObject<'a, 'py>>(entry: &'a Bound<'py, PyAny>) -> Option<T> {
    entry.cast_exact::<PyInt>().ok()?.as_any().extract().ok()
}

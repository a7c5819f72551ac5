//! Columns of other libraries, which speak Arrow: arrays as they lie there, where their type is the field's own.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use wirearray::arrow::{Imported, Scalar, Strings, Unit, Values};
use wirearray::column::{self, Column, Data, Dtype, Item, List, Memory, NumberColumn, Offsets, Validity};
use wirearray::plan::WellKnown;
use wirearray::schema::Kind;

use super::{Intake, Taken, of_table};
use crate::array;
use crate::arrow;
use crate::ragged::Ragged;
use crate::strings::Strings as OwnStrings;
use crate::table::Table;
use crate::values::string_object;

const NULL_VALUE: &str = "null is no value of a repeated field; leave it out";

impl<'py> Intake<'py> {
    /// The column that an object of another library gives; nothing where it gives none.
    pub(super) fn arrow(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Imported>> {
        let is_own = object.is_instance_of::<Table>() || object.is_instance_of::<Ragged>();
        if is_own || object.is_instance_of::<OwnStrings>() || !arrow::is_arrow(object) {
            return Ok(None);
        }
        let column = arrow::read(object).and_then(|parts| arrow::join(self.py, parts));
        column.map_err(|error| {
            // What else the other library raises is its own.
            let is_about_place =
                error.is_instance_of::<PyTypeError>(self.py) || error.is_instance_of::<PyValueError>(self.py);
            if is_about_place { self.at_place(error) } else { error }
        })
    }

    /// The messages in a column of structs.
    pub(super) fn arrow_messages(&mut self, number: usize, column: Imported) -> PyResult<Arc<column::Table>> {
        let Imported { len, validity, values } = column;
        let no_columns = || vec![None; self.plan.message(number).fields.len()];
        match values {
            Values::Nulls => self.assemble(number, len, Validity::Nothing, no_columns()),
            Values::Struct(found) => {
                let mut columns = no_columns();
                self.go_deeper()?;
                for (name, column) in found {
                    let Some(index) = self.plan.column_index(number, &name) else {
                        return Err(self.value_error(self.plan.no_field(number, &name)));
                    };
                    self.place.enter(&name);
                    if columns[index].is_some() {
                        return Err(self.value_error("there are two columns of that name"));
                    }
                    columns[index] = Some(self.arrow_field(number, index, column)?);
                    self.place.leave();
                }
                self.depth -= 1;
                self.assemble(number, len, validity, columns)
            }
            other => self.arrow_well_known(number, Imported { len, validity, values: other }),
        }
    }

    /// The messages that values stand for: times, and what wrappers hold.
    fn arrow_well_known(&mut self, number: usize, column: Imported) -> PyResult<Arc<column::Table>> {
        match (self.plan.well_known_type(number), &column.values) {
            (Some(WellKnown::Wrapper), _) => {
                let taken = self.arrow_column(number, 0, column)?;
                self.wrapper_table(number, taken)
            }
            (Some(_), Values::Numbers(scalar, memory)) if is_time(*scalar) => {
                let array = self.masked(*scalar, memory, &column.validity)?;
                match self.moments(number, array)? {
                    Some(table) => Ok(table),
                    None => Err(self.other_type("structs", &column.values)),
                }
            }
            _ => Err(self.other_type("structs", &column.values)),
        }
    }

    /// The values of a repeated field in a column of lists; a null among lists is an empty one.
    pub(super) fn arrow_lists(&mut self, number: usize, index: usize, column: Imported) -> PyResult<List> {
        let (offsets, values) = match column.values {
            Values::List(offsets, values) => (offsets, values),
            Values::Nulls => {
                let layout = self.plan.layout();
                let values = Data::empty(layout, &layout.tables[number].columns[index].item);
                return Ok(List { offsets: Offsets::of_lens((0..column.len).map(|_| 0)), values });
            }
            other => return Err(self.other_type("lists", &other)),
        };
        self.place.enter_rows_of_lists(&offsets);
        if matches!(values.values, Values::Nulls) && values.len > 0 {
            // However many they are, nothing is made of them.
            self.place.set_row(0);
            return Err(self.value_error(NULL_VALUE));
        }
        let taken = self.arrow_column(number, index, *values)?;
        let is_absent = |&value: &usize| !taken.validity.is_set(value);
        if !matches!(taken.validity, Validity::All)
            && let Some(absent) = (0..taken.data.len()).find(is_absent)
        {
            self.place.set_row(absent);
            return Err(self.value_error(NULL_VALUE));
        }
        self.place.leave_rows_of_lists();
        Ok(List { offsets, values: taken.data })
    }

    fn arrow_field(&mut self, number: usize, index: usize, column: Imported) -> PyResult<Column> {
        if self.plan.layout().tables[number].columns[index].cardinality.is_repeated() {
            let list = self.arrow_lists(number, index, column)?;
            return Ok(Column { data: Data::List(Arc::new(list)), validity: Validity::All });
        }
        let Taken { data, validity } = self.arrow_column(number, index, column)?;
        if self.plan.message(number).is_map_entry
            && let Some(row) = (0..data.len()).find(|&row| !validity.is_set(row))
        {
            self.place.set_row(row);
            return Err(self.value_error(format_args!("null is no {} of a map", self.plan.column_name(number, index))));
        }
        Ok(Column { data, validity })
    }

    /// The values of a singular field, or all values of a repeated one.
    pub(super) fn arrow_column(&mut self, number: usize, index: usize, column: Imported) -> PyResult<Taken> {
        let plan = Arc::clone(&self.plan);
        let kind = plan.column_field(number, index).kind;
        match (&plan.layout().tables[number].columns[index].item, column.values) {
            (Item::Table(inner), values) => self.arrow_messages(*inner, Imported { values, ..column }).map(of_table),
            (_, Values::Nulls) => {
                // A table without a column makes one in which no row has a value.
                let columns = vec![None; plan.message(number).fields.len()];
                let table = self.assemble(number, column.len, Validity::All, columns)?;
                let data = table.column(index).data.clone();
                Ok(Taken { data, validity: Validity::Nothing })
            }
            (Item::Number { dtype, .. }, Values::Numbers(scalar, values)) => {
                if dtype_of(scalar) == Some(*dtype) && matches!(column.validity, Validity::All) {
                    let data = Data::Numbers(NumberColumn { dtype: *dtype, values });
                    return Ok(Taken { data, validity: column.validity });
                }
                let array = self.masked(scalar, &values, &column.validity)?;
                self.converted(number, index, &array).map_err(|error| self.misfit(error, true))
            }
            (Item::Number { .. }, Values::Strings(strings)) if matches!(kind, Kind::Enum(_)) => {
                let names = self.listed(strings, &column.validity)?;
                self.converted(number, index, &names).map_err(|error| self.misfit(error, true))
            }
            (Item::String { is_text, .. }, Values::Strings(strings)) => {
                let strings = self.py.detach(|| strings.into_column(&column.validity, *is_text));
                Ok(Taken { data: Data::Strings(strings), validity: column.validity })
            }
            (Item::Number { .. }, other) => Err(self.other_type(kind.name(), &other)),
            (Item::String { .. }, other) => Err(self.other_type(kind.name(), &other)),
        }
    }

    /// Numbers as NumPy has them, without those that are null.
    fn masked(&self, scalar: Scalar, values: &Memory, validity: &Validity) -> PyResult<Bound<'py, PyAny>> {
        let array = array::of_name(self.py, values, numpy_name(scalar))?;
        // NumPy's days take twice as much as Arrow's.
        let array = if scalar == Scalar::Days { array.call_method1("astype", ("datetime64[D]",))? } else { array };
        if matches!(validity, Validity::All) {
            return Ok(array);
        }
        let numpy = self.py.import("numpy")?;
        let flags = array::fresh(self.py, &validity.flags(0..array.len()?), Dtype::Bool)?;
        let options = PyDict::new(self.py);
        options.set_item("mask", numpy.call_method1("logical_not", (flags,))?)?;
        numpy.getattr("ma")?.call_method("masked_array", (array,), Some(&options))
    }

    /// Strings as Python's, with `None` for those that are null.
    fn listed(&self, strings: Strings, validity: &Validity) -> PyResult<Bound<'py, PyAny>> {
        let strings = strings.into_column(validity, true);
        let listed = PyList::empty(self.py);
        for row in 0..strings.offsets.len() {
            let is_there = validity.is_set(row);
            listed.append(if is_there { Some(string_object(self.py, &strings, row)?) } else { None })?;
        }
        Ok(listed.into_any())
    }

    #[cold]
    fn other_type(&self, expected: &str, found: &Values) -> PyErr {
        let problem = format!("expected {expected}, got an Arrow column of {}", found.name());
        PyTypeError::new_err(self.place.describe(problem))
    }
}

/// The dtype of numbers that a field can have as they are.
fn dtype_of(scalar: Scalar) -> Option<Dtype> {
    Some(match scalar {
        Scalar::Bool => Dtype::Bool,
        Scalar::Int32 => Dtype::Int32,
        Scalar::Int64 => Dtype::Int64,
        Scalar::Uint32 => Dtype::Uint32,
        Scalar::Uint64 => Dtype::Uint64,
        Scalar::Float32 => Dtype::Float32,
        Scalar::Float64 => Dtype::Float64,
        _ => return None,
    })
}

fn is_time(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::Days | Scalar::Timestamp(_) | Scalar::Duration(_))
}

fn numpy_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Days => "int32",
        Scalar::Timestamp(Unit::Seconds) => "datetime64[s]",
        Scalar::Timestamp(Unit::Milliseconds) => "datetime64[ms]",
        Scalar::Timestamp(Unit::Microseconds) => "datetime64[us]",
        Scalar::Timestamp(Unit::Nanoseconds) => "datetime64[ns]",
        Scalar::Duration(Unit::Seconds) => "timedelta64[s]",
        Scalar::Duration(Unit::Milliseconds) => "timedelta64[ms]",
        Scalar::Duration(Unit::Microseconds) => "timedelta64[us]",
        Scalar::Duration(Unit::Nanoseconds) => "timedelta64[ns]",
        number => number.name(),
    }
}

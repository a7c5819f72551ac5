//! States that become columns again.
//!
//! Nothing in them is believed: offsets and presence are copied and checked, numbers and bytes are used as they lie there,
//! within the lengths that their arrays have, and the plan says what each column has to be.

use std::sync::Arc;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyTuple};
use wirearray::column::{self, Column, Data, Dtype, List, Memory, NumberColumn, Offsets, StringColumn, Validity};
use wirearray::plan::{MAX_NAMES, Plan, TableParts};

use crate::lent::{self, Lent};
use crate::{array, offsets};

/// A state that becomes columns.
pub(super) struct Loading {
    /// The tables that have been put together and not been referred to.
    tables: Vec<Option<Arc<column::Table>>>,
}

impl Loading {
    /// Puts the tables together: those within others stand behind them, so the last is the first.
    pub(super) fn new(plan: &Plan, root: &Bound<'_, PyAny>, tables: &Bound<'_, PyList>) -> PyResult<Self> {
        let states: Vec<TableState<'_>> = tables.iter().map(|state| TableState::of(&state)).collect::<PyResult<_>>()?;
        let numbers = table_numbers(plan, root, &states)?;
        let mut loading = Self { tables: vec![None; states.len()] };
        for (place, state) in states.into_iter().enumerate().rev() {
            let table = loading.table(plan, numbers[place], state)?;
            loading.tables[place] = Some(Arc::new(table));
        }
        Ok(loading)
    }

    fn table(&mut self, plan: &Plan, number: usize, state: TableState<'_>) -> PyResult<column::Table> {
        let mut parts = TableParts {
            rows: state.rows,
            validity: validity(&state.validity)?,
            columns: Vec::new(),
            oneofs: Vec::new(),
            unknown: state.unknown.map(|unknown| strings(&unknown)).transpose()?,
        };
        for (name, column) in state.columns {
            let (flags, data): (Bound<'_, PyAny>, Bound<'_, PyAny>) = fields(&column)?;
            parts.columns.push((name, Column { validity: validity(&flags)?, data: self.data(&data)? }));
        }
        for (name, numbers) in state.oneofs {
            let lent = Lent::new(&numbers, "oneof")?;
            let numbers = lent.as_ref().as_chunks().0.iter().map(|&bytes| i32::from_ne_bytes(bytes));
            parts.oneofs.push((name, numbers.collect()));
        }
        plan.restore(number, parts).map_err(damaged)
    }

    /// The column of a state.
    pub(super) fn data(&mut self, state: &Bound<'_, PyAny>) -> PyResult<Data> {
        let (lists, state) = lists(state)?;
        let data = match table_place(&state)? {
            Some(place) => {
                let table = self.tables.get_mut(place).and_then(Option::take);
                Data::Table(table.ok_or_else(|| damaged("a table is missing, or is used twice"))?)
            }
            None if state.is_instance_of::<PyTuple>() => Data::Strings(strings(&state)?),
            None => Data::Numbers(numbers(&state)?),
        };
        lists.iter().rev().try_fold(data, |values, offsets| {
            let offsets = exact_offsets(offsets, values.len())?;
            Ok(Data::List(Arc::new(List { offsets, values })))
        })
    }
}

/// A table's state, its parts not looked into.
struct TableState<'py> {
    rows: usize,
    validity: Bound<'py, PyAny>,
    columns: Vec<(String, Bound<'py, PyAny>)>,
    oneofs: Vec<(String, Bound<'py, PyAny>)>,
    unknown: Option<Bound<'py, PyAny>>,
}

impl<'py> TableState<'py> {
    fn of(state: &Bound<'py, PyAny>) -> PyResult<Self> {
        type Named<'py> = Bound<'py, PyDict>;
        let (rows, validity, columns, oneofs, unknown): (_, _, Named<'_>, Named<'_>, _) = fields(state)?;
        let named = |dict: Named<'py>| {
            let items = dict.iter().map(|(name, state)| Ok((name.extract().map_err(damaged)?, state)));
            items.collect::<PyResult<Vec<_>>>()
        };
        Ok(Self { rows, validity, columns: named(columns)?, oneofs: named(oneofs)?, unknown })
    }
}

/// The number that each table has in the plan, which the one that refers to it says.
fn table_numbers(plan: &Plan, root: &Bound<'_, PyAny>, states: &[TableState<'_>]) -> PyResult<Vec<usize>> {
    let mut numbers = vec![None; states.len()];
    let refer = |numbers: &mut [Option<usize>], place: usize, number| match numbers.get_mut(place) {
        Some(unset @ None) => {
            *unset = Some(number);
            Ok(())
        }
        _ => Err(damaged("a table is missing, or is used twice")),
    };
    if let Some(place) = table_place(&lists(root)?.1)? {
        if plan.layout().tables.is_empty() {
            return Err(damaged("there are tables, but no message type"));
        }
        refer(&mut numbers, place, 0)?;
    }
    for (place, state) in states.iter().enumerate() {
        // The tables up to here have their numbers, so that no table can refer to one before it.
        let number = numbers[place].ok_or_else(|| damaged("a table is used nowhere"))?;
        for (name, column) in &state.columns {
            let (_, data): (Bound<'_, PyAny>, Bound<'_, PyAny>) = fields(column)?;
            let Some(inner) = table_place(&lists(&data)?.1)? else { continue };
            let index = plan.column_index(number, name);
            let field = index.and_then(|index| plan.message(number).fields[index].message);
            let field = field.ok_or_else(|| damaged(format!("{name} is no message")))?;
            refer(&mut numbers, inner, field)?;
        }
    }
    Ok(numbers.into_iter().flatten().collect())
}

/// The place of the table that a state refers to, if it is one.
fn table_place(state: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    if state.is_exact_instance_of::<PyInt>() { state.extract().map(Some).map_err(damaged) } else { Ok(None) }
}

/// The offsets of a list, of the lists that are its values, and so on, and what the values of the last are.
fn lists<'py>(state: &Bound<'py, PyAny>) -> PyResult<(Vec<Bound<'py, PyAny>>, Bound<'py, PyAny>)> {
    let (mut lists, mut state) = (Vec::new(), state.clone());
    while state.cast::<PyTuple>().is_ok_and(|list| list.len() == 2) {
        // Lists within lists come of paths through repeated messages, which have an end.
        if lists.len() > MAX_NAMES {
            return Err(damaged("lists are nested deeper than paths go"));
        }
        let (offsets, values) = fields(&state)?;
        lists.push(offsets);
        state = values;
    }
    Ok((lists, state))
}

fn numbers(state: &Bound<'_, PyAny>) -> PyResult<NumberColumn> {
    let dtype = Dtype::ALL.into_iter().find(|&dtype| array::is_flat(state, dtype));
    let dtype = dtype.ok_or_else(|| damaged("numbers are no flat array of them"))?;
    // What a pickler has made for this column alone is its own, to be written to as any other.
    let values = match lent::writable(PyUntypedBuffer::get(state)?, dtype.size()) {
        Some(memory) => Memory::handed_over(memory),
        None => Memory::lent(Arc::new(Lent::new(state, "numbers")?)),
    };
    Ok(NumberColumn { dtype, values })
}

fn strings(state: &Bound<'_, PyAny>) -> PyResult<StringColumn> {
    let (is_text, bytes, offsets): (bool, Bound<'_, PyAny>, Bound<'_, PyAny>) = fields(state)?;
    let data = Memory::lent(Arc::new(Lent::new(&bytes, "strings")?));
    let offsets = exact_offsets(&offsets, data.as_bytes().len())?;
    Ok(StringColumn { is_text, data, offsets })
}

/// Offsets of entries that leave out none of the values.
fn exact_offsets(state: &Bound<'_, PyAny>, values_len: usize) -> PyResult<Offsets> {
    let offsets = offsets::checked(state, values_len)?;
    match offsets.range_of_all(0..offsets.len()) {
        Some(all) if all == (0..values_len) => Ok(offsets),
        _ => Err(damaged(format!("offsets do not go from 0 to {values_len}"))),
    }
}

fn validity(state: &Bound<'_, PyAny>) -> PyResult<Validity> {
    match state.cast::<PyBool>() {
        Ok(all) if all.is_true() => Ok(Validity::All),
        Ok(_) => Ok(Validity::Nothing),
        Err(_) => Ok(Validity::of_flags(Lent::new(state, "presence")?.as_ref())),
    }
}

/// The parts of a tuple.
pub(super) fn fields<'a, 'py, T: FromPyObject<'a, 'py>>(state: &'a Bound<'py, PyAny>) -> PyResult<T> {
    state.extract().map_err(|error: T::Error| damaged(error.into()))
}

/// The error that says what is wrong with a state.
pub(super) fn damaged(problem: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("the pickle is damaged: {problem}"))
}

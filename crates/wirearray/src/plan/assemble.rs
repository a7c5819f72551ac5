//! Tables made of columns from elsewhere, and tables of one plan as tables of another.

use std::sync::Arc;

use super::Plan;
use crate::column::{Buffer, Cardinality, Column, Data, Dtype, Item, List, Memory, Table, Validity};
use crate::wire::DEPTH_LIMIT;

/// Columns that are no table of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say what the fields are")]
pub enum AssembleError {
    /// Two members of a oneof are set in one row.
    #[error("{first} and {second} are both set{}, and the oneof {oneof} has one of them at most", in_row(*.row))]
    OneofConflict { oneof: String, first: String, second: String, row: Option<usize> },
    /// Messages nested deeper than the official parsers read.
    #[error("messages are nested deeper than {DEPTH_LIMIT} levels, where protobuf parsers stop")]
    TooDeep,
    /// A table of another message type.
    #[error("expected messages of the type {expected}, got those of {found}")]
    OtherMessage { expected: String, found: String },
    /// A field that the message type does not have, or that is of another type there.
    #[error("{field} is {found}, and {message} has {expected}")]
    OtherField { field: String, found: String, message: String, expected: String },
}

fn in_row(row: Option<usize>) -> String {
    row.map_or_else(String::new, |row| format!(" in row {row}"))
}

impl Plan {
    /// A table of `rows` rows, with the columns that there are in their places; where there is none, no row has a value.
    ///
    /// # Panics
    ///
    /// Panics where a column has not as many rows, or there are not as many places.
    pub fn assemble(
        &self,
        number: usize,
        rows: usize,
        validity: Validity,
        columns: Vec<Option<Column>>,
    ) -> Result<Table, AssembleError> {
        assert_eq!(columns.len(), self.message(number).fields.len(), "there is a place for each column");
        assert!(columns.iter().flatten().all(|column| column.data.len() == rows), "columns have an entry for each row");
        let oneofs = 0..self.message(number).oneofs.len();
        let numbers = |oneof| Ok((oneof, self.oneof_numbers(number, oneof, rows, &columns)?));
        let oneofs = oneofs.map(numbers).collect::<Result<_, AssembleError>>()?;
        let columns = columns.into_iter().enumerate().filter_map(|(place, column)| Some((place, column?)));
        let table = Table::new(Arc::clone(self.layout()), number, rows, validity, columns, oneofs);
        Self::check_depth(&table)?;
        Ok(table)
    }

    /// Refuses a table that is deeper than those that are made of parts.
    pub fn check_depth(table: &Table) -> Result<(), AssembleError> {
        if table.height() > DEPTH_LIMIT { Err(AssembleError::TooDeep) } else { Ok(()) }
    }

    /// A table of this plan with other columns in some places, or none. Of a oneof all members are replaced together: what
    /// is not given of one of which another member is, is absent.
    ///
    /// # Panics
    ///
    /// Panics where a column has not as many rows as the table.
    pub fn replace(&self, table: &Table, replaced: Vec<(usize, Option<Column>)>) -> Result<Table, AssembleError> {
        let message = self.message(table.number());
        let is_replaced = |index: usize| {
            let oneof = message.fields[index].oneof;
            let shares_oneof = |&(other, _): &(usize, _)| oneof.is_some() && message.fields[other].oneof == oneof;
            replaced.iter().any(|entry| entry.0 == index || shares_oneof(entry))
        };
        let kept = |index| table.column_if_made(index).filter(|column| column.has_values()).cloned();
        let mut columns: Vec<Option<Column>> =
            (0..message.fields.len()).map(|index| if is_replaced(index) { None } else { kept(index) }).collect();
        for (index, column) in replaced {
            columns[index] = column;
        }
        let changed = self.assemble(table.number(), table.rows(), table.validity().clone(), columns)?;
        Ok(changed.with_unknown(table.unknown().cloned()))
    }

    /// The number of the member of a oneof that each row has set.
    fn oneof_numbers(
        &self,
        number: usize,
        oneof: usize,
        rows: usize,
        columns: &[Option<Column>],
    ) -> Result<Memory, AssembleError> {
        let message = self.message(number);
        let mut numbers = Buffer::<u32>::default();
        numbers.fill_to(rows, 0, rows);
        for (index, column) in columns.iter().enumerate() {
            let Some(column) = column.as_ref().filter(|_| message.fields[index].oneof.map(usize::from) == Some(oneof))
            else {
                continue;
            };
            for (row, chosen) in numbers.as_mut_slice().iter_mut().enumerate() {
                if !column.validity.is_set(row) {
                    continue;
                }
                if *chosen != 0 {
                    return Err(self.oneof_conflict(number, oneof, *chosen, index, (rows > 1).then_some(row)));
                }
                *chosen = message.fields[index].number;
            }
        }
        Ok(numbers.freeze())
    }

    #[cold]
    fn oneof_conflict(
        &self,
        number: usize,
        oneof: usize,
        chosen: u32,
        index: usize,
        row: Option<usize>,
    ) -> AssembleError {
        let message = self.message(number);
        let first =
            message.field_index(chosen).map_or("", |index| self.column_name(number, usize::from(index))).to_owned();
        let oneof = self.schema().message(message.message).oneofs[message.oneofs[oneof]].name.clone();
        AssembleError::OneofConflict { oneof, first, second: self.column_name(number, index).to_owned(), row }
    }

    /// A table of the plan `from` as table `number` of this plan: the same columns, in the places that the fields of the
    /// same names have here.
    pub fn adopt(&self, number: usize, from: &Self, table: &Arc<Table>) -> Result<Arc<Table>, AssembleError> {
        if Arc::ptr_eq(self.layout(), from.layout()) && table.number() == number {
            return Ok(Arc::clone(table));
        }
        let (expected, found) = (self.message_name(number), from.message_name(table.number()));
        if expected != found {
            return Err(AssembleError::OtherMessage { expected: expected.to_owned(), found: found.to_owned() });
        }
        Self::check_depth(table)?;
        let mut columns: Vec<Option<Column>> = vec![None; self.message(number).fields.len()];
        for (index, name) in from.column_names(table.number()).enumerate() {
            let Some(column) = table.column_if_made(index).filter(|column| column.has_values()) else { continue };
            let place = match self.place_of(number, name, from, table.number(), index) {
                // A column that was only looked at was made for that, and says nothing.
                Err(_) if column.data.is_default() => continue,
                place => place?,
            };
            let validity = column.validity.clone();
            columns[place] = Some(Column { data: self.adopt_data(number, place, from, &column.data)?, validity });
        }
        let adopted = self.assemble(number, table.rows(), table.validity().clone(), columns)?;
        Ok(Arc::new(adopted.with_unknown(table.unknown().cloned())))
    }

    fn adopt_data(&self, number: usize, place: usize, from: &Self, data: &Data) -> Result<Data, AssembleError> {
        Ok(match (data, self.message(number).fields[place].message) {
            (Data::Table(table), Some(inner)) => Data::Table(self.adopt(inner, from, table)?),
            (Data::List(list), Some(_)) => {
                let values = self.adopt_data(number, place, from, &list.values)?;
                Data::List(Arc::new(List { offsets: list.offsets.clone(), values }))
            }
            _ => data.clone(),
        })
    }

    /// The place of the field of that name, which has to hold what the column in place `index` of `from` holds.
    fn place_of(
        &self,
        number: usize,
        name: &str,
        from: &Self,
        from_number: usize,
        index: usize,
    ) -> Result<usize, AssembleError> {
        let sort = |plan: &Self, number: usize, index: usize| {
            let column = &plan.layout().tables[number].columns[index];
            sort_name(&column.item, column.cardinality)
        };
        let found = sort(from, from_number, index);
        let place = self.column_index(number, name);
        let expected = place.map(|place| sort(self, number, place));
        match place {
            Some(place) if expected.as_deref() == Some(&found) => Ok(place),
            _ => Err(AssembleError::OtherField {
                field: name.to_owned(),
                found,
                message: self.message_name(number).to_owned(),
                expected: expected.map_or_else(
                    || "no such field, or it is not selected".to_owned(),
                    |expected| format!("{expected} of that name"),
                ),
            }),
        }
    }
}

pub(super) fn sort_name(item: &Item, cardinality: Cardinality) -> String {
    let item = match item {
        Item::Number { dtype, .. } => dtype.name(),
        Item::String { is_text: true, .. } => "string",
        Item::String { is_text: false, .. } => "bytes",
        Item::Table(_) => "message",
    };
    let label = if cardinality.is_repeated() { "repeated " } else { "" };
    format!("{label}{item}")
}

impl Dtype {
    fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float32 => "float",
            Self::Float64 => "double",
        }
    }
}

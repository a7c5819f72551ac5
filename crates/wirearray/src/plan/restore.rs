//! Tables of the parts that others were taken apart into, of which nothing is believed.
//!
//! [`Plan::assemble`] trusts that its caller counts right, and finds out by itself which members of oneofs are set. Here
//! everything is held against the plan, and oneofs are said, because a member that is not decoded may be the one that is set.

use super::assemble::{AssembleError, sort_name};
use super::{PathError, Plan};
use crate::column::{Buffer, Cardinality, Column, ColumnLayout, Data, Item, Memory, StringColumn, Table, Validity};
use crate::wire::Cursor;

/// More rows than this are no one's: their offsets alone would take eight tebibytes. Sizes below can be added and multiplied.
pub(crate) const MAX_ROWS: usize = 1 << 40;

/// What a table is taken apart into.
pub struct TableParts {
    /// How many rows there are.
    pub rows: usize,
    /// Which of them stand for a message that was there.
    pub validity: Validity,
    /// The columns that were made, by name.
    pub columns: Vec<(String, Column)>,
    /// The number of the member that each row has set, by the oneof's name.
    pub oneofs: Vec<(String, Vec<i32>)>,
    /// The fields of each row that the schema does not know.
    pub unknown: Option<StringColumn>,
}

/// Parts that are not those of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say what the fields are")]
pub enum RestoreError {
    /// A column or oneof is not one of the message type's.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The columns do not go together.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// More rows than offsets of them could be made for.
    #[error("{rows} rows are more than any memory holds")]
    TooManyRows { rows: usize },
    /// A part has not as many entries as there are rows.
    #[error("{part} has {found} entries, and there are {rows} rows")]
    Rows { part: String, found: usize, rows: usize },
    /// A value of a repeated field is absent.
    #[error("value {value} of {field} is absent, which values of a repeated field cannot be")]
    AbsentValue { field: String, value: usize },
    /// What the schema does not know of a row is written back as it is, and would be no part of a message.
    #[error("what the schema does not know of row {row} are no fields")]
    NoFields { row: usize },
    /// A row is said to have another member of a oneof set than the columns have.
    #[error("row {row} is said to have field {number} of the oneof {oneof} set, which its columns have not")]
    OtherMember { oneof: String, row: usize, number: i32 },
}

impl Plan {
    /// Table `number` of this plan, of parts from elsewhere.
    pub fn restore(&self, number: usize, parts: TableParts) -> Result<Table, RestoreError> {
        let TableParts { rows, validity, columns: named, oneofs: said, unknown } = parts;
        if rows > MAX_ROWS {
            return Err(RestoreError::TooManyRows { rows });
        }
        check_validity("the table", &validity, rows)?;
        // As many numbers as rows: what is made for each row below costs no more than they do.
        let oneofs = self.checked_oneofs(number, rows, said)?;
        let mut columns: Vec<Option<Column>> = vec![None; self.message(number).fields.len()];
        for (name, column) in named {
            let place = self.column_index(number, &name).ok_or_else(|| self.no_field(number, &name))?;
            columns[place] = Some(self.checked_column(number, place, rows, column)?);
        }
        if let Some(unknown) = &unknown {
            check_rows("what the schema does not know", unknown.offsets.len(), rows)?;
            if let Some(row) = (0..rows).find(|&row| !unknown.get(row).is_some_and(are_fields)) {
                return Err(RestoreError::NoFields { row });
            }
        }
        let table = self.assemble(number, rows, validity, columns)?;
        let checked = |(place, numbers): (usize, &Vec<i32>)| Ok((place, self.checked_members(&table, place, numbers)?));
        let oneofs = oneofs.iter().enumerate().map(checked).collect::<Result<_, RestoreError>>()?;
        Ok(table.with_oneofs(oneofs).with_unknown(unknown))
    }

    /// The numbers of all oneofs, in their places.
    fn checked_oneofs(
        &self,
        number: usize,
        rows: usize,
        said: Vec<(String, Vec<i32>)>,
    ) -> Result<Vec<Vec<i32>>, RestoreError> {
        let mut oneofs = vec![Vec::new(); self.message(number).oneofs.len()];
        for (name, numbers) in said {
            let place = self.oneof_place(number, &name)?;
            oneofs[place] = numbers;
        }
        for (name, numbers) in self.oneof_names(number).zip(&oneofs) {
            check_rows(name, numbers.len(), rows)?;
        }
        Ok(oneofs)
    }

    fn checked_column(&self, number: usize, place: usize, rows: usize, column: Column) -> Result<Column, RestoreError> {
        let layout = &self.layout().tables[number].columns[place];
        let name = || self.column_name(number, place).to_owned();
        if !is_of(&column.data, layout) {
            return Err(AssembleError::OtherField {
                field: name(),
                found: "of another type".to_owned(),
                message: self.message_name(number).to_owned(),
                expected: format!("{} of that name", sort_name(&layout.item, layout.cardinality)),
            }
            .into());
        }
        check_rows(&name(), column.data.len(), rows)?;
        let validity = match &column.data {
            Data::Table(table) => table.validity().clone(),
            Data::List(list) => {
                if let Data::Table(table) = &list.values
                    && let Some(value) = (0..table.rows()).find(|&row| !table.validity().is_set(row))
                {
                    return Err(RestoreError::AbsentValue { field: name(), value });
                }
                Validity::All
            }
            Data::Numbers(_) | Data::Strings(_) => column.validity,
        };
        check_validity(&name(), &validity, rows)?;
        Ok(Column { data: column.data, validity })
    }

    /// The numbers of a oneof: each is that of the member that has a value in its row; where none has, of one that is not
    /// decoded.
    fn checked_members(&self, table: &Table, place: usize, numbers: &[i32]) -> Result<Memory, RestoreError> {
        let message = self.message(table.number());
        let oneof = &self.schema().message(message.message).oneofs[message.oneofs[place]];
        let is_unselected = |number: u32| {
            message.unselected.iter().any(|field| field.number == number && oneof.fields.contains(&field.field))
        };
        let set = table.oneof(place).values;
        let mut copied = Buffer::<u32>::default();
        for (row, (&number, &set)) in numbers.iter().zip(set.as_slice::<u32>()).enumerate() {
            let said = number.cast_unsigned();
            if said != set && (set != 0 || !is_unselected(said)) {
                return Err(RestoreError::OtherMember { oneof: oneof.name.clone(), row, number });
            }
            copied.push(said, numbers.len());
        }
        Ok(copied.freeze())
    }
}

/// True for fields, one behind the other, however deeply groups lie in them.
fn are_fields(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let skipped = std::iter::from_fn(|| {
        (!cursor.is_at_end()).then(|| cursor.read_tag().and_then(|tag| cursor.skip_value(tag, u32::MAX, u32::MAX)))
    });
    skipped.fuse().all(|skipped| skipped.is_ok())
}

fn check_rows(part: &str, found: usize, rows: usize) -> Result<(), RestoreError> {
    if found == rows { Ok(()) } else { Err(RestoreError::Rows { part: part.to_owned(), found, rows }) }
}

fn check_validity(part: &str, validity: &Validity, rows: usize) -> Result<(), RestoreError> {
    match validity {
        Validity::Flags(flags) => check_rows(&format!("presence of {part}"), flags.as_bytes().len(), rows),
        Validity::All | Validity::Nothing => Ok(()),
    }
}

/// True for what a column of that layout holds.
fn is_of(data: &Data, layout: &ColumnLayout) -> bool {
    match (data, layout.cardinality) {
        (Data::List(list), Cardinality::Repeated | Cardinality::Map) => is_item(&list.values, &layout.item),
        (data, Cardinality::Implicit | Cardinality::Explicit) => is_item(data, &layout.item),
        _ => false,
    }
}

fn is_item(data: &Data, item: &Item) -> bool {
    match (data, item) {
        (Data::Numbers(numbers), Item::Number { dtype, .. }) => numbers.dtype == *dtype,
        (Data::Strings(strings), Item::String { is_text, .. }) => strings.is_text == *is_text,
        (Data::Table(table), Item::Table(number)) => table.number() == *number,
        _ => false,
    }
}

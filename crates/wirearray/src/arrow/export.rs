//! Columns as arrays of Arrow's. What is shared and what is made is decided here.

use super::array::Array;
use super::bits;
use super::enum_names;
use super::field::Field;
use super::members::{Member, left_out_with_values, members};
use super::types::{Enums, ExportError, Options, Types, is_map};
use crate::column::{
    Buffer, Cardinality, Data, Dtype, Item, List, Memory, NumberColumn, StringColumn, Table, Validity,
};
use crate::plan::{Plan, Shown};
use crate::schema::Kind;
use crate::slots::PutAll;
use crate::stack::deeper;

/// What becomes of rows that stand for no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// They are nulls of the struct.
    Struct,
    /// They are nulls in each column: a batch of records has none of its own.
    Batch,
}

/// The type of the messages that a plan decodes.
pub fn message_field(plan: &Plan, options: Options) -> Result<Field, ExportError> {
    Types::new(plan, options).messages("", 0, None)
}

/// The type of the rows of a table: a struct.
pub fn table_field(plan: &Plan, table: &Table, options: Options, rows: Rows) -> Result<Field, ExportError> {
    let field = Types::new(plan, options).messages("", table.number(), Some(table))?;
    Ok(match (table.validity(), rows) {
        (Validity::All, _) => field,
        (_, Rows::Struct) => field.nullable(true),
        (_, Rows::Batch) => {
            let children = field.children.into_iter().map(|child| child.nullable(true)).collect();
            Field { children, ..field }
        }
    })
}

/// The rows of a table.
pub fn export_table(plan: &Plan, table: &Table, options: Options, rows: Rows) -> Result<(Field, Array), ExportError> {
    let field = table_field(plan, table, options, rows)?;
    let mut arrays = Arrays::new(plan, options);
    let array = match rows {
        Rows::Struct => arrays.messages(table, table.validity())?,
        Rows::Batch => {
            let columns = arrays.columns(table.number(), table.rows(), Some(table), table.validity())?;
            Array::new(table.rows(), &Validity::All, []).with_children(columns)
        }
    };
    Ok((field, array))
}

/// The type of the entries of a column that stands alone.
pub fn column_field(plan: &Plan, data: &Data, options: Options) -> Result<Field, ExportError> {
    Types::new(plan, options).data("", data)
}

/// The entries of a column that stands alone.
pub fn export_column(plan: &Plan, data: &Data, options: Options) -> Result<(Field, Array), ExportError> {
    let field = column_field(plan, data, options)?;
    Ok((field, Arrays::new(plan, options).data(data, None, &Validity::All)?))
}

/// Makes arrays. It goes the same way as [`Types`].
struct Arrays<'p> {
    plan: &'p Plan,
    options: Options,
    /// The tables that lie around the current column.
    open: Vec<usize>,
    /// The names of the fields that lead to the current column.
    path: Vec<&'p str>,
    /// What columns show that never had a value: however many they are, they share it.
    zeros: Memory,
}

impl<'p> Arrays<'p> {
    fn new(plan: &'p Plan, options: Options) -> Self {
        let zeros = Buffer::<u64>::default().freeze();
        Self { plan, options, open: Vec::new(), path: Vec::new(), zeros }
    }

    fn messages(&mut self, table: &Table, validity: &Validity) -> Result<Array, ExportError> {
        let columns = self.columns(table.number(), table.rows(), Some(table), &Validity::All)?;
        Ok(Array::new(table.rows(), validity, []).with_children(columns))
    }

    /// The columns of a table, or of one without a value. Rows that are not in `around` are null in all of them.
    fn columns(
        &mut self,
        number: usize,
        rows: usize,
        table: Option<&Table>,
        around: &Validity,
    ) -> Result<Vec<Array>, ExportError> {
        self.open.push(number);
        if let Some(table) = table
            && let Some(index) = left_out_with_values(self.plan, self.options, number, &self.open, table)
        {
            self.path.push(&self.plan.column_field(number, index).name);
            return Err(ExportError::Deeper { path: self.path() });
        }
        let members = members(self.plan, self.options, number, &self.open, table);
        let columns = members.into_iter().map(|member| match member {
            Member::Field(index) => deeper(|| self.column(number, index, rows, table, around)),
            Member::Oneof(oneof, fields) => self.union(number, oneof, &fields, rows, table),
        });
        let columns = columns.collect::<Result<_, _>>()?;
        self.open.pop();
        Ok(columns)
    }

    fn column(
        &mut self,
        number: usize,
        index: usize,
        rows: usize,
        table: Option<&Table>,
        around: &Validity,
    ) -> Result<Array, ExportError> {
        let (plan, field) = (self.plan, self.plan.column_field(number, index));
        let layout = &plan.layout().tables[number].columns[index];
        self.path.push(&field.name);
        let column = table.and_then(|table| table.column_if_made(index)).filter(|column| column.has_values());
        let array = match (column, &layout.item, table) {
            (Some(column), ..) => self.data(&column.data, Some(field.kind), &column.validity.and(around))?,
            // Of values of a map it is not remembered which came, and the first of an enum may be any number.
            (None, Item::Number { default: 1.., .. }, Some(table)) if layout.cardinality == Cardinality::Implicit => {
                self.data(&table.column(index).data, Some(field.kind), around)?
            }
            _ => match layout.cardinality {
                Cardinality::Repeated | Cardinality::Map => {
                    self.no_lists(&layout.item, Some(field.kind), rows, around)?
                }
                Cardinality::Explicit => self.defaults(&layout.item, Some(field.kind), rows, &Validity::Nothing)?,
                Cardinality::Implicit => self.defaults(&layout.item, Some(field.kind), rows, around)?,
            },
        };
        self.path.pop();
        Ok(array)
    }

    fn data(&mut self, data: &Data, kind: Option<Kind>, validity: &Validity) -> Result<Array, ExportError> {
        match data {
            Data::Numbers(numbers) => Ok(self.numbers(numbers, kind, validity)),
            Data::Strings(strings) => self.strings(strings, validity),
            Data::Table(table) => match self.plan.shown(table) {
                Ok(Some(Shown::Timestamps(numbers) | Shown::Durations(numbers))) => {
                    Ok(self.numbers(&numbers, None, validity))
                }
                Ok(Some(Shown::Values(values))) => self.data(&values, None, validity),
                Ok(None) => self.messages(table, validity),
                Err(fault) => Err(ExportError::Moment { path: self.path(), fault }),
            },
            Data::List(list) => self.list(list, kind, validity),
        }
    }

    fn numbers(&self, numbers: &NumberColumn, kind: Option<Kind>, validity: &Validity) -> Array {
        let (values, size) = (&numbers.values, numbers.dtype.size());
        let len = values.as_bytes().len() / size;
        if let (Some(Kind::Enum(id)), Enums::Names) = (kind, self.options.enums) {
            let (indices, names) = enum_names::dictionary(self.plan.schema().enumeration(id), values);
            let names = Array::new(names.offsets.len(), &Validity::All, [names.offsets.memory().clone(), names.data]);
            return Array { dictionary: Some(Box::new(names)), ..Array::new(len, validity, [indices]) };
        }
        let values = match numbers.dtype {
            Dtype::Bool => bits::pack(values.as_bytes()).0,
            // A view lies wherever the message has it.
            _ if !values.as_bytes().as_ptr().addr().is_multiple_of(size) => copied(values.as_bytes()),
            _ => values.clone(),
        };
        Array::new(len, validity, [values])
    }

    fn strings(&self, strings: &StringColumn, validity: &Validity) -> Result<Array, ExportError> {
        let len = strings.offsets.len();
        if strings.is_text
            && let Some(entry) = crate::encode::first_not_text(strings, 0..len)
        {
            return Err(ExportError::NotText { path: self.path(), entry });
        }
        Ok(Array::new(len, validity, [strings.offsets.memory().clone(), strings.data.clone()]))
    }

    fn list(&mut self, list: &List, kind: Option<Kind>, validity: &Validity) -> Result<Array, ExportError> {
        let offsets = match &list.values {
            Data::Table(table) if is_map(self.plan, table.number()) => self.narrow(list.offsets.as_slice())?,
            _ => list.offsets.memory().clone(),
        };
        let values = self.data(&list.values, kind, &Validity::All)?;
        Ok(Array::new(list.offsets.len(), validity, [offsets]).with_children(vec![values]))
    }

    fn narrow(&self, offsets: &[i64]) -> Result<Memory, ExportError> {
        let entries = offsets.last().map_or(0, |&end| end.cast_unsigned() as usize);
        if i32::try_from(entries).is_err() {
            return Err(ExportError::TooManyEntries { path: self.path(), entries });
        }
        Ok(offsets.iter().map(|&offset| offset as u32).collect::<Buffer<u32>>().freeze())
    }

    fn union(
        &mut self,
        number: usize,
        oneof: usize,
        members: &[usize],
        rows: usize,
        table: Option<&Table>,
    ) -> Result<Array, ExportError> {
        let fields = &self.plan.message(number).fields;
        let place = |number: u32| members.iter().position(|&index| fields[index].number == number);
        // A member that is not selected is none.
        let number_of = |chosen: u32| place(chosen).map_or(0, |place| place as u8 + 1);
        let chosen = table.map(|table| table.oneof(oneof).values);
        let chosen: Option<Buffer<u8>> =
            chosen.map(|it| it.as_slice::<u32>().iter().map(|&it| number_of(it)).collect());
        let chosen = chosen.map_or_else(|| self.zeros(rows), Buffer::freeze);
        let none = Array::of_buffers(rows, rows, []);
        let members = members.iter().map(|&index| self.column(number, index, rows, table, &Validity::All));
        let children = [Ok(none)].into_iter().chain(members).collect::<Result<_, _>>()?;
        Ok(Array::of_buffers(rows, 0, [Some(chosen)]).with_children(children))
    }

    /// Rows without a value, of a field that is not repeated.
    fn defaults(
        &mut self,
        item: &Item,
        kind: Option<Kind>,
        rows: usize,
        validity: &Validity,
    ) -> Result<Array, ExportError> {
        match item {
            Item::Number { dtype, .. } => {
                let values = self.zeros(rows * dtype.size());
                Ok(self.numbers(&NumberColumn { dtype: *dtype, values }, kind, validity))
            }
            Item::String { .. } => {
                let (offsets, data) = (self.zeros((rows + 1) * size_of::<i64>()), self.zeros(0));
                Ok(Array::new(rows, validity, [offsets, data]))
            }
            Item::Table(inner) if self.plan.shown_as(*inner).is_some() => {
                // The first field is the value that is wrapped, or as wide as nanoseconds.
                self.defaults(&self.plan.layout().tables[*inner].columns[0].item, None, rows, validity)
            }
            Item::Table(inner) => {
                let columns = self.columns(*inner, rows, None, &Validity::All)?;
                Ok(Array::new(rows, validity, []).with_children(columns))
            }
        }
    }

    /// Rows without a value, of a repeated field.
    fn no_lists(
        &mut self,
        item: &Item,
        kind: Option<Kind>,
        rows: usize,
        validity: &Validity,
    ) -> Result<Array, ExportError> {
        let values = self.defaults(item, kind, 0, &Validity::All)?;
        let is_map = matches!(*item, Item::Table(number) if is_map(self.plan, number));
        let size = if is_map { size_of::<i32>() } else { size_of::<i64>() };
        let offsets = self.zeros((rows + 1) * size);
        Ok(Array::new(rows, validity, [offsets]).with_children(vec![values]))
    }

    fn zeros(&mut self, len: usize) -> Memory {
        if self.zeros.as_bytes().len() < len {
            let mut zeros = Buffer::<u64>::default();
            let count = len.div_ceil(size_of::<u64>());
            zeros.fill_to(count, 0, count);
            self.zeros = zeros.freeze();
        }
        self.zeros.slice(0..len)
    }

    fn path(&self) -> String {
        if self.path.is_empty() { "the column".to_owned() } else { self.path.join(".") }
    }
}

fn copied(bytes: &[u8]) -> Memory {
    let copied = Memory::filled(bytes.len(), |room| Ok::<_, std::convert::Infallible>(room.put_all(bytes)));
    copied.unwrap_or_else(|never| match never {})
}

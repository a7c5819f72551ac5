//! Which type of Arrow's a column has: decided by the plan, and of types that contain themselves by the data.

use super::field::Field;
use super::members::{Member, members};
use crate::column::{Cardinality, Data, Dtype, Item, Table};
use crate::plan::{MomentFault, Plan, WellKnown};
use crate::schema::Kind;
use crate::stack::deeper;
use crate::wire::DEPTH_LIMIT;

/// A schema of more fields than this is of no use to anyone, and comes of types that hold each other in many ways.
const MAX_FIELDS: usize = 100_000;

/// The most members of a union, each of which has a number of seven bits; one says that no member is set.
const MAX_MEMBERS: usize = 127;

/// What enums and oneofs become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// What the values of enums become.
    pub enums: Enums,
    /// What the members of oneofs become.
    pub oneofs: Oneofs,
    /// How far a type goes that contains itself.
    pub depth: Depth,
}

/// How far a type goes that contains itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// As far as the data.
    #[default]
    OfData,
    /// To where it would begin anew, whatever the data: all tables of a message type have one type. Data beyond are refused.
    OfType,
}

/// What the values of enums become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Enums {
    /// Their numbers, as they are.
    #[default]
    Numbers,
    /// Their names, in a dictionary; a number without a name becomes its digits.
    Names,
}

/// What the members of oneofs become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Oneofs {
    /// Columns like all others, with nulls where the member is not set.
    #[default]
    Columns,
    /// One column for each oneof, a sparse union.
    Union,
}

/// Columns that Arrow cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say what the fields are")]
pub enum ExportError {
    /// Types that hold each other in many ways.
    #[error("{message} has more than {MAX_FIELDS} fields with all that is in it; select those that are needed")]
    TooManyFields { message: String },
    /// Messages nested deeper than those who read Arrow can be trusted to go.
    #[error("{message} is nested deeper than {DEPTH_LIMIT} levels; take columns by their paths, or select a part")]
    TooDeep { message: String },
    /// More members of a oneof than a union can have.
    #[error("the oneof {oneof} has more than {} members, the most that a union can have", MAX_MEMBERS - 1)]
    TooManyMembers { oneof: String },
    /// Text that is none.
    #[error("{path}: string {entry} is not UTF-8, as Arrow's strings have to be; leave the field out with select()")]
    NotText { path: String, entry: usize },
    /// Messages deeper than the one type that all tables have.
    #[error(
        "{path}: messages within messages of their own type have no end that a stream of batches could have as its type; say \
        with select() how deep they go"
    )]
    Deeper { path: String },
    /// A time of a caller's own that is out of range.
    #[error("{path}: {fault}")]
    Moment { path: String, fault: MomentFault },
    /// More entries of maps than offsets of 32 bits can count.
    #[error(
        "{path}: Arrow's maps have at most 2,147,483,647 entries, and these have {entries}; take fewer rows at once"
    )]
    TooManyEntries { path: String, entries: usize },
}

/// Finds the types of columns.
pub(super) struct Types<'p> {
    pub(super) plan: &'p Plan,
    pub(super) options: Options,
    /// The tables that lie around the current column.
    open: Vec<usize>,
    /// How many fields there are so far.
    count: usize,
}

impl<'p> Types<'p> {
    pub(super) fn new(plan: &'p Plan, options: Options) -> Self {
        Self { plan, options, open: Vec::new(), count: 0 }
    }

    /// The messages of a table, or of the type of table `number`.
    pub(super) fn messages(&mut self, name: &str, number: usize, table: Option<&Table>) -> Result<Field, ExportError> {
        if self.open.len() > DEPTH_LIMIT as usize {
            return Err(ExportError::TooDeep { message: self.plan.message_name(number).to_owned() });
        }
        self.open.push(number);
        let members = members(self.plan, self.options, number, &self.open, table);
        let fields = members.into_iter().map(|member| match member {
            Member::Field(index) => deeper(|| self.column(number, index, table)),
            Member::Oneof(oneof, fields) => self.union(number, oneof, &fields, table),
        });
        let fields = fields.collect::<Result<_, _>>()?;
        self.open.pop();
        Ok(Field::new(name, "+s", fields).with("protobuf.message", self.plan.message_name(number)))
    }

    /// The values of a column that stands alone.
    pub(super) fn data(&mut self, name: &str, data: &Data) -> Result<Field, ExportError> {
        match data {
            Data::List(list) => self.list(name, &item_of(&list.values), None, Some(&list.values)),
            data => self.item(name, &item_of(data), None, Some(data)),
        }
    }

    fn column(&mut self, number: usize, index: usize, table: Option<&Table>) -> Result<Field, ExportError> {
        self.count += 1;
        if self.count > MAX_FIELDS {
            return Err(ExportError::TooManyFields { message: self.plan.message_name(self.open[0]).to_owned() });
        }
        let layout = &self.plan.layout().tables[number].columns[index];
        let declared = self.plan.column_field(number, index);
        let column = table.and_then(|table| table.column_if_made(index)).filter(|column| column.has_values());
        let data = column.map(|column| &column.data);
        let field = match data {
            Some(Data::List(list)) => {
                self.list(&declared.name, &layout.item, Some(declared.kind), Some(&list.values))?
            }
            None if layout.cardinality.is_repeated() => {
                self.list(&declared.name, &layout.item, Some(declared.kind), None)?
            }
            data => self.item(&declared.name, &layout.item, Some(declared.kind), data)?,
        };
        let field = field.nullable(layout.cardinality == Cardinality::Explicit);
        let field = field.with("protobuf.number", declared.number.to_string());
        Ok(match declared.kind {
            Kind::Enum(id) => field.with("protobuf.enum", &self.plan.schema().enumeration(id).full_name),
            _ => field,
        })
    }

    /// Maps have offsets of 32 bits in Arrow, and are maps to everyone; all else that is repeated keeps its 64.
    fn list(
        &mut self,
        name: &str,
        item: &Item,
        kind: Option<Kind>,
        values: Option<&Data>,
    ) -> Result<Field, ExportError> {
        match *item {
            Item::Table(number) if is_map(self.plan, number) => {
                let entries = self.item("entries", item, kind, values)?;
                Ok(Field::new(name, "+m", vec![entries]))
            }
            _ => Ok(Field::new(name, "+L", vec![self.item("item", item, kind, values)?])),
        }
    }

    fn item(&mut self, name: &str, item: &Item, kind: Option<Kind>, data: Option<&Data>) -> Result<Field, ExportError> {
        if let Item::Table(number) = item
            && let Some(well_known) = self.plan.shown_as(*number)
        {
            let field = match well_known {
                WellKnown::Timestamp => Field::new(name, "tsn:UTC", Vec::new()),
                WellKnown::Duration => Field::new(name, "tDn", Vec::new()),
                WellKnown::Wrapper => {
                    self.item(name, &self.plan.layout().tables[*number].columns[0].item, None, None)?
                }
            };
            return Ok(field.with("protobuf.message", self.plan.message_name(*number)));
        }
        Ok(match (item, kind, data) {
            (Item::Table(number), _, Some(Data::Table(table))) => self.messages(name, *number, Some(table))?,
            (Item::Table(number), ..) => self.messages(name, *number, None)?,
            (Item::Number { .. }, Some(Kind::Enum(_)), _) if self.options.enums == Enums::Names => {
                let names = Field::new("", "U", Vec::new());
                Field { dictionary: Some(Box::new(names)), ..Field::new(name, "i", Vec::new()) }
            }
            (Item::Number { dtype, .. }, ..) => Field::new(name, format_of(*dtype), Vec::new()),
            (Item::String { is_text: true, .. }, ..) => Field::new(name, "U", Vec::new()),
            (Item::String { is_text: false, .. }, ..) => Field::new(name, "Z", Vec::new()),
        })
    }

    fn union(
        &mut self,
        number: usize,
        oneof: usize,
        members: &[usize],
        table: Option<&Table>,
    ) -> Result<Field, ExportError> {
        let message = self.plan.message(number);
        let name = &self.plan.schema().message(message.message).oneofs[message.oneofs[oneof]].name;
        if members.len() >= MAX_MEMBERS {
            return Err(ExportError::TooManyMembers { oneof: name.clone() });
        }
        // A union has no nulls of its own. No member of a oneof can have a name in brackets of this sort.
        let none = Field::new("(none)", "n", Vec::new()).nullable(true);
        let members = members.iter().map(|&index| self.column(number, index, table));
        let children = [Ok(none)].into_iter().chain(members).collect::<Result<Vec<_>, _>>()?;
        let numbers: Vec<String> = (0..children.len()).map(|number| number.to_string()).collect();
        Ok(Field::new(name, format!("+us:{}", numbers.join(",")), children))
    }
}

/// True where table `number` is the entries of a map with all that Arrow wants of one: a selection may leave values out.
pub(super) fn is_map(plan: &Plan, number: usize) -> bool {
    plan.message(number).is_map_entry && plan.message(number).fields.len() == 2
}

/// What the values of a column are, where it is known from them alone.
fn item_of(data: &Data) -> Item {
    match data {
        Data::Numbers(numbers) => Item::Number { dtype: numbers.dtype, default: 0 },
        Data::Strings(strings) => Item::String { is_text: strings.is_text, default: Box::default() },
        Data::Table(table) => Item::Table(table.number()),
        Data::List(_) => unreachable!("the language has no repeated repeated fields"),
    }
}

fn format_of(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::Bool => "b",
        Dtype::Int32 => "i",
        Dtype::Int64 => "l",
        Dtype::Uint32 => "I",
        Dtype::Uint64 => "L",
        Dtype::Float32 => "f",
        Dtype::Float64 => "g",
    }
}

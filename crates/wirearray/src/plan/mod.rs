//! Schema × selected paths → the flat table that the decoder runs.
//!
//! Every question about the schema is answered here, once: which tags a message knows, what to do at each, where its
//! values go. All errors in names and paths happen here; the decoder meets only errors in bytes. Knows no bytes.

mod assemble;
mod build;
mod moments;
mod names;
mod path;
mod restore;
mod select;
mod step;
mod well_known;

pub use assemble::AssembleError;
pub use build::column_dtype;
pub use moments::{Doubt, MomentFault, MomentParts, are_far_from_faults};
pub use path::{MAX_NAMES, PathError};
pub(crate) use restore::MAX_ROWS;
pub use restore::{RestoreError, TableParts};
pub use select::Selection;
pub use step::{Number, Op, Step};
use well_known::Showing;
pub use well_known::{Shown, WellKnown};

use std::sync::{Arc, OnceLock};

use crate::column::{Batch, Cardinality, Item, Layout};
use crate::schema::{Field, MessageId, Schema};
use crate::wire::Tag;
use step::Steps;

/// A message type of a schema with the paths of it that are decoded. Clones share everything.
#[derive(Debug, Clone)]
pub struct Plan {
    schema: Arc<Schema>,
    layout: Arc<Layout>,
    /// The bytes of the longest default of a string in there.
    longest_default: usize,
    /// How many tables a batch can have, as far as they are counted: not beyond [`Batch::MOST_TABLES`] and one.
    table_count: usize,
    /// One for each message type that can occur, under each selection of it; 0 is the outermost. The numbers are those
    /// of the layout's tables.
    messages: Arc<[MessagePlan]>,
    /// Which messages of well-known types are shown as what they stand for. Columns are the same either way.
    showing: Showing,
}

/// How one message type is decoded.
#[derive(Debug)]
pub struct MessagePlan {
    /// The type in the schema.
    pub message: MessageId,
    /// Which of its fields are decoded.
    selection: Selection,
    /// What its messages stand for, where that is one value.
    well_known: Option<WellKnown>,
    /// The plan of this type as the outermost, once it has been asked for.
    alone: OnceLock<Arc<Plan>>,
    /// The fields that are decoded, one for each column of the table.
    pub fields: Vec<FieldPlan>,
    /// The fields that are not decoded, which tells them from unknown ones. Some matter more. Members of those oneofs:
    /// setting one forgets the others. Values of a closed enum in entries of a map: an unknown one drops its entry.
    pub unselected: Vec<FieldPlan>,
    /// The oneofs of which at least one member is decoded: their places in the schema's message.
    pub oneofs: Vec<usize>,
    /// The places of the fields by ascending number.
    by_number: Box<[u16]>,
    /// The places of the fields that matter to who writes messages also where no value came: required ones, and those of entries
    /// of maps.
    pub always: Box<[u16]>,
    /// The numbers of all fields, decoded or not, ascending.
    numbers: Box<[u32]>,
    /// The places of the fields by ascending name, to find them by it.
    by_name: Box<[u16]>,
    /// The places of the fields that hold points in time or spans of it, or messages that do.
    moments: Box<[u16]>,
    /// True for entries of maps, which are dropped whole where their value is an unknown number of a closed enum.
    pub is_map_entry: bool,
    steps: Steps,
}

/// How one field is decoded.
#[derive(Debug)]
pub struct FieldPlan {
    /// The field's place in the schema's message.
    pub field: usize,
    /// The field's number.
    pub number: u32,
    /// The plan of its message type, where it is a message or group.
    pub message: Option<usize>,
    /// The place in `MessagePlan::oneofs` of the oneof that it is a member of.
    pub oneof: Option<u16>,
    /// The numbers that a closed enum knows, ascending; of a field that is not decoded only where they matter.
    pub known: Box<[i32]>,
}

impl FieldPlan {
    /// True where a closed enum has a name for `number`.
    #[inline]
    pub fn knows(&self, number: u32) -> bool {
        self.known.binary_search(&number.cast_signed()).is_ok()
    }
}

impl Plan {
    /// The plan of everything in a message type.
    pub fn new(schema: Arc<Schema>, message: MessageId) -> Self {
        Self::of_selection(schema, message, &Selection::All)
    }

    /// The plan of the given paths of this plan: dotted names of fields or oneofs, as in `series.times`.
    pub fn select<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Result<Self, PathError> {
        let MessagePlan { message, selection, .. } = &self.messages[0];
        let selection = selection.narrow(&self.schema, *message, paths)?;
        let selected = Self::of_selection(Arc::clone(&self.schema), *message, &selection);
        Ok(Self { showing: self.showing, ..selected })
    }

    /// A plan without any message type: that of columns that hold no messages.
    pub fn of_no_message() -> &'static Arc<Self> {
        static PLAN: OnceLock<Arc<Plan>> = OnceLock::new();
        PLAN.get_or_init(|| {
            let (schema, layout) = (Arc::default(), Arc::default());
            Arc::new(Self {
                schema,
                layout,
                longest_default: 0,
                table_count: 0,
                messages: Arc::new([]),
                showing: Showing::Inner,
            })
        })
    }

    /// The paths that are decoded, as [`Plan::select`] takes them; none where everything is.
    pub fn selected_paths(&self) -> Vec<String> {
        let MessagePlan { message, selection, .. } = &self.messages[0];
        selection.paths(&self.schema, *message)
    }

    /// The plan of the message type of table `number` alone, with what is selected of it there. Made once.
    pub fn of_message(&self, number: usize) -> Arc<Self> {
        let MessagePlan { message, selection, alone, .. } = &self.messages[number];
        let alone = alone.get_or_init(|| Arc::new(Self::of_selection(Arc::clone(&self.schema), *message, selection)));
        alone.showing(self.shows_well_known_types())
    }

    fn of_selection(schema: Arc<Schema>, message: MessageId, selection: &Selection) -> Self {
        let (mut messages, layout) = build::build(&schema, message, selection);
        well_known::note_moments(&mut messages);
        let table_count = layout.count_tables(Batch::MOST_TABLES + 1);
        let longest_default = layout.longest_default();
        let (layout, messages, showing) = (Arc::new(layout), messages.into(), Showing::Inner);
        Self { schema, layout, longest_default, table_count, messages, showing }
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The shape of the columns that it decodes to.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The bytes of the longest default of a string in its layout.
    pub fn longest_default(&self) -> usize {
        self.longest_default
    }

    /// True where messages may bring a batch more than so many tables.
    pub fn may_have_more_tables_than(&self, count: usize) -> bool {
        self.table_count > count.min(Batch::MOST_TABLES)
    }

    /// The plan of a message type, by the number of its table.
    #[inline(always)]
    pub fn message(&self, number: usize) -> &MessagePlan {
        &self.messages[number]
    }

    /// The full name of the message type of table `number`.
    pub fn message_name(&self, number: usize) -> &str {
        &self.schema.message(self.message(number).message).full_name
    }

    /// A column's name: its field's.
    pub fn column_name(&self, number: usize, column: usize) -> &str {
        self.field_name(self.message(number), column)
    }

    /// The name of the field in place `column` of a message plan.
    pub fn field_name(&self, message: &MessagePlan, column: usize) -> &str {
        &self.schema.message(message.message).fields[message.fields[column].field].name
    }

    /// The names of the columns of table `number`.
    pub fn column_names(&self, number: usize) -> impl Iterator<Item = &str> {
        (0..self.message(number).fields.len()).map(move |column| self.column_name(number, column))
    }

    /// The place of the column of that name in table `number`.
    pub fn column_index(&self, number: usize, name: &str) -> Option<usize> {
        let by_name = &self.message(number).by_name;
        let found = by_name.binary_search_by(|&column| self.column_name(number, usize::from(column)).cmp(name));
        found.ok().map(|place| usize::from(by_name[place]))
    }

    /// The schema's field that the column in place `column` of table `number` is for.
    pub fn column_field(&self, number: usize, column: usize) -> &Field {
        let message = self.message(number);
        &self.schema.message(message.message).fields[message.fields[column].field]
    }

    /// True where that column is a map.
    pub fn column_is_map(&self, number: usize, column: usize) -> bool {
        self.layout.tables[number].columns[column].cardinality == Cardinality::Map
    }

    /// True where that column is a message that is there or not.
    pub fn column_is_singular_message(&self, number: usize, column: usize) -> bool {
        let layout = &self.layout.tables[number].columns[column];
        matches!(layout.item, Item::Table(_)) && !layout.cardinality.is_repeated()
    }
}

impl MessagePlan {
    /// What to do at a tag of that one byte; nothing to do at the first byte of a longer one.
    #[inline(always)]
    pub fn step_of_byte(&self, byte: u8) -> Step {
        self.steps.of_byte(byte)
    }

    /// What to do at a tag of two bytes, the second of which has no more behind it.
    #[inline(always)]
    pub fn step_of_two(&self, bytes: [u8; 2]) -> Step {
        self.steps.of_two(bytes)
    }

    /// What to do at a tag.
    #[inline]
    pub fn step(&self, tag: Tag) -> Step {
        self.steps.of_tag(tag)
    }

    /// The point in time or span of it that its messages stand for, if they do.
    #[inline(always)]
    pub fn moment(&self) -> Option<WellKnown> {
        self.well_known.filter(|well_known| well_known.is_moment())
    }

    /// True where there can be points in time, or spans of it, within its messages.
    #[inline(always)]
    pub fn holds_moments(&self) -> bool {
        !self.moments.is_empty()
    }

    /// The place of the field of that number, if it is decoded.
    pub fn field_index(&self, number: u32) -> Option<u16> {
        let number_of = |&place: &u16| self.fields[usize::from(place)].number;
        // Most types have no gaps among their numbers.
        let guess = self.by_number.get((number as usize).wrapping_sub(1));
        if let Some(&place) = guess.filter(|place| number_of(place) == number) {
            return Some(place);
        }
        self.by_number.binary_search_by_key(&number, number_of).ok().map(|index| self.by_number[index])
    }

    /// True where the schema has a field of that number, decoded or not.
    pub fn knows(&self, number: u32) -> bool {
        self.numbers.binary_search(&number).is_ok()
    }
}

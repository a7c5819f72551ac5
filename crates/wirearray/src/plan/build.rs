//! Making the plan: one message plan and one table layout for each message type under each selection of it.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::{FieldPlan, MessagePlan, Number, Op, Selection, Step, WellKnown, step::Steps};
use crate::column::{Cardinality, ColumnLayout, Dtype, Item, Layout, TableLayout};
use crate::schema::{Field, Kind, Message, MessageId, Scalar, Schema};
use crate::wire::{Tag, WireType};

/// The message plans and the layout of `message`, of which `selection` is decoded; both outermost first.
pub(super) fn build(schema: &Schema, message: MessageId, selection: &Selection) -> (Vec<MessagePlan>, Layout) {
    let mut builder = Builder { schema, open: Vec::new(), numbers: HashMap::new() };
    builder.number(message, selection);
    let mut messages = Vec::new();
    let mut layout = Layout::default();
    // Types that fields refer to are added to `open` while it is walked.
    while let Some(&(message, selection)) = builder.open.get(messages.len()) {
        let (plan, table) = builder.message(message, selection);
        messages.push(plan);
        layout.tables.push(table);
    }
    (messages, layout)
}

struct Builder<'a> {
    schema: &'a Schema,
    /// What each number stands for.
    open: Vec<(MessageId, &'a Selection)>,
    /// The numbers of whole message types: recursive types meet themselves here.
    numbers: HashMap<MessageId, usize>,
}

impl<'a> Builder<'a> {
    /// The number of a message type under a selection. A partial selection is finite and gets one for each place.
    fn number(&mut self, message: MessageId, selection: &'a Selection) -> usize {
        let next = self.open.len();
        let number = match selection {
            Selection::All => *self.numbers.entry(message).or_insert(next),
            Selection::Some(_) => next,
        };
        if number == next {
            self.open.push((message, selection));
        }
        number
    }

    fn message(&mut self, id: MessageId, selection: &'a Selection) -> (MessagePlan, TableLayout) {
        let message = self.schema.message(id);
        let is_selected = |&field: &usize| {
            // Without its key no one could tell which entries of a map replace others.
            let is_key = message.is_map_entry && message.fields[field].number == 1;
            is_key || selection.get(field).is_some()
        };
        let is_tracked = |&oneof: &usize| message.oneofs[oneof].fields.iter().any(|&field| is_selected(&field));
        let oneofs: Vec<usize> = (0..message.oneofs.len()).filter(is_tracked).collect();
        let oneof_place = |field: &Field| {
            let of_field = oneofs.iter().take_while(|&&oneof| Some(oneof) != field.oneof);
            field.oneof.map(|_| of_field.count()).filter(|&count| count < oneofs.len()).map(place_number)
        };

        let mut steps = Vec::new();
        // As unknown fields, entries of maps that are dropped belong to the message around them.
        let may_be_dropped = message.is_map_entry && message.fields.iter().any(|field| !self.known(field).is_empty());
        let mut table = TableLayout { columns: Vec::new(), oneofs: oneofs.len(), is_read_at_once: may_be_dropped };
        let (mut fields, mut unselected) = (Vec::new(), Vec::new());
        for (index, field) in message.fields.iter().enumerate() {
            let oneof = oneof_place(field);
            let mut plan =
                FieldPlan { field: index, number: field.number, message: None, oneof, known: Box::default() };
            if !is_selected(&index) {
                // Whether the number is known to a closed enum decides whether a oneof is set, and whether an entry stays.
                if oneof.is_some() || message.is_map_entry {
                    plan.known = self.known(field);
                }
                if field.number <= Tag::MAX_NUMBER {
                    let step = Step { op: Op::Notice, is_in_oneof: oneof.is_some(), column: place(&unselected) };
                    steps.extend(wire_types(field).map(|wire_type| (Tag::new(field.number, wire_type), step)));
                }
                unselected.push(plan);
                continue;
            }
            plan.known = self.known(field);
            let column = place(&fields);
            // An extension in a message set may have a number that no tag can hold: it comes as an item only.
            if field.number <= Tag::MAX_NUMBER {
                add_steps(&mut steps, field, self.op_number(field), column, oneof.is_some());
            }
            if let Kind::Message(of) | Kind::Group(of) = field.kind {
                plan.message = Some(self.number(of, selection.get(index).unwrap_or(&Selection::All)));
            }
            table.columns.push(self.column_layout(message, field, plan.message));
            fields.push(plan);
        }
        if message.is_message_set {
            let step = Step { op: Op::MessageSetItem, ..Step::default() };
            steps.push((Tag::new(1, WireType::StartGroup), step));
        }
        let is_map_entry = message.is_map_entry;
        let mut by_number: Box<[u16]> = (0..place(&fields)).collect();
        by_number.sort_by_key(|&column| fields[usize::from(column)].number);
        let mut numbers: Box<[u32]> = message.fields.iter().map(|field| field.number).collect();
        numbers.sort_unstable();
        let mut by_name = by_number.clone();
        by_name.sort_by_key(|&column| &message.fields[fields[usize::from(column)].field].name);
        let is_always = |&column: &u16| is_map_entry || message.fields[fields[usize::from(column)].field].is_required;
        let always = by_number.iter().copied().filter(is_always).collect();
        let (well_known, moments) = (WellKnown::of(message, selection), Box::default());
        let (selection, steps) = (selection.clone(), Steps::new(steps));
        (
            MessagePlan {
                message: id,
                selection,
                well_known,
                alone: OnceLock::new(),
                fields,
                unselected,
                oneofs,
                by_number,
                always,
                numbers,
                by_name,
                moments,
                is_map_entry,
                steps,
            },
            table,
        )
    }

    fn column_layout(&self, message: &Message, field: &Field, inner: Option<usize>) -> ColumnLayout {
        let cardinality = match field.kind {
            // A part that an entry lacks is its default, and a message not absent but empty.
            _ if message.is_map_entry => Cardinality::Implicit,
            Kind::Message(of) if field.is_repeated && self.schema.message(of).is_map_entry => Cardinality::Map,
            _ if field.is_repeated => Cardinality::Repeated,
            _ if field.has_presence => Cardinality::Explicit,
            _ => Cardinality::Implicit,
        };
        ColumnLayout { item: item(field, inner), cardinality }
    }

    fn op_number(&self, field: &Field) -> Option<Number> {
        Some(match field.kind {
            Kind::Scalar(scalar) => scalar_number(scalar),
            Kind::Enum(id) if self.schema.enumeration(id).is_closed => Number::ClosedEnum,
            Kind::Enum(_) => Number::Varint32,
            _ => return None,
        })
    }

    /// The numbers of a closed enum; an open one knows every number, so none has to be looked up.
    fn known(&self, field: &Field) -> Box<[i32]> {
        let Kind::Enum(id) = field.kind else { return Box::default() };
        let enumeration = self.schema.enumeration(id);
        if !enumeration.is_closed {
            return Box::default();
        }
        let mut known: Vec<i32> = enumeration.values.iter().map(|&(_, number)| number).collect();
        known.sort_unstable();
        known.dedup();
        known.into()
    }
}

/// The place that the next of `items` gets.
fn place<T>(items: &[T]) -> u16 {
    place_number(items.len())
}

fn place_number(place: usize) -> u16 {
    u16::try_from(place).expect("the schema admits at most 65,535 fields in a message")
}

fn item(field: &Field, inner: Option<usize>) -> Item {
    match (inner, column_dtype(field.kind)) {
        (Some(table), _) => Item::Table(table),
        (None, Some(dtype)) => Item::Number { dtype, default: field.default_bits() },
        (None, None) => Item::String { is_text: field.kind != Kind::Bytes, default: field.default_bytes().into() },
    }
}

/// The dtype of a field's column, where it is one of numbers.
pub fn column_dtype(kind: Kind) -> Option<Dtype> {
    match kind {
        Kind::Scalar(scalar) => Some(scalar_dtype(scalar)),
        Kind::Enum(_) => Some(Dtype::Int32),
        _ => None,
    }
}

fn scalar_dtype(scalar: Scalar) -> Dtype {
    match scalar {
        Scalar::Double => Dtype::Float64,
        Scalar::Float => Dtype::Float32,
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => Dtype::Int32,
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => Dtype::Int64,
        Scalar::Uint32 | Scalar::Fixed32 => Dtype::Uint32,
        Scalar::Uint64 | Scalar::Fixed64 => Dtype::Uint64,
        Scalar::Bool => Dtype::Bool,
    }
}

fn scalar_number(scalar: Scalar) -> Number {
    match scalar {
        Scalar::Double | Scalar::Fixed64 | Scalar::Sfixed64 => Number::Fixed64,
        Scalar::Float | Scalar::Fixed32 | Scalar::Sfixed32 => Number::Fixed32,
        Scalar::Int32 | Scalar::Uint32 => Number::Varint32,
        Scalar::Int64 | Scalar::Uint64 => Number::Varint64,
        Scalar::Sint32 => Number::Zigzag32,
        Scalar::Sint64 => Number::Zigzag64,
        Scalar::Bool => Number::Bool,
    }
}

fn number_wire_type(number: Number) -> WireType {
    match number {
        Number::Fixed64 => WireType::Fixed64,
        Number::Fixed32 => WireType::Fixed32,
        _ => WireType::Varint,
    }
}

/// Adds the step of each wire type that the field may be written as.
fn add_steps(steps: &mut Vec<(Tag, Step)>, field: &Field, number: Option<Number>, column: u16, is_in_oneof: bool) {
    let mut add = |wire_type, op| steps.push((Tag::new(field.number, wire_type), Step { op, is_in_oneof, column }));
    match (field.kind, field.is_repeated, number) {
        (_, false, Some(number)) => add(number_wire_type(number), Op::Set(number)),
        (_, true, Some(number)) => {
            add(number_wire_type(number), Op::Append(number));
            add(WireType::Delimited, Op::AppendPacked(number));
        }
        (Kind::String { is_checked: true }, false, _) => add(WireType::Delimited, Op::SetText),
        (Kind::String { is_checked: true }, true, _) => add(WireType::Delimited, Op::AppendText),
        (Kind::Message(_), false, _) => add(WireType::Delimited, Op::Merge),
        (Kind::Message(_), true, _) => add(WireType::Delimited, Op::AppendMessage),
        (Kind::Group(_), false, _) => add(WireType::StartGroup, Op::MergeGroup),
        (Kind::Group(_), true, _) => add(WireType::StartGroup, Op::AppendGroup),
        (_, false, _) => add(WireType::Delimited, Op::SetString),
        (_, true, _) => add(WireType::Delimited, Op::AppendString),
    }
}

/// The wire types that a field may be written as.
fn wire_types(field: &Field) -> impl Iterator<Item = WireType> {
    let own = match field.kind {
        Kind::Scalar(scalar) => number_wire_type(scalar_number(scalar)),
        Kind::Enum(_) => WireType::Varint,
        Kind::Group(_) => WireType::StartGroup,
        _ => WireType::Delimited,
    };
    let packed = (field.is_repeated && column_dtype(field.kind).is_some()).then_some(WireType::Delimited);
    [own].into_iter().chain(packed)
}

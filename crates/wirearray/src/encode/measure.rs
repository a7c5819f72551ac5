//! The first pass: binding a plan to a table, checking what can be wrong, and adding up lengths.

use std::ops::Range;

use super::Options;
use super::check;
use super::message::{
    BoundStrings, Field, Frame, Label, Length, Message, PackedLens, Present, Values, len_of_numbers, range,
};
use super::number::Form;
use crate::column::{Buffer, Column, Data, List, Table, Validity};
use crate::error::{EncodeError, EncodeErrorKind};
use crate::plan::{FieldPlan, Plan};
use crate::schema::{self, Kind};
use crate::wire::{DEPTH_LIMIT, WireType};

/// Measures the messages of tables of one plan.
pub(super) struct Measure<'a> {
    pub(super) plan: &'a Plan,
    pub(super) options: Options,
}

/// What is known of a field when its column is bound.
struct Bound<'a> {
    field: &'a schema::Field,
    plan: &'a FieldPlan,
    rows: Range<usize>,
    /// Levels of messages around it.
    depth: u32,
    is_in_message_set: bool,
}

impl<'a> Measure<'a> {
    /// The messages in `rows` of `table`, measured; `depth` messages are around them.
    pub(super) fn message(&self, table: &'a Table, rows: Range<usize>, depth: u32) -> Result<Message<'a>, EncodeError> {
        let unknown = table.unknown().map(BoundStrings::new);
        let mut message =
            Message { rows: rows.clone(), lens: Buffer::default(), fields: Vec::new(), unknown, is_aligned: false };
        if rows.is_empty() {
            return Ok(message);
        }
        if depth > DEPTH_LIMIT {
            return Err(EncodeError::new(EncodeErrorKind::TooDeep(DEPTH_LIMIT)));
        }
        let plan = self.plan.message(table.number());
        let is_in_message_set = self.plan.schema().message(plan.message).is_message_set;
        // Of types with many fields few may have come. Those that have are written in the order of their numbers.
        let always = plan.always.iter().map(|&column| usize::from(column));
        let mut columns: Vec<usize> = table.places_made().chain(always).collect();
        columns.sort_unstable_by_key(|&column| plan.fields[column].number);
        columns.dedup();
        for column in columns {
            let field = self.plan.column_field(table.number(), column);
            // Both parts of a map's entry are written always.
            let values = if plan.is_map_entry { Some(table.column(column)) } else { table.column_if_made(column) };
            if field.is_required {
                check::required(table, values, rows.clone()).map_err(|error| error.within(&field.name, None))?;
            }
            let Some(values) = values else { continue };
            let bound = Bound { field, plan: &plan.fields[column], rows: rows.clone(), depth, is_in_message_set };
            message.fields.extend(self.field(&bound, values, plan.is_map_entry)?);
        }
        message.is_aligned = message.fields.iter().any(Field::is_aligned);
        message.sum_lens();
        Ok(message)
    }

    /// A field's values, unless no row has any.
    fn field(
        &self,
        bound: &Bound<'a>,
        column: &'a Column,
        is_map_entry: bool,
    ) -> Result<Option<Field<'a>>, EncodeError> {
        let present = match (&column.data, &column.validity) {
            (Data::List(list), _) => return self.list(bound, list),
            (_, Validity::Nothing) => return Ok(None),
            (_, validity) if bound.field.has_presence => Present::of(validity),
            _ if is_map_entry => Present::All,
            _ => Present::NotDefault,
        };
        let (label, values) = match &column.data {
            Data::Numbers(numbers) => {
                let (form, bytes) = (form_of(bound), numbers.values.as_bytes());
                check::numbers(bound.plan, bytes, bound.rows.clone(), &column.validity)
                    .map_err(|(row, error)| bound.at_row(row, error))?;
                (label_of(bound.field, form.wire_type()), Values::Number(form, bytes))
            }
            Data::Strings(strings) => {
                if bound.field.kind == (Kind::String { is_checked: true }) {
                    check::text(strings, bound.rows.clone()).map_err(|(row, error)| bound.at_row(row, error))?;
                }
                (label_of(bound.field, WireType::Delimited), Values::String(BoundStrings::new(strings)))
            }
            Data::Table(table) => {
                if !column.validity.is_set_in(bound.rows.clone()) {
                    return Ok(None);
                }
                let message = self.message(table, bound.rows.clone(), bound.depth + 1);
                let message = message.map_err(|error| error.within(&bound.field.name, None))?;
                let (label, frame) = frame_of(bound, message.is_aligned);
                (label, Values::Message(message, frame))
            }
            Data::List(_) => unreachable!("lists are told apart above"),
        };
        Ok(Some(Field::new(label, present, values)))
    }

    /// The values of a repeated field, unless no row has any.
    fn list(&self, bound: &Bound<'a>, list: &'a List) -> Result<Option<Field<'a>>, EncodeError> {
        let all = list.offsets.range_of_all(bound.rows.clone()).unwrap_or_default();
        if all.is_empty() {
            return Ok(None);
        }
        let (field, offsets) = (bound.field, list.offsets.as_slice());
        let at = |entry: usize, error: EncodeError| {
            let row = offsets.partition_point(|&start| start <= entry as i64) - 1;
            error.within(&field.name, Some(entry - range(offsets, row).start)).in_row(row)
        };
        let (label, values) = match &list.values {
            Data::Numbers(numbers) => {
                let (form, bytes) = (form_of(bound), numbers.values.as_bytes());
                check::numbers(bound.plan, bytes, all, &Validity::All).map_err(|(entry, error)| at(entry, error))?;
                if field.is_packed {
                    let lens = self.packed_lens(bound, form, offsets, bytes);
                    (label_of(field, WireType::Delimited), Values::Packed(offsets, form, bytes, lens))
                } else {
                    (label_of(field, form.wire_type()), Values::Numbers(offsets, form, bytes))
                }
            }
            Data::Strings(strings) => {
                if field.kind == (Kind::String { is_checked: true }) {
                    check::text(strings, all).map_err(|(entry, error)| at(entry, error))?;
                }
                (label_of(field, WireType::Delimited), Values::Strings(offsets, BoundStrings::new(strings)))
            }
            Data::Table(table) => {
                let message = self.message(table, all, bound.depth + 1).map_err(|error| match error.row() {
                    Some(entry) => at(entry, error),
                    None => error.within(&field.name, None),
                })?;
                let (label, frame) = frame_of(bound, message.is_aligned);
                (label, Values::Messages(offsets, message, frame))
            }
            Data::List(_) => unreachable!("the language has no repeated repeated fields"),
        };
        Ok(Some(Field::new(label, Present::All, values)))
    }

    fn packed_lens(&self, bound: &Bound<'a>, form: Form, offsets: &[i64], bytes: &[u8]) -> PackedLens {
        match (form.fixed_width(), self.options.align, form.uniform_len()) {
            (Some(width), Some(align), _) => PackedLens::Aligned { width, align },
            (_, _, Some(len)) => PackedLens::Uniform(len),
            (_, _, None) => {
                let rows = bound.rows.clone();
                let lens = rows.map(|row| len_of_numbers(form, bytes, range(offsets, row)));
                PackedLens::Each { first: bound.rows.start, lens: lens.collect() }
            }
        }
    }
}

impl Bound<'_> {
    /// An error of a singular field's value.
    #[cold]
    fn at_row(&self, row: usize, error: EncodeError) -> EncodeError {
        error.within(&self.field.name, None).in_row(row)
    }
}

fn form_of(bound: &Bound<'_>) -> Form {
    Form::of(bound.field.kind).expect("a column of numbers is made for a number only")
}

fn label_of(field: &schema::Field, wire_type: WireType) -> Label {
    Label::of_tag(field.number, wire_type)
}

/// What stands in front of a message, before its length, and what else is around it.
fn frame_of(bound: &Bound<'_>, is_aligned: bool) -> (Label, Frame) {
    let number = bound.field.number;
    let length = if is_aligned { Length::Padded } else { Length::Minimal };
    if bound.is_in_message_set {
        // A group of number 1 that holds the extension's number in field 2 and its message in field 3.
        let start = Label::of_tag(1, WireType::StartGroup).then(0x10).then(u64::from(number)).then(0x1a);
        return (start, Frame { length, end: Label::of_tag(1, WireType::EndGroup) });
    }
    if matches!(bound.field.kind, Kind::Group(_)) {
        let frame = Frame { length: Length::Absent, end: Label::of_tag(number, WireType::EndGroup) };
        return (Label::of_tag(number, WireType::StartGroup), frame);
    }
    (Label::of_tag(number, WireType::Delimited), Frame { length, end: Label::NONE })
}

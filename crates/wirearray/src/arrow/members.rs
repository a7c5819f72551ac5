//! What a table has in Arrow: a column for each field, or for each oneof. Types that contain themselves end here.

use crate::column::{Column, Item, Table};
use crate::plan::Plan;
use crate::wire::DEPTH_LIMIT;

use super::types::{Depth, Oneofs, Options};

/// One of the columns of a table.
pub(super) enum Member {
    /// The field in that place.
    Field(usize),
    /// The oneof in that place of those that the plan knows, with the places of its members.
    Oneof(usize, Vec<usize>),
}

/// The columns of table `number` of a plan, within the tables that are `open`, itself the last.
///
/// A message type that lies within itself has no end in a schema, but in the data: such a field is there where any row of
/// the table has a value of it. Without a table none has, or where only the type counts. So it is with types deeper than messages
/// nest.
pub(super) fn members(
    plan: &Plan,
    options: Options,
    number: usize,
    open: &[usize],
    table: Option<&Table>,
) -> Vec<Member> {
    let message = plan.message(number);
    let table = table.filter(|_| options.depth == Depth::OfData);
    let mut members = Vec::with_capacity(message.fields.len());
    for (index, field) in message.fields.iter().enumerate() {
        if leads_back(plan, number, index, open) && !table.is_some_and(|table| has_values(table, index)) {
            continue;
        }
        let Some(oneof) = field.oneof.map(usize::from).filter(|_| options.oneofs == Oneofs::Union) else {
            members.push(Member::Field(index));
            continue;
        };
        let is_same = |member: &&mut Member| matches!(member, Member::Oneof(other, _) if *other == oneof);
        match members.iter_mut().find(is_same) {
            Some(Member::Oneof(_, fields)) => fields.push(index),
            _ => members.push(Member::Oneof(oneof, vec![index])),
        }
    }
    members
}

/// The first of the columns of a table that have values and are left out all the same, because only the type counts.
pub(super) fn left_out_with_values(
    plan: &Plan,
    options: Options,
    number: usize,
    open: &[usize],
    table: &Table,
) -> Option<usize> {
    let is_left_out = |&index: &usize| leads_back(plan, number, index, open) && has_values(table, index);
    let count = plan.message(number).fields.len();
    (0..count).find(is_left_out).filter(|_| options.depth == Depth::OfType)
}

fn has_values(table: &Table, index: usize) -> bool {
    table.column_if_made(index).is_some_and(Column::has_values)
}

/// True where a field's messages, or the messages in a map, are of a type that the field lies within, or too deep. An entry of a
/// map has its key and its value, whatever the value is: the map itself was left out or not.
fn leads_back(plan: &Plan, number: usize, index: usize, open: &[usize]) -> bool {
    if plan.message(number).is_map_entry {
        return false;
    }
    let inner = |number: usize, index: usize| match plan.layout().tables[number].columns[index].item {
        Item::Table(inner) => Some(inner),
        _ => None,
    };
    let Some(message) = inner(number, index) else { return false };
    let mut value = None;
    if plan.message(message).is_map_entry {
        value = (0..plan.message(message).fields.len()).find_map(|index| inner(message, index));
    }
    open.len() > DEPTH_LIMIT as usize || [Some(message), value].into_iter().flatten().any(|inner| open.contains(&inner))
}

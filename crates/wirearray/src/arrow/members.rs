//! What a table has in Arrow: a column for each field, or for each oneof. Types that contain themselves end here.

use crate::column::{Column, Item, Table};
use crate::encode::DEPTH_LIMIT;
use crate::plan::Plan;

use super::types::Oneofs;

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
/// the table has a value of it. Without a table none has. So it is with types deeper than messages nest.
pub(super) fn members(
    plan: &Plan,
    oneofs: Oneofs,
    number: usize,
    open: &[usize],
    table: Option<&Table>,
) -> Vec<Member> {
    let message = plan.message(number);
    let mut members = Vec::with_capacity(message.fields.len());
    for (index, field) in message.fields.iter().enumerate() {
        let has_values = || table.and_then(|table| table.column_if_made(index)).is_some_and(Column::has_values);
        // An entry of a map has its key and its value, whatever the value is: the map itself was left out or not.
        if !message.is_map_entry && leads_back(plan, number, index, open) && !has_values() {
            continue;
        }
        let Some(oneof) = field.oneof.map(usize::from).filter(|_| oneofs == Oneofs::Union) else {
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

/// True where a field's messages, or the messages in a map, are of a type that the field lies within, or too deep.
fn leads_back(plan: &Plan, number: usize, index: usize, open: &[usize]) -> bool {
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

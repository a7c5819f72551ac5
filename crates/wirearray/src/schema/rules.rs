//! What a message as a whole must obey, its extensions included.
//!
//! A compiler keeps these rules, a descriptor made by hand or by an attacker may not, and everything after the
//! schema relies on them: numbers and names tell fields apart, and a map entry is a key and a value.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Field, Kind, Message, Oneof, Scalar};
use crate::wire::Tag;

/// The official C library counts the fields of a message in 16 bits, and so may a plan here.
const MAX_FIELDS: usize = 65_535;
/// In a message set the number is not in a tag but in an `int32`.
const MAX_NUMBER_IN_MESSAGE_SET: u32 = i32::MAX as u32;

/// Refuses a message that breaks a rule, with what is wrong.
pub(super) fn check_message(message: &Message) -> Result<(), String> {
    if message.fields.len() > MAX_FIELDS {
        return Err(format!("it has {} fields, and {MAX_FIELDS} are possible", message.fields.len()));
    }
    let max = if message.is_message_set { MAX_NUMBER_IN_MESSAGE_SET } else { Tag::MAX_NUMBER };
    message.fields.iter().try_for_each(|field| check_number(field, max))?;
    if let Some((a, b)) = find_twins(&message.fields, |field| field.number) {
        return Err(format!("fields {} and {} have the same number, {}", a.name, b.name, a.number));
    }
    if let Some((a, _)) = find_twins(&message.fields, |field| field.name.as_str()) {
        return Err(format!("it has two fields {}", a.name));
    }
    if let Some((a, _)) = find_twins(&message.oneofs, |oneof: &Oneof| oneof.name.as_str()) {
        return Err(format!("it has two oneofs {}", a.name));
    }
    if message.is_map_entry {
        check_map_entry(&message.fields)?;
    }
    if message.is_message_set { check_message_set(&message.fields) } else { Ok(()) }
}

fn check_number(field: &Field, max: u32) -> Result<(), String> {
    match field.number {
        number if (1..=max).contains(&number) => Ok(()),
        number => Err(format!("field {} has number {}, not one from 1 to {max}", field.name, number.cast_signed())),
    }
}

/// The first two that are alike.
fn find_twins<'a, T, K: Eq + Hash>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Option<(&'a T, &'a T)> {
    let mut seen = HashMap::with_capacity(items.len());
    items.iter().find_map(|item| seen.insert(key(item), item).map(|earlier| (earlier, item)))
}

fn check_map_entry(fields: &[Field]) -> Result<(), String> {
    match fields {
        [key, value] if is_entry_part(key, 1, "key") && is_entry_part(value, 2, "value") => match key.kind {
            Kind::Scalar(Scalar::Double | Scalar::Float) => Err("the key of a map cannot be floating point".to_owned()),
            Kind::Scalar(_) | Kind::String { .. } => Ok(()),
            _ => Err("the key of a map has to be an integer, bool or string".to_owned()),
        },
        _ => Err("a map entry has to have exactly the singular fields key = 1 and value = 2".to_owned()),
    }
}

fn is_entry_part(field: &Field, number: u32, name: &str) -> bool {
    field.number == number && field.name == name && !field.is_repeated && !field.is_required && field.oneof.is_none()
}

fn check_message_set(fields: &[Field]) -> Result<(), String> {
    let is_legal =
        |field: &&Field| field.name.starts_with('[') && !field.is_repeated && matches!(field.kind, Kind::Message(_));
    match fields.iter().find(|field| !is_legal(field)) {
        Some(field) => Err(format!("a message set holds extensions that are singular messages, not {}", field.name)),
        None => Ok(()),
    }
}

//! Which fields are decoded: all, or those on given paths.

use std::collections::BTreeMap;

use crate::schema::{Kind, MessageId, Schema};

/// A choice of the fields of a message type, and of the fields within them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every field.
    All,
    /// These fields, by their place in the message.
    Some(BTreeMap<usize, Selection>),
}

/// A path that leads to no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no field {name:?} in {message} (path {path:?}); {known}")]
pub struct SelectError {
    /// The whole path.
    pub path: String,
    /// The part of it that is not a field.
    pub name: String,
    /// The full name of the message that was looked in.
    pub message: String,
    /// What fields there are, as a clause.
    pub known: String,
}

impl Selection {
    /// Of this selection of `message`, what lies on `paths`.
    pub(super) fn narrow<'a>(
        &self,
        schema: &Schema,
        message: MessageId,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, SelectError> {
        let mut narrowed = Self::Some(BTreeMap::new());
        for path in paths {
            let chosen = self.along(schema, message, path, path)?;
            narrowed.merge(chosen);
        }
        Ok(narrowed)
    }

    /// Of this selection, what lies on one path.
    fn along(&self, schema: &Schema, message: MessageId, path: &str, whole: &str) -> Result<Self, SelectError> {
        let (name, rest) = split_path(path);
        let fields = self.fields_named(schema, message, name);
        if fields.is_empty() {
            return Err(not_found(self, schema, message, name, whole));
        }
        let mut chosen = BTreeMap::new();
        for field in fields {
            let inner = self.get(field).unwrap_or(&Self::All);
            let selection = match (rest, schema.message(message).fields[field].kind) {
                (None, _) => inner.clone(),
                (Some(rest), Kind::Message(of) | Kind::Group(of)) => inner.along(schema, of, rest, whole)?,
                (Some(_), _) => return Err(not_a_message(schema, message, field, whole)),
            };
            chosen.insert(field, selection);
        }
        Ok(Self::Some(chosen))
    }

    /// The fields that a name stands for: itself, or the members of a oneof.
    fn fields_named(&self, schema: &Schema, message: MessageId, name: &str) -> Vec<usize> {
        let message = schema.message(message);
        let found = match message.field_index(name) {
            Some(field) => vec![field],
            None => {
                message.oneofs.iter().find(|oneof| oneof.name == name).map_or(Vec::new(), |oneof| oneof.fields.clone())
            }
        };
        found.into_iter().filter(|&field| self.get(field).is_some()).collect()
    }

    /// What is selected within a field, or nothing where the field is not selected.
    pub(super) fn get(&self, field: usize) -> Option<&Self> {
        match self {
            Self::All => Some(self),
            Self::Some(fields) => fields.get(&field),
        }
    }

    fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::All, _) => {}
            (_, Self::All) => *self = Self::All,
            (Self::Some(mine), Self::Some(others)) => {
                for (field, selection) in others {
                    mine.entry(field).and_modify(|inner| inner.merge(selection.clone())).or_insert(selection);
                }
            }
        }
    }
}

/// The first name of a path and what follows it; dots within brackets belong to an extension's name.
pub fn split_path(path: &str) -> (&str, Option<&str>) {
    let name_len = if path.starts_with('[') { path.find(']').map_or(path.len(), |end| end + 1) } else { 0 };
    match path[name_len..].find('.') {
        Some(dot) => (&path[..name_len + dot], Some(&path[name_len + dot + 1..])),
        None => (path, None),
    }
}

#[cold]
fn not_found(selection: &Selection, schema: &Schema, message: MessageId, name: &str, path: &str) -> SelectError {
    let message = schema.message(message);
    let names = message.fields.iter().enumerate().filter(|&(index, _)| selection.get(index).is_some());
    let names: Vec<&str> = names.map(|(_, field)| field.name.as_str()).collect();
    let known = if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
    SelectError { path: path.into(), name: name.into(), message: message.full_name.clone(), known }
}

#[cold]
fn not_a_message(schema: &Schema, message: MessageId, field: usize, path: &str) -> SelectError {
    let message = schema.message(message);
    let name = &message.fields[field].name;
    let rest = path.rsplit('.').next().unwrap_or_default();
    SelectError {
        path: path.into(),
        name: rest.into(),
        message: format!("{}.{name}", message.full_name),
        known: "it is not a message and has no fields".into(),
    }
}

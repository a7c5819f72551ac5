//! Which fields are decoded: all, or those on given paths.

use std::collections::BTreeMap;

use super::path::{self, PathError, listed};
use crate::schema::{Kind, MessageId, Schema};

/// A choice of the fields of a message type, and of the fields within them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every field.
    All,
    /// These fields, by their place in the message.
    Some(BTreeMap<usize, Selection>),
}

impl Selection {
    /// Of this selection of `message`, what lies on `paths`.
    pub(super) fn narrow<'a>(
        &self,
        schema: &Schema,
        message: MessageId,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PathError> {
        let mut narrowed = Self::Some(BTreeMap::new());
        for path in paths {
            path::check_len(path)?;
            let chosen = self.along(schema, message, path)?;
            narrowed.merge(chosen);
        }
        Ok(narrowed)
    }

    /// Of this selection, what lies on one path.
    fn along(&self, schema: &Schema, message: MessageId, path: &str) -> Result<Self, PathError> {
        let (name, rest) = path::split(path);
        let fields = self.fields_named(schema, message, name);
        if fields.is_empty() {
            return Err(not_found(self, schema, message, name));
        }
        let mut chosen = BTreeMap::new();
        for field in fields {
            let inner = self.get(field).unwrap_or(&Self::All);
            let selection = match (rest, schema.message(message).fields[field].kind) {
                (None, _) => inner.clone(),
                (Some(rest), Kind::Message(of) | Kind::Group(of)) => inner.along(schema, of, rest)?,
                (Some(rest), _) => {
                    return Err(PathError::NotAMessage { name: path::split(rest).0.into(), field: name.into() });
                }
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

    /// The paths that select the same; none for all.
    pub(super) fn paths(&self, schema: &Schema, message: MessageId) -> Vec<String> {
        let Self::Some(fields) = self else { return Vec::new() };
        let mut paths = Vec::new();
        for (&index, inner) in fields {
            let field = &schema.message(message).fields[index];
            let within = match field.kind {
                Kind::Message(of) | Kind::Group(of) => inner.paths(schema, of),
                _ => Vec::new(),
            };
            if within.is_empty() {
                paths.push(field.name.clone());
            }
            paths.extend(within.iter().map(|path| format!("{}.{path}", field.name)));
        }
        paths
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

#[cold]
fn not_found(selection: &Selection, schema: &Schema, message: MessageId, name: &str) -> PathError {
    let message = schema.message(message);
    let selected = message.fields.iter().enumerate().filter(|&(index, _)| selection.get(index).is_some());
    let known = listed(selected.map(|(_, field)| field.name.as_str()));
    PathError::NoField { name: name.into(), message: message.full_name.clone(), known }
}

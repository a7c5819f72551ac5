//! Turns the files of a descriptor set into a [`Schema`]: names become numbers, features become facts.
//!
//! Puts together messages, enums, oneofs and extensions; [`super::field`] links the single field, and what a message
//! as a whole must obey stands in [`super::rules`]. Every refusal names the file and the thing in it.

use std::collections::{HashMap, HashSet};

use super::descriptor::{RawField, RawFile, RawMessage};
use super::field::FieldLinker;
use super::rules::check_message;
use super::symbols::{
    DeclaredEnum, DeclaredExtension, DeclaredMessage, Scope, Symbols, TypeId, check_name, first_characters, problem_in,
};
use super::{Enum, Field, Message, MessageId, Oneof, Schema};
use crate::error::SchemaError;

/// Links the files of a set that holds all imports; their order does not matter.
pub(super) fn link(files: &[RawFile<'_>]) -> Result<Schema, SchemaError> {
    let symbols = Symbols::of_files(files)?;
    let enums = symbols.enums.iter().map(link_enum).collect::<Result<Vec<_>, _>>()?;
    let linker = Linker { symbols: &symbols, enums: &enums };
    let mut messages =
        symbols.messages.iter().map(|declared| linker.link_message(declared)).collect::<Result<Vec<_>, _>>()?;
    linker.add_extensions(&mut messages)?;
    for (message, declared) in messages.iter().zip(&symbols.messages) {
        check_message(message).map_err(|problem| in_message(&declared.scope, problem))?;
    }
    let names = messages.iter().enumerate().map(|(index, message)| (message.full_name.clone(), MessageId(index)));
    let message_ids = names.collect();
    let sources = sources(files);
    let roots = roots(&sources, &message_ids);
    let sources = sources.iter().map(|file| file.name.to_owned()).collect();
    Ok(Schema { messages, enums, message_ids, sources, roots, descriptor_set: Box::default() })
}

/// The files that no other file of the set imports.
fn sources<'a>(files: &'a [RawFile<'a>]) -> Vec<&'a RawFile<'a>> {
    let imported: HashSet<&str> = files.iter().flat_map(|file| &file.dependencies).copied().collect();
    files.iter().filter(|file| !imported.contains(file.name)).collect()
}

/// The messages that files declare at their top level.
fn roots(files: &[&RawFile<'_>], message_ids: &HashMap<String, MessageId>) -> Vec<MessageId> {
    let full_name = |file: &RawFile<'_>, name: &str| match file.package {
        "" => name.to_owned(),
        package => format!("{package}.{name}"),
    };
    let names = files.iter().flat_map(|file| file.messages.iter().map(|message| full_name(file, message.name)));
    names.filter_map(|name| message_ids.get(&name).copied()).collect()
}

fn link_enum(declared: &DeclaredEnum<'_>) -> Result<Enum, SchemaError> {
    let DeclaredEnum { scope, raw } = declared;
    let values = raw.values.iter().map(|&(name, number)| (name.to_owned(), number)).collect();
    let enumeration = Enum { full_name: scope.name.to_string(), values, is_closed: scope.features.is_closed };
    check_enum(&enumeration).map_err(|problem| problem_in(scope.file, format!("enum {}: {problem}", scope.name)))?;
    Ok(enumeration)
}

fn check_enum(enumeration: &Enum) -> Result<(), String> {
    match enumeration.values.first() {
        None => return Err("it has no values".to_owned()),
        Some((name, 1.. | ..=-1)) if !enumeration.is_closed => {
            return Err(format!("the first value of an open enum has to be zero, and {name} is not"));
        }
        Some(_) => {}
    }
    let mut seen = HashSet::new();
    for (name, _) in &enumeration.values {
        check_name(name)?;
        if !seen.insert(name) {
            return Err(format!("it has two values {name}"));
        }
    }
    Ok(())
}

struct Linker<'a> {
    symbols: &'a Symbols<'a>,
    enums: &'a [Enum],
}

impl Linker<'_> {
    fn link_message(&self, declared: &DeclaredMessage<'_>) -> Result<Message, SchemaError> {
        let DeclaredMessage { scope, path, raw } = declared;
        let link = |field| self.link_field(scope, field, Some(raw)).map_err(|problem| in_field(scope, field, problem));
        let mut fields = raw.fields.iter().map(link).collect::<Result<Vec<_>, _>>()?;
        let oneofs = link_oneofs(raw, &mut fields).map_err(|problem| in_message(scope, problem))?;
        Ok(Message {
            full_name: scope.name.to_string(),
            file: scope.file.name.to_owned(),
            path: path.clone(),
            fields,
            oneofs,
            is_map_entry: raw.is_map_entry,
            is_message_set: raw.is_message_set,
        })
    }

    /// Appends to each message the extensions of it, by number.
    fn add_extensions(&self, messages: &mut [Message]) -> Result<(), SchemaError> {
        let link = |declared: &DeclaredExtension<'_>| {
            self.link_extension(declared).map_err(|problem| in_field(&declared.scope, declared.raw, problem))
        };
        let mut extensions = self.symbols.extensions.iter().map(link).collect::<Result<Vec<_>, _>>()?;
        extensions.sort_by_key(|(_, field)| field.number);
        for (extended, field) in extensions {
            messages[extended.0].fields.push(field);
        }
        Ok(())
    }

    fn link_extension(&self, declared: &DeclaredExtension<'_>) -> Result<(MessageId, Field), String> {
        let DeclaredExtension { scope, raw } = declared;
        let extended = raw.extendee.ok_or("it is an extension, and does not say of which message")?;
        match self.symbols.resolve(scope, extended) {
            Some(TypeId::Message(id)) => {
                let name = format!("[{}]", scope.full_name(raw.name)?);
                Ok((id, Field { name, ..self.link_field(scope, raw, None)? }))
            }
            Some(TypeId::Enum(_)) => Err(format!("it extends {extended}, which is an enum; only messages can be")),
            None => Err(self.symbols.explain_missing(scope, extended)),
        }
    }

    /// Links a field of the message `owner`, or an extension, which has none.
    fn link_field(
        &self,
        scope: &Scope<'_>,
        raw: &RawField<'_>,
        owner: Option<&RawMessage<'_>>,
    ) -> Result<Field, String> {
        FieldLinker { symbols: self.symbols, enums: self.enums, scope, raw, owner }.link()
    }
}

/// The oneofs that the `.proto` declares, their members told so. One that holds a proto3 `optional` field is the
/// descriptor's way of saying `optional`, and is dropped.
fn link_oneofs(raw: &RawMessage<'_>, fields: &mut [Field]) -> Result<Vec<Oneof>, String> {
    let mut oneofs = Vec::new();
    for (declared, members) in raw.oneofs.iter().zip(members_of_oneofs(raw)) {
        check_name(declared.name)?;
        if !members.iter().any(|&member| raw.fields[member].is_proto3_optional) {
            members.iter().for_each(|&member| fields[member].oneof = Some(oneofs.len()));
            oneofs.push(Oneof { name: declared.name.to_owned(), fields: members });
        } else if members.len() > 1 {
            return Err(format!("oneof {} holds a proto3 optional field and others", declared.name));
        }
    }
    Ok(oneofs)
}

/// For each declared oneof the places of its members.
fn members_of_oneofs(raw: &RawMessage<'_>) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); raw.oneofs.len()];
    for (place, field) in raw.fields.iter().enumerate() {
        let index = field.oneof_index.and_then(|index| usize::try_from(index).ok());
        if let Some(members) = index.and_then(|index| members.get_mut(index)) {
            members.push(place);
        }
    }
    members
}

fn in_message(scope: &Scope<'_>, problem: String) -> SchemaError {
    problem_in(scope.file, format!("message {}: {problem}", scope.name))
}

fn in_field(scope: &Scope<'_>, raw: &RawField<'_>, problem: String) -> SchemaError {
    let name = first_characters(raw.name);
    let full_name = if scope.name.is_empty() { name } else { format!("{}.{name}", scope.name) };
    problem_in(scope.file, format!("field {full_name}: {problem}"))
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "link_refusal_tests.rs"]
mod refusal_tests;

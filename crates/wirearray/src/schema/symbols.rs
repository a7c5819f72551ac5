//! The types of all files by full name, and the scope in which each was declared: the linker's first pass.
//!
//! Gives every message and enum its number, works out the features that its fields inherit, and finds a type by the
//! name that a field gives. Refuses what is not a name, one name for two types, and two files of one name.

use std::collections::HashMap;
use std::rc::Rc;

use super::descriptor::{RawEnum, RawField, RawFile, RawMessage};
use super::features::Features;
use super::{EnumId, MessageId};
use crate::error::{Place, SchemaError};

/// The longest full name and the longest file name. Each type repeats both, so without a limit a small descriptor
/// could fill the memory; compilers stop at 511 bytes of package name.
const MAX_NAME_LEN: usize = 1024;

/// Where something was declared.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    pub(super) file: &'a RawFile<'a>,
    /// The full name of the enclosing message, else the package; may be empty.
    pub(super) name: Rc<str>,
    pub(super) features: Features,
}

/// A message or an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeId {
    Message(MessageId),
    Enum(EnumId),
}

/// A message as declared; its scope is the one of its fields, named as the message is.
#[derive(Debug)]
pub(super) struct DeclaredMessage<'a> {
    pub(super) scope: Scope<'a>,
    /// Its number in the file, behind those of the messages around it.
    pub(super) path: Vec<u32>,
    pub(super) raw: &'a RawMessage<'a>,
}

/// An enum as declared, with its own features and full name.
#[derive(Debug)]
pub(super) struct DeclaredEnum<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) raw: &'a RawEnum<'a>,
}

/// An extension as declared, in the scope around it.
#[derive(Debug)]
pub(super) struct DeclaredExtension<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) raw: &'a RawField<'a>,
}

/// Everything that the files declare, in the order of declaration; a number is a place in its list.
#[derive(Debug, Default)]
pub(super) struct Symbols<'a> {
    pub(super) messages: Vec<DeclaredMessage<'a>>,
    pub(super) enums: Vec<DeclaredEnum<'a>>,
    pub(super) extensions: Vec<DeclaredExtension<'a>>,
    types: HashMap<Rc<str>, TypeId>,
    files: HashMap<&'a str, &'a RawFile<'a>>,
}

impl<'a> Symbols<'a> {
    /// Declares everything in `files`. A file that is there twice, byte for byte, counts once.
    pub(super) fn of_files(files: &'a [RawFile<'a>]) -> Result<Self, SchemaError> {
        let mut symbols = Self::default();
        for file in files {
            match symbols.files.insert(file.name, file) {
                None => symbols.declare_file(file)?,
                Some(twin) if twin.bytes == file.bytes => {}
                Some(_) => return Err(problem_in(file, "two different files of this name are in the descriptor set")),
            }
        }
        Ok(symbols)
    }

    /// The type that `name` means in `scope`: with a leading dot its full name, else the innermost that fits.
    pub(super) fn resolve(&self, scope: &Scope<'_>, name: &str) -> Option<TypeId> {
        if let Some(full_name) = name.strip_prefix('.') {
            return self.types.get(full_name).copied();
        }
        let mut around = &*scope.name;
        while !around.is_empty() {
            if let Some(&id) = self.types.get(format!("{around}.{name}").as_str()) {
                return Some(id);
            }
            around = around.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
        self.types.get(name).copied()
    }

    /// What to tell about a type that `scope`'s file names and [`Symbols::resolve`] does not find.
    pub(super) fn explain_missing(&self, scope: &Scope<'_>, name: &str) -> String {
        let missing = scope.file.dependencies.iter().find(|&&import| !self.files.contains_key(import));
        let name = name.strip_prefix('.').unwrap_or(name);
        match missing {
            Some(import) => format!(
                "the type {name} is missing, and so is {import}, which this file imports; make the descriptor set \
                 with --include_imports"
            ),
            None => format!("the type {name} is not declared in this file or its imports"),
        }
    }

    fn declare_file(&mut self, file: &'a RawFile<'a>) -> Result<(), SchemaError> {
        check_file_name(file.name).map_err(SchemaError::invalid)?;
        let in_file = |problem: String| problem_in(file, problem);
        if !file.package.is_empty() {
            file.package.split('.').try_for_each(check_name).map_err(in_file)?;
        }
        let scope = Scope { file, name: file.package.into(), features: Features::of_file(file).map_err(in_file)? };
        self.declare_types(&scope, &[], &file.messages, &file.enums, &file.extensions)
    }

    fn declare_types(
        &mut self,
        scope: &Scope<'a>,
        path: &[u32],
        messages: &'a [RawMessage<'a>],
        enums: &'a [RawEnum<'a>],
        extensions: &'a [RawField<'a>],
    ) -> Result<(), SchemaError> {
        for raw in enums {
            let scope = scope.enter(raw.name, |features| features.with(&raw.features))?;
            self.declare(&scope, TypeId::Enum(EnumId(self.enums.len())))?;
            self.enums.push(DeclaredEnum { scope, raw });
        }
        for (number, raw) in (0..).zip(messages) {
            let scope = scope.enter(raw.name, |features| features.with(&raw.features))?;
            let path = [path, &[number]].concat();
            self.declare(&scope, TypeId::Message(MessageId(self.messages.len())))?;
            self.messages.push(DeclaredMessage { scope: scope.clone(), path: path.clone(), raw });
            self.declare_types(&scope, &path, &raw.messages, &raw.enums, &raw.extensions)?;
        }
        self.extensions.extend(extensions.iter().map(|raw| DeclaredExtension { scope: scope.clone(), raw }));
        Ok(())
    }

    fn declare(&mut self, scope: &Scope<'a>, id: TypeId) -> Result<(), SchemaError> {
        match self.types.insert(scope.name.clone(), id) {
            None => Ok(()),
            Some(_) => Err(problem_in(scope.file, format!("{} is declared twice", scope.name))),
        }
    }
}

impl<'a> Scope<'a> {
    /// The scope of the type `name` declared here, its features changed by `with`.
    fn enter(&self, name: &str, with: impl Fn(Features) -> Result<Features, String>) -> Result<Self, SchemaError> {
        let full_name = check_name(name).and_then(|()| self.full_name(name));
        let name = full_name.map_err(|problem| problem_in(self.file, format!("in {:?}: {problem}", self.name)))?;
        let features = with(self.features).map_err(|problem| problem_in(self.file, format!("{name}: {problem}")))?;
        Ok(Self { file: self.file, name: name.into(), features })
    }

    /// The full name of what is called `name` here.
    pub(super) fn full_name(&self, name: &str) -> Result<String, String> {
        let full_name = if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) };
        if full_name.len() > MAX_NAME_LEN {
            return Err(format!("a full name is longer than {MAX_NAME_LEN} bytes: {full_name:.40}…"));
        }
        Ok(full_name)
    }
}

/// Refuses what the language does not allow as the name of a thing.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let mut bytes = name.bytes();
    let starts_well = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    if starts_well && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(());
    }
    Err(match name {
        "" => "something has no name".to_owned(),
        _ => format!("{:?} is not a name: only letters, digits and _ make one", first_characters(name)),
    })
}

fn check_file_name(name: &str) -> Result<(), String> {
    match name {
        "" => Err("a file of the descriptor set has no name".to_owned()),
        _ if name.len() > MAX_NAME_LEN || name.contains('\0') => {
            Err(format!("{:?} is not a file name", first_characters(name)))
        }
        _ => Ok(()),
    }
}

/// Enough of a name to know it again; a hostile one may be megabytes long.
pub(super) fn first_characters(name: &str) -> String {
    name.chars().take(40).collect()
}

/// A problem of the whole of a file, or of what the message names.
#[cold]
pub(super) fn problem_in(file: &RawFile<'_>, problem: impl Into<String>) -> SchemaError {
    SchemaError::invalid(problem).at(Place { file: file.name.to_owned(), position: None })
}

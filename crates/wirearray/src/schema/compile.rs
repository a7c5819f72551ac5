//! Compiles `.proto` text to a serialized `FileDescriptorSet`, in process, with protox.
//!
//! Here are only the two things that protox leaves open: which file a path or an import means, and what is told when
//! compiling fails. A file's name is its path below the include directory that holds it, as protoc has it; a file
//! that none of them holds is named in its own directory, where its imports are then looked for too.
//! Editions are refused, because protox reads proto2 and proto3; the caller may ask another compiler.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::{fs, io, path};

use miette::Diagnostic;
use protox::Compiler;
use protox::file::{File, FileResolver, GoogleFileResolver};

use super::proto_text::{MAX_NESTING, edition_offset, find_deep_nesting, position, readable};
use crate::error::{Place, SchemaError, SchemaErrorKind};

/// Compiles files with all that they import. A file is found as a path, else in one of the `include` directories,
/// where imports are looked for; google's well-known files are always there.
pub fn compile_files(files: &[PathBuf], include: &[PathBuf]) -> Result<Vec<u8>, SchemaError> {
    let mut sources = Sources { given: Vec::new(), include: include.to_vec() };
    for file in files {
        sources.add_file(file, include)?;
    }
    sources.compile()
}

/// Compiles a text that stands for a file called `file_name`, with all that it imports from the `include` directories.
pub fn compile_source(file_name: &str, text: &str, include: &[PathBuf]) -> Result<Vec<u8>, SchemaError> {
    if import_name(Path::new(file_name)).as_deref() != Some(file_name) {
        return Err(SchemaError::invalid(format!("{file_name:?} cannot be the name of a .proto file")));
    }
    let given = Source { name: file_name.to_owned(), path: None, text: readable(text) };
    Sources { given: vec![given], include: include.to_vec() }.compile()
}

/// The texts that may be asked for by name.
struct Sources {
    /// What is to be compiled; it comes before any file of its name in an include directory.
    given: Vec<Source>,
    include: Vec<PathBuf>,
}

struct Source {
    /// The name by which imports know it.
    name: String,
    path: Option<PathBuf>,
    text: String,
}

impl Sources {
    fn add_file(&mut self, file: &Path, include: &[PathBuf]) -> Result<(), SchemaError> {
        let path = find_file(file, include)?;
        let name = match include.iter().find_map(|directory| name_below(directory, &path)) {
            Some(name) => name,
            None => self.name_in_own_directory(&path)?,
        };
        let text = read_text(&path).map_err(SchemaError::invalid)?;
        match self.given.iter().find(|source| source.name == name).and_then(|source| source.path.as_ref()) {
            None => self.given.push(Source { name, path: Some(path), text }),
            Some(twin) if is_same_file(twin, &path) => {}
            Some(twin) => {
                let (first, second) = (twin.display(), path.display());
                return Err(SchemaError::invalid(format!(
                    "{first} and {second} would both be called {name}; pass include= with a directory above both"
                )));
            }
        }
        Ok(())
    }

    fn name_in_own_directory(&mut self, path: &Path) -> Result<String, SchemaError> {
        let name = path.file_name().and_then(|name| import_name(Path::new(name)));
        let name = name.ok_or_else(|| SchemaError::invalid(format!("{} is not a UTF-8 file name", path.display())))?;
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        if !self.include.contains(&directory) {
            self.include.push(directory);
        }
        Ok(name)
    }

    fn compile(self) -> Result<Vec<u8>, SchemaError> {
        let sources = Rc::new(self);
        let mut compiler = Compiler::with_file_resolver(Resolver(Rc::clone(&sources)));
        compiler.include_imports(true);
        match compiler.open_files(sources.given.iter().map(|source| &source.name)) {
            Ok(compiler) => Ok(compiler.encode_file_descriptor_set()),
            Err(error) => Err(sources.explain(&error)),
        }
    }

    /// The text of that name, if there is one.
    fn text(&self, name: &str) -> Result<Option<String>, String> {
        if let Some(source) = self.given.iter().find(|source| source.name == name) {
            return Ok(Some(source.text.clone()));
        }
        // An import must not lead out of the include directories.
        if import_name(Path::new(name)).is_none() {
            return Ok(None);
        }
        let found = self.include.iter().map(|directory| directory.join(name)).find(|path| path.is_file());
        found.map(|path| read_text(&path)).transpose()
    }

    /// Says where and why compiling failed.
    fn explain(&self, error: &protox::Error) -> SchemaError {
        let Some(file) = error.file() else {
            return SchemaError::invalid(error.to_string());
        };
        let text = self.text(file).ok().flatten().unwrap_or_default();
        let placed = |error: SchemaError, offset: Option<usize>| {
            error.at(Place { file: file.to_owned(), position: offset.map(|offset| position(&text, offset)) })
        };
        if let Some(offset) = edition_offset(&text)
            && error.is_parse()
        {
            return placed(SchemaError::of_kind(SchemaErrorKind::Edition, EDITION_MESSAGE), Some(offset));
        }
        let mut message = error.to_string();
        if error.is_file_not_found() {
            message.push_str("; pass include= with the directory that its name is relative to");
        }
        if let Some(help) = error.help() {
            message.push_str(&format!("; {help}"));
        }
        // What has no label has run into the end of the text.
        let end = error.is_parse().then(|| text.trim_end().len());
        placed(SchemaError::invalid(message), label_offset(error).or(end))
    }
}

const EDITION_MESSAGE: &str = "this file is written in an edition, and the built-in compiler reads proto2 and proto3; \
    a protoc on PATH or the package grpcio-tools is used where found, else make a descriptor set with \
    protoc --include_imports --descriptor_set_out=FILE and pass it to Schema.from_descriptor_set";

/// What protox asks for files. It names no paths, so that a file is what [`Sources`] says it is.
struct Resolver(Rc<Sources>);

impl FileResolver for Resolver {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.text(name).map_err(protox::Error::new)? {
            Some(text) => parse(name, &text),
            None => GoogleFileResolver::new().open_file(name),
        }
    }
}

fn parse(name: &str, text: &str) -> Result<File, protox::Error> {
    match find_deep_nesting(text) {
        None => File::from_source(name, text),
        Some(offset) => {
            let (line, column) = position(text, offset);
            Err(protox::Error::new(format!("{name}:{line}:{column}: nested deeper than {MAX_NESTING} levels")))
        }
    }
}

/// The path at which `file` lies, as given or below an include directory.
fn find_file(file: &Path, include: &[PathBuf]) -> Result<PathBuf, SchemaError> {
    let candidates = std::iter::once(file.to_owned()).chain(include.iter().map(|directory| directory.join(file)));
    let is_readable = |path: &PathBuf| path.exists() && !path.is_dir();
    candidates.into_iter().find(is_readable).ok_or_else(|| {
        let mut message = format!("no such file: {}", file.display());
        if file.is_dir() {
            message.push_str(", which is a directory; name the .proto files in it");
        } else if !include.is_empty() {
            message.push_str(", and none in the include directories");
        }
        SchemaError::of_kind(SchemaErrorKind::FileNotFound, message)
    })
}

/// The name of `file` relative to `directory`, as both are written, else with links and `..` followed.
fn name_below(directory: &Path, file: &Path) -> Option<String> {
    let name = |directory: io::Result<PathBuf>, file: io::Result<PathBuf>| {
        import_name(file.ok()?.strip_prefix(directory.ok()?).ok()?)
    };
    name(path::absolute(directory), path::absolute(file))
        .or_else(|| name(directory.canonicalize(), file.canonicalize()))
}

/// The path as an import writes it, with slashes; `None` unless it only leads downwards.
fn import_name(path: &Path) -> Option<String> {
    let part = |component| match component {
        Component::Normal(part) => part.to_str(),
        _ => None,
    };
    let parts = path.components().map(part).collect::<Option<Vec<_>>>()?;
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn read_text(path: &Path) -> Result<String, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(readable(&text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(format!("{} is not UTF-8 text", path.display()))
        }
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Where protox finds fault, not where it points out what the fault conflicts with.
fn label_offset(error: &protox::Error) -> Option<usize> {
    let labels: Vec<_> = error.labels().into_iter().flatten().collect();
    let is_background = |text: &str| text.starts_with("first") || text.ends_with("range defined here");
    let at_fault = labels.iter().find(|label| !label.label().is_some_and(is_background));
    at_fault.or(labels.first()).map(miette::LabeledSpan::offset)
}

#[cfg(test)]
#[path = "compile_tests.rs"]
mod tests;

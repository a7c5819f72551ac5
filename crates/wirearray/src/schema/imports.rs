//! Of the files of a descriptor set, those that one message needs, each behind the files that it imports.
//!
//! Some readers of descriptor sets take a file only once all that it imports is there, and none likes a file twice. A file that
//! is imported but not in the set is passed over: the linker has found that no type of it is needed.

use std::collections::{HashMap, HashSet};

use super::descriptor::{RawFile, RawMessage};

/// The file of that name, all that it imports, and the files that may extend messages of these; imports first.
pub(super) fn needed_files<'f, 'a>(files: &'f [RawFile<'a>], name: &str) -> Vec<&'f RawFile<'a>> {
    let by_name: HashMap<&str, &RawFile<'a>> = files.iter().map(|file| (file.name, file)).collect();
    let mut needed = Needed { by_name, names: HashSet::new(), files: Vec::new() };
    needed.add(name);
    let mut extending: Vec<&RawFile<'a>> = files.iter().filter(|file| has_extensions(file)).collect();
    loop {
        // Where one extends what another brought, a later round finds it.
        let (found, others) = extending.into_iter().partition(|file| needed.has_imports_of(file));
        extending = others;
        let found: Vec<&RawFile<'a>> = found;
        if found.is_empty() {
            return needed.files;
        }
        found.iter().for_each(|file| needed.add(file.name));
    }
}

struct Needed<'f, 'a> {
    by_name: HashMap<&'a str, &'f RawFile<'a>>,
    names: HashSet<&'a str>,
    files: Vec<&'f RawFile<'a>>,
}

impl<'f, 'a> Needed<'f, 'a> {
    /// Adds a file behind all that it imports. Files that are open stand in a list: chains of imports may be long.
    fn add(&mut self, name: &str) {
        let mut open = Vec::from_iter(self.open(name));
        while let Some((file, imports)) = open.last_mut() {
            match imports.next() {
                Some(import) => {
                    let import = self.open(import);
                    open.extend(import);
                }
                None => {
                    self.files.push(file);
                    open.pop();
                }
            }
        }
    }

    /// A file that is there and has not been seen, and its imports.
    fn open(&mut self, name: &str) -> Option<(&'f RawFile<'a>, std::slice::Iter<'f, &'a str>)> {
        let file = *self.by_name.get(name)?;
        self.names.insert(file.name).then(|| (file, file.dependencies.iter()))
    }

    /// Whether a file imports one that is needed, be it by way of others.
    fn has_imports_of(&self, file: &RawFile<'a>) -> bool {
        let (mut seen, mut open) = (HashSet::new(), vec![file]);
        while let Some(file) = open.pop() {
            for &import in &file.dependencies {
                if self.names.contains(import) {
                    return true;
                }
                if seen.insert(import) {
                    open.extend(self.by_name.get(import));
                }
            }
        }
        false
    }
}

fn has_extensions(file: &RawFile<'_>) -> bool {
    fn has_any(message: &RawMessage<'_>) -> bool {
        !message.extensions.is_empty() || message.messages.iter().any(has_any)
    }
    !file.extensions.is_empty() || file.messages.iter().any(has_any)
}

#[cfg(test)]
mod tests {
    use super::super::{Schema, compile_source, descriptor};
    use super::*;

    fn file<'a>(name: &'a str, imports: &[&'a str]) -> RawFile<'a> {
        RawFile { name, dependencies: imports.to_vec(), ..RawFile::default() }
    }

    fn names(files: &[RawFile<'_>], name: &str) -> Vec<String> {
        needed_files(files, name).iter().map(|file| file.name.to_owned()).collect()
    }

    #[test]
    fn imports_stand_before_what_imports_them_and_others_are_left_out() {
        let files = [
            file("top", &["left", "right", "gone"]),
            file("other", &["base"]),
            file("left", &["base"]),
            file("right", &["left", "base"]),
            file("base", &[]),
            file("left", &["base"]),
        ];
        assert_eq!(names(&files, "top"), ["base", "left", "right", "top"]);
        assert_eq!(names(&files, "right"), ["base", "left", "right"]);
        assert_eq!(names(&files, "base"), ["base"]);
        let circle = [file("a", &["b"]), file("b", &["a"])];
        assert_eq!(names(&circle, "a"), ["b", "a"]);
    }

    #[test]
    fn files_that_extend_what_is_needed_are_needed_too() {
        let extension = || vec![super::super::descriptor::RawField::default()];
        let files = [
            RawFile { extensions: extension(), ..file("far", &["near", "aside"]) },
            RawFile { extensions: extension(), ..file("near", &["public"]) },
            file("public", &["message"]),
            file("message", &[]),
            RawFile { extensions: extension(), ..file("stranger", &["aside"]) },
            file("aside", &[]),
        ];
        let mut found = names(&files, "message");
        assert_eq!(found[0], "message");
        found.sort();
        assert_eq!(found, ["aside", "far", "message", "near", "public", "stranger"]);
        assert_eq!(names(&files, "aside").len(), 6, "far extends either");
    }

    #[test]
    fn a_long_chain_of_imports_needs_no_stack() {
        let names: Vec<String> = (0..100_000).map(|i| i.to_string()).collect();
        let files: Vec<RawFile<'_>> = names
            .iter()
            .enumerate()
            .map(|(i, name)| file(name, &names.get(i + 1).map(|next| &**next).into_iter().collect::<Vec<_>>()))
            .collect();
        assert_eq!(needed_files(&files, "0").first().unwrap().name, "99999");
    }

    #[test]
    fn the_set_of_a_message_is_a_schema_of_its_own() {
        let text = "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";
            message Row { google.protobuf.Timestamp time = 1; }";
        let set = compile_source("row.proto", text, &[]).unwrap();
        let schema = Schema::from_descriptor_set(&[&set[..], &set].concat()).unwrap();
        let set = schema.descriptor_set_of(schema.message_id("Row").unwrap());
        let files = descriptor::read_file_descriptor_set(&set).unwrap();
        assert_eq!(
            files.iter().map(|file| file.name).collect::<Vec<_>>(),
            ["google/protobuf/timestamp.proto", "row.proto"]
        );
        assert!(Schema::from_descriptor_set(&set).unwrap().message_id("Row").is_some());
        let times = schema.descriptor_set_of(schema.message_id("google.protobuf.Timestamp").unwrap());
        assert_eq!(descriptor::read_file_descriptor_set(&times).unwrap().len(), 1);
    }
}

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::Schema;
use super::*;

/// A directory of its own for one test, which goes away with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("wirearray-compile-{}-{number}", std::process::id()));
        for (name, text) in files {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Leaving a few bytes in the temporary directory is no reason to fail.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Full name and file of every message.
fn messages(set: &[u8]) -> Vec<(String, String)> {
    let schema = Schema::from_descriptor_set(set).unwrap();
    schema.messages().map(|(_, message)| (message.full_name.clone(), message.file.clone())).collect()
}

fn error_of(text: &str) -> SchemaError {
    compile_source("x.proto", text, &[]).unwrap_err()
}

fn position_of(error: &SchemaError) -> Option<(usize, usize)> {
    error.place().and_then(|place| place.position)
}

const A: &str = "syntax = 'proto3'; import 'b.proto'; message A { B b = 1; }";
const B: &str = "syntax = 'proto3'; message B {}";

#[test]
fn a_file_is_named_below_its_include_directory() {
    let scratch = Scratch::new(&[("protos/sub/b.proto", B)]);
    let include = [scratch.path("elsewhere"), scratch.path("protos")];
    let expected = [("B".to_owned(), "sub/b.proto".to_owned())];
    for file in
        [scratch.path("protos/sub/b.proto"), PathBuf::from("sub/b.proto"), scratch.path("protos/../protos/sub/b.proto")]
    {
        assert_eq!(messages(&compile_files(&[file], &include).unwrap()), expected);
    }
}

#[test]
fn without_an_include_directory_imports_lie_beside_the_file() {
    let scratch = Scratch::new(&[("protos/a.proto", A), ("protos/b.proto", B), ("more/c.proto", "message C {}")]);
    let files = [scratch.path("protos/a.proto"), scratch.path("more/c.proto"), scratch.path("more/c.proto")];
    let names: Vec<_> = messages(&compile_files(&files, &[]).unwrap()).into_iter().map(|(_, file)| file).collect();
    assert_eq!(names, ["b.proto", "a.proto", "c.proto"]);
}

#[test]
fn two_files_of_one_name_are_refused() {
    let scratch = Scratch::new(&[("one/b.proto", B), ("two/b.proto", "message Other {}")]);
    let error = compile_files(&[scratch.path("one/b.proto"), scratch.path("two/b.proto")], &[]).unwrap_err();
    assert!(error.message().ends_with("would both be called b.proto; pass include= with a directory above both"));
    let both = compile_files(&[scratch.path("one/b.proto"), scratch.path("two/b.proto")], &[scratch.path("")]).unwrap();
    assert_eq!(messages(&both).len(), 2);
}

#[test]
fn a_missing_file_is_told_by_its_path() {
    let scratch = Scratch::new(&[("protos/b.proto", B)]);
    let error = compile_files(&[scratch.path("nowhere.proto")], &[scratch.path("protos")]).unwrap_err();
    assert_eq!(error.kind(), SchemaErrorKind::FileNotFound);
    assert!(error.message().contains(scratch.path("nowhere.proto").to_str().unwrap()), "{error}");
    let error = compile_files(&[scratch.path("protos")], &[]).unwrap_err();
    assert_eq!(error.kind(), SchemaErrorKind::FileNotFound);
    assert!(error.message().ends_with("which is a directory; name the .proto files in it"), "{error}");
}

#[test]
fn a_missing_import_is_placed_in_the_importing_file() {
    let error = error_of("syntax = 'proto3';\n\n  import 'b.proto';\n");
    assert_eq!((error.kind(), position_of(&error)), (SchemaErrorKind::Invalid, Some((3, 3))));
    assert!(error.to_string().starts_with("x.proto:3:3: import 'b.proto' not found; pass include="), "{error}");
}

#[test]
fn imports_are_found_in_include_directories() {
    let scratch = Scratch::new(&[("b.proto", B)]);
    assert_eq!(messages(&compile_source("a.proto", A, &[scratch.path("")]).unwrap()).len(), 2);
}

#[test]
fn well_known_types_are_always_there() {
    let text =
        "syntax = 'proto3'; import 'google/protobuf/timestamp.proto'; message M { google.protobuf.Timestamp t = 1; }";
    let names = messages(&compile_source("m.proto", text, &[]).unwrap());
    assert_eq!(names[0].0, "google.protobuf.Timestamp");
}

#[test]
fn errors_point_at_line_and_column() {
    for (text, expected, message) in [
        ("syntax = 'proto3';\nmessage A {\n  int32 = 1;\n}", (3, 9), "expected an identifier"),
        ("syntax = 'proto3';\nmessage A {", (2, 12), "reached end of file"),
        ("syntax = 'proto3';\nmessage A { Nope a = 1; }", (2, 13), "name 'Nope' is not defined"),
        ("message A { optional int32 a = 1;\noptional int32 b = 1; }", (2, 20), "field number '1' is already used"),
        ("message A { reserved 1;\noptional int32 b = 1; }", (2, 20), "conflicts with reserved range"),
        ("\u{feff}syntax = 'proto4';", (1, 10), "possible values are 'proto2' and 'proto3'"),
    ] {
        let error = error_of(text);
        assert_eq!((error.kind(), position_of(&error)), (SchemaErrorKind::Invalid, Some(expected)), "{error}");
        assert!(error.message().contains(message), "{error}");
    }
}

#[test]
fn editions_are_refused_in_the_file_and_in_its_imports() {
    let edition = "// new\nedition = \"2023\";\nmessage B {}";
    let error = error_of(edition);
    assert_eq!((error.kind(), position_of(&error)), (SchemaErrorKind::Edition, Some((2, 1))));
    assert!(error.message().contains("grpcio-tools") && error.message().contains("from_descriptor_set"));
    let scratch = Scratch::new(&[("b.proto", edition)]);
    let error = compile_source("a.proto", A, &[scratch.path("")]).unwrap_err();
    assert_eq!((error.kind(), error.place().unwrap().file.as_str()), (SchemaErrorKind::Edition, "b.proto"));
}

#[test]
fn texts_that_are_none_are_refused() {
    let scratch = Scratch::new(&[]);
    fs::create_dir_all(&scratch.0).unwrap();
    fs::write(scratch.path("x.proto"), b"message \xff {}").unwrap();
    let error = compile_files(&[scratch.path("x.proto")], &[]).unwrap_err();
    assert!(error.message().ends_with("x.proto is not UTF-8 text"), "{error}");
    for name in ["", "/x.proto", "../x.proto", "a//x.proto"] {
        assert!(compile_source(name, B, &[]).unwrap_err().message().contains("cannot be the name"), "{name}");
    }
}

#[test]
fn hostile_nesting_in_options_is_an_error_not_an_overflow() {
    let head = "import 'google/protobuf/descriptor.proto'; message O { optional O a = 1; }
                extend google.protobuf.FileOptions { optional O foo = 50000; }";
    for deep in [format!("{}{}", "a {".repeat(100_000), "}".repeat(100_000)), "a <".repeat(100_000)] {
        let error = error_of(&format!("{head} option (foo) = {{ {deep} }};"));
        assert!(error.message().contains("x.proto:2:") && error.message().contains("nested deeper"), "{error}");
    }
    assert!(error_of(&format!("{head} option (foo){} = 1;", ".a".repeat(100_000))).message().contains("nested deeper"));
    assert!(compile_source("x.proto", &format!("{head} option (foo) = {{ a {{ a {{}} }} }};"), &[]).is_ok());
}

#[test]
fn options_behind_a_single_extension_number_compile() {
    let text = "syntax = 'proto2'; message M { extensions 5, 7 [verification = UNVERIFIED]; }
                extend M { optional int32 a = 5; optional int32 b = 7; }";
    assert!(compile_source("x.proto", text, &[]).is_ok());
}

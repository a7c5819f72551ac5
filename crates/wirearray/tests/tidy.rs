//! Claims about the repository itself: which module knows which, where `unsafe` may stand, that names in prose exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The modules of the engine, each of which uses only those before it.
const MODULES: [&str; 19] = [
    "error",
    "slots",
    "varint",
    "simd",
    "cores",
    "stack",
    "wire",
    "schema",
    "column",
    "plan",
    "decode",
    "encode",
    "framing",
    "parallel",
    "input",
    "output",
    "stream",
    "arrow",
    "reference",
];

/// What a module must not use though it comes later: columns know no wire format and no schema, encoding no decoding.
const STRANGERS: [(&str, &[&str]); 3] =
    [("column", &["varint", "simd", "wire", "schema"]), ("encode", &["decode"]), ("framing", &["column"])];

/// The files that may say `unsafe`, each with its reason at its top.
const UNSAFE: &[&str] = &[
    "crates/wirearray/src/arrow/abi.rs",
    "crates/wirearray/src/arrow/give.rs",
    "crates/wirearray/src/arrow/give_stream.rs",
    "crates/wirearray/src/column/allocation.rs",
    "crates/wirearray/src/column/buffer.rs",
    "crates/wirearray/src/column/lent.rs",
    "crates/wirearray/src/column/storage.rs",
    "crates/wirearray/src/input.rs",
    "crates/wirearray/src/simd/avx2.rs",
    "crates/wirearray/src/simd/avx2/encode.rs",
    "crates/wirearray/src/simd/avx512/decode.rs",
    "crates/wirearray/src/simd/avx512/gather.rs",
    "crates/wirearray/src/simd/avx512/lanes.rs",
    "crates/wirearray/src/simd/avx512/mod.rs",
    "crates/wirearray/src/simd/encode.rs",
    "crates/wirearray/src/simd/gather.rs",
    "crates/wirearray/src/simd/neon.rs",
    "crates/wirearray/src/simd/prefetch.rs",
    "crates/wirearray/src/simd/shuffle/instructions.rs",
    "crates/wirearray/src/simd/shuffle/list.rs",
    "crates/wirearray/src/simd/shuffle/mod.rs",
    "crates/wirearray/src/simd/shuffle/room.rs",
    "crates/wirearray/src/simd/tagged.rs",
    "crates/wirearray/src/simd/varints.rs",
    "crates/wirearray/src/slots.rs",
    "crates/wirearray/src/wire/writer.rs",
    "python/src/array.rs",
    "python/src/arrow/capsule.rs",
    "python/src/bytes.rs",
    "python/src/gil.rs",
    "python/src/lent.rs",
];

/// Those that bind to other languages, whose pointers are there in builds without `unsafe` too: Python, and C where Arrow has it.
const BINDINGS: [&str; 4] = [
    "python/src/",
    "crates/wirearray/src/arrow/abi.rs",
    "crates/wirearray/src/arrow/give.rs",
    "crates/wirearray/src/arrow/give_stream.rs",
];

/// A file longer than this is asked why; so far none has an answer.
const MAX_LINES: usize = 400;

/// Formatters leave comments alone, and pages; some columns more than code has are borne.
const MOST_COLUMNS: usize = 135;

#[test]
fn the_crate_declares_its_modules_in_the_order_of_their_dependencies() {
    let root = read(&repository().join("crates/wirearray/src/lib.rs"));
    assert_eq!(declared_modules(&root), MODULES);
}

#[test]
fn a_module_uses_only_modules_declared_above_it() {
    let mut faults = Vec::new();
    for file in engine_sources().into_iter().filter(|file| !is_test(file)) {
        let module = module_of(&file);
        let Some(place) = MODULES.iter().position(|&known| known == module) else { continue };
        let strangers = STRANGERS.iter().find(|(of, _)| *of == module).map_or(&[][..], |(_, strangers)| strangers);
        for used in used_modules(&code_without_tests(&read(&file))) {
            let is_above = MODULES[..=place].contains(&used.as_str());
            if !is_above || strangers.contains(&used.as_str()) {
                faults.push(format!("{} uses {used}", show(&file)));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn unsafe_stands_only_in_files_that_are_listed_and_each_says_why() {
    let mut found = BTreeSet::new();
    for file in sources() {
        let text = read(&file);
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        if words.any(|word| word == "unsafe") || text.contains("written!(") {
            found.insert(show(&file));
            assert!(text.contains("allow(unsafe_code, reason = \""), "{} gives no reason", show(&file));
        }
        assert!(!text.contains("allow(unsafe_code") || UNSAFE.contains(&show(&file).as_str()), "{}", show(&file));
    }
    assert_eq!(found, UNSAFE.iter().map(|&file| file.to_owned()).collect());
}

/// The lint denies `unsafe` wherever no file allows it, so what a build with the feature `safe` compiles has none but for what is
/// allowed whatever the features.
#[test]
fn unsafe_outside_of_bindings_is_left_out_of_safe_builds() {
    let is_left_out = |file: &Path| {
        let is_conditional = ["not(feature = \"safe\")", "kernels"]
            .iter()
            .any(|condition| read(file).contains(&format!("#![cfg_attr({condition}, allow(unsafe_code, reason = \"")));
        is_conditional || file.ancestors().any(is_declared_for_unsafe_builds)
    };
    let in_bindings = |file: &Path| BINDINGS.iter().any(|binding| show(file).starts_with(binding));
    let files = UNSAFE.iter().map(|file| repository().join(file));
    let faults: Vec<String> =
        files.filter(|file| !in_bindings(file) && !is_left_out(file)).map(|file| show(&file)).collect();
    assert!(faults.is_empty(), "part of builds without unsafe: {}", faults.join(", "));
}

/// True of a module that is declared behind `#[cfg(not(feature = "safe"))]`, or where there are kernels, which safe builds lack.
fn is_declared_for_unsafe_builds(module: &Path) -> bool {
    let (Some(folder), Some(name)) = (module.parent(), module.file_stem()) else { return false };
    let declaration = format!("mod {};", name.to_string_lossy());
    let parents = [folder.join("mod.rs"), folder.join("lib.rs"), folder.with_extension("rs")];
    parents.iter().filter(|parent| parent.is_file()).any(|parent| {
        let text = read(parent);
        let lines: Vec<&str> = text.lines().collect();
        lines.windows(2).any(|pair| {
            let is_left_out = pair[0] == "#[cfg(not(feature = \"safe\"))]" || pair[0].starts_with("#[cfg(kernels");
            is_left_out && pair[1] == declaration
        })
    })
}

#[test]
fn every_unsafe_block_is_preceded_by_its_safety_comment() {
    // The comment may be separated from the block by the rest of its own statement, not by more.
    const LINES_BETWEEN: usize = 4;
    let mut faults = Vec::new();
    for file in sources() {
        let text = read(&file);
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let is_unsafe = ["unsafe {", "unsafe impl", "written!("].iter().any(|block| code.contains(block));
            let before = &lines[number.saturating_sub(LINES_BETWEEN)..number];
            if is_unsafe && !before.iter().any(|line| line.trim_start().starts_with("// SAFETY:")) {
                faults.push(format!("{}:{}", show(&file), number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "no SAFETY comment above {}", faults.join(", "));
}

#[test]
fn every_path_that_the_architecture_names_exists() {
    let text = read(&repository().join("ARCHITECTURE.md"));
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).filter(|quoted| looks_like_a_path(quoted)).collect();
    assert!(!named.is_empty(), "ARCHITECTURE.md names no path");
    let missing: Vec<_> = named.into_iter().filter(|path| !exists(path)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names {missing:?}, which do not exist");
}

#[test]
fn no_source_file_is_long() {
    let long = |file: &PathBuf| !is_test(file) && read(file).lines().count() > MAX_LINES;
    let faults: Vec<String> = sources().iter().filter(|file| long(file)).map(|file| show(file)).collect();
    assert!(faults.is_empty(), "longer than {MAX_LINES} lines: {}", faults.join(", "));
}

#[test]
fn no_line_of_prose_is_long() {
    let mut texts = sources();
    texts.extend(files(&repository().join("docs"), "md"));
    texts.extend(
        ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| repository().join(page)),
    );
    // Tables have a row a line.
    let is_long = |line: &str| line.chars().count() > MOST_COLUMNS && !line.starts_with('|');
    let faults: Vec<String> =
        texts.iter().filter(|file| read(file).lines().any(is_long)).map(|file| show(file)).collect();
    assert!(faults.is_empty(), "lines longer than {MOST_COLUMNS} columns in {}", faults.join(", "));
}

#[test]
fn every_case_says_why_it_exists() {
    let cases = files(&repository().join("testdata/cases"), "toml");
    assert!(!cases.is_empty());
    let is_silent = |case: &&PathBuf| !read(case).starts_with("# ");
    let faults: Vec<String> = cases.iter().filter(is_silent).map(|case| show(case)).collect();
    assert!(faults.is_empty(), "no comment at the start of {}", faults.join(", "));
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The sources of the engine and of the binding.
fn sources() -> Vec<PathBuf> {
    let mut sources = engine_sources();
    sources.extend(files(&repository().join("python/src"), "rs"));
    sources
}

fn engine_sources() -> Vec<PathBuf> {
    files(&repository().join("crates/wirearray/src"), "rs")
}

/// The files in a folder and in all folders within it.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A file's path from the root of the repository on.
fn show(file: &Path) -> String {
    file.strip_prefix(repository()).unwrap().display().to_string()
}

fn is_test(file: &Path) -> bool {
    file.file_stem().is_some_and(|name| name == "tests" || name.to_string_lossy().ends_with("_tests"))
}

fn declared_modules(root: &str) -> Vec<&str> {
    let names = root.lines().filter_map(|line| line.strip_prefix("pub mod ").or(line.strip_prefix("mod ")));
    names.filter_map(|name| name.strip_suffix(';')).collect()
}

/// The module at the crate's root that a file belongs to.
fn module_of(file: &Path) -> String {
    let below = file.strip_prefix(repository().join("crates/wirearray/src")).unwrap();
    below.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// A file without its comments, and without its tests, which come last.
fn code_without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The modules that follow a `crate::`, also within braces.
fn used_modules(code: &str) -> BTreeSet<String> {
    let first_name =
        |path: &str| path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
    let mut used = BTreeSet::new();
    for path in code.split("crate::").skip(1) {
        match path.strip_prefix('{') {
            Some(list) => used.extend(list.split('}').next().unwrap().split(',').filter_map(first_name)),
            None => used.extend(first_name(path)),
        }
    }
    used.retain(|name| name.starts_with(char::is_lowercase));
    used
}

/// `folder/`, `folder/file` or `file.rs`; not an option, a type, a command or an address.
fn looks_like_a_path(quoted: &str) -> bool {
    let is_plain = quoted.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c));
    let has_extension = [".rs", ".py", ".pyi", ".md", ".toml", ".proto"].iter().any(|end| quoted.ends_with(end));
    let is_ending = quoted.starts_with('.');
    is_plain && !quoted.starts_with('-') && (quoted.contains('/') || (has_extension && !is_ending))
}

/// Paths in prose start at the root, in the engine's sources or in the Python package.
fn exists(path: &str) -> bool {
    let starts = ["", "crates/wirearray", "crates/wirearray/src", "python", "python/src", "python/wirearray"];
    starts.iter().any(|start| repository().join(start).join(path).exists())
}

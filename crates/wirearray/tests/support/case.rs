//! A case file of `testdata/cases`: a schema, bytes, and what comes of decoding them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::{Table, Value};
use wirearray::plan::Plan;
use wirearray::schema::{self, Schema};

/// A case, read from its file.
pub(crate) struct Case {
    /// The file's path below `testdata/cases`.
    pub(crate) name: String,
    /// The plan of everything in the message.
    #[cfg_attr(not(feature = "reference"), expect(dead_code, reason = "for comparisons with the reference decoder"))]
    pub(crate) whole: Plan,
    /// The plan of what the case decodes of it: all, or the paths that it selects.
    pub(crate) plan: Plan,
    /// The messages.
    pub(crate) messages: Vec<Vec<u8>>,
    /// What they decode to.
    pub(crate) verdict: Verdict,
    /// What columns hold in the first row for fields that are not set.
    pub(crate) absent: Table,
    /// The unknown fields of each message where they are kept, by the path of the message within it that has them: of the
    /// message itself alone, or by path. Nothing where the case does not say.
    pub(crate) unknown: Option<Vec<BTreeMap<String, String>>>,
}

/// What comes of decoding a case.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// One row a message: the fields that are set.
    Rows(Vec<Table>),
    /// An error.
    Error { kind: String, offset: usize, path: String, row: Option<usize> },
}

/// Every case there is, by name.
pub(crate) fn read_cases() -> Vec<Case> {
    // Of this package or of the fuzz targets, which lie at other depths.
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("testdata/cases"));
    let folder = above.find(|folder| folder.is_dir()).expect("testdata/cases lies above the package");
    let mut files = Vec::new();
    for theme in read_folder(&folder) {
        files.extend(read_folder(&theme));
    }
    files.iter().flat_map(|file| Case::read_all(&folder, file)).collect()
}

fn read_folder(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

impl Case {
    /// The cases of a file: one, or each of several that have all else in common.
    fn read_all(folder: &Path, file: &Path) -> Vec<Self> {
        let name = file.strip_prefix(folder).unwrap().display().to_string();
        let text = std::fs::read_to_string(file).unwrap();
        let mut common: Table = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let Some(each) = common.remove("each") else { return vec![Self::new(name, common)] };
        let Value::Array(each) = each else { panic!("{name}: each is {each:?}") };
        let one = |(number, own)| {
            Self::new(format!("{name} {number}"), common.clone().into_iter().chain(table(own)).collect())
        };
        each.into_iter().enumerate().map(one).collect()
    }

    fn new(name: String, mut case: Table) -> Self {
        let mut take = |key: &str| case.remove(key);
        let [schema, message] = ["schema", "message"].map(|key| match take(key) {
            Some(Value::String(text)) => text,
            other => panic!("{name}: {key} is {other:?}"),
        });
        let whole = plan(&name, &schema, &message);
        let paths = take("select").map_or(Vec::new(), strings);
        let everything = || plan(&name, &schema, &message);
        let selected = || whole.select(paths.iter().map(String::as_str)).unwrap();
        let plan = if paths.is_empty() { everything() } else { selected() };
        let messages = take("wire").map(strings).unwrap_or_else(|| panic!("{name}: no wire"));
        let messages: Vec<_> = messages.iter().map(|text| read_hex(text)).collect();
        let verdict = match (take("expect"), take("error")) {
            (Some(Value::Table(row)), None) => Verdict::Rows(vec![row]),
            (Some(Value::Array(rows)), None) => Verdict::Rows(rows.into_iter().map(table).collect()),
            (None, Some(Value::Table(error))) => read_error(error),
            other => panic!("{name}: one of expect and error, not {other:?}"),
        };
        let absent = take("absent").map_or(Table::new(), table);
        let unknown = take("unknown").map(|unknown| match unknown {
            Value::Array(of_each) => of_each.into_iter().map(read_unknown).collect(),
            of_one => vec![read_unknown(of_one)],
        });
        assert!(
            unknown.as_ref().is_none_or(|unknown| unknown.len() == messages.len()),
            "{name}: unknown of each message"
        );
        assert!(case.is_empty(), "{name}: unknown keys in {case:?}");
        Self { name, whole, plan, messages, verdict, absent, unknown }
    }
}

fn plan(name: &str, text: &str, message: &str) -> Plan {
    let descriptors = schema::compile_source("case.proto", text, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
    let schema = Schema::from_descriptor_set(&descriptors).unwrap_or_else(|error| panic!("{name}: {error}"));
    let message = schema.message_id(message).unwrap_or_else(|| panic!("{name}: no message {message}"));
    Plan::new(Arc::new(schema), message)
}

/// Bytes as pairs of hexadecimal digits, with comments up to the end of the line. `0b*100` is a byte many times, and
/// `( 0a 00 )*100` are several.
fn read_hex(text: &str) -> Vec<u8> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut open = vec![Vec::new()];
    for word in lines.flat_map(str::split_whitespace) {
        let (word, times) = word.split_once('*').map_or((word, 1), |(word, times)| (word, times.parse().unwrap()));
        match word {
            "(" => open.push(Vec::new()),
            _ => {
                let byte = |word| u8::from_str_radix(word, 16).unwrap_or_else(|_| panic!("{word:?} is no byte"));
                let bytes = if word == ")" { open.pop().unwrap() } else { vec![byte(word)] };
                open.last_mut().expect("what is closed was open").extend(bytes.repeat(times));
            }
        }
    }
    let bytes = open.pop().unwrap();
    assert!(open.is_empty(), "what is open is closed: {text}");
    bytes
}

/// Unknown fields by the path of their message, as [`show_row`](super::show::show_row) shows them.
fn read_unknown(unknown: Value) -> BTreeMap<String, String> {
    let by_path = match unknown {
        Value::Table(by_path) => by_path,
        of_message => Table::from_iter([(String::new(), of_message)]),
    };
    let show = |text| read_hex(text).iter().fold("hex:".to_owned(), |text, byte| format!("{text}{byte:02x}"));
    let shown =
        by_path.iter().map(|(path, text)| (path.clone(), show(text.as_str().expect("unknown fields are text"))));
    shown.filter(|(_, shown)| shown != "hex:").collect()
}

fn read_error(error: Table) -> Verdict {
    let number = |key| error.get(key).and_then(Value::as_integer).map(|number| usize::try_from(number).unwrap());
    let text = |key| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let offset = number("offset").expect("an error says at which byte");
    Verdict::Error { kind: text("kind"), offset, path: text("path"), row: number("row") }
}

fn strings(value: Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.into_iter().flat_map(strings).collect(),
        other => panic!("{other:?} is no text"),
    }
}

fn table(value: Value) -> Table {
    match value {
        Value::Table(table) => table,
        other => panic!("{other:?} is no table"),
    }
}

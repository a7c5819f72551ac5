//! Writes what the targets begin with: the messages and the schemas of `testdata/cases`, below the folder that it is given.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use wirearray::framing::Framing;
use wirearray_fuzz::seeds;
use wirearray_fuzz::stream::framed;

fn main() {
    let corpus = PathBuf::from(std::env::args_os().nth(1).expect("seeds FOLDER"));
    for (place, (number, plan, message)) in seeds().into_iter().enumerate() {
        let write = |target: &str, bytes: Vec<u8>| write(&corpus.join(target), &format!("case-{place}"), &bytes);
        let number = number.to_le_bytes();
        for target in ["decode", "round_trip"] {
            write(target, [&number[..], &[0], &message].concat());
        }
        let framing = place % Framing::NAMES.len();
        let stream = framed(Framing::NAMES[framing].1, [&[], &message[..], &message[..], &[]].into_iter());
        // Bad messages are left out, checksums are looked at.
        write("framing", [&number[..], &[framing as u8 | 16 | 32, 15], &stream].concat());
        let descriptors = plan.schema().descriptor_set_of(plan.message(0).message);
        let len = u16::try_from(descriptors.len()).expect("the schemas of cases are small");
        write("descriptor_set", [&len.to_le_bytes()[..], &descriptors, &message].concat());
        write("varints", [&[0x08, 0x01], &message[..]].concat());
    }
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/cases");
    for (place, text) in schemas(&cases).into_iter().enumerate() {
        write(&corpus.join("schema_text"), &format!("case-{place}"), text.as_bytes());
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

/// The schemas of all cases in a folder.
fn schemas(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(schemas(&path));
        } else {
            let case: Table = fs::read_to_string(&path).unwrap().parse().unwrap();
            let each = case.get("each").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table);
            let texts = std::iter::once(&case).chain(each).filter_map(|case| case.get("schema")?.as_str());
            found.extend(texts.map(str::to_owned));
        }
    }
    found
}

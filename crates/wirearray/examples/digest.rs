//! Prints a digest of what comes of many messages, one line for each: to the bit, so that two builds can be compared.
//!
//! The messages are those of `testdata/cases`, random ones of random schemas, and long runs of numbers of every kind and length.

#![allow(dead_code, reason = "what is shared with tests is not used whole")]

#[path = "../tests/support/case.rs"]
mod case;
#[path = "../tests/support/config.rs"]
mod config;
#[path = "../tests/support/sample.rs"]
mod sample;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use wirearray::column::{Column, Data, Table, Validity};
use wirearray::cores::Cores;
use wirearray::decode::{self, Options};
use wirearray::encode;
use wirearray::plan::Plan;
use wirearray::schema::{Schema, compile_source};

/// The random schemas, each with six messages.
const SAMPLES: u32 = 3000;

fn main() {
    for case in case::read_cases() {
        for message in &case.messages {
            print(&case.name, &case.plan, message);
        }
    }
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config::config(SAMPLES), random);
    for number in 0..SAMPLES {
        let sample = sample::samples().new_tree(&mut runner).unwrap().current();
        sample.messages().for_each(|message| print(&format!("sample {number}"), &sample.plan, message));
    }
    runs();
}

/// Packed and unpacked numbers of every kind, in runs from none to many pages.
fn runs() {
    let kinds = ["int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool", "fixed32", "fixed64"];
    for (kind, len) in kinds.into_iter().flat_map(|kind| [0, 1, 7, 64, 1000, 300_000].map(|len| (kind, len))) {
        let text = format!("syntax = \"proto3\"; message Runs {{ repeated {kind} numbers = 1; }}");
        let schema = Schema::from_descriptor_set(&compile_source("runs.proto", &text, &[]).unwrap()).unwrap();
        let message = schema.message_id("Runs").unwrap();
        let plan = Plan::new(Arc::new(schema), message);
        // Varints of every length, which are fixed numbers as well, in an order that no one would write.
        let varints = (0..len).map(|place: usize| u64::MAX >> (place.wrapping_mul(0x9e37_79b9) >> 7 & 63));
        let (mut packed, mut unpacked) = (Vec::new(), Vec::new());
        for varint in varints {
            let number = match kind {
                "fixed32" => (varint as u32).to_le_bytes().to_vec(),
                "fixed64" => varint.to_le_bytes().to_vec(),
                _ => varint_bytes(varint),
            };
            let wire_type = match kind {
                "fixed32" => 5,
                "fixed64" => 1,
                _ => 0,
            };
            unpacked.push(1 << 3 | wire_type);
            unpacked.extend(&number);
            packed.extend(number);
        }
        let whole = [vec![0x0a], varint_bytes(packed.len() as u64), packed].concat();
        print(&format!("{len} packed {kind}"), &plan, &whole);
        print(&format!("{len} unpacked {kind}"), &plan, &unpacked);
    }
}

fn varint_bytes(value: u64) -> Vec<u8> {
    let (bits, len) = wirearray::varint::encode(value);
    bits.to_le_bytes()[..len].to_vec()
}

/// What comes of a message by one thread and by two, with its unknown fields, and of encoding that again.
fn print(name: &str, plan: &Plan, message: &[u8]) {
    let digests = [Cores::ONE, Cores { threads: Some(2), least_len: 1 }].map(|cores| {
        let options = Options { keep_unknown: true, cores, ..Options::DEFAULT };
        match decode::decode(plan, message.into(), options) {
            Ok(table) => format!("{:016x} {}", digest(&table), encoded(plan, &table)),
            Err(error) => error.to_string(),
        }
    });
    let [one, two] = digests;
    println!("{name}: {one}; {two}");
}

fn encoded(plan: &Plan, table: &Table) -> String {
    let measured = encode::measure(plan, table, 0, encode::Options::default());
    match measured.and_then(|measured| measured.to_strings()) {
        Ok(strings) => format!("{:016x}", hash(|hasher| strings.data.as_bytes().hash(hasher))),
        Err(error) => error.to_string(),
    }
}

fn digest(table: &Table) -> u64 {
    hash(|hasher| hash_table(table, hasher))
}

fn hash(feed: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    feed(&mut hasher);
    hasher.finish()
}

fn hash_table(table: &Table, hasher: &mut DefaultHasher) {
    (table.number(), table.rows()).hash(hasher);
    hash_validity(table.validity(), hasher);
    if let Some(unknown) = table.unknown() {
        hash_data(&Data::Strings(unknown.clone()), hasher);
    }
    for (place, column) in table.columns_with_values() {
        place.hash(hasher);
        hash_column(column, hasher);
    }
}

fn hash_column(column: &Column, hasher: &mut DefaultHasher) {
    hash_validity(&column.validity, hasher);
    hash_data(&column.data, hasher);
}

fn hash_validity(validity: &Validity, hasher: &mut DefaultHasher) {
    match validity {
        Validity::Flags(flags) => flags.as_bytes().hash(hasher),
        other => format!("{other:?}").hash(hasher),
    }
}

fn hash_data(data: &Data, hasher: &mut DefaultHasher) {
    match data {
        Data::Numbers(numbers) => numbers.values.as_bytes().hash(hasher),
        Data::Strings(strings) => {
            strings.offsets.as_slice().hash(hasher);
            strings.data.as_bytes().hash(hasher);
        }
        Data::List(list) => {
            list.offsets.as_slice().hash(hasher);
            hash_data(&list.values, hasher);
        }
        Data::Table(table) => hash_table(table, hasher),
    }
}

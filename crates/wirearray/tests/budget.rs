//! Memory runs short wherever it may, and decoding ends with an error that says so, or as if nothing had been short.

#[path = "support/buffers.rs"]
mod buffers;
#[path = "support/config.rs"]
mod config;
#[path = "support/sample.rs"]
mod sample;

use std::sync::Arc;

use buffers::Buffers;
use config::config;
use proptest::prelude::*;
use sample::samples;
use wirearray::column::{Budget, Table};
use wirearray::cores::Cores;
use wirearray::decode::{self, OnError, Options};
use wirearray::parallel::{self, Decoded, Fault};
use wirearray::plan::Plan;
use wirearray::{DecodeErrorKind, schema};

fn decode(plan: &Plan, messages: &[&[u8]], threads: usize, max_bytes: Option<usize>) -> Decoded {
    let cores = Cores { threads: Some(threads), least_len: 64 };
    // What runs short is no fault of a message that could be left out.
    let options = Options { cores, max_bytes, on_error: OnError::Skip, keep_unknown: true, ..Options::DEFAULT };
    parallel::decode_many(plan, &Buffers(messages), options, Vec::new())
}

/// The table; nothing where memory ran short, in front of which are the first rows.
fn table_within(plan: &Plan, messages: &[&[u8]], threads: usize, limit: usize, expected: &Table) -> Option<Table> {
    match decode(plan, messages, threads, Some(limit)) {
        Decoded { table, stop: None, .. } => Some(table),
        Decoded { table, stop: Some(Fault::Message(error)), .. } => {
            assert_eq!(error.kind(), DecodeErrorKind::MemoryBudget(Some(limit)));
            let first = expected.slice(0..table.rows());
            // To look at them may take more than there is.
            assert_ne!(Budget::default().spend(|| table == first), Ok(false), "{table:?} are not {first:?}");
            None
        }
        Decoded { stop: Some(fault), .. } => panic!("{fault}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config(1000).cases / 4, ..config(1000) })]

    #[test]
    fn whatever_the_budget_the_result_is_right_or_an_error(sample in samples()) {
        let messages = sample.messages().collect::<Vec<_>>().repeat(10);
        for threads in [1, 3] {
            let expected = decode(&sample.plan, &messages, threads, None).table;
            let mut limit = 0;
            loop {
                let table = table_within(&sample.plan, &messages, threads, limit, &expected);
                // What few rows have is made for all of them when it is looked at, and takes its memory then.
                let table = table.filter(|table| Budget::default().spend(|| *table == *table).is_ok());
                match table {
                    Some(table) => break prop_assert_eq!(table, expected),
                    // Small steps, so that memory runs short in as many places as there are.
                    None => limit += 1 + limit / 8,
                }
                prop_assert!(limit < 64 << 20);
            }
        }
    }
}

fn plan() -> Plan {
    let text = "syntax = \"proto3\"; message Rows { repeated Row rows = 1; } message Row { repeated int64 steps = 2; }";
    let schema = schema::Schema::from_descriptor_set(&schema::compile_source("m.proto", text, &[]).unwrap()).unwrap();
    let message = schema.message_id("Rows").unwrap();
    Plan::new(Arc::new(schema), message)
}

/// Rows of which the second has a packed run of so many numbers of one byte.
fn long_run(count: u16) -> Vec<u8> {
    let len = |len: u16| [0x80 | (len & 0x7f) as u8, 0x80 | (len >> 7 & 0x7f) as u8, (len >> 14) as u8];
    let run = [vec![0x12], len(count).to_vec(), vec![1; usize::from(count)]].concat();
    [vec![0x0a, 0x00, 0x0a], len(count + 4).to_vec(), run].concat()
}

#[test]
fn the_error_says_in_which_message_memory_ran_short() {
    let bytes = long_run(60_000);
    let options = Options { max_bytes: Some(100_000), ..Options::DEFAULT };
    let error = decode::decode(&plan(), bytes.as_slice().into(), options).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::MemoryBudget(Some(100_000)));
    assert_eq!((error.offset(), error.path(), error.row()), (2, "rows[1]", None));
    // Memory comes in powers of two from 64 KiB on, also that of two columns of offsets.
    let enough = Options { max_bytes: Some((512 + 2 * 64 + 16) << 10), ..Options::DEFAULT };
    decode::decode(&plan(), bytes.as_slice().into(), enough).unwrap();

    let messages = [b"".as_slice(), b"\x0a\x00", &bytes];
    let decoded = decode(&plan(), &messages, 1, Some(100_000));
    let Some(Fault::Message(error)) = decoded.stop else { panic!("memory ran short") };
    assert_eq!((error.offset(), error.path(), error.row()), (2, "rows[1]", Some(2)));
}

#[test]
fn a_run_that_threads_share_takes_what_it_needs_before_it_is_there() {
    let bytes = [vec![0x0a, 0x85, 0x80, 0x80, 0x04, 0x12, 0x80, 0x80, 0x80, 0x04], vec![1; 8 << 20]].concat();
    for threads in [1, 2, 5] {
        let cores = Cores { threads: Some(threads), least_len: 1 << 20 };
        let decode = |mib: usize| {
            let options = Options { cores, max_bytes: Some(mib << 20), ..Options::DEFAULT };
            decode::decode(&plan(), bytes.as_slice().into(), options).map(|table| table.rows())
        };
        assert_eq!(decode(60).unwrap_err().kind(), DecodeErrorKind::MemoryBudget(Some(60 << 20)));
        assert_eq!(decode(68).unwrap(), 1);
    }
}

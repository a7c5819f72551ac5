//! Several threads give what one gives, to the last bit, wherever pieces end and faults stand.

use std::sync::Arc;

use wirearray::column::{Data, Table};
use wirearray::cores::Cores;
use wirearray::decode::{self, Options};
use wirearray::plan::Plan;
use wirearray::{DecodeError, schema, varint};

const NUMBERS: &str = "syntax = \"proto3\"; message M { \
     repeated int64 a = 1; repeated sint32 b = 2; repeated bool c = 3; repeated double d = 4; repeated float e = 5; \
     repeated double f = 6 [packed = false]; repeated fixed32 g = 600 [packed = false]; }";

fn decode(bytes: &[u8], threads: usize, least_len: usize) -> Result<Table, DecodeError> {
    let schema =
        schema::Schema::from_descriptor_set(&schema::compile_source("m.proto", NUMBERS, &[]).unwrap()).unwrap();
    let message = schema.message_id("M").unwrap();
    let plan = Plan::new(Arc::new(schema), message);
    let cores = Cores { threads: Some(threads), least_len };
    decode::decode(&plan, bytes.into(), Options { cores, ..Options::default() })
}

/// The values of each column, or the error with its place.
fn outcome(result: Result<Table, DecodeError>) -> Result<Vec<Vec<u8>>, String> {
    let table = result.map_err(|error| error.to_string())?;
    let column = |index| {
        let Data::List(list) = &table.column(index).data else { panic!("a list") };
        let Data::Numbers(numbers) = &list.values else { panic!("numbers") };
        numbers.values.as_bytes().to_vec()
    };
    Ok((0..7).map(column).collect())
}

fn check(bytes: &[u8], name: &str) {
    let expected = outcome(decode(bytes, 1, 1));
    for threads in [2, 3, 7] {
        for least_len in [16, 1000, 20_000] {
            assert_eq!(outcome(decode(bytes, threads, least_len)), expected, "{name}, {threads} threads, {least_len}");
        }
    }
}

fn varint(value: u64) -> Vec<u8> {
    let (bytes, len) = varint::encode(value);
    bytes.to_le_bytes()[..len].to_vec()
}

fn packed(number: u64, payload: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(payload.len() as u64), payload.to_vec()].concat()
}

/// Varints of all lengths, in an order that looks random.
fn varints(count: u64) -> Vec<u8> {
    (0..count).flat_map(|i| varint(i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (i * 7 % 64))).collect()
}

fn records(tag: u64, width: usize, count: usize) -> Vec<u8> {
    let record =
        |i: usize| [varint(tag), (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[..width].to_vec()];
    (0..count).flat_map(|i| record(i).concat()).collect()
}

#[test]
fn runs_of_every_kind_are_split_without_a_trace() {
    let flags: Vec<u8> = (0..60_000u32).map(|i| u8::from(i % 3 == 0)).collect();
    let fixed: Vec<u8> = (0..80_000u32).map(|i| i as u8).collect();
    let parts = [
        packed(1, &varints(30_000)),
        packed(2, &varints(20_000)),
        packed(3, &flags),
        packed(4, &fixed),
        packed(5, &fixed),
        records(6 << 3 | 1, 8, 80_000),
        records(600 << 3 | 5, 4, 120_000),
    ];
    check(&parts.concat(), "all kinds");
    for part in &parts {
        check(&[part.as_slice(), part, &records(6 << 3 | 1, 8, 50), part].concat(), "several runs");
    }
}

#[test]
fn a_fault_in_a_split_run_is_found_at_its_byte() {
    let good = varints(4000);
    for place in (0..good.len()).step_by(613) {
        for len in [11, 12, 300, 3000] {
            let mut payload = good.clone();
            payload.splice(place..place, std::iter::repeat_n(0xff, len));
            check(&packed(1, &payload), &format!("{len} bytes too many at {place}"));
        }
    }
    let cut = &good[..good.len() - 1];
    check(&packed(2, &[cut, &[0x80]].concat()), "a cut varint");
}

#[test]
fn an_unpacked_run_ends_where_its_tag_does_though_pieces_behind_were_begun() {
    // Long enough to be split from its start on.
    let good = records(6 << 3 | 1, 8, 80_000);
    for place in [1, 4095, 4096, 4097, 4999, 5000, 5001, 40_000, 79_999] {
        let mut bytes = good.clone();
        // Another field's tag of the same length.
        bytes[place * 9] = 0x19;
        check(&bytes, &format!("another tag at record {place}"));
        check(&good[..place * 9 + 4], &format!("cut in record {place}"));
    }
}

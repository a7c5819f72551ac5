use std::sync::Arc;

use super::*;
use crate::column::Validity;
use crate::decode::{self, Input, Options};
use crate::plan::Shown;
use crate::schema::{Schema, compile_source};

const TEXT: &str = r#"
    syntax = "proto3";
    import "google/protobuf/timestamp.proto";
    import "google/protobuf/duration.proto";
    message M {
      google.protobuf.Timestamp at = 1;
      google.protobuf.Duration took = 2;
      repeated Step steps = 3;
      map<string, google.protobuf.Timestamp> last = 4;
      M inner = 5;
      int32 id = 6;
    }
    message Step { repeated google.protobuf.Timestamp times = 1; google.protobuf.Duration wait = 2; }
"#;

#[test]
fn seconds_and_nanoseconds_become_one_number_up_to_the_last_that_there_is() {
    let last = i64::MAX;
    for total in [0, 1, -1, 999_999_999, -999_999_999, 1_000_000_000, -1_000_000_000, last, -last, last - 1, 1 - last] {
        let (seconds, nanos) = (total.div_euclid(PER_SECOND), total.rem_euclid(PER_SECOND) as i32);
        assert_eq!(totals(&[(seconds, nanos)], WellKnown::Timestamp), Ok(vec![total]), "{total}");
        let (seconds, nanos) = (total / PER_SECOND, (total % PER_SECOND) as i32);
        assert_eq!(totals(&[(seconds, nanos)], WellKnown::Duration), Ok(vec![total]), "{total}");
    }
}

#[test]
fn what_is_no_number_of_nanoseconds_is_a_fault_wherever_it_stands() {
    let largest = i64::MAX / PER_SECOND;
    let both = [(largest, 854_775_808), (-largest - 1, 145_224_191), (i64::MAX, 0), (i64::MIN, 0), (0, i32::MAX)];
    let timestamps =
        [(0, -1), (5, 1_000_000_000), (0, i32::MIN), (-largest - 1, 145_224_192), (-largest - 2, 999_999_999)];
    let durations = [(1, -1), (-1, 1), (0, 1_000_000_000), (0, -1_000_000_000), (-largest, -854_775_808)];
    for (well_known, others) in [(WellKnown::Timestamp, timestamps), (WellKnown::Duration, durations)] {
        for wrong in both.into_iter().chain(others) {
            for place in [0, 1, 1023, 1024, 2999] {
                let mut parts = vec![(7, 9); 3000];
                parts[place] = wrong;
                let fault = totals(&parts, well_known).unwrap_err();
                assert_eq!((fault.row, fault.seconds, fault.nanos), (place, wrong.0, wrong.1), "{well_known:?}");
            }
        }
    }
}

#[test]
fn a_row_without_a_message_is_no_time_whatever_its_columns_hold() {
    let plan = plan();
    let table = moments(
        &[(5, 6), (i64::MAX, -1), (7, 8)],
        WellKnown::Timestamp,
        Validity::Flags([1u8, 0, 1].into_iter().collect::<Buffer<u8>>().freeze()),
    );
    let Ok(Some(Shown::Timestamps(numbers))) = plan.shown(&table) else { panic!("points in time") };
    assert_eq!(numbers.values.as_slice::<i64>(), [5_000_000_006, NOT_A_TIME, 7_000_000_008]);
    let plan = Arc::new(plan).showing(false);
    assert!(matches!(plan.shown(&table), Ok(None)));
}

#[test]
fn every_row_with_a_fault_is_found_with_its_first_field() {
    let plan = plan();
    let rows: Vec<Vec<u8>> = vec![
        at(5, 0),
        at(0, 2_000_000_000),
        [took(1 << 40), at(0, -1)].concat(),
        field(3, &[field(1, &moment(1, 0)), field(1, &moment(2, -7)), field(1, &moment(3, -8))].concat()),
        [field(3, &[]), field(3, &field(2, &moment(-1, 5)))].concat(),
        field(4, &[field(1, b"k"), field(2, &moment(1 << 60, 0))].concat()),
        field(5, &field(5, &at(1, -1))),
        vec![],
    ];
    let inputs = rows.iter().map(|row| (Input::from(row.as_slice()), 0..row.len()));
    let error = decode::decode_many(&plan, inputs.clone(), 0, Options::DEFAULT).unwrap_err();
    assert_eq!((error.row(), error.path(), error.offset()), (Some(1), "at", 0));
    assert_eq!(error.kind().name(), "moment out of range");
    let plan = Arc::new(plan);
    let raw = plan.showing(false);
    let table = decode::decode_many(&raw, inputs, 0, Options::DEFAULT).unwrap();
    assert!(raw.moment_faults(&table).is_empty());
    let faults = plan.moment_faults(&table);
    let found: Vec<_> = faults.iter().map(|fault| (fault.row, fault.path.as_str())).collect();
    let expected = [
        (1, "at"),
        (2, "at"),
        (3, "steps[0].times[1]"),
        (4, "steps[1].wait"),
        (5, "last[0].value"),
        (6, "inner.inner.at"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn only_fields_that_lead_to_moments_are_walked() {
    let plan = plan();
    assert_eq!(*plan.message(0).moments, [0, 1, 2, 3, 4]);
    for (path, well_known) in [("at", Some(WellKnown::Timestamp)), ("at.seconds", None), ("id", None)] {
        let plan = plan.select([path]).unwrap();
        let inner = plan.message(0).fields[0].message;
        assert_eq!(inner.and_then(|inner| plan.shown_as(inner)), well_known, "{path}");
        assert_eq!(plan.message(0).moments.len(), usize::from(well_known.is_some()), "{path}");
    }
}

#[test]
fn the_outermost_message_is_shown_as_what_it_is_by_name() {
    let plan = plan_of("google.protobuf.Timestamp");
    assert_eq!(plan.shown_as(0), None);
    let data = moment(1 << 60, -1);
    assert!(decode::decode(&plan, data.as_slice().into(), Options::DEFAULT).is_ok());
}

/// The plan of message `M`.
fn plan() -> Plan {
    plan_of("M")
}

fn plan_of(message: &str) -> Plan {
    let schema = Schema::from_descriptor_set(&compile_source("m.proto", TEXT, &[]).unwrap()).unwrap();
    let message = schema.message_id(message).unwrap();
    Plan::new(Arc::new(schema), message)
}

/// What the parts of moments come to.
fn totals(parts: &[(i64, i32)], well_known: WellKnown) -> Result<Vec<i64>, MomentFault> {
    let table = moments(parts, well_known, Validity::All);
    nanoseconds(&table, well_known).map(|numbers| numbers.values.as_slice().to_vec())
}

/// A table of moments, as plan `M` has it.
fn moments(parts: &[(i64, i32)], well_known: WellKnown, validity: Validity) -> Table {
    let plan = plan();
    let place = usize::from(well_known == WellKnown::Duration);
    let number = plan.message(0).fields[place].message.unwrap();
    let seconds: Buffer<u64> = parts.iter().map(|part| part.0.cast_unsigned()).collect();
    let nanos: Buffer<u32> = parts.iter().map(|part| part.1.cast_unsigned()).collect();
    let columns = [(Dtype::Int64, seconds.freeze()), (Dtype::Int32, nanos.freeze())];
    let columns = columns.map(|(dtype, values)| {
        Some(Column { data: Data::Numbers(NumberColumn { dtype, values }), validity: Validity::All })
    });
    plan.assemble(number, parts.len(), validity, columns.into()).unwrap()
}

fn at(seconds: i64, nanos: i32) -> Vec<u8> {
    field(1, &moment(seconds, nanos))
}

fn took(seconds: i64) -> Vec<u8> {
    field(2, &moment(seconds, 0))
}

/// The bytes of a `Timestamp` or `Duration`.
fn moment(seconds: i64, nanos: i32) -> Vec<u8> {
    [vec![0x08], varint(seconds.cast_unsigned()), vec![0x10], varint(i64::from(nanos).cast_unsigned())].concat()
}

fn field(number: u8, payload: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2], varint(payload.len() as u64).as_slice(), payload].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

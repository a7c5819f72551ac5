//! Every file of `testdata/cases`, decoded in every way there is.

#[path = "support/case.rs"]
mod case;
#[path = "support/show.rs"]
mod show;

use std::collections::BTreeMap;

use case::{Case, Verdict, read_cases};
use show::{UNKNOWN, show_entry, show_row};
use toml::Value;
use wirearray::DecodeError;
use wirearray::column::Table;
use wirearray::decode::{self, Input, Options};
use wirearray::plan::Plan;

const KEEPING: Options = Options { keep_unknown: true, ..Options::DEFAULT };

#[test]
fn every_case_decodes_as_it_says() {
    check(|case| {
        let verdict = match &case.messages[..] {
            [message] => verdict(&case.plan, decode(&case.plan, message)),
            messages => verdict(&case.plan, decode_many(&case.plan, messages)),
        };
        same(verdict, &case.verdict)
    });
}

#[test]
fn fields_that_are_not_set_hold_their_defaults() {
    check(|case| {
        let Verdict::Rows(rows) = &case.verdict else { return Ok(()) };
        let table = decode_many(&case.plan, &case.messages).unwrap();
        for (name, expected) in &case.absent {
            let index = case.plan.column_index(0, name).ok_or(format!("no field {name}"))?;
            assert!(!rows[0].contains_key(name), "{}: {name} is both set and absent", case.name);
            same(show_entry(&case.plan, table.column(index), 0), expected)?;
        }
        Ok(())
    });
}

#[test]
fn messages_decode_alone_as_they_do_among_many() {
    check(|case| {
        let Verdict::Rows(rows) = &case.verdict else { return Ok(()) };
        let twice: Vec<Vec<u8>> = case.messages.iter().chain(&case.messages).cloned().collect();
        let expected = rows.iter().chain(rows).cloned().collect();
        same(verdict(&case.plan, decode_many(&case.plan, &twice)), &Verdict::Rows(expected))?;
        for (message, row) in case.messages.iter().zip(rows) {
            same(verdict(&case.plan, decode(&case.plan, message)), &Verdict::Rows(vec![row.clone()]))?;
        }
        Ok(())
    });
}

#[test]
fn unknown_fields_are_kept_where_that_is_wanted() {
    check(|case| {
        let Some(expected) = &case.unknown else { return Ok(()) };
        for (message, expected) in case.messages.iter().zip(expected) {
            let table = decode_keeping(&case.plan, message).map_err(|error| error.to_string())?;
            let (mut found, mut row) = (BTreeMap::new(), Value::Table(show_row(&case.plan, &table, 0)));
            take_unknown(&mut row, "", &mut found);
            same(found, expected)?;
            let forgetting = decode(&case.plan, message).unwrap();
            same(row, &Value::Table(show_row(&case.plan, &forgetting, 0)))?;
        }
        Ok(())
    });
}

/// Takes the unknown fields out of what was shown of a row, each with the path of the message that has them.
fn take_unknown(shown: &mut Value, path: &str, found: &mut BTreeMap<String, String>) {
    match shown {
        Value::Table(row) => {
            if let Some(Value::String(unknown)) = row.remove(UNKNOWN) {
                found.insert(path.to_owned(), unknown);
            }
            let dot = if path.is_empty() { "" } else { "." };
            row.iter_mut().for_each(|(name, value)| take_unknown(value, &format!("{path}{dot}{name}"), found));
        }
        Value::Array(items) => {
            let items = items.iter_mut().enumerate();
            items.for_each(|(index, item)| take_unknown(item, &format!("{path}[{index}]"), found));
        }
        _ => {}
    }
}

#[test]
fn an_error_among_many_names_its_row() {
    check(|case| {
        let (Verdict::Error { kind, offset, path, .. }, [message]) = (&case.verdict, &case.messages[..]) else {
            return Ok(());
        };
        let (kind, path) = (kind.clone(), path.clone());
        let expected = Verdict::Error { kind, offset: *offset, path, row: Some(2) };
        same(verdict(&case.plan, decode_many(&case.plan, &[vec![], vec![], message.clone()])), &expected)
    });
}

#[cfg(feature = "reference")]
#[test]
fn the_reference_decoder_agrees_on_every_case() {
    check(|case| {
        case.messages.iter().try_for_each(|message| agree(&case.plan, message))?;
        case.messages.iter().try_for_each(|message| agree(&case.whole, message))
    });
}

#[cfg(feature = "reference")]
#[test]
fn every_beginning_of_a_message_gets_the_same_verdict_from_both_decoders() {
    check(|case| {
        let beginnings = case.messages.iter().flat_map(|message| (0..message.len()).map(|end| &message[..end]));
        beginnings.into_iter().try_for_each(|beginning| {
            agree(&case.whole, beginning).map_err(|fault| format!("its first {} bytes: {fault}", beginning.len()))
        })
    });
}

/// Both decoders give the same table, unknown fields and all, or an error of the same kind at the same byte, whether or not
/// messages within others are kept unread.
#[cfg(feature = "reference")]
fn agree(plan: &Plan, message: &[u8]) -> Result<(), String> {
    let slow = wirearray::reference::decode(plan, message, KEEPING);
    [Options::DEFAULT.most_tables, 1, 2].into_iter().try_for_each(|most_tables| {
        let fast = decode::decode(plan, message.into(), Options { most_tables, ..KEEPING });
        match (&fast, &slow) {
            (Ok(fast), Ok(slow)) if fast == slow => Ok(()),
            (Err(fast), Err(slow)) if (fast.kind(), fast.offset()) == (slow.kind(), slow.offset()) => Ok(()),
            _ => Err(format!("with {most_tables} tables: decoder {fast:?}, reference {slow:?}")),
        }
    })
}

#[test]
fn the_path_of_an_error_names_the_fields_of_messages_that_are_kept_unread() {
    check(|case| {
        let without_numbers = |path: &str| path.split(['[', ']']).step_by(2).collect::<String>();
        case.messages.iter().try_for_each(|message| {
            let unread = decode::decode(&case.plan, message.as_slice().into(), Options { most_tables: 1, ..KEEPING });
            let path = |decoded: Result<Table, DecodeError>| decoded.err().map(|error| without_numbers(error.path()));
            same(path(unread), &path(decode_keeping(&case.plan, message)))
        })
    });
}

/// Runs a check on every case, and fails with the names of all that did not pass.
fn check(run: impl Fn(&Case) -> Result<(), String>) {
    let cases = read_cases();
    assert!(cases.len() > 40, "only {} cases: is testdata whole?", cases.len());
    let fault_of = |case: &Case| run(case).err().map(|fault| format!("{}: {fault}", case.name));
    let faults: Vec<String> = cases.iter().filter_map(fault_of).collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: &T) -> Result<(), String> {
    if found == *expected { Ok(()) } else { Err(format!("{found:?}, not {expected:?}")) }
}

fn decode(plan: &Plan, message: &[u8]) -> Result<Table, DecodeError> {
    decode::decode(plan, message.into(), Options::default())
}

fn decode_keeping(plan: &Plan, message: &[u8]) -> Result<Table, DecodeError> {
    decode::decode(plan, message.into(), KEEPING)
}

fn decode_many(plan: &Plan, messages: &[Vec<u8>]) -> Result<Table, DecodeError> {
    let total_len = messages.iter().map(Vec::len).sum();
    let inputs = messages.iter().map(|message| (Input::from(message.as_slice()), 0..message.len()));
    decode::decode_many(plan, inputs, total_len, Options::default())
}

fn verdict(plan: &Plan, decoded: Result<Table, DecodeError>) -> Verdict {
    match decoded {
        Ok(table) => Verdict::Rows((0..table.rows()).map(|row| show_row(plan, &table, row)).collect()),
        Err(error) => {
            let (kind, path) = (error.kind().name().to_owned(), error.path().to_owned());
            Verdict::Error { kind, offset: error.offset(), path, row: error.row() }
        }
    }
}

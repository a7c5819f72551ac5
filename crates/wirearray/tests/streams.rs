//! Every file of `testdata/cases` once more, among other messages of a stream: mapped or read, by one thread or several.

#[path = "support/case.rs"]
#[allow(dead_code, reason = "parts of a case are for messages that are decoded alone")]
mod case;
#[path = "support/show.rs"]
mod show;

use std::io::Read;

use case::{Case, Verdict, read_cases};
use show::show_row;
use wirearray::cores::Cores;
use wirearray::decode::{OnError, Options};
use wirearray::framing::Framing;
use wirearray::parallel::{Decoded, Fault, Wanted, decode_source};
use wirearray::stream::{Chain, Format, Opener, Part};

/// The messages of a case between empty ones, in frames, with where the first of its own starts.
fn framed(case: &Case, framing: Framing) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut starts) = (Vec::new(), Vec::new());
    let empty = [const { Vec::new() }; 3];
    for message in empty.iter().chain(&case.messages).chain(&empty) {
        framing.put_header(message.len(), &mut bytes).unwrap();
        starts.push(bytes.len());
        bytes.extend(message);
        framing.put_footer(message, &mut bytes);
    }
    (bytes, starts)
}

fn decode(case: &Case, part: Part, framing: Framing, threads: usize, on_error: OnError) -> Decoded {
    let mut chain = Chain::new([part], Format { framing, verify: true }, true);
    chain.prepare();
    let cores = Cores { threads: Some(threads), least_len: 1 };
    decode_source(&case.plan, &mut chain, Wanted::ALL, Options { cores, on_error, ..Options::DEFAULT })
}

/// Decodes a stream in each way there is, and hands over what came of it and a name of the way.
fn in_each_way(case: &Case, on_error: OnError, check: impl Fn(Decoded, &[usize], &str)) {
    let file = tempfile::NamedTempFile::new().unwrap();
    for framing in [Framing::Delimited, Framing::TfRecord] {
        let (bytes, starts) = framed(case, framing);
        std::fs::write(file.path(), &bytes).unwrap();
        for threads in [1, 3] {
            let reader = bytes.clone();
            let read =
                Opener::Reader(Box::new(move || Ok(Box::new(std::io::Cursor::new(reader)) as Box<dyn Read + Send>)));
            for (sort, opener) in [("mapped", Opener::Path(file.path().to_owned())), ("read", read)] {
                let part = Part { name: None, opener, compression: None, extent: 0..u64::MAX };
                let way = format!("{}, {}, {sort}, {threads} threads", case.name, framing.name());
                check(decode(case, part, framing, threads, on_error), &starts, &way);
            }
        }
    }
}

#[test]
fn every_case_decodes_from_a_stream_as_it_says() {
    for case in read_cases() {
        in_each_way(&case, OnError::Raise, |decoded, starts, way| {
            let shown = |row| show_row(&case.plan, &decoded.table, row);
            match (&case.verdict, &decoded.stop) {
                (Verdict::Rows(rows), None) => {
                    assert_eq!(decoded.table.rows(), rows.len() + 6, "{way}");
                    assert_eq!((3..rows.len() + 3).map(shown).collect::<Vec<_>>(), *rows, "{way}");
                }
                (Verdict::Error { kind, offset, path, row }, Some(Fault::Message(error))) => {
                    let row = 3 + row.unwrap_or(0);
                    let found = (error.kind().name(), error.offset(), error.path(), error.row());
                    assert_eq!(found, (kind.as_str(), starts[row] + offset, path.as_str(), Some(row)), "{way}");
                    assert_eq!(decoded.table.rows(), row, "{way}");
                }
                (expected, stop) => panic!("{way}: {stop:?}, not {expected:?}"),
            }
        });
    }
}

#[test]
fn what_is_left_out_of_a_stream_leaves_no_trace_but_its_error() {
    for case in read_cases() {
        in_each_way(&case, OnError::Skip, |decoded, starts, way| {
            assert!(decoded.stop.is_none(), "{way}: {:?}", decoded.stop);
            assert_eq!(decoded.table.rows() + decoded.faults.len(), starts.len(), "{way}");
            assert_eq!(decoded.faults.is_empty(), matches!(case.verdict, Verdict::Rows(_)), "{way}");
            let ends = [0, 1, 2].into_iter().chain(decoded.table.rows() - 3..decoded.table.rows());
            let empty = show_row(&case.plan, &decoded.table, 0);
            for row in ends {
                assert_eq!(show_row(&case.plan, &decoded.table, row), empty, "{way}: row {row}");
            }
        });
    }
}

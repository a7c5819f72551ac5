use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::cores::Cores;
use crate::decode::{OnError, Options};
use crate::parallel::{Decoded, Fault, Wanted, decode_source};
use crate::plan::Plan;
use crate::{DecodeErrorKind, schema};

const DELIMITED: Format = Format { framing: Framing::Delimited, verify: true };

fn plan() -> Arc<Plan> {
    let text = "syntax = \"proto3\"; message Row { int64 number = 1; string text = 2; }";
    let descriptors = schema::compile_source("row.proto", text, &[]).unwrap();
    let schema = Arc::new(schema::Schema::from_descriptor_set(&descriptors).unwrap());
    let message = schema.message_id("Row").unwrap();
    Arc::new(Plan::new(schema, message))
}

/// Messages `number: i, text: "x" * (i % 300)`, delimited.
fn rows(range: Range<usize>) -> Vec<u8> {
    let mut out = Vec::new();
    for i in range {
        let mut message = vec![8, (i & 0x7f) as u8 | 0x80, (i >> 7 & 0x7f) as u8 | 0x80, (i >> 14) as u8];
        if i % 300 > 0 {
            message.push(0x12);
            Framing::Delimited.put_header(i % 300, &mut message).unwrap();
            message.extend(vec![b'x'; i % 300]);
        }
        Framing::Delimited.put_header(message.len(), &mut out).unwrap();
        out.extend(message);
    }
    out
}

fn part(bytes: Vec<u8>, name: &str) -> Part {
    let open = move || Ok(Box::new(std::io::Cursor::new(bytes)) as Box<dyn Read + Send>);
    Part { name: Some(name.into()), opener: Opener::Reader(Box::new(open)), compression: None, extent: 0..u64::MAX }
}

fn decode(parts: Vec<Part>, threads: usize, on_error: OnError) -> Decoded {
    let mut chain = Chain::new(parts, DELIMITED, true);
    chain.prepare();
    let cores = Cores { threads: Some(threads), least_len: 1 };
    decode_source(&plan(), &mut chain, Wanted::ALL, Options { cores, on_error, ..Options::DEFAULT })
}

fn numbers(decoded: &Decoded) -> Vec<u64> {
    let crate::column::Data::Numbers(numbers) = &decoded.table.column(0).data else { panic!("numbers") };
    numbers.values.as_slice::<u64>().to_vec()
}

#[test]
fn streams_of_any_length_are_read_by_one_thread_or_several_compressed_or_not() {
    for count in [0, 1, 7, 20_000] {
        let bytes = rows(0..count);
        let expected: Vec<u64> = (0..count as u64).collect();
        for compression in [None, Some(Compression::Gzip), Some(Compression::Zstd), Some(Compression::Lz4)] {
            let mut compressor = Compressor::new(Vec::new(), compression).unwrap();
            compressor.write_all(&bytes).unwrap();
            let compressed = compressor.finish().unwrap();
            for threads in [1, 2, 5] {
                let decoded = decode(vec![part(compressed.clone(), "a")], threads, OnError::Raise);
                assert!(decoded.stop.is_none(), "{:?}", decoded.stop);
                assert_eq!(numbers(&decoded), expected, "{count} {compression:?} {threads}");
            }
        }
    }
}

#[test]
fn streams_follow_one_another_and_so_do_compressed_ones_in_one_file() {
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let both = [zstd(&rows(0..5)), zstd(&rows(5..9000))].concat();
    let mut lz4 = Vec::new();
    for range in [9000..9001, 9001..9500] {
        let mut compressor = Compressor::new(Vec::new(), Some(Compression::Lz4)).unwrap();
        compressor.write_all(&rows(range)).unwrap();
        lz4.extend(compressor.finish().unwrap());
    }
    for threads in [1, 3] {
        let parts = vec![part(both.clone(), "a"), part(Vec::new(), "b"), part(lz4.clone(), "c")];
        let decoded = decode(parts, threads, OnError::Raise);
        assert_eq!(numbers(&decoded), (0..9500).collect::<Vec<_>>());
    }
}

#[test]
fn a_bad_message_is_left_out_or_ends_the_stream_and_a_cut_one_always_does() {
    let mut bytes = rows(0..3000);
    let bad = bytes.len();
    bytes.extend(b"\x02\x08\xff");
    bytes.extend(rows(3000..4000));
    let end = bytes.len();
    bytes.extend(b"\x05abc");
    for threads in [1, 4] {
        let decoded = decode(vec![part(bytes.clone(), "log.pb")], threads, OnError::Raise);
        let Some(Fault::Message(error)) = &decoded.stop else { panic!("{:?}", decoded.stop) };
        assert_eq!((error.row(), error.offset(), error.path()), (Some(3000), bad + 2, "number"));
        assert_eq!(error.file(), Some("log.pb"));
        assert_eq!(numbers(&decoded), (0..3000).collect::<Vec<_>>());

        let decoded = decode(vec![part(bytes.clone(), "log.pb")], threads, OnError::Skip);
        let Some(Fault::Frame(error)) = &decoded.stop else { panic!("{:?}", decoded.stop) };
        assert_eq!((error.row(), error.offset()), (Some(4001), end));
        assert_eq!(error.kind(), DecodeErrorKind::TruncatedFrame);
        assert_eq!(decoded.faults.iter().map(crate::DecodeError::row).collect::<Vec<_>>(), [Some(3000)]);
        assert_eq!((numbers(&decoded), decoded.messages), ((0..4000).collect(), 4001));
    }
}

#[test]
fn faults_far_behind_the_first_block_are_where_they_are() {
    let (mut bytes, mut bad) = (Vec::new(), Vec::new());
    for i in 0..9000 {
        let message = [vec![8, 1, 0x12, 100], vec![b'x'; 100]].concat();
        let start = bytes.len();
        Framing::TfRecord.put_header(message.len(), &mut bytes).unwrap();
        bytes.extend(&message);
        Framing::TfRecord.put_footer(&message, &mut bytes);
        if i % 3000 == 2999 {
            bytes[start + 20] ^= 1;
            bad.push((i, start));
        }
    }
    let format = Format { framing: Framing::TfRecord, verify: true };
    for threads in [1, 3] {
        let mut chain = Chain::new([part(bytes.clone(), "a")], format, false);
        let cores = Cores { threads: Some(threads), least_len: 1 };
        let options = Options { cores, on_error: OnError::Skip, ..Options::DEFAULT };
        let decoded = decode_source(&plan(), &mut chain, Wanted::ALL, options);
        let found: Vec<_> = decoded.faults.iter().map(|error| (error.row().unwrap(), error.offset())).collect();
        assert_eq!(found, bad, "{threads}");
    }
}

#[test]
fn a_reader_that_fails_gives_no_part_of_a_message_that_the_stream_is() {
    let compressed = zstd::encode_all(&*vec![0x12; 1000], 1).unwrap();
    let format = Format { framing: Framing::Single, verify: true };
    let mut chain = Chain::new([part(compressed[..compressed.len() - 2].to_vec(), "a")], format, true);
    let decoded = decode_source(&plan(), &mut chain, Wanted::ALL, Options::DEFAULT);
    assert!(matches!(decoded.stop, Some(Fault::Source(_))), "{:?}", decoded.stop);
    assert_eq!(decoded.messages, 0);
}

#[test]
fn a_compressed_stream_that_breaks_off_gives_what_came_before() {
    let mut compressed = zstd::encode_all(&*rows(0..9000), 1).unwrap();
    compressed.truncate(compressed.len() * 3 / 4);
    let decoded = decode(vec![part(compressed, "a")], 1, OnError::Raise);
    assert!(matches!(decoded.stop, Some(Fault::Source(_))), "{:?}", decoded.stop);
    let numbers = numbers(&decoded);
    assert!(numbers.len() > 1000 && numbers.iter().enumerate().all(|(i, &number)| i as u64 == number));
}

#[test]
fn batches_are_as_large_as_is_wanted_and_say_where_the_stream_stands() {
    let bytes = rows(0..1000);
    for threads in [1, 3] {
        let chain = Chain::new([part(bytes.clone(), "a")], DELIMITED, false);
        let cores = Cores { threads: Some(threads), least_len: 1 };
        let wanted = Wanted { messages: 300, ..Wanted::ALL };
        let ahead = Ahead::start(plan(), chain, wanted, Options { cores, ..Options::DEFAULT }).unwrap();
        let mut seen = Vec::new();
        while let Some(batch) = ahead.next(Duration::from_secs(60)).unwrap() {
            assert!(batch.decoded.stop.is_none());
            seen.extend(numbers(&batch.decoded));
            assert_eq!(batch.place.offset, rows(0..seen.len()).len() as u64);
        }
        assert_eq!(seen, (0..1000).collect::<Vec<_>>());
        assert_eq!(ahead.progress().done(), bytes.len() as u64);
    }
}

#[test]
fn stretches_hold_whole_messages_and_together_all() {
    let bytes = rows(0..1000);
    let stretches = partitions(&bytes, DELIMITED, 10_000).unwrap();
    assert!(stretches.len() > 3 && stretches.iter().all(|stretch| stretch.extent.end - stretch.extent.start < 10_400));
    assert_eq!(stretches.iter().map(|stretch| stretch.messages).sum::<usize>(), 1000);
    let mut seen = Vec::new();
    for stretch in stretches {
        let part = Part { extent: stretch.extent, ..part(bytes.clone(), "a") };
        seen.extend(numbers(&decode(vec![part], 1, OnError::Raise)));
    }
    assert_eq!(seen, (0..1000).collect::<Vec<_>>());
}

#[test]
fn what_is_written_is_read_again() {
    let decoded = decode(vec![part(rows(0..5000), "a")], 1, OnError::Raise);
    let plan = plan();
    let measured = crate::encode::measure_many(&plan, &decoded.table, 0..5000, Default::default()).unwrap();
    let mut writer = FrameWriter::new(Vec::new(), Framing::Delimited);
    writer.write(&measured).unwrap();
    let written = writer.into_inner();
    assert_eq!(numbers(&decode(vec![part(written, "b")], 1, OnError::Raise)), numbers(&decoded));
}

#[test]
fn a_compressed_stream_in_which_a_bit_was_changed_is_an_error() {
    let bytes = rows(0..2000);
    let expected: Vec<u64> = (0..2000).collect();
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Lz4] {
        let mut compressor = Compressor::new(Vec::new(), Some(compression)).unwrap();
        compressor.write_all(&bytes).unwrap();
        let compressed = compressor.finish().unwrap();
        // Behind the magic number, by which the compression is known.
        let mut unharmed = 0;
        for place in (4..compressed.len()).step_by(compressed.len() / 400) {
            let mut changed = compressed.clone();
            changed[place] ^= 1 << (place % 8);
            let decoded = decode(vec![part(changed, "a")], 1, OnError::Raise);
            if decoded.stop.is_none() {
                assert_eq!(numbers(&decoded), expected, "{compression:?}, byte {place}");
                unharmed += 1;
            }
        }
        // The time that gzip notes, a copy of the same bytes from another place, and suchlike.
        assert!(unharmed < 40, "{compression:?}: {unharmed}");
    }
}

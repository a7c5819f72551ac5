use std::io::{Cursor, Write};

use super::*;
use crate::column::Data;
use crate::cores::Cores;
use crate::decode::{OnError, Options};
use crate::encode;
use crate::parallel::decode_source;
use crate::plan::Plan;
use crate::schema;
use crate::stream::{Chain, Compression, Compressor, Opener, Part};

const TEXT: &str = "syntax = \"proto3\"; message Row { int64 number = 1; }";

fn record(opcode: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [&[opcode], &(content.len() as u64).to_le_bytes()[..], &content].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn schema_record(id: u16, name: &str, encoding: &str) -> Vec<u8> {
    let set = schema::compile_source("row.proto", TEXT, &[]).unwrap();
    record(mcap::SCHEMA, &[&id.to_le_bytes(), &text(name), &text(encoding), &(set.len() as u32).to_le_bytes(), &set])
}

fn channel(id: u16, schema: u16, topic: &str) -> Vec<u8> {
    let content = [&id.to_le_bytes()[..], &schema.to_le_bytes(), &text(topic), &text("protobuf"), &[0; 4]];
    record(mcap::CHANNEL, &content)
}

/// `number: i`, of up to 127.
fn message(channel: u16, i: u8) -> Vec<u8> {
    let stamp = [&channel.to_le_bytes()[..], &u32::from(i).to_le_bytes(), &[i, 1, 0, 0, 0, 0, 0, 0], &[i; 8]];
    record(mcap::MESSAGE, &[&stamp.concat(), &[8, i]])
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut checksum = flate2::Crc::new();
    checksum.update(bytes);
    checksum.sum().to_le_bytes()
}

fn chunk(compression: Option<Compression>, records: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(Vec::new(), compression).unwrap();
    compressor.write_all(records).unwrap();
    let compressed = compressor.finish().unwrap();
    let name = match compression {
        Some(Compression::Zstd) => "zstd",
        Some(_) => "lz4",
        None => "",
    };
    let len = (records.len() as u64).to_le_bytes();
    let compressed_len = (compressed.len() as u64).to_le_bytes();
    record(mcap::CHUNK, &[&[0; 16], &len, &checksum(records), &text(name), &compressed_len, &compressed])
}

/// The file's magic and records, and what closes it.
fn file(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = [&mcap::MAGIC, &*records.concat()].concat();
    bytes.extend(record(mcap::DATA_END, &[&checksum(&bytes)]));
    bytes.extend(record(mcap::FOOTER, &[&[0; 20]]));
    bytes.extend(mcap::MAGIC);
    bytes
}

/// Rows 0 to 29 on `/a`, of which every third is on `/b`, outside of chunks, in chunks of each sort, among other things.
fn sample() -> Vec<u8> {
    let declared = [schema_record(1, "Row", "protobuf"), channel(3, 1, "/a"), channel(7, 1, "/b")].concat();
    let others = [schema_record(2, "Row", "jsonschema"), channel(9, 2, "/c"), channel(8, 0, "/d")].concat();
    let rows =
        |range: Range<u8>| range.map(|i| message(if i % 3 == 0 { 7 } else { 3 }, i)).collect::<Vec<_>>().concat();
    file(&[
        record(0x01, &[&text(""), &text("test")]),
        declared.clone(),
        rows(0..4),
        record(0x09, &[b"an attachment"]),
        rows(4..6),
        chunk(None, &rows(6..10)),
        record(0x07, &[b"an index"]),
        others,
        message(9, 99),
        message(8, 98),
        chunk(Some(Compression::Zstd), &[declared.clone(), rows(10..20)].concat()),
        chunk(Some(Compression::Lz4), &rows(20..30)),
    ])
}

fn read(bytes: &[u8], topics: Option<&[&str]>, on_error: OnError, threads: usize) -> (Decoded, Stamps) {
    let cores = Cores { threads: Some(threads), least_len: 1 };
    read_as(bytes, topics, Options { cores, on_error, ..Options::DEFAULT })
}

fn read_as(bytes: &[u8], topics: Option<&[&str]>, options: Options) -> (Decoded, Stamps) {
    let bytes = bytes.to_vec();
    let open = move || Ok(Box::new(Cursor::new(bytes)) as Box<dyn Read + Send>);
    let opener = Opener::Reader(Box::new(open));
    let part = Part { name: Some("log".into()), opener, compression: Some(None), extent: 0..u64::MAX };
    let topics = topics.map(|topics| topics.iter().map(|&topic| topic.to_owned()).collect());
    let mut chain = Chain::of_mcap([part], McapSelection { message: "Row".to_owned(), topics, verify: true });
    let plan = plan();
    let decoded = decode_source(&plan, &mut chain, Wanted::ALL, options);
    let stamps = chain.stamps(&decoded).unwrap();
    (decoded, stamps)
}

fn plan() -> Plan {
    let schema = schema::Schema::from_descriptor_set(&schema::compile_source("row.proto", TEXT, &[]).unwrap());
    let schema = Arc::new(schema.unwrap());
    let row = schema.message_id("Row").unwrap();
    Plan::new(schema, row)
}

fn writer<W: Write>(plan: &Plan, to: W, compression: Option<Compression>) -> McapWriter<W> {
    let set = plan.schema().descriptor_set_of(plan.schema().message_id("Row").unwrap());
    McapWriter::new(to, "Row", &set, compression)
}

fn numbers(decoded: &Decoded) -> Vec<u64> {
    let Data::Numbers(numbers) = &decoded.table.column(0).data else { panic!("numbers") };
    numbers.values.as_slice::<u64>().to_vec()
}

#[test]
fn messages_are_found_in_chunks_and_outside_and_have_their_stamps() {
    for threads in [1, 3] {
        let (decoded, stamps) = read(&sample(), None, OnError::Raise, threads);
        assert!(decoded.stop.is_none(), "{:?}", decoded.stop);
        assert_eq!(numbers(&decoded), (0..30).collect::<Vec<_>>());
        assert_eq!(stamps.sequences, (0..30).collect::<Vec<_>>());
        assert_eq!(stamps.log_times, (0..30).map(|i| 256 + i).collect::<Vec<_>>());
        assert_eq!(stamps.publish_times, (0..30).map(|i| i * 0x0101_0101_0101_0101).collect::<Vec<_>>());
        let topics: Vec<&str> = stamps.topics.iter().map(|&topic| &*stamps.topic_names[topic as usize]).collect();
        assert_eq!(topics, (0..30).map(|i| if i % 3 == 0 { "/b" } else { "/a" }).collect::<Vec<_>>());
        let (decoded, stamps) = read(&sample(), Some(&["/b"]), OnError::Raise, threads);
        assert_eq!(numbers(&decoded), (0..30).step_by(3).collect::<Vec<_>>());
        assert_eq!(stamps.sequences, (0..30).step_by(3).collect::<Vec<_>>());
    }
}

#[test]
fn topics_that_are_not_there_are_named_with_those_that_are() {
    let (decoded, _) = read(&sample(), Some(&["/x", "/y"]), OnError::Raise, 1);
    let Some(Fault::Source(error)) = decoded.stop else { panic!("{:?}", decoded.stop) };
    let expected = "no channel has messages of Row on /x or /y; there are /a with Row, /b with Row, \
        /c with no protobuf, /d with no protobuf";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_file_that_is_cut_short_gives_what_came_before() {
    let bytes = sample();
    let end = bytes.len() - record(mcap::FOOTER, &[&[0; 20]]).len() - mcap::MAGIC.len();
    let mut seen = 0;
    for cut in 0..=bytes.len() {
        let (decoded, stamps) = read(&bytes[..cut], None, OnError::Raise, 1);
        let numbers = numbers(&decoded);
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
        assert_eq!(stamps.sequences.len(), numbers.len());
        assert!(numbers.len() >= seen, "{cut}");
        seen = numbers.len();
        match decoded.stop {
            // The summary holds no messages.
            None => assert!(cut >= end, "{cut}"),
            Some(Fault::Frame(error)) => {
                assert_eq!(error.kind().name(), "truncated frame");
                assert!(error.offset() <= cut, "{cut}");
                assert!(cut < end, "{cut}");
            }
            stop => panic!("{cut}: {stop:?}"),
        }
    }
    assert_eq!(seen, 30);
}

#[test]
fn damage_anywhere_is_an_error_or_changes_nothing_of_the_messages() {
    let intact = sample();
    let end = intact.len() - record(mcap::DATA_END, &[&[0; 4]]).len() - record(mcap::FOOTER, &[&[0; 20]]).len() - 8;
    for place in 0..intact.len() {
        for flipped in [0x01, 0x80, 0xff] {
            let mut bytes = intact.clone();
            bytes[place] ^= flipped;
            let (decoded, stamps) = read(&bytes, None, OnError::Raise, 1);
            if decoded.stop.is_none() {
                assert_eq!(numbers(&decoded), (0..30).collect::<Vec<_>>());
                // The record that holds the checksum of all in front of it has none of its own.
                assert!(place >= end, "{place} {flipped}");
            }
            assert_eq!(stamps.sequences.len(), decoded.table.rows());
            let (decoded, stamps) = read(&bytes, None, OnError::Skip, 2);
            assert_eq!(decoded.table.rows() + decoded.faults.len(), decoded.messages);
            assert_eq!(stamps.sequences.len(), decoded.table.rows());
        }
    }
}

#[test]
fn bad_chunks_and_messages_are_left_out_and_those_behind_them_are_read() {
    let declared = [schema_record(1, "Row", "protobuf"), channel(3, 1, "/a")].concat();
    let mut damaged = chunk(Some(Compression::Zstd), &[message(3, 4), message(3, 5)].concat());
    let last = damaged.len() - 3;
    damaged[last] ^= 0xff;
    let brotli = record(mcap::CHUNK, &[&[0; 28], &text("brotli"), &[0; 8]]);
    let undeclared = message(4, 6);
    let bad = record(mcap::MESSAGE, &[&3u16.to_le_bytes(), &[0; 20], &[8]]);
    let inner = chunk(Some(Compression::Lz4), &[message(3, 2), bad.clone(), message(3, 3)].concat());
    let parts = [declared, message(3, 1), bad, damaged, inner, brotli, undeclared, message(3, 7)];
    let starts: Vec<usize> =
        parts.iter().scan(mcap::MAGIC.len(), |at, part| Some(std::mem::replace(at, *at + part.len()))).collect();
    for threads in [1, 3] {
        let (decoded, stamps) = read(&file(&parts), None, OnError::Skip, threads);
        assert!(decoded.stop.is_none(), "{:?}", decoded.stop);
        assert_eq!(numbers(&decoded), [1, 2, 3, 7]);
        assert_eq!(stamps.sequences, [1, 2, 3, 7]);
        let faults: Vec<_> = decoded.faults.iter().map(|error| (error.row().unwrap(), error.offset())).collect();
        let in_message = starts[2] + mcap::HEADER_LEN + Stamp::LEN + 1;
        let expected = [(1, in_message), (2, starts[3]), (4, starts[4]), (6, starts[5]), (7, starts[6])];
        assert_eq!(faults, expected);
        let kinds: Vec<_> = decoded.faults.iter().map(|error| error.kind().name()).collect();
        assert!(["mcap", "frame checksum"].contains(&kinds[1]));
        assert_eq!([kinds[0], kinds[2], kinds[3], kinds[4]], ["truncated", "truncated", "mcap", "mcap"]);
    }
}

#[test]
fn what_is_written_is_read_and_has_its_stamps() {
    let plan = plan();
    let (decoded, stamps) = read(&sample(), None, OnError::Raise, 1);
    for compression in [None, Some(Compression::Zstd), Some(Compression::Lz4)] {
        let mut writer = writer(&plan, Vec::new(), compression);
        for rows in [0..7, 7..7, 7..30] {
            let measured = encode::measure_many(&plan, &decoded.table, rows.clone(), encode::Options::default());
            writer.write(&measured.unwrap(), &stamps.slice(rows)).unwrap();
        }
        let (again, found) = read(&writer.finish().unwrap(), None, OnError::Raise, 1);
        assert!(again.stop.is_none(), "{:?}", again.stop);
        assert_eq!(numbers(&again), numbers(&decoded));
        let named = |stamps: &Stamps| -> Vec<Arc<str>> {
            stamps.topics.iter().map(|&topic| stamps.topic_names[topic as usize].clone()).collect()
        };
        assert_eq!(named(&found), named(&stamps));
        assert_eq!(
            (found.log_times, found.publish_times, found.sequences),
            (stamps.log_times.clone(), stamps.publish_times.clone(), stamps.sequences.clone())
        );
    }
}

#[test]
fn messages_are_counted_by_topic_where_they_have_no_number() {
    let plan = plan();
    let (decoded, stamps) = read(&sample(), None, OnError::Raise, 1);
    let uncounted = Stamps { sequences: Vec::new(), ..stamps };
    let mut writer = writer(&plan, Vec::new(), None);
    for rows in [0..10, 10..30] {
        let measured = encode::measure_many(&plan, &decoded.table, rows.clone(), encode::Options::default()).unwrap();
        let range = rows.clone();
        let part = Stamps {
            log_times: uncounted.log_times[range.clone()].to_vec(),
            publish_times: uncounted.publish_times[range.clone()].to_vec(),
            topics: uncounted.topics[range].to_vec(),
            ..uncounted.clone()
        };
        writer.write(&measured, &part).unwrap();
    }
    let (_, found) = read(&writer.finish().unwrap(), Some(&["/b"]), OnError::Raise, 1);
    assert_eq!(found.sequences, (0..10).collect::<Vec<_>>());
}

#[test]
fn topics_without_room_are_refused_before_anything_is_written() {
    let plan = plan();
    let (decoded, stamps) = read(&sample(), None, OnError::Raise, 1);
    let mut writer = writer(&plan, Vec::new(), None);
    let measured = encode::measure_many(&plan, &decoded.table, 0..1, encode::Options::default()).unwrap();
    for topic in 0..=u16::MAX {
        let stamps = Stamps { topic_names: vec![topic.to_string().into(); 2], ..stamps.slice(0..1) };
        match writer.write(&measured, &stamps) {
            Ok(()) => assert!(topic < u16::MAX),
            Err(error) => {
                assert_eq!(topic, u16::MAX);
                assert!(matches!(error, crate::stream::WriteError::Topics(TopicsFault::TooMany(65_536))));
            }
        }
    }
    let (again, _) = read(&writer.finish().unwrap(), None, OnError::Raise, 1);
    assert_eq!(numbers(&again).len(), usize::from(u16::MAX));
}

#[test]
fn stamps_count_as_memory_though_their_messages_are_empty() {
    let stamp = [&3u16.to_le_bytes()[..], &[0; 20]].concat();
    let rows = record(mcap::MESSAGE, &[&stamp]).repeat(20_000);
    let declared = [schema_record(1, "Row", "protobuf"), channel(3, 1, "/a")].concat();
    let bytes = file(&[declared, chunk(Some(Compression::Zstd), &rows), chunk(None, &rows)]);
    for (threads, on_error) in [(1, OnError::Raise), (3, OnError::Raise), (1, OnError::Skip), (3, OnError::Skip)] {
        let options = |max_bytes| Options {
            cores: Cores { threads: Some(threads), least_len: 1 },
            on_error,
            max_bytes: Some(max_bytes),
            ..Options::DEFAULT
        };
        let (decoded, stamps) = read_as(&bytes, None, options(4 << 20));
        assert!(decoded.stop.is_none(), "{:?}", decoded.stop);
        assert_eq!((decoded.messages, stamps.log_times.len(), stamps.topics.len()), (40_000, 40_000, 40_000));
        let (decoded, stamps) = read_as(&bytes, None, options(400 << 10));
        let Some(Fault::Message(error)) = decoded.stop else { panic!("{:?}", decoded.stop) };
        assert_eq!(error.kind(), DecodeErrorKind::MemoryBudget(Some(400 << 10)));
        assert_eq!(stamps.log_times.len(), decoded.messages);
    }
}

#[test]
fn a_channel_that_is_declared_again_has_another_topic_from_there_on() {
    let topics: Vec<String> = (0..3000).map(|topic| format!("/{}", topic % 2000)).collect();
    let rows: Vec<u8> = topics.iter().flat_map(|topic| [channel(3, 1, topic), message(3, 1)].concat()).collect();
    let (decoded, stamps) = read(&file(&[schema_record(1, "Row", "protobuf"), rows]), None, OnError::Raise, 1);
    assert_eq!((decoded.messages, stamps.topic_names.len()), (3000, 2000));
    let found = stamps.topics.iter().map(|&topic| &*stamps.topic_names[topic as usize]);
    assert!(found.eq(topics.iter().map(String::as_str)));
}

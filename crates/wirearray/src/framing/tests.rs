use super::*;
use crate::error::{Checked, RegistryFault};

const MESSAGES: [&[u8]; 4] = [b"\x08\x96\x01", b"", &[7; 200], &[9; 70_000]];

fn framed(framing: Framing, messages: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        framing.put_header(message.len(), &mut out).unwrap();
        out.extend(*message);
        framing.put_footer(message, &mut out);
    }
    out
}

fn framings() -> impl Iterator<Item = Framing> {
    Framing::NAMES.into_iter().map(|(_, framing)| framing).filter(|&framing| framing != Framing::Single)
}

#[test]
fn every_framing_has_a_name() {
    for (name, framing) in Framing::NAMES {
        assert_eq!((Framing::of_name(name), framing.name()), (Some(framing), name));
    }
    assert_eq!(Framing::of_name("delimitedly"), None);
}

#[test]
fn what_is_framed_is_found_again() {
    for framing in framings() {
        let bytes = framed(framing, &MESSAGES);
        let mut walk = Walk::new(framing, true, 0);
        assert!(matches!(walk.go(&bytes, usize::MAX, usize::MAX), Ok(Ahead::Message(_))), "{framing:?}");
        assert_eq!((walk.count, walk.end), (MESSAGES.len(), bytes.len()), "{framing:?}");
        let found: Vec<_> = Frames::new(framing, &bytes, 0..walk.end).map(|range| &bytes[range]).collect();
        assert_eq!(found, MESSAGES, "{framing:?}");
    }
}

#[test]
fn a_frame_that_is_cut_short_is_not_there_and_those_before_it_are() {
    for framing in framings() {
        let whole = framed(framing, &MESSAGES[..2]);
        let bytes = framed(framing, &MESSAGES[..3]);
        for cut in whole.len() + 1..bytes.len() {
            let mut walk = Walk::new(framing, true, 0);
            assert_eq!(walk.go(&bytes[..cut], usize::MAX, usize::MAX), Ok(Ahead::Nothing), "{framing:?} {cut}");
            assert_eq!((walk.count, walk.end), (2, whole.len()));
        }
    }
}

#[test]
fn a_walk_ends_at_as_many_frames_or_bytes_as_are_wanted() {
    let bytes = framed(Framing::Delimited, &MESSAGES);
    let mut walk = Walk::new(Framing::Delimited, true, 0);
    assert_eq!(walk.go(&bytes, 1, usize::MAX), Ok(Ahead::Message(1..4)));
    assert_eq!((walk.count, walk.end), (1, 4));
    assert_eq!(walk.go(&bytes, usize::MAX, 5), Ok(Ahead::Message(5..5)));
    assert_eq!((walk.count, walk.end), (2, 5));
}

#[test]
fn the_frames_are_those_that_others_write() {
    // Of TensorFlow's `TFRecordWriter`, and of `google.protobuf.proto.serialize_length_prefixed`.
    let record = b"\x03\0\0\0\0\0\0\0\xb0\x99\x49\x0e\x08\x96\x01\x06\xfa\x6e\x2c";
    assert_eq!(framed(Framing::TfRecord, &[b"\x08\x96\x01"]), record);
    let delimited = b"\x02\x08\x00\x02\x08\x01\x02\x08\x02";
    assert_eq!(framed(Framing::Delimited, &[b"\x08\x00", b"\x08\x01", b"\x08\x02"]), delimited);
    assert_eq!(framed(Framing::U32Be, &[b"ab"]), b"\0\0\0\x02ab");
    assert_eq!(framed(Framing::Grpc, &[b"ab"]), b"\0\0\0\0\x02ab");
}

#[test]
fn damage_to_a_record_is_found_and_only_that_to_its_length_hides_the_next() {
    let intact = framed(Framing::TfRecord, &[b"first", b"second"]);
    for byte in 0..intact.len() / 2 {
        let mut bytes = intact.clone();
        bytes[byte] ^= 1;
        let found = Walk::new(Framing::TfRecord, true, 0).go(&bytes, usize::MAX, usize::MAX);
        let data = WireError::new(DecodeErrorKind::FrameChecksum(Checked::Data), 0);
        let length = WireError::new(DecodeErrorKind::FrameChecksum(Checked::Length), 0);
        assert_eq!(found, if byte < 12 { Err(length) } else { Ok(Ahead::BadMessage(data, 21)) }, "{byte}");
        if byte >= 12 {
            let unverified = Walk::new(Framing::TfRecord, false, 0).go(&bytes, usize::MAX, usize::MAX);
            assert_eq!(unverified, Ok(Ahead::Message(33..39)));
        }
    }
}

#[test]
fn lengths_that_are_none_are_refused() {
    let kind = |framing: Framing, bytes: &[u8]| framing.find(bytes, 0).map_err(|error| error.kind);
    assert_eq!(kind(Framing::Delimited, &[0xff; 12]), Err(DecodeErrorKind::IllegalFrameLength));
    assert_eq!(kind(Framing::U64Be, &[0xff; 12]), Err(DecodeErrorKind::IllegalFrameLength));
    assert_eq!(kind(Framing::U64Le, &[0xfe; 8]), Ok(None));
    assert_eq!(kind(Framing::Grpc, &[2, 0, 0, 0, 0]), Err(DecodeErrorKind::IllegalFrameFlag(2)));
    let compressed = Walk::new(Framing::Grpc, true, 0).go(&[1, 0, 0, 0, 1, 5], 1, usize::MAX);
    assert_eq!(compressed, Ok(Ahead::BadMessage(WireError::new(DecodeErrorKind::CompressedFrame, 0), 6)));
}

#[test]
fn messages_that_no_length_of_four_bytes_fits_are_refused() {
    if let Ok(len) = usize::try_from(u64::from(u32::MAX) + 1) {
        assert_eq!(prefix::put(Framing::U32Be, len, &mut Vec::new()), Err(TooLong(len)));
        assert_eq!(prefix::put(Framing::U64Be, len, &mut Vec::new()), Ok(()));
    }
}

#[test]
fn headers_of_a_schema_registry_are_written_and_read_as_confluent_has_them() {
    let number = SchemaId::Number(100_001);
    let guid = SchemaId::Guid(*b"\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2");
    let vectors: [(SchemaId, &[u32], &[u8]); 6] = [
        (number, &[0], b"\0\0\x01\x86\xa1\0"),
        (number, &[1], b"\0\0\x01\x86\xa1\x02\x02"),
        (number, &[0, 0], b"\0\0\x01\x86\xa1\x04\0\0"),
        (number, &[1, 2], b"\0\0\x01\x86\xa1\x04\x02\x04"),
        (number, &[64], b"\0\0\x01\x86\xa1\x02\x80\x01"),
        (guid, &[0], b"\x01\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2\0"),
    ];
    for (schema, path, bytes) in vectors {
        assert_eq!(RegistryHeader::bytes(schema, path), bytes);
        let header = RegistryHeader::read(bytes).unwrap();
        assert_eq!(header.schema, schema);
        assert_eq!(header.len_for(&[bytes, b"message"].concat(), path), Ok(bytes.len()));
        assert_eq!(header.len_for(bytes, &[5]), Err(RegistryFault::OtherMessage));
        for cut in 0..bytes.len() {
            let read = RegistryHeader::read(&bytes[..cut]).and_then(|header| header.len_for(&bytes[..cut], path));
            assert_eq!(read, Err(RegistryFault::Truncated), "{bytes:?} {cut}");
        }
    }
    assert_eq!(RegistryHeader::read(b"\x08\x01"), Err(RegistryFault::Magic(8)));
}

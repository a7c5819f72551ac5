use super::*;

#[test]
fn tags_carry_number_and_wire_type() {
    assert_eq!(Tag::MAX_NUMBER, 536_870_911);
    let tag = Tag::new(536_870_911, WireType::Fixed32);
    assert_eq!((tag.number(), tag.wire_type()), (536_870_911, WireType::Fixed32));
    assert_eq!(Tag::from_raw(tag.raw()), Ok(tag));
}

#[test]
fn padded_tags_are_read_up_to_five_bytes() {
    assert_eq!(Cursor::new(&[0x88, 0x80, 0x80, 0x80, 0x00]).read_tag(), Ok(Tag::new(1, WireType::Varint)));
    assert_eq!(kind(&[0x88, 0x80, 0x80, 0x80, 0x80, 0x00]), Some(DecodeErrorKind::OverlongTag));
    assert_eq!(kind(&[0x88, 0x80, 0x80, 0x80, 0x10]), Some(DecodeErrorKind::OverlongTag));
}

#[test]
fn illegal_tags_are_refused() {
    assert_eq!(kind(&[0x02]), Some(DecodeErrorKind::IllegalFieldNumber));
    assert_eq!(kind(&[0x0e]), Some(DecodeErrorKind::IllegalWireType(6)));
    assert_eq!(kind(&[0x0f]), Some(DecodeErrorKind::IllegalWireType(7)));
}

fn kind(bytes: &[u8]) -> Option<DecodeErrorKind> {
    Cursor::new(bytes).read_tag().err().map(|error| error.kind)
}

#[test]
fn a_length_is_compared_with_what_is_left() {
    let mut bytes = vec![0xff; 9];
    bytes.extend([0x01, 7, 7]);
    let error = Cursor::new(&bytes).read_delimited().unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::LengthPastEnd { length: u64::MAX, available: 2 });
    assert_eq!(Cursor::new(&[2, 7, 8, 9]).read_delimited(), Ok(&[7u8, 8][..]));
}

#[test]
fn groups_are_skipped_whole() {
    // group 1 { group 2 { varint 3 } }, then one byte more
    let mut cursor = Cursor::new(&[0x13, 0x18, 0x05, 0x14, 0x0c, 0x77]);
    cursor.skip_value(Tag::new(1, WireType::StartGroup), 100, 100).unwrap();
    assert_eq!(cursor.remaining(), [0x77]);
}

#[test]
fn a_group_with_more_tags_than_it_may_have_is_not_skipped() {
    // group 1 { group 2 { varint 3 } }
    let skip = |mut tags: usize| {
        let skipped = Cursor::new(&[0x13, 0x18, 0x05, 0x14, 0x0c]).skip_group(1, 100, 100, &mut tags);
        (skipped.map_err(|error| (error.kind, error.offset)), tags)
    };
    assert_eq!(skip(5), (Ok(()), 1));
    assert_eq!(skip(4), (Ok(()), 0));
    assert_eq!(skip(3), (Err((DecodeErrorKind::TooDeep(100), 4)), 0));
}

#[test]
fn hostile_nesting_stops_at_the_limit() {
    let error = Cursor::new(&[0x0b; 100_000]).skip_value(Tag::new(1, WireType::StartGroup), 100, 100).unwrap_err();
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::TooDeep(100), 100));
}

#[test]
fn the_next_byte_is_seen_ahead() {
    let mut cursor = Cursor::new(&[0x82, 0x01]);
    assert_eq!(cursor.peek(), Some(0x82));
    cursor.advance(2);
    assert_eq!(cursor.peek(), None);
}

#![allow(clippy::indexing_slicing)]

use super::*;
use crate::slots::{Slot, slots};
use crate::varint::Varint64;

fn room(len: usize) -> Vec<Slot<u8>> {
    slots(len)
}

/// Writes something of every sort; returns what a plain vector would hold.
fn write_all_sorts(writer: &mut Writer<'_>, large: &[u8]) -> Result<Vec<u8>, WriteError> {
    let mut expected = Vec::new();
    for bits in 0..64 {
        let value = u64::MAX >> bits;
        writer.put_varint(value)?;
        let (bytes, len) = varint::encode(value);
        expected.extend_from_slice(&bytes.to_le_bytes()[..len]);
        writer.put_bits(u128::from_le_bytes([bits; 16]), 5)?;
        expected.extend_from_slice(&[bits; 5]);
        writer.put_labelled(0x0403_0201, 3, value, usize::from(bits % 9))?;
        expected.extend_from_slice(&[1, 2, 3]);
        expected.extend_from_slice(&value.to_le_bytes()[..usize::from(bits % 9)]);
        writer.put_window(&[bits; 16], usize::from(bits % 17))?;
        expected.extend_from_slice(&[bits; 16][..usize::from(bits % 17)]);
        writer.put_padded_varint(3, 4)?;
        expected.extend_from_slice(&[0x83, 0x80, 0x80, 0]);
        writer.put_run::<2, 3>([7, bits], &[1, 2, 3, 4, 5, 6])?;
        expected.extend_from_slice(&[7, bits, 1, 2, 3, 7, bits, 4, 5, 6]);
        let numbers: Vec<u64> = (0..u32::from(bits)).map(|shift| value >> shift).collect();
        writer.put_varints::<Varint64>(Backend::active(), bytemuck::cast_slice(&numbers))?;
        for number in numbers {
            let (bytes, len) = varint::encode(number);
            expected.extend_from_slice(&bytes.to_le_bytes()[..len]);
        }
        if bits % 16 == 0 {
            writer.put_slice(large)?;
            expected.extend_from_slice(large);
        }
    }
    Ok(expected)
}

struct Gather(Vec<u8>);

impl Sink for Gather {
    fn take(&mut self, bytes: &[u8]) -> WriteResult {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

#[test]
fn memory_and_sinks_of_every_size_get_the_same_bytes() {
    for large_len in [0, 1, 100, 3 << 20] {
        let large: Vec<u8> = (0..large_len).map(|index: u32| (index % 251) as u8).collect();
        let mut gathered = Gather(Vec::new());
        let mut memory = room(17);
        let mut writer = Writer::with_sink(&mut memory, &mut gathered);
        let expected = write_all_sorts(&mut writer, &large).unwrap();
        writer.flush().unwrap();
        assert_eq!(writer.written(), expected.len() as u64);
        assert!(gathered.0 == expected, "through a sink, {large_len} bytes at once");
        let mut memory = room(expected.len());
        let mut writer = Writer::new(&mut memory);
        write_all_sorts(&mut writer, &large).unwrap();
        assert!(writer.finish().unwrap() == expected, "into memory, {large_len} bytes at once");
    }
}

#[test]
fn memory_that_is_too_small_or_too_large_is_an_error() {
    let len = {
        let mut gathered = Gather(Vec::new());
        let mut memory = room(17);
        let mut writer = Writer::with_sink(&mut memory, &mut gathered);
        write_all_sorts(&mut writer, b"abc").unwrap().len()
    };
    for short in 0..len {
        assert_eq!(write_all_sorts(&mut Writer::new(&mut room(short)), b"abc"), Err(WriteError), "{short} of {len}");
    }
    let mut memory = room(len + 1);
    let mut writer = Writer::new(&mut memory);
    write_all_sorts(&mut writer, b"abc").unwrap();
    assert_eq!(writer.finish().err(), Some(WriteError));
}

#[test]
fn a_sink_can_stop_the_writer() {
    struct Full;
    impl Sink for Full {
        fn take(&mut self, _: &[u8]) -> WriteResult {
            Err(WriteError)
        }
    }
    let (mut memory, mut full) = (room(16), Full);
    let mut writer = Writer::with_sink(&mut memory, &mut full);
    assert_eq!(writer.put_slice(&[0; 16]), Ok(()));
    assert_eq!(writer.put_slice(&[0]), Err(WriteError));
}

#[test]
fn varints_cross_the_borders_of_pages_and_of_pieces() {
    let numbers: Vec<u64> = (0..2_000_000).map(|index| 0x0123_4567_89ab_cdef >> (index % 61)).collect();
    let elements = bytemuck::cast_slice(&numbers);
    let len = usize::try_from(simd::len_of_varints::<Varint64>(Backend::Plain, elements)).unwrap();
    assert!(len > 2 * PAGED_FROM, "many pages");
    let mut expected = room(len);
    let expected = simd::encode_varints::<Varint64>(Backend::Plain, elements, &mut expected).bytes;
    for backend in Backend::available() {
        let (mut memory, mut piece, mut gathered) = (room(len), room(1000), Gather(Vec::new()));
        let mut writer = Writer::new(&mut memory);
        writer.put_varints::<Varint64>(backend, elements).unwrap();
        assert!(writer.finish().unwrap() == expected, "{} into memory", backend.name());
        let mut writer = Writer::with_sink(&mut piece, &mut gathered);
        writer.put_varints::<Varint64>(backend, elements).unwrap();
        writer.flush().unwrap();
        assert!(gathered.0 == expected, "{} through a sink", backend.name());
        let mut writer = Writer::new(&mut memory[1..]);
        assert_eq!(writer.put_varints::<Varint64>(backend, elements), Err(WriteError), "{}", backend.name());
    }
}

use super::*;
use crate::simd::decode_varints;
use crate::slots::slots;
use crate::varint::{Bool, Signed32, Varint32, Varint64, Zigzag32, Zigzag64};

/// The largest number of each length in bits, the one above it, and those that are as far from 2^64.
fn borders() -> Vec<u64> {
    (0..64).flat_map(|bits| [(1 << bits) - 1, 1 << bits, u64::MAX << bits, !(1 << bits)]).collect()
}

/// Numbers that take `shortest` to `longest` bytes as varints, in an order that looks random.
fn numbers(count: usize, shortest: u64, longest: u64) -> Vec<u64> {
    let mut random = count as u64 ^ longest << 32;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 11 ^ random << 17
    };
    let number = |_| {
        let len = shortest + next() % (longest - shortest + 1);
        let bits = (7 * len).min(64) - next() % 7.min(if len == 10 { 1 } else { 7 });
        (next() | 1 << 63) >> (64 - bits)
    };
    (0..count).map(number).collect()
}

/// Mixes of lengths, by name.
fn mixes(count: usize) -> Vec<(String, Vec<u64>)> {
    let mut mixes = Vec::new();
    for longest in 1..=10 {
        for shortest in [1, longest] {
            mixes.push((format!("{count} of {shortest} to {longest} bytes"), numbers(count, shortest, longest)));
        }
    }
    let mut rare = numbers(count, 1, 1);
    rare.iter_mut().skip(count / 3).step_by(40).for_each(|number| *number = u64::MAX);
    mixes.push((format!("{count}, some of them long"), rare));
    mixes
}

/// The bytes of the numbers, each cut to an element, behind some that do not count: so they are not aligned.
fn unaligned<K: Kind>(numbers: &[u64]) -> Vec<u8> {
    let cut = numbers.iter().flat_map(|number| number.to_le_bytes().into_iter().take(size_of::<K::Element>()));
    [0xee].into_iter().chain(cut).collect()
}

/// Encodes to so many bytes; returns what was read and the bytes written.
fn encode<K: Kind>(backend: Backend, elements: &[u8], room: usize) -> (usize, Vec<u8>) {
    let mut room = slots(room);
    let encoded = encode_varints::<K>(backend, elements, &mut room);
    (encoded.read, encoded.bytes.to_vec())
}

fn check<K: Kind>(numbers: &[u64], name: &str) {
    let bytes = unaligned::<K>(numbers);
    let elements = &bytes[1..];
    let name = format!("{name}, {}", std::any::type_name::<K>());
    let len = len_of_varints::<K>(Backend::Plain, elements) as usize;
    let all = encode::<K>(Backend::Plain, elements, len);
    assert_eq!((all.0, all.1.len()), (elements.len(), len), "{name}: what was measured is what is written");
    for backend in Backend::available() {
        assert_eq!(len_of_varints::<K>(backend, elements), len as u64, "{}, length of {name}", backend.name());
        for room in [len, len + 200, len.saturating_sub(1), len / 2, len.min(10), len.min(63)] {
            let expected = encode::<K>(Backend::Plain, elements, room);
            assert!(encode::<K>(backend, elements, room) == expected, "{}, {name}, room for {room}", backend.name());
        }
        let mut again = slots(numbers.len());
        let again = decode_varints::<K>(backend, &all.1, &mut again).values;
        let values = elements.chunks_exact(size_of::<K::Element>()).map(bytemuck::pod_read_unaligned::<K::Element>);
        assert!(values.map(|value| K::of(K::varint(value))).eq(again.iter().copied()), "{name}: back again");
    }
}

fn check_all(numbers: &[u64], name: &str) {
    check::<Varint64>(numbers, name);
    check::<Varint32>(numbers, name);
    check::<Signed32>(numbers, name);
    check::<Zigzag64>(numbers, name);
    check::<Zigzag32>(numbers, name);
    check::<Bool>(numbers, name);
}

#[test]
fn every_backend_encodes_every_mix_of_lengths_as_the_plain_loop_does() {
    for count in (0..70).chain([95, 96, 97, 127, 128, 129, 300, 1000, 5000]) {
        for (name, numbers) in mixes(count) {
            check_all(&numbers, &name);
        }
    }
}

#[test]
fn every_backend_encodes_every_border_in_every_place() {
    for border in borders() {
        for count in [1, 4, 5, 8, 9, 16, 17, 31, 32, 33] {
            check_all(&vec![border; count], &format!("{count} of {border:#x}"));
        }
        for place in 0..33 {
            let mut numbers = vec![1; 33];
            numbers[place] = border;
            check_all(&numbers, &format!("{border:#x} at {place}"));
        }
    }
    check_all(&borders(), "borders");
}

#[test]
fn elements_are_taken_up_to_the_one_that_there_is_no_room_for() {
    for longest in 1..=10 {
        let bytes = unaligned::<Varint64>(&numbers(100, 1, longest));
        for room in 0..300 {
            let expected = encode::<Varint64>(Backend::Plain, &bytes[1..], room);
            for backend in Backend::available() {
                assert!(encode::<Varint64>(backend, &bytes[1..], room) == expected, "{}, {room}", backend.name());
            }
        }
    }
}

#[test]
fn less_than_an_element_is_left_alone() {
    for backend in Backend::available() {
        for len in 0..70 {
            let expected = (len / 4 * 4, vec![0x7f; len / 4]);
            let elements = [0x7f, 0, 0, 0].repeat(len / 4 + 1);
            assert_eq!(len_of_varints::<Varint32>(backend, &elements[..len]), expected.1.len() as u64);
            assert_eq!(encode::<Varint32>(backend, &elements[..len], 500), expected, "{}", backend.name());
        }
    }
}

#[test]
fn kernels_leave_little_to_the_plain_loop() {
    for longest in 1..=10 {
        let bytes = unaligned::<Varint64>(&numbers(1000, 1, longest));
        let len = len_of_varints::<Varint64>(Backend::Plain, &bytes[1..]) as usize;
        for backend in Backend::available().into_iter().filter(|backend| *backend != Backend::Plain) {
            let done = run::<Varint64>(backend, &bytes[1..], &mut slots(len));
            assert!(len - done.written <= 100, "{} wrote {} of {len} bytes", backend.name(), done.written);
        }
    }
}

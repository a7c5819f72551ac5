use super::kernel::{GROUP, SLACK};
use super::*;
use crate::slots::slots;
use crate::varint::{self, Bool, Kind, Varint32, Varint64, Zigzag32, Zigzag64};

/// A generator of numbers that look random, the same at each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 11 ^ self.0 << 17
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 8) as usize % bound
    }
}

/// `count` varints of the given lengths, in turn from `len`.
fn varints(count: usize, mut len: impl FnMut(&mut Random) -> usize) -> Vec<u8> {
    let mut random = Random(count as u64 + 7);
    let mut bytes = Vec::new();
    for _ in 0..count {
        let len = len(&mut random);
        bytes.extend((1..len).map(|_| random.next() as u8 | 0x80));
        bytes.push(random.next() as u8 & 0x7f);
    }
    bytes
}

/// Mixes of lengths, by name.
fn mixes() -> Vec<(String, Vec<u8>)> {
    let mut mixes = Vec::new();
    for count in [0, 1, 3, 15, 16, 17, 40, 63, 64, 65, 100, 127, 128, 129, 200, 300, 511, 1000, 5000, 20_000] {
        let mut mix = |name: &str, len: &mut dyn FnMut(&mut Random) -> usize| {
            mixes.push((format!("{count} of {name}"), varints(count, len)));
        };
        for len in 1..=10 {
            mix(&format!("{len} bytes"), &mut |_| len);
            mix(&format!("1 to {len} bytes"), &mut |random| 1 + random.below(len));
        }
        mix("nearly all 1 byte", &mut |random| if random.below(100) == 0 { 1 + random.below(10) } else { 1 });
        mix("9 or 10 bytes", &mut |random| 9 + random.below(2));
        let mut number = 0;
        mix("lengths that rise and fall by and by", &mut |random| {
            number += 1;
            1 + random.below(1 + number / 90 % 10)
        });
    }
    mixes
}

fn check<K: Kind>(backend: Backend, source: &[u8], room: usize, name: &str) {
    let mut expected = slots(room);
    let expected = decode_varints::<K>(Backend::Plain, source, &mut expected);
    let mut found = slots(room);
    let found = decode_varints::<K>(backend, source, &mut found);
    assert!(found == expected, "{}, {name}, room for {room}, {}", backend.name(), std::any::type_name::<K>());
}

fn check_all(source: &[u8], name: &str) {
    let count = varint::count(source);
    for backend in Backend::available() {
        for room in [count, count + 100, count / 2, count.saturating_sub(1), count.min(64)] {
            check::<Varint64>(backend, source, room, name);
            check::<Varint32>(backend, source, room, name);
            check::<Zigzag64>(backend, source, room, name);
            check::<Zigzag32>(backend, source, room, name);
            check::<Bool>(backend, source, room, name);
        }
    }
}

#[test]
fn every_backend_decodes_every_mix_of_lengths_as_the_plain_loop_does() {
    for (name, bytes) in mixes() {
        check_all(&bytes, &name);
    }
}

#[test]
fn a_run_that_is_cut_ends_with_its_last_whole_varint() {
    let bytes = varints(400, |random| 1 + random.below(10));
    for len in (0..300).chain(bytes.len() - 300..bytes.len()) {
        check_all(&bytes[..len], &format!("{len} bytes"));
    }
}

#[test]
fn every_backend_stops_in_front_of_a_varint_that_is_too_long_wherever_it_stands() {
    for (mix, len) in [("1 byte", 1), ("2 bytes", 2), ("5 bytes", 5), ("10 bytes", 10)] {
        let good = varints(300, |_| len);
        for place in (0..good.len()).step_by(len) {
            // Lengths beyond 255 must not be taken for what is left of them in eight bits.
            for long in [11, 12, 20, 64, 70, 128, 200, 256 + 1, 256 + 5, 256 + 10, 512 + 3] {
                if place % 64 != 0 && long > 12 && place % 7 != 0 {
                    continue;
                }
                let mut bytes = good.clone();
                bytes.splice(place..place, std::iter::repeat_n(0x80, long - 1).chain([1]));
                let name = format!("{long} bytes at {place} among those of {mix}");
                let count = varint::count(&bytes);
                for backend in Backend::available() {
                    check::<Varint64>(backend, &bytes, count, &name);
                    check::<Zigzag32>(backend, &bytes, count, &name);
                    check::<Bool>(backend, &bytes, count, &name);
                }
            }
        }
    }
}

#[test]
fn no_number_of_bytes_is_taken_for_what_is_left_of_it_in_fewer_bits() {
    let lens = [11, 127, 128, 129, 255, 256, 257, 266, 513, 1025, 4097, 32_769, 65_536, 65_537, 65_546, 131_073];
    for (long, before) in lens.into_iter().flat_map(|long| [0, 1, 63, 64, 65, 511, 512, 1000, 5000].map(|n| (long, n)))
    {
        let mut bytes = varints(before, |random| 1 + random.below(3));
        let good = bytes.len();
        bytes.extend(std::iter::repeat_n(0x80, long - 1));
        bytes.extend(varints(300, |_| 1));
        for backend in Backend::available() {
            let mut found = slots(before + 301);
            let found = decode_varints::<Varint64>(backend, &bytes, &mut found);
            assert_eq!((found.read, found.values.len()), (good, before), "{}, {long} bytes", backend.name());
        }
    }
}

/// What a kernel does not decode, the plain loop does, and values alone do not tell.
#[test]
fn each_kernel_alone_decodes_all_but_the_end_of_long_runs() {
    for (name, bytes) in mixes().into_iter().filter(|(_, bytes)| bytes.len() > 4 * (SLACK + GROUP * varint::MAX_LEN)) {
        for backend in Backend::available().into_iter().filter(|&backend| backend != Backend::Plain) {
            check_kernel::<Varint64>(backend, &bytes, &name);
            check_kernel::<Varint32>(backend, &bytes, &name);
            check_kernel::<Zigzag64>(backend, &bytes, &name);
            check_kernel::<Zigzag32>(backend, &bytes, &name);
            // Flags of more than a byte are not what kernels are made for.
            if bytes.iter().all(|&byte| byte < 0x80) {
                check_kernel::<Bool>(backend, &bytes, &name);
            }
        }
    }
}

fn check_kernel<K: Kind>(backend: Backend, source: &[u8], name: &str) {
    let limit = source.len() - SLACK;
    let mut room = slots(varint::count(source));
    let progress = varints::run::<K>(backend, source, limit, &mut room);
    let name = format!("{}, {name}, {}: {progress:?}", backend.name(), std::any::type_name::<K>());
    assert!(progress.read + GROUP * varint::MAX_LEN > limit, "{name} of {limit} bytes");
    assert_eq!(progress.written, varint::count(&source[..progress.read]), "{name}");
}

#[test]
fn padding_changes_no_value_on_any_backend() {
    let mut bytes = Vec::new();
    let mut random = Random(1);
    for _ in 0..2000 {
        let (value, len) = varint::encode(random.next() >> random.below(64));
        let padded = len + random.below(11 - len);
        let mut varint = value.to_le_bytes()[..len].to_vec();
        if padded > len {
            varint[len - 1] |= 0x80;
            varint.resize(padded - 1, 0x80);
            varint.push(0);
        }
        bytes.extend(varint);
    }
    check_all(&bytes, "padded");
}

#[test]
fn a_tenth_byte_loses_its_high_bits_on_every_backend() {
    let bytes: Vec<u8> =
        (0..1000).flat_map(|byte| [&[0x80 | byte as u8; 9][..], &[byte as u8 & 0x7f]].concat()).collect();
    check_all(&bytes, "tenth bytes");
}

#[test]
fn records_are_gathered_up_to_the_first_other_tag_whatever_its_place() {
    for backend in Backend::available() {
        check_gather::<u64, 1>(backend, [0x09]);
        check_gather::<u64, 2>(backend, [0x81, 0x01]);
        check_gather::<u32, 1>(backend, [0x0d]);
        check_gather::<u32, 2>(backend, [0xfd, 0x7f]);
    }
}

fn check_gather<W: Word + PartialEq + std::fmt::Debug, const TAG: usize>(backend: Backend, tag: [u8; TAG]) {
    let mut random = Random(9);
    let stride = TAG + size_of::<W>();
    let mut good = Vec::new();
    for _ in 0..150 {
        good.extend(tag);
        // Numbers full of the tag's own bytes: only those in their place may count.
        good.extend((0..size_of::<W>()).map(|_| if random.below(2) == 0 { tag[0] } else { random.next() as u8 }));
    }
    for records in 0..150 {
        for (byte, cut) in (0..TAG).flat_map(|byte| [(byte, 0), (byte, 1), (byte, stride - 1)]) {
            let mut bytes = good.clone();
            bytes[records * stride + byte] ^= 0x40;
            bytes.truncate(bytes.len() - cut);
            for room in [150, records, 33] {
                let mut expected = slots(room);
                let expected = gather::<W, TAG>(Backend::Plain, &bytes, tag, &mut expected);
                assert_eq!(expected.len(), records.min(room));
                let mut found = slots(room);
                assert_eq!(gather::<W, TAG>(backend, &bytes, tag, &mut found), expected, "{}", backend.name());
            }
        }
    }
}

#[test]
fn tagged_varints_are_decoded_up_to_the_first_other_tag_or_fault() {
    for tag in [&[0x08][..], &[0x98, 0x01], &[0x80, 0x80, 0x04]] {
        for (mix, longest) in [("1 byte", 1), ("1 to 3", 3), ("1 to 10", 10)] {
            let mut random = Random(3);
            let mut records = Vec::new();
            for _ in 0..700 {
                let len = 1 + random.below(longest);
                let mut record = tag.to_vec();
                record.extend((1..len).map(|_| random.next() as u8 | 0x80));
                record.push((random.next() as u8 & 0x7f).max(1));
                records.push(record);
            }
            check_tagged(&records.concat(), tag, mix);
            for place in [0, 1, 15, 16, 17, 100, 271, 272, 273, 528, 600, 699] {
                let last = records[place].len() - 1;
                for change in ["another tag", "a fault", "padding", "a padded tag", "an overflowing tag", "cut"] {
                    let mut changed = records.clone();
                    match change {
                        "another tag" => changed[place][tag.len() - 1] ^= 0x20,
                        "a fault" => drop(changed[place].splice(last..last, [0xff; 11])),
                        "padding" => {
                            changed[place][last] |= 0x80;
                            changed[place].push(0);
                        }
                        "a padded tag" => {
                            changed[place][tag.len() - 1] |= 0x80;
                            changed[place].insert(tag.len(), 0);
                        }
                        // Its lower 64 bits are those of the tag.
                        "an overflowing tag" => {
                            changed[place][tag.len() - 1] |= 0x80;
                            let rest = [vec![0x80; 9 - tag.len()], vec![0x02]].concat();
                            changed[place].splice(tag.len()..tag.len(), rest);
                        }
                        _ => changed.truncate(place),
                    }
                    check_tagged(&changed.concat(), tag, &format!("{mix}, {change} at {place}"));
                }
            }
        }
    }
}

fn check_tagged(source: &[u8], tag: &[u8], name: &str) {
    for backend in Backend::available() {
        for room in [1000, 300, 16, 5] {
            let mut expected = slots(room);
            let expected = decode_tagged::<Zigzag64>(Backend::Plain, source, tag, &mut expected);
            let mut found = slots(room);
            let found = decode_tagged::<Zigzag64>(backend, source, tag, &mut found);
            assert!(found == expected, "{}, tag {tag:02x?}, {name}, room for {room}", backend.name());
        }
    }
}

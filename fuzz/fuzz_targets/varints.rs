//! Every backend makes of any bytes what the plain loop makes of them, in room that is exactly as large.

#![no_main]

use std::fmt::Debug;
use std::mem::MaybeUninit;

use libfuzzer_sys::fuzz_target;
use wirearray::simd::{Backend, Word, decode_tagged, decode_varints, encode_varints, gather, len_of_varints};
use wirearray::varint::{self, Bool, Kind, Signed32, Varint32, Varint64, Zigzag32, Zigzag64};

fuzz_target!(|data: &[u8]| {
    let Some((&[first, second], rest)) = data.split_first_chunk() else { return };
    // A copy, whose ends are those of its allocation. Long ones, which the kernels want, are short ones again and again.
    let source = rest.repeat(1 + usize::from(first % 8) * usize::from(second % 8));
    check_kind::<Varint64>(&source);
    check_kind::<Varint32>(&source);
    check_kind::<Signed32>(&source);
    check_kind::<Zigzag64>(&source);
    check_kind::<Zigzag32>(&source);
    check_kind::<Bool>(&source);
    check_gather::<u64, 1>([first], &source);
    check_gather::<u64, 2>([first | 0x80, second], &source);
    check_gather::<u32, 1>([first], &source);
    check_gather::<u32, 2>([first | 0x80, second], &source);
});

fn check_kind<K: Kind>(source: &[u8]) {
    check::<K::Element>(source, |backend, room| {
        let decoded = decode_varints::<K>(backend, source, room);
        (decoded.read, decoded.values)
    });
    for tag_len in 1..=2 {
        let is_tag = |tag: &&[u8]| varint::decode(tag).is_ok_and(|(_, len)| len == tag_len);
        let Some(tag) = source.get(..tag_len).filter(is_tag) else { continue };
        check::<K::Element>(source, |backend, room| {
            let decoded = decode_tagged::<K>(backend, source, tag, room);
            (decoded.read, decoded.values)
        });
    }
    let len = len_of_varints::<K>(Backend::Plain, source);
    for backend in Backend::available() {
        assert_eq!(len_of_varints::<K>(backend, source), len, "{}", backend.name());
    }
    check::<u8>(source, |backend, room| {
        let encoded = encode_varints::<K>(backend, source, room);
        (encoded.read, encoded.bytes)
    });
}

fn check_gather<W: Word + PartialEq + Debug, const TAG: usize>(tag: [u8; TAG], source: &[u8]) {
    // The tag that the bytes begin with is met more often than any other.
    for tag in [Some(tag), source.first_chunk().copied()].into_iter().flatten() {
        check::<W>(source, |backend, room| (0, gather::<W, TAG>(backend, source, tag, room)));
    }
}

/// Compares each backend with the plain loop, in as much room as the values take, and in less.
fn check<T: Copy + PartialEq + Debug>(
    source: &[u8],
    decode: impl for<'d> Fn(Backend, &'d mut [MaybeUninit<T>]) -> (usize, &'d mut [T]),
) {
    // No value takes less than a byte, and none that is encoded more than ten.
    let mut room = vec![MaybeUninit::uninit(); 10 * source.len()];
    let whole = decode(Backend::Plain, &mut room).1.len();
    for count in [whole, whole / 2 + whole / 3] {
        let mut room = vec![MaybeUninit::uninit(); count];
        let expected = decode(Backend::Plain, &mut room);
        for backend in Backend::available() {
            let mut room = vec![MaybeUninit::uninit(); count];
            assert_eq!(decode(backend, &mut room), expected, "{}, room for {count}", backend.name());
        }
    }
}

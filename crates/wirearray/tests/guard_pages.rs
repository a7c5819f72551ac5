//! The vector code reads nothing outside its input and writes nothing outside its output: each lies flush with a page that
//! ends the process when it is touched.

#![cfg(all(unix, not(feature = "safe")))]
#![allow(unsafe_code, reason = "maps pages that may not be touched, and lends the ones between them")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use wirearray::simd::{Backend, Decoded, Word, decode_tagged, decode_varints, encode_varints, gather, len_of_varints};
use wirearray::varint::{Bool, Kind, Signed32, Varint32, Varint64, Zigzag32, Zigzag64};

/// What the bytes in front of an output hold before and have to hold afterwards.
const UNTOUCHED: [u8; 512] = [0xa5; 512];

/// Pages between two that may not be touched.
struct Pages {
    mapping: NonNull<u8>,
    page: usize,
    len: usize,
}

impl Pages {
    /// At least `len` bytes.
    fn new(len: usize) -> Self {
        // SAFETY: the call has no conditions.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
        let len = len.next_multiple_of(page);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping touches nothing that is there.
        let mapping = unsafe { libc::mmap(std::ptr::null_mut(), len + 2 * page, libc::PROT_NONE, flags, -1, 0) };
        assert_ne!(mapping, libc::MAP_FAILED);
        // SAFETY: these are pages of the mapping, which has one more at each end.
        let result =
            unsafe { libc::mprotect(mapping.wrapping_byte_add(page), len, libc::PROT_READ | libc::PROT_WRITE) };
        assert_eq!(result, 0);
        Self { mapping: NonNull::new(mapping.cast()).unwrap(), page, len }
    }

    fn bytes(&mut self) -> &mut [u8] {
        let start = self.mapping.as_ptr().wrapping_add(self.page);
        // SAFETY: so many bytes may be read and written there, and are lent for as long as the mapping is.
        unsafe { std::slice::from_raw_parts_mut(start, self.len) }
    }

    /// A copy of `bytes` that begins behind the first page, or that ends `gap` bytes in front of the last.
    fn place(&mut self, bytes: &[u8], gap: Option<usize>) -> &[u8] {
        let start = gap.map_or(0, |gap| self.len - gap - bytes.len());
        let place = &mut self.bytes()[start..][..bytes.len()];
        place.copy_from_slice(bytes);
        place
    }

    /// Room for `count` elements that ends in front of the last page.
    fn room<T: bytemuck::Pod>(&mut self, count: usize) -> &mut [MaybeUninit<T>] {
        let bytes = self.bytes();
        let start = bytes.len() - count * size_of::<T>();
        *bytes[..start].last_chunk_mut().unwrap() = UNTOUCHED;
        let room: &mut [T] = bytemuck::cast_slice_mut(&mut bytes[start..]);
        // SAFETY: elements that are there may be taken for ones that need not be; only values are written to them.
        unsafe { std::slice::from_raw_parts_mut(room.as_mut_ptr().cast(), count) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and nothing of it is lent any more.
        let result = unsafe { libc::munmap(self.mapping.as_ptr().cast(), self.len + 2 * self.page) };
        assert_eq!(result, 0);
    }
}

/// The pages that a test uses, one after the other for all of its cases.
struct Bench {
    input: Pages,
    output: Pages,
}

impl Bench {
    fn new() -> Self {
        Self { input: Pages::new(1 << 14), output: Pages::new(1 << 16) }
    }

    /// Compares what every backend makes of `bytes` with what the plain loop does, in room that is exactly as large.
    fn check<T: bytemuck::Pod + PartialEq + std::fmt::Debug>(
        &mut self,
        bytes: &[u8],
        gap: Option<usize>,
        decode: impl for<'d> Fn(Backend, &[u8], &'d mut [MaybeUninit<T>]) -> Decoded<'d, T>,
    ) {
        let mut expected = vec![MaybeUninit::uninit(); bytes.len()];
        let expected = decode(Backend::Plain, bytes, &mut expected);
        let count = expected.values.len();
        let source = self.input.place(bytes, gap);
        for backend in Backend::available() {
            let found = decode(backend, source, self.output.room(count));
            assert_eq!(found.values, expected.values, "{}, {} bytes, gap {gap:?}", backend.name(), bytes.len());
            let size = size_of_val(found.values);
            let start = self.output.len - size;
            let in_front = &self.output.bytes()[..start];
            assert_eq!(in_front.last_chunk(), Some(&UNTOUCHED), "{}, {count} values", backend.name());
        }
    }

    fn check_varints<K: Kind>(&mut self, bytes: &[u8], gap: Option<usize>) {
        self.check::<K::Element>(bytes, gap, |backend, source, room| decode_varints::<K>(backend, source, room));
    }

    fn check_every_kind(&mut self, bytes: &[u8], gap: Option<usize>) {
        self.check_varints::<Varint64>(bytes, gap);
        self.check_varints::<Varint32>(bytes, gap);
        self.check_varints::<Zigzag64>(bytes, gap);
        self.check_varints::<Zigzag32>(bytes, gap);
        self.check_varints::<Bool>(bytes, gap);
    }

    fn check_gather<W: Word + PartialEq + std::fmt::Debug, const TAG: usize>(
        &mut self,
        tag: [u8; TAG],
        len: usize,
        gap: Option<usize>,
    ) {
        let record = [&tag[..], &[0xff; 8][..size_of::<W>()]].concat();
        let bytes: Vec<u8> = record.iter().copied().cycle().take(len).collect();
        self.check::<W>(&bytes, gap, |backend, source, room| {
            let values = gather::<W, TAG>(backend, source, tag, room);
            Decoded { read: values.len() * (TAG + size_of::<W>()), values }
        });
    }
}

/// The way back: elements to varints, as many as there is room for in as many bytes.
impl Bench {
    fn check_encoding<K: Kind>(&mut self, elements: &[u8], gap: Option<usize>) {
        let len = len_of_varints::<K>(Backend::Plain, elements);
        let source = self.input.place(elements, gap);
        for backend in Backend::available() {
            assert_eq!(len_of_varints::<K>(backend, source), len, "{}", backend.name());
        }
        self.check::<u8>(elements, gap, |backend, source, room| {
            let encoded = encode_varints::<K>(backend, source, room);
            Decoded { read: encoded.read, values: encoded.bytes }
        });
    }

    fn check_encoding_of_every_kind(&mut self, elements: &[u8], gap: Option<usize>) {
        self.check_encoding::<Varint64>(elements, gap);
        self.check_encoding::<Varint32>(elements, gap);
        self.check_encoding::<Signed32>(elements, gap);
        self.check_encoding::<Zigzag64>(elements, gap);
        self.check_encoding::<Zigzag32>(elements, gap);
        self.check_encoding::<Bool>(elements, gap);
    }
}

/// Runs of varints of up to so many bytes.
fn mixes(len: usize) -> Vec<Vec<u8>> {
    let mut state = 1u64;
    let mut random = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut mix = |longest| {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            bytes.extend((0..random(longest)).map(|_| 0x80 | random(128) as u8));
            bytes.push(random(128) as u8);
        }
        bytes
    };
    [1, 2, 3, 5, 8, 10].map(&mut mix).into()
}

/// Every place at which an input can be: behind the page before it, and in front of the one behind it, with as many bytes
/// between them as give every alignment.
fn places() -> impl Iterator<Item = Option<usize>> {
    (0..64).map(Some).chain([None])
}

#[test]
fn short_runs_of_varints_at_every_alignment() {
    let mut bench = Bench::new();
    let mixes = mixes(400);
    for len in 0..=300 {
        for (number, gap) in places().enumerate() {
            let mix = &mixes[(len + number) % mixes.len()];
            bench.check_every_kind(&mix[..len], gap);
        }
    }
}

#[test]
fn runs_of_varints_that_the_kernels_work_on() {
    let mut bench = Bench::new();
    for mix in mixes(5000) {
        for len in (300..1400).chain(4000..4400) {
            bench.check_every_kind(&mix[..len], [Some(0), Some(len % 64), None][len % 3]);
        }
    }
}

#[test]
fn varints_that_are_too_long_in_front_of_the_end() {
    let mut bench = Bench::new();
    let mixes = mixes(2000);
    for len in 0..400 {
        for mix in &mixes {
            let mut bytes = mix[..2 * len].to_vec();
            bytes.resize(3 * len, 0x80);
            bench.check_every_kind(&bytes, Some(0));
        }
    }
}

#[test]
fn records_of_fixed_width_at_every_alignment() {
    let mut bench = Bench::new();
    for len in 0..=300 {
        for gap in places() {
            bench.check_gather::<u64, 1>([0x09], len, gap);
            bench.check_gather::<u64, 2>([0x81, 0x01], len, gap);
            bench.check_gather::<u32, 1>([0x0d], len, gap);
            bench.check_gather::<u32, 2>([0x85, 0x01], len, gap);
        }
    }
}

#[test]
fn varints_with_a_tag_before_each() {
    let mut bench = Bench::new();
    let tag = [0x88, 0x01];
    let bytes: Vec<u8> =
        (0..1000u32).flat_map(|n| [&tag[..], &[0x80 | n as u8, 1][(n % 2) as usize..]].concat()).collect();
    for len in (0..300).chain(2000..2300) {
        for gap in [Some(0), Some(len % 64), None] {
            bench.check::<u64>(&bytes[..len], gap, |backend, source, room| {
                decode_tagged::<Varint64>(backend, source, &tag, room)
            });
        }
    }
}

#[test]
fn elements_at_every_alignment() {
    let mut bench = Bench::new();
    let numbers = |longest: u32| {
        (0..500u64).flat_map(move |n| {
            let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (spread >> (64 - (7 * (1 + n as u32 % longest)).min(64))).to_le_bytes()
        })
    };
    let mixes = [1, 2, 4, 8, 10].map(|longest| numbers(longest).collect::<Vec<u8>>());
    for len in (0..=600).chain(3900..=4000) {
        for (number, gap) in places().enumerate() {
            if len % 4 == 0 || number % 7 == 0 {
                bench.check_encoding_of_every_kind(&mixes[(len + number) % mixes.len()][..len], gap);
            }
        }
    }
}

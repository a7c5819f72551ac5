//! The last of equal keys of maps.
//!
//! Most maps have no key twice, and many were written in the order of their keys, where one look at each is enough. Of others the
//! numbers of entries stand in a table by the hashes of their keys, which is seeded, so that no writer can choose keys that
//! collide.

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use hashbrown::hash_table::{Entry, HashTable};

use super::budget::{Shortage, Taken};
use super::offsets::Offsets;
use super::table::{Data, List};

/// Rows of so many entries are cheaper to compare each with each than to put into a table.
const FEW: usize = 8;

/// The most bytes of a table for each of its entries, at whose number its size is set: a number and a byte in each place, of which
/// there are a power of two, and eight for each seven entries.
const MOST_BYTES: usize = 21;

impl List {
    /// The entries of a map, without those that a later one of the same key replaces.
    pub(super) fn with_last_of_equal_keys(self) -> Self {
        let Data::Table(entries) = &self.values else { return self };
        let rows = || (0..self.offsets.len()).map(|row| self.offsets.range(row).unwrap_or_default());
        if rows().all(|row| row.len() <= 1) {
            return self;
        }
        let Some(keys) = entries.column_if_made(0) else {
            // All of them are the default.
            let kept: Vec<usize> = rows().filter_map(Iterator::last).collect();
            return self.with_entries(&kept, rows().map(|row| row.len().min(1)));
        };
        let keys = Keys::of(&keys.data);
        let mut replaced = Replaced::default();
        rows().for_each(|row| keys.find_replaced(row, &mut replaced));
        let Some(flags) = replaced.flags else { return self };
        let is_kept = |entry: &usize| flags.get(*entry) != Some(&true);
        let kept: Vec<usize> = (0..entries.rows()).filter(is_kept).collect();
        self.with_entries(&kept, rows().map(|row| row.filter(is_kept).count()))
    }

    /// The entries with these numbers, of which each row has so many.
    fn with_entries(&self, kept: &[usize], lens: impl ExactSizeIterator<Item = usize>) -> Self {
        Self { offsets: Offsets::of_lens(lens), values: self.values.take(kept) }
    }
}

/// Entries that a later one replaces.
#[derive(Default)]
struct Replaced {
    /// For each entry up to the last of them, whether it is one; nothing where none is.
    flags: Option<Vec<bool>>,
    taken: Taken,
}

impl Replaced {
    fn note(&mut self, entry: usize) {
        let flags = self.flags.get_or_insert_default();
        if flags.capacity() <= entry {
            // It doubles at the least.
            self.taken.add(flags.capacity().max(entry + 1));
        }
        if flags.len() <= entry {
            flags.resize(entry + 1, false);
        }
        flags[entry] = true;
    }
}

/// The keys of all entries.
struct Keys<'k> {
    bytes: &'k [u8],
    places: Places<'k>,
    seed: RandomState,
}

/// Where each key is among their bytes.
enum Places<'k> {
    /// All have that size.
    OfNumbers(usize),
    /// Each goes from an offset to the next.
    OfStrings(&'k [i64]),
}

impl<'k> Keys<'k> {
    fn of(data: &'k Data) -> Self {
        let (bytes, places) = match data {
            Data::Numbers(numbers) => (numbers.values.as_bytes(), Places::OfNumbers(numbers.dtype.size())),
            Data::Strings(strings) => (strings.data.as_bytes(), Places::OfStrings(strings.offsets.as_slice())),
            Data::Table(_) | Data::List(_) => unreachable!("the schema admits numbers and strings as keys"),
        };
        Self { bytes, places, seed: RandomState::new() }
    }

    fn find_replaced(&self, entries: Range<usize>, replaced: &mut Replaced) {
        let mut pairs = entries.clone().zip(entries.clone().skip(1));
        if pairs.all(|(entry, next)| self.compare(entry, next).is_lt()) {
            return;
        }
        if entries.len() <= FEW {
            let is_replaced = |&entry: &usize| (entry + 1..entries.end).any(|later| self.get(later) == self.get(entry));
            return entries.clone().filter(is_replaced).for_each(|entry| replaced.note(entry));
        }
        // The entry of each key that came last, so far.
        let (mut last, mut taken) = (HashTable::<usize>::new(), Taken::default());
        let hash = |&entry: &usize| self.seed.hash_one(self.get(entry));
        taken.add(entries.len().saturating_mul(MOST_BYTES));
        last.try_reserve(entries.len(), hash).unwrap_or_else(|_| Shortage::System.unwind());
        for entry in entries {
            let key = self.get(entry);
            match last.entry(hash(&entry), |&other| self.get(other) == key, hash) {
                Entry::Occupied(mut other) => replaced.note(std::mem::replace(other.get_mut(), entry)),
                Entry::Vacant(place) => _ = place.insert(entry),
            }
        }
    }

    /// Any order does; that of their bytes from the last one on is the natural one of numbers.
    fn compare(&self, entry: usize, next: usize) -> Ordering {
        match self.places {
            Places::OfNumbers(_) => self.get(entry).iter().rev().cmp(self.get(next).iter().rev()),
            Places::OfStrings(_) => self.get(entry).cmp(self.get(next)),
        }
    }

    fn get(&self, entry: usize) -> &'k [u8] {
        match self.places {
            Places::OfNumbers(size) => &self.bytes[entry * size..][..size],
            Places::OfStrings(offsets) => {
                &self.bytes[offsets[entry].cast_unsigned() as usize..offsets[entry + 1].cast_unsigned() as usize]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::take_samples::{entries, list, numbers, strings};
    use super::FEW;

    #[test]
    fn of_equal_keys_of_one_row_the_last_is_kept_in_its_own_place() {
        let map =
            list(&[4, 0, 2, 1], entries(strings(&["x", "y", "x", "", "x", "y", "x"]), numbers(&[1, 2, 3, 4, 5, 6, 7])));
        let kept = list(&[3, 0, 2, 1], entries(strings(&["y", "x", "", "x", "y", "x"]), numbers(&[2, 3, 4, 5, 6, 7])));
        assert_eq!(map.with_last_of_equal_keys(), kept);
        let map = || list(&[1, 2], entries(numbers(&[1, 1, 2]), numbers(&[1, 2, 3])));
        assert_eq!(map().with_last_of_equal_keys(), map(), "nothing to drop");
        // As many as are compared each with each, and one more.
        for len in [FEW, FEW + 1] {
            let keys: Vec<u32> = (0..len as u32).map(|key| key / 2).collect();
            let map = list(&[len], entries(numbers(&keys), numbers(&(0..len as u32).collect::<Vec<_>>())));
            let kept: Vec<u32> = (0..len as u32).filter(|&entry| entry % 2 == 1 || entry == len as u32 - 1).collect();
            let last: Vec<u32> = kept.iter().map(|&entry| keys[entry as usize]).collect();
            assert_eq!(map.with_last_of_equal_keys(), list(&[kept.len()], entries(numbers(&last), numbers(&kept))));
        }
    }

    #[test]
    fn keys_may_come_in_any_order() {
        let map = |keys: &[u32]| list(&[keys.len()], entries(numbers(keys), numbers(keys)));
        // The bytes of 256 are less than those of 255.
        for keys in [&[1, 255, 256, u32::MAX][..], &[256, 255, 1], &[7], &[]] {
            assert_eq!(map(keys).with_last_of_equal_keys(), map(keys));
        }
        assert_eq!(map(&[1, 255, 256, 256]).with_last_of_equal_keys(), map(&[1, 255, 256]));
        let many: Vec<u32> = (0..100_000).map(|number: u32| number.wrapping_mul(2_654_435_761)).collect();
        assert_eq!(map(&[many.clone(), many.clone()].concat()).with_last_of_equal_keys(), map(&many));
    }
}

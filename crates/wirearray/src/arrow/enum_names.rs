//! The values of enums by name: a dictionary of the names, and where each value's is.

use std::collections::HashMap;

use crate::column::{Buffer, Memory, Offsets, StringColumn};
use crate::schema::Enum;

/// For each number the place of its name, as `int32`, and the names: those that the schema has, in its order, and behind
/// them the digits of numbers that have none, which open enums admit.
pub(super) fn dictionary(enumeration: &Enum, numbers: &Memory) -> (Memory, StringColumn) {
    let mut names: Vec<String> = Vec::new();
    let mut places: HashMap<i32, u32> = HashMap::new();
    // Of several names of one number the first stands for all.
    for (name, number) in &enumeration.values {
        places.entry(*number).or_insert_with(|| add(&mut names, name.clone()));
    }
    let bytes = numbers.as_bytes().as_chunks().0;
    let mut before = None;
    let place_of = |&bytes: &[u8; 4]| {
        let number = i32::from_ne_bytes(bytes);
        // Successive values are often the same.
        match before {
            Some((same, place)) if same == number => place,
            _ => {
                let place = *places.entry(number).or_insert_with(|| add(&mut names, number.to_string()));
                before = Some((number, place));
                place
            }
        }
    };
    let places: Buffer<u32> = bytes.iter().map(place_of).collect();
    let offsets = Offsets::of_lens(names.iter().map(String::len));
    let data = names.iter().flat_map(|name| name.bytes()).collect::<Buffer<u8>>().freeze();
    (places.freeze(), StringColumn { is_text: true, data, offsets })
}

fn add(names: &mut Vec<String>, name: String) -> u32 {
    names.push(name);
    u32::try_from(names.len() - 1).expect("there are not more names than numbers")
}

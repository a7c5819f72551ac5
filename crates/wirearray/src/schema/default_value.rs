//! Reads the text in which a descriptor keeps the default of a field.
//!
//! Numbers are decimal, `inf` and `nan` included; an enum's default is the name of a value, a string's is the text
//! itself, and that of `bytes` is escaped as in C. Text that is none of these is refused.

use super::{Default, Enum, Scalar};

/// The default of a number or bool, as the bits of an array element.
pub(super) fn parse_scalar(scalar: Scalar, text: &str) -> Result<Default, String> {
    let bits = match scalar {
        // The C++ library reads a double and narrows it too, so that both agree where rounding twice differs.
        Scalar::Float => text.parse::<f64>().ok().map(|value| u64::from((value as f32).to_bits())),
        Scalar::Double => text.parse::<f64>().ok().map(f64::to_bits),
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => text.parse::<i32>().ok().map(bits_of_int32),
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => text.parse().ok().map(i64::cast_unsigned),
        Scalar::Uint32 | Scalar::Fixed32 => text.parse::<u32>().ok().map(u64::from),
        Scalar::Uint64 | Scalar::Fixed64 => text.parse().ok(),
        Scalar::Bool => text.parse::<bool>().ok().map(u64::from),
    };
    bits.map(Default::Bits).ok_or_else(|| format!("the default {text:?} is not of type {}", scalar.name()))
}

/// The default of an enum field: the number of the value called `name`.
pub(super) fn parse_enum(enumeration: &Enum, name: &str) -> Result<Default, String> {
    match enumeration.values.iter().find(|(known, _)| known == name) {
        Some(&(_, number)) => Ok(Default::Bits(bits_of_int32(number))),
        None => Err(format!("the default {name:?} is not a value of {}", enumeration.full_name)),
    }
}

/// The value of an enum field that declares no default: the first, unless that is zero anyway.
pub(super) fn first_of(enumeration: &Enum) -> Option<Default> {
    match enumeration.values.first() {
        None | Some((_, 0)) => None,
        Some(&(_, number)) => Some(Default::Bits(bits_of_int32(number))),
    }
}

fn bits_of_int32(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}

/// The default of a `bytes` field.
pub(super) fn parse_bytes(text: &str) -> Result<Default, String> {
    let mut value = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        value.push(match byte {
            b'\\' => read_escape(&mut rest).ok_or_else(|| format!("the default {text:?} has a broken escape"))?,
            _ => byte,
        });
    }
    Ok(Default::Bytes(value))
}

/// Reads what follows a backslash.
fn read_escape(rest: &mut &[u8]) -> Option<u8> {
    let (&kind, behind) = rest.split_first()?;
    let byte = match kind {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'v' => 0x0b,
        b'\\' | b'\'' | b'"' | b'?' => kind,
        b'x' | b'X' => {
            *rest = behind;
            return read_digits(rest, 16, 2);
        }
        // The first octal digit is the kind itself.
        b'0'..=b'7' => return read_digits(rest, 8, 3),
        _ => return None,
    };
    *rest = behind;
    Some(byte)
}

/// Reads one to `most` digits; `None` without any, or above 255.
fn read_digits(rest: &mut &[u8], radix: u32, most: usize) -> Option<u8> {
    let is_digit = |&byte: &u8| char::from(byte).is_digit(radix);
    let len = rest.iter().take(most).take_while(|byte| is_digit(byte)).count();
    let (digits, behind) = rest.split_at(len);
    *rest = behind;
    u8::from_str_radix(str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(scalar: Scalar, text: &str) -> Option<u64> {
        match parse_scalar(scalar, text) {
            Ok(Default::Bits(bits)) => Some(bits),
            _ => None,
        }
    }

    #[test]
    fn integers_fill_their_own_width_and_no_more() {
        assert_eq!(bits(Scalar::Int32, "-1"), Some(0xffff_ffff));
        assert_eq!(bits(Scalar::Sfixed32, "-2147483648"), Some(0x8000_0000));
        assert_eq!(bits(Scalar::Sint64, "-1"), Some(u64::MAX));
        assert_eq!(bits(Scalar::Fixed64, "18446744073709551615"), Some(u64::MAX));
        assert_eq!(bits(Scalar::Uint32, "4294967295"), Some(0xffff_ffff));
    }

    #[test]
    fn floats_know_infinities_nan_and_minus_zero() {
        assert_eq!(bits(Scalar::Double, "inf"), Some(f64::INFINITY.to_bits()));
        assert_eq!(bits(Scalar::Float, "-inf"), Some(0xff80_0000));
        assert_eq!(bits(Scalar::Double, "nan"), Some(0x7ff8_0000_0000_0000));
        assert_eq!(bits(Scalar::Float, "nan"), Some(0x7fc0_0000));
        assert_eq!(bits(Scalar::Float, "-0"), Some(0x8000_0000));
        assert_eq!(bits(Scalar::Float, "1.5e3"), Some(u64::from(1500f32.to_bits())));
        assert_eq!(bits(Scalar::Float, "1e300"), Some(0x7f80_0000));
    }

    #[test]
    fn text_that_is_no_value_of_the_type_is_refused() {
        for (scalar, text) in [
            (Scalar::Int32, ""),
            (Scalar::Int32, "1.5"),
            (Scalar::Int32, "2147483648"),
            (Scalar::Uint32, "-1"),
            (Scalar::Uint64, "18446744073709551616"),
            (Scalar::Double, "1,5"),
            (Scalar::Double, ""),
            (Scalar::Bool, "1"),
        ] {
            assert!(parse_scalar(scalar, text).is_err(), "{scalar:?} {text:?}");
        }
        assert_eq!(parse_scalar(Scalar::Sint32, "Many"), Err("the default \"Many\" is not of type sint32".to_owned()));
    }

    #[test]
    fn bytes_are_unescaped_as_in_c() {
        let text = r#"a\n\r\t\"\'\\\a\b\f\v\?\0\1012\377\x7f\x1G"#;
        let expected = b"a\n\r\t\"'\\\x07\x08\x0c\x0b?\0A2\xff\x7f\x01G".to_vec();
        assert_eq!(parse_bytes(text), Ok(Default::Bytes(expected)));
        assert_eq!(parse_bytes("gr\u{fc}n"), Ok(Default::Bytes("gr\u{fc}n".as_bytes().to_vec())));
    }

    #[test]
    fn broken_escapes_are_refused() {
        for text in ["\\", "\\q", "\\x", "\\xg", "\\400", "\\u00e9"] {
            assert!(parse_bytes(text).is_err(), "{text:?}");
        }
    }
}

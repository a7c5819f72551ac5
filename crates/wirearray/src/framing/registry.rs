//! The header that serializers for a schema registry put in front of a message: which schema it has, and which message of it
//! this is. The layout is documented as Confluent's wire format; the place of the message is a list of zigzag varints.

use crate::error::RegistryFault;
use crate::varint;

/// How a registry names a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaId {
    /// By a number.
    Number(u32),
    /// By a GUID.
    Guid([u8; 16]),
}

/// What stands in front of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryHeader {
    /// The schema.
    pub schema: SchemaId,
    /// The bytes behind it say which message of the schema's file this is.
    path_start: usize,
}

impl RegistryHeader {
    /// Reads the schema's name.
    pub fn read(bytes: &[u8]) -> Result<Self, RegistryFault> {
        match bytes {
            [0, rest @ ..] => {
                let number = rest.first_chunk().ok_or(RegistryFault::Truncated)?;
                Ok(Self { schema: SchemaId::Number(u32::from_be_bytes(*number)), path_start: 5 })
            }
            [1, rest @ ..] => {
                let guid = rest.first_chunk().ok_or(RegistryFault::Truncated)?;
                Ok(Self { schema: SchemaId::Guid(*guid), path_start: 17 })
            }
            [magic, ..] => Err(RegistryFault::Magic(*magic)),
            [] => Err(RegistryFault::Truncated),
        }
    }

    /// How long the header is, if it is for the message at `path`: its index in the file, and that of each message within
    /// the one before.
    pub fn len_for(&self, bytes: &[u8], path: &[u32]) -> Result<usize, RegistryFault> {
        let mut at = self.path_start;
        let mut read = || -> Result<u64, RegistryFault> {
            let (value, len) =
                varint::decode(bytes.get(at..).unwrap_or_default()).map_err(|_| RegistryFault::Truncated)?;
            at += len;
            Ok(varint::unzigzag64(value))
        };
        let count = read()?;
        // The first message of a file is so common that it is written as nothing.
        let is_same = if count == 0 {
            path == [0]
        } else {
            count == path.len() as u64
                && path.iter().try_fold(true, |is_same, &index| Ok(read()? == u64::from(index) && is_same))?
        };
        if is_same { Ok(at) } else { Err(RegistryFault::OtherMessage) }
    }

    /// The header of messages at `path` of a schema.
    pub fn bytes(schema: SchemaId, path: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        match schema {
            SchemaId::Number(number) => {
                bytes.push(0);
                bytes.extend(number.to_be_bytes());
            }
            SchemaId::Guid(guid) => {
                bytes.push(1);
                bytes.extend(guid);
            }
        }
        if path == [0] {
            bytes.push(0);
        } else {
            let numbers = [path.len() as u64].into_iter().chain(path.iter().map(|&index| u64::from(index)));
            // A zigzag varint of what is not negative is that of its double.
            numbers.for_each(|number| varint::put(2 * number, &mut bytes));
        }
        bytes
    }
}

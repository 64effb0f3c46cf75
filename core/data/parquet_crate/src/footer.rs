//! A look at a file's footer before the library reads it. The library follows nested types by
//! recursion and makes room for as many things as a footer names: a few kilobytes of footer could
//! take all of the stack or of the memory.

use std::io::{Error, ErrorKind, Read, Result};

const MAX_DEPTH: usize = 100;

/// Fails where types are nested deeper than MAX_DEPTH, or where that cannot be found out.
pub fn check(footer: &[u8]) -> std::result::Result<(), String> {
    match Thrift(footer).file() {
        Ok(depth) if depth <= MAX_DEPTH => Ok(()),
        Ok(_) => Err(format!("its types are nested deeper than {MAX_DEPTH}")),
        Err(_) => Err("its footer is damaged".into()),
    }
}

/// What is left of bytes in Thrift's compact protocol.
struct Thrift<'a>(&'a [u8]);

const I32: u8 = 5;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

impl Thrift<'_> {
    /// FileMetaData: the depth of its field 2, a list of SchemaElement.
    fn file(&mut self) -> Result<usize> {
        let (mut id, mut deepest) = (0, 0);
        while let Some(kind) = self.field(&mut id)? {
            if (id, kind) == (2, LIST) {
                deepest = deepest.max(self.schema()?);
            } else {
                self.skip(kind, 0)?;
            }
        }
        Ok(deepest)
    }

    /// The schema is a tree, parents first: each element says how many children follow it.
    fn schema(&mut self) -> Result<usize> {
        let (size, kind) = self.list()?;
        if kind != STRUCT {
            return Err(bad());
        }
        let (mut open, mut deepest) = (Vec::new(), 0); // children still to come, per level
        for _ in 0..size {
            let children = self.children()?;
            if children > size {
                return Err(bad()); // the library makes room for them
            }
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(rest) = open.last_mut() {
                *rest -= 1;
            }
            open.push(children);
            deepest = deepest.max(open.len());
        }
        Ok(deepest)
    }

    /// SchemaElement: its field 5, which leaves do not have.
    fn children(&mut self) -> Result<u64> {
        let (mut id, mut children) = (0, 0);
        while let Some(kind) = self.field(&mut id)? {
            if (id, kind) == (5, I32) {
                children = self.varint()? >> 1; // zigzag; a negative number is no less wrong
            } else {
                self.skip(kind, 0)?;
            }
        }
        Ok(children)
    }

    /// The type of the next field of a struct, none at its end; `id` becomes its number.
    fn field(&mut self, id: &mut i64) -> Result<Option<u8>> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        *id = match head >> 4 {
            0 => {
                let zigzag = self.varint()?;
                (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)
            }
            step => id.wrapping_add(step.into()),
        };
        Ok(Some(head & 15))
    }

    /// Number and type of the elements of a list.
    fn list(&mut self) -> Result<(u64, u8)> {
        let head = self.byte()?;
        let size = match head >> 4 {
            15 => self.varint()?,
            size => size.into(),
        };
        Ok((size, head & 15))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Result<()> {
        match kind {
            1 | 2 => Ok(()), // booleans, as fields
            3 => self.byte().map(|_| ()),
            4..=6 => self.varint().map(|_| ()),
            7 => self.bytes(8),
            8 => {
                let size = self.varint()?;
                self.bytes(size)
            }
            LIST | 10 if depth < MAX_DEPTH => {
                let (size, kind) = self.list()?;
                let kind = if kind <= 2 { 3 } else { kind }; // booleans, as elements
                (0..size).try_for_each(|_| self.skip(kind, depth + 1))
            }
            STRUCT if depth < MAX_DEPTH => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(bad()),
        }
    }

    fn byte(&mut self) -> Result<u8> {
        let mut byte = [0];
        self.0.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn bytes(&mut self, size: u64) -> Result<()> {
        if size > self.0.len() as u64 {
            return Err(bad());
        }
        self.0 = &self.0[size as usize..];
        Ok(())
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(bad())
    }
}

fn bad() -> Error {
    ErrorKind::InvalidData.into()
}

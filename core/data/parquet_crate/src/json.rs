//! JSON straight from arrow arrays. What becomes of which type: core/data/parquet_bridge.h.

use crate::time::{write_date, write_time, write_timestamp};
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, TimeUnit};
use base64::prelude::{Engine, BASE64_STANDARD};
use std::io::Write;

type Result<T> = std::result::Result<T, String>;

/// An array whose type is found out once, not once per value.
pub struct Column {
    nulls: Option<NullBuffer>,
    values: Box<dyn Values>,
}

trait Values: Send + Sync {
    /// Appends the value at an index, which is not null.
    fn write(&self, index: usize, out: &mut Vec<u8>);
}

impl Column {
    pub fn new(array: &ArrayRef) -> Result<Column> {
        Ok(Column {
            nulls: array.nulls().cloned(),
            values: values(array)?,
        })
    }

    pub fn write(&self, index: usize, out: &mut Vec<u8>) {
        match &self.nulls {
            Some(nulls) if nulls.is_null(index) => out.extend_from_slice(b"null"),
            _ => self.values.write(index, out),
        }
    }
}

fn values(array: &ArrayRef) -> Result<Box<dyn Values>> {
    use DataType::*;
    Ok(match array.data_type() {
        Null => Box::new(Nulls),
        Boolean => Box::new(array.as_boolean().clone()),
        Int8 => numbers::<Int8Type>(array),
        Int16 => numbers::<Int16Type>(array),
        Int32 => numbers::<Int32Type>(array),
        Int64 => numbers::<Int64Type>(array),
        UInt8 => numbers::<UInt8Type>(array),
        UInt16 => numbers::<UInt16Type>(array),
        UInt32 => numbers::<UInt32Type>(array),
        UInt64 => numbers::<UInt64Type>(array),
        Float16 => numbers::<Float16Type>(array),
        Float32 => numbers::<Float32Type>(array),
        Float64 => numbers::<Float64Type>(array),
        Decimal32(..) => decimals::<Decimal32Type>(array),
        Decimal64(..) => decimals::<Decimal64Type>(array),
        Decimal128(..) => decimals::<Decimal128Type>(array),
        Decimal256(..) => decimals::<Decimal256Type>(array),
        Utf8 => Box::new(array.as_string::<i32>().clone()),
        Binary => Box::new(array.as_binary::<i32>().clone()),
        FixedSizeBinary(_) => Box::new(array.as_fixed_size_binary().clone()),
        Date32 => times::<Date32Type>(array, write_date),
        Time32(TimeUnit::Millisecond) => {
            times::<Time32MillisecondType>(array, |t, out| write_time(t as i64 * 1_000_000, out))
        }
        Time64(TimeUnit::Microsecond) => {
            times::<Time64MicrosecondType>(array, |t, out| write_time(t.wrapping_mul(1000), out))
        }
        Time64(TimeUnit::Nanosecond) => times::<Time64NanosecondType>(array, write_time),
        Timestamp(unit, zone) => timestamps(array, *unit, zone.is_some()),
        List(_) => Box::new(Lists {
            offsets: array.as_list::<i32>().offsets().clone(),
            items: Column::new(array.as_list::<i32>().values())?,
        }),
        Map(..) => Box::new(Maps {
            offsets: array.as_map().offsets().clone(),
            keys: Column::new(array.as_map().keys())?,
            values: Column::new(array.as_map().values())?,
        }),
        Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            let members = members.map(|(f, array)| Ok((json_key(f.name()), Column::new(array)?)));
            Box::new(Structs(members.collect::<Result<_>>()?))
        }
        other => return Err(format!("its type, {other}, has no form in JSON")),
    })
}

struct Nulls;

impl Values for Nulls {
    fn write(&self, _: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(b"null");
    }
}

impl Values for BooleanArray {
    fn write(&self, index: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.value(index) { b"true" } else { b"false" });
    }
}

/// Fixed-size values, each written by a function.
struct Each<T: ArrowPrimitiveType, F> {
    array: PrimitiveArray<T>,
    write: F,
}

impl<T, F> Values for Each<T, F>
where
    T: ArrowPrimitiveType,
    F: Fn(T::Native, &mut Vec<u8>) + Send + Sync,
{
    fn write(&self, index: usize, out: &mut Vec<u8>) {
        (self.write)(self.array.value(index), out);
    }
}

fn each<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    write: impl Fn(T::Native, &mut Vec<u8>) + Send + Sync + 'static,
) -> Box<dyn Values> {
    let array = array.as_primitive::<T>().clone();
    Box::new(Each { array, write })
}

/// Integers digit by digit, floats with the fewest digits that give the same number back. Those
/// that JSON does not have, infinity and NaN, are null.
fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef) -> Box<dyn Values> {
    each::<T>(array, |number, out| {
        let begin = out.len();
        let _ = write!(out, "{number:?}");
        if matches!(out.last(), Some(b'f' | b'N')) {
            out.truncate(begin);
            out.extend_from_slice(b"null");
        }
    })
}

fn decimals<T: DecimalType>(array: &ArrayRef) -> Box<dyn Values> {
    let typed = array.as_primitive::<T>();
    let (precision, scale) = (typed.precision(), typed.scale());
    each::<T>(array, move |number, out| {
        out.extend_from_slice(T::format_decimal(number, precision, scale).as_bytes())
    })
}

/// Times become quoted text.
fn times<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    write: impl Fn(T::Native, &mut Vec<u8>) + Send + Sync + 'static,
) -> Box<dyn Values> {
    each::<T>(array, move |time, out| {
        out.push(b'"');
        write(time, out);
        out.push(b'"');
    })
}

fn timestamps(array: &ArrayRef, unit: TimeUnit, utc: bool) -> Box<dyn Values> {
    use TimeUnit::*;
    let to = move |per_second| move |t, out: &mut Vec<u8>| write_timestamp(t, per_second, utc, out);
    match unit {
        Second => times::<TimestampSecondType>(array, to(1)),
        Millisecond => times::<TimestampMillisecondType>(array, to(1_000)),
        Microsecond => times::<TimestampMicrosecondType>(array, to(1_000_000)),
        Nanosecond => times::<TimestampNanosecondType>(array, to(1_000_000_000)),
    }
}

impl Values for StringArray {
    fn write(&self, index: usize, out: &mut Vec<u8>) {
        write_string(self.value(index), out);
    }
}

impl Values for BinaryArray {
    fn write(&self, index: usize, out: &mut Vec<u8>) {
        write_base64(self.value(index), out);
    }
}

impl Values for FixedSizeBinaryArray {
    fn write(&self, index: usize, out: &mut Vec<u8>) {
        write_base64(self.value(index), out);
    }
}

struct Lists {
    offsets: OffsetBuffer<i32>,
    items: Column,
}

impl Values for Lists {
    fn write(&self, index: usize, out: &mut Vec<u8>) {
        write_list(&self.offsets, index, out, |item, out| {
            self.items.write(item, out)
        });
    }
}

/// An array of [key, value], since a key need not be text.
struct Maps {
    offsets: OffsetBuffer<i32>,
    keys: Column,
    values: Column,
}

impl Values for Maps {
    fn write(&self, index: usize, out: &mut Vec<u8>) {
        write_list(&self.offsets, index, out, |item, out| {
            out.push(b'[');
            self.keys.write(item, out);
            out.push(b',');
            self.values.write(item, out);
            out.push(b']');
        });
    }
}

fn write_list(
    offsets: &OffsetBuffer<i32>,
    index: usize,
    out: &mut Vec<u8>,
    write: impl Fn(usize, &mut Vec<u8>),
) {
    out.push(b'[');
    let begin = offsets[index] as usize;
    for item in begin..offsets[index + 1] as usize {
        if item > begin {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Members with their keys, as `json_key` gives them.
struct Structs(Vec<(Vec<u8>, Column)>);

impl Values for Structs {
    fn write(&self, index: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        for (i, (key, column)) in self.0.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            column.write(index, out);
        }
        out.push(b'}');
    }
}

/// `"name":`
pub fn json_key(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    write_string(name, &mut key);
    key.push(b':');
    key
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(BASE64_STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.push(b'"');
    let mut done = 0;
    for (i, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[done..i]);
        done = i + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

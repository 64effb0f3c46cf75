//! A parquet file, and its row groups decoded into arrow arrays.

use crate::footer::check;
use crate::json::{json_key, Column};
use arrow_array::RecordBatchReader;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::ProjectionMask;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};
use std::ffi::OsStr;
use std::io::{BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

pub type Result<T> = std::result::Result<T, String>;

const BATCH_ROWS: usize = 8192;
const MAX_GROUP_BYTES: usize = 4 << 30;

/// Bytes of a file by position: several threads may read through one, unlike through a cursor.
#[derive(Clone)]
struct Source {
    file: Arc<std::fs::File>,
    size: u64,
}

struct Cursor {
    source: Source,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.source.file.read_at(out, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Source {
    /// The bytes between the pages and the eight last bytes, which are their number and "PAR1".
    fn footer(&self) -> Result<Vec<u8>> {
        let mut tail = [0; 8];
        let end = self.size.checked_sub(8).ok_or("it is too short")?;
        self.file.read_exact_at(&mut tail, end).map_err(text)?;
        let (size, magic) = tail.split_at(4);
        if magic != b"PAR1" {
            return Err("it does not end like a parquet file".into());
        }
        let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]).into();
        let begin = end.checked_sub(size).ok_or("it is cut short")?;
        let mut footer = vec![0; size as usize];
        self.file.read_exact_at(&mut footer, begin).map_err(text)?;
        Ok(footer)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Source {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        let source = self.clone();
        Ok(BufReader::new(Cursor { source, at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        if length as u64 > self.size.saturating_sub(start) {
            return Err(ParquetError::EOF("the file is cut short".into()));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

pub struct File {
    source: Source,
    metadata: ArrowReaderMetadata,
}

impl File {
    pub fn open(path: &[u8]) -> Result<File> {
        let file = std::fs::File::open(OsStr::from_bytes(path)).map_err(text)?;
        let size = file.metadata().map_err(text)?.len();
        let source = Source {
            file: Arc::new(file),
            size,
        };
        check(&source.footer()?)?;
        // The types that the parquet schema itself tells are few and say all that JSON can.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&source, options).map_err(text)?;
        if metadata.schema().fields().is_empty() {
            return Err("it has no columns".into());
        }
        let groups = metadata.metadata().row_groups();
        if groups.iter().any(|group| group.num_rows() < 0) {
            return Err("a row group has less than no rows".into());
        }
        Ok(File { source, metadata })
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let fields = self.metadata.schema().fields();
        fields.iter().map(|field| field.name().as_str())
    }

    pub fn group_rows(&self) -> impl Iterator<Item = u64> + '_ {
        let groups = self.metadata.metadata().row_groups();
        groups.iter().map(|group| group.num_rows() as u64)
    }
}

struct Batch {
    begin: usize,
    columns: Vec<Column>,
}

/// The chosen columns of a row group.
pub struct Group {
    keys: Vec<Vec<u8>>, // `{"a":`, then `,"b":`
    batches: Vec<Batch>,
    rows: usize,
    bytes: usize,
}

impl Group {
    pub fn decode(file: &File, index: usize, columns: &[u32]) -> Result<Group> {
        let metadata = file.metadata.clone();
        let columns = columns.iter().map(|&column| column as usize);
        let mask = ProjectionMask::roots(metadata.parquet_schema(), columns);
        let reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file.source.clone(), metadata)
                .with_row_groups(vec![index])
                .with_projection(mask)
                .with_batch_size(BATCH_ROWS)
                .build()
                .map_err(text)?;
        let schema = reader.schema();
        let mut group = Group {
            keys: schema.fields().iter().map(|f| json_key(f.name())).collect(),
            batches: Vec::new(),
            rows: 0,
            bytes: 0,
        };
        for batch in reader {
            let batch = batch.map_err(text)?;
            let columns = schema.fields().iter().zip(batch.columns());
            let columns = columns.map(|(field, array)| {
                Column::new(array).map_err(|why| format!("column `{}`: {why}", field.name()))
            });
            group.batches.push(Batch {
                begin: group.rows,
                columns: columns.collect::<Result<_>>()?,
            });
            group.rows += batch.num_rows();
            group.bytes += batch.get_array_memory_size();
            if group.bytes > MAX_GROUP_BYTES {
                return Err("it takes more than 4 GiB of memory".into());
            }
        }
        let wanted = file.metadata.metadata().row_group(index).num_rows();
        if group.rows as i64 != wanted {
            let rows = group.rows;
            return Err(format!("it has {rows} rows, but its header says {wanted}"));
        }
        Ok(group)
    }

    /// Memory that the decoded columns take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends a row as a JSON object.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        if row >= self.rows {
            return Err(format!("no row {row} in a row group of {}", self.rows));
        }
        let after = self.batches.partition_point(|batch| batch.begin <= row);
        let batch = &self.batches[after - 1];
        let mut separator = b'{';
        for (key, column) in self.keys.iter().zip(&batch.columns) {
            out.push(separator);
            separator = b',';
            out.extend_from_slice(key);
            column.write(row - batch.begin, out);
        }
        out.push(b'}');
        Ok(())
    }
}

/// What a library's error says, without the name of its kind.
fn text(error: impl ToString) -> String {
    let text = error.to_string();
    let kinds = [
        "Parquet error: ",
        "Parquet argument error: ",
        "EOF: ",
        "External: ",
    ];
    let mut rest = text.as_str();
    while let Some(shorter) = kinds.iter().find_map(|kind| rest.strip_prefix(kind)) {
        rest = shorter;
    }
    rest.to_string()
}

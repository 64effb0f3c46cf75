//! The entries of core/data/parquet_bridge.h, which is their documentation.

use crate::file::{File, Group, Result};
use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::Once;

type TakeText = unsafe extern "C" fn(to: *mut c_void, text: *const c_char, size: usize);
type TakeCount = unsafe extern "C" fn(to: *mut c_void, count: u64);

#[repr(C)]
pub struct Library {
    open: unsafe extern "C" fn(*const c_char, usize, TakeText, *mut c_void) -> *mut File,
    close: unsafe extern "C" fn(*mut File),
    columns: unsafe extern "C" fn(*const File, TakeText, *mut c_void),
    group_rows: unsafe extern "C" fn(*const File, TakeCount, *mut c_void),
    open_group: unsafe extern "C" fn(
        *const File,
        usize,
        *const u32,
        usize,
        TakeText,
        *mut c_void,
    ) -> *mut Group,
    close_group: unsafe extern "C" fn(*mut Group),
    group_bytes: unsafe extern "C" fn(*const Group) -> u64,
    row: unsafe extern "C" fn(*const Group, u64, TakeText, *mut c_void) -> c_int,
}

#[no_mangle]
pub extern "C" fn qpq_library_1() -> *const Library {
    static LIBRARY: Library = Library {
        open,
        close,
        columns,
        group_rows,
        open_group,
        close_group,
        group_bytes,
        row,
    };
    static QUIET: Once = Once::new();
    QUIET.call_once(|| set_hook(Box::new(|_| {}))); // a panic is reported as an error, once
    &LIBRARY
}

unsafe extern "C" fn open(
    path: *const c_char,
    path_size: usize,
    take: TakeText,
    to: *mut c_void,
) -> *mut File {
    let path = slice(path.cast::<u8>(), path_size);
    boxed(guard(|| File::open(path), take, to))
}

unsafe extern "C" fn close(file: *mut File) {
    free(file);
}

unsafe extern "C" fn columns(file: *const File, take: TakeText, to: *mut c_void) {
    for name in (*file).columns() {
        take(to, name.as_ptr().cast(), name.len());
    }
}

unsafe extern "C" fn group_rows(file: *const File, take: TakeCount, to: *mut c_void) {
    for rows in (*file).group_rows() {
        take(to, rows);
    }
}

unsafe extern "C" fn open_group(
    file: *const File,
    group: usize,
    columns: *const u32,
    num_columns: usize,
    take: TakeText,
    to: *mut c_void,
) -> *mut Group {
    let columns = slice(columns, num_columns);
    boxed(guard(|| Group::decode(&*file, group, columns), take, to))
}

unsafe extern "C" fn close_group(group: *mut Group) {
    free(group);
}

unsafe extern "C" fn group_bytes(group: *const Group) -> u64 {
    (*group).bytes() as u64
}

unsafe extern "C" fn row(group: *const Group, row: u64, take: TakeText, to: *mut c_void) -> c_int {
    thread_local! {
        static JSON: RefCell<Vec<u8>> = RefCell::default(); // kept for its memory
    }
    let write = || {
        JSON.with_borrow_mut(|json| {
            json.clear();
            (*group).write(row as usize, json)?;
            take(to, json.as_ptr().cast(), json.len());
            Ok(())
        })
    };
    match guard(write, take, to) {
        Some(()) => 0,
        None => -1,
    }
}

/// Runs the body of an entry; gives `take` the reason of an error or a panic.
unsafe fn guard<T>(body: impl FnOnce() -> Result<T>, take: TakeText, to: *mut c_void) -> Option<T> {
    let reason = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => error,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            format!(
                "the reader gives up: {}",
                text.unwrap_or("it does not say why")
            )
        }
    };
    let line = reason.replace('\n', " ");
    take(to, line.as_ptr().cast(), line.len());
    None
}

/// The values at an address that C gave; null is the empty slice.
unsafe fn slice<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if data.is_null() {
        &[]
    } else {
        std::slice::from_raw_parts(data, size)
    }
}

fn boxed<T>(value: Option<T>) -> *mut T {
    value.map_or(std::ptr::null_mut(), |value| Box::into_raw(Box::new(value)))
}

unsafe fn free<T>(object: *mut T) {
    if !object.is_null() {
        drop(Box::from_raw(object));
    }
}

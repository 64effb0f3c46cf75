//! Failure on its way to C: an error or a panic becomes the thread's last error.

use std::cell::RefCell;
use std::ffi::{c_char, CString};
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::Once;

pub type Result<T> = tokenizers::Result<T>;

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// Runs the body of an entry. Returns None after an error or a panic, which is then the last error.
pub fn guard<T>(body: impl FnOnce() -> Result<T>) -> Option<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| set_hook(Box::new(|_| {}))); // a panic is reported as an error, once
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => remember(error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            remember(format!("internal panic: {}", text.unwrap_or("unknown")));
        }
    }
    None
}

fn remember(message: String) {
    let line = message.replace('\0', "\\0").replace('\n', " ");
    LAST_ERROR.with(|last| *last.borrow_mut() = CString::new(line).unwrap_or_default());
}

#[no_mangle]
pub extern "C" fn qtx_last_error() -> *const c_char {
    LAST_ERROR.with(|last| last.borrow().as_ptr())
}

/// The bytes at an address that C gave; null is the empty slice.
///
/// # Safety
/// `data` is null or has `size` readable values that stay as they are while the slice is in use.
pub unsafe fn slice<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if data.is_null() {
        &[]
    } else {
        std::slice::from_raw_parts(data, size)
    }
}

/// The text at an address that C gave; an error names the first byte that is not UTF-8.
///
/// # Safety
/// As for `slice`.
pub unsafe fn text<'a>(data: *const c_char, size: usize) -> Result<&'a str> {
    std::str::from_utf8(slice(data.cast::<u8>(), size))
        .map_err(|e| format!("the text is not valid UTF-8 at byte {}", e.valid_up_to()).into())
}

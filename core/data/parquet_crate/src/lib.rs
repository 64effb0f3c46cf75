//! The parquet library of qed: what core/data/parquet_bridge.h declares. Every entry catches panics.

mod bridge;
mod file;
mod footer;
mod json;
mod time;

//! The engine over an emulator, against a plain filter-and-sort of the same rows in memory.

mod costs;
mod lists;
mod people;
mod queries;

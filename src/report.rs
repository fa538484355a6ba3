//! What people and programs read: a recommendation as a table for a mail, and as JSON.

mod json;
mod table;

pub use json::recommendation_json;
pub use table::recommendation_table;

//! What the views are drawn with. Widgets know nothing of runs, keys or themes: only the numbers, labels and styles they are
//! given.

pub mod chart;
pub mod editor;
pub mod progress_bar;
pub mod prompt;
pub mod sparkline;

//! What is wrong with a data set, gathered while it is read: a training stops at the first problem,
//! `data check` reports all.

use super::DataError;

/// Every damage found so far, in the order of the files.
#[derive(Debug, Default)]
pub struct Damage(Vec<DataError>);

impl Damage {
    /// The value, or the damage noted and nothing.
    pub fn sift<T>(&mut self, result: Result<T, DataError>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// Notes damage.
    pub fn note(&mut self, error: DataError) {
        self.0.push(error);
    }

    pub fn all(&self) -> &[DataError] {
        &self.0
    }

    /// The value if there is no damage, else the first.
    pub fn or<T>(self, value: T) -> Result<T, DataError> {
        self.0.into_iter().next().map_or(Ok(value), Err)
    }
}

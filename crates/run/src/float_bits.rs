//! Numbers as serde writes them for the cache: JSON has no NaN and no infinity, which metrics have, so the bits are kept.

/// Values with their names.
pub mod named {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(
        last: &[(String, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        last.iter()
            .map(|(name, value)| (name, value.to_bits()))
            .collect::<Vec<_>>()
            .serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, f64)>, D::Error> {
        let bits = Vec::<(String, u64)>::deserialize(deserializer)?;
        Ok(bits
            .into_iter()
            .map(|(name, bits)| (name, f64::from_bits(bits)))
            .collect())
    }
}

pub mod values {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        let bits = values.iter().map(|value| value.to_bits());
        bits.collect::<Vec<_>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let bits = Vec::<u64>::deserialize(deserializer)?;
        Ok(bits.into_iter().map(f64::from_bits).collect())
    }
}

/// Values of half the size.
pub mod small {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(trend: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
        trend
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
            .serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
        Ok(Vec::<u32>::deserialize(deserializer)?
            .into_iter()
            .map(f32::from_bits)
            .collect())
    }
}

//! Settings that are one of a few words: an enum for each, written and read as those words.

use std::fmt;
use std::str::FromStr;

use super::field::{Typed, Value};

/// A word that a setting does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {}, got {got:?}", .words.join(", "))]
pub struct UnknownWord {
    pub words: &'static [&'static str],
    pub got: String,
}

macro_rules! choice {
    ($(#[doc = $doc:literal])+ $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($variant,)+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The words of [`Self::ALL`], in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(self.word())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { words: Self::WORDS, got: text.to_owned() }),
                }
            }
        }

        impl Typed for $name {
            fn to_value(&self) -> Value {
                Value::Text(self.word().to_owned())
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Text(word) => word.parse().ok(),
                    _ => None,
                }
            }
        }
    };
}

choice! {
    /// Which images validate.
    ValSplit {
        Auto = "auto",
        Seeded = "seeded",
    }
}

choice! {
    /// What to do when the loss is not a number.
    OnNan {
        Stop = "stop",
        Skip = "skip",
        Restore = "restore",
    }
}

choice! {
    /// How the learning rate changes over the run.
    LrSchedule {
        OneCycle = "onecycle",
        Cosine = "cosine",
        WarmupCosine = "warmup_cosine",
        Constant = "constant",
    }
}

choice! {
    /// Where to compute, before the machine is known.
    DeviceChoice {
        Auto = "auto",
        Cpu = "cpu",
        Cuda = "cuda",
    }
}

choice! {
    /// Arithmetic of convolutions, before the machine is known.
    Precision {
        Auto = "auto",
        Float32 = "float32",
        Bfloat16 = "bfloat16",
    }
}

choice! {
    /// Whether images lie in memory with the channels last, before the machine is known.
    ChannelsLast {
        Auto = "auto",
        Always = "true",
        Never = "false",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_as_its_choice() {
        fn check<T>(all: &[T], words: &[&str])
        where
            T: Typed + FromStr<Err = UnknownWord> + fmt::Display + fmt::Debug + PartialEq,
        {
            assert_eq!(all.len(), words.len());
            for (choice, word) in all.iter().zip(words) {
                assert_eq!(choice.to_string(), *word);
                assert_eq!(word.parse().as_ref(), Ok(choice));
                assert_eq!(T::from_value(choice.to_value()).as_ref(), Some(choice));
            }
            assert!("no such word".parse::<T>().is_err());
            assert_eq!(T::from_value(Value::Bool(true)), None);
        }
        check(ValSplit::ALL, ValSplit::WORDS);
        check(OnNan::ALL, OnNan::WORDS);
        check(LrSchedule::ALL, LrSchedule::WORDS);
        check(DeviceChoice::ALL, DeviceChoice::WORDS);
        check(Precision::ALL, Precision::WORDS);
        check(ChannelsLast::ALL, ChannelsLast::WORDS);
    }
}

//! Every form that a data set on disk may have, declared once: how it is known, how it is read, and
//! what it is called in messages.

use std::path::{Path, PathBuf};

use super::cifar::{CIFAR_10, CIFAR_100, Cifar, Encoding};
use super::damage::Damage;
use super::{DataError, Found, idx, image_folder};

/// One form of a data set.
#[derive(Debug)]
pub struct Form {
    /// As `data check` calls it.
    pub name: &'static str,
    /// What a folder must hold to be of this form, for the message where none is.
    holds: &'static str,
    /// Folders inside the named one that are searched after it: those that archives unpack to.
    inner: &'static [&'static str],
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Cifar(&'static Cifar, Encoding),
    Idx,
    ImageFolder,
}

/// In the order in which they are tried.
const FORMS: &[Form] = &[
    Form {
        name: "CIFAR-10, pickled",
        holds: "CIFAR-10 batches (cifar-10-batches-py or -bin)",
        inner: &["cifar-10-batches-py"],
        kind: Kind::Cifar(&CIFAR_10, Encoding::Pickle),
    },
    Form {
        name: "CIFAR-10, binary",
        holds: "",
        inner: &["cifar-10-batches-bin"],
        kind: Kind::Cifar(&CIFAR_10, Encoding::Binary),
    },
    Form {
        name: "CIFAR-100, pickled",
        holds: "CIFAR-100 (cifar-100-python or -binary)",
        inner: &["cifar-100-python"],
        kind: Kind::Cifar(&CIFAR_100, Encoding::Pickle),
    },
    Form {
        name: "CIFAR-100, binary",
        holds: "",
        inner: &["cifar-100-binary"],
        kind: Kind::Cifar(&CIFAR_100, Encoding::Binary),
    },
    Form {
        name: "IDX",
        holds: "IDX files (train-images-idx3-ubyte and its like, plain or .gz)",
        inner: &["raw", "FashionMNIST/raw", "MNIST/raw"],
        kind: Kind::Idx,
    },
    Form {
        name: "image folder",
        holds: "train/<class>/ images",
        inner: &[],
        kind: Kind::ImageFolder,
    },
];

/// All that a folder may hold, as a sentence lists it.
pub fn known() -> String {
    let holds: Vec<&str> = FORMS
        .iter()
        .map(|form| form.holds)
        .filter(|holds| !holds.is_empty())
        .collect();
    holds.join(", ")
}

/// The form of the data in a folder, and their path.
///
/// # Errors
/// If it is no folder, or of no known form.
pub fn find(folder: &Path) -> Result<(&'static Form, PathBuf), DataError> {
    if folder.is_file() {
        return Err(DataError::IsFile(folder.to_owned()));
    }
    if !folder.is_dir() {
        return Err(DataError::Missing(folder.to_owned()));
    }
    FORMS
        .iter()
        .find_map(|form| Some((form, form.place(folder)?)))
        .ok_or_else(|| DataError::Unknown(folder.to_owned()))
}

impl Form {
    /// The folder itself or the one inside it that is of this form.
    fn place(&self, folder: &Path) -> Option<PathBuf> {
        let inner = self.inner.iter().map(|inner| folder.join(inner));
        std::iter::once(folder.to_owned())
            .chain(inner)
            .find(|place| self.kind.is_here(place))
    }

    /// Reads all there is, and notes what is damaged. Decoded images are kept in `cache`, if any.
    pub fn read(&self, place: &Path, cache: Option<&Path>, damage: &mut Damage) -> Found {
        match self.kind {
            Kind::Cifar(cifar, encoding) => cifar.read(place, encoding, damage),
            Kind::Idx => idx::read_folder(place, damage),
            Kind::ImageFolder => image_folder::read_folder(place, cache, damage),
        }
    }
}

impl Kind {
    fn is_here(&self, place: &Path) -> bool {
        match self {
            // Any file of images identifies the form, so that a missing one is named.
            Self::Cifar(cifar, encoding) => cifar
                .train
                .iter()
                .any(|name| place.join(format!("{name}{}", encoding.ending())).is_file()),
            Self::Idx => idx::is_here(place),
            Self::ImageFolder => place.join("train").is_dir(),
        }
    }
}

//! A checkpoint's content as stored in its file, in either of the two forms; the form is recognised
//! by the content, not by the name.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tch::{Kind, Tensor, no_grad};

use traintop_run::pth::is_zip;
use traintop_run::safetensors::texts;

use super::pth::{self, Pth};
use super::{CheckpointError, is_beside_weights};
use crate::model::StateDict;

/// Why a tensor does not fit the network.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("it holds no tensor `{name}`, which the recipe's network needs")]
    Missing { name: String },
    #[error(
        "its tensor `{name}` has the shape {found:?}, and the recipe's network needs {expected:?}"
    )]
    Shape {
        name: String,
        expected: Vec<i64>,
        found: Vec<i64>,
    },
    #[error(
        "it holds a tensor `{name}`, for which the recipe's network has no place; give the recipe the network of the checkpoint"
    )]
    Unexpected { name: String },
    #[error("its tensor `{name}` holds {kind}, which are not read")]
    Number { name: String, kind: String },
}

/// A checkpoint's content.
pub struct Stored<'a> {
    path: &'a Path,
    content: Content<'a>,
}

enum Content<'a> {
    Safetensors {
        header: HashMap<String, String>,
        tensors: SafeTensors<'a>,
    },
    Pth(Box<Pth<'a>>),
}

/// What is known of a tensor without reading its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    pub name: String,
    /// As `PyTorch` calls it.
    pub number: String,
    pub shape: Vec<usize>,
}

impl<'a> Stored<'a> {
    /// Reads a file's table of contents.
    pub fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        if pth::is_legacy(bytes) {
            return Err(CheckpointError::Legacy {
                path: path.to_owned(),
            });
        }
        if is_zip(bytes) {
            let content = Pth::parse(bytes).map_err(|what| CheckpointError::Pth {
                path: path.to_owned(),
                what,
            })?;
            return Ok(Self {
                path,
                content: Content::Pth(Box::new(content)),
            });
        }
        let damaged = |error: &dyn std::fmt::Display| CheckpointError::Damaged {
            path: path.to_owned(),
            what: error.to_string(),
        };
        let header = texts(bytes).map_err(|error| damaged(&error))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| damaged(&error))?;
        Ok(Self {
            path,
            content: Content::Safetensors { header, tensors },
        })
    }

    /// The texts in the header of a safetensors file.
    pub fn header(&self) -> HashMap<String, String> {
        match &self.content {
            Content::Safetensors { header, .. } => header.clone(),
            Content::Pth(_) => HashMap::new(),
        }
    }

    /// The content as a `.pth`, if it is one.
    pub fn as_pth(&self) -> Option<&Pth<'a>> {
        match &self.content {
            Content::Pth(pth) => Some(pth),
            Content::Safetensors { .. } => None,
        }
    }

    pub fn tensors(&self) -> Vec<TensorInfo> {
        match &self.content {
            Content::Safetensors { tensors, .. } => tensors
                .iter()
                .map(|(name, view)| TensorInfo {
                    name: name.to_owned(),
                    number: match number(view.dtype()) {
                        Some((name, _)) => name.to_owned(),
                        None => format!("{:?}", view.dtype()),
                    },
                    shape: view.shape().to_vec(),
                })
                .collect(),
            Content::Pth(pth) => pth
                .tensors
                .iter()
                .map(|(name, layout)| TensorInfo {
                    name: name.clone(),
                    number: layout.number.name.to_owned(),
                    shape: layout.shape.clone(),
                })
                .collect(),
        }
    }

    /// Refuses a file with weights that the network would not use, as `PyTorch`'s strict loading
    /// does.
    pub fn refuse_others(&self, state: &StateDict) -> Result<(), CheckpointError> {
        let is_known = |name: &str| {
            is_beside_weights(name) || state.entries().iter().any(|entry| entry.name == name)
        };
        let tensors = self.tensors().into_iter();
        match tensors
            .map(|tensor| tensor.name)
            .find(|name| !is_known(name))
        {
            Some(name) => Err(self.refusal(LoadError::Unexpected { name })),
            None => Ok(()),
        }
    }

    /// Overwrites each target with the tensor stored under its name.
    pub fn load<'t>(
        &mut self,
        targets: impl Iterator<Item = (String, &'t Tensor)>,
    ) -> Result<(), CheckpointError> {
        for (name, target) in targets {
            let source = self.tensor(&name)?;
            let (expected, found) = (target.size(), source.size());
            if expected != found {
                return Err(self.refusal(LoadError::Shape {
                    name,
                    expected,
                    found,
                }));
            }
            no_grad(|| target.shallow_clone().copy_(&source));
        }
        Ok(())
    }

    /// The tensor stored under a name.
    pub fn tensor(&mut self, name: &str) -> Result<Tensor, CheckpointError> {
        let missing = || LoadError::Missing {
            name: name.to_owned(),
        };
        match &mut self.content {
            Content::Safetensors { tensors, .. } => {
                let view = tensors.tensor(name).map_err(|_| missing());
                view.and_then(|view| to_tensor(name, &view))
                    .map_err(|error| self.refusal(error))
            }
            Content::Pth(pth) => match pth.tensor(name) {
                Ok(tensor) => tensor.ok_or_else(|| self.refusal(missing())),
                Err(what) => Err(CheckpointError::Pth {
                    path: self.path.to_owned(),
                    what,
                }),
            },
        }
    }

    fn refusal(&self, source: LoadError) -> CheckpointError {
        CheckpointError::Load {
            path: self.path.to_owned(),
            source,
        }
    }
}

/// What the numbers of a safetensors file are to `PyTorch`, of the kinds that are read.
fn number(dtype: Dtype) -> Option<(&'static str, Kind)> {
    match dtype {
        Dtype::F32 => Some(("float32", Kind::Float)),
        Dtype::F16 => Some(("float16", Kind::Half)),
        Dtype::BF16 => Some(("bfloat16", Kind::BFloat16)),
        Dtype::F64 => Some(("float64", Kind::Double)),
        Dtype::I64 => Some(("int64", Kind::Int64)),
        _ => None,
    }
}

fn to_tensor(name: &str, view: &TensorView) -> Result<Tensor, LoadError> {
    let unread = || LoadError::Number {
        name: name.to_owned(),
        kind: format!("{:?}", view.dtype()),
    };
    let (_, kind) = number(view.dtype()).ok_or_else(unread)?;
    let size: Vec<i64> = view.shape().iter().map(|&length| length as i64).collect();
    Tensor::f_from_data_size(view.data(), &size, kind).map_err(|_| unread())
}

//! Recognises weights of any program: by a broad table of endings, and by the first bytes of a
//! file.

use traintop_run::safetensors;

/// Words in the names of the last checkpoint, in lower case; those of the best have `best`.
pub const LAST: [&str; 3] = ["last", "latest", "final"];

/// What names of files with weights, or with a trainer's state, end in, in lower case. Too many
/// rather than too few: files that count as weights stay.
const ENDINGS: [&str; 44] = [
    // PyTorch, Lightning, timm, DeepSpeed, llama.cpp
    ".safetensors",
    ".pth",
    ".pt",
    ".pt2",
    ".ckpt",
    ".tar",
    ".bin",
    ".model",
    ".mdl",
    ".weights",
    ".torchscript",
    ".ptl",
    ".pte",
    ".gguf",
    ".ggml",
    ".distcp",
    // Keras, TensorFlow, JAX
    ".h5",
    ".hdf5",
    ".keras",
    ".pb",
    ".tflite",
    ".index",
    ".meta",
    ".msgpack",
    ".orbax",
    ".flax",
    // Stable-Baselines3 and other archives
    ".zip",
    ".npz",
    ".npy",
    ".tgz",
    ".gz",
    ".zst",
    // scikit-learn, fastai, XGBoost, CatBoost, LightGBM
    ".pkl",
    ".pickle",
    ".joblib",
    ".cbm",
    ".ubj",
    // others
    ".onnx",
    ".ort",
    ".engine",
    ".mlmodel",
    ".mar",
    ".params",
    ".caffemodel",
];

/// What TensorFlow's checkpoints have in their names before a number.
const TENSORFLOW_DATA: &str = ".data-";

/// What files begin with that hold numbers for programs.
const MAGICS: [&[u8]; 10] = [
    // ZIP: PyTorch, Keras 3, Stable-Baselines3, numpy's archives
    b"PK\x03\x04",
    // Python's pickle, protocols 2 to 5
    b"\x80\x02",
    b"\x80\x03",
    b"\x80\x04",
    b"\x80\x05",
    b"\x89HDF\r\n\x1a\n",
    b"\x93NUMPY",
    b"GGUF",
    // gzip and Zstandard
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
];

/// Whether a file's name says that it holds weights.
pub fn is_weights_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.contains(TENSORFLOW_DATA)
}

/// Whether a file that begins so may hold weights: a known form, or anything that is no text, as
/// protobuf (ONNX, TensorFlow) and flat arrays are.
pub fn is_weights_content(beginning: &[u8]) -> bool {
    let is_known = MAGICS.iter().any(|magic| beginning.starts_with(magic));
    is_known || safetensors::is_beginning(beginning) || !is_text(beginning)
}

/// Whether bytes are text of which the end may be cut off within a character.
pub fn is_text(bytes: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    // Logs hold escapes and carriage returns, never these.
    is_utf8 && !bytes.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_all_trainers_are_known_by_name() {
        for name in [
            "best.safetensors",
            "weights/last.pt".rsplit('/').next().unwrap(),
            "MODEL.PTH",
            "last.pth.tar",
            "policy.zip",
            "model.h5",
            "model.keras",
            "pytorch_model.bin",
            "model.ckpt-300.index",
            "model.ckpt-300.data-00000-of-00001",
            "saved_model.pb",
            "export.pkl",
            "evaluations.npz",
            "vecnormalize.pkl",
            "net.onnx",
            "flax_model.msgpack",
            "xgb.ubj",
        ] {
            assert!(is_weights_name(name), "{name}");
        }
        for name in [
            "metrics.csv",
            "run.json",
            "training.log",
            "args.yaml",
            "notes.toml",
        ] {
            assert!(!is_weights_name(name), "{name}");
        }
    }

    #[test]
    fn weights_are_known_by_content_under_any_name() {
        let mut safetensors = 64_u64.to_le_bytes().to_vec();
        safetensors.extend(b"{\"w\":{\"dtype\":\"F32\"}}");
        let forms: [&[u8]; 9] = [
            &safetensors,
            b"PK\x03\x04\x14\x00archive/data.pkl",
            b"\x80\x02}q\x00.",
            b"\x89HDF\r\n\x1a\n\x00",
            b"\x93NUMPY\x01\x00v\x00",
            b"GGUF\x03\x00",
            // ONNX: protobuf with a version and a name.
            b"\x08\x07\x12\x07pytorch\x1a\x00",
            &[0, 0, 128, 63, 0, 0, 0, 64],
            &[0xff; 32],
        ];
        for bytes in forms {
            assert!(is_weights_content(bytes), "{bytes:?}");
        }
        let texts = [
            "",
            "epoch,loss\n",
            "{\"id\": 1}",
            "lr: 0.1\n",
            "naïve\r\x1b[0m\n",
        ];
        for text in texts {
            assert!(!is_weights_content(text.as_bytes()), "{text:?}");
        }
        // Cut off within a character.
        assert!(!is_weights_content(&"na\u{ef}".as_bytes()[..3]));
    }
}

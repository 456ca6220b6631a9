//! A part of the data set on the device, as bytes, from which batches are gathered.

use tch::{Device, Kind, Tensor};

use super::checkpoint::TrainedOn;
use super::data::{self, Split, Statistics};

/// The images to train, validate and, where there are any, test with.
#[derive(Debug)]
pub struct DataSet {
    pub train: Images,
    pub val: Images,
    pub test: Option<Images>,
    /// What checkpoints say of the images.
    pub trained_on: TrainedOn,
}

impl DataSet {
    /// Copies a data set to the device and drops it.
    pub fn new(data: data::Dataset, device: Device, pin_memory: bool) -> Self {
        let images = |split: &Split| Images::new(split, device, pin_memory);
        Self {
            train: images(&data.train),
            val: images(&data.val),
            test: data.test.as_ref().map(images),
            trained_on: TrainedOn {
                size: (data.train.height as i64, data.train.width as i64),
                classes: data.classes,
            },
        }
    }
}

/// Images and their labels, resident on a device.
#[derive(Debug)]
pub struct Images {
    /// N x 3 x H x W bytes.
    pixels: Tensor,
    /// N classes.
    labels: Tensor,
    /// How many there are of each class.
    pub statistics: Statistics,
}

impl Images {
    /// Copies a split to the device, to a GPU through pinned memory if so chosen.
    pub fn new(split: &Split, device: Device, pin_memory: bool) -> Self {
        let size = [
            split.labels.len() as i64,
            3,
            split.height as i64,
            split.width as i64,
        ];
        let mut pixels = Tensor::from_data_size(&split.images, &size, Kind::Uint8);
        if pin_memory && device.is_cuda() {
            // `pin_memory` itself warns about the device argument, which tch always passes.
            pixels = pixels.internal_pin_memory(device);
        }
        let pixels = pixels.to_device(device);
        Self {
            pixels,
            labels: Tensor::from_slice(&split.labels).to_device(device),
            statistics: split.statistics(),
        }
    }

    /// The number of images.
    pub fn count(&self) -> i64 {
        self.labels.size()[0]
    }

    /// The number of batches of `size` that hold every image once; the last may be smaller.
    pub fn batches(&self, size: i64) -> u32 {
        ((self.count() + size - 1) / size) as u32
    }

    /// Bytes and labels of the images that `order` has at the places of batch number `batch`.
    pub fn batch_of(&self, order: &Tensor, batch: u32, size: i64) -> (Tensor, Tensor) {
        let (start, length) = self.place(batch, size);
        let chosen = order.narrow(0, start, length);
        (
            self.pixels.index_select(0, &chosen),
            self.labels.index_select(0, &chosen),
        )
    }

    /// Bytes and labels of batch number `batch` in the data's own order.
    pub fn batch(&self, batch: u32, size: i64) -> (Tensor, Tensor) {
        let (start, length) = self.place(batch, size);
        (
            self.pixels.narrow(0, start, length),
            self.labels.narrow(0, start, length),
        )
    }

    fn place(&self, batch: u32, size: i64) -> (i64, i64) {
        let start = i64::from(batch) * size;
        (start, size.min(self.count() - start))
    }
}

//! NVIDIA's GPUs, through the library of their driver (NVML).

use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

/// One GPU, as it is at a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gpu {
    /// Its number on this machine, in the order of the bus.
    pub index: u32,
    /// Its name for CUDA, which no reboot changes: `GPU-...`.
    pub uuid: String,
    /// Its model.
    pub name: String,
    /// All of its memory, in bytes.
    pub memory: u64,
    /// What of it is not free, in bytes.
    pub memory_used: u64,
    /// Utilisation since the last read, in percent.
    pub load: Option<u32>,
    /// In degrees Celsius.
    pub temperature: Option<u32>,
    /// In watts.
    pub power: Option<f64>,
    /// Whether it is divided into instances, which have names of their own.
    pub is_divided: bool,
    /// The processes that compute on it, each with its memory there in bytes where that is known.
    pub processes: Vec<(u32, Option<u64>)>,
}

impl Gpu {
    /// In bytes.
    pub fn memory_free(&self) -> u64 {
        self.memory.saturating_sub(self.memory_used)
    }
}

/// The way to the driver.
pub struct Gpus(Nvml);

impl Gpus {
    /// `None` where there is no NVIDIA driver. Takes some milliseconds, on a machine whose driver
    /// sleeps a second.
    pub fn open() -> Option<Self> {
        match Nvml::init() {
            Ok(nvml) => Some(Self(nvml)),
            Err(NvmlError::LibloadingError(_) | NvmlError::DriverNotLoaded) => None,
            Err(error) => {
                log::warn!("cannot query the GPUs: {error}");
                None
            }
        }
    }

    /// All of them, by number. One whose memory cannot be read, because it is broken or being
    /// reset, is left out.
    pub fn read(&self) -> Vec<Gpu> {
        let count = self.0.device_count().unwrap_or_default();
        let read = |index| {
            let device = self.0.device_by_index(index).ok()?;
            read(&device, index)
                .inspect_err(|error| log::warn!("GPU {index}: {error}"))
                .ok()
        };
        (0..count).filter_map(read).collect()
    }
}

fn read(device: &Device, index: u32) -> Result<Gpu, NvmlError> {
    let memory = device.memory_info()?;
    let processes = device.running_compute_processes().unwrap_or_default();
    let processes = processes.into_iter().map(|process| {
        let memory = match process.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(bytes),
            UsedGpuMemory::Unavailable => None,
        };
        (process.pid, memory)
    });
    Ok(Gpu {
        index,
        uuid: device.uuid()?,
        name: device.name().unwrap_or_default(),
        memory: memory.total,
        memory_used: memory.total.saturating_sub(memory.free),
        load: device.utilization_rates().ok().map(|rates| rates.gpu),
        temperature: device.temperature(TemperatureSensor::Gpu).ok(),
        power: device
            .power_usage()
            .ok()
            .map(|milliwatts| f64::from(milliwatts) / 1000.0),
        is_divided: device.mig_mode().is_ok_and(|mode| mode.current != 0),
        processes: processes.collect(),
    })
}

// A driver's library in NVIDIA's place: as many GPUs as the file $FAKE_GPUS has lines, each
//     UUID GIB-USED LOAD PID MIB-OF-PID
// of 80 GiB. A PID of 0 stands for none.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7 };

typedef struct {
    char uuid[96];
    unsigned long long used;
    unsigned load, pid;
    unsigned long long of_pid;
} Gpu;

typedef struct {
    unsigned version;
    unsigned long long total, reserved, free, used;
} Memory;

typedef struct {
    unsigned pid;
    unsigned long long used;
    unsigned instance, compute_instance;
} Process;

static int read_gpu(size_t number, Gpu *gpu) {
    const char *path = getenv("FAKE_GPUS");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return 0;
    int found = 0;
    for (size_t line = 0; !found || line <= number; line++) {
        if (fscanf(file, "%95s %llu %u %u %llu", gpu->uuid, &gpu->used, &gpu->load, &gpu->pid, &gpu->of_pid) != 5) break;
        found = line == number;
        if (found) break;
    }
    fclose(file);
    return found;
}

static Gpu *at(void *device) {
    static Gpu gpu;
    return read_gpu((size_t)device - 1, &gpu) ? &gpu : NULL;
}

int nvmlInit_v2(void) { return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }

int nvmlSystemGetDriverVersion(char *version, unsigned length) {
    snprintf(version, length, "580.00");
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    Gpu gpu;
    for (*count = 0; read_gpu(*count, &gpu); ++*count) {}
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    *device = (void *)((size_t)index + 1);
    return at(*device) ? SUCCESS : NOT_FOUND;
}

int nvmlDeviceGetUUID(void *device, char *uuid, unsigned length) {
    snprintf(uuid, length, "%s", at(device)->uuid);
    return SUCCESS;
}

int nvmlDeviceGetName(void *device, char *name, unsigned length) {
    (void)device;
    snprintf(name, length, "Fake H100");
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo_v2(void *device, Memory *memory) {
    memory->total = 80ULL << 30;
    memory->reserved = 0;
    memory->used = at(device)->used << 30;
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(void *device, unsigned rates[2]) {
    rates[0] = at(device)->load;
    rates[1] = 0;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *degrees) {
    (void)device, (void)sensor;
    *degrees = 61;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) {
    (void)device;
    *milliwatts = 402500;
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, Process *processes) {
    Gpu *gpu = at(device);
    unsigned there = gpu->pid != 0, room = *count;
    *count = there;
    if (room < there) return TOO_SMALL;
    if (there) processes[0] = (Process){gpu->pid, gpu->of_pid << 20, ~0U, ~0U};
    return SUCCESS;
}

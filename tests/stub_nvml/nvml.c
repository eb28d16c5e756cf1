/* A stand-in for NVIDIA's management library, libnvidia-ml.so.1, for machines without a GPU.
 *
 * The machine it tells about is in a text file named by LAB_STUB_NVML, read anew at each init, one
 * thing a line (see scenarios.py):
 *
 *   init CODE                   what nvmlInit returns; 0 when left out
 *   driver VERSION
 *   cuda NUMBER                 highest CUDA version, 13000 for 13.0
 *   gpu KEY=VALUE ...           a card; "_" in a name stands for a space
 *   slice KEY=VALUE ...         a MIG slice of the card above
 *
 * Keys: uuid name total used (MiB) cc bus util temp power limit (mW) ecc mode persistence throttle
 * mig proc=PID:MIB (repeated), error=CODE (the card answers nothing else), lack=a,b (fields that the
 * card does not support: util temp power limit ecc mode persistence throttle mig proc).
 *
 * Built with -DOLD_DRIVER it lacks the functions that came with the drivers of 2021.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, NO_DRIVER = 9, UNKNOWN = 999 };
enum { MOST = 64, MOST_PROCESSES = 8 };

typedef struct {
    char uuid[96], name[96], bus[32], lack[128];
    unsigned long long total, used, ecc, throttle;
    unsigned util, temp, power, limit, mode, persistence, mig, error;
    int major, minor, num_processes, parent;
    unsigned pids[MOST_PROCESSES];
    long long process_mib[MOST_PROCESSES];
} Device;

typedef struct { unsigned pid; unsigned long long used; unsigned gi, ci; } Process;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned gpu, memory; } Utilization;
typedef struct {
    char legacy[16];
    unsigned domain, bus, device, id, subsystem;
    char bus_id[32];
} Pci;

static Device devices[MOST];
static int num_devices, init_code, cuda;
static char driver[80];

static void set(Device *d, const char *key, const char *value) {
    unsigned long long number = strtoull(value, NULL, 0);
    if (!strcmp(key, "uuid")) snprintf(d->uuid, sizeof d->uuid, "%s", value);
    else if (!strcmp(key, "bus")) snprintf(d->bus, sizeof d->bus, "%s", value);
    else if (!strcmp(key, "lack")) snprintf(d->lack, sizeof d->lack, ",%s,", value);
    else if (!strcmp(key, "name")) {
        snprintf(d->name, sizeof d->name, "%s", value);
        for (char *c = d->name; *c; c++) if (*c == '_') *c = ' ';
    }
    else if (!strcmp(key, "cc")) sscanf(value, "%d.%d", &d->major, &d->minor);
    else if (!strcmp(key, "total")) d->total = number << 20;
    else if (!strcmp(key, "used")) d->used = number << 20;
    else if (!strcmp(key, "ecc")) d->ecc = number;
    else if (!strcmp(key, "throttle")) d->throttle = number;
    else if (!strcmp(key, "util")) d->util = number;
    else if (!strcmp(key, "temp")) d->temp = number;
    else if (!strcmp(key, "power")) d->power = number;
    else if (!strcmp(key, "limit")) d->limit = number;
    else if (!strcmp(key, "mode")) d->mode = number;
    else if (!strcmp(key, "persistence")) d->persistence = number;
    else if (!strcmp(key, "mig")) d->mig = number;
    else if (!strcmp(key, "error")) d->error = number;
    else if (!strcmp(key, "proc") && d->num_processes < MOST_PROCESSES) {
        const char *mib = strchr(value, ':');
        d->pids[d->num_processes] = number;
        d->process_mib[d->num_processes++] = mib ? atoll(mib + 1) : -1;
    }
}

static void read_device(char *rest, int parent) {
    if (num_devices == MOST) return;
    Device *d = &devices[num_devices++];
    memset(d, 0, sizeof *d);
    d->parent = parent;
    for (char *word = strtok(rest, " \n"); word; word = strtok(NULL, " \n")) {
        char *value = strchr(word, '=');
        if (value) { *value++ = 0; set(d, word, value); }
    }
}

static int load(void) {
    const char *path = getenv("LAB_STUB_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[1024];
    int card = -1;
    num_devices = cuda = init_code = 0;
    driver[0] = 0;
    if (!file) return NO_DRIVER;
    while (fgets(line, sizeof line, file)) {
        if (!strncmp(line, "init ", 5)) init_code = atoi(line + 5);
        else if (!strncmp(line, "driver ", 7)) sscanf(line + 7, "%79s", driver);
        else if (!strncmp(line, "cuda ", 5)) cuda = atoi(line + 5);
        else if (!strncmp(line, "gpu ", 4)) { card = num_devices; read_device(line + 4, -1); }
        else if (!strncmp(line, "slice ", 6)) read_device(line + 6, card);
    }
    fclose(file);
    return init_code;
}

static int lacks(const Device *d, const char *field) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, ",%s,", field);
    return strstr(d->lack, wanted) != NULL;
}

#define ANSWER(field, condition)                                   \
    if (d->error) return d->error;                                 \
    if (!(condition) || lacks(d, field)) return NOT_SUPPORTED

int nvmlInitWithFlags(unsigned flags) { (void)flags; return load(); }
int nvmlInit_v2(void) { return load(); }
int nvmlInit(void) { return load(); }
int nvmlShutdown(void) { return OK; }

const char *nvmlErrorString(int code) {
    switch (code) {
        case 3: return "Not Supported";
        case 4: return "Insufficient Permissions";
        case 6: return "Not Found";
        case 9: return "Driver Not Loaded";
        case 15: return "GPU is lost";
        case 18: return "Driver/library version mismatch";
        default: return "Unknown Error";
    }
}

int nvmlSystemGetDriverVersion(char *text, unsigned size) {
    snprintf(text, size, "%s", driver);
    return OK;
}

int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = cuda; return cuda ? OK : NOT_SUPPORTED; }
int nvmlSystemGetCudaDriverVersion(int *version) { return nvmlSystemGetCudaDriverVersion_v2(version); }

int nvmlDeviceGetCount_v2(unsigned *count) {
    *count = 0;
    for (int i = 0; i < num_devices; i++) *count += devices[i].parent < 0;
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **handle) {
    for (int i = 0; i < num_devices; i++)
        if (devices[i].parent < 0 && index-- == 0) {
            *handle = &devices[i];
            return devices[i].error ? (int)devices[i].error : OK;
        }
    return INVALID;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, Device **handle) {
    for (int i = 0; i < num_devices; i++)
        if (!strcmp(devices[i].uuid, uuid)) { *handle = &devices[i]; return OK; }
    return NOT_FOUND;
}

int nvmlDeviceGetIndex(Device *d, unsigned *index) {
    *index = 0;
    for (int i = 0; i < d - devices; i++) *index += devices[i].parent < 0;
    return OK;
}

int nvmlDeviceGetUUID(Device *d, char *text, unsigned size) {
    if (d->error) return d->error;
    snprintf(text, size, "%s", d->uuid);
    return OK;
}

int nvmlDeviceGetName(Device *d, char *text, unsigned size) {
    if (d->error) return d->error;
    snprintf(text, size, "%s", d->name);
    return OK;
}

int nvmlDeviceGetPciInfo_v3(Device *d, Pci *pci) {
    ANSWER("bus", d->bus[0]);
    memset(pci, 0, sizeof *pci);
    snprintf(pci->bus_id, sizeof pci->bus_id, "%s", d->bus);
    return OK;
}

int nvmlDeviceGetMemoryInfo(Device *d, Memory *memory) {
    if (d->error) return d->error;
    memory->total = d->total;
    memory->used = d->used;
    memory->free = d->total - d->used;
    return OK;
}

int nvmlDeviceGetCudaComputeCapability(Device *d, int *major, int *minor) {
    if (d->error) return d->error;
    *major = d->major;
    *minor = d->minor;
    return OK;
}

int nvmlDeviceGetUtilizationRates(Device *d, Utilization *rates) {
    ANSWER("util", d->parent < 0);
    rates->gpu = d->util;
    rates->memory = d->util / 2;
    return OK;
}

int nvmlDeviceGetTemperature(Device *d, unsigned sensor, unsigned *value) {
    (void)sensor;
    ANSWER("temp", d->parent < 0);
    *value = d->temp;
    return OK;
}

int nvmlDeviceGetPowerUsage(Device *d, unsigned *value) {
    ANSWER("power", d->parent < 0);
    *value = d->power;
    return OK;
}

int nvmlDeviceGetEnforcedPowerLimit(Device *d, unsigned *value) {
    ANSWER("limit", d->parent < 0);
    *value = d->limit;
    return OK;
}

int nvmlDeviceGetTotalEccErrors(Device *d, unsigned type, unsigned counter, unsigned long long *value) {
    (void)type, (void)counter;
    ANSWER("ecc", d->parent < 0);
    *value = d->ecc;
    return OK;
}

int nvmlDeviceGetComputeMode(Device *d, unsigned *value) {
    ANSWER("mode", d->parent < 0);
    *value = d->mode;
    return OK;
}

int nvmlDeviceGetPersistenceMode(Device *d, unsigned *value) {
    ANSWER("persistence", d->parent < 0);
    *value = d->persistence;
    return OK;
}

static int throttle_reasons(Device *d, unsigned long long *value) {
    ANSWER("throttle", d->parent < 0);
    *value = d->throttle;
    return OK;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(Device *d, unsigned long long *value) {
    return throttle_reasons(d, value);
}

static int list_processes(Device *d, unsigned *count, Process *list) {
    ANSWER("proc", 1);
    unsigned room = *count;
    *count = d->num_processes;
    if (!d->num_processes) return OK;
    if (!list || room < *count) return TOO_SMALL;
    for (int i = 0; i < d->num_processes; i++) {
        list[i].pid = d->pids[i];
        list[i].used = d->process_mib[i] < 0 ? ~0ull : (unsigned long long)d->process_mib[i] << 20;
        list[i].gi = list[i].ci = ~0u;
    }
    return OK;
}

int nvmlDeviceGetComputeRunningProcesses_v2(Device *d, unsigned *count, Process *list) {
    return list_processes(d, count, list);
}

#ifndef OLD_DRIVER
int nvmlDeviceGetComputeRunningProcesses_v3(Device *d, unsigned *count, Process *list) {
    return list_processes(d, count, list);
}

int nvmlDeviceGetCurrentClocksEventReasons(Device *d, unsigned long long *value) {
    return throttle_reasons(d, value);
}

int nvmlDeviceGetMigMode(Device *d, unsigned *current, unsigned *pending) {
    ANSWER("mig", d->parent < 0);
    *current = *pending = d->mig;
    return OK;
}

int nvmlDeviceGetMaxMigDeviceCount(Device *d, unsigned *count) {
    ANSWER("mig", d->mig);
    *count = 7;
    return OK;
}

int nvmlDeviceGetMigDeviceHandleByIndex(Device *d, unsigned index, Device **handle) {
    for (int i = 0; i < num_devices; i++)
        if (devices[i].parent == d - devices && index-- == 0) { *handle = &devices[i]; return OK; }
    return NOT_FOUND;
}
#endif

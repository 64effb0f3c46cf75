"""The whole machine: how fast it reads and multiplies, and its line below a table."""

import os

import common

FOLDER = common.ROOT / "build/bench_models/peak"

PEAK = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
// Read bandwidth and multiply-add rate of all cores: argv[1] threads.
typedef float v __attribute__((vector_size(64)));
static float* data; static size_t size = (size_t)1 << 28; static int threads; static volatile float sink;
static void* read_all(void* p) {
  size_t n = size / threads, at = (size_t)p * n; v a[8] = {0};
  for (size_t i = at; i + 128 <= at + n; i += 128)
    for (int j = 0; j < 8; ++j) a[j] += *(v*)(data + i + 16 * j);
  for (int j = 1; j < 8; ++j) a[0] += a[j];
  sink = a[0][0]; return 0;
}
static void* multiply(void* p) {
  v a[12], m, c; (void)p;
  for (int j = 0; j < 16; ++j) m[j] = 0.999f, c[j] = 1e-3f;
  for (int j = 0; j < 12; ++j) a[j] = c;
  for (long k = 0; k < 30000000; ++k) for (int j = 0; j < 12; ++j) a[j] = a[j] * m + c;
  for (int j = 1; j < 12; ++j) a[0] += a[j];
  sink = a[0][0]; return 0;
}
static double run(void* (*f)(void*)) {
  pthread_t t[256]; struct timespec b, e; clock_gettime(CLOCK_MONOTONIC, &b);
  for (long i = 0; i < threads; ++i) pthread_create(t + i, 0, f, (void*)i);
  for (int i = 0; i < threads; ++i) pthread_join(t[i], 0);
  clock_gettime(CLOCK_MONOTONIC, &e); return e.tv_sec - b.tv_sec + 1e-9 * (e.tv_nsec - b.tv_nsec);
}
static double best_of(void* (*f)(void*)) {  // others may run beside one of them
  double best = 1e9;
  for (int i = 0; i < 5; ++i) { double s = run(f); if (s < best) best = s; }
  return best;
}
int main(int argc, char** argv) {
  threads = argc > 1 ? atoi(argv[1]) : 1; data = aligned_alloc(64, size * 4);
  for (size_t i = 0; i < size; ++i) data[i] = 1;
  double read = best_of(read_all), product = best_of(multiply);
  printf("%.1f %.0f\n", size * 4 / read * 1e-9, threads * 30000000.0 * 12 * 32 / product * 1e-9);
}
"""


def measure(threads):
    """Read bandwidth in GB/s and multiply-adds in GFLOP/s."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "peak.c").write_text(PEAK, encoding="utf-8")
    common.run(["gcc", "-O3", "-march=native", "-pthread", "-Wno-psabi", FOLDER / "peak.c", "-o",
                FOLDER / "peak"])
    bandwidth, flops = common.run([FOLDER / "peak", threads]).split()
    return float(bandwidth), float(flops)


def line(threads, dtype, measured):
    bandwidth, flops = measured
    commit = common.run(["git", "rev-parse", "--short", "HEAD"])
    dirty = "+" if common.run(["git", "status", "--porcelain"]) else ""
    model = next(text.split(":")[1].strip() for text in open("/proc/cpuinfo", encoding="utf-8")
                 if text.startswith("model name"))
    return (f"machine: {model}, {threads} of {os.cpu_count()} cores, reads {bandwidth:.1f} GB/s, "
            f"{flops:.0f} GFLOP/s; {dtype}; commit {commit}{dirty}; load {os.getloadavg()[0]:.1f}")


def show(head, rows):
    """A table, flush right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.rjust(w) for cell, w in zip(row, widths)).rstrip(), flush=True)

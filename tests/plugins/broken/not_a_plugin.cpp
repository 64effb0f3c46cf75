// A shared library that has nothing to do with qed: it exports the right name and has no note.

extern "C" __attribute__((visibility("default"))) const void* qed_entry_1() { return nullptr; }

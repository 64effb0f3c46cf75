# Whole runs of the built program, in Python: short ones by default, the full quick start as `long`.

foreach(test bfloat16 binding chat critic cuda disk_full dry_run eval generate learning mismatch mixture no_signal
        plugins recipes refill refusal repeat resume sample samples score state terms)
  qed_add_script_test(run.${test} SCRIPT ${test}_test.py TIMEOUT 600)
endforeach()
foreach(test learning resume)
  qed_add_script_test(run.${test}_long
    SCRIPT ${test}_test.py ARGS --long LABELS long TIMEOUT 7200)
endforeach()
qed_add_script_test(run.learning_bfloat16
  SCRIPT learning_test.py ARGS --bfloat16 LABELS long TIMEOUT 600)
qed_add_script_test(run.from_nothing SCRIPT from_nothing_test.py LABELS learning TIMEOUT 600)

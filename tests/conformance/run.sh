#!/usr/bin/env bash
# run.sh PROGRAM FOLDER: the cases of one folder of the shared data, ${QED_SHARED_DATA}, by default
# shared/data beside the project. Exit code 77: there is none.
set -euo pipefail

data=${QED_SHARED_DATA:-$QED_SOURCE_DIR/../shared/data}/$2
if [[ ! -d $data ]]; then
  echo "SKIPPED: no cases in $data; set QED_SHARED_DATA to the folder that holds $2/"
  exit 77
fi
exec "$1" -v --data "$data"

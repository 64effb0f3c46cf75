#!/usr/bin/env bash
# One gate of the ABI: abi_gate.sh NAME.
exec "$QED_SOURCE_DIR/sdk/abi/check" "$1"

#pragma once

// All building blocks of advantage estimators. They leave out sequences with valid == 0, work in
// double, and carry through tokens that the environment wrote (mask == 0): inserting such tokens
// changes nothing. Equal rewards give advantages of exactly 0.

#include "qed/group.h"
#include "qed/returns.h"
#include "qed/whiten.h"

// SPDX-License-Identifier: Apache-2.0
// Read before the tests that one compiler run takes together (see
// SextantTargets.cmake): the constants that nearly every test has get the
// number of their file, so that each test has its own. Names that some header
// uses would not do, and therefore all begin with kTest.
#pragma once

#define SEXTANT_UNITY_PASTE(name, file) name##_##file
#define SEXTANT_UNITY_NAME(name, file) SEXTANT_UNITY_PASTE(name, file)

#define kTestDimension SEXTANT_UNITY_NAME(kTestDimension, SEXTANT_UNITY_FILE)
#define kTestItems SEXTANT_UNITY_NAME(kTestItems, SEXTANT_UNITY_FILE)
#define kTestPoints SEXTANT_UNITY_NAME(kTestPoints, SEXTANT_UNITY_FILE)
#define kTestRows SEXTANT_UNITY_NAME(kTestRows, SEXTANT_UNITY_FILE)
#define kTestSeed SEXTANT_UNITY_NAME(kTestSeed, SEXTANT_UNITY_FILE)

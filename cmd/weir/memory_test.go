package main

import (
	"runtime/debug"
	"testing"
)

func TestSaveMemory(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "100")
	if saveMemory(); debug.SetGCPercent(100) != 100 {
		t.Error("the user's GOGC does not count")
	}
	t.Setenv("GOGC", "")
	if saveMemory(); debug.SetGCPercent(100) != gcPercent {
		t.Error("the heap may double")
	}
}

package load

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestProcess(t *testing.T) {
	for deadline := time.Now().Add(10 * time.Second); ; {
		cpu, err := processCPU(os.Getpid())
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("cpu %v, %v", cpu, err)
		}
		if own := ownCPU(); cpu > 0 && own-cpu < time.Second && cpu-own < time.Second {
			break
		}
	}
	if rss, err := processRSS(os.Getpid()); err != nil || rss < 1000 {
		t.Errorf("rss %d kB, %v", rss, err)
	}
	if machineCPU() < time.Second {
		t.Error("the machine has done nothing yet")
	}
	if _, err := watchProcess(1<<30-1, ""); err == nil || !strings.Contains(err.Error(), "no such process") {
		t.Errorf("a process that is not there: %v", err)
	}
	if got := slope([]memory{{0, 1000}, {10, 3000}, {20, 5000}}); got != 200 {
		t.Errorf("slope %v, want 200", got)
	}
	if slope(nil).known() {
		t.Error("there is a slope of nothing")
	}
}

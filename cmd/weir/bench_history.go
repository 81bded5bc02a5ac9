package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"weir/cmd/weir/load"
)

// benchEntry is one line of the history: what was measured, of what, and where.
type benchEntry struct {
	Time     time.Time `json:"time"`
	Commit   string    `json:"commit"`
	Modified bool      `json:"modified"` // there were changes that are not in the commit

	Go     string `json:"go"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`

	Rounds     int         `json:"rounds"`
	DurationMS int64       `json:"duration_ms"`
	OthersCPU  load.Figure `json:"others_cpu_percent"` // median
	Yardstick  load.Figure `json:"yardstick_us"`       // see load.Yardstick
	Lost       int64       `json:"lost"`               // packets

	Medians map[string]load.Figure `json:"medians"` // by the rows' keys; null: unknown
}

// entry returns the line for what was measured now.
func (b bench) entry(results []result, rounds []reports, yardstick load.Figure) benchEntry {
	e := benchEntry{
		Time: time.Now().UTC().Truncate(time.Second), Commit: "unknown",
		Go: runtime.Version(), CPU: cpuModel(), Cores: runtime.NumCPU(), Kernel: firstLine("/proc/sys/kernel/osrelease"),
		Rounds: b.rounds, DurationMS: b.duration.Milliseconds(), OthersCPU: othersCPU(rounds), Yardstick: yardstick, Medians: map[string]load.Figure{},
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				e.Commit = s.Value
			case "vcs.modified":
				e.Modified = s.Value == "true"
			}
		}
	}
	for _, round := range rounds {
		for _, r := range round {
			e.Lost += r.Received.Lost
		}
	}
	for _, r := range results {
		e.Medians[r.row.key] = r.median
	}
	return e
}

// appendHistory adds a line to the file, which is made if it is not there.
func appendHistory(name string, e benchEntry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("--history: %w", err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("--history: %w", err)
	}
	if _, err = f.Write(append(line, '\n')); err != nil {
		f.Close()
		return fmt.Errorf("--history: %w", err)
	}
	return f.Close()
}

// cpuModel is the processor's name; "unknown" where Linux does not tell.
func cpuModel() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// firstLine returns the first line of a small file, or "unknown".
func firstLine(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}

//go:build unix

package e2e

import (
	"os/exec"
	"syscall"
)

// ownGroup has a command that has children start in a process group of its own.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends such a command and its children.
func killGroup(c *exec.Cmd) {
	_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	_ = c.Wait() // killed
}

//go:build !unix

package e2e

import "os/exec"

// ownGroup does nothing: there are no process groups.
func ownGroup(*exec.Cmd) {}

// killGroup ends a command; its children see that it is gone.
func killGroup(c *exec.Cmd) {
	_ = c.Process.Kill()
	_ = c.Wait() // killed
}

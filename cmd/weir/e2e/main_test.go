package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// program is the path of the program under test. The first test that starts it
// builds it.
var program = sync.OnceValues(func() (string, error) {
	args := []string{"build", "-o", programFile()}
	if raced {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "weir/cmd/weir")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return programFile(), nil
})

// programFolder is made by TestMain, which removes it after the last test.
var programFolder string

func programFile() string { return filepath.Join(programFolder, "weir") }

func TestMain(m *testing.M) {
	status, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// runTests runs the tests with a folder for the program.
func runTests(m *testing.M) (status int, err error) {
	if programFolder, err = os.MkdirTemp("", "weir-e2e-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programFolder)) }()
	return m.Run(), nil
}

// builtProgram returns the path of the program under test.
func builtProgram(t testing.TB) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

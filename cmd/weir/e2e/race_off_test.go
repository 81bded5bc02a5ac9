//go:build !race

package e2e

// raced reports whether the race detector watches the tests, and so has to watch
// the program.
const raced = false
